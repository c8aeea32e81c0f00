/** The operator's room: live, the grid and its orders, history, bills, settings. Auditors read all but the settings, of which they have their own. */
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch } from "wouter";
import { useMayWrite } from "../account.tsx";
import { useLoaded } from "../api.ts";
import { Frame, LooksCard, Page } from "../parts/Frame.tsx";
import { Loading, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group } from "../types.ts";
import { Bills } from "./Bills.tsx";
import { Grid } from "./Grid.tsx";
import { LivePage } from "./Live.tsx";
import { Past } from "./Past.tsx";

/** Seldom entered, and large: forms, all time zones. */
const Setup = lazy(() => import("./Setup.tsx").then((page) => ({ default: page.Setup })));

export default function Cockpit() {
  const { t } = useTexts();
  const mayWrite = useMayWrite();
  const groups = useLoaded<{ groups: Group[] }>("/cpo/groups");
  const doors = [
    { to: "/cockpit", label: t.nav.cockpit },
    { to: "/cockpit/grid", label: t.nav.grid },
    { to: "/cockpit/history", label: t.nav.history },
    { to: "/cockpit/bills", label: t.nav.bills },
    { to: "/cockpit/setup", label: t.nav.setup },
  ];
  if (groups.kind !== "here")
    return (
      <Frame doors={doors}>
        <Page title={t.cockpit.title}>
          <Show what={groups}>{() => null}</Show>
        </Page>
      </Frame>
    );
  const all = groups.data.groups;
  return (
    <Frame doors={doors}>
      <Switch>
        <Route path="/cockpit">{() => <LivePage groups={all} />}</Route>
        <Route path="/cockpit/grid">{() => <Grid groups={all} />}</Route>
        <Route path="/cockpit/history">{() => <Past groups={all} />}</Route>
        <Route path="/cockpit/bills" component={Bills} />
        <Route path="/cockpit/setup">
          {() =>
            mayWrite ? (
              <Suspense fallback={<Loading />}>
                <Setup groups={all} again={groups.again} />
              </Suspense>
            ) : (
              <Page title={t.nav.setup}>
                <LooksCard />
              </Page>
            )
          }
        </Route>
        <Route>
          <Redirect to="/cockpit" replace />
        </Route>
      </Switch>
    </Frame>
  );
}
