/** Bills as they go out: what was billed, how the bill stands, its receipt, its dispute. */
import { z } from "zod";
import { type BillState, corrected, type DisputeTerms } from "../domain/disputes.ts";
import type { MeterReading } from "../domain/meters.ts";
import type { StayFigures } from "../usecases/billFigures.ts";
import type { DisputeFile, StandingBill } from "../usecases/billStates.ts";
import type { Settlement } from "../usecases/ports.ts";
import { at, atOrNull, instantText, money, moneyText, w, wh } from "./quantities.ts";

type Out<S extends z.ZodType> = z.output<S>;

export const bill = z.object({
  sessionNumber: z.int(),
  settledAt: instantText,
  energyWh: wh,
  amountMicroEur: moneyText,
  creditMicroEur: moneyText,
  compensationMicroEur: moneyText,
  flexWh: wh,
  ancestorWh: wh.meta({ description: "Wh; the ancestor rule's figure, shown and never minted" }),
  detailHash: z.string().meta({ description: "Leaf of the receipt, on chain" }),
  batch: z.int().nullable().meta({ description: "Batch on chain; null until it is posted" }),
});
export const billOut = (of: Settlement): Out<typeof bill> => ({
  sessionNumber: of.sessionNumber,
  settledAt: at(of.settledAt),
  energyWh: of.energyWh,
  amountMicroEur: money(of.amountMicroEur),
  creditMicroEur: money(of.creditMicroEur),
  compensationMicroEur: money(of.compensationMicroEur),
  flexWh: of.flexWh,
  ancestorWh: of.ancestorWh,
  detailHash: of.detailHash,
  batch: of.batch,
});

const KINDS = [
  ...["unbilled", "waiting", "posting", "open", "asked", "disputed", "resolved", "expired", "final"],
] as const satisfies readonly BillState["kind"][];
const state = z
  .object({
    kind: z.enum(KINDS).meta({
      description:
        "unbilled: nobody is billed; waiting: for a batch; posting: on its way to the chain; open: can be disputed " +
        "before `until`; asked: a dispute is on its way; disputed: undecided it ends at `until` in the driver's favour; " +
        "resolved: by the arbiter; expired: nobody decided in time; final",
    }),
    until: instantText.nullable(),
    refundMicroEur: moneyText.meta({ description: "micro-euro that the bill was lowered by" }),
    flexDeltaWh: wh.meta({ description: "Wh of FLEX given; negative: taken back" }),
  })
  .meta({ id: "BillState" });
const stateOut = (of: BillState): Out<typeof state> => ({
  kind: of.kind,
  until: atOrNull("until" in of ? of.until : null),
  refundMicroEur: money("refundMicroEur" in of ? of.refundMicroEur : 0n),
  flexDeltaWh: "flexDeltaWh" in of ? of.flexDeltaWh : 0,
});

export const settlement = bill
  .extend({
    state,
    dueMicroEur: moneyText.meta({ description: "micro-euro; the bill less what it was lowered by" }),
  })
  .meta({ id: "Settlement" });
export const settlementOut = ({ bill: of, dispute, state: standing }: StandingBill): Out<typeof settlement> => ({
  ...billOut(of),
  state: stateOut(standing),
  dueMicroEur: money(corrected(of, dispute?.closed ?? null).dueMicroEur),
});

export const carbon = z.object({ meteredG: z.int(), atOnceG: z.int() }).meta({
  description:
    "g of CO2 equivalent of the grid's share, by its mean intensity in each quarter-hour: of the energy as it was charged, " +
    "and had the car drawn it uncontrolled; null where a quarter-hour is not known. Not part of the bill",
});
export const receipt = settlement
  .extend({
    receipt: z.string().meta({ description: "Canonical text; with the salt it gives detailHash" }),
    salt: z.string(),
    solar: z
      .object({ solarWh: wh, ofWh: wh })
      .nullable()
      .meta({
        description:
          "Wh that came from the group's PV: in each quarter-hour its share of all that the group used; of the energy of " +
          "those that were measured. Not part of the bill",
      }),
    carbon: carbon.nullable(),
  })
  .meta({ id: "Receipt" });
export const receiptOut = (of: StandingBill, { solar, emissions }: StayFigures): Out<typeof receipt> => ({
  ...settlementOut(of),
  receipt: of.bill.receipt,
  salt: of.bill.salt,
  solar,
  carbon: emissions,
});

/* ----------------------------------------------------------------------------------------------- disputes */

export const dispute = z
  .object({
    sessionId: z.string(),
    bill: settlement,
    windowS: z.int().meta({ description: "s after posting in which a bill can be disputed; 0: never" }),
    termS: z.int().meta({ description: "s in which a dispute is decided, or ends in the driver's favour" }),
    costMicroEur: moneyText.meta({ description: "What a dispute costs the driver" }),
    reason: z.string().nullable().meta({ description: "The driver's words; they are not on chain" }),
    askedAt: instantText.nullable(),
    openedAt: instantText.nullable().meta({ description: "Time of the block" }),
    decision: z
      .object({ at: instantText, refundMicroEur: moneyText, flexDeltaWh: wh, text: z.string() })
      .nullable()
      .meta({ description: "The arbiter's; the bill's state changes once the chain has it" }),
    next: z.string().meta({ description: "What happens next, in words" }),
  })
  .meta({ id: "Dispute" });
