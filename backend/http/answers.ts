/** What goes out: schemas of the answers, each beside the function that turns the domain's value into it. */
import { z } from "zod";
import type { Evse, Location, Place, PvAsset, Tariff } from "../domain/assets.ts";
import type { SentProfile } from "../domain/profiles.ts";
import { type EnergyPromise, firstOutcome } from "../domain/promises.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import {
  type Driver,
  type DriverPreferences,
  type GroupLimit,
  INCIDENT_KINDS,
  type Incident,
} from "../usecases/ports.ts";
import type { Account, MachineKey } from "./accountsPort.ts";
import { at, atOrNull, instantText, money, moneyText, w, wh } from "./quantities.ts";

type Out<S extends z.ZodType> = z.output<S>;

/* ---------------------------------------------------------------------------------------------- accounts */

export const account = z
  .object({
    email: z.string(),
    name: z.string(),
    kind: z.enum(["driver", "staff", "auditor", "arbiter"]),
    cpoId: z.string().nullable(),
    driverId: z.string().nullable(),
    address: z.string().nullable().meta({ description: "Wallet on chain, of drivers" }),
  })
  .meta({ id: "Account" });
export const accountOut = (who: Account, driver: Driver | null): Out<typeof account> => ({
  email: who.email,
  name: who.name,
  kind: who.kind,
  cpoId: who.cpoId,
  driverId: driver?.id ?? null,
  address: driver?.address ?? null,
});

export const machineKey = z
  .object({
    id: z.string(),
    prefix: z.string(),
    name: z.string(),
    purpose: z.enum(["cpo", "hems", "audit", "market"]),
    locationId: z.string().nullable(),
    groupId: z.string().nullable(),
    createdAt: instantText,
  })
  .meta({ id: "MachineKey" });
export const machineKeyOut = (key: MachineKey): Out<typeof machineKey> => ({
  id: key.id,
  prefix: key.prefix,
  name: key.name,
  purpose: key.purpose,
  locationId: key.locationId,
  groupId: key.groupId,
  createdAt: at(key.createdAt),
});

/* ---------------------------------------------------------------------------------------------- sessions */

export const session = z
  .object({
    id: z.string(),
    number: z.int().meta({ description: "Name of the session on chain" }),
    evseId: z.string(),
    groupId: z.string(),
    mode: z.enum(["smart", "best-effort", "opted-out"]),
    pluggedAt: instantText,
    unpluggedAt: instantText.nullable(),
    maxPowerW: w,
    energyWh: wh.nullable().meta({ description: "Wh; null while the session runs" }),
  })
  .meta({ id: "Session" });
export const sessionOut = (of: ChargingSession): Out<typeof session> => ({
  id: of.id,
  number: of.number,
  evseId: of.evseId,
  groupId: of.groupId,
  mode: of.mode,
  pluggedAt: at(of.pluggedAt),
  unpluggedAt: atOrNull(of.unpluggedAt),
  maxPowerW: of.maxPowerW,
  energyWh: of.endRegisterWh === null ? null : of.endRegisterWh - of.startRegisterWh,
});

const PROMISE_STATES = [
  ...["offered", "accepted", "on-track", "at-risk", "kept", "late", "short", "expired", "amended", "withdrawn"],
] as const;
export const promise = z
  .object({
    version: z.int(),
    energyWh: wh,
    by: instantText,
    state: z.enum(PROMISE_STATES),
    expiresAt: instantText.nullable().meta({ description: "While it is an offer" }),
    missingWh: wh.nullable(),
    first: z
      .object({
        energyWh: wh,
        by: instantText,
        missingWh: wh.nullable().meta({ description: "Wh; null before its time" }),
        outcome: z.enum(["kept", "late"]).nullable(),
      })
      .nullable()
      .meta({ description: "Minimum energy first: a part by an earlier time" }),
  })
  .meta({ id: "Promise" });
export const promiseOut = (of: EnergyPromise): Out<typeof promise> => ({
  version: of.version,
  energyWh: of.energyWh,
  by: at(of.by),
  state: of.state,
  expiresAt: of.state === "offered" ? at(of.expiresAt) : null,
  missingWh: of.missingWh,
  first: of.first
    ? { energyWh: of.first.wh, by: at(of.first.by), missingWh: of.first.missingWh, outcome: firstOutcome(of) }
    : null,
});

