/**
 * The real service with one group of so many charge points, all occupied, on a plan of its site; in virtual time, so that
 * what their meters say is the caller's to say, and when.
 */
import { join } from "node:path";
import { webPages } from "../../backend/http/webPages.ts";
import { iso, PASSWORD, startService, type Who } from "../../test/http/service.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist", "web");
const RATED_W = 22_080;
/** Bays side by side, degrees. */
const ROW = 40;
const BAY = { latitude: 0.00009, longitude: 0.00004 };

export type WebSite = Awaited<ReturnType<typeof startWebSite>>;

export async function startWebSite(points: number) {
  const service = await startService({ pages: webPages(DIST), checkAnswers: false });
  const staff = await service.staff("north");
  const backEnd = await service.key("north", "cpo");
  const post = async (path: string, as: Who, body: unknown) => {
    const { status, body: said } = await service.ask("POST", path, { as, body });
    if (status >= 300) throw new Error(`${path} answered ${status}: ${JSON.stringify(said)}`);
  };
  const evses = Array.from({ length: points }, (_, i) => ({
    ...{ id: `NL*OLI*E${`${i}`.padStart(4, "0")}`, maxPowerW: RATED_W, phases: 3 },
    coordinates: {
      latitude: 52 + BAY.latitude * Math.floor(i / ROW),
      longitude: 4 + BAY.longitude * (i % ROW),
    },
  }));
  const group = { id: "big-garage", supplyLimitW: points * 4_000, limitKind: "contract", feedInMicroEurPerKwh: "0" };
  await post("/cpo/sites", staff, {
    location: { id: "big-site", name: "Big", timeZone: "Europe/Amsterdam" },
    groups: [{ ...group, evses, pvs: [] }],
  });
  for (const [i, { id: evseId }] of evses.entries())
    await post("/machine/sessions", backEnd, {
      ...{ sessionId: `session-${i}`, evseId, driverId: null, at: iso(service.clock.now()), registerWh: 0 },
    });
  const registers = evses.map(() => 0);
  return {
    url: service.serving.url,
    operator: { email: "staff@north.example", password: PASSWORD },
    path: `/cockpit?group=${group.id}`,
    minute: () => service.pass(60),
    /** One report of the CPO's back end, of all its meters. */
    async tell(drawW: (i: number) => number): Promise<void> {
      const at = iso(service.clock.now());
      const readings = registers.map((registerWh, i) => {
        const powerW = drawW(i);
        registers[i] = registerWh + Math.round(powerW / 60);
        return { sessionId: `session-${i}`, at, registerWh: registers[i], powerW };
      });
      await post("/machine/meter-values", backEnd, { readings });
    },
    stop: () => service.close(),
  };
}
