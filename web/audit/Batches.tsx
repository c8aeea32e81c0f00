/** The bills as they were posted: batch by batch, with their pots and roots. */
import { Scroll } from "../parts/Scroll.tsx";
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
            <Scroll label={t.audit.batches}>
              <table>
                <caption>{all > SHOWN ? t.past.latest(SHOWN, all) : null}</caption>
                <thead>
                  <tr>
                    <th scope="col" className="number">
                      CPO
                    </th>
                    <th scope="col" className="number">
                      {t.bills.batch}
                    </th>
                    <th scope="col">{t.audit.posted}</th>
                    <th scope="col" className="number">
                      {t.audit.lines}
                    </th>
                    <th scope="col" className="number">
                      {t.audit.pot}
                    </th>
                    <th scope="col">{t.audit.root}</th>
                    <th scope="col">{t.audit.transaction}</th>
                  </tr>
                </thead>
                <tbody>
                  {latest.map(({ cpo, seq, root, pot, count, tx, kept }) => (
                    <tr key={`${cpo} ${seq}`}>
                      <td className="number">{cpo}</td>
                      <td className="number">{seq}</td>
                      <td>{f.when(new Date(kept.postedAt * 1000))}</td>
                      <td className="number">{count}</td>
                      <td className="number">{f.euro(pot)}</td>
                      <td>
                        {kept.root === root ? (
                          <Verdict good>{f.short(root)}</Verdict>
                        ) : (
                          <Verdict good={false}>{`${f.short(root)} ≠ ${f.short(kept.root)}`}</Verdict>
                        )}
                      </td>
                      <td>
                        <Tx hash={tx} show={show} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </Scroll>
          )
        }
      </Read>
    </section>
  );
}
