/** Where charging begins: what runs already, the code of a charge point, and those that are free now. */
import { type FormEvent, lazy, Suspense, useState } from "react";
import { Link, useLocation } from "wouter";
import { useLive, useLoaded } from "../api.ts";
import { Field } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Loading, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Live, Session } from "../types.ts";
import { evseOf, placeOf } from "./evse.ts";

const Scan = lazy(() => import("./Scan.tsx"));

export function Charge() {
  const { t } = useTexts();
  const sessions = useLoaded<{ sessions: Session[] }>("/driver/sessions?limit=10");
  return (
    <Page title={t.charge.title} narrow>
      {/* Mostly none runs: nothing keeps a place for what will not come. */}
      {sessions.kind !== "loading" && (
        <Show what={sessions}>
          {({ sessions: all }) => <Running sessions={all.filter((one) => one.unpluggedAt === null)} />}
        </Show>
      )}
      <Code />
      <Free />
    </Page>
  );
}

function Running({ sessions }: { readonly sessions: readonly Session[] }) {
  const { t, f } = useTexts();
  if (sessions.length === 0) return null;
  return (
    <section className="stack" aria-labelledby="running">
      <h2 id="running">{t.charge.running}</h2>
      {sessions.map(({ id, evseId, pluggedAt }) => (
        <Link key={id} className="card" href={`/charge/session/${id}`}>
          <span className="row spread">
            <strong>{evseId}</strong>
            <span className="chip good">{f.when(pluggedAt)}</span>
          </span>
        </Link>
      ))}
    </section>
  );
}

function Code() {
  const { t } = useTexts();
  const [, go] = useLocation();
  const [code, setCode] = useState("");
  const [scanning, setScanning] = useState(false);
  const enter = (text: string) => go(placeOf(evseOf(text)));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim() !== "") enter(code);
  };
  return (
    <form className="card" onSubmit={submit}>
      <p className="soft">{t.charge.plugFirst}</p>
      <Field
        label={t.charge.code}
        hint={t.charge.codeHint}
        value={code}
        autoCapitalize="characters"
        autoComplete="off"
        spellCheck={false}
        onChange={({ target }) => setCode(target.value)}
      />
      <div className="row">
        <button type="submit" className="first">
          {t.charge.go}
        </button>
        <button type="button" onClick={() => setScanning(true)}>
          {t.charge.scan}
        </button>
      </div>
      {scanning && (
        <Suspense fallback={<Loading />}>
          <Scan found={enter} close={() => setScanning(false)} />
        </Suspense>
      )}
    </form>
  );
}

function Free() {
  const { t, f } = useTexts();
  const live = useLive<Live>("/live/events", "live");
  return (
    <section className="stack" aria-labelledby="free">
      <h2 id="free">{t.charge.freeHere}</h2>
      <Show what={live}>
        {({ groups }) => {
          const free = groups
            .flatMap(({ rows }) => rows)
            .filter(({ sessionNumber, status }) => sessionNumber === null && status === "AVAILABLE");
          return free.length === 0 ? (
            <p className="soft">{t.charge.freeNone}</p>
          ) : (
            <ul className="grid">
              {free.map(({ evseId, ratedW }) => (
                <li key={evseId}>
                  <Link className="card" href={placeOf(evseId)}>
                    <strong>{evseId}</strong>
                    <span className="soft">
                      {t.charge.power} {f.kw(ratedW)}
                    </span>
                  </Link>
                </li>
              ))}
            </ul>
          );
        }}
      </Show>
    </section>
  );
}