export const preferences = z
  .object({
    optIn: z.boolean(),
    energyNeedWh: wh.nullable(),
    stayS: z.int().nullable(),
    batteryWh: wh.nullable(),
    targetPercent: z.int().nullable(),
    cannotPause: z.boolean(),
  })
  .meta({ id: "Preferences" });
export const preferencesOut = (of: DriverPreferences | null): Out<typeof preferences> => ({
  optIn: of?.optIn ?? true,
  energyNeedWh: of?.energyNeedWh ?? null,
  stayS: of?.stayS ?? null,
  batteryWh: of?.batteryWh ?? null,
  targetPercent: of?.targetPercent ?? null,
  cannotPause: of?.cannotPause ?? false,
});

/* -------------------------------------------------------------------------------------------------- site */

export const coordinates = z
  .object({ latitude: z.number(), longitude: z.number() })
  .nullable()
  .meta({ description: "decimal degrees, WGS 84" });
export const place = z
  .object({ coordinates, floorLevel: z.string().nullable(), physicalReference: z.string().nullable() })
  .meta({ id: "Place" });
export const placeOut = (of: Place | undefined): Out<typeof place> => ({
  coordinates: of?.coordinates ?? null,
  floorLevel: of?.floorLevel ?? null,
  physicalReference: of?.physicalReference ?? null,
});

export const evse = z
  .object({
    id: z.string(),
    groupId: z.string(),
    maxPowerW: w,
    phases: z.int(),
    status: z.string().meta({ description: "OCPI status" }),
    ...place.shape,
  })
  .meta({ id: "Evse" });
export const evseOut = (of: Evse): Out<typeof evse> => ({
  id: of.id,
  groupId: of.groupId,
  maxPowerW: of.maxPowerW,
  phases: of.phases,
  status: of.status,
  ...placeOut(of.place),
});

export const pv = z.object({ id: z.string(), ratedPowerW: w }).meta({ id: "PvAsset" });
export const pvOut = (of: PvAsset): Out<typeof pv> => ({ id: of.id, ratedPowerW: of.ratedPowerW });

export const location = z
  .object({ id: z.string(), name: z.string(), timeZone: z.string(), coordinates })
  .meta({ id: "Location" });
export const locationOut = (of: Location): Out<typeof location> => ({
  id: of.id,
  name: of.name,
  timeZone: of.timeZone,
  coordinates: of.coordinates ?? null,
});

export const tariff = z
  .object({ id: z.string(), number: z.int(), pricePerKwhMicroEur: moneyText })
  .meta({ id: "Tariff" });
export const tariffOut = (of: Tariff): Out<typeof tariff> => ({
  id: of.id,
  number: of.number,
  pricePerKwhMicroEur: money(of.pricePerKwh),
});

export const groupLimit = z
  .object({
    kind: z.enum(["operator", "order", "capacity"]),
    limitW: w,
    from: instantText,
    until: instantText.nullable(),
  })
  .meta({ id: "GroupLimit" });
export const groupLimitOut = (of: GroupLimit): Out<typeof groupLimit> => ({
  kind: of.kind,
  limitW: of.limitW,
  from: at(of.from),
  until: atOrNull(of.until),
});

export const profile = z
  .object({
    id: z.string(),
    sessionId: z.string(),
    evseId: z.string(),
    reason: z.enum(["plan", "guard", "safe"]),
    state: z.enum(["sent", "applied", "refused", "timed-out"]),
    sentAt: instantText,
    periods: z
      .array(z.object({ from: instantText, limitW: w }))
      .meta({ description: "Contiguous; the last limit holds until another profile comes" }),
  })
  .meta({ id: "Profile" });
export const profileOut = (of: SentProfile): Out<typeof profile> => ({
  id: of.id,
  sessionId: of.sessionId,
  evseId: of.evseId,
  reason: of.reason,
  state: of.state,
  sentAt: at(of.sentAt),
  periods: of.profile.map((period) => ({ from: at(period.from), limitW: period.limitW })),
});

export const incident = z
  .object({
    id: z.string(),
    at: instantText,
    groupId: z.string().nullable(),
    kind: z.enum(INCIDENT_KINDS),
    text: z.string(),
  })
  .meta({ id: "Incident" });
export const incidentOut = (of: Incident): Out<typeof incident> => ({ ...of, at: at(of.at) });
