/** A session's bill: lines that add up exactly. */
import { divDown, worth } from "../domain/money.ts";
import {
  type MicroEur,
  type MicroEurPerKwh,
  microEur,
  microEurPerKwh,
  type WattHour,
  wattHour,
} from "../domain/units.ts";
import type { Compensation } from "./compensation.ts";

export const SETTLEMENT_METHOD = "settle/1";

export type LineKind = "energy" | "fixed-fee" | "promise-compensation" | "flex";

/** What the driver owes is positive. The amounts add up to amount - credit, the energy lines' Wh to the metered energy. */
export type SettlementLine = {
  readonly kind: LineKind;
  /** Wh that the line is about: charged, compensated (missing + late) or FLEX earned; 0 for a fixed fee. */
  readonly energyWh: WattHour;
  readonly pricePerKwh: MicroEurPerKwh;
  readonly amountMicroEur: MicroEur;
};

export type Settled = {
  readonly lines: readonly SettlementLine[];
  readonly energyWh: WattHour;
  /** What the driver pays, net of compensation; never below 0. */
  readonly amountMicroEur: MicroEur;
  /** Compensation above the bill, paid by the CPO to the driver. */
  readonly creditMicroEur: MicroEur;
  readonly compensationMicroEur: MicroEur;
  readonly flexWh: WattHour;
};

/**
 * amount = floor(sum(wh * price) / 1000) + fixed fee - compensation, rounded once and down. Each line's amount is what it
 * adds to the rounded running sum, so that the lines add up to the bill and not to a few micro-euro beside it.
 */
export function settle(session: {
  /** Metered energy by price; one entry under a tariff with one price. */
  readonly energy: readonly { readonly energyWh: number; readonly pricePerKwh: MicroEurPerKwh }[];
  readonly fixedFeeMicroEur?: MicroEur;
  readonly compensation: Compensation | null;
  /** F; never above the metered energy, the contract refuses such a line. */
  readonly flexWh: number;
}): Settled {
  const fixedFee = session.fixedFeeMicroEur ?? 0n;
  const energyWh = session.energy.reduce((sum, part) => sum + whole(part.energyWh, "charged"), 0);
  if (whole(session.flexWh, "FLEX") > energyWh)
    throw new RangeError(
      `${session.flexWh} Wh of FLEX for ${energyWh} Wh charged: no more can be moved than was drawn.`,
    );

  const lines: SettlementLine[] = [];
  let exact = 0n;
  let owed = 0n;
  for (const part of session.energy) {
    exact += worth(part.energyWh, part.pricePerKwh);
    const rounded = divDown(exact, 1000n);
    lines.push(line("energy", part.energyWh, part.pricePerKwh, rounded - owed));
    owed = rounded;
  }
  if (fixedFee !== 0n) lines.push(line("fixed-fee", 0, 0, fixedFee));
  owed += fixedFee;

  const due = session.compensation;
  if (due && due.amountMicroEur > 0n) {
    lines.push(line("promise-compensation", due.missingWh + due.lateWh, due.pricePerKwh, -due.amountMicroEur));
    owed -= due.amountMicroEur;
  }
  if (session.flexWh > 0) lines.push(line("flex", session.flexWh, 0, 0n));
  return {
    lines,
    energyWh: wattHour(energyWh),
    amountMicroEur: microEur(owed > 0n ? owed : 0n),
    creditMicroEur: microEur(owed < 0n ? -owed : 0n),
    compensationMicroEur: microEur(due?.amountMicroEur ?? 0n),
    flexWh: wattHour(session.flexWh),
  };
}

const line = (kind: LineKind, energyWh: number, pricePerKwh: number, amount: bigint): SettlementLine => ({
  kind,
  energyWh: wattHour(energyWh),
  pricePerKwh: microEurPerKwh(pricePerKwh),
  amountMicroEur: microEur(amount),
});

function whole(wh: number, what: string): number {
  if (!Number.isSafeInteger(wh) || wh < 0)
    throw new RangeError(
      `${wh} Wh ${what} cannot be settled: energy is a whole number from 0 up. Check the session's registers.`,
    );
  return wh;
}
