/** Reads a scenario folder (its format: test/scenarios/README.md) and says what is wrong with it, file and line. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Coordinates } from "../domain/assets.ts";
import { parseInstant } from "../domain/instants.ts";
import { isTimeZone } from "../domain/localTime.ts";
import { slotOf } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";

const instantOfJson = z.string().transform((text, context) => {
  try {
    return parseInstant(text);
  } catch (error) {
    context.addIssue((error as Error).message);
    return z.NEVER;
  }
});
const meta = z.object({
  name: z.string(),
  about: z.string(),
  timeZone: z.string().refine(isTimeZone, { error: "must be an IANA time zone such as Europe/Berlin" }),
  from: instantOfJson,
  to: instantOfJson,
  slotSeconds: z.literal(900),
  driverPriceMicroEurPerKwh: z.int().positive(),
  flexSharePercent: z.int().min(0).max(100),
  sessions: z.string(),
  prices: z.string(),
  carbon: z.string().optional(),
  events: z.string().optional(),
  groups: z
    .array(
      z.object({
        id: z.string(),
        supplyLimitW: z.int().positive(),
        production: z.string().optional(),
        demand: z.string().optional(),
        evses: z
          .array(
            z.object({
              id: z.string(),
              maxPowerW: z.int().positive(),
              phases: z.union([z.literal(1), z.literal(2), z.literal(3)]),
              coordinates: z
                .object({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
                .optional(),
            }),
          )
          .min(1),
      }),
    )
    .min(1),
});

export type ScenarioSession = {
  readonly id: string;
  readonly evseId: string;
  readonly driverId: string;
  readonly plugIn: EpochSecond;
  readonly plugOut: EpochSecond;
  readonly departure: EpochSecond;
  readonly needWh: number;
  /** Most that the battery accepts: known to the simulated car only. */
  readonly takenWh: number;
  readonly maxPowerW: number;
  readonly phases: 1 | 2 | 3;
  readonly smart: boolean;
};

/** Something that goes wrong, or that somebody orders. */
export type ScenarioEvent = {
  readonly at: EpochSecond;
  readonly kind: string;
  readonly target: string;
  readonly value: string;
};

export type ScenarioEvse = {
  readonly id: string;
  readonly maxPowerW: number;
  readonly phases: 1 | 2 | 3;
  readonly coordinates?: Coordinates | undefined;
};

/** Power per slot, W. */
export type SlotSeries = ReadonlyMap<number, number>;

export type Scenario = {
  readonly name: string;
  readonly about: string;
  readonly timeZone: string;
  readonly from: EpochSecond;
  readonly to: EpochSecond;
  readonly driverPrice: number;
  readonly flexSharePercent: number;
  readonly sessions: readonly ScenarioSession[];
  /** Micro-euro per kWh by slot. */
  readonly prices: ReadonlyMap<number, number>;
  /** Grams of CO2 equivalent per kWh from the grid, by slot; empty where the scenario says nothing of it. */
  readonly carbon: ReadonlyMap<number, number>;
  readonly events: readonly ScenarioEvent[];
  readonly groups: readonly {
    readonly id: string;
    readonly supplyLimitW: number;
    readonly evses: readonly ScenarioEvse[];
    readonly demand: SlotSeries | null;
    readonly production: SlotSeries | null;
  }[];
};

