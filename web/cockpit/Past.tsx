/** What was: totals, means and every stay of a span of days, to look at and to take along. */
import { useState } from "react";
import { useLoaded } from "../api.ts";
import { LimitChart } from "../parts/charts.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Field } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Show } from "../parts/states.tsx";
import { Table } from "../parts/Table.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, History, StayList } from "../types.ts";
import { Comparison } from "./Comparison.tsx";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";

const DAY_MS = 86_400_000;
const dayOf = (at: Date) =>
  `${at.getFullYear()}-${`${at.getMonth() + 1}`.padStart(2, "0")}-${`${at.getDate()}`.padStart(2, "0")}`;
const instant = (at: Date) => at.toISOString().replace(/\.\d+Z$/, "Z");

/** Local days, both included, as the instants between which they lie; null while they are no days. */
function spanOf(first: string, last: string): { from: string; until: string } | null {
  const [from, until] = [new Date(`${first}T00:00`), new Date(`${last}T00:00`)];
  until.setDate(until.getDate() + 1);
  return from < until ? { from: instant(from), until: instant(until) } : null;
}

export function Past({ groups }: { readonly groups: readonly Group[] }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  const [first, setFirst] = useState(() => dayOf(new Date(Date.now() - 6 * DAY_MS)));
  const [last, setLast] = useState(() => dayOf(new Date()));
  const [evseId, setEvseId] = useState("");
  const span = spanOf(first, last);
  const query =
    span && group && new URLSearchParams({ ...span, groupId: group.id, ...(evseId === "" ? {} : { evseId }) });
  const stays = useLoaded<StayList>(query && `/cpo/stays?${query}`);
  const slots = useLoaded<History>(
    span && group && `/cpo/groups/${encodeURIComponent(group.id)}/history?${new URLSearchParams(span)}`,
  );
  return (
    <Page title={t.nav.history}>
      <GroupChoice groups={groups} group={group} choose={choose} />
      <section className="card filters" aria-label={t.cockpit.filter}>
        <Field
          label={t.past.from}
          type="date"
          value={first}
          max={last}
          onChange={({ target }) => setFirst(target.value)}
        />
        <Field
          label={t.past.until}
          type="date"
          value={last}
          min={first}
          onChange={({ target }) => setLast(target.value)}
        />
        <Field
          label={t.cockpit.point}
          type="search"
          value={evseId}
          onChange={({ target }) => setEvseId(target.value.trim())}
        />
      </section>
      <Show what={stays}>
        {(data) => (
          <>
            <Totals stays={data} />
            <Comparison totals={data.totals} />
          </>
        )}
      </Show>
      <section className="card">
        <h2>{t.past.usage}</h2>
        <Show what={slots}>{({ slots: all }) => <LimitChart label={t.past.usage} points={all} />}</Show>
      </section>
      <Show what={stays}>{(data) => <Stays stays={data} query={`${query}`} />}</Show>
    </Page>
  );
}

function Totals({ stays: { totals } }: { readonly stays: StayList }) {
  const { t, f } = useTexts();
  const facts = [
    [t.past.count, f.count(totals.count)],
    [t.past.running, f.count(totals.running)],
    [t.session.energy, f.kwh(totals.energyWh)],
    [t.past.revenue, f.euro(totals.amountMicroEur)],
    [t.past.compensation, f.euro(totals.compensationMicroEur)],
    [t.money.flex, f.flex(totals.flexWh)],
    ["CO₂", totals.carbonG === null ? "–" : f.carbon(totals.carbonG)],
    [t.past.meanEnergy, totals.meanEnergyWh === null ? "–" : f.kwh(totals.meanEnergyWh)],
    [t.past.meanStay, totals.meanStayS === null ? "–" : f.lasting(totals.meanStayS)],
    [t.past.kept, totals.promised === 0 ? "–" : t.past.keptOf(totals.kept, totals.promised, totals.missedByUs)],
  ] as const;
  return (
    <section className="card" aria-label={t.history.total}>
      <Facts facts={facts} />
    </section>
  );
}

const SHOWN = 200;

function Stays({ stays: { stays }, query }: { readonly stays: StayList; readonly query: string }) {
  const { t, f } = useTexts();
  const newest = stays.slice(-SHOWN).reverse();
  return (
    <section className="card">
      <div className="row spread">
        <h2>{t.past.stays}</h2>
        <span className="row">
          <a className="button" href={`/cpo/stays.csv?${query}`} download="stays.csv">
            CSV
          </a>
          <a className="button" href={`/cpo/stays?${query}`} download="stays.json">
            JSON
          </a>
        </span>
      </div>
      {stays.length > SHOWN && <p className="soft">{t.past.latest(SHOWN, stays.length)}</p>}
      {stays.length === 0 ? (
        <p className="soft">{t.past.empty}</p>
      ) : (
        <Table
          label={t.past.stays}
          rows={newest}
          keyOf={({ sessionNumber }) => sessionNumber}
          columns={[
            { name: t.cockpit.session, cell: (one) => one.sessionNumber },
            { name: t.cockpit.point, cell: (one) => one.evseId },
            { name: t.past.from, cell: (one) => f.when(one.pluggedAt) },
            { name: t.past.until, cell: (one) => (one.unpluggedAt === null ? "–" : f.when(one.unpluggedAt)) },
            {
              name: t.session.energy,
              cell: (one) => (one.energyWh === null ? "–" : f.kwh(one.energyWh)),
              isNumber: true,
            },
            {
              name: t.past.revenue,
              cell: (one) => (one.amountMicroEur === null ? "–" : f.euro(one.amountMicroEur)),
              isNumber: true,
            },
            { name: t.money.flex, cell: (one) => (one.flexWh === null ? "–" : f.flex(one.flexWh)), isNumber: true },
            { name: t.cockpit.promise, cell: (one) => <Outcome stay={one} /> },
          ]}
        />
      )}
    </section>
  );
}

function Outcome({ stay: { promise, missedBy } }: { readonly stay: StayList["stays"][number] }) {
  const { t } = useTexts();
  if (promise === null) return "–";
  return (
    <>
      {t.session.states[promise]}
      {missedBy !== null && <span className="soft">: {t.past.missedBy[missedBy]}</span>}
    </>
  );
}
