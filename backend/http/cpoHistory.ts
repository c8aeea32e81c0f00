/** What was: a group's slots, and its stays with what they came to, as JSON and as a table for a spreadsheet. */
import { z } from "zod";
import type { ChargingGroup } from "../domain/assets.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { SLOT_S, slotCeil, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import * as out from "./answers.ts";
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
    meanEnergyWh: wh.nullable(),
    meanStayS: z.int().nullable(),
    promised: z.int(),
    kept: z.int(),
    missedByUs: z.int().meta({ description: "Of the others, those missed by operator or system above all" }),
  }),
});
type Stay = z.output<typeof stay>;

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

  async function stayOf(session: ChargingSession): Promise<Stay> {
    const bill = await store.bills.ofSession(session.id);
    const promise = await store.promises.ofSession(session.id);
    const worth = bill && usecases.worthsOf(bill);
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
      costMicroEur: worth && money(worth.metered),
      atOnceMicroEur: worth && money(worth.atOnce),
      promise: promise?.state ?? null,
      promisedWh: promise?.energyWh ?? null,
      missedBy: bill && usecases.missedBy(bill),
    };
  }

  async function listed(caller: Caller, query: z.output<typeof filter>): Promise<z.output<typeof stays>> {
    const { from, until } = spanOf(query, 7 * DAY_S);
    const found: Stay[] = [];
    for (const group of await groupsOf(caller, query.groupId))
      for (const session of await store.sessions.overlapping(group.id, from, until))
        if (query.evseId === undefined || session.evseId === query.evseId) found.push(await stayOf(session));
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

function totalsOf(found: readonly Stay[]): z.output<typeof stays>["totals"] {
  const ended = found.filter(({ energyWh }) => energyWh !== null);
  const sum = (of: (one: Stay) => number | null) => ended.reduce((all, one) => all + (of(one) ?? 0), 0);
  const euros = (of: (one: Stay) => string | null) => money(ended.reduce((all, one) => all + BigInt(of(one) ?? 0), 0n));
  const mean = (whole: number) => (ended.length === 0 ? null : Math.round(whole / ended.length));
  const judged = ended.filter(({ promise }) => promise === "kept" || promise === "late" || promise === "short");
  const energyWh = sum((one) => one.energyWh);
  return {
    count: found.length,
    running: found.length - ended.length,
    energyWh,
    amountMicroEur: euros((one) => one.amountMicroEur),
    compensationMicroEur: euros((one) => one.compensationMicroEur),
    flexWh: sum((one) => one.flexWh),
    costMicroEur: euros((one) => one.costMicroEur),
    atOnceMicroEur: euros((one) => one.atOnceMicroEur),
    meanEnergyWh: mean(energyWh),
    meanStayS: mean(sum((one) => one.stayS)),
    promised: judged.length,
    kept: judged.filter(({ promise }) => promise === "kept").length,
    missedByUs: judged.filter((one) => one.missedBy === "operator" || one.missedBy === "system").length,
  };
}

/** RFC 4180; a text that a spreadsheet would take for a formula is kept from being one. */
function csv(rows: readonly Stay[]): string {
  const names = Object.keys(stay.shape) as (keyof Stay)[];
  const cell = (value: string | number | null) => {
    const text = value === null ? "" : `${value}`;
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return [names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))]
    .join("\r\n")
    .concat("\r\n");
}
