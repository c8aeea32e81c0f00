/** What the grid asks of a group: capacity profiles, and flexibility orders with what was delivered of them. */
import { useState } from "react";
import { Writers } from "../account.tsx";
import { type ApiProblem, ask, useAction, useLoaded } from "../api.ts";
import { localText } from "../driver/wish.ts";
import { Choice, Field, submitting } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Capacity, FlexibilityOrder, Group } from "../types.ts";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";

const SLOT_MS = 900_000;
const instant = (local: string) => new Date(local).toISOString().replace(/\.\d+Z$/, "Z");
/** So many quarter-hours from now, on the clock. */
const slotText = (ahead: number) => localText(new Date((Math.ceil(Date.now() / SLOT_MS) + ahead) * SLOT_MS));

export function Grid({ groups }: { readonly groups: readonly Group[] }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  return (
    <Page title={t.nav.grid}>
      <GroupChoice groups={groups} group={group} choose={choose} />
      {group && (
        <div key={group.id} className="grid wide">
          <Orders groupId={group.id} />
          <CapacityProfile groupId={group.id} />
        </div>
      )}
    </Page>
  );
}

type Times = { readonly from: string; readonly until: string };

/** From when until when, on the clock of the device. `within`: where both stand in the body; `step`: s. */
function Span(props: {
  readonly wish: Times;
  readonly change: (part: Partial<Times>) => void;
  readonly problem: ApiProblem | null;
  readonly within?: string;
  readonly step?: number;
}) {
  const { t } = useTexts();
  const { wish, change, problem, within = "", step } = props;
  return (["from", "until"] as const).map((end) => (
    <Field
      key={end}
      label={t.past[end]}
      type="datetime-local"
      step={step}
      required
      value={wish[end]}
      member={`${within}${end}`}
      problem={problem}
      onChange={({ target }) => change({ [end]: target.value })}
    />
  ));
}

function Orders({ groupId }: { readonly groupId: string }) {
  const { t } = useTexts();
  const path = `/grid/groups/${encodeURIComponent(groupId)}/orders`;
  const orders = useLoaded<{ orders: FlexibilityOrder[] }>(path);
  const [wish, setWish] = useState({
    direction: "down" as "down" | "up",
    kw: "10",
    from: slotText(4),
    until: slotText(8),
  });
  const { run, busy, problem } = useAction(async () => {
    const { direction, kw, from, until } = wish;
    const powerW = Math.round(Number(kw) * 1000);
    await ask("POST", path, {
      orderId: crypto.randomUUID(),
      direction,
      powerW,
      from: instant(from),
      until: instant(until),
    });
    orders.again();
  });
  return (
    <section className="card">
      <h2>{t.grid.orders}</h2>
      <Writers>
        <form className="stack" onSubmit={submitting(run)}>
          <Choice
            label={t.grid.direction}
            value={wish.direction}
            onChoose={(direction) => setWish({ ...wish, direction })}
            options={[
              { value: "down", label: t.grid.down },
              { value: "up", label: t.grid.up },
            ]}
          />
          <Field
            label={`${t.session.power} (kW)`}
            type="number"
            min={0.1}
            step={0.1}
            required
            value={wish.kw}
            member="powerW"
            problem={problem}
            onChange={({ target }) => setWish({ ...wish, kw: target.value })}
          />
          <Span wish={wish} change={(part) => setWish({ ...wish, ...part })} problem={problem} step={900} />
          <Fault problem={problem} fields={["powerW", "from", "until"]} />
          <button type="submit" className="first" disabled={busy}>
            {t.grid.order}
          </button>
        </form>
      </Writers>
      <Show what={orders}>
        {({ orders: all }) =>
          all.length === 0 ? (
            <p className="soft">{t.grid.noOrders}</p>
          ) : (
            <ul className="stack">
              {all.toReversed().map((one) => (
                <Order key={one.orderId} order={one} />
              ))}
            </ul>
          )
        }
      </Show>
    </section>
  );
}

const TONES = { acknowledged: "", refused: "bad", met: "good", partly: "warn", missed: "bad" } as const;

function Order({ order }: { readonly order: FlexibilityOrder }) {
  const { t, f } = useTexts();
  const ordered = order.slots.reduce((sum, { orderedWh }) => sum + orderedWh, 0);
  const agreed = order.slots.reduce((sum, { acknowledgedWh }) => sum + acknowledgedWh, 0);
  return (
    <li className="notice">
      <div className="row spread">
        <strong>
          {order.direction === "down" ? t.grid.down : t.grid.up} {f.kw(order.powerW)}
        </strong>
        <span className={`chip ${TONES[order.state]}`}>{t.grid.states[order.state]}</span>
      </div>
      <p className="soft">
        {f.when(order.from)} – {f.when(order.until)}
      </p>
      <p>
        {t.grid.compliance(f.kwh(ordered), f.kwh(agreed), order.deliveredWh === null ? "–" : f.kwh(order.deliveredWh))}
        {order.amountMicroEur !== null && order.amountMicroEur !== "0" && ` · ${f.euro(order.amountMicroEur)}`}
      </p>
    </li>
  );
}

function CapacityProfile({ groupId }: { readonly groupId: string }) {
  const { t, f } = useTexts();
  const base = `/grid/groups/${encodeURIComponent(groupId)}`;
  const profiles = useLoaded<{ profiles: Capacity[] }>(`${base}/capacity-profiles?limit=1`);
  const [wish, setWish] = useState({ kw: "", from: slotText(0), until: slotText(8) });
  const { again } = profiles;
  const send = useAction(async () => {
    const period = { from: instant(wish.from), until: instant(wish.until), limitW: Math.round(Number(wish.kw) * 1000) };
    await ask("PUT", `${base}/capacity-profile`, { periods: [period] });
    again();
  });
  const withdraw = useAction(async () => {
    await ask("PUT", `${base}/capacity-profile`, { periods: [] });
    again();
  });
  return (
    <section className="card">
      <h2>{t.grid.capacity}</h2>
      <p className="soft">{t.grid.capacityLead}</p>
      <Show what={profiles}>
        {({ profiles: [latest] }) =>
          !latest || latest.periods.length === 0 ? (
            <p className="soft">{t.cockpit.none}</p>
          ) : (
            <ul className="stack">
              {latest.periods.slice(0, 20).map((one) => (
                <li key={one.from}>
                  <strong>{f.kw(one.limitW)}</strong>{" "}
                  <span className="soft">
                    {f.when(one.from)} – {f.when(one.until)}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </Show>
      <Writers>
        <form className="stack" onSubmit={submitting(send.run)}>
          <Field
            label={`${t.cockpit.limit} (kW)`}
            type="number"
            min={0}
            step={0.1}
            required
            value={wish.kw}
            member="periods/0/limitW"
            problem={send.problem}
            onChange={({ target }) => setWish({ ...wish, kw: target.value })}
          />
          <Span
            wish={wish}
            change={(part) => setWish({ ...wish, ...part })}
            problem={send.problem}
            within="periods/0/"
          />
          <Fault problem={send.problem} />
          <div className="row">
            <button type="submit" disabled={send.busy}>
              {t.setup.set}
            </button>
            <button type="button" disabled={withdraw.busy} onClick={() => void withdraw.run()}>
              {t.setup.lift}
            </button>
          </div>
          <Fault problem={withdraw.problem} />
        </form>
      </Writers>
    </section>
  );
}
