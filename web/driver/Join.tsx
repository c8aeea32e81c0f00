/** A charge point: its state and price, whether to join, and the wish. */
import { useMemo, useState } from "react";
import { useLocation } from "wouter";
import { ask, useAction, useLoaded } from "../api.ts";
import { Choice, submitting } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Preferences, Scanned, Started } from "../types.ts";
import { Offer } from "./Offer.tsx";
import { WishForm } from "./WishForm.tsx";
import { firstWish, needWhOf, requestOf, type Wish } from "./wish.ts";

export function Join({ evseId }: { readonly evseId: string }) {
  const evse = useLoaded<Scanned>(`/driver/evses/${encodeURIComponent(evseId)}`);
  const preferences = useLoaded<Preferences>("/driver/preferences");
  return (
    <Page title={evseId} narrow>
      <Show what={evse}>
        {(place) => (
          <>
            <Place evse={place} />
            {place.free && <Show what={preferences}>{(usual) => <Ask evse={place} usual={usual} />}</Show>}
          </>
        )}
      </Show>
    </Page>
  );
}

function Place({ evse }: { readonly evse: Scanned }) {
  const { t, f } = useTexts();
  const works = evse.status !== "INOPERATIVE" && evse.status !== "OUTOFORDER";
  return (
    <section className="card">
      <dl className="facts">
        <div>
          <dt>{t.charge.price}</dt>
          <dd>{evse.pricePerKwhMicroEur === null ? t.charge.unknownPrice : f.price(evse.pricePerKwhMicroEur)}</dd>
        </div>
        <div>
          <dt>{t.charge.power}</dt>
          <dd>
            {f.kw(evse.maxPowerW)}, {t.charge.phases(evse.phases)}
          </dd>
        </div>
      </dl>
      {!evse.free && <p className="notice warn">{works ? t.charge.occupied : t.charge.broken}</p>}
    </section>
  );
}

function Ask({ evse, usual }: { readonly evse: Scanned; readonly usual: Preferences }) {
  const { t, f } = useTexts();
  const [, go] = useLocation();
  const [how, setHow] = useState<"smart" | "plain">(usual.optIn ? "smart" : "plain");
  const [wish, setWish] = useState<Wish>(() => firstWish(usual, new Date()));
  // The same tap twice is the same request.
  const requestId = useMemo(() => crypto.randomUUID(), []);
  const [started, setStarted] = useState<Started | null>(null);
  const { run, busy, problem } = useAction(async () => {
    const body = { evseId: evse.id, requestId, cannotPause: wish.cannotPause };
    const said = await ask<Started>(
      "POST",
      "/driver/sessions",
      how === "smart" ? { ...body, optIn: true, ...requestOf(wish) } : { ...body, optIn: false },
    );
    if (said.answer?.kind === "accepted") go(`/charge/session/${said.session.id}`);
    else setStarted(said);
  });
  const needWh = needWhOf(wish);
  return (
    <form className="card" onSubmit={submitting(run)}>
      <h2>{t.join.question}</h2>
      <p className="soft">{t.join.lead}</p>
      <Choice
        label={t.join.question}
        hideLabel
        value={how}
        onChoose={setHow}
        options={[
          { value: "smart", label: t.join.smart, hint: t.join.smartLead },
          { value: "plain", label: t.join.plain, hint: t.join.plainLead },
        ]}
      />
      {how === "smart" && <WishForm wish={wish} change={(part) => setWish({ ...wish, ...part })} problem={problem} />}
      {how === "smart" && needWh !== null && (
        <p className="notice good" role="status">
          {wish.departure === "" ? t.join.sumFast(f.kwh(needWh)) : t.join.sum(f.kwh(needWh), f.when(wish.departure))}
        </p>
      )}
      <Fault
        problem={problem}
        fields={["energyNeedWh", "departsAt", "soc/batteryWh", "soc/fromPercent", "soc/toPercent"]}
      />
      <button type="submit" className="first wide" disabled={busy}>
        {busy ? t.join.asking : t.join.start}
      </button>
      {started && <Offer started={started} wishedWh={needWh} />}
    </form>
  );
}
