/** Recomputes a flexibility from its own record, as an auditor does. */
import { type Circumstances, type Flexibility, reckon } from "./calculator.ts";

/** What a receipt keeps of a flexibility. */
export type FlexRecord = Pick<
  Flexibility,
  "powerW" | "energyWh" | "startsAt" | "meanValue" | "rewarded" | "flexWh" | "valueMicroEur" | "intervals"
>;

/** Every figure that the record's own meter, allowance and circumstances do not give; empty when all agree. */
export function flexFaults(record: FlexRecord): string[] {
  const intervals = record.intervals.map((one): Circumstances & { meteredWh: number; allowedWh: number } => ({
    ...one,
    order: one.down === "ORDER" ? "down" : one.up === "ORDER" ? "up" : null,
    surplus: one.up === "SURPLUS",
  }));
  const again = reckon({ ...record, intervals });
  const faults: string[] = [];
  for (const key of ["energyWh", "meanValue", "flexWh", "valueMicroEur"] as const)
    if (again[key] !== record[key]) faults.push(`flex.${key} is ${record[key]}, its intervals give ${again[key]}`);
  for (const [t, one] of record.intervals.entries())
    for (const key of ["baselineWh", "allowedWh", "down", "up"] as const) {
      const right = again.intervals[t]![key];
      if (right !== one[key]) faults.push(`flex.intervals[${t}].${key} is ${one[key]}, not ${right}`);
    }
  return faults;
}
