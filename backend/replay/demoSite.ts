/**
 * The simulated site of `npm start`: an office garage with PV whose sessions, prices and loads are made up from a seed.
 * The same scenario covers the day before, which is replayed, and the weeks to come, which are lived.
 */
import { slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { Scenario, ScenarioSession } from "./scenario.ts";

const EVSES = 12;
/** The last EVSEs stay free for visitors: whoever tries the API. */
const VISITORS = 2;
/** How long it is lived, its replayed past included. */
export const DAYS_AHEAD = 30;
const HOUR_S = 3600;
const DAY_S = 86_400;

export function demoSite(from: EpochSecond): Scenario {
  const random = mulberry32(Math.floor(from / DAY_S));
  const to = epochSecond(from + DAYS_AHEAD * DAY_S);
  const evses = Array.from({ length: EVSES + VISITORS }, (_, i) => ({
    id: `NL*OLI*EDEMO${String(i + 1).padStart(2, "0")}`,
    maxPowerW: i % 3 === 0 ? 22_080 : i % 3 === 1 ? 11_040 : 7360,
    phases: (i % 3 === 2 ? 1 : 3) as 1 | 3,
    coordinates: bayOf(i),
  }));
  const slots = Array.from({ length: (DAYS_AHEAD + 3) * 96 }, (_, k) => slotOf(from) - 96 + k);
  const production = new Map(slots.map((slot) => [slot, Math.round(30_000 * sun(slot) * (0.6 + 0.4 * random()))]));
  const demand = new Map(slots.map((slot) => [slot, Math.round(6000 + 14_000 * office(slot) + 2000 * random())]));
  const prices = new Map(slots.map((slot) => [slot, priceOf(slot, Math.floor(slot / 96))]));
  const sessions = evses.slice(0, EVSES).flatMap((evse, i) => sessionsOf(evse, i, from, to, random));
  return {
    name: "demo",
    about: "Simulated office garage",
    timeZone: "Europe/Amsterdam",
    from,
    to,
    driverPrice: 350_000,
    flexSharePercent: 50,
    sessions: sessions.sort((a, b) => a.plugIn - b.plugIn || (a.id < b.id ? -1 : 1)),
    prices,
    carbon: new Map(slots.map((slot) => [slot, gramsOf(slot)])),
    events: [],
    groups: [{ id: "demo-garage", supplyLimitW: 60_000, evses, demand, production }],
  };
}

/** Two rows of bays, 2.6 m from bay to bay and 11 m from row to row, in a garage that is made up. */
const BAYS_PER_ROW = 7;
function bayOf(i: number) {
  const [eastM, northM] = [(i % BAYS_PER_ROW) * 2.6, -Math.floor(i / BAYS_PER_ROW) * 11];
  // 111,280 m and 67,910 m to a degree at this latitude.
  return { latitude: 52.5 + northM / 111_280, longitude: 4.5 + eastM / 67_910 };
}

function sessionsOf(
  evse: { id: string; maxPowerW: number; phases: 1 | 2 | 3 },
  i: number,
  from: number,
  to: number,
  random: () => number,
): ScenarioSession[] {
  const sessions: ScenarioSession[] = [];
  let at = from + Math.round(random() * 5 * HOUR_S);
  for (let n = 0; at < to - 12 * HOUR_S; n++) {
    const stayS = Math.round((1.5 + 7 * random()) * HOUR_S);
    const maxPowerW = random() < 0.5 ? evse.maxPowerW : Math.min(evse.maxPowerW, 11_040);
    const needWh = Math.min(Math.round((5 + 30 * random()) * 1000), Math.floor((maxPowerW * stayS * 0.9) / HOUR_S));
    const early = random() < 0.12;
    sessions.push({
      id: `demo-${String(i + 1).padStart(2, "0")}-${n}`,
      evseId: evse.id,
      driverId: `demo-driver-${String(((i * 7 + n) % 40) + 1).padStart(2, "0")}`,
      plugIn: epochSecond(at),
      plugOut: epochSecond(at + (early ? Math.round(stayS * (0.5 + 0.4 * random())) : stayS)),
      departure: epochSecond(at + stayS),
      needWh,
      takenWh: random() < 0.15 ? Math.round(needWh * 0.7) : needWh,
      maxPowerW,
      phases: evse.phases,
      smart: random() > 0.12,
    });
    at += stayS + Math.round((0.3 + 6 * random()) * HOUR_S);
  }
  return sessions;
}

const hourOf = (slot: number) => (((slot % 96) + 96) % 96) / 4;
const sun = (slot: number) => Math.max(0, Math.sin(((hourOf(slot) - 6) / 12) * Math.PI));
const office = (slot: number) =>
  hourOf(slot) > 6 && hourOf(slot) < 18 ? Math.sin(((hourOf(slot) - 6) / 12) * Math.PI) : 0;
/** Dear mornings and evenings, cheap nights and noons, micro-euro per kWh. */
const priceOf = (slot: number, day: number) =>
  Math.round(
    85_000 +
      35_000 * Math.sin(((hourOf(slot) - 15) / 6) * Math.PI) -
      60_000 * sun(slot) +
      8000 * ((day * 7) % 5) -
      10_000,
  );

/** A grid with much sun: clean noons, gas in the evening; grams of CO2 equivalent per kWh. */
const gramsOf = (slot: number) =>
  Math.round(340 - 190 * sun(slot) + 60 * Math.sin(((hourOf(slot) - 15) / 6) * Math.PI));

/** A small seeded generator of numbers in [0, 1); enough for a made-up garage. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
