/** Which group is looked at: part of the address, so that it can be sent to a colleague. */
import { Link, useSearchParams } from "wouter";
import { useMayWrite } from "../account.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group } from "../types.ts";

export function useGroup(groups: readonly Group[]): [Group | null, (id: string) => void] {
  const [search, setSearch] = useSearchParams();
  const wanted = search.get("group");
  const group = groups.find(({ id }) => id === wanted) ?? groups[0] ?? null;
  return [group, (id) => setSearch({ group: id })];
}

export function GroupChoice(props: {
  readonly groups: readonly Group[];
  readonly group: Group | null;
  readonly choose: (id: string) => void;
}) {
  const { t } = useTexts();
  const mayWrite = useMayWrite();
  if (props.groups.length === 0)
    return (
      <div className="card quiet">
        <p className="soft">{t.cockpit.noGroups}</p>
        {mayWrite && (
          <div className="row">
            <Link className="button first" href="/cockpit/setup">
              {t.sites.title}
            </Link>
          </div>
        )}
      </div>
    );
  if (props.groups.length === 1) return null;
  return (
    <label>
      {t.cockpit.group}
      <select value={props.group?.id ?? ""} onChange={({ target }) => props.choose(target.value)}>
        {props.groups.map(({ id }) => (
          <option key={id}>{id}</option>
        ))}
      </select>
    </label>
  );
}
