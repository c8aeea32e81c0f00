/** How a group's power is shared out, its own limit, and the price. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { microEurOf } from "../euros.ts";
import { Field, submitting } from "../parts/Field.tsx";
import { Looks, Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Algorithm, Group, GroupLimit, Tariff } from "../types.ts";
import { Codes } from "./Codes.tsx";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";

export function Setup({ groups, again }: { readonly groups: readonly Group[]; readonly again: () => void }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  const algorithms = useLoaded<{ algorithms: Algorithm[] }>("/cpo/algorithms");
  return (
    <Page title={t.nav.setup}>
      <GroupChoice groups={groups} group={group} choose={choose} />
      <div className="grid wide">
        {group && (
          <>
            <Show what={algorithms}>
              {({ algorithms: all }) => <Method key={group.id} group={group} algorithms={all} again={again} />}
            </Show>
            <Limits key={group.id} group={group} />
          </>
        )}
        <Price />
        <section className="card">
          <h2>{t.look.language}</h2>
          <Looks />
        </section>
        {group && <Codes key={group.id} groupId={group.id} />}
      </div>
    </Page>
  );
}

function Saved({ when }: { readonly when: boolean }) {
  const { t } = useTexts();
  return when ? (
    <p className="notice good" role="status">
      {t.state.saved}
    </p>
  ) : null;
}

function Method(props: {
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
      <Saved when={saved} />
    </form>
  );
}

function Limits({ group }: { readonly group: Group }) {
  const { t, f } = useTexts();
  const path = `/cpo/groups/${encodeURIComponent(group.id)}/limits`;
  const limits = useLoaded<{ limits: GroupLimit[] }>(path);
  const [kw, setKw] = useState("");
  const again = () => limits.kind === "here" && limits.again();
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

function Price() {
  const { t, f } = useTexts();
  const tariff = useLoaded<Tariff>("/cpo/tariff");
  const [price, setPrice] = useState("");
  const { run, busy, problem } = useAction(async () => {
    await ask("PUT", "/cpo/tariff", { pricePerKwhMicroEur: microEurOf(price) ?? price });
    setPrice("");
    if (tariff.kind === "here") tariff.again();
  });
  return (
    <section className="card">
      <h2>{t.setup.tariff}</h2>
      <Show what={tariff}>{(data) => <p className="big">{f.price(data.pricePerKwhMicroEur)}</p>}</Show>
      <form className="stack" onSubmit={submitting(run)}>
        <Field
          label={t.setup.newPrice}
          hint={t.setup.newPriceHint}
          inputMode="decimal"
          required
          value={price}
          member="pricePerKwhMicroEur"
          problem={problem}
          onChange={({ target }) => setPrice(target.value)}
        />
        <Fault problem={problem} fields={["pricePerKwhMicroEur"]} />
        <button type="submit" disabled={busy}>
          {t.state.save}
        </button>
      </form>
    </section>
  );
}
