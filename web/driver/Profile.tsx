/** Who drives what, what holds when nothing is said, and the driver's rights. */
import { useState } from "react";
import { useLocation } from "wouter";
import { useAccount } from "../account.tsx";
import { ask, useAction, useLoaded } from "../api.ts";
import { Ask } from "../parts/Ask.tsx";
import { Field, PasswordAgain, submitting } from "../parts/Field.tsx";
import { LooksCard, Page } from "../parts/Frame.tsx";
import { Fault, Saved, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Preferences } from "../types.ts";
import { Vehicle } from "./Vehicle.tsx";

export function Profile() {
  const { t } = useTexts();
  const { account } = useAccount();
  const preferences = useLoaded<Preferences>("/driver/preferences");
  return (
    <Page title={t.profile.title} narrow>
      <p className="soft">{account && t.account.signedInAs(account.email)}</p>
      <Show what={preferences}>{(usual) => <Usual usual={usual} />}</Show>
      <LooksCard />
      <Rights />
    </Page>
  );
}

const whole = (value: number, times: number) => (Number.isNaN(value) ? null : Math.round(value * times));

function Usual({ usual }: { readonly usual: Preferences }) {
  const { t } = useTexts();
  const [wish, setWish] = useState(usual);
  const [saved, setSaved] = useState(false);
  const set = (part: Partial<Preferences>) => {
    setSaved(false);
    setWish({ ...wish, ...part });
  };
  const { run, busy, problem } = useAction(async () => {
    setWish(await ask<Preferences>("PUT", "/driver/preferences", wish));
    setSaved(true);
  });
  return (
    <form className="card" onSubmit={submitting(run)}>
      <h2>{t.profile.car}</h2>
      <Vehicle batteryWh={wish.batteryWh} change={(batteryWh) => set({ batteryWh })} />
      <Field
        label={`${t.profile.battery} (kWh)`}
        hint={t.profile.batteryHint}
        type="number"
        min={1}
        step={0.1}
        value={wish.batteryWh === null ? "" : wish.batteryWh / 1000}
        member="batteryWh"
        problem={problem}
        onChange={({ target }) => set({ batteryWh: whole(target.valueAsNumber, 1000) })}
      />
      <label className="check">
        <input
          type="checkbox"
          checked={wish.cannotPause}
          onChange={({ target }) => set({ cannotPause: target.checked })}
        />
        {t.profile.cannotPause}
      </label>
      <h2>{t.profile.defaults}</h2>
      <label className="check">
        <input type="checkbox" checked={wish.optIn} onChange={({ target }) => set({ optIn: target.checked })} />
        {t.profile.optIn}
      </label>
      <Field
        label={`${t.profile.need} (kWh)`}
        type="number"
        min={1}
        step={0.1}
        value={wish.energyNeedWh === null ? "" : wish.energyNeedWh / 1000}
        member="energyNeedWh"
        problem={problem}
        onChange={({ target }) => set({ energyNeedWh: whole(target.valueAsNumber, 1000) })}
      />
      <Field
        label={`${t.profile.target} (%)`}
        type="number"
        min={1}
        max={100}
        value={wish.targetPercent ?? ""}
        member="targetPercent"
        problem={problem}
        onChange={({ target }) => set({ targetPercent: whole(target.valueAsNumber, 1) })}
      />
      <Field
        label={`${t.profile.stay} (h)`}
        type="number"
        min={0.25}
        step={0.25}
        value={wish.stayS === null ? "" : wish.stayS / 3600}
        member="stayS"
        problem={problem}
        onChange={({ target }) => set({ stayS: whole(target.valueAsNumber, 3600) })}
      />
      <Fault problem={problem} fields={["batteryWh", "energyNeedWh", "targetPercent", "stayS"]} />
      <button type="submit" className="first" disabled={busy}>
        {t.state.save}
      </button>
      {saved && <Saved />}
    </form>
  );
}

function Rights() {
  const { t } = useTexts();
  const [asked, setAsked] = useState<"key" | "erase" | null>(null);
  const close = () => setAsked(null);
  return (
    <section className="card">
      <h2>{t.profile.data}</h2>
      <a className="button" href="/driver/data" download="oli-move-data.json">
        {t.profile.export}
      </a>
      <a className="button" href="/driver/bundle?limit=100" download="oli-move-proofs.json">
        {t.receipt.download}
      </a>
      <button type="button" onClick={() => setAsked("key")}>
        {t.profile.key}
      </button>
      <button type="button" className="danger" onClick={() => setAsked("erase")}>
        {t.profile.erase}
      </button>
      {asked === "key" && <Key close={close} />}
      {asked === "erase" && <Erase close={close} />}
    </section>
  );
}

function Key({ close }: { readonly close: () => void }) {
  const { t } = useTexts();
  const [password, setPassword] = useState("");
  const [understood, setUnderstood] = useState(false);
  const [shown, setShown] = useState<{ address: string; privateKey: string } | null>(null);
  const { run, busy, problem } = useAction(async () => {
    setShown(await ask("POST", "/driver/key/export", { password, understood }));
    setPassword("");
  });
  return (
    <Ask title={t.profile.key} close={close}>
      {shown ? (
        <p className="mono">{shown.privateKey}</p>
      ) : (
        <form className="stack" onSubmit={submitting(run)}>
          <p className="notice warn">{t.profile.keyLead}</p>
          <PasswordAgain value={password} problem={problem} change={setPassword} />
          <label className="check">
            <input
              type="checkbox"
              required
              checked={understood}
              onChange={({ target }) => setUnderstood(target.checked)}
            />
            {t.profile.keySure}
          </label>
          <Fault problem={problem} fields={["password"]} />
          <button type="submit" className="first" disabled={busy}>
            {t.profile.key}
          </button>
        </form>
      )}
      <button type="button" className="plain" onClick={close}>
        {t.state.close}
      </button>
    </Ask>
  );
}

function Erase({ close }: { readonly close: () => void }) {
  const { t } = useTexts();
  const { enter } = useAccount();
  const [, go] = useLocation();
  const [password, setPassword] = useState("");
  const [giveUp, setGiveUp] = useState(false);
  const { run, busy, problem } = useAction(async () => {
    await ask("POST", "/driver/erasure", { password, giveUp });
    enter(null);
    go("/");
  });
  return (
    <Ask title={t.profile.erase} close={close}>
      <form className="stack" onSubmit={submitting(run)}>
        <p className="notice warn">{t.profile.eraseLead}</p>
        <PasswordAgain value={password} problem={problem} change={setPassword} />
        <label className="check">
          <input type="checkbox" checked={giveUp} onChange={({ target }) => setGiveUp(target.checked)} />
          {t.profile.eraseGive}
        </label>
        <Fault problem={problem} fields={["password"]} />
        <button type="submit" className="danger" disabled={busy}>
          {t.profile.eraseYes}
        </button>
        <button type="button" className="plain" onClick={close}>
          {t.state.cancel}
        </button>
      </form>
    </Ask>
  );
}
