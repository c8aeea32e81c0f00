/** All charge points of a group, as tiles or on the plan of the site; a filter for both. */
import { useDeferredValue, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import { type useAction, useLoaded } from "../api.ts";
import { Choice, Field } from "../parts/Field.tsx";
import { Fault } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Evse, GroupPicture } from "../types.ts";
import { isAtRisk, isBusy, isFaulty, Point, type Row } from "./Point.tsx";
import { isPlaced, SitePlan } from "./plan/SitePlan.tsx";

export type Boost = ReturnType<typeof useAction<[sessionId: string, on: boolean]>>;

const FILTERS = {
  all: () => true,
  busy: isBusy,
  risk: isAtRisk,
  faulty: isFaulty,
} satisfies Record<string, (row: Row) => boolean>;
type Filter = keyof typeof FILTERS;

export function Points({ picture, boosting }: { readonly picture: GroupPicture; readonly boosting: Boost }) {
  const { t } = useTexts();
  const [search, setSearch] = useSearchParams();
  const [filter, setFilter] = useState<Filter>("all");
  const [text, setText] = useState("");
  // Typing stays quick with a thousand charge points: the tiles follow.
  const wanted = useDeferredValue(text.trim().toLowerCase());
  const shown = useMemo(
    () => picture.rows.filter((row) => FILTERS[filter](row) && row.evseId.toLowerCase().includes(wanted)),
    [picture.rows, filter, wanted],
  );
  const count = (of: Filter) => picture.rows.filter(FILTERS[of]).length;
  const evses = useLoaded<{ evses: Evse[] }>(`/cpo/groups/${encodeURIComponent(picture.groupId)}/evses`);
  const all = evses.kind === "here" ? evses.data.evses : [];
  const hasPlan = all.some(isPlaced);
  const isPlan = hasPlan && search.get("view") === "plan";
  return (
    <section className="stack" aria-labelledby="points">
      <div className="row spread">
        <h2 id="points">{t.cockpit.points}</h2>
        <span className="soft small">
          {t.cockpit.measured} / {t.cockpit.allowed} / {t.cockpit.rated}
        </span>
      </div>
      {hasPlan && (
        <Choice
          label={t.plan.show}
          hideLabel
          value={isPlan ? "plan" : "tiles"}
          onChoose={(view) => setSearch({ group: picture.groupId, ...(view === "plan" ? { view } : {}) })}
          options={[
            { value: "tiles", label: t.plan.tiles },
            { value: "plan", label: t.plan.plan },
          ]}
        />
      )}
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
      {isPlan ? (
        <SitePlan rows={picture.rows} shown={shown} evses={all} boost={boosting.run} />
      ) : shown.length === 0 ? (
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
