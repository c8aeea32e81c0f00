/** Between the domain's values and the driver's: instants, hex, money, profiles. Both ways refuse what they would bend. */
import { sql } from "kysely";
import type { ChargingProfile } from "../../domain/profiles.ts";
import { type EpochSecond, epochSecond, type MicroEur, microEur, watt } from "../../domain/units.ts";
import type { Periods } from "./schema.ts";

export const toDate = (at: EpochSecond) => new Date(at * 1000);
export const toDateOrNull = (at: EpochSecond | null) => (at === null ? null : toDate(at));
export const fromDate = (at: Date) => epochSecond(at.getTime() / 1000);
export const fromDateOrNull = (at: Date | null) => (at === null ? null : fromDate(at));

export const toMoney = (amount: bigint) => amount.toString();
export const fromMoney = (text: string): MicroEur => microEur(BigInt(text));

/** One of these sessions: one parameter, however many they are. */
export const amongSessions = (ids: readonly string[]) => sql<boolean>`session_id = any(${[...ids]}::text[])`;

/** Bytes of hex without "0x". Throws a RangeError: Node's own decoder would stop silently at the first odd character. */
export function fromHex(hex: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/i.test(hex))
    throw new RangeError(`"${hex.slice(0, 20)}..." is not hex without 0x; strip the prefix and send whole bytes.`);
  return Buffer.from(hex, "hex");
}
export const toHex = (bytes: Uint8Array) =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("hex");

export const toPeriods = (profile: ChargingProfile) =>
  JSON.stringify(profile.map(({ from, limitW }) => [from, limitW]));
export const fromPeriods = (periods: Periods): ChargingProfile =>
  periods.map(([from, limitW]) => ({ from: epochSecond(from), limitW: watt(limitW) }));
