/** Sessions that have ended, newest first. */
import { Link } from "wouter";
import { useLoaded } from "../api.ts";
import { Page } from "../parts/Frame.tsx";
import { Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Session } from "../types.ts";

export function History() {
  const { t, f } = useTexts();
  const sessions = useLoaded<{ sessions: Session[] }>("/driver/sessions?limit=100");
  return (
    <Page title={t.history.title} narrow>
      <Show what={sessions}>
        {({ sessions: all }) => {
          const ended = all.filter(({ unpluggedAt }) => unpluggedAt !== null);
          if (ended.length === 0) return <p className="card quiet soft">{t.history.empty}</p>;
          return (
            <>
              <p className="soft">
                {t.history.total}: {f.kwh(ended.reduce((sum, { energyWh }) => sum + (energyWh ?? 0), 0))}
              </p>
              <ul className="stack">
                {ended.map(({ id, evseId, pluggedAt, energyWh }) => (
                  <li key={id}>
                    <Link className="card" href={`/charge/receipt/${id}`}>
                      <span className="row spread">
                        <span>
                          <strong>{f.day(pluggedAt)}</strong> <span className="soft">{f.time(pluggedAt)}</span>
                        </span>
                        <strong className="number">{f.kwh(energyWh ?? 0)}</strong>
                      </span>
                      <span className="soft small">{evseId}</span>
                    </Link>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Show>
    </Page>
  );
}
