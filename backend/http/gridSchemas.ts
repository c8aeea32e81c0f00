/** What grid operators, traders and energy managers send, and what they are answered. */
import { z } from "zod";
import type { CapacityProfile } from "../domain/capacity.ts";
import type { FlexibilityOrder, OrderSettlement } from "../domain/orders.ts";
import { slotStart } from "../domain/slots.ts";
import { type EpochSecond, type Watt, watt } from "../domain/units.ts";
import { at, id, instant, instantText, limitW, money, moneyText, powerW, price, w, wh } from "./quantities.ts";

const MOST_PERIODS = 14_400;
const period = z
  .strictObject({
    from: instant,
    until: instant,
    limitW: limitW.optional(),
    limitA: z
      .number({ error: "Give the current per phase in A." })
      .min(0, { error: "A current is 0 A or more." })
      .max(10_000, { error: ({ input }) => `${input} A per phase is not plausible. Is it in mA?` })
      .optional()
      .meta({ description: "A per phase, instead of limitW; with phases" }),
    phases: z.union([z.literal(1), z.literal(3)], { error: "Give 1 or 3 phases." }).optional(),
    voltageV: z
      .int({ error: "Give the voltage between phase and neutral in whole V." })
      .min(100, { error: ({ input }) => `${input} V is no supply voltage. Is it in V, phase to neutral?` })
      .max(300, { error: ({ input }) => `${input} V is above any phase's to neutral; 400 V is between phases.` })
      .default(230),
  })
  .refine((one) => (one.limitW === undefined) !== (one.limitA === undefined), {
    path: ["limitW"],
    error: "Give either limitW in W, or limitA in A per phase with phases.",
  })
  .refine((one) => (one.limitA === undefined) === (one.phases === undefined), {
    path: ["phases"],
    error: "A limit in A needs its phases, 1 or 3; one in W has none.",
  });

export const capacityWish = z.strictObject({
  periods: z
    .array(period, { error: "Give a list of periods; an empty one takes the profile back." })
    .max(MOST_PERIODS, { error: `Give at most ${MOST_PERIODS} periods: ten days of minutes.` }),
});

/** One period in W, whichever way it was said: A per phase x phases x V, rounded down. */
export const periodInW = ({
  from,
  until,
  limitW: inW,
  limitA = 0,
  phases = 1,
  voltageV,
}: z.output<typeof period>): { readonly from: EpochSecond; readonly until: EpochSecond; readonly limitW: Watt } => ({
  from,
  until,
  limitW: inW ?? watt(Math.floor(limitA * phases * voltageV)),
});

export const orderWish = z.strictObject({
  orderId: id.meta({ description: "Chosen by whoever orders; the same id again is the same order, answered again." }),
  direction: z.enum(["down", "up"], { error: 'Give "down" for less load than planned, "up" for more.' }),
  powerW: powerW(100_000_000),
  from: instant,
  until: instant,
  pricePerKwhMicroEur: price.nullable().default(null),
  force: z
    .boolean({ error: "Give true or false." })
    .default(false)
    .meta({ description: "Emergency: applied in full, even against promises. Not for keys of a HEMS." }),
});
export const ofOrder = z.strictObject({ groupId: id, orderId: id });

/* ------------------------------------------------------------------------------------------------- answers */

export const capacity = z
  .object({
    givenAt: instantText,
    givenBy: z.string(),
    periods: z.array(z.object({ from: instantText, until: instantText, limitW: w })),
  })
  .meta({ id: "CapacityProfile" });
export const capacityOut = (of: CapacityProfile): z.input<typeof capacity> => ({
  givenAt: at(of.givenAt),
  givenBy: of.givenBy,
  periods: of.periods.map(({ from, until, limitW }) => ({ from: at(from), until: at(until), limitW })),
});

export const order = z
  .object({
    orderId: z.string(),
    direction: z.enum(["down", "up"]),
    powerW: w,
    from: instantText,
    until: instantText,
    pricePerKwhMicroEur: moneyText.nullable(),
    force: z.boolean(),
    givenAt: instantText,
    answer: z.enum(["accepted", "reduced", "refused"]),
    state: z.enum(["acknowledged", "refused", "met", "partly", "missed"]),
    slots: z.array(
      z.object({
        from: instantText,
        orderedWh: wh,
        plannedWh: wh.meta({ description: "Wh; the cars' energy in the plan that the order is settled against" }),
        acknowledgedWh: wh,
        measuredWh: wh.nullable(),
        deliveredWh: wh.nullable(),
      }),
    ),
    baseline: z.object({ planId: z.string(), problemHash: z.string(), planHash: z.string() }),
    atRisk: z.array(z.object({ sessionId: z.string(), missingWh: wh })),
    deliveredWh: wh.nullable(),
    amountMicroEur: moneyText.nullable(),
    settledAt: instantText.nullable(),
  })
  .meta({ id: "FlexibilityOrder" });

export function orderOut(of: FlexibilityOrder, settled: OrderSettlement | null): z.input<typeof order> {
  return {
    orderId: of.id.slice(of.groupId.length + 1),
    direction: of.direction,
    powerW: of.powerW,
    from: at(of.from),
    until: at(of.until),
    pricePerKwhMicroEur: of.price === null ? null : money(of.price),
    force: of.force,
    givenAt: at(of.givenAt),
    answer: of.answer,
    state: of.answer === "refused" ? "refused" : (settled?.outcome ?? "acknowledged"),
    slots: of.slots.map(({ slot, orderedWh, plannedWh, acknowledgedWh }, k) => ({
      from: at(slotStart(slot)),
      orderedWh,
      plannedWh,
      acknowledgedWh,
      measuredWh: settled?.slots[k]?.measuredWh ?? null,
      deliveredWh: settled?.slots[k]?.deliveredWh ?? null,
    })),
    baseline: of.baseline,
    atRisk: of.atRisk.map(({ sessionId, missingWh }) => ({ sessionId, missingWh })),
    deliveredWh: settled?.deliveredWh ?? null,
    amountMicroEur: settled ? money(settled.amountMicroEur) : null,
    settledAt: settled ? at(settled.settledAt) : null,
  };
}
