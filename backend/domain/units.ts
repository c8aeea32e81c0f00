/**
 * The quantities of Oli Move. The name of a value says its unit to the reader, the brand says it to the compiler.
 * A sum or product of quantities is a plain number until it is branded again.
 */
declare const unit: unique symbol;
export type Quantity<U extends string> = number & { readonly [unit]: U };

/** Power, whole W. Into the vehicle is positive; PV production is positive too and subtracted by whoever uses it. */
export type Watt = Quantity<"W">;
/** Energy, whole Wh. */
export type WattHour = Quantity<"Wh">;
/** Instant, whole seconds of UTC since 1970. */
export type EpochSecond = Quantity<"epoch s">;
/** Duration, whole seconds. */
export type Second = Quantity<"s">;
/** Price, whole micro-euro per kWh; may be negative. */
export type MicroEurPerKwh = Quantity<"micro-euro/kWh">;
/** Money, micro-euro. A bigint, so that it never meets a float. */
export type MicroEur = bigint & { readonly [unit]: "micro-euro" };

export const watt = (n: number) => whole(n, "W") as Watt;
export const wattHour = (n: number) => whole(n, "Wh") as WattHour;
export const epochSecond = (n: number) => whole(n, "s") as EpochSecond;
export const second = (n: number) => whole(n, "s") as Second;
export const microEurPerKwh = (n: number) => whole(n, "micro-euro/kWh") as MicroEurPerKwh;
export const microEur = (n: bigint) => n as MicroEur;

/** Energy of a power held for a duration, rounded down: a limit never promises more than it gives. */
export const energyDown = (powerW: number, durationS: number) => wattHour(Math.floor((powerW * durationS) / 3600));
/** Energy of a power held for a duration, rounded up: a need is never forgotten. */
export const energyUp = (powerW: number, durationS: number) => wattHour(Math.ceil((powerW * durationS) / 3600));
/** Mean power of an energy over a duration, rounded down. */
export const powerDown = (energyWh: number, durationS: number) => watt(Math.floor((energyWh * 3600) / durationS));

function whole(n: number, unitName: string): number {
  if (!Number.isSafeInteger(n)) throw new RangeError(`${n} is not a whole number of ${unitName}`);
  return n;
}
