/** For everybody: health, the API's description, and the live state of the demo site. */
import { z } from "zod";
import { SLOT_S, SLOTS_PER_DAY, slotOf, slotStart } from "../domain/slots.ts";
import { epochSecond } from "../domain/units.ts";
import { billOut, bill as wholeBill } from "./billAnswers.ts";
import type { Deps } from "./deps.ts";
import { docsPage } from "./docsPage.ts";
import { latestBills } from "./latestBills.ts";
import { metricsText } from "./metrics.ts";
import { openApi } from "./openApi.ts";
import { at, instantText, moneyText, w } from "./quantities.ts";
import { type Route, route } from "./route.ts";
import { plan, planOut, publicGroup, publicGroupOut } from "./viewAnswers.ts";
import { planViewOf } from "./views.ts";

const health = z
  .object({
    ok: z.boolean(),
    database: z.object({ ok: z.boolean(), kind: z.string() }),
    chain: z.object({ ok: z.boolean(), chainId: z.int().nullable(), block: z.int().nullable() }),
    outbox: z.object({
      open: z.int().meta({ description: "Records that the chain has not confirmed" }),
      oldestAgeS: z.int().nullable().meta({ description: "s; age of the oldest of them" }),
    }),
    reconciliation: z
      .object({
        ageS: z.int().meta({ description: "s; since database and chain were compared" }),
        block: z.int(),
        differences: z.int().meta({ description: "Totals on which they differ; each is an incident" }),
      })
      .nullable(),
    incidents: z.record(z.string(), z.int()).meta({ description: "Of the last 24 h, by kind" }),
    groups: z.array(z.object({ id: z.string(), lastCycleAgeS: z.int().nullable() })),
  })
  .meta({ id: "Health" });

const bill = wholeBill
  .pick({ sessionNumber: true, settledAt: true, energyWh: true, flexWh: true, batch: true, detailHash: true })
  .extend({ amountMicroEur: moneyText, compensationMicroEur: moneyText })
  .meta({ id: "PublicBill" });
