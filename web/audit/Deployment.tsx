/** Which contracts, whether their code is the compiled one, and whether the money adds up. */
import { Scroll } from "../parts/Scroll.tsx";
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
        <Scroll label={t.audit.contracts}>
          <table>
            <thead>
              <tr>
                <th scope="col">{t.audit.contract}</th>
                <th scope="col">{t.audit.address}</th>
                <th scope="col" className="number">
                  {t.audit.block}
                </th>
                <th scope="col">{t.audit.transaction}</th>
              </tr>
            </thead>
            <tbody>
              {Object.entries(manifest.contracts).map(([name, { address, block, tx }]) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td className="mono">{address}</td>
                  <td className="number">{block}</td>
                  <td>
                    <Tx hash={tx} show={show} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scroll>
      </details>
      <details>
        <summary>{t.audit.assets}</summary>
        <Read name={`assets ${manifest.chainId}`} what={opened.assets}>
          {(assets) => (
            <Scroll label={t.audit.assets}>
              <table>
                <thead>
                  <tr>
                    <th scope="col" className="number">
                      {t.cockpit.group}
                    </th>
                    <th scope="col" className="number">
                      {t.audit.row}
                    </th>
                    <th scope="col">{t.audit.kind}</th>
                    <th scope="col" className="number">
                      {t.cockpit.rated}
                    </th>
                    <th scope="col">{t.audit.transaction}</th>
                  </tr>
                </thead>
                <tbody>
                  {assets.map(({ id, group, index, kind, ratedW, tx }) => (
                    <tr key={id}>
                      <td className="number">{group}</td>
                      <td className="number">{index}</td>
                      <td>{t.audit.kinds[kind as 1 | 2 | 3] ?? kind}</td>
                      <td className="number">{f.kw(ratedW)}</td>
                      <td>
                        <Tx hash={tx} show={show} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )}
        </Read>
      </details>
    </section>
  );
}
