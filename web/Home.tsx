/** The front door: what this is, how the site does right now, and three ways in. */
import { Link, Redirect } from "wouter";
import type { z } from "zod";
import type { live } from "../backend/http/public.ts";
import { useAccount } from "./account.tsx";
import { useLive } from "./api.ts";
import { LimitChart } from "./parts/charts.tsx";
import { Page } from "./parts/Frame.tsx";
import { Show } from "./parts/states.tsx";
import { roomOf } from "./SignIn.tsx";
import { useTexts } from "./texts/index.tsx";

type Live = z.output<typeof live>;

export function Home() {
  const { t, f } = useTexts();
  const { account } = useAccount();
  const picture = useLive<Live>("/live/events", "live");
  if (account?.kind === "driver") return <Redirect to="/charge" replace />;
  if (account?.kind === "staff") return <Redirect to="/cockpit" replace />;
  return (
    <Page title={t.home.title}>
      <p className="soft lead">{t.home.lead}</p>
      <div className="grid doors">
        <Link className="card" href="/sign-up">
          <h2>{t.home.driver}</h2>
          <p className="soft">{t.home.driverLead}</p>
        </Link>
        <Link className="card" href="/sign-in?next=/cockpit">
          <h2>{t.home.operator}</h2>
          <p className="soft">{t.home.operatorLead}</p>
        </Link>
        <a className="card" href="/audit">
          <h2>{t.home.checker}</h2>
          <p className="soft">{t.home.checkerLead}</p>
        </a>
      </div>
      {account && <a href={roomOf(account)}>{account.email}</a>}
      <Show what={picture}>
        {({ groups, recorded }) => (
          <>
            {groups.map((group) => (
              <Site key={group.groupId} group={group} />
            ))}
            {groups.length > 0 && (
              <p className="soft small">
                {recorded ? t.home.recorded(f.days(recorded.from, recorded.until)) : t.home.madeUp}
              </p>
            )}
          </>
        )}
      </Show>
    </Page>
  );
}

function Site({ group }: { readonly group: Live["groups"][number] }) {
  const { t, f } = useTexts();
  const charging = group.rows.filter(({ limits }) => (limits?.measuredW ?? 0) > 0).length;
  const free = group.rows.filter(
    ({ sessionNumber, status }) => sessionNumber === null && status === "AVAILABLE",
  ).length;
  return (
    <section className="card" aria-label={t.home.now}>
      <div className="row spread">
        <h2>{t.home.now}</h2>
        <span className="row">
          <span className="chip good">{t.home.cars(charging)}</span>
          <span className="chip">{t.home.free(free)}</span>
        </span>
      </div>
      <p className="big">{t.home.uses(f.kw(group.importW), f.kw(group.limitW))}</p>
      <LimitChart label={t.home.site} points={group.history} />
    </section>
  );
}
