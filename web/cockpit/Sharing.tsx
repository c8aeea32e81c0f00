/** How a group's power is shared out. */
import { useState } from "react";
import { ask, useAction } from "../api.ts";
import { Field, submitting } from "../parts/Field.tsx";
import { Fault, Saved } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Algorithm, Group } from "../types.ts";

export function Sharing(props: {
  readonly group: Group;
  readonly algorithms: readonly Algorithm[];
  readonly again: () => void;
}) {
  const { t } = useTexts();
  const [name, setName] = useState(props.group.algorithm.name);
  const [parameters, setParameters] = useState<Record<string, number>>(props.group.algorithm.parameters);
  const [saved, setSaved] = useState(false);
  const chosen = props.algorithms.find((one) => one.name === name);
  const { run, busy, problem } = useAction(async () => {
    await ask("PUT", `/cpo/groups/${encodeURIComponent(props.group.id)}/algorithm`, { name, parameters });
    setSaved(true);
    props.again();
  });
  const change = (next: { name?: string; parameters?: Record<string, number> }) => {
    setSaved(false);
    if (next.name !== undefined) setName(next.name as Algorithm["name"]);
    setParameters(next.parameters ?? {});
  };
  return (
    <form className="card" onSubmit={submitting(run)}>
      <h2>{t.setup.method}</h2>
      <label>
        {t.setup.algorithm}
        <select value={name} onChange={({ target }) => change({ name: target.value })}>
          {props.algorithms.map((one) => (
            <option key={one.name} value={one.name}>
              {t.setup.methods[one.name]}
            </option>
          ))}
        </select>
      </label>
      {chosen && <p className="soft">{t.api?.algorithms[chosen.name] ?? chosen.about}</p>}
      {chosen && !chosen.withinLimit && <p className="notice warn">{t.setup.mayExceed}</p>}
      {chosen?.parameters.map((one) => (
        <Field
          key={one.name}
          label={`${t.setup.parameters[one.name] ?? one.name} (${t.api?.units[one.unit] ?? one.unit})`}
          hint={t.api?.parameters[one.name] ?? one.about}
          type="number"
          min={one.min}
          max={one.max}
          value={parameters[one.name] ?? one.default}
          member={`parameters/${one.name}`}
          problem={problem}
          onChange={({ target }) => change({ parameters: { ...parameters, [one.name]: target.valueAsNumber || 0 } })}
        />
      ))}
      <Fault problem={problem} />
      <button type="submit" className="first" disabled={busy}>
        {t.state.save}
      </button>
      {saved && <Saved />}
    </form>
  );
}
