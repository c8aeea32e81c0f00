/** The driver's room. */
import { lazy, Suspense } from "react";
import { Route, Switch } from "wouter";
import { Frame } from "../parts/Frame.tsx";
import { Loading } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import { Charge } from "./Charge.tsx";
import { History } from "./History.tsx";
import { Join } from "./Join.tsx";
import { Money } from "./Money.tsx";
import { Profile } from "./Profile.tsx";
import { SessionPage } from "./Session.tsx";

/** With the reading of receipts, which no other page needs. */
const Receipt = lazy(() => import("./Receipt.tsx").then((page) => ({ default: page.Receipt })));

export default function Driver() {
  const { t } = useTexts();
  const doors = [
    { to: "/charge", label: t.nav.charge },
    { to: "/charge/history", label: t.nav.history },
    { to: "/charge/money", label: t.nav.money },
    { to: "/charge/profile", label: t.nav.profile },
  ];
  return (
    <Frame doors={doors}>
      <Switch>
        <Route path="/charge" component={Charge} />
        <Route path="/charge/history" component={History} />
        <Route path="/charge/money" component={Money} />
        <Route path="/charge/profile" component={Profile} />
        <Route path="/charge/at/:evseId">{({ evseId }) => <Join evseId={decodeURIComponent(evseId)} />}</Route>
        <Route path="/charge/session/:id">{({ id }) => <SessionPage id={id} />}</Route>
        <Route path="/charge/receipt/:id">
          {({ id }) => (
            <Suspense fallback={<Loading />}>
              <Receipt id={id} />
            </Suspense>
          )}
        </Route>
      </Switch>
    </Frame>
  );
}
