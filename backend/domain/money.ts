/** Money is a whole number of micro-euro. It is rounded once, at the end, by one of these named divisions. */
import { type MicroEur, microEur } from "./units.ts";

/** Quotient rounded towards minus infinity. The divisor is positive. */
export function divDown(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}

/** Quotient rounded towards plus infinity. The divisor is positive. */
export const divUp = (dividend: bigint, divisor: bigint) => -divDown(-dividend, divisor);

/** Wh x micro-euro/kWh, in thousandths of a micro-euro: exact, to be summed before it is rounded. */
export const worth = (energyWh: number, perKwh: number) => BigInt(energyWh) * BigInt(perKwh);

/** Micro-euro of a sum of `worth`, rounded down. */
export const amountDown = (thousandths: bigint): MicroEur => microEur(divDown(thousandths, 1000n));
