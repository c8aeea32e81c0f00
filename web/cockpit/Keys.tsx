/** Keys with which machines report: made, shown once, revoked. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { Ask } from "../parts/Ask.tsx";
import { Field, submitting } from "../parts/Field.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { Table } from "../parts/Table.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, MachineKey } from "../types.ts";

type Made = { readonly token: string; readonly key: MachineKey };

export function Keys({ groups }: { readonly groups: readonly Group[] }) {
  const { t, f } = useTexts();
  const keys = useLoaded<{ keys: MachineKey[] }>("/cpo/keys");
  const [made, setMade] = useState<Made | null>(null);
  const [going, setGoing] = useState<MachineKey | null>(null);
  const { again } = keys;
  const revoking = useAction(async (key: MachineKey) => {
    await ask("DELETE", `/cpo/keys/${encodeURIComponent(key.id)}`);
    setGoing(null);
    setMade((last) => (last?.key.id === key.id ? null : last));
    again();
  });
  return (
    <section className="card whole" id="keys">
      <h2>{t.keys.title}</h2>
      <p className="soft">{t.keys.lead}</p>
      <Show what={keys}>
        {({ keys: all }) =>
          all.length === 0 ? (
            <p className="soft">{t.keys.none}</p>
          ) : (
            <Table
              label={t.keys.title}
              rows={all}
              keyOf={({ id }) => id}
              columns={[
                { name: t.keys.name, cell: ({ name }) => name },
                { name: t.keys.purpose, cell: ({ purpose }) => t.keys.purposes[purpose] },
                { name: t.keys.group, cell: ({ groupId, locationId }) => groupId ?? locationId ?? t.keys.allGroups },
                { name: t.keys.begins, cell: ({ prefix }) => <code>{prefix}…</code> },
                { name: t.keys.made, cell: ({ createdAt }) => f.date(createdAt) },
                {
                  name: t.keys.revoke,
                  cell: (key) => (
                    <button type="button" className="plain" onClick={() => setGoing(key)}>
                      {t.keys.revoke}
                      <span className="hidden"> {key.name}</span>
                    </button>
                  ),
                },
              ]}
            />
          )
        }
      </Show>
      {made && <Token made={made} groups={groups} />}
      <Make
        groups={groups}
        done={(fresh) => {
          setMade(fresh);
          again();
        }}
      />
      {going && (
        <Ask title={t.keys.revoke} close={() => setGoing(null)}>
          <p>{t.keys.revokeSure(going.name)}</p>
          <Fault problem={revoking.problem} />
          <div className="row">
            <button
              type="button"
              className="first danger"
              disabled={revoking.busy}
              onClick={() => void revoking.run(going)}
            >
              {t.keys.revoke}
            </button>
            <button type="button" onClick={() => setGoing(null)}>
              {t.state.cancel}
            </button>
          </div>
        </Ask>
      )}
    </section>
  );
}

function Make({ groups, done }: { readonly groups: readonly Group[]; readonly done: (made: Made) => void }) {
  const { t } = useTexts();
  const [name, setName] = useState("");
  const [purpose, setPurpose] = useState<"cpo" | "hems">("cpo");
  const [wanted, setWanted] = useState("");
  // An energy manager reports for one group.
  const groupId = purpose === "hems" && wanted === "" ? (groups[0]?.id ?? "") : wanted;
  const { run, busy, problem } = useAction(async () => {
    done(await ask<Made>("POST", "/cpo/keys", { name, purpose, groupId: groupId === "" ? null : groupId }));
    setName("");
  });
  return (
    <form className="stack wide-gap" onSubmit={submitting(run)}>
      <div className="fields">
        <Field
          label={t.keys.name}
          hint={t.keys.nameHint}
          required
          maxLength={100}
          value={name}
          member="name"
          problem={problem}
          onChange={({ target }) => setName(target.value)}
        />
        <label>
          {t.keys.purpose}
          <select value={purpose} onChange={({ target }) => setPurpose(target.value as typeof purpose)}>
            {(["cpo", "hems"] as const).map((one) => (
              <option key={one} value={one}>
                {t.keys.purposes[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t.keys.group}
          <select value={groupId} onChange={({ target }) => setWanted(target.value)}>
            {purpose === "cpo" && <option value="">{t.keys.allGroups}</option>}
            {groups.map(({ id }) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
      </div>
      <Fault problem={problem} fields={["name"]} />
      <button type="submit" disabled={busy}>
        {t.keys.make}
      </button>
    </form>
  );
}

/** Browsers lend the clipboard to pages of https and of this machine only. */
const mayCopy = "clipboard" in navigator;

/** The secret, once, and what a machine does with it. */
function Token({ made: { token, key }, groups }: { readonly made: Made; readonly groups: readonly Group[] }) {
  const { t } = useTexts();
  const [copied, setCopied] = useState("");
  const group = encodeURIComponent(key.groupId ?? groups[0]?.id ?? "");
  const calls =
    key.purpose === "hems"
      ? [`POST ${location.origin}/machine/groups/${group}/readings`]
      : [
          ...["POST /machine/sessions", "POST /machine/meter-values", "POST /machine/sessions/{sessionId}/stop"],
          ...["POST /machine/evses/{evseId}/status", "GET /machine/profiles"],
        ].map((line) => line.replace(" ", ` ${location.origin}`));
  return (
    <div className="notice good stack">
      <p role="status">
        <strong>{key.name}</strong>: {t.keys.once}
      </p>
      <div className="row">
        <code className="token">{token}</code>
        {mayCopy && (
          <button type="button" onClick={() => void navigator.clipboard.writeText(token).then(() => setCopied(token))}>
            {copied === token ? t.keys.copied : t.keys.copy}
          </button>
        )}
      </div>
      <p>{t.keys.use}</p>
      <code>Authorization: Bearer {token.slice(0, 12)}…</code>
      <p>{key.purpose === "hems" ? t.keys.useHems : t.keys.useCpo}</p>
      <ul className="mono">
        {calls.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p>
        <a href="/docs">{t.keys.docs}</a>
      </p>
    </div>
  );
}
