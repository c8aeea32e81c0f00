/** The bills as they were posted: batch by batch, with their pots and roots. */
import { Table } from "../parts/Table.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Opened } from "./chain.ts";
import { Read, type ShowTx, Tx, Verdict } from "./parts.tsx";

const SHOWN = 50;

export function Batches({ opened, show }: { readonly opened: Opened; readonly show: ShowTx }) {
  const { t, f } = useTexts();
  return (
    <section className="card" aria-labelledby="batches">
      <h2 id="batches">{t.audit.batches}</h2>
      <Read
        name={`batches ${opened.manifest.chainId}`}
        what={async () => {
          const posted = await opened.batches();
          const latest = posted.slice(-SHOWN).reverse();
          return {
            all: posted.length,
            latest: await Promise.all(
              latest.map(async (one) => ({ ...one, kept: await opened.batch(one.cpo, one.seq) })),
            ),
          };
        }}
      >
        {({ all, latest }) =>
          all === 0 ? (
            <p className="soft">{t.audit.noBatches}</p>
          ) : (
            <Table
              label={t.audit.batches}
              caption={all > SHOWN ? t.past.latest(SHOWN, all) : null}
              rows={latest}
              keyOf={({ cpo, seq }) => `${cpo} ${seq}`}
              columns={[
                { name: "CPO", cell: ({ cpo }) => cpo, isNumber: true },
                { name: t.bills.batch, cell: ({ seq }) => seq, isNumber: true },
                { name: t.audit.posted, cell: ({ kept }) => f.when(new Date(kept.postedAt * 1000)) },
                { name: t.audit.lines, cell: ({ count }) => count, isNumber: true },
                { name: t.audit.pot, cell: ({ pot }) => f.euro(pot), isNumber: true },
                {
                  name: t.audit.root,
                  cell: ({ root, kept }) => (
                    <Verdict good={kept.root === root}>
                      {kept.root === root ? f.short(root) : `${f.short(root)} ≠ ${f.short(kept.root)}`}
                    </Verdict>
                  ),
                },
                { name: t.audit.transaction, cell: ({ tx }) => <Tx hash={tx} show={show} /> },
              ]}
            />
          )
        }
      </Read>
    </section>
  );
}
