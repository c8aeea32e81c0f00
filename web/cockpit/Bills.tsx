/** What was billed, what is disputed, and how each bill stands on the chain. */
import { useLoaded } from "../api.ts";
import { DisputeNext } from "../parts/DisputeNext.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Page } from "../parts/Frame.tsx";
import { Scroll } from "../parts/Scroll.tsx";
import { Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { CpoFigures, Dispute, Settlement } from "../types.ts";

export function Bills() {
  const { t, f } = useTexts();
  const figures = useLoaded<{ figures: CpoFigures[] }>("/cpo/figures");
  const bills = useLoaded<{ settlements: Settlement[] }>("/cpo/settlements?limit=100");
  const disputes = useLoaded<{ disputes: Dispute[] }>("/cpo/disputes?limit=50");
  return (
    <Page title={t.nav.bills}>
      <Show what={figures}>{({ figures: all }) => all.map((one) => <Sums key={one.cpoId} sums={one} />)}</Show>
      <section className="card">
        <h2>{t.bills.disputes}</h2>
        <Show what={disputes}>
          {({ disputes: all }) =>
            all.length === 0 ? (
              <p className="soft">{t.cockpit.none}</p>
            ) : (
              <ul className="stack">
                {all.map((one) => {
                  const { sessionId, bill, reason } = one;
                  return (
                    <li key={sessionId}>
                      <strong>
                        {t.cockpit.session} {bill.sessionNumber}, {f.euro(bill.amountMicroEur)}
                      </strong>{" "}
                      <span className="chip warn">{t.receipt.states[bill.state.kind]}</span>
                      <p>{reason}</p>
                      <p className="soft small">
                        <DisputeNext dispute={one} />
                      </p>
                    </li>
                  );
                })}
              </ul>
            )
          }
        </Show>
      </section>
      <section className="card">
        <h2>{t.bills.latest}</h2>
        <Show what={bills}>
          {({ settlements }) =>
            settlements.length === 0 ? (
              <p className="soft">{t.bills.empty}</p>
            ) : (
              <Scroll label={t.bills.latest}>
                <table>
                  <thead>
                    <tr>
                      <th scope="col">{t.cockpit.session}</th>
                      <th scope="col">{t.bills.at}</th>
                      <th scope="col" className="number">
                        {t.session.energy}
                      </th>
                      <th scope="col" className="number">
                        {t.money.amount}
                      </th>
                      <th scope="col" className="number">
                        {t.past.compensation}
                      </th>
                      <th scope="col" className="number">
                        FLEX
                      </th>
                      <th scope="col">{t.bills.batch}</th>
                      <th scope="col">{t.cockpit.state}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {settlements.map((one) => (
                      <tr key={one.sessionNumber}>
                        <td>{one.sessionNumber}</td>
                        <td>{f.when(one.settledAt)}</td>
                        <td className="number">{f.kwh(one.energyWh)}</td>
                        <td className="number">{f.euro(one.amountMicroEur)}</td>
                        <td className="number">{f.euro(one.compensationMicroEur)}</td>
                        <td className="number">{f.flex(one.flexWh)}</td>
                        <td>{one.batch ?? "–"}</td>
                        <td>{t.receipt.states[one.state.kind]}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </Scroll>
            )
          }
        </Show>
      </section>
    </Page>
  );
}

function Sums({ sums }: { readonly sums: CpoFigures }) {
  const { t, f } = useTexts();
  const offer = sums.flexOffer;
  const facts = [
    [t.bills.count, f.count(sums.bills)],
    [t.session.energy, f.kwh(sums.energyWh)],
    [t.bills.billed, f.euro(sums.billedMicroEur)],
    [t.receipt.refund, f.euro(sums.refundedMicroEur)],
    [t.receipt.credit, f.euro(sums.creditedMicroEur)],
    [t.bills.revenue, f.euro(sums.revenueMicroEur)],
    [t.bills.disputed, f.euro(sums.disputedMicroEur)],
    [t.bills.pot, offer ? f.euro(offer.potMicroEur) : t.bills.noChain],
    [t.bills.flexPrice, offer ? f.euroFine(offer.pricePerKwhMicroEur) : t.bills.noChain],
    [t.money.flex, f.flex(sums.flexWh)],
  ] as const;
  return (
    <section className="card" aria-label={t.history.total}>
      <Facts facts={facts} />
    </section>
  );
}
