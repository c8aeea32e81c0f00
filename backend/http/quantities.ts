/**
 * The quantities on the wire: instants as RFC 3339 in UTC, power in whole W, energy in whole Wh, money as decimal
 * strings of micro-euro. What looks like another unit is refused with a hint, never bent.
 */
import { z } from "zod";
import { formatInstant, parseInstant } from "../domain/instants.ts";
import { type EpochSecond, epochSecond, type MicroEurPerKwh, microEurPerKwh, watt, wattHour } from "../domain/units.ts";

/** Instants outside of these are slips of a clock or of a unit (2000 to 2100). */
const EARLIEST_AT = 946_684_800;
const LATEST_AT = 4_102_444_800;

const INSTANT = 'an RFC 3339 instant such as "2026-03-01T10:00:00Z"';

export const instant = z
  .string({ error: `Give ${INSTANT}, as text.` })
  .meta({ format: "date-time", examples: ["2026-03-01T10:00:00Z"] })
  .transform((text, context): EpochSecond => {
    const at = read(text);
    if (at !== null && at >= EARLIEST_AT && at < LATEST_AT) return at;
    context.addIssue({
      code: "custom",
      message: `"${text.slice(0, 40)}" is not a plausible instant. Give ${INSTANT}.`,
    });
    return z.NEVER;
  });

function read(text: string): EpochSecond | null {
  try {
    const at = parseInstant(text);
    // JavaScript reads 30 February as 2 March.
    return text.endsWith("Z") && !formatInstant(at).startsWith(text.slice(0, 10)) ? null : at;
  } catch {
    return null;
  }
}

const fraction = (unit: string, kilo: string) => (issue: { input?: unknown }) =>
  typeof issue.input === "number"
    ? `${issue.input} is not a whole number of ${unit}. Is ${issue.input} ${kilo} = ${Math.round(issue.input * 1000)} ${unit} meant?`
    : `Give a whole number of ${unit}.`;

function whole(unit: "W" | "Wh", least: number, most: number) {
  const outside = (issue: { input?: unknown }) =>
    `${issue.input} ${unit} is not plausible here (${least} to ${most} ${unit}). Is it in ${unit}?`;
  const error = fraction(unit, `k${unit}`);
  return z.number({ error }).int({ error }).min(least, { error: outside }).max(most, { error: outside });
}

/** Power as measured or forecast, W. */
export const powerW = (mostW = 10_000_000) => whole("W", 0, mostW).transform(watt);

/** Least power other than 0 that a limit can mean, W: below it the value is in kW. */
const LEAST_LIMIT_W = 1000;
export const limitW = whole("W", 0, 100_000_000)
  .refine((w) => w === 0 || w >= LEAST_LIMIT_W, {
    error: ({ input }) =>
      `${input} W is less than one car can use. Limits are in W: is ${input} kW = ${Number(input) * 1000} W meant?`,
  })
  .meta({ description: "W; 0, or at least 1000" })
  .transform(watt);

/** Power of a car or an EVSE, W. */
export const ratedW = whole("W", 0, 1_000_000)
  .refine((w) => w >= LEAST_LIMIT_W, {
    error: ({ input }) => `${input} W cannot charge a car. Is ${input} kW = ${Number(input) * 1000} W meant?`,
  })
  .meta({ description: "W; at least 1000" })
  .transform(watt);

/** Energy that a car may need, Wh. */
const NEED = { leastWh: 100, mostWh: 250_000 };
export const needWh = z
  .number({ error: fraction("Wh", "kWh") })
  .int({ error: fraction("Wh", "kWh") })
  .min(NEED.leastWh, {
    error: ({ input }) =>
      `${input} Wh is less than a car can be asked for (${NEED.leastWh} Wh). Is ${input} kWh = ${Number(input) * 1000} Wh meant?`,
  })
  .max(NEED.mostWh, {
    error: ({ input }) => `${input} Wh is more than a car can hold (${NEED.mostWh} Wh). Is it in Wh?`,
  })
  .transform(wattHour);

/** Register of a meter, Wh. */
export const registerWh = whole("Wh", 0, 1_000_000_000_000).transform(wattHour);

const PRICE = { least: 1000n, most: 5_000_000n };
/** A price that drivers pay: decimal string of micro-euro per kWh. */
export const price = z
  .string({
    error: ({ input }) =>
      typeof input === "number" && Number.isFinite(input)
        ? `Prices are micro-euro per kWh as text. Is ${input} EUR/kWh = "${Math.round(input * 1e6)}" meant?`
        : 'Give micro-euro per kWh as text: 0.35 EUR/kWh is "350000".',
  })
  .regex(/^\d{1,9}$/, {
    error: ({ input }) => `"${input}" is not a whole number of micro-euro. 0.35 EUR/kWh is "350000".`,
  })
  .refine(
    (text) => !/^\d+$/.test(text) || text === "0" || (BigInt(text) >= PRICE.least && BigInt(text) <= PRICE.most),
    {
      error: ({ input }) =>
        `${input} micro-euro per kWh is ${Number(input) / 1e6} EUR/kWh: not plausible. 0.35 EUR/kWh is "350000".`,
    },
  )
  .meta({ examples: ["350000"] })
  .transform((text): MicroEurPerKwh => microEurPerKwh(Number(text)));

const CONTROL = /\p{Cc}/u;
export const printable = (most: number) =>
  z
    .string({ error: "Give text." })
    .trim()
    .min(1, { error: "Give at least one character." })
    .max(most, { error: `Give at most ${most} characters.` })
    .refine((text) => !CONTROL.test(text), { error: "Leave out control characters." });

export const id = printable(100);
export const name = printable(100);

/* ------------------------------------------------------------------------------------------------- answers */

export const instantText = z.string().meta({ format: "date-time", examples: ["2026-03-01T10:00:00Z"] });
export const moneyText = z
  .string()
  .regex(/^-?\d+$/)
  .meta({ description: "micro-euro", examples: ["1234567"] });
export const w = z.int().meta({ description: "W" });
export const wh = z.int().meta({ description: "Wh" });

export const at = (instant: number) => formatInstant(epochSecond(instant));
export const atOrNull = (instant: number | null) => (instant === null ? null : at(instant));
export const money = (amount: bigint | number) => amount.toString();
