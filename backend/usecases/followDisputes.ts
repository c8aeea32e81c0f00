/**
 * What the chain says of batches and disputes, noted block by block, and what follows from it: batches whose window is
 * over are finalised, disputes that nobody decided in time expire in the driver's favour, and a dispute that did not
 * reach the chain in time is given up. Where nothing can be disputed there is nothing to follow.
 */
import { type Dispute, endsAt } from "../domain/disputes.ts";
import type { EpochSecond } from "../domain/units.ts";
import { disputeKey, resolveKey } from "./ledgerPort.ts";
import type { ChainNews, ChainWatch, Settlement, WatchedEvent, World } from "./ports.ts";

/** A decision that was made in time has so long to reach the chain; then the driver waits no longer, s. */
const WAY_S = 86_400;

type Needs = Pick<World, "store" | "ledger">;

/** Name of the snapshot that holds the last block that was looked at. */
const FOLLOWED = "disputes followed";

/**
 * Called now and then; two at once would note the same twice. Rejects while the chain is away. Answers the number of new
 * events. `run` takes the changes into the service's line of steps; the chain is asked outside of it, since it may not answer.
 */
export async function followDisputes(
  world: Needs,
  watch: ChainWatch,
  run: (step: () => Promise<void>) => Promise<void> = (step) => step(),
): Promise<number> {
  if (world.ledger.disputeTerms.windowS === 0) return 0;
  const seen = (await world.store.snapshots.load(FOLLOWED))?.state as { readonly block: number } | undefined;
  const news = await watch.since(seen?.block ?? null);
  if (!news) return 0;
  await run(() => take(world, news));
  return news.events.length;
}

async function take(world: Needs, news: ChainNews): Promise<void> {
  await world.store.transaction(async (store) => {
    const inStep = { ...world, store };
    const numbers = new Map((await store.sites.cpos()).map((cpo) => [cpo.id, cpo.number]));
    const ids = new Map([...numbers].map(([id, number]) => [number, id]));
    for (const event of news.events) {
      const cpoId = ids.get(event.cpo);
      // Others may bill through the same contract.
      if (cpoId !== undefined) await note(inStep, cpoId, event);
    }
    await act(inStep, numbers, news.at);
    await store.snapshots.save(FOLLOWED, news.at, { block: news.block });
  });
}

async function note(world: Needs, cpoId: string, event: WatchedEvent): Promise<void> {
  const { store } = world;
  if ("seq" in event) return store.bills.markBatch(cpoId, event.seq, event.kind, event.at);
  const session = await store.sessions.byNumber(event.number);
  if (!session) return;
  const known = (await store.disputes.ofSession(session.id)) ?? openedElsewhere(session.id, cpoId, event.at);
  if (event.kind === "disputed") return store.disputes.put({ ...known, openedAt: event.at, lapsedAt: null });

  const { refund: refundMicroEur, back: backMicroEur, flexDeltaWh } = event;
  await store.disputes.put({ ...known, closed: { at: event.at, refundMicroEur, backMicroEur, flexDeltaWh } });
  const { decision } = known;
  if (!decision || (decision.refundMicroEur === refundMicroEur && decision.flexDeltaWh === flexDeltaWh)) return;
  await store.outbox.cancel(resolveKey(event.cpo, event.number));
  await store.incidents.add({
    id: `overtaken:${session.id}`,
    at: event.at,
    groupId: session.groupId,
    kind: "chain",
    text:
      `The dispute of session ${session.id} was decided with ${decision.refundMicroEur} micro-euro of refund and ` +
      `${decision.flexDeltaWh} Wh of FLEX, but ended on chain with ${refundMicroEur} and ${flexDeltaWh}.`,
  });
}

/** A driver may go to the contract itself, and an arbiter may open a dispute for one. */
const openedElsewhere = (sessionId: string, cpoId: string, at: EpochSecond): Dispute => ({
  ...{ sessionId, cpoId, reason: null, askedAt: at },
  ...{ openedAt: null, lapsedAt: null, decision: null, closed: null },
});

/** `now` is the time of the latest block: the contract decides by it. */
async function act(world: Needs, numbers: ReadonlyMap<string, number>, now: EpochSecond): Promise<void> {
  const { store, ledger } = world;
  // What is disputed has left the pot: the other bills of its batch do not wait for it.
  for (const { cpoId, seq, postedAt } of await store.bills.unfinalised())
    if (postedAt !== null && postedAt + ledger.disputeTerms.windowS <= now)
      await store.outbox.enqueue(ledger.finalise({ cpo: numbers.get(cpoId) as number, seq }));
  for (const dispute of await store.disputes.unfinished()) {
    const bill = await store.bills.ofSession(dispute.sessionId);
    if (!bill) continue;
    const line = { cpo: numbers.get(bill.cpoId) as number, number: bill.sessionNumber };
    if (dispute.openedAt === null) await giveUp(world, dispute, bill, line, now);
    else if (endsAt(dispute.openedAt, ledger.disputeTerms) + (dispute.decision ? WAY_S : 0) <= now)
      await store.outbox.enqueue(ledger.expire(line));
  }
}

/** Once the window is over, a dispute that the chain has not shown by then will never be there. */
async function giveUp(
  { store, ledger }: Needs,
  dispute: Dispute,
  { cpoId, batch }: Settlement,
  line: { readonly cpo: number; readonly number: number },
  now: EpochSecond,
): Promise<void> {
  const posted = (await store.bills.batches(cpoId)).find(({ seq }) => seq === batch)?.postedAt ?? null;
  if (posted === null || now < posted + ledger.disputeTerms.windowS) return;
  await store.disputes.put({ ...dispute, lapsedAt: now });
  await store.outbox.cancel(disputeKey(line.cpo, line.number));
}
