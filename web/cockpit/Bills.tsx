/** What was billed, what is disputed, and how each bill stands on the chain. */
import { useLoaded } from "../api.ts";
import { DisputeNext } from "../parts/DisputeNext.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Page } from "../parts/Frame.tsx";
import { Show } from "../parts/states.tsx";
import { Table } from "../parts/Table.tsx";
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
                {all.map((one) => (
                  <Disputed key={one.sessionId} dispute={one} />
                ))}
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
              <Table
                label={t.bills.latest}
                rows={settlements}
                keyOf={({ sessionNumber }) => sessionNumber}
                columns={[
                  { name: t.cockpit.session, cell: (one) => one.sessionNumber },
                  { name: t.bills.at, cell: (one) => f.when(one.settledAt) },
                  { name: t.session.energy, cell: (one) => f.kwh(one.energyWh), isNumber: true },
                  { name: t.money.amount, cell: (one) => f.euro(one.amountMicroEur), isNumber: true },
                  { name: t.past.compensation, cell: (one) => f.euro(one.compensationMicroEur), isNumber: true },
                  { name: t.money.flex, cell: (one) => f.flex(one.flexWh), isNumber: true },
                  { name: t.bills.batch, cell: (one) => one.batch ?? "–" },
                  { name: t.cockpit.state, cell: (one) => t.receipt.states[one.state.kind] },
                ]}
              />
            )
          }
        </Show>
      </section>
    </Page>
  );
}

function Disputed({ dispute }: { readonly dispute: Dispute }) {
  const { t, f } = useTexts();
  const { bill, reason } = dispute;
  return (
    <li>
      <strong>
        {t.cockpit.session} {bill.sessionNumber}, {f.euro(bill.amountMicroEur)}
      </strong>{" "}
      <span className="chip warn">{t.receipt.states[bill.state.kind]}</span>
      <p>{reason}</p>
      <p className="soft small">
        <DisputeNext dispute={dispute} />
      </p>
    </li>
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