export const live = z
  .object({
    at: instantText,
    recorded: z.object({ from: instantText, until: instantText }).nullable().meta({
      description: "When cars, loads and prices of the demo site were recorded, to be moved to now; null: made up",
    }),
    groups: z.array(
      publicGroup.extend({
        history: z
          .array(z.object({ at: instantText, importW: w, limitW: w }))
          .meta({ description: "Means of the slots of the last 24 hours" }),
      }),
    ),
    plans: z.array(plan),
    bills: z.array(bill),
    records: z.array(
      z.object({
        key: z.string(),
        contract: z.string(),
        call: z.string(),
        block: z.int().nullable(),
        txHash: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: "Live" });

const SHOWN = 12;
/** All who watch see the same picture, made at most this often, ms. */
const SHARED_MS = 900;

export function publicRoutes(deps: Deps, all: () => readonly Route[]): readonly Route[] {
  const { usecases, store, chain } = deps;
  const tag = "Public" as const;
  const topics = deps.publicGroups.map((id) => `group:${id}`);

  const plans = latestPlans(deps);

  /** The latest bills of the CPOs whose groups are public. */
  async function bills(): Promise<z.output<typeof bill>[]> {
    const groups = await Promise.all(deps.publicGroups.map((id) => store.sites.group(id)));
    const cpoIds = new Set(groups.flatMap((group) => (group ? [group.cpoId] : [])));
    return (await latestBills(deps, cpoIds, SHOWN)).map((one) => bill.parse(billOut(one)));
  }

  async function history(groupId: string): Promise<{ at: string; importW: number; limitW: number }[]> {
    const slots = await store.meters.siteSlots(groupId, slotOf(usecases.now()) - SLOTS_PER_DAY);
    return slots.map(({ slot, demandW, productionW, carsWh, limitW }) => ({
      at: at(slotStart(slot)),
      importW: Math.round(demandW - productionW + (carsWh * 3600) / SLOT_S),
      limitW,
    }));
  }

  const picture = shared(SHARED_MS, async (): Promise<z.output<typeof live>> => {
    const groups = [];
    for (const id of deps.publicGroups) {
      const view = await usecases.groupView(id);
      if (view) groups.push({ ...publicGroupOut(view), history: await history(id) });
    }
    return {
      at: at(usecases.now()),
      recorded: deps.recorded ? { from: at(deps.recorded.from), until: at(deps.recorded.until) } : null,
      groups,
      plans: [...(await plans(groups.flatMap((group) => (group.plan ? [group.plan] : []))))],
      bills: await bills(),
      // The page is worth seeing while the chain is away, too.
      records: [...(await chain.latest(SHOWN).catch(() => []))],
    };
  });

  const html = { 200: { description: "Page", type: "text/html" } };
  return [
    route({
      method: "get",
      path: "/live",
      tag,
      summary: "Live state of the demo site",
      who: [],
      answers: { 200: { description: "What the page shows; nobody's identity in it", schema: live } },
      handle: async () => ({ status: 200, body: await picture() }),
    }),
    route({
      method: "get",
      path: "/live/events",
      tag,
      summary: "Live state of the demo site, live",
      description: "Server-sent events named `live`; the data is what GET /live answers.",
      who: [],
      answers: { 200: { description: "Event stream", type: "text/event-stream" } },
      handle: async () => ({ feed: { event: "live", topics, picture } }),
    }),
    route({
      method: "get",
      path: "/health",
      tag,
      summary: "Database, chain, oldest unsent record",
      who: [],
      answers: {
        200: { description: "Well", schema: health },
        503: { description: "Not well", schema: health },
      },
      async handle() {
        const { ok, database, chain: seen, outbox, reconciliation, incidents, groups } = await usecases.health();
        const body = { ok, database, chain: seen, outbox, reconciliation, incidents, groups };
        return { status: ok ? 200 : 503, body };
      },
    }),
    route({
      method: "get",
      path: "/metrics",
      tag,
      summary: "The same for Prometheus",
      who: [],
      answers: { 200: { description: "Gauges, exposition format 0.0.4", type: "text/plain" } },
      async handle() {
        const text = metricsText(await usecases.health());
        return { bytes: new TextEncoder().encode(text), type: "text/plain; version=0.0.4; charset=utf-8" };
      },
    }),
    route({
      method: "get",
      path: "/openapi.json",
      tag,
      summary: "This API as an OpenAPI 3.1 document",
      who: [],
      answers: { 200: { description: "OpenAPI document", schema: z.looseObject({ openapi: z.string() }) } },
      handle: async () => ({ status: 200, body: openApi(all(), deps.publicUrl) }),
    }),
    route({
      method: "get",
      path: "/docs",
      tag,
      summary: "This API to read",
      who: [],
      answers: html,
      handle: async () => docsPage(openApi(all(), deps.publicUrl)),
    }),
  ];
}

/** Answers what was made less than `forMs` ago again, also to those who ask while it is being made. */
function shared<T>(forMs: number, make: () => Promise<T>): () => Promise<T> {
  let latest: { readonly until: number; readonly made: Promise<T> } | null = null;
  return () => {
    if (latest && performance.now() < latest.until) return latest.made;
    const made = make();
    latest = { until: performance.now() + forMs, made };
    made.catch(() => {
      latest = null;
    });
    return made;
  };
}

type Plan = z.output<typeof plan>;

/** The plans that were seen, newest first; at the first look those of the last half hour. */
function latestPlans({ store, usecases, publicGroups }: Deps): (seen: readonly Plan[]) => Promise<readonly Plan[]> {
  const known = new Map<string, Plan>();
  let began = false;
  return async (seen) => {
    if (!began) {
      began = true;
      const since = epochSecond(usecases.now() - 1800);
      for (const one of await store.plans.page(since, "", 200))
        if (publicGroups.includes(one.groupId)) known.set(one.id, planOut(planViewOf(one)));
    }
    for (const one of seen) known.set(one.id, one);
    const newest = [...known.values()].sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, SHOWN);
    known.clear();
    for (const one of newest) known.set(one.id, one);
    return newest;
  };
}
