/** A group right now: what it draws against its limit, and each charge point measured, allowed and rated. */
import { useDeferredValue, useMemo, useState } from "react";
import { ask, useAction, useLive, useLoaded } from "../api.ts";
import { LimitChart } from "../parts/charts.tsx";
import { Facts } from "../parts/Facts.tsx";
import { Choice, Field } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, GroupPicture, History } from "../types.ts";
import { Attention } from "./Attention.tsx";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";
import { isAtRisk, isBusy, isFaulty, Point, type Row } from "./Point.tsx";
import { Told } from "./Told.tsx";

export function LivePage({ groups }: { readonly groups: readonly Group[] }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  const picture = useLive<GroupPicture>(group && `/cpo/groups/${encodeURIComponent(group.id)}/events`, "group");
  return (
    <Page title={group?.id ?? t.cockpit.title}>
      <GroupChoice groups={groups} group={group} choose={choose} />
      {group && (
        <Show what={picture}>
          {(data) => (
            <>
              <Headroom picture={data} />
              <Points picture={data} />
              <div className="grid wide">
                <Usage groupId={group.id} />
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
  const { importW, limitW, supplyLimitW, carsW, demandW, productionW, pricePerKwhMicroEur } = picture;
  const isOver = importW > limitW;
  const facts = [
    [t.cockpit.headroom, f.kw(limitW - importW)],
    [t.cockpit.cars, f.kw(carsW)],
    [t.cockpit.building, f.kw(demandW)],
    [t.cockpit.solar, f.kw(productionW)],
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

const FILTERS = {
  all: () => true,
  busy: isBusy,
  risk: isAtRisk,
  faulty: isFaulty,
} satisfies Record<string, (row: Row) => boolean>;
type Filter = keyof typeof FILTERS;

function Points({ picture }: { readonly picture: GroupPicture }) {
  const { t } = useTexts();
  const [filter, setFilter] = useState<Filter>("all");
  const [text, setText] = useState("");
  // Typing stays quick with a thousand charge points: the tiles follow.
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const shown = useMemo(
    () => picture.rows.filter((row) => FILTERS[filter](row) && row.evseId.toLowerCase().includes(wanted)),
    [picture.rows, filter, wanted],
  );
  const count = (of: Filter) => picture.rows.filter(FILTERS[of]).length;
  const boosting = useAction(async (sessionId: string, on: boolean) => {
    await ask(on ? "POST" : "DELETE", `/cpo/sessions/${sessionId}/boost`, on ? {} : undefined);
  });
  return (
    <section className="stack" aria-labelledby="points">
      <div className="row spread">
        <h2 id="points">{t.cockpit.points}</h2>
        <span className="soft small">
          {t.cockpit.measured} / {t.cockpit.allowed} / {t.cockpit.rated}
        </span>
      </div>
      <div className="filters">
        <Choice
          label={t.cockpit.filter}
          hideLabel
          value={filter}
          onChoose={setFilter}
          options={[
            { value: "all", label: `${t.cockpit.all} (${count("all")})` },
            { value: "busy", label: `${t.cockpit.busy} (${count("busy")})` },
            { value: "risk", label: `${t.cockpit.atRisk} (${count("risk")})` },
            { value: "faulty", label: `${t.cockpit.faulty} (${count("faulty")})` },
          ]}
        />
        <Field label={t.cockpit.find} type="search" value={text} onChange={({ target }) => setText(target.value)} />
      </div>
      <Fault problem={boosting.problem} />
      {shown.length === 0 ? (
        <p className="card quiet soft">{picture.rows.length === 0 ? t.cockpit.emptyGroup : t.cockpit.none}</p>
      ) : (
        <ul className="points">
          {shown.map((row) => (
            <Point key={row.evseId} row={row} boost={boosting.run} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Usage({ groupId }: { readonly groupId: string }) {
  const { t } = useTexts();
  const history = useLoaded<History>(`/cpo/groups/${encodeURIComponent(groupId)}/history`);
  return (
    <section className="card">
      <h2>{t.cockpit.usage}</h2>
      <Show what={history}>{({ slots }) => <LimitChart label={t.cockpit.usage} points={slots} />}</Show>
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
