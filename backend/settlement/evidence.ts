/**
 * The rows that a bill rests on, as canonical texts. Their hashes stand in the receipt, so that a reading, a promise or a
 * charging profile that is changed after the bill was made no longer fits to it.
 */
import type { MeterReading } from "../domain/meters.ts";
import type { SentProfile } from "../domain/profiles.ts";
import type { EnergyPromise } from "../domain/promises.ts";
import type { ChargingSession } from "../domain/sessions.ts";
import { canonical } from "./canonical.ts";

/** Hashes of the texts below; promises one by one, first version first. */
export type Evidence = {
  readonly session: string;
  readonly promises: readonly string[];
  readonly profiles: string;
  readonly readings: string;
  readonly sums: ReadingSums;
};

/** Of each value the sum over all readings, and the sum of value times place (1, 2, ...); instants and registers from plug-in. */
export type ReadingSums = readonly [
  at: number,
  atPlaced: number,
  registerWh: number,
  registerWhPlaced: number,
  powerW: number,
  powerWPlaced: number,
];

export const sessionText = (session: ChargingSession) => canonical({ ...session });
export const promiseText = (promise: EnergyPromise) => canonical({ ...promise });
export const profilesText = (profiles: readonly SentProfile[]) =>
  canonical(
    profiles.map(({ profile, ...sent }) => ({ ...sent, profile: profile.map(({ from, limitW }) => [from, limitW]) })),
  );
/** Ascending by instant. */
export const readingsText = (readings: readonly MeterReading[]) => canonical(readings.map(valuesOf));

const valuesOf = ({ at, registerWh, powerW }: MeterReading) => [at, registerWh, powerW];

/** Sums are counted from plug-in and modulo this, so that the longest stay leaves whole numbers. */
const MODULUS = 2 ** 50;

export function readingSums(session: ChargingSession, readings: readonly MeterReading[]): ReadingSums {
  const origin = [session.pluggedAt, session.startRegisterWh, 0];
  const sums = [0, 0, 0, 0, 0, 0];
  for (const [index, reading] of readings.entries())
    for (const [column, value] of valuesOf(reading).entries()) {
      const counted = value - origin[column]!;
      sums[2 * column] = (sums[2 * column]! + counted) % MODULUS;
      sums[2 * column + 1] = (sums[2 * column + 1]! + counted * (index + 1)) % MODULUS;
    }
  return sums as unknown as ReadingSums;
}

/**
 * Which one reading was changed since the sums were taken: a change d at place k moves the sums of one value by d and
 * k d. Null when more than one was, or a reading came or went.
 */
export function changedReading(
  was: ReadingSums,
  session: ChargingSession,
  readings: readonly MeterReading[],
): MeterReading | null {
  const is = readingSums(session, readings);
  const moved = [0, 2, 4].filter((column) => is[column] !== was[column] || is[column + 1] !== was[column + 1]);
  const [column] = moved;
  if (moved.length !== 1 || column === undefined) return null;
  const difference = (k: number) => ((is[k]! - was[k]! + 1.5 * MODULUS) % MODULUS) - MODULUS / 2;
  return readings[difference(column + 1) / difference(column) - 1] ?? null;
}
