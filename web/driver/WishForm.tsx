/** How much and until when: the fields of a wish, with what most people want one tap away. */
import { useId } from "react";
import type { ApiProblem } from "../api.ts";
import { Choice, Field } from "../parts/Field.tsx";
import { Words } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import { Vehicle } from "./Vehicle.tsx";
import { inSeconds, kmOf, needWhOf, tomorrowAt, type Wish } from "./wish.ts";

type Props = {
  readonly wish: Wish;
  readonly change: (part: Partial<Wish>) => void;
  readonly problem: ApiProblem | null;
};

const HOUR_S = 3600;
const STAYS_S = [1, 2, 4, 8].map((hours) => hours * HOUR_S);

export function WishForm({ wish, change, problem }: Props) {
  const { t, f } = useTexts();
  const needWh = needWhOf(wish);
  return (
    <>
      <Choice
        label={t.join.amount}
        value={wish.by}
        onChoose={(by) => change({ by })}
        options={[
          { value: "energy", label: t.join.byEnergy },
          { value: "soc", label: t.join.bySoc },
        ]}
      />
      {wish.by === "energy" ? <Energy {...{ wish, change, problem }} /> : <Battery {...{ wish, change, problem }} />}
      {needWh !== null && (
        <p className="soft">
          {f.kwh(needWh)}, {t.join.km(f.count(kmOf(needWh)))}
        </p>
      )}
      <Departure {...{ wish, change, problem }} />
      <Choice
        label={t.join.strategy}
        value={wish.strategy}
        onChoose={(strategy) => change({ strategy })}
        options={[
          { value: "cheapest", label: t.join.cheapest },
          { value: "fastest", label: t.join.fastest },
        ]}
      />
      <details>
        <summary>{t.join.advanced}</summary>
        <div className="stack">
          <label className="check">
            <input
              type="checkbox"
              checked={wish.cannotPause}
              onChange={({ target }) => change({ cannotPause: target.checked })}
            />
            {t.join.cannotPause}
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={wish.first !== null}
              onChange={({ target }) =>
                change({ first: target.checked ? { energyKwh: 5, by: inSeconds(new Date(), HOUR_S) } : null })
              }
            />
            {t.join.firstPart}
          </label>
          {wish.first && (
            <div className="grid">
              <Field
                label={`${t.join.firstAmount} (kWh)`}
                type="number"
                min={1}
                max={wish.energyKwh}
                step={1}
                value={wish.first.energyKwh}
                member="first/energyWh"
                problem={problem}
                onChange={({ target }) =>
                  wish.first && change({ first: { ...wish.first, energyKwh: target.valueAsNumber || 0 } })
                }
              />
              <Field
                label={t.join.firstBy}
                type="datetime-local"
                value={wish.first.by}
                member="first/by"
                problem={problem}
                onChange={({ target }) => wish.first && change({ first: { ...wish.first, by: target.value } })}
              />
            </div>
          )}
        </div>
      </details>
    </>
  );
}

function Energy({ wish, change, problem }: Props) {
  const { t, f } = useTexts();
  const id = useId();
  const fault = problem?.at("energyNeedWh");
  return (
    <div className="label">
      <label htmlFor={id}>
        <span className="hidden">{t.join.byEnergy}</span>
        <output className="big">{f.kwh(wish.energyKwh * 1000)}</output>
      </label>
      <input
        id={id}
        type="range"
        min={2}
        max={80}
        step={1}
        value={wish.energyKwh}
        aria-valuetext={f.kwh(wish.energyKwh * 1000)}
        onChange={({ target }) => change({ energyKwh: target.valueAsNumber })}
      />
      {problem && fault && (
        <span className="fault" role="alert">
          <Words type={problem.type} detail={fault} />
        </span>
      )}
    </div>
  );
}

function Battery({ wish, change, problem }: Props) {
  const { t } = useTexts();
  return (
    <>
      <Vehicle batteryWh={wish.batteryWh} change={(batteryWh) => change({ batteryWh })} />
      <div className="grid">
        <Field
          label={`${t.join.battery} (kWh)`}
          type="number"
          min={1}
          max={300}
          step={0.1}
          required
          value={wish.batteryWh === null ? "" : wish.batteryWh / 1000}
          member="soc/batteryWh"
          problem={problem}
          onChange={({ target }) =>
            change({ batteryWh: Number.isNaN(target.valueAsNumber) ? null : Math.round(target.valueAsNumber * 1000) })
          }
        />
        <Field
          label={`${t.join.from} (%)`}
          type="number"
          min={0}
          max={99}
          required
          value={wish.fromPercent}
          member="soc/fromPercent"
          problem={problem}
          onChange={({ target }) => change({ fromPercent: target.valueAsNumber || 0 })}
        />
        <Field
          label={`${t.join.to} (%)`}
          type="number"
          min={1}
          max={100}
          required
          value={wish.toPercent}
          member="soc/toPercent"
          problem={problem}
          onChange={({ target }) => change({ toPercent: target.valueAsNumber || 0 })}
        />
      </div>
    </>
  );
}

function Departure({ wish, change, problem }: Props) {
  const { t, f } = useTexts();
  const now = new Date();
  const chips = [
    ...STAYS_S.map((seconds) => ({ text: t.join.in(f.lasting(seconds)), at: inSeconds(now, seconds) })),
    { text: t.join.tomorrow, at: tomorrowAt(now, 7) },
  ];
  return (
    <fieldset className="stack">
      <legend className="label">{t.join.when}</legend>
      <div className="row">
        {chips.map(({ text, at }) => (
          <button
            key={text}
            type="button"
            aria-pressed={wish.departure === at}
            className={wish.departure === at ? "first" : ""}
            onClick={() => change({ departure: at })}
          >
            {text}
          </button>
        ))}
      </div>
      <Field
        label={t.join.departure}
        type="datetime-local"
        required={wish.strategy === "cheapest"}
        value={wish.departure}
        member="departsAt"
        problem={problem}
        onChange={({ target }) => change({ departure: target.value })}
      />
    </fieldset>
  );
}
