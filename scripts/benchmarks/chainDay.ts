/** A day of 150 charge points, replayed with everything real, and how long its audit takes. */
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../../backend/compose.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { demoSite } from "../../backend/replay/demoSite.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import type { Scenario } from "../../backend/replay/scenario.ts";
import type { AuditReport } from "../../backend/usecases/audit.ts";
import { round } from "./figures.ts";

/** A Monday. */
const FROM = 1_777_852_800;
const DAY_S = 86_400;
const GARAGES = 10;
const EVSES = 15;

/** Ten garages like the simulated one, with a seed and a charge point more each. */
function tenGarages(): Scenario {
  const from = epochSecond(FROM);
  const sites = Array.from({ length: GARAGES }, (_, i) => {
    const site = demoSite(epochSecond(FROM - i * 7 * DAY_S));
    const [garage] = site.groups;
    const named = (id: string) => `${id}-${i + 1}`;
    const moved = <T extends number>(at: T) => (at + i * 7 * DAY_S) as T;
    const slots = <T>(series: ReadonlyMap<number, T>) =>
      new Map([...series].map(([slot, value]) => [slot + (i * 7 * DAY_S) / 900, value]));
    const { demand, production, evses, ...rest } = garage as (typeof site.groups)[number];
    return {
      prices: slots(site.prices),
      group: {
        ...rest,
        id: named(rest.id),
        evses: Array.from({ length: EVSES }, (_, n) => ({ ...evses[n % evses.length]!, id: named(`EVSE${n + 1}`) })),
        demand: demand && slots(demand),
        production: production && slots(production),
      },
      sessions: site.sessions.map((session) => ({
        ...session,
        id: named(session.id),
        driverId: named(session.driverId),
        evseId: named(`EVSE${evses.findIndex(({ id }) => id === session.evseId) + 1}`),
        plugIn: moved(session.plugIn),
        plugOut: moved(session.plugOut),
        departure: moved(session.departure),
      })),
    };
  });
  const to = epochSecond(FROM + DAY_S);
  return {
    ...demoSite(from),
    ...{ name: "ten-garages", about: "Ten simulated garages", from, to, prices: sites[0]!.prices },
    groups: sites.map(({ group }) => group),
    sessions: sites
      .flatMap(({ sessions }) => sessions)
      .filter(({ plugIn, plugOut }) => plugIn >= from && plugOut < to)
      .sort((a, b) => a.plugIn - b.plugIn || (a.id < b.id ? -1 : 1)),
  };
}

export async function verifyDay() {
  const system = await openSystem({ random: derivedRandom("chain benchmark") });
  try {
    const scenario = tenGarages();
    const began = performance.now();
    let seconds = 0;
    let cpuSeconds = 0;
    const audited: AuditReport[] = [];
    await replayScenario(system, {
      ...{ scenario, settings: DEFAULT_SETTINGS, version: "bench", totals: () => chainTotals(system) },
      audit: async () => {
        const [start, cpu] = [performance.now(), process.cpuUsage()];
        const report = await auditSystem(system, { market: DEFAULT_SETTINGS.market });
        seconds = (performance.now() - start) / 1000;
        const { user, system: kernel } = process.cpuUsage(cpu);
        cpuSeconds = (user + kernel) / 1e6;
        audited.push(report);
        return report;
      },
    });
    const { runsChecked: runs, plansChecked: plans, billsChecked: bills, differences } = audited[0] as AuditReport;
    const replaySeconds = round((performance.now() - began) / 1000 - seconds, 1);
    return {
      ...{ chargePoints: GARAGES * EVSES, sessions: scenario.sessions.length, runs, plans, bills },
      ...{
        seconds: round(seconds, 2),
        cpuSeconds: round(cpuSeconds, 2),
        differences: differences.length,
        replaySeconds,
      },
    };
  } finally {
    await system.close();
  }
}
