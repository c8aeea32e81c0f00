/** In: with e-mail and password. A new driver registers with the same and a consent. */
import { type FormEvent, type ReactNode, useState } from "react";
import { Link, useLocation, useSearchParams } from "wouter";
import { CONSENT } from "../backend/domain/consent.ts";
import { type Account, useAccount } from "./account.tsx";
import { ask, useAction } from "./api.ts";
import { Field } from "./parts/Field.tsx";
import { Page } from "./parts/Frame.tsx";
import { Fault } from "./parts/states.tsx";
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

function Form({
  fields,
  submit,
  children,
}: {
  readonly fields: ReactNode;
  readonly submit: () => void;
  readonly children: ReactNode;
}) {
  const send = (event: FormEvent) => {
    event.preventDefault();
    submit();
  };
  return (
    <form className="card" onSubmit={send}>
      {fields}
      {children}
    </form>
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
      <Form
        submit={() => void run()}
        fields={
          <>
            <Field
              label={t.account.email}
              type="email"
              autoComplete="username"
              required
              value={email}
              onChange={({ target }) => setEmail(target.value)}
              member="email"
              problem={problem}
            />
            <Field
              label={t.account.password}
              type="password"
              autoComplete="current-password"
              required
              value={password}
              onChange={({ target }) => setPassword(target.value)}
              member="password"
              problem={problem}
            />
          </>
        }
      >
        <Fault problem={problem} fields={["email", "password"]} />
        <button className="first wide" type="submit" disabled={busy}>
          {t.account.signIn}
        </button>
      </Form>
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
      <Form
        submit={() => void run()}
        fields={
          <>
            <Field
              label={t.account.name}
              autoComplete="name"
              required
              value={who.name}
              onChange={({ target }) => set({ name: target.value })}
              member="name"
              problem={problem}
            />
            <Field
              label={t.account.email}
              type="email"
              autoComplete="username"
              required
              value={who.email}
              onChange={({ target }) => set({ email: target.value })}
              member="email"
              problem={problem}
            />
            <Field
              label={t.account.password}
              type="password"
              autoComplete="new-password"
              required
              minLength={10}
              hint={t.account.passwordHint}
              value={who.password}
              onChange={({ target }) => set({ password: target.value })}
              member="password"
              problem={problem}
            />
            <label className="check">
              <input
                type="checkbox"
                required
                checked={who.consent}
                onChange={({ target }) => set({ consent: target.checked })}
              />
              <span>
                {t.account.consent}{" "}
                <span className="soft" lang="en">
                  {CONSENT}
                </span>
              </span>
            </label>
          </>
        }
      >
        <Fault problem={problem} fields={["name", "email", "password"]} />
        <button className="first wide" type="submit" disabled={busy}>
          {t.account.signUp}
        </button>
      </Form>
      <p>
        {t.account.haveOne} <Link href={`/sign-in${location.search}`}>{t.account.signIn}</Link>
      </p>
    </Page>
  );
}
