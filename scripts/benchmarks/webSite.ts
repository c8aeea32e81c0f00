/**
 * The built pages over made-up answers: one operator with one group of so many charge points, all occupied. What the cockpit is
 * told is the caller's to say, so that the time until it stands on the screen can be measured.
 */
import { createServer } from "node:http";
import { join } from "node:path";
import express, { type Response } from "express";
import type { z } from "zod";
import type { account } from "../../backend/http/answers.ts";
import { webPages } from "../../backend/http/webPages.ts";
import { onEarth } from "../../web/cockpit/plan/plane.ts";
import type { Evse, Group, GroupPicture, History } from "../../web/types.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist", "web");
const AT = "2026-11-21T12:00:00Z";
const SUPPLY_W = 4_000_000;

export type WebSite = {
  readonly url: string;
  /** A new picture to every cockpit that looks on. */
  tell(picture: GroupPicture): void;
  stop(): void;
};

const STAFF = { kind: "staff", email: "operator@example.org" } as z.output<typeof account>;
const GROUP = { id: "big-garage", supplyLimitW: SUPPLY_W } as Group;
const HISTORY = { slots: [] } as unknown as History;

export async function startWebSite(first: GroupPicture): Promise<WebSite> {
  const looking = new Set<Response>();
  const write = (to: Response, picture: GroupPicture) => to.write(`event: group\ndata: ${JSON.stringify(picture)}\n\n`);
  const app = express();
  app.get("/account/here", (_, response) => void response.json({ account: STAFF }));
  app.get("/market", (_, response) => void response.json({ slots: [] }));
  app.get("/cpo/groups", (_, response) => void response.json({ groups: [GROUP] }));
  app.get("/cpo/groups/:id/history", (_, response) => void response.json(HISTORY));
  app.get("/cpo/groups/:id/evses", (_, response) => void response.json({ evses: first.rows.map(evseOf) }));
  app.get("/cpo/groups/:id/events", (_, response) => {
    response.set("content-type", "text/event-stream").flushHeaders();
    write(response, first);
    looking.add(response);
    response.on("close", () => looking.delete(response));
  });
  app.use(webPages(DIST));
  const server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    url: `http://127.0.0.1:${port}`,
    tell: (picture) => {
      for (const one of looking) write(one, picture);
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Forty to a row, 2.6 m from bay to bay and 8 m from row to row. */
function evseOf({ evseId, ratedW }: GroupPicture["rows"][number], i: number): Evse {
  const coordinates = onEarth({ x: (i % 40) * 2.6, y: Math.floor(i / 40) * 8 }, { latitude: 52.5, longitude: 4.5 });
  return {
    ...{ id: evseId, groupId: GROUP.id, maxPowerW: ratedW, phases: 3, status: "CHARGING" },
    ...{ coordinates, floorLevel: null, physicalReference: null },
  };
}

/** Each charge point has a car that draws `drawW(i)`. */
export function pictureOf(count: number, drawW: (i: number) => number): GroupPicture {
  const draws = Array.from({ length: count }, (_, i) => drawW(i));
  const carsW = draws.reduce((sum, one) => sum + one, 0);
  return {
    ...{ groupId: GROUP.id, at: AT, supplyLimitW: SUPPLY_W, limitW: SUPPLY_W, importW: carsW, carsW },
    ...{ demandW: 0, productionW: 0, batteryW: null, pricePerKwhMicroEur: "100000", plan: null, guardActions: 0 },
    ...{ limits: [], incidents: [], lastCycleAt: null },
    rows: draws.map((measuredW, i) => ({
      ...{ evseId: `NL*OLI*E${String(i).padStart(4, "0")}`, status: "CHARGING", ratedW: 22_080, stale: false },
      limits: { measuredW, appliedW: 11_040, confirmedW: 11_040, desiredW: 11_040 },
      ...{ promiseState: "on-track", sessionNumber: i + 1, sessionId: `session-${i}`, promise: null, boost: null },
    })),
  } as unknown as GroupPicture;
}
