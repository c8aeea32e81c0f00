/** For everybody: health, the API's description, and the live state of the demo site. */
import { z } from "zod";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { docsPage } from "./docsPage.ts";
import { livePage } from "./livePage.ts";
import { openApi } from "./openApi.ts";
import { at, instantText, moneyText, wh } from "./quantities.ts";
import { type Route, route } from "./route.ts";
import { publicGroup, publicGroupOut } from "./viewAnswers.ts";

const health = z
  .object({
    ok: z.boolean(),
    database: z.object({ ok: z.boolean(), kind: z.string() }),
    chain: z.object({ ok: z.boolean(), chainId: z.int().nullable(), block: z.int().nullable() }),
    outbox: z.object({
      open: z.int().meta({ description: "Records that the chain has not confirmed" }),
      oldestAgeS: z.int().nullable().meta({ description: "s; age of the oldest of them" }),
    }),
    incidents: z.record(z.string(), z.int()).meta({ description: "Of the last 24 h, by kind" }),
    groups: z.array(z.object({ id: z.string(), lastCycleAgeS: z.int().nullable() })),
  })
  .meta({ id: "Health" });

const bill = out.settlement
  .pick({ sessionNumber: true, settledAt: true, energyWh: true, flexWh: true, batch: true, detailHash: true })
  .extend({ amountMicroEur: moneyText, compensationMicroEur: moneyText })
  .meta({ id: "PublicBill" });
const live = z
  .object({
    at: instantText,
    groups: z.array(publicGroup),
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
    deliveredWh: wh.meta({ description: "Wh; of the bills shown" }),
  })
  .meta({ id: "Live" });

const SHOWN = 12;

export function publicRoutes(deps: Deps, all: () => readonly Route[]): readonly Route[] {
  const { usecases, store, chain } = deps;
  const tag = "Public" as const;
  const topics = deps.publicGroups.map((id) => `group:${id}`);

  /** The latest bills of the CPOs whose groups are public. */
  async function bills(): Promise<z.output<typeof bill>[]> {
    const groups = await Promise.all(deps.publicGroups.map((id) => store.sites.group(id)));
    const found = [];
    for (const cpoId of new Set(groups.flatMap((group) => (group ? [group.cpoId] : [])))) {
      found.push(...(await store.bills.waiting(cpoId)));
      const last = (await store.bills.batches(cpoId)).at(-1);
      if (last) found.push(...(await store.bills.ofBatch(cpoId, last.seq)));
    }
    return found
      .sort((a, b) => b.settledAt - a.settledAt || b.sessionNumber - a.sessionNumber)
      .slice(0, SHOWN)
      .map((one) => bill.parse(out.settlementOut(one)));
  }

  async function picture(): Promise<z.output<typeof live>> {
    const views = await Promise.all(deps.publicGroups.map((id) => usecases.groupView(id)));
    const shown = await bills();
    return {
      at: at(usecases.now()),
      groups: views.flatMap((view) => (view ? [publicGroupOut(view)] : [])),
      bills: shown,
      // The page is worth seeing while the chain is away, too.
      records: [...(await chain.latest(SHOWN).catch(() => []))],
      deliveredWh: shown.reduce((sum, one) => sum + one.energyWh, 0),
    };
  }

  const html = { 200: { description: "Page", type: "text/html" } };
  return [
    route({
      method: "get",
      path: "/",
      tag,
      summary: "Page with the live state of the demo site",
      who: [],
      answers: html,
      handle: async () => livePage(),
    }),
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
        const { ok, database, chain: seen, outbox, incidents, groups } = await usecases.health();
        const body = { ok, database, chain: seen, outbox, incidents, groups };
        return { status: ok ? 200 : 503, body };
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
