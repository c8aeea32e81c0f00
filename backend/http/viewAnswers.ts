/** The pictures on the wire: a session for its driver, a group for its operator, and the part of it that is public. */

import { z } from "zod";
import { METHOD_NAMES } from "../domain/algorithms.ts";
import * as out from "./answers.ts";
import { at, atOrNull, instantText, money, moneyText, w, wh } from "./quantities.ts";
import {
  type GroupView,
  type Limits,
  PAUSES,
  type Pause,
  type PlanView,
  type RunningBoost,
  type SessionView,
} from "./views.ts";

type Out<S extends z.ZodType> = z.output<S>;

export const limits = z
  .object({
    desiredW: w.meta({ description: "W; what the latest plan wishes" }),
    pendingW: w.nullable().meta({ description: "W; sent, not answered by the station" }),
    appliedW: w.meta({ description: "W; confirmed by the station" }),
    measuredW: w,
  })
  .meta({ id: "Limits" });
const limitsOut = (of: Limits): Out<typeof limits> => ({ ...of });

export const sessionPicture = z
  .object({
    session: out.session,
    promise: out.promise.nullable(),
    wish: z.object({ energyNeedWh: wh, departsAt: instantText }).nullable(),
    admission: z
      .object({
        kind: z.enum(["accepted", "counter-offered", "refused", "opted-out"]),
        at: instantText,
        wishedWh: wh,
        offeredWh: wh,
        shortfallWh: wh,
        laterAt: instantText.nullable().meta({ description: "All of it by then: POST .../offer with which: later" }),
      })
      .nullable(),
    deliveredWh: wh,
    soc: z
      .object({
        percent: z.int(),
        leastPercent: z.int(),
        mostPercent: z.int().meta({ description: "The truth lies between: 5 to 20 % are lost behind the meter" }),
        source: z.enum(["vehicle", "stated"]).meta({ description: "Who said it last; the rest is the meter's since" }),
        at: instantText.nullable().meta({ description: "When the car said so; null where its driver did" }),
      })
      .nullable()
      .meta({ description: "State of charge; null where neither car nor driver said anything" }),
    live: z
      .object({
        limits,
        periods: z.array(z.object({ from: instantText, limitW: w })),
        readyAt: instantText.nullable(),
        pausedBecause: z.string().nullable().meta({ description: "`pause` in English words" }),
        pause: z.enum(PAUSES).nullable().meta({ description: "Why the car does not charge now" }),
        marginWh: wh.nullable().meta({ description: "Wh that could be guaranteed above the promise by its time" }),
        promiseReadyAt: instantText
          .nullable()
          .meta({ description: "When the promised energy will be in, by the latest plan" }),
        boost: z
          .object({ until: instantText, energyWh: wh.nullable(), limitW: w.meta({ description: "W; granted now" }) })
          .nullable()
          .meta({ description: "Full power asked for. A session that was ever boosted earns no FLEX" }),
        notBefore: instantText.nullable().meta({ description: "Planned start, while it lies ahead" }),
        cannotPause: z.boolean(),
      })
      .nullable(),
  })
  .meta({ id: "SessionPicture" });

const PAUSE_TEXTS: Record<Pause, string> = {
  done: "The wished energy is in the car.",
  unheard: "The meter has not been heard for a while.",
  unconfirmed: "The station has not confirmed its new limit yet.",
  "not-drawing": "The car does not draw although it may.",
  "not-yet": "The planned start has not come yet.",
  later: "Later power is cheaper, or others need theirs first.",
  "no-power": "There is no power left for this car now.",
};

export const sessionPictureOut = (view: SessionView): Out<typeof sessionPicture> => ({
  session: out.sessionOut(view.session),
  promise: view.promise && out.promiseOut(view.promise),
  wish: view.preferences && {
    energyNeedWh: view.preferences.energyNeedWh,
    departsAt: at(view.preferences.departsAt),
  },
  admission: view.admission && {
    kind: view.admission.kind,
    at: at(view.admission.at),
    wishedWh: view.admission.wishedWh,
    offeredWh: view.admission.offeredWh,
    shortfallWh: view.admission.shortfallWh,
    laterAt: atOrNull(view.admission.laterAt ?? null),
  },
  deliveredWh: view.deliveredWh,
  soc: view.soc && {
    percent: view.soc.percent,
    leastPercent: view.soc.least,
    mostPercent: view.soc.most,
    source: view.soc.source,
    at: atOrNull(view.soc.at),
  },
  live: view.live && {
    limits: limitsOut(view.live.limits),
    periods: view.live.periods.map((period) => ({ from: at(period.from), limitW: period.limitW })),
    readyAt: atOrNull(view.live.readyAt),
    pausedBecause: view.live.pause && PAUSE_TEXTS[view.live.pause],
    pause: view.live.pause,
    marginWh: view.live.marginWh,
    promiseReadyAt: atOrNull(view.live.promiseReadyAt),
    boost: view.live.boost && { ...view.live.boost, until: at(view.live.boost.until) },
    notBefore: atOrNull(view.live.notBefore),
    cannotPause: view.live.cannotPause,
  },
});

