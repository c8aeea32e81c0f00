/** A session while it runs: how much is in, what happens now and next, the promise, and what can be changed. */
import { useEffect, useRef, useState } from "react";
import { Redirect } from "wouter";
import { ask, useAction, useLive, useLoaded } from "../api.ts";
import { Ask } from "../parts/Ask.tsx";
import { SessionChart } from "../parts/charts.tsx";
import { submitting } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Ring } from "../parts/Ring.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Answer, Preferences, SessionPicture } from "../types.ts";
import { CounterOffer, NotPossible } from "./Offer.tsx";
import { WishForm } from "./WishForm.tsx";
import { firstWish, localText, needWhOf, requestOf, type Wish } from "./wish.ts";

export function SessionPage({ id }: { readonly id: string }) {
  const { t } = useTexts();
  const picture = useLive<SessionPicture>(`/driver/sessions/${id}/events`, "session");
  return (
    <Page title={t.session.title} narrow hideTitle>
      <Show what={picture}>{(data) => <Running id={id} picture={data} />}</Show>
    </Page>
  );
}

function Running({ id, picture }: { readonly id: string; readonly picture: SessionPicture }) {
  const { session, live } = picture;
  useTold(picture);
  if (session.unpluggedAt !== null || !live) return <Redirect to={`/charge/receipt/${id}`} replace />;
  return (
    <>
      <Progress picture={picture} />
      <PromiseCard picture={picture} />
      <Power id={id} picture={picture} />
      <Actions id={id} picture={picture} />
    </>
  );
}

function Progress({ picture }: { readonly picture: SessionPicture }) {
  const { t, f } = useTexts();
  const { live, deliveredWh, promise, wish, session, soc } = picture;
  const goalWh = promise?.energyWh ?? wish?.energyNeedWh ?? null;
  const nowW = live?.limits.measuredW ?? 0;
  const next = live?.periods.find(({ from, limitW }) => limitW > 0 && Date.parse(from) > Date.now());
  const headline = nowW > 0 ? t.session.charging(f.kw(nowW)) : t.session.paused;
  return (
    <section className="card" aria-live="polite">
      <Ring
        part={goalWh ? deliveredWh / goalWh : nowW > 0 ? 1 : 0}
        label={`${f.kwh(deliveredWh)} ${t.session.delivered}`}
      >
        <span className="big">{f.kwh(deliveredWh)}</span>
        {goalWh !== null && <span className="soft">{t.session.of(f.kwh(goalWh))}</span>}
        <span className="soft small">{t.session.delivered}</span>
      </Ring>
      <div className="stack center">
        <p className="headline">{headline}</p>
        {live?.pause && (
          <p className="soft">
            {t.session.pauses[live.pause]} {next && t.session.resumes(f.when(next.from))}
          </p>
        )}
        {soc && (
          <p>
            {t.session.soc(f.percent(soc.percent / 100))}{" "}
            {soc.leastPercent < soc.mostPercent && (
              <span className="soft">{t.session.socRange(soc.leastPercent, f.percent(soc.mostPercent / 100))}</span>
            )}{" "}
            <span className="soft small">
              {soc.at === null ? t.session.socStated : t.session.socHeard(f.when(soc.at))}
            </span>
          </p>
        )}
        <p className="soft small">
          {session.evseId}
          {session.mode === "opted-out" && ` · ${t.session.optedOut}`}
        </p>
      </div>
    </section>
  );
}

function PromiseCard({ picture: { promise, live, session } }: { readonly picture: SessionPicture }) {
  const { t, f } = useTexts();
  if (!promise || promise.state === "withdrawn" || promise.state === "expired")
    return session.mode === "opted-out" ? null : <p className="soft">{t.session.noPromise}</p>;
  const isRisky = promise.state === "at-risk";
  const ready = live?.promiseReadyAt ?? null;
  const spareS = ready === null ? null : (Date.parse(promise.by) - Date.parse(ready)) / 1000;
  return (
    <section className="card" aria-labelledby="promise">
      <div className="row spread">
        <h2 id="promise">{t.session.promise}</h2>
        <span className={`chip ${isRisky ? "warn" : "good"}`}>{t.session.states[promise.state]}</span>
      </div>
      <p className="strong">{t.session.promised(f.kwh(promise.energyWh), f.when(promise.by))}</p>
      {ready !== null && (
        <p>
          {t.session.ready(f.when(ready))}
          {spareS !== null && spareS > 60 && <span className="soft"> · {t.session.margin(f.lasting(spareS))}</span>}
        </p>
      )}
      {isRisky && <p className="notice warn">{t.session.riskLead}</p>}
    </section>
  );
}

type Past = { readonly power: readonly { readonly at: string; readonly powerW: number }[] };

function Power({ id, picture }: { readonly id: string; readonly picture: SessionPicture }) {
  const { t } = useTexts();
  const past = useLoaded<Past>(`/driver/sessions/${id}/power`);
  const again = useRef<() => void>(() => undefined);
  again.current = past.again;
  useEffect(() => {
    const timer = setInterval(() => again.current(), 60_000);
    return () => clearInterval(timer);
  }, []);
  const now = Math.floor(Date.now() / 60_000) * 60;
  return (
    <section className="card">
      <h2>{t.session.chart}</h2>
      <Show what={past}>
        {({ power }) => (
          <SessionChart
            past={power}
            periods={picture.live?.periods ?? []}
            now={now}
            promiseBy={picture.promise?.by ?? null}
          />
        )}
      </Show>
    </section>
  );
}

