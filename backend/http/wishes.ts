/** What a driver wishes on the wire, as the one request that all strategies become (usecases/strategies.ts). */
import type { z } from "zod";
import { type EpochSecond, epochSecond, type WattHour } from "../domain/units.ts";
import { type Amount, type ChargingTerms, type Ready, termsOf } from "../usecases/strategies.ts";
import { Problem } from "./problems.ts";
import type { chargingRequest } from "./schemas.ts";

/** `batteryWh`: of the driver's preferences, for states of charge without one. Throws a Problem when there is none. */
export function termsOfBody(
  body: z.output<typeof chargingRequest>,
  now: EpochSecond,
  batteryWh: WattHour | null,
): ChargingTerms {
  const { soc, departsAt, withinS, strategy, notBefore, first } = body;
  const by: Exclude<Ready, { kind: "soonest" }> | null =
    departsAt !== undefined
      ? { kind: "by", at: departsAt }
      : withinS !== undefined
        ? { kind: "within", s: withinS }
        : null;
  const latest = by === null ? null : by.kind === "by" ? by.at : epochSecond(now + by.s);
  const ready: Ready = strategy === "fastest" || by === null ? { kind: "soonest", latest } : by;
  const upTo = (toPercent: number): Amount => {
    const ofBattery = soc?.batteryWh ?? batteryWh;
    if (!soc || ofBattery === null) throw withoutBattery();
    return { kind: "soc", batteryWh: ofBattery as WattHour, fromPercent: soc.fromPercent, toPercent };
  };
  const amountOf = (energyWh: WattHour | undefined, toPercent: number | undefined): Amount =>
    energyWh !== undefined ? { kind: "energy", energyWh } : upTo(toPercent ?? 0);
  const terms = termsOf(
    {
      amount: amountOf(body.energyNeedWh, soc?.toPercent),
      ready,
      notBefore,
      first: first && {
        amount: amountOf(first.energyWh, first.toPercent),
        ready: first.by !== undefined ? { kind: "by", at: first.by } : { kind: "within", s: first.withinS ?? 0 },
      },
    },
    now,
  );
  return terms;
}

const withoutBattery = () => {
  const detail = "Give the battery's capacity, here or in your preferences: a state of charge alone is no energy.";
  return new Problem("invalid-request", detail, { faults: [{ pointer: "#/soc/batteryWh", detail }] });
};
