/** A group right now: what it draws against its limit, and each charge point measured, allowed and rated. */
import { ask, useAction, useLive, useLoaded } from "../api.ts";
import { LimitChart } from "../parts/charts.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Page } from "../parts/Frame.tsx";
import { Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, GroupPicture, History } from "../types.ts";
import { Attention } from "./Attention.tsx";
import { Boosts } from "./Boosts.tsx";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";
import { Market } from "./Market.tsx";
import { isAtRisk } from "./Point.tsx";
import { Points } from "./Points.tsx";
import { Told } from "./Told.tsx";

export function LivePage({ groups }: { readonly groups: readonly Group[] }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  const picture = useLive<GroupPicture>(group && `/cpo/groups/${encodeURIComponent(group.id)}/events`, "group");
  const boosting = useAction(async (sessionId: string, on: boolean) => {
    await ask(on ? "POST" : "DELETE", `/cpo/sessions/${encodeURIComponent(sessionId)}/boost`, on ? {} : undefined);
  });
  return (
    <Page title={group?.id ?? t.cockpit.title}>
      <GroupChoice groups={groups} group={group} choose={choose} />
      {group && (
        <Show what={picture}>
          {(data) => (
            <>
              <Headroom picture={data} />
              <Points key={group.id} picture={data} boosting={boosting} />
              <div className="grid wide">
                <Boosts picture={data} boosting={boosting} />
                <Usage groupId={group.id} />
                <Market at={data.at} />
                <Plan picture={data} />
                <Attention picture={data} />
                <Incidents picture={data} />
              </div>
            </>
          )}
        </Show>
      )}
    </Page>
  );
}

function Headroom({ picture }: { readonly picture: GroupPicture }) {
  const { t, f } = useTexts();
  const { importW, limitW, supplyLimitW, carsW, demandW, productionW, batteryW, pricePerKwhMicroEur } = picture;
  const isOver = importW > limitW;
  const facts = [
    [t.cockpit.headroom, f.kw(limitW - importW)],
    [t.cockpit.cars, f.kw(carsW)],
    [t.cockpit.building, f.kw(demandW - Math.max(0, batteryW ?? 0))],
    [t.cockpit.solar, f.kw(productionW + Math.min(0, batteryW ?? 0))],
    ...(batteryW === null ? [] : [[t.cockpit.battery, f.kw(batteryW)] as const]),
    [t.cockpit.price, pricePerKwhMicroEur === null ? "–" : f.price(pricePerKwhMicroEur)],
  ] as const;
  return (
    <section className="card" aria-labelledby="now">
      <div className="row spread">
        <h2 id="now">{t.home.now}</h2>
        <span className="soft small">{t.cockpit.at(f.time(picture.at))}</span>
      </div>
      <p className="big">{t.home.uses(f.kw(importW), f.kw(limitW))}</p>
      <div className="meter" role="img" aria-label={t.home.uses(f.kw(importW), f.kw(limitW))}>
        <i
          className={isOver ? "over" : ""}
          style={{ width: `${Math.min(100, (100 * Math.max(0, importW)) / Math.max(1, supplyLimitW))}%` }}
        />
        <b style={{ left: `${Math.min(100, (100 * limitW) / Math.max(1, supplyLimitW))}%` }} />
      </div>
      <Facts facts={facts} />
    </section>
  );
}

function Usage({ groupId }: { readonly groupId: string }) {
  const { t } = useTexts();
  const history = useLoaded<History>(`/cpo/groups/${encodeURIComponent(groupId)}/history`);
  return (
    <section className="card">
      <h2>{t.cockpit.usage}</h2>
      <Show what={history}>
        {({ slots }) =>
          slots.length === 0 ? (
            <p className="soft">{t.cockpit.noUsage}</p>
          ) : (
            <LimitChart label={t.cockpit.usage} points={slots} />
          )
        }
      </Show>
    </section>
  );
}

/** A smaller gap would be shown as none. */
const LEAST_SHOWN_MICRO_EUR = 100;

function Plan({ picture: { plan, guardActions, rows } }: { readonly picture: GroupPicture }) {
  const { t, f } = useTexts();
  const risky = rows.filter(isAtRisk);
  return (
    <section className="card">
      <h2>{t.cockpit.plan}</h2>
      {plan === null ? (
        <p className="soft">{t.cockpit.none}</p>
      ) : (
        <>
          <p>
            <strong>{t.setup.methods[plan.algorithm]}</strong> <span className="soft">{f.when(plan.at)}</span>
          </p>
          <p className="soft">
            {plan.gapMicroEur === null
              ? t.cockpit.planNone
              : BigInt(plan.gapMicroEur) === 0n
                ? t.cockpit.planExact
                : t.cockpit.planLead(f.euroFine(Math.max(LEAST_SHOWN_MICRO_EUR, Number(plan.gapMicroEur))))}
          </p>
        </>
      )}
      <p className="soft">{t.cockpit.guard(guardActions)}</p>
      <h3>{t.cockpit.atRisk}</h3>
      {risky.length === 0 ? (
        <p className="soft">{t.cockpit.none}</p>
      ) : (
        <ul>
          {risky.map(({ evseId, promise }) => (
            <li key={evseId} className="warn">
              {evseId}: {promise && t.session.promised(f.kwh(promise.energyWh), f.when(promise.by))}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const SHOWN = 8;

function Incidents({ picture: { incidents } }: { readonly picture: GroupPicture }) {
  const { t } = useTexts();
  const latest = incidents.slice(-SHOWN).reverse();
  return (
    <section className="card">
      <div className="row spread">
        <h2>{t.cockpit.incidents}</h2>
        <span className="chip">{incidents.length}</span>
      </div>
      {latest.length === 0 ? (
        <p className="soft">{t.cockpit.noIncidents}</p>
      ) : (
        <ul className="stack">
          {latest.map((one) => (
            <Told key={one.id} incident={one} />
          ))}
        </ul>
      )}
    </section>
  );
}
