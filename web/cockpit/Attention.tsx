/** Devices that somebody should look at, by name: silent, out of order, or not obeying. */
import { useTexts } from "../texts/index.tsx";
import type { GroupPicture } from "../types.ts";
import { isFaulty } from "./Point.tsx";
import { Told } from "./Told.tsx";

const DISOBEYS = ["refused-profile", "silent-station"] as const;

export function Attention({ picture: { rows, incidents } }: { readonly picture: GroupPicture }) {
  const { t } = useTexts();
  const refused = incidents.filter(({ kind }) => DISOBEYS.some((one) => one === kind)).reverse();
  const faulty = rows.filter(isFaulty);
  return (
    <section className="card">
      <div className="row spread">
        <h2>{t.cockpit.attention}</h2>
        <span className={`chip ${faulty.length > 0 ? "bad" : ""}`}>{faulty.length}</span>
      </div>
      {faulty.length === 0 && refused.length === 0 ? (
        <p className="soft">{t.cockpit.attentionNone}</p>
      ) : (
        <ul className="stack">
          {faulty.map(({ evseId, stale, status }) => (
            <li key={evseId}>
              <strong>{evseId}</strong>{" "}
              {stale ? t.cockpit.silent : t.cockpit.status[status as keyof typeof t.cockpit.status]}
            </li>
          ))}
          {refused.slice(0, SHOWN).map((one) => (
            <Told key={one.id} incident={one} />
          ))}
        </ul>
      )}
    </section>
  );
}

const SHOWN = 5;
