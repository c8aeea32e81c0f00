/** Charge points and PV to be: several at once, numbered or listed. */
import { useId } from "react";
import type { ApiProblem } from "../api.ts";
import { Choice, Field } from "../parts/Field.tsx";
import { Words } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import { idsOf, type PointsDraft } from "./draft.ts";

const SHOWN = 3;

export function PointsForm(props: {
  readonly draft: PointsDraft;
  readonly problem: ApiProblem | null;
  readonly change: (draft: PointsDraft) => void;
}) {
  const { t } = useTexts();
  const { draft, problem } = props;
  const listId = useId();
  const set = (part: Partial<PointsDraft>) => props.change({ ...draft, ...part });
  const ids = idsOf(draft);
  const shown = ids.length > SHOWN + 1 ? [...ids.slice(0, SHOWN), "…", ids.at(-1)] : ids;
  const fault = problem?.at("ids") ?? null;
  return (
    <fieldset className="stack wide-gap">
      <legend className="label">{t.sites.points}</legend>
      <Choice
        label={t.sites.points}
        hideLabel
        value={draft.how}
        onChoose={(how) => set({ how })}
        options={[
          { value: "numbered", label: t.sites.numbered },
          { value: "listed", label: t.sites.listed },
        ]}
      />
      {draft.how === "numbered" ? (
        <div className="fields">
          <Field label={t.sites.prefix} value={draft.prefix} onChange={({ target }) => set({ prefix: target.value })} />
          <Field
            label={t.sites.first}
            type="number"
            min={0}
            value={draft.first}
            onChange={({ target }) => set({ first: target.value })}
          />
          <Field
            label={t.sites.count}
            type="number"
            min={0}
            max={1000}
            value={draft.count}
            onChange={({ target }) => set({ count: target.value })}
          />
        </div>
      ) : (
        <div className="label">
          <label htmlFor={listId}>{t.sites.list}</label>
          <textarea id={listId} rows={4} value={draft.list} onChange={({ target }) => set({ list: target.value })} />
        </div>
      )}
      <p className="soft small" role="status">
        {ids.length === 0 ? t.sites.none : t.sites.become(shown.join(", "))}
      </p>
      {problem && fault && (
        <p className="fault" role="alert">
          <Words type={problem.type} detail={fault} />
        </p>
      )}
      <div className="fields">
        <Field
          label={t.sites.ratedKw}
          type="number"
          min={1}
          step="any"
          required={ids.length > 0}
          value={draft.kw}
          member="kw"
          problem={problem}
          onChange={({ target }) => set({ kw: target.value })}
        />
        <label>
          {t.sites.phases}
          <select
            value={draft.phases}
            onChange={({ target }) => set({ phases: target.value as PointsDraft["phases"] })}
          >
            {["1", "2", "3"].map((n) => (
              <option key={n}>{n}</option>
            ))}
          </select>
        </label>
        <Field
          label={t.sites.pv}
          hint={t.sites.pvHint}
          type="number"
          min={0}
          step="any"
          value={draft.pvKw}
          member="pvKw"
          problem={problem}
          onChange={({ target }) => set({ pvKw: target.value })}
        />
      </div>
    </fieldset>
  );
}
