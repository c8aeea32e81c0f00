/** In: with e-mail and password. A new driver registers with the same and a consent. */
import { useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { CONSENT } from "../backend/domain/consent.ts";
import { type Account, useAccount } from "./account.tsx";
import { type ApiProblem, ask, useAction } from "./api.ts";
import { Field, Password, submitting } from "./parts/Field.tsx";
import { Page } from "./parts/Frame.tsx";
import { Fault } from "./parts/states.tsx";
import { InEnglish } from "./parts/Words.tsx";
import { useTexts } from "./texts/index.tsx";

export const roomOf = ({ kind }: Account) =>
  ({ driver: "/charge", staff: "/cockpit", auditor: "/cockpit", arbiter: "/docs" })[kind];

/** Only within this site: an address from outside leads nowhere else. */
const nextOf = (search: URLSearchParams) => {
  const next = search.get("next");
  return next?.startsWith("/") && !next.startsWith("//") ? next : null;
};

function useEnter() {
  const { enter } = useAccount();
  const [, go] = useLocation();
  const [search] = useSearchParams();
  return (account: Account) => {
    enter(account);
    const to = nextOf(search) ?? roomOf(account);
    if (/^\/(audit|docs)/.test(to)) location.assign(to);
    else go(to, { replace: true });
  };
}

function Email(props: {
  readonly value: string;
  readonly problem: ApiProblem | null;
  readonly change: (email: string) => void;
}) {
  const { t } = useTexts();
  return (
    <Field
      label={t.account.email}
      type="email"
      autoComplete="username"
      required
      value={props.value}
      onChange={({ target }) => props.change(target.value)}
      member="email"
      problem={props.problem}
    />
  );
}

export function SignIn() {
  const { t } = useTexts();
  const enter = useEnter();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const { run, busy, problem } = useAction(async () =>
    enter(await ask<Account>("POST", "/account/sign-in", { email, password })),
  );
  return (
    <Page title={t.account.signIn} narrow>
      <form className="card" onSubmit={submitting(run)}>
        <Email value={email} problem={problem} change={setEmail} />
        <Password label={t.account.password} value={password} problem={problem} change={setPassword} />
        <Fault problem={problem} fields={["email", "password"]} />
        <button className="first wide" type="submit" disabled={busy}>
          {t.account.signIn}
        </button>
      </form>
      <p>
        {t.account.noneYet} <Link href={`/sign-up${location.search}`}>{t.account.signUp}</Link>
      </p>
    </Page>
  );
}

export function SignUp() {
  const { t } = useTexts();
  const enter = useEnter();
  const [who, setWho] = useState({ name: "", email: "", password: "", consent: false });
  const set = (part: Partial<typeof who>) => setWho({ ...who, ...part });
  const { run, busy, problem } = useAction(async () => enter(await ask<Account>("POST", "/account/sign-up", who)));
  return (
    <Page title={t.account.signUp} narrow>
      <form className="card" onSubmit={submitting(run)}>
        <Field
          label={t.account.name}
          autoComplete="name"
          required
          value={who.name}
          onChange={({ target }) => set({ name: target.value })}
          member="name"
          problem={problem}
        />
        <Email value={who.email} problem={problem} change={(email) => set({ email })} />
        <Password
          label={t.account.password}
          isNew
          value={who.password}
          problem={problem}
          change={(password) => set({ password })}
        />
        <label className="check">
          <input
            type="checkbox"
            required
            checked={who.consent}
            onChange={({ target }) => set({ consent: target.checked })}
          />
          <span>
            {t.account.consent} <InEnglish>{CONSENT}</InEnglish>
          </span>
        </label>
        <Fault problem={problem} fields={["name", "email", "password"]} />
        <button className="first wide" type="submit" disabled={busy}>
          {t.account.signUp}
        </button>
      </form>
      <p>
        {t.account.haveOne} <Link href={`/sign-in${location.search}`}>{t.account.signIn}</Link>
      </p>
    </Page>
  );
}
