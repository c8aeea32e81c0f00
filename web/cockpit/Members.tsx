/** What stands in a group, and more of it. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { submitting } from "../parts/Field.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { Table } from "../parts/Table.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Evse, Group, Pv, Sites } from "../types.ts";
import { idsOf, membersOf, NO_POINTS } from "./draft.ts";
import { atFields, MEMBER_FIELDS } from "./faults.ts";
import { PointsForm } from "./PointsForm.tsx";

export function Members({ group }: { readonly group: Group }) {
  const { t } = useTexts();
  const path = `/cpo/groups/${encodeURIComponent(group.id)}`;
  const evses = useLoaded<{ evses: Evse[] }>(`${path}/evses`);
  const pvs = useLoaded<{ pvs: Pv[] }>(`${path}/pvs`);
  const [added, setAdded] = useState(0);
  const again = () => {
    setAdded(added + 1);
    for (const one of [evses, pvs]) one.again();
  };
  return (
    <section className="card">
      <h2>{t.sites.members}</h2>
      <Show what={evses}>
        {({ evses: points }) => (
          <Show what={pvs}>
            {({ pvs: roofs }) => (
              <>
                <List points={points} roofs={roofs} />
                <details>
                  <summary>{t.sites.more}</summary>
                  <More key={added} group={group} points={points} roofs={roofs} again={again} />
                </details>
                {added > 0 && (
                  <p className="notice good" role="status">
                    {t.sites.added}
                  </p>
                )}
              </>
            )}
          </Show>
        )}
      </Show>
    </section>
  );
}

function List({ points, roofs }: { readonly points: readonly Evse[]; readonly roofs: readonly Pv[] }) {
  const { t, f } = useTexts();
  const [open, setOpen] = useState(false);
  const rows = [
    ...points.map(({ id, maxPowerW, phases, status }) => ({
      ...{ id, powerW: maxPowerW, phases: `${phases}` },
      state: t.cockpit.status[status as keyof typeof t.cockpit.status] ?? status,
    })),
    ...roofs.map(({ id, ratedPowerW }) => ({ id, powerW: ratedPowerW, phases: "–", state: t.sites.roof })),
  ];
  return (
    // A thousand rows are drawn only for who asks.
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {t.sites.pointsSum(points.length)}, {t.sites.pvSum(roofs.length)}
      </summary>
      {open && (
        <Table
          label={t.sites.members}
          rows={rows}
          keyOf={({ id }) => id}
          columns={[
            { name: t.cockpit.point, cell: ({ id }) => id },
            { name: t.cockpit.rated, isNumber: true, cell: ({ powerW }) => f.kw(powerW) },
            { name: t.sites.phases, isNumber: true, cell: ({ phases }) => phases },
            { name: t.cockpit.state, cell: ({ state }) => state },
          ]}
        />
      )}
    </details>
  );
}

function More(props: {
  readonly group: Group;
  readonly points: readonly Evse[];
  readonly roofs: readonly Pv[];
  readonly again: () => void;
}) {
  const { t } = useTexts();
  const { group } = props;
  const [draft, setDraft] = useState(NO_POINTS);
  const there = new Set(props.points.map(({ id }) => id));
  const known = idsOf(draft).filter((id) => there.has(id));
  const { run, busy, problem } = useAction(async () => {
    const { locations } = await ask<Sites>("GET", "/cpo/sites");
    const { id, supplyLimitW, limitKind, locationId } = group;
    await ask("POST", "/cpo/sites", {
      location: locations.find((one) => one.id === locationId),
      // What a group is stays as it is: only what is new in it counts.
      groups: [{ id, supplyLimitW, limitKind, feedInMicroEurPerKwh: "0", ...membersOf(draft, id, props.roofs.length) }],
    });
    props.again();
  });
  const shown = atFields(problem, MEMBER_FIELDS);
  const isNothing = idsOf(draft).length === known.length && draft.pvKw.trim() === "";
  return (
    <form className="stack wide-gap" onSubmit={submitting(run)}>
      <PointsForm draft={draft} problem={shown} change={setDraft} />
      {known.length > 0 && <p className="notice warn">{t.sites.known(known.slice(0, 5).join(", "))}</p>}
      <Fault problem={shown} fields={["ids", "kw", "pvKw"]} />
      <button type="submit" disabled={busy || isNothing}>
        {t.sites.add}
      </button>
    </form>
  );
}
