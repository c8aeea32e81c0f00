/** Settings: of the chosen group, and of the operator; new sites and keys. */
import { Fragment, useState } from "react";
import { useLoaded } from "../api.ts";
import { LooksCard, Page } from "../parts/Frame.tsx";
import { Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Algorithm, Group } from "../types.ts";
import { Codes } from "./Codes.tsx";
import { GroupChoice, useGroup } from "./GroupChoice.tsx";
import { Keys } from "./Keys.tsx";
import { Limits } from "./Limits.tsx";
import { Members } from "./Members.tsx";
import { NewSite } from "./NewSite.tsx";
import { Price } from "./Price.tsx";
import { PlanEditor } from "./plan/PlanEditor.tsx";
import { Sharing } from "./Sharing.tsx";

export function Setup({ groups, again }: { readonly groups: readonly Group[]; readonly again: () => void }) {
  const { t } = useTexts();
  const [group, choose] = useGroup(groups);
  const [created, setCreated] = useState<string | null>(null);
  const algorithms = useLoaded<{ algorithms: Algorithm[] }>("/cpo/algorithms");
  const isEmpty = groups.length === 0;
  return (
    <Page title={t.nav.setup}>
      {!isEmpty && <GroupChoice groups={groups} group={group} choose={choose} />}
      {created !== null && (
        <p className="notice good" role="status">
          {t.sites.created(created)} <a href="#keys">{t.keys.title}</a>
        </p>
      )}
      <div className="grid wide">
        {group && (
          <Fragment key={group.id}>
            <Show what={algorithms}>
              {({ algorithms: all }) => <Sharing group={group} algorithms={all} again={again} />}
            </Show>
            <Limits group={group} />
            <Members group={group} />
            <Price />
            <PlanEditor group={group} />
          </Fragment>
        )}
        <NewSite
          key={`after ${created}`}
          groups={groups}
          created={(id) => {
            setCreated(id);
            choose(id);
            again();
          }}
        />
        {!isEmpty && <Keys groups={groups} />}
        {group && <Codes key={`codes of ${group.id}`} groupId={group.id} />}
        <LooksCard />
      </div>
    </Page>
  );
}