export function readScenario(folder: string): Scenario {
  const file = (name: string) => {
    const path = join(folder, name);
    if (!existsSync(path))
      throw new Error(`${path} is missing. A scenario folder holds scenario.json and the files that it names.`);
    return readFileSync(path, "utf8");
  };
  const parsed = meta.safeParse(json(join(folder, "scenario.json"), file("scenario.json")));
  if (!parsed.success) throw new Error(`${join(folder, "scenario.json")}: ${z.prettifyError(parsed.error)}`);
  const raw = parsed.data;
  if (raw.from >= raw.to) throw new Error(`${join(folder, "scenario.json")}: \`to\` must be after \`from\`.`);
  const table = (name: string, columns: readonly string[]) => rows(name, file(name), columns);
  const bySlot = (name: string, column: string) =>
    new Map(table(name, ["start", column]).map((row) => [slotOf(row.instant("start")), row.whole(column)]));
  const series = (name: string | undefined, groupId: string): SlotSeries | null =>
    name === undefined
      ? null
      : new Map(
          table(name, ["start", "group_id", "power_w"])
            .filter((row) => row.text("group_id") === groupId)
            .map((row) => [slotOf(row.instant("start")), row.whole("power_w")]),
        );
  const evseIds = new Set(raw.groups.flatMap((group) => group.evses.map((evse) => evse.id)));
  const eventsFile = raw.events ?? (existsSync(join(folder, "events.csv")) ? "events.csv" : null);
  return {
    name: raw.name,
    about: raw.about,
    timeZone: raw.timeZone,
    from: raw.from,
    to: raw.to,
    driverPrice: raw.driverPriceMicroEurPerKwh,
    flexSharePercent: raw.flexSharePercent,
    sessions: table(raw.sessions, [
      "session_id",
      "evse_id",
      "driver_id",
      "plug_in",
      "plug_out",
      "departure",
      "energy_need_wh",
      "energy_taken_wh",
      "ev_max_power_w",
      "ev_phases",
      "smart",
    ])
      .map(
        (row): ScenarioSession => ({
          id: row.text("session_id"),
          evseId: row.oneOf("evse_id", evseIds),
          driverId: row.text("driver_id"),
          plugIn: row.instant("plug_in"),
          plugOut: row.instantAfter("plug_out", "plug_in"),
          departure: row.instant("departure"),
          needWh: row.whole("energy_need_wh"),
          takenWh: row.whole("energy_taken_wh"),
          maxPowerW: row.whole("ev_max_power_w"),
          phases: Number(row.oneOf("ev_phases", PHASES)) as 1 | 2 | 3,
          smart: row.oneOf("smart", YES_NO) === "true",
        }),
      )
      .sort((a, b) => a.plugIn - b.plugIn || (a.id < b.id ? -1 : 1)),
    prices: bySlot(raw.prices, "price_micro_eur_per_kwh"),
    carbon: raw.carbon === undefined ? new Map() : bySlot(raw.carbon, "grams_per_kwh"),
    events: eventsFile
      ? table(eventsFile, ["at", "kind", "target", "value"]).map((row) => ({
          at: row.instant("at"),
          kind: row.text("kind"),
          target: row.text("target"),
          value: row.text("value"),
        }))
      : [],
    groups: raw.groups.map((group) => ({
      id: group.id,
      supplyLimitW: group.supplyLimitW,
      evses: group.evses,
      demand: series(group.demand, group.id),
      production: series(group.production, group.id),
    })),
  };
}

const PHASES: ReadonlySet<string> = new Set(["1", "2", "3"]);
const YES_NO: ReadonlySet<string> = new Set(["true", "false"]);

function json(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is not JSON: ${(error as Error).message}`);
  }
}

type Row = {
  text(column: string): string;
  oneOf(column: string, known: ReadonlySet<string>): string;
  whole(column: string): number;
  instant(column: string): EpochSecond;
  instantAfter(column: string, earlier: string): EpochSecond;
};

/** Comma-separated values without quotes, as all of the format's files are. */
function rows(name: string, text: string, columns: readonly string[]): Row[] {
  const lines = text.split(/\r?\n/).filter((line) => line !== "");
  const header = (lines[0] ?? "").split(",");
  const missing = columns.filter((column) => !header.includes(column));
  if (missing.length > 0)
    throw new Error(`${name}: the column ${missing[0]} is missing; the header must have ${columns.join(", ")}.`);
  return lines.slice(1).map((line, i) => {
    const cells = line.split(",");
    const where = `${name}, line ${i + 2}`;
    const cell = (column: string) => {
      const value = cells[header.indexOf(column)];
      if (value === undefined) throw new Error(`${where}: no value for ${column}.`);
      return value;
    };
    const instant = (column: string) => {
      try {
        return parseInstant(cell(column));
      } catch (error) {
        throw new Error(`${where}: ${column}: ${(error as Error).message}`);
      }
    };
    return {
      text: cell,
      oneOf(column, known) {
        const value = cell(column);
        if (known.has(value)) return value;
        throw new Error(`${where}: ${column} is "${value}"; it must be one of ${[...known].join(", ")}.`);
      },
      whole(column) {
        const value = Number(cell(column));
        if (cell(column) === "" || !Number.isSafeInteger(value))
          throw new Error(`${where}: ${column} is "${cell(column)}", not a whole number.`);
        return value;
      },
      instant,
      instantAfter(column, earlier) {
        if (instant(column) > instant(earlier)) return instant(column);
        throw new Error(`${where}: ${column} is ${cell(column)}, not after ${earlier}, ${cell(earlier)}.`);
      },
    };
  });
}
