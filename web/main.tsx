/** The application: whoever comes finds the way in; drivers and operators have their own rooms, loaded when they are entered. */
import "./look.css";
import "./theme.ts";
import { Component, lazy, type ReactNode, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { Link, Redirect, Route, Switch, useLocation } from "wouter";
import { type Account, SignedIn, useAccount } from "./account.tsx";
import { Home } from "./Home.tsx";
import { Frame, Page } from "./parts/Frame.tsx";
import { Failed, Loading, Offline } from "./parts/states.tsx";
import { SignIn, SignUp } from "./SignIn.tsx";
import { Spoken, useTexts } from "./texts/index.tsx";

const driver = () => import("./driver/Driver.tsx");
const cockpit = () => import("./cockpit/Cockpit.tsx");
const [Driver, Cockpit] = [lazy(driver), lazy(cockpit)];
// Whoever comes straight to a room mostly may enter it: it is fetched while the service says who comes. Should that fail, it is
// fetched again when the room is entered, where a failure shows.
for (const [path, room] of Object.entries({ "/charge": driver, "/cockpit": cockpit }))
  if (location.pathname.startsWith(path)) void room().catch(() => undefined);

function App() {
  return (
    <Switch>
      <Route path="/">
        <Frame>
          <Home />
        </Frame>
      </Route>
      <Route path="/sign-in">
        <Frame>
          <SignIn />
        </Frame>
      </Route>
      <Route path="/sign-up">
        <Frame>
          <SignUp />
        </Frame>
      </Route>
      <Route path="/charge/*?">
        <For kinds={["driver"]}>
          <Driver />
        </For>
      </Route>
      <Route path="/cockpit/*?">
        <For kinds={["staff", "auditor"]}>
          <Cockpit />
        </For>
      </Route>
      <Route>
        <Frame>
          <Lost />
        </Frame>
      </Route>
    </Switch>
  );
}

/** A room for some kinds of accounts; whoever is nobody signs in first and comes back. */
function For({ kinds, children }: { readonly kinds: readonly Account["kind"][]; readonly children: ReactNode }) {
  const { t } = useTexts();
  const { account, problem, again } = useAccount();
  const [here] = useLocation();
  const query = location.search;
  const waiting = (what: ReactNode) => (
    <Frame>
      <main id="content" tabIndex={-1}>
        <Offline />
        <h1 className="hidden">{t.state.loading}</h1>
        {what}
      </main>
    </Frame>
  );
  if (problem) return waiting(<Failed problem={problem} retry={again} />);
  if (account === undefined) return waiting(<Loading />);
  if (account === null) return <Redirect to={`/sign-in?next=${encodeURIComponent(here + query)}`} replace />;
  if (!kinds.includes(account.kind))
    return (
      <Frame>
        <Page title={t.account.wrongDoor} narrow>
          <p>{t.account.signedInAs(account.email)}</p>
          <Link href="/">{t.state.home}</Link>
        </Page>
      </Frame>
    );
  return <Suspense fallback={waiting(<Loading />)}>{children}</Suspense>;
}

function Lost() {
  const { t } = useTexts();
  return (
    <Page title={t.state.notFound} narrow>
      <Link href="/">{t.state.home}</Link>
    </Page>
  );
}

/** The last net: a fault in a page leaves a way on. */
class Net extends Component<
  { readonly words: (retry: () => void) => ReactNode; readonly children: ReactNode },
  { broken: boolean }
> {
  override state = { broken: false };
  static getDerivedStateFromError() {
    return { broken: true };
  }
  override render() {
    return this.state.broken ? this.props.words(() => location.reload()) : this.props.children;
  }
}

function Guarded({ children }: { readonly children: ReactNode }) {
  const { t } = useTexts();
  return (
    <Net
      words={(retry) => (
        <main className="narrow">
          <h1>{t.state.crashed}</h1>
          <button type="button" onClick={retry}>
            {t.state.reload}
          </button>
        </main>
      )}
    >
      {children}
    </Net>
  );
}

createRoot(document.getElementById("app") as HTMLElement).render(
  <StrictMode>
    <Spoken>
      <Guarded>
        <SignedIn>
          <App />
        </SignedIn>
      </Guarded>
    </Spoken>
  </StrictMode>,
);

// After the page itself: its own copy is for another day.
if ("serviceWorker" in navigator && import.meta.env.PROD)
  addEventListener("load", () => void navigator.serviceWorker.register("/service-worker.js"));
