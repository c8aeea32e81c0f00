/** What was: a group's slots, and its stays with what they came to, as JSON and as a table for a spreadsheet. */
import { z } from "zod";
import type { ChargingGroup } from "../domain/assets.ts";
import { SLOT_S, slotCeil, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { Stay } from "../usecases/stays.ts";
import * as out from "./answers.ts";
import { carbon } from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { ownGroup, ownGroups } from "./ownership.ts";
import { Problem } from "./problems.ts";
import { at, atOrNull, id, instant, instantText, money, moneyText, w, wh } from "./quantities.ts";
import { type Caller, type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

const DAY_S = 86_400;
const LONGEST_S = 92 * DAY_S;

export const history = z.object({
  slots: z
    .array(z.object({ at: instantText, importW: w, limitW: w, carsWh: wh, demandW: w, productionW: w }))
    .meta({ description: "Means of quarter-hours" }),
});
const stay = z.object({
  sessionNumber: z.int(),
  groupId: z.string(),
  evseId: z.string(),
  mode: out.session.shape.mode,
  pluggedAt: instantText,
  unpluggedAt: instantText.nullable(),
  stayS: z.int().meta({ description: "s; until now while it lasts" }),
  energyWh: wh.nullable().meta({ description: "Wh; null while it lasts" }),
  amountMicroEur: moneyText.nullable(),
  compensationMicroEur: moneyText.nullable(),
  flexWh: wh.nullable(),
  costMicroEur: moneyText
    .nullable()
    .meta({ description: "micro-euro; wholesale value of the energy as it was charged" }),
  atOnceMicroEur: moneyText
    .nullable()
    .meta({ description: "micro-euro; the same energy, had the car drawn it uncontrolled" }),
  carbonG: carbon.shape.meteredG.nullable().meta({ description: "g of CO2 equivalent, as on the receipt" }),
  atOnceCarbonG: carbon.shape.atOnceG.nullable(),
  promise: out.promise.shape.state.nullable(),
  promisedWh: wh.nullable(),
  missedBy: z
    .enum(["driver", "vehicle", "grid", "operator", "system"])
    .nullable()
    .meta({ description: "Whose part of the missing energy is the largest, when a promise was late or short" }),
});
export const stays = z.object({
  from: instantText,
  until: instantText,
  stays: z.array(stay).meta({ description: "Oldest first" }),
  totals: z.object({
    count: z.int(),
    running: z.int(),
    energyWh: wh,
    amountMicroEur: moneyText,
    compensationMicroEur: moneyText,
    flexWh: wh,
    costMicroEur: moneyText,
    atOnceMicroEur: moneyText,
    carbonG: z.int().nullable().meta({ description: "g, of the stays of which it is known; null where it is of none" }),
    atOnceCarbonG: z.int().nullable(),
    carbonOfWh: wh.meta({ description: "Wh of these stays" }),
    meanEnergyWh: wh.nullable(),
    meanStayS: z.int().nullable(),
    promised: z.int(),
    kept: z.int(),
    missedByUs: z.int().meta({ description: "Of the others, those missed by operator or system above all" }),
  }),
});
type StayOut = z.output<typeof stay>;

const span = z.strictObject({ from: instant.optional(), until: instant.optional() });
const filter = z.strictObject({ ...span.shape, groupId: id.optional(), evseId: id.optional() });

export function cpoHistory(deps: Deps): readonly Route[] {
  const { store, usecases } = deps;
  const tag = "CPO" as const;
  const readers = ["staff", "auditor"] as const;

  function spanOf({ from, until }: z.output<typeof span>, usualS: number): { from: EpochSecond; until: EpochSecond } {
    const end = until ?? usecases.now();
    const start = from ?? epochSecond(end - usualS);
    const fault = (detail: string) =>
      new Problem("invalid-request", detail, { faults: [{ pointer: "#/from", detail }] });
    if (start >= end) throw fault("`from` is not before `until`.");
    if (end - start > LONGEST_S) throw fault(`Ask for at most ${LONGEST_S / DAY_S} days at once.`);
    return { from: start, until: end };
  }

  async function groupsOf(caller: Caller, groupId: string | undefined): Promise<readonly ChargingGroup[]> {
    return groupId === undefined ? ownGroups(deps, caller) : [await ownGroup(deps, caller, groupId)];
  }

  function stayOut({ session, promise, billed }: Stay): StayOut {
    const bill = billed?.bill ?? null;
    const figures = billed?.figures ?? null;
    return {
      sessionNumber: session.number,
      groupId: session.groupId,
      evseId: session.evseId,
      mode: session.mode,
      pluggedAt: at(session.pluggedAt),
      unpluggedAt: atOrNull(session.unpluggedAt),
      stayS: (session.unpluggedAt ?? usecases.now()) - session.pluggedAt,
      energyWh: bill?.energyWh ?? null,
      amountMicroEur: bill && money(bill.amountMicroEur),
      compensationMicroEur: bill && money(bill.compensationMicroEur),
      flexWh: bill?.flexWh ?? null,
      costMicroEur: figures && money(figures.worths.metered),
      atOnceMicroEur: figures && money(figures.worths.atOnce),
      carbonG: figures?.emissions?.meteredG ?? null,
      atOnceCarbonG: figures?.emissions?.atOnceG ?? null,
      promise: promise?.state ?? null,
      promisedWh: promise?.energyWh ?? null,
      missedBy: figures?.missedBy ?? null,
    };
  }

  async function listed(caller: Caller, query: z.output<typeof filter>): Promise<z.output<typeof stays>> {
    const { from, until } = spanOf(query, 7 * DAY_S);
    const found: StayOut[] = [];
    for (const group of await groupsOf(caller, query.groupId))
      found.push(...(await usecases.stays(group.id, from, until, query.evseId)).map(stayOut));
    found.sort((a, b) =>
      a.pluggedAt < b.pluggedAt ? -1 : a.pluggedAt > b.pluggedAt ? 1 : a.sessionNumber - b.sessionNumber,
    );
    return { from: at(from), until: at(until), stays: found, totals: totalsOf(found) };
  }

  return [
    route({
      method: "get",
      path: "/cpo/groups/{groupId}/history",
      tag,
      summary: "Slots of a group: import, limit, cars, building, PV",
      description: "The last day, or from `from` until `until`.",
      who: readers,
      params: schemas.ofGroup,
      query: span,
      answers: { 200: { description: "Slots, oldest first", schema: history } },
      async handle({ caller, params, query }) {
        const { id: groupId } = await ownGroup(deps, caller, params.groupId);
        const { from, until } = spanOf(query, DAY_S);
        const slots = await store.meters.siteSlots(groupId, slotOf(from), slotOf(slotCeil(until)));
        return {
          status: 200,
          body: {
            slots: slots.map(({ slot, demandW, productionW, carsWh, limitW }) => ({
              at: at(slotStart(slot)),
              importW: Math.round(demandW - productionW + (carsWh * 3600) / SLOT_S),
              ...{ limitW, carsWh, demandW, productionW },
            })),
          },
        };
      },
    }),
    route({
      method: "get",
      path: "/cpo/stays",
      tag,
      summary: "Stays with what they came to, and their totals and means",
      description: "Of the last seven days, or from `from` until `until`; of one group or charge point if named.",
      who: readers,
      query: filter,
      answers: { 200: { description: "Stays", schema: stays } },
      handle: async ({ caller, query }) => ({ status: 200, body: await listed(caller, query) }),
    }),
    route({
      method: "get",
      path: "/cpo/stays.csv",
      tag,
      summary: "The same stays as comma-separated values",
      who: readers,
      query: filter,
      answers: { 200: { description: "One line per stay under a line of names", type: "text/csv" } },
      async handle({ caller, query }) {
        const { stays: rows } = await listed(caller, query);
        return { bytes: new TextEncoder().encode(csv(rows)), type: "text/csv; charset=utf-8" };
      },
    }),
  ];
}

function totalsOf(found: readonly StayOut[]): z.output<typeof stays>["totals"] {
  const ended = found.filter(({ energyWh }) => energyWh !== null);
  const sum = (of: (one: StayOut) => number | null) => ended.reduce((all, one) => all + (of(one) ?? 0), 0);
  const euros = (of: (one: StayOut) => string | null) =>
    money(ended.reduce((all, one) => all + BigInt(of(one) ?? 0), 0n));
  const mean = (whole: number) => (ended.length === 0 ? null : Math.round(whole / ended.length));
  const judged = ended.filter(({ promise }) => promise === "kept" || promise === "late" || promise === "short");
  const energyWh = sum((one) => one.energyWh);
  const counted = ended.filter(({ carbonG }) => carbonG !== null);
  const grams = (of: (one: StayOut) => number | null) =>
    counted.length === 0 ? null : counted.reduce((all, one) => all + (of(one) ?? 0), 0);
  return {
    count: found.length,
    running: found.length - ended.length,
    energyWh,
    amountMicroEur: euros((one) => one.amountMicroEur),
    compensationMicroEur: euros((one) => one.compensationMicroEur),
    flexWh: sum((one) => one.flexWh),
    costMicroEur: euros((one) => one.costMicroEur),
    atOnceMicroEur: euros((one) => one.atOnceMicroEur),
    carbonG: grams((one) => one.carbonG),
    atOnceCarbonG: grams((one) => one.atOnceCarbonG),
    carbonOfWh: counted.reduce((all, one) => all + (one.energyWh ?? 0), 0),
    meanEnergyWh: mean(energyWh),
    meanStayS: mean(sum((one) => one.stayS)),
    promised: judged.length,
    kept: judged.filter(({ promise }) => promise === "kept").length,
    missedByUs: judged.filter((one) => one.missedBy === "operator" || one.missedBy === "system").length,
  };
}

/** RFC 4180; a text that a spreadsheet would take for a formula is kept from being one. */
function csv(rows: readonly StayOut[]): string {
  const names = Object.keys(stay.shape) as (keyof StayOut)[];
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : `${value}`;
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))]
    .join("\r\n")
    .concat("\r\n");
}
