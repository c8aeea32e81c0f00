/** Which contracts, whether their code is the compiled one, and whether the money adds up. */
import { Table } from "../parts/Table.tsx";
import { InEnglish } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Opened } from "./chain.ts";
import { Read, type ShowTx, Tx, Verdict } from "./parts.tsx";

export function Deployment({ opened, show }: { readonly opened: Opened; readonly show: ShowTx }) {
  const { t, f } = useTexts();
  const { manifest } = opened;
  return (
    <section className="card" aria-labelledby="deployment">
      <h2 id="deployment">{t.audit.deployment}</h2>
      <Read
        name={`code ${manifest.chainId}`}
        what={async () => ({
          differences: await opened.differences(),
          block: await opened.block(),
          funds: await opened.funds(),
        })}
      >
        {({ differences, block, funds }) => (
          <>
            <div className="row">
              <Verdict good={differences.length === 0}>
                {differences.length === 0 ? t.audit.codeSame : t.audit.codeOther}
              </Verdict>
              <Verdict good={funds.owned >= funds.held}>
                {t.audit.backed(f.euro(funds.held), f.euro(funds.owned))}
              </Verdict>
              <span className="chip">{t.audit.at(manifest.chainId, block)}</span>
            </div>
            {differences.map((text) => (
              <p key={text} className="notice bad">
                <InEnglish>{text}</InEnglish>
              </p>
            ))}
          </>
        )}
      </Read>
      <details>
        <summary>{t.audit.contracts}</summary>
        <Table
          label={t.audit.contracts}
          rows={Object.entries(manifest.contracts)}
          keyOf={([name]) => name}
          columns={[
            { name: t.audit.contract, cell: ([name]) => name },
            { name: t.audit.address, cell: ([, { address }]) => <span className="mono">{address}</span> },
            { name: t.audit.block, cell: ([, { block }]) => block, isNumber: true },
            { name: t.audit.transaction, cell: ([, { tx }]) => <Tx hash={tx} show={show} /> },
          ]}
        />
      </details>
      <details>
        <summary>{t.audit.assets}</summary>
        <Read name={`assets ${manifest.chainId}`} what={opened.assets}>
          {(assets) => (
            <Table
              label={t.audit.assets}
              rows={assets}
              keyOf={({ id }) => id}
              columns={[
                { name: t.cockpit.group, cell: ({ group }) => group, isNumber: true },
                { name: t.audit.row, cell: ({ index }) => index, isNumber: true },
                { name: t.audit.kind, cell: ({ kind }) => t.audit.kinds[kind as 1 | 2 | 3] ?? kind },
                { name: t.cockpit.rated, cell: ({ ratedW }) => f.kw(ratedW), isNumber: true },
                { name: t.audit.transaction, cell: ({ tx }) => <Tx hash={tx} show={show} /> },
              ]}
            />
          )}
        </Read>
      </details>
    </section>
  );
}
