/** Recomputes a bill from its own receipt, as a driver or an auditor does. Flexibility has its own recheck. */
import { judge } from "../domain/promises.ts";
import { compensation } from "./compensation.ts";
import type { Receipt, ReceiptPromise } from "./receipt.ts";
import { settle } from "./settle.ts";

/** Everything in which the receipt contradicts itself; empty when every line, sum and cause follows from the rest. */
export function receiptFaults(receipt: Receipt): string[] {
  const { meter, lines, flex, tariff, promise } = receipt;
  const faults: string[] = [];
  const same = (what: string, is: unknown, wanted: unknown) => {
    if (is !== wanted) faults.push(`${what} is ${is}, not ${wanted}`);
  };
  const meteredWh = meter.endWh - meter.startWh;
  same("flex.energyWh", flex.energyWh, meteredWh);
  faults.push(...coverFaults(receipt));

  const energy = lines.filter((line) => line.kind === "energy");
  for (const line of energy) same("price of an energy line", line.pricePerKwh, tariff.pricePerKwh);
  const billedWh = sum(energy.map((line) => line.energyWh));
  same("energy of the lines", billedWh, meteredWh);
  if (flex.flexWh < 0 || flex.flexWh > billedWh || energy.some((line) => line.energyWh < 0))
    return [...faults, `no bill follows from ${billedWh} Wh charged and ${flex.flexWh} Wh of FLEX`];
  const again = settle({
    energy,
    fixedFeeMicroEur: tariff.fixedFeeMicroEur,
    compensation: promise?.compensation ?? null,
    flexWh: flex.flexWh,
  });
  same("number of lines", lines.length, again.lines.length);
  for (const [index, line] of lines.entries())
    for (const key of ["kind", "energyWh", "pricePerKwh", "amountMicroEur"] as const)
      same(`lines[${index}].${key}`, line[key], again.lines[index]?.[key]);
  same("amountMicroEur", receipt.amountMicroEur, again.amountMicroEur);
  same("creditMicroEur", receipt.creditMicroEur, again.creditMicroEur);
  if (promise) faults.push(...promiseFaults(promise, receipt));
  return faults;
}

/** The intervals follow each other from plug-in to plug-out. */
function coverFaults({ meter, flex }: Receipt): string[] {
  let at: number = meter.startAt;
  for (const [t, { from, to }] of flex.intervals.entries()) {
    if (from !== at || to <= from)
      return [`flex.intervals[${t}] goes from ${from} to ${to}, the stay went on at ${at}`];
    at = to;
  }
  return at === meter.endAt ? [] : [`flex.intervals end at ${at}, the stay at ${meter.endAt}`];
}

function promiseFaults(promise: ReceiptPromise, { meter, flex, tariff }: Receipt): string[] {
  const { energyWh, missingWh, missingAtUnplugWh, outcome, shares, compensateOrders } = promise;
  const faults: string[] = [];
  const atUnplugWh = meter.endWh - promise.fromRegisterWh;

  // The register at `by` lies between those at the ends of its interval, and so does what was missing.
  let beforeWh = meter.startWh - promise.fromRegisterWh;
  let afterWh = beforeWh;
  for (const { from, to, meteredWh } of flex.intervals) {
    if (from < promise.by) afterWh += meteredWh;
    if (to <= promise.by) beforeWh += meteredWh;
  }
  const [leastWh, mostWh] = [Math.max(0, energyWh - afterWh), Math.max(0, energyWh - beforeWh)];
  if (missingWh < leastWh || missingWh > mostWh)
    faults.push(`promise.missingWh is ${missingWh}, the meter leaves ${leastWh} to ${mostWh}`);

  const judged = judge({
    promisedWh: energyWh,
    // Metered in time: what was missing then is on record; a promise more than kept is missing nothing.
    meteredByWh: Math.min(energyWh - missingWh, atUnplugWh),
    meteredAtUnplugWh: atUnplugWh,
  });
  for (const key of ["outcome", "missingWh", "missingAtUnplugWh"] as const)
    if (judged[key] !== promise[key])
      faults.push(`promise.${key} is ${promise[key]}, the register gives ${judged[key]}`);
  const sharedWh = sum(Object.values(shares));
  const wanted = outcome === "kept" ? 0 : missingWh;
  if (sharedWh !== wanted || Object.values(shares).some((wh) => wh < 0))
    faults.push(`promise.shares add up to ${sharedWh} Wh, not ${wanted} Wh`);
  const due = compensation({ outcome, shares, missingAtUnplugWh, pricePerKwh: tariff.pricePerKwh, compensateOrders });
  for (const key of ["amountMicroEur", "missingWh", "lateWh", "pricePerKwh"] as const)
    if (due[key] !== promise.compensation[key])
      faults.push(`promise.compensation.${key} is ${promise.compensation[key]}, its shares give ${due[key]}`);
  return faults;
}

const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