export const plan = z
  .object({
    id: z.string(),
    at: instantText,
    slot: z.int(),
    algorithm: z.enum(METHOD_NAMES),
    cause: z.enum(["slot", "event"]),
    gap: z.string().nullable().meta({ description: "Cost minus certified bound; 0: proven optimal; null: no claim" }),
    gapMicroEur: moneyText.nullable().meta({
      description:
        "The same in micro-euro, rounded up, with EUR 40 for each kWh of a promise and EUR 10 for each other kWh left out. Negative only for uncontrolled plans, which may exceed the limit",
    }),
    repairedIntervals: z.int().meta({ description: "Intervals that minimum power changed after the proof" }),
    solveMs: z.number(),
  })
  .meta({ id: "Plan" });
export const planOut = (of: PlanView): Out<typeof plan> => ({
  ...of,
  at: at(of.at),
  gap: of.gap === null ? null : of.gap.toString(),
  gapMicroEur: of.gapMicroEur === null ? null : money(of.gapMicroEur),
});

const row = {
  evseId: z.string(),
  status: z.string(),
  ratedW: w,
  limits: limits.nullable(),
  promiseState: out.promise.shape.state.nullable(),
  stale: z.boolean(),
  sessionNumber: z.int().nullable(),
};
/** Who asked for full power is the operator's to know. */
const boost = z.object({
  askedBy: z.enum(["driver", "cpo"]),
  askedAt: instantText,
  until: instantText,
  energyWh: wh.nullable().meta({ description: "Wh; the boost ends when they are in" }),
  limitW: w.meta({ description: "W; granted now" }),
});
const boostOut = (of: RunningBoost): Out<typeof boost> => ({
  askedBy: of.askedBy,
  askedAt: at(of.askedAt),
  until: at(of.until),
  energyWh: of.energyWh,
  limitW: of.limitW,
});
const common = {
  groupId: z.string(),
  at: instantText,
  supplyLimitW: w,
  limitW: w.meta({ description: "W; in force now" }),
  importW: w.meta({ description: "W; negative while the group feeds in" }),
  carsW: w,
  demandW: w,
  productionW: w,
  batteryW: w.nullable().meta({
    description: "W; of demandW while it charges, of productionW (then negative) while it feeds; null: none said",
  }),
  pricePerKwhMicroEur: moneyText.nullable().meta({ description: "Wholesale price now" }),
  plan: plan.nullable(),
  guardActions: z.int().meta({ description: "Times that the in-slot guard acted" }),
};

/** Without a driver's or a session's identity; the session's number stands on chain anyway. */
export const publicGroup = z
  .object({ ...common, rows: z.array(z.object(row)), incidents: z.array(out.incident.omit({ id: true })) })
  .meta({ id: "PublicGroup" });

export const groupPicture = z
  .object({
    ...common,
    rows: z.array(
      z.object({ ...row, sessionId: z.string().nullable(), promise: out.promise.nullable(), boost: boost.nullable() }),
    ),
    limits: z.array(out.groupLimit),
    incidents: z.array(out.incident),
    lastCycleAt: instantText.nullable(),
  })
  .meta({ id: "GroupPicture" });

const rowOut = (of: GroupView["rows"][number]) => ({
  evseId: of.evse.id,
  status: of.evse.status,
  ratedW: of.ratedW,
  limits: of.limits && limitsOut(of.limits),
  promiseState: of.promise?.state ?? null,
  stale: of.stale,
  sessionNumber: of.sessionNumber,
});
const commonOut = (view: GroupView) => ({
  groupId: view.group.id,
  at: at(view.at),
  supplyLimitW: view.group.supplyLimitW,
  limitW: view.limitW,
  importW: view.importW,
  carsW: view.carsW,
  demandW: view.demandW,
  productionW: view.productionW,
  batteryW: view.batteryW,
  pricePerKwhMicroEur: view.price === null ? null : money(view.price),
  plan: view.plan && planOut(view.plan),
  guardActions: view.guardActions,
});

export const groupPictureOut = (view: GroupView): Out<typeof groupPicture> => ({
  ...commonOut(view),
  rows: view.rows.map((of) => ({
    ...rowOut(of),
    sessionId: of.sessionId,
    promise: of.promise && out.promiseOut(of.promise),
    boost: of.boost && boostOut(of.boost),
  })),
  limits: view.limits.map(out.groupLimitOut),
  incidents: view.incidents.map(out.incidentOut),
  lastCycleAt: atOrNull(view.lastCycleAt),
});

export const publicGroupOut = (view: GroupView): Out<typeof publicGroup> => ({
  ...commonOut(view),
  rows: view.rows.map(rowOut),
  incidents: view.incidents.slice(-10).map(({ at: when, groupId, kind }) => ({
    at: at(when),
    groupId,
    kind,
    text: INCIDENTS[kind],
  })),
});

/** An incident's own text may name a session or a car: the public gets the kind's. */
const INCIDENTS: Record<GroupView["incidents"][number]["kind"], string> = {
  "solver-differs": "The second solver found another cost than the plan's.",
  fallback: "The optimiser was late or failed; the fallback made the plan.",
  "invalid-plan": "A plan broke a limit and was not sent.",
  "refused-profile": "A station refused a profile; its limit stayed as it was.",
  "silent-station": "A station did not answer.",
  "silent-site-meter": "The meter of building and PV was not heard.",
  "frozen-register": "A meter reports power, but its register stands still.",
  chain: "Chain and service disagreed.",
  "implausible-reading": "A reading could not be true and was left out.",
};
