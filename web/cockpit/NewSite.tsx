/** From nothing to a working group: a place, a supply limit, charge points and PV. */
import { useState } from "react";
import { ask, useAction, useLoaded } from "../api.ts";
import { microEurOf } from "../euros.ts";
import { Choice, Field, submitting } from "../parts/Field.tsx";
import { Fault, Show } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Group, Sites } from "../types.ts";
import { membersOf, NO_POINTS, wattOf } from "./draft.ts";
import { atFields, MEMBER_FIELDS } from "./faults.ts";
import { PointsForm } from "./PointsForm.tsx";

type Props = { readonly groups: readonly Group[]; readonly created: (groupId: string) => void };

export function NewSite(props: Props) {
  const { t } = useTexts();
  const sites = useLoaded<Sites>("/cpo/sites");
  const [open, setOpen] = useState(props.groups.length === 0);
  return (
    <section className="card whole">
      <h2>{t.sites.title}</h2>
      <p className="soft">{t.sites.lead}</p>
      {open ? (
        <Show what={sites}>{(known) => <Form {...props} sites={known} />}</Show>
      ) : (
        <div className="row">
          <button type="button" onClick={() => setOpen(true)}>
            {t.sites.title}
          </button>
        </div>
      )}
    </section>
  );
}

const ZONES = Intl.supportedValuesOf("timeZone");
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const FIRST = {
  ...{ placeId: "", place: "", timeZone: HERE, latitude: "", longitude: "" },
  ...{ group: "", limitKw: "", limitKind: "contract" as Group["limitKind"], feedIn: "0", payee: "", price: "" },
  points: NO_POINTS,
};
type Draft = typeof FIRST;

/** Pointers of POST /cpo/sites, and the fields in which their values are typed. */
const FIELDS = [
  [/^location\/(id|name)$/, "place"],
  [/^location\/timeZone$/, "timeZone"],
  [/^location\/coordinates\/longitude$/, "longitude"],
  [/^location\/coordinates/, "latitude"],
  [/^groups\/0\/id$/, "group"],
  [/^groups\/0\/supplyLimitW$/, "limitKw"],
  [/^groups\/0\/feedInMicroEurPerKwh$/, "feedIn"],
  [/^tariff/, "price"],
  ...MEMBER_FIELDS,
] as const;
const SHOWN_AT_FIELDS = [
  ...["place", "timeZone", "latitude", "longitude", "group", "limitKw", "feedIn", "payee", "price"],
  ...["ids", "kw", "pvKw"],
];

function Form({ groups, created, sites }: Props & { readonly sites: Sites }) {
  const { t } = useTexts();
  const [draft, setDraft] = useState<Draft>({ ...FIRST, placeId: sites.locations[0]?.id ?? "" });
  const set = (part: Partial<Draft>) => setDraft({ ...draft, ...part });
  const { run, busy, problem } = useAction(async () => {
    await ask("POST", "/cpo/sites", siteOf(draft, sites));
    created(draft.group.trim());
  });
  const shown = atFields(problem, FIELDS);
  const isNew = draft.placeId === "";
  // The API leaves a group as it is that is there already: its limit would not be what is typed here.
  const isTaken = groups.some(({ id }) => id === draft.group.trim());
  const typed = (name: "place" | "latitude" | "longitude" | "group" | "limitKw" | "feedIn" | "payee" | "price") => ({
    ...{ value: draft[name], member: name, problem: shown },
    onChange: ({ target }: { readonly target: { readonly value: string } }) => set({ [name]: target.value }),
  });
  return (
    <form className="stack wide-gap" onSubmit={submitting(run)}>
      <div className="fields">
        {sites.locations.length > 0 && (
          <label>
            {t.sites.place}
            <select value={draft.placeId} onChange={({ target }) => set({ placeId: target.value })}>
              {sites.locations.map(({ id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
              <option value="">{t.sites.newPlace}</option>
            </select>
          </label>
        )}
        {isNew && (
          <>
            <Field label={t.sites.name} required maxLength={100} {...typed("place")} />
            <label>
              {t.sites.timeZone}
              <select value={draft.timeZone} onChange={({ target }) => set({ timeZone: target.value })}>
                {[...new Set([HERE, ...ZONES])].map((zone) => (
                  <option key={zone}>{zone}</option>
                ))}
              </select>
              <span className="hint">{t.sites.timeZoneHint}</span>
            </label>
            <Field label={t.sites.latitude} hint={t.sites.degreesHint} inputMode="decimal" {...typed("latitude")} />
            <Field label={t.sites.longitude} inputMode="decimal" {...typed("longitude")} />
          </>
        )}
      </div>
      <div className="fields">
        <Field label={t.sites.group} hint={t.sites.groupHint} required maxLength={100} {...typed("group")} />
        <Field label={t.sites.limit} type="number" min={1} step="any" required {...typed("limitKw")} />
        <Field label={t.sites.feedIn} hint={t.sites.feedInHint} inputMode="decimal" required {...typed("feedIn")} />
      </div>
      {isTaken && (
        <p className="fault" role="alert">
          {t.sites.groupTaken}
        </p>
      )}
      <Choice
        label={t.sites.limitKind}
        value={draft.limitKind}
        onChoose={(limitKind) => set({ limitKind })}
        options={[
          { value: "contract", label: t.sites.contract, hint: t.sites.contractHint },
          { value: "thermal", label: t.sites.thermal, hint: t.sites.thermalHint },
        ]}
      />
      <PointsForm draft={draft.points} problem={shown} change={(points) => set({ points })} />
      {sites.tariff === null && (
        <div className="fields">
          <Field label={t.sites.payee} hint={t.sites.payeeHint} required {...typed("payee")} />
          <Field label={t.sites.price} inputMode="decimal" required {...typed("price")} />
        </div>
      )}
      <Fault problem={shown} fields={SHOWN_AT_FIELDS} />
      <button type="submit" className="first" disabled={busy || isTaken}>
        {t.sites.create}
      </button>
    </form>
  );
}

/** Degrees as they are typed; what is none is left to the API to refuse. */
function coordinatesOf({ latitude, longitude }: Draft) {
  const degrees = (text: string) => (text.trim() === "" ? null : Number(text.trim().replace(",", ".")));
  if (latitude.trim() === "" && longitude.trim() === "") return null;
  return { latitude: degrees(latitude), longitude: degrees(longitude) };
}

/** What is no amount is left to the API to refuse. */
const microEur = (text: string) => microEurOf(text) ?? text;

function siteOf(draft: Draft, { cpo, tariff, locations }: Sites) {
  const known = locations.find(({ id }) => id === draft.placeId);
  const place = draft.place.trim();
  const id = draft.group.trim();
  return {
    location: known ?? { id: place, name: place, timeZone: draft.timeZone, coordinates: coordinatesOf(draft) },
    groups: [
      {
        id,
        supplyLimitW: wattOf(draft.limitKw),
        limitKind: draft.limitKind,
        feedInMicroEurPerKwh: microEur(draft.feedIn),
        ...membersOf(draft.points, id, 0),
      },
    ],
    ...(tariff === null
      ? { payee: draft.payee.trim(), tariff: { id: `${cpo.id}-tariff`, pricePerKwhMicroEur: microEur(draft.price) } }
      : {}),
  };
}