export const disputeOut = (of: StandingBill, terms: DisputeTerms): Out<typeof dispute> => ({
  sessionId: of.bill.sessionId,
  bill: settlementOut(of),
  windowS: terms.windowS,
  termS: terms.termS,
  costMicroEur: "0",
  reason: of.dispute?.reason ?? null,
  askedAt: atOrNull(of.dispute?.askedAt ?? null),
  openedAt: atOrNull(of.dispute?.openedAt ?? null),
  decision: of.dispute?.decision
    ? {
        at: at(of.dispute.decision.at),
        refundMicroEur: money(of.dispute.decision.refundMicroEur),
        flexDeltaWh: of.dispute.decision.flexDeltaWh,
        text: of.dispute.decision.text,
      }
    : null,
  next: nextOf(of, terms),
});

/** In the largest unit of which it is a whole number. */
function lasting(seconds: number): string {
  if (seconds % 86_400 === 0) return `${seconds / 86_400} days`;
  if (seconds % 3600 === 0) return `${seconds / 3600} hours`;
  return seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`;
}

function nextOf({ state: standing, dispute: known }: StandingBill, { windowS, termS }: DisputeTerms): string {
  const never = "Bills cannot be disputed here: this deployment's window for disputes is 0 seconds.";
  switch (standing.kind) {
    case "unbilled":
      return "Nobody is billed for this session, so there is nothing to dispute.";
    case "waiting":
    case "posting":
      return windowS === 0
        ? `The bill goes on chain and is final then. ${never}`
        : `The bill goes on chain with the next batch. From then on it can be disputed for ${lasting(windowS)}.`;
    case "open":
      return (
        `The bill can be disputed until ${at(standing.until)}, once. It costs nothing: we send it to the chain. What was ` +
        `paid for this bill is set aside until an arbiter, who is neither the operator nor who bills, has decided; ` +
        `without a decision within ${lasting(termS)} all of it goes back.`
      );
    case "asked":
      return "The dispute is signed and on its way to the chain. Once it is there, an arbiter decides.";
    case "disputed":
      return known?.decision
        ? "The arbiter has decided; the decision is on its way to the chain."
        : `What was paid for this bill is set aside. An arbiter decides; without a decision by ${at(standing.until)} all of it goes back to the driver.`;
    case "resolved":
      return "The arbiter has decided. The refund is off the debt or in the driver's balance; the bill is final.";
    case "expired":
      return "Nobody decided in time: the whole bill was refunded. It is final.";
    case "final":
      if (windowS === 0) return never;
      return known
        ? "The dispute did not reach the chain in time. The bill is final."
        : "The time for disputes is over. The bill is final.";
  }
}

const interval = z.object({
  from: instantText,
  to: instantText,
  baselineWh: wh,
  allowedWh: wh,
  meteredWh: wh,
});
export const disputeFile = dispute
  .extend({
    receipt: z.string().meta({ description: "Canonical text of everything that the bill was computed from" }),
    salt: z.string(),
    genuine: z.boolean().meta({ description: "Whether receipt and salt give the hash that was posted" }),
    meter: z
      .object({ startAt: instantText, startWh: wh, endAt: instantText, endWh: wh })
      .nullable()
      .meta({ description: "The meter record; null when the receipt cannot be read" }),
    promise: z
      .object({ energyWh: wh, by: instantText, outcome: z.enum(["kept", "late", "short"]), missingWh: wh })
      .nullable(),
    slots: z.array(interval).meta({ description: "Slot by slot: baseline, what was allowed, what was metered" }),
    readings: z.array(z.object({ at: instantText, registerWh: wh, powerW: w })),
  })
  .meta({ id: "DisputeFile" });
export const disputeFileOut = (
  of: DisputeFile,
  readings: readonly MeterReading[],
  terms: DisputeTerms,
): Out<typeof disputeFile> => ({
  ...disputeOut(of, terms),
  receipt: of.bill.receipt,
  salt: of.bill.salt,
  genuine: of.genuine,
  meter: of.receipt && {
    startAt: at(of.receipt.meter.startAt),
    startWh: of.receipt.meter.startWh,
    endAt: at(of.receipt.meter.endAt),
    endWh: of.receipt.meter.endWh,
  },
  promise: of.receipt?.promise
    ? {
        energyWh: of.receipt.promise.energyWh,
        by: at(of.receipt.promise.by),
        outcome: of.receipt.promise.outcome,
        missingWh: of.receipt.promise.missingWh,
      }
    : null,
  slots: (of.receipt?.flex.intervals ?? []).map(({ from, to, baselineWh, allowedWh, meteredWh }) => ({
    ...{ from: at(from), to: at(to), baselineWh, allowedWh, meteredWh },
  })),
  readings: readings.map((one) => ({ at: at(one.at), registerWh: one.registerWh, powerW: one.powerW })),
});
