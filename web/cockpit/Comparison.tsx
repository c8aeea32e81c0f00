/** What moving the load was worth: the same energy as it was charged, and as cars without a plan would have drawn it. */
import { useTexts } from "../texts/index.tsx";
import type { StayList } from "../types.ts";

export function Comparison({ totals }: { readonly totals: StayList["totals"] }) {
  const { t, f } = useTexts();
  const [on, off] = [Number(totals.costMicroEur), Number(totals.atOnceMicroEur)];
  if (on === 0 && off === 0) return null;
  const saved = off - on;
  const most = Math.max(Math.abs(on), Math.abs(off));
  const bars = [
    [t.past.on, on],
    [t.past.off, off],
  ] as const;
  const part = off === 0 ? "–" : f.percent(Math.abs(saved / off));
  return (
    <section className="card" aria-labelledby="moved">
      <h2 id="moved">{t.past.moved}</h2>
      <p className="soft small">{t.past.movedLead}</p>
      {bars.map(([name, cost]) => (
        <div key={name}>
          <div className="row spread">
            <span>{name}</span>
            <strong className="number">{f.euro(`${cost}`)}</strong>
          </div>
          <div className="meter" aria-hidden="true">
            <i
              className={cost === off && cost !== on ? "may" : ""}
              style={{ width: `${(100 * Math.abs(cost)) / most}%` }}
            />
          </div>
        </div>
      ))}
      <p className="strong">
        {saved < 0 ? t.past.lostBy(f.euro(`${-saved}`), part) : t.past.savedBy(f.euro(`${saved}`), part)}
      </p>
    </section>
  );
}
