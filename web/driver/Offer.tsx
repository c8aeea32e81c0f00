/** What did not fit as wished: a smaller promise, a later one, or why there is none. The car charges in any case. */
import { useLocation } from "wouter";
import { ask, nameOf, useAction } from "../api.ts";
import { Ask } from "../parts/Ask.tsx";
import { Fault } from "../parts/states.tsx";
import { InEnglish, Words } from "../parts/Words.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Answer, EnergyPromise, Started } from "../types.ts";

export function Offer({ started, wishedWh }: { readonly started: Started; readonly wishedWh: number | null }) {
  const { t, f } = useTexts();
  const [, go] = useLocation();
  const { session, answer, problem } = started;
  const on = () => go(`/charge/session/${session.id}`);
  if (answer?.kind === "counter-offer")
    return <CounterOffer {...{ sessionId: session.id, answer, wishedWh, done: on }} />;
  return (
    <Ask
      title={answer?.kind === "full-power" || answer?.kind === "limited" ? t.join.plain : t.offer.refused}
      close={on}
    >
      {problem && (
        <p>
          <Words type={nameOf(problem.type)} detail={problem.detail} />
        </p>
      )}
      {answer?.kind === "limited" && <p>{t.offer.limited(f.kw(answer.limitW), f.time(answer.until))}</p>}
      {answer?.kind === "full-power" && <p>{t.offer.full}</p>}
      {answer?.kind === "not-possible" && <NotPossible answer={answer} />}
      {(answer === null || answer.kind === "not-possible") && <p className="soft">{t.offer.refusedLead}</p>}
      <button type="button" className="first wide" onClick={on}>
        {t.offer.ok}
      </button>
    </Ask>
  );
}

/** Why, how much is missing, what would go instead. */
export function NotPossible({ answer }: { readonly answer: Extract<Answer, { kind: "not-possible" }> }) {
  const { t, f } = useTexts();
  const { shortfallWh, energyWh, laterAt, detail } = answer;
  const words = [
    t.offer.missing(f.kwh(shortfallWh)),
    ...(energyWh > 0 ? [t.offer.kept, t.offer.fits(f.kwh(energyWh))] : []),
    ...(laterAt === null ? [] : [t.offer.laterAll(f.when(laterAt))]),
  ];
  return (
    <p>
      {words.join(" ")} <InEnglish>{detail}</InEnglish>
    </p>
  );
}

type Counter = Extract<Answer, { kind: "counter-offer" }>;

export function CounterOffer(props: {
  readonly sessionId: string;
  readonly answer: Counter;
  readonly wishedWh: number | null;
  readonly done: () => void;
}) {
  const { t, f } = useTexts();
  const { promise, laterAt, shortfallWh } = props.answer;
  const { run, busy, problem } = useAction(async (body: { accept: boolean; which?: "less" | "later" }) => {
    await ask<EnergyPromise>("POST", `/driver/sessions/${props.sessionId}/offer`, body);
    props.done();
  });
  return (
    <Ask title={t.offer.counter} close={props.done}>
      <p>{t.offer.counterLead(f.kwh(shortfallWh))}</p>
      {promise.energyWh > 0 && (
        <button
          type="button"
          className="first wide"
          disabled={busy}
          onClick={() => void run({ accept: true, which: "less" })}
        >
          {t.offer.less(f.kwh(promise.energyWh), f.when(promise.by))}
        </button>
      )}
      {laterAt !== null && (
        <button
          type="button"
          className="wide"
          disabled={busy}
          onClick={() => void run({ accept: true, which: "later" })}
        >
          {t.offer.later(f.kwh(props.wishedWh ?? promise.energyWh + shortfallWh), f.when(laterAt))}
        </button>
      )}
      <button type="button" className="wide plain" disabled={busy} onClick={() => void run({ accept: false })}>
        {t.offer.leave}
      </button>
      <Fault problem={problem} />
      {promise.expiresAt && <p className="soft small">{t.offer.expires(f.time(promise.expiresAt))}</p>}
    </Ask>
  );
}
