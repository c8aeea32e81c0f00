/** How bills stand, for those who look: drivers, CPOs, the arbiter. */
import { type BillState, billState, type Dispute } from "../domain/disputes.ts";
import type { EpochSecond } from "../domain/units.ts";
import { parseReceipt, type Receipt } from "../settlement/receipt.ts";
import type { Hex, Settlement, Store, World } from "./ports.ts";

type Needs = Pick<World, "store" | "ledger" | "clock">;

export type StandingBill = { readonly bill: Settlement; readonly dispute: Dispute | null; readonly state: BillState };

/** In the order of the bills. */
export async function billStates(world: Needs, bills: readonly Settlement[]): Promise<readonly StandingBill[]> {
  const { store, ledger } = world;
  const posted = new Map<string, EpochSecond | null>();
  // Where nothing can be disputed nobody notes when a batch was posted.
  if (ledger.disputeTerms.windowS > 0)
    for (const cpoId of new Set(bills.map((bill) => bill.cpoId)))
      for (const { seq, postedAt } of await store.bills.batches(cpoId)) posted.set(`${cpoId}:${seq}`, postedAt);
  const disputes = await disputesOf(store, bills);
  return bills.map((bill) => {
    const dispute = disputes.get(bill.sessionId) ?? null;
    const postedAt = posted.get(`${bill.cpoId}:${bill.batch}`) ?? null;
    return { bill, dispute, state: billState(bill, postedAt, dispute, ledger.disputeTerms, world.clock.now()) };
  });
}

export async function disputesOf(
  store: Store,
  bills: readonly Pick<Settlement, "sessionId">[],
): Promise<ReadonlyMap<string, Dispute>> {
  const found = await store.disputes.ofSessions(bills.map((bill) => bill.sessionId));
  return new Map(found.map((dispute) => [dispute.sessionId, dispute]));
}

/** Bills under dispute, with how they stand. */
export async function standingOf(world: Needs, disputes: readonly Dispute[]): Promise<readonly StandingBill[]> {
  const bills = [];
  for (const { sessionId } of disputes) bills.push(await world.store.bills.ofSession(sessionId));
  return billStates(
    world,
    bills.filter((bill) => bill !== null),
  );
}

/** What a dispute is decided on. */
export type DisputeFile = StandingBill & {
  /** Null when its text cannot be read. */
  readonly receipt: Receipt | null;
  /** Salt and text give the hash that was posted. */
  readonly genuine: boolean;
};

export async function disputeFile(world: Needs, sessionId: string): Promise<DisputeFile | null> {
  const bill = await world.store.bills.ofSession(sessionId);
  const [standing] = bill ? await billStates(world, [bill]) : [];
  if (!bill || !standing?.dispute) return null;
  const genuine = world.ledger.leaf(bill.salt as Hex, bill.receipt) === bill.detailHash;
  return { ...standing, receipt: readable(bill.receipt), genuine };
}

function readable(text: string): Receipt | null {
  try {
    return parseReceipt(text);
  } catch {
    return null;
  }
}
