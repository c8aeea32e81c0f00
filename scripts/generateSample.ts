/**
 * Writes the project's own scenario, test/scenarios/sample: an office garage over 60 hours with every fault that
 * recorded sessions lack. Everything follows from a seed, so that the same program gives the same bytes.
 *
 *   node scripts/generateSample.ts [folder]
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatInstant, parseInstant } from "../backend/domain/instants.ts";
import { SLOT_S } from "../backend/domain/slots.ts";
import { type EpochSecond, epochSecond } from "../backend/domain/units.ts";

const HOUR_S = 3600;
const GROUP = "garage";
const SUPPLY_LIMIT_W = 42_000;
const FROM = parseInstant("2026-05-04T00:00:00Z");
const TO = parseInstant("2026-05-06T12:00:00Z");
const PRICES_UNTIL = epochSecond(TO + 48 * HOUR_S);
const SEED = 20_260_504;

const evseId = (n: number) => `NL*OLI*ESAMPLE${String(n).padStart(2, "0")}`;
/** Ten 16 A three-phase EVSEs and two 32 A single-phase ones. */
const EVSES = Array.from({ length: 12 }, (_, i) =>
  i < 10 ? { id: evseId(i + 1), maxPowerW: 11_040, phases: 3 } : { id: evseId(i + 1), maxPowerW: 7_360, phases: 1 },
);

type Session = {
  readonly id: string;
  readonly evse: number;
  readonly driver: string;
  readonly plugInAt: EpochSecond;
  readonly plugOutAt: EpochSecond;
  readonly departsAt: EpochSecond;
  readonly needWh: number;
  readonly takenWh: number;
  readonly maxPowerW: number;
  readonly phases: number;
  readonly smart: boolean;
};

/** An instant of the scenario: day 1, 2 or 3 and the time of day, UTC. */
function on(day: number, time: string): EpochSecond {
  const [hours, minutes] = time.split(":").map(Number);
  return epochSecond(FROM + (day - 1) * 24 * HOUR_S + hours! * HOUR_S + minutes! * 60);
}

type Story = Pick<Session, "id" | "evse" | "plugInAt" | "plugOutAt" | "needWh"> & Partial<Session>;

/** The sessions that something happens to; their names say what. */
const STORIES: readonly Session[] = (
  [
    { id: "fault-while-charging", evse: 9, plugInAt: on(1, "08:00"), plugOutAt: on(1, "10:30"), needWh: 20_000 },
    { id: "limit-lowered", evse: 9, plugInAt: on(1, "15:00"), plugOutAt: on(1, "19:20"), needWh: 26_000 },
    { id: "order-in-the-evening", evse: 9, plugInAt: on(2, "15:30"), plugOutAt: on(2, "18:30"), needWh: 30_000 },
    { id: "more-than-possible", evse: 9, plugInAt: on(2, "07:10"), plugOutAt: on(2, "08:40"), needWh: 45_000 },
    { id: "profile-refused", evse: 10, plugInAt: on(1, "17:40"), plugOutAt: on(2, "05:30"), needWh: 14_000 },
    { id: "station-silent", evse: 11, plugInAt: on(1, "18:05"), plugOutAt: on(2, "06:10"), needWh: 12_000 },
    { id: "register-frozen", evse: 12, plugInAt: on(1, "19:10"), plugOutAt: on(2, "06:30"), needWh: 26_000 },
    { id: "draws-less-than-allowed", evse: 10, plugInAt: on(1, "07:30"), plugOutAt: on(1, "11:30"), needWh: 22_000 },
    { id: "full-before-the-need", evse: 10, plugInAt: on(2, "08:00"), plugOutAt: on(2, "13:00"), needWh: 18_000 },
    { id: "leaves-early", evse: 11, plugInAt: on(1, "07:20"), plugOutAt: on(1, "09:05"), needWh: 20_000 },
    { id: "overstays", evse: 11, plugInAt: on(1, "10:00"), plugOutAt: on(1, "16:20"), needWh: 9_000 },
    { id: "plugged-for-five-minutes", evse: 11, plugInAt: on(2, "09:02"), plugOutAt: on(2, "09:07"), needWh: 8_000 },
    { id: "empty-account-by-day", evse: 12, plugInAt: on(1, "08:10"), plugOutAt: on(1, "15:10"), needWh: 15_000 },
    { id: "empty-account-at-night", evse: 12, plugInAt: on(2, "17:20"), plugOutAt: on(3, "06:00"), needWh: 17_000 },
  ] satisfies Story[]
).map((story) => ({
  driver: story.id.startsWith("empty-account") ? "driver-empty-account" : `driver-${story.id}`,
  departsAt: story.plugOutAt,
  takenWh: story.needWh,
  maxPowerW: EVSES[story.evse - 1]!.maxPowerW,
  phases: EVSES[story.evse - 1]!.phases,
  smart: true,
  ...story,
  ...(story.id === "leaves-early" ? { departsAt: on(1, "15:00") } : {}),
  ...(story.id === "limit-lowered" ? { departsAt: on(1, "17:30") } : {}),
  ...(story.id === "overstays" ? { departsAt: on(1, "13:00"), takenWh: 16_000 } : {}),
  ...(story.id === "plugged-for-five-minutes" ? { departsAt: on(2, "12:00") } : {}),
  ...(story.id === "full-before-the-need" ? { takenWh: 11_000 } : {}),
}));

