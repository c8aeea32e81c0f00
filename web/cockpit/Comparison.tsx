/** What moving the load was worth: the same energy as it was charged, and as cars without a plan would have drawn it. */
import { useTexts } from "../texts/index.tsx";
import type { StayList } from "../types.ts";

export function Comparison({ totals }: { readonly totals: StayList["totals"] }) {
  const { t, f } = useTexts();
  const { costMicroEur, atOnceMicroEur, carbonG, atOnceCarbonG, carbonOfWh, energyWh } = totals;
  if (totals.count === totals.running) return null;
  const euro = (amount: number) => f.euro(`${amount}`);
  return (
    <section className="card" aria-labelledby="moved">
      <h2 id="moved">{t.past.moved}</h2>
      <p className="soft small">{t.past.movedLead}</p>
      <Pair
        name={t.past.cost}
        on={Number(costMicroEur)}
        off={Number(atOnceMicroEur)}
        text={euro}
        words={t.past.money}
      />
      {carbonG !== null && atOnceCarbonG !== null && (
        <>
          <Pair name="CO₂" on={carbonG} off={atOnceCarbonG} text={f.carbon} words={t.past.carbon} />
          <p className="soft small">
            {t.past.carbonLead} {carbonOfWh < energyWh && t.past.carbonPart(f.kwh(carbonOfWh))}
          </p>
        </>
      )}
    </section>
  );
}

type Words = { less(amount: string, part: string): string; more(amount: string, part: string): string };

function Pair(props: {
  readonly name: string;
  readonly on: number;
  readonly off: number;
  text(amount: number): string;
  readonly words: Words;
}) {
  const { t, f } = useTexts();
  const { name, on, off, text, words } = props;
  const most = Math.max(Math.abs(on), Math.abs(off), 1);
  const part = off === 0 ? "–" : f.percent(Math.abs((off - on) / off));
  const bars = [
    { label: t.past.on, amount: on, look: "" },
    { label: t.past.off, amount: off, look: "may" },
  ];
  return (
    <div className="stack">
      <h3>{name}</h3>
      {bars.map(({ label, amount, look }) => (
        <div key={label}>
          <div className="row spread">
            <span>{label}</span>
            <strong className="number">{text(amount)}</strong>
          </div>
          <div className="meter" aria-hidden="true">
            <i className={look} style={{ width: `${(100 * Math.abs(amount)) / most}%` }} />
          </div>
        </div>
      ))}
      <p className="strong">{on > off ? words.more(text(on - off), part) : words.less(text(off - on), part)}</p>
    </div>
  );
}
