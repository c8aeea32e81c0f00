/** Balance, FLEX and what can be taken out. */
import { useState } from "react";
import { type ApiProblem, ask, useAction, useLoaded } from "../api.ts";
import { microEurOf } from "../euros.ts";
import type { Format } from "../format.ts";
import { Field, PasswordAgain, submitting } from "../parts/Field.tsx";
import { Page } from "../parts/Frame.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { InEnglish } from "../parts/Words.tsx";
import type { Texts } from "../texts/en.ts";
import { useTexts } from "../texts/index.tsx";
import type { Balance, Flex, Withdrawal } from "../types.ts";

export function Money() {
  const { t, f } = useTexts();
  const balance = useLoaded<Balance>("/driver/balance");
  const flex = useLoaded<Flex>("/driver/flex");
  const withdrawal = useLoaded<Withdrawal>("/driver/withdrawal");
  const again = () => {
    for (const one of [balance, flex, withdrawal]) one.again();
  };
  return (
    <Page title={t.money.title} narrow>
      <Show what={balance}>
        {({ availableMicroEur, address }) => (
          <section className="card">
            <h2>{t.money.balance}</h2>
            <p className="big">{f.euro(availableMicroEur)}</p>
            <details className="small">
              <summary>{t.money.address}</summary>
              <p className="mono">{address}</p>
              <p className="soft">{t.money.addressLead}</p>
            </details>
          </section>
        )}
      </Show>
      <Show what={flex}>{(data) => <FlexCard flex={data} again={again} />}</Show>
      <Show what={withdrawal}>{(data) => <Withdraw standing={data} again={again} />}</Show>
    </Page>
  );
}

function FlexCard({ flex, again }: { readonly flex: Flex; readonly again: () => void }) {
  const { t, f } = useTexts();
  const [offer] = flex.offers;
  const [wh, setWh] = useState(flex.balanceWh);
  const [asked, setAsked] = useState(false);
  const { run, busy, problem } = useAction(async () => {
    await ask("POST", "/driver/flex/redemptions", { cpoId: offer?.cpoId, wh });
    setAsked(true);
    again();
  });
  const worth = offer ? (BigInt(offer.pricePerKwhMicroEur) * BigInt(Math.max(0, Math.trunc(wh) || 0))) / 1000n : 0n;
  return (
    <section className="card">
      <h2>{t.money.flex}</h2>
      <p className="big">{f.flex(flex.balanceWh)} FLEX</p>
      <p className="soft">{t.money.flexLead}</p>
      <p>
        {t.money.earned}: <strong>{f.flex(flex.earnedWh)}</strong>
      </p>
      {flex.balanceWh === 0 || !offer ? (
        <p className="soft">{t.money.none}</p>
      ) : (
        <form className="stack" onSubmit={submitting(run)}>
          <Field
            label="FLEX"
            type="number"
            min={0.001}
            max={flex.balanceWh / 1000}
            step={0.001}
            value={wh / 1000}
            hint={`${f.price(offer.pricePerKwhMicroEur)} · ${f.euroFine(worth)}`}
            member="wh"
            problem={problem}
            onChange={({ target }) => setWh(Math.round((target.valueAsNumber || 0) * 1000))}
          />
          <Fault problem={problem} fields={["wh"]} />
          <button className="first" type="submit" disabled={busy}>
            {t.money.redeem}
          </button>
        </form>
      )}
      {asked && (
        <p className="notice good" role="status">
          {t.money.redeemAsked}
        </p>
      )}
      {flex.balanceWh > 0 && <Claim again={again} />}
    </section>
  );
}

type Whither = { readonly to: string; readonly password: string };
const NOWHERE: Whither = { to: "", password: "" };

/** Out of the account to an address of the driver's own, which nobody can take back: with the password again. */
function OwnAddress(props: {
  readonly wish: Whither;
  readonly problem: ApiProblem | null;
  readonly change: (wish: Whither) => void;
}) {
  const { t } = useTexts();
  const { wish, problem, change } = props;
  return (
    <>
      <Field
        label={t.money.to}
        required
        spellCheck={false}
        placeholder="0x"
        value={wish.to}
        member="to"
        problem={problem}
        onChange={({ target }) => change({ ...wish, to: target.value })}
      />
      <PasswordAgain value={wish.password} problem={problem} change={(password) => change({ ...wish, password })} />
      <Fault problem={problem} fields={["to", "password"]} />
    </>
  );
}

/** All FLEX as tokens to a wallet of the driver's own. */
function Claim({ again }: { readonly again: () => void }) {
  const { t } = useTexts();
  const [wish, setWish] = useState(NOWHERE);
  const { run, busy, problem } = useAction(async () => {
    await ask("POST", "/driver/flex/claim", wish);
    setWish({ ...wish, password: "" });
    again();
  });
  return (
    <details>
      <summary>{t.money.takeFlex}</summary>
      <form className="stack" onSubmit={submitting(run)}>
        <OwnAddress {...{ wish, problem }} change={setWish} />
        <button type="submit" disabled={busy}>
          {t.money.takeFlex}
        </button>
      </form>
    </details>
  );
}

/** What comes next of a withdrawal. */
function nextOf({ underWay, readyAt }: Withdrawal, words: Texts["money"]["next"], f: Format): string {
  if (underWay) return underWay.refusedBecause ? words.refused : words.wait;
  if (readyAt === null) return words.announce;
  return Date.now() < Date.parse(readyAt) ? words.from(f.when(readyAt)) : words.now;
}

function Withdraw({ standing, again }: { readonly standing: Withdrawal; readonly again: () => void }) {
  const { t, f } = useTexts();
  const [amount, setAmount] = useState("");
  const [wish, setWish] = useState(NOWHERE);
  const announced = standing.announcedMicroEur !== "0";
  const announce = useAction(async () => {
    await ask("POST", "/driver/withdrawal/announcement", { amountMicroEur: microEurOf(amount) ?? amount });
    again();
  });
  const take = useAction(async () => {
    await ask("POST", "/driver/withdrawal", { amountMicroEur: standing.announcedMicroEur, ...wish });
    setWish({ ...wish, password: "" });
    again();
  });
  return (
    <section className="card">
      <h2>{t.money.withdraw}</h2>
      <p className="soft">{nextOf(standing, t.money.next, f)}</p>
      {standing.underWay && (
        <p className={`notice ${standing.underWay.refusedBecause ? "bad" : "good"}`} role="status">
          {standing.underWay.refusedBecause ? (
            <>
              {t.money.refusedBy}: <InEnglish>{standing.underWay.refusedBecause}</InEnglish>
            </>
          ) : (
            t.money.asked
          )}
        </p>
      )}
      <form className="stack" onSubmit={submitting(announce.run)}>
        <Field
          label={`${t.money.amount} (EUR)`}
          inputMode="decimal"
          required
          value={amount}
          member="amountMicroEur"
          problem={announce.problem}
          onChange={({ target }) => setAmount(target.value)}
        />
        <Fault problem={announce.problem} fields={["amountMicroEur"]} />
        <button type="submit" disabled={announce.busy}>
          {t.money.announce}
        </button>
      </form>
      {announced && (
        <form className="stack" onSubmit={submitting(take.run)}>
          <p>
            {t.money.announced(f.euro(standing.announcedMicroEur), standing.readyAt ? f.when(standing.readyAt) : "")}
          </p>
          <OwnAddress {...{ wish, problem: take.problem }} change={setWish} />
          <button type="submit" className="first" disabled={take.busy}>
            {t.money.take}
          </button>
        </form>
      )}
    </section>
  );
}