/** What happens; kinds and values are explained in ../README.md of the scenario. */
const EVENTS: readonly (readonly [at: EpochSecond, kind: string, target: string, value: string | number])[] = [
  [FROM, "no-deposit", "driver-empty-account", ""],
  [on(1, "07:30"), "slow-draw", "draws-less-than-allowed", 3_500],
  [on(1, "09:00"), "fault", evseId(9), 5_400],
  [on(1, "15:55"), "limit", GROUP, 7_000],
  [on(1, "17:30"), "limit", GROUP, SUPPLY_LIMIT_W],
  [on(1, "18:30"), "refuse-profile", evseId(10), 2],
  [on(1, "21:00"), "silent", evseId(11), 1_800],
  [on(2, "03:20"), "frozen-register", evseId(12), 1_200],
  [on(2, "10:00"), "optimiser-fails", GROUP, 3_600],
  [on(2, "13:30"), "solver-differs", GROUP, 7_200],
  [on(2, "16:25"), "order", GROUP, "-38000:7500"],
];

/** mulberry32: a small generator of numbers in [0, 1), seeded. */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Ordinary sessions by day and over night wherever no story occupies the EVSE. */
function ordinarySessions(random: () => number): Session[] {
  const between = (low: number, high: number) => low + (high - low) * random();
  const minute = (hours: number) => Math.round(hours * 60) * 60;
  const sessions: Session[] = [];
  for (let evse = 1; evse <= EVSES.length; evse++) {
    const stays = [1, 2, 3].flatMap((day) => {
      const morning = on(day, "00:00") + minute(between(5, 7.5));
      const noon = morning + minute(between(2.5, 5));
      const evening = on(day, "00:00") + minute(between(15.5, 18.5));
      return [
        [morning, noon],
        [noon + minute(between(0.3, 1)), on(day, "00:00") + minute(between(13.5, 15.2))],
        [evening, evening + minute(between(9, 12.5))],
      ] as const;
    });
    for (const [inAt, outAt] of stays) {
      const { maxPowerW, phases } = EVSES[evse - 1]!;
      const [skip, opts, battery, declared, wish] = [random(), random(), random(), random(), random()];
      const busy = STORIES.some((s) => s.evse === evse && s.plugInAt < outAt + 300 && inAt < s.plugOutAt + 300);
      if (busy || skip < 0.12 || outAt > TO - HOUR_S) continue;
      const singlePhaseCar = wish < 0.25;
      const carW = singlePhaseCar ? Math.min(maxPowerW, 7_360) : maxPowerW;
      const mostWh = (carW * (outAt - inAt)) / HOUR_S;
      const needWh = Math.round((Math.min(mostWh * 0.7, 30_000) * (0.35 + 0.65 * wish)) / 100) * 100;
      const takenWh = battery < 0.6 ? needWh : Math.round((needWh * (battery < 0.8 ? 0.8 : 1.3)) / 100) * 100;
      const departsAt = declared < 0.15 ? outAt + minute(1) : declared < 0.3 ? outAt - minute(0.75) : outAt;
      sessions.push({
        id: `ordinary-${String(evse).padStart(2, "0")}-${formatInstant(epochSecond(inAt)).slice(8, 13)}`,
        evse,
        driver: `driver-${String(evse).padStart(2, "0")}-${(inAt / HOUR_S) % 24 > 15 ? "night" : "day"}`,
        plugInAt: epochSecond(inAt),
        plugOutAt: epochSecond(outAt),
        departsAt: epochSecond(departsAt),
        needWh,
        takenWh,
        maxPowerW: carW,
        phases: singlePhaseCar ? 1 : phases,
        smart: opts >= 0.15,
      });
    }
  }
  return sessions;
}

/** Day-ahead prices by the hour, EUR/MWh; the second day's noon is sunny and windy, so that its price is negative. */
const DAY_PRICES = [
  62, 55, 50, 48, 52, 68, 96, 118, 104, 74, 52, 38, 30, 28, 36, 58, 92, 134, 152, 138, 112, 94, 80, 70,
];
function priceAt(at: number): number {
  const day = Math.floor((at - FROM) / (24 * HOUR_S));
  const hour = Math.floor(((at - FROM) % (24 * HOUR_S)) / HOUR_S);
  if (day === 1 && hour >= 11 && hour < 14) return [-4_200, -12_500, -3_100][hour - 11]!;
  return DAY_PRICES[hour]! * 1_000 + [0, -9_000, 4_000, 7_000, 1_000][day]!;
}

