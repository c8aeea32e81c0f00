/** A group's supply limit, and what lowers it. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { Field, submitting } from "../parts/Field.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, GroupLimit } from "../types.ts";

export function Limits({ group }: { readonly group: Group }) {
  const { t, f } = useTexts();
  const path = `/cpo/groups/${encodeURIComponent(group.id)}/limits`;
  const limits = useLoaded<{ limits: GroupLimit[] }>(path);
  const [kw, setKw] = useState("");
  const { again } = limits;
  const lower = useAction(async () => {
    const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");
    await ask("POST", path, { kind: "operator", limitW: Math.round(Number(kw) * 1000), from: now, until: null });
    setKw("");
    again();
  });
  const lift = useAction(async () => {
    await ask("DELETE", path);
    again();
  });
  return (
    <section className="card">
      <h2>{t.setup.limits}</h2>
      <p>
        {t.cockpit.limit}: <strong>{f.kw(group.supplyLimitW)}</strong>{" "}
        <span className="soft">({t.setup.limitKinds[group.limitKind]})</span>
      </p>
      <Show what={limits}>
        {({ limits: all }) => (
          <ul className="stack">
            {all.map((one) => (
              <li key={`${one.kind} ${one.from} ${one.limitW}`}>
                {t.setup.kinds[one.kind]}: <strong>{f.kw(one.limitW)}</strong>{" "}
                <span className="soft">
                  {f.when(one.from)} {one.until === null ? "" : `– ${f.when(one.until)}`}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Show>
      <form className="stack" onSubmit={submitting(lower.run)}>
        <Field
          label={t.setup.lower}
          type="number"
          min={0}
          step={0.1}
          required
          value={kw}
          member="limitW"
          problem={lower.problem}
          onChange={({ target }) => setKw(target.value)}
        />
        <Fault problem={lower.problem} fields={["limitW"]} />
        <div className="row">
          <button type="submit" disabled={lower.busy}>
            {t.setup.set}
          </button>
          <button type="button" disabled={lift.busy} onClick={() => void lift.run()}>
            {t.setup.lift}
          </button>
        </div>
        <Fault problem={lift.problem} />
      </form>
    </section>
  );
}
