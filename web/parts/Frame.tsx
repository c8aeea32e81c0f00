/** The bar above every page: where one is, who one is, language and appearance. */
import { type ReactNode, useEffect, useRef } from "react";
import { Link, useLocation } from "wouter";
import { useAccount } from "../account.tsx";
import { useTexts } from "../texts/index.tsx";
import { LANGUAGES, type Language } from "../texts/languages.ts";
import { THEMES, type Theme, useTheme } from "../theme.ts";
import { Offline } from "./states.tsx";

export type Door = { readonly to: string; readonly label: string };

export function Looks() {
  const { t, language, choose } = useTexts();
  const [theme, setTheme] = useTheme();
  return (
    <div className="row looks">
      <label>
        <span className="hidden">{t.look.language}</span>
        <select value={language} onChange={({ target }) => choose(target.value as Language)}>
          {Object.entries(LANGUAGES).map(([code, { name }]) => (
            <option key={code} value={code} lang={code}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span className="hidden">{t.look.theme}</span>
        <select value={theme} onChange={({ target }) => setTheme(target.value as Theme)}>
          {THEMES.map((one) => (
            <option key={one} value={one}>
              {t.look[one]}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** Among what one sets. */
export function LooksCard() {
  const { t } = useTexts();
  return (
    <section className="card">
      <h2>{t.look.language}</h2>
      <Looks />
    </section>
  );
}

export function Frame({ doors = [], children }: { readonly doors?: readonly Door[]; readonly children: ReactNode }) {
  const { t } = useTexts();
  const { account, signOut } = useAccount();
  const [here, go] = useLocation();
  return (
    <>
      <a className="skip" href="#content">
        {t.look.skip}
      </a>
      <header className="bar">
        <Link className="brand" href="/">
          <img src="/icon.svg" alt="" />
          Oli Move
        </Link>
        <nav aria-label={t.nav.main} className={doors.length > 0 ? "tabs" : ""}>
          {doors.map(({ to, label }) => (
            <Link
              key={to}
              href={to}
              aria-current={here === to || (to.length > 8 && here.startsWith(`${to}/`)) ? "page" : undefined}
            >
              {label}
            </Link>
          ))}
        </nav>
        <div className="tools">
          {account && (
            <button
              type="button"
              className="plain"
              onClick={() => void signOut().then(() => go("/"))}
              title={t.account.signedInAs(account.email)}
            >
              {t.nav.signOut}
            </button>
          )}
          {account === null && (
            <Link className="button" href="/sign-in">
              {t.nav.signIn}
            </Link>
          )}
        </div>
      </header>
      {children}
    </>
  );
}

let arrived = false;

/** A page: its title for the tab and for whoever listens, and the width that suits it. */
export function Page(props: {
  readonly title: string;
  readonly narrow?: boolean;
  readonly hideTitle?: boolean;
  readonly children: ReactNode;
}) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${props.title} · Oli Move`;
  }, [props.title]);
  useEffect(() => {
    // Whoever came by keyboard or listens goes on at the new page, not at its bar; the browser itself begins the first one.
    if (arrived) main.current?.focus();
    arrived = true;
  }, []);
  return (
    <main ref={main} id="content" className={props.narrow ? "narrow" : ""} tabIndex={-1}>
      <Offline />
      <h1 className={props.hideTitle ? "hidden" : ""}>{props.title}</h1>
      {props.children}
    </main>
  );
}