/** Dear hours are dirty ones: gas sets the price. Grams of CO2 equivalent per kWh */
const gramsAt = (at: number) => Math.max(30, Math.round(90 + priceAt(at) / 400));

/** PV of 26 kW peak: a parabola between sunrise and sunset, thinned by clouds that change every slot. W */
function productionAt(at: number, random: () => number): number {
  const hour = ((at - FROM) % (24 * HOUR_S)) / HOUR_S;
  const clear = Math.max(0, 1 - ((hour - 11.5) / 7.5) ** 2);
  const clouds = at < on(2, "00:00") ? 0.35 + 0.5 * random() : 0.8 + 0.2 * random();
  return Math.round((26_000 * clear * clouds) / 10) * 10;
}

/** Other load: night and office hours, a kitchen at noon, and hot water at night that comes without warning. W */
function demandAt(at: number, random: () => number): number {
  const hour = ((at - FROM) % (24 * HOUR_S)) / HOUR_S;
  const base = hour < 5 || hour >= 17 ? 3_500 : 8_500;
  const kitchen = hour >= 9.5 && hour < 10.75 ? 9_000 : 0;
  const hotWater = (at >= on(2, "02:15") && at < on(2, "03:00")) || (at >= on(3, "03:15") && at < on(3, "04:00"));
  return base + kitchen + (hotWater ? 14_000 : 0) + Math.round((random() * 1_500) / 10) * 10;
}

/** The scenario's files by name. */
export function sampleFiles(): Record<string, string> {
  const random = numbersFrom(SEED);
  const sessions = [...STORIES, ...ordinarySessions(random)].sort(
    (a, b) => a.plugInAt - b.plugInAt || (a.id < b.id ? -1 : 1),
  );
  const slots = (until: number) => Array.from({ length: (until - FROM) / SLOT_S }, (_, i) => FROM + i * SLOT_S);
  const time = (at: number) => formatInstant(epochSecond(at));
  const csv = (header: string, rows: readonly (readonly (string | number | boolean)[])[]) =>
    `${[header, ...rows.map((row) => row.join(","))].join("\n")}\n`;
  const scenario = {
    name: "sample",
    about: "Generated office garage over 60 hours: every fault that recorded sessions lack, see ../README.md.",
    timeZone: "Europe/Amsterdam",
    from: formatInstant(FROM),
    to: formatInstant(TO),
    slotSeconds: SLOT_S,
    driverPriceMicroEurPerKwh: 350_000,
    flexSharePercent: 50,
    sessions: "sessions.csv",
    prices: "prices.csv",
    carbon: "carbon.csv",
    events: "events.csv",
    groups: [
      {
        id: GROUP,
        supplyLimitW: SUPPLY_LIMIT_W,
        production: "production.csv",
        demand: "demand.csv",
        evses: EVSES,
      },
    ],
  };
  return {
    "scenario.json": `${JSON.stringify(scenario, null, 2)}\n`,
    "sessions.csv": csv(
      "session_id,evse_id,driver_id,plug_in,plug_out,departure,energy_need_wh,energy_taken_wh,ev_max_power_w,ev_phases,smart",
      sessions.map((s) => [
        ...[s.id, evseId(s.evse), s.driver, time(s.plugInAt), time(s.plugOutAt), time(s.departsAt)],
        ...[s.needWh, s.takenWh, s.maxPowerW, s.phases, s.smart],
      ]),
    ),
    "prices.csv": csv(
      "start,price_micro_eur_per_kwh",
      slots(PRICES_UNTIL).map((at) => [time(at), priceAt(at)]),
    ),
    "carbon.csv": csv(
      "start,grams_per_kwh",
      slots(PRICES_UNTIL).map((at) => [time(at), gramsAt(at)]),
    ),
    "production.csv": csv(
      "start,group_id,power_w",
      slots(TO).map((at) => [time(at), GROUP, productionAt(at, random)]),
    ),
    "demand.csv": csv(
      "start,group_id,power_w",
      slots(TO).map((at) => [time(at), GROUP, demandAt(at, random)]),
    ),
    "events.csv": csv(
      "at,kind,target,value",
      EVENTS.map(([at, kind, target, value]) => [time(at), kind, target, value]),
    ),
  };
}

if (import.meta.main) {
  const folder = process.argv[2] ?? join(import.meta.dirname, "..", "test", "scenarios", "sample");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(sampleFiles())) writeFileSync(join(folder, name), text);
  console.log(`sample scenario written to ${folder}`);
}