function Actions({ id, picture }: { readonly id: string; readonly picture: SessionPicture }) {
  const { t, f } = useTexts();
  const [asked, setAsked] = useState<"change" | "stop" | null>(null);
  const path = `/driver/sessions/${id}`;
  const boost = picture.live?.boost ?? null;
  const boosting = useAction(async () => {
    await ask(boost ? "DELETE" : "POST", `${path}/boost`, boost ? undefined : {});
  });
  const stopping = useAction(async () => {
    await ask("POST", `${path}/stop`);
    // The station takes a moment: the live picture then says that it is over.
    await new Promise((resolve) => setTimeout(resolve, 8000));
  });
  return (
    <section className="card" aria-label={t.state.more}>
      {boost && <p className="notice good">{t.session.boosting(f.time(boost.until))}</p>}
      <button type="button" className="wide" onClick={() => setAsked("change")}>
        {t.session.change}
      </button>
      <button
        type="button"
        className="wide"
        disabled={boosting.busy}
        aria-describedby="boost-note"
        onClick={() => void boosting.run()}
      >
        {boost ? t.session.boostEnd : t.session.boost}
      </button>
      <p className="soft small" id="boost-note">
        {t.session.boostNote}
      </p>
      <Fault problem={boosting.problem} />
      <Tell />
      <button type="button" className="wide danger" onClick={() => setAsked("stop")}>
        {t.session.stop}
      </button>
      {asked === "stop" && (
        <Ask title={t.session.stop} close={() => setAsked(null)}>
          <p>{t.session.stopSure}</p>
          <Fault problem={stopping.problem} />
          <button
            type="button"
            className="first wide danger"
            disabled={stopping.busy}
            onClick={() => void stopping.run()}
          >
            {t.session.stopYes}
          </button>
          <button type="button" className="wide plain" onClick={() => setAsked(null)}>
            {t.state.cancel}
          </button>
        </Ask>
      )}
      {asked === "change" && <Change path={path} picture={picture} close={() => setAsked(null)} />}
    </section>
  );
}

/** The same form as at the start, filled with the present wish. */
function Change({
  path,
  picture,
  close,
}: {
  readonly path: string;
  readonly picture: SessionPicture;
  readonly close: () => void;
}) {
  const { t } = useTexts();
  const usual: Preferences = {
    optIn: true,
    energyNeedWh: picture.wish?.energyNeedWh ?? null,
    stayS: null,
    batteryWh: null,
    targetPercent: null,
    cannotPause: picture.live?.cannotPause ?? false,
  };
  const [wish, setWish] = useState<Wish>(() => ({
    ...firstWish(usual, new Date()),
    ...(picture.soc && { fromPercent: picture.soc.percent, toPercent: Math.max(80, picture.soc.percent) }),
    ...(picture.wish ? { departure: localText(new Date(picture.wish.departsAt)) } : {}),
  }));
  const [answer, setAnswer] = useState<Answer | null>(null);
  const { run, busy, problem } = useAction(async () => {
    const said = await ask<Answer>("PUT", `${path}/request`, requestOf(wish));
    if (said.kind === "accepted") close();
    else setAnswer(said);
  });
  if (answer?.kind === "counter-offer")
    return <CounterOffer sessionId={picture.session.id} answer={answer} wishedWh={needWhOf(wish)} done={close} />;
  return (
    <Ask title={t.session.change} close={close}>
      <form className="stack" onSubmit={submitting(run)}>
        <WishForm wish={wish} change={(part) => setWish({ ...wish, ...part })} problem={problem} />
        <Fault problem={problem} fields={["energyNeedWh", "departsAt"]} />
        {answer?.kind === "not-possible" && (
          <div className="notice warn" role="status">
            <NotPossible answer={answer} />
          </div>
        )}
        <button type="submit" className="first wide" disabled={busy}>
          {busy ? t.join.asking : t.state.save}
        </button>
        <button type="button" className="wide plain" onClick={close}>
          {t.state.cancel}
        </button>
      </form>
    </Ask>
  );
}

function Tell() {
  const { t } = useTexts();
  const [may, setMay] = useState(() => ("Notification" in window ? Notification.permission : "denied"));
  if (may === "denied") return null;
  if (may === "granted") return <p className="soft small">{t.session.notifyOn}</p>;
  return (
    <button type="button" className="wide" onClick={() => void Notification.requestPermission().then(setMay)}>
      {t.session.notify}
    </button>
  );
}

/** Tells by a notification when the promise is in or at risk; each change once. */
function useTold({ promise, deliveredWh }: SessionPicture) {
  const { t, f } = useTexts();
  const state = promise && deliveredWh >= promise.energyWh ? "done" : (promise?.state ?? null);
  const told = useRef(state);
  useEffect(() => {
    if (state === told.current) return;
    told.current = state;
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    if (state === "done") new Notification(t.session.done, { body: f.kwh(deliveredWh) });
    if (state === "at-risk") new Notification(t.session.risk, { body: t.session.riskLead });
  }, [state, t, f, deliveredWh]);
}
