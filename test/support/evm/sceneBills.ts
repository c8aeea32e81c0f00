/** Settlement: batches, debts, credits, disputes to their end, payments, the stop. */
import { id as hash } from "ethers";
import { aLine, CPO, EURO, FAR, type Line, leafOf, proofOf } from "../settlement.ts";
import { by, sign } from "./calls.ts";
import { DAY } from "./deploymentOf.ts";
import type { Stage } from "./stage.ts";

/** DISPUTE_TERM. */
const TERM_S = 30 * DAY;

export async function bills(stage: Stage): Promise<void> {
  const { people, addressOf, encode, wait } = stage;
  const [biller, arbiter, stranger] = [by(stage, "biller"), by(stage, "arbiter"), by(stage, "stranger")];
  const anna = by(stage, "anna");
  const settlement = addressOf("Settlement");
  const line = (who: string, number: number, part: Partial<Line> = {}) => aLine(people[who]!, { number, ...part });
  const lines = [
    line("anna", 1),
    line("ben", 2, { wh: 20_000, flex: 5_000 }),
    // Carl has no money: a debt.
    line("carl", 3),
    line("anna", 4, { amount: 0n, credit: EURO, flex: 0 }),
    line("ben", 5, { amount: 2n * EURO }),
  ];
  const leaves = lines.map((one) => leafOf(settlement, 1, one));
  const proof = (i: number) => proofOf(leaves, i);

  await stranger.not("AccessManagedUnauthorized", "post", CPO, 1, lines);
  await biller.not("UnknownCpo", "post", 99, 1, lines);
  await biller.not("OutOfOrder", "post", CPO, 2, lines);
  await biller.not("EmptyBatch", "post", CPO, 1, []);
  for (const [error, part] of [
    ["WrongTariff", { tariff: 99 }],
    ["AboveTariff", { amount: 4_500_001n }],
    ["FlexAboveEnergy", { flex: 10_001 }],
    ["CreditNotAllowed", { credit: 1n }],
    ["CreditNotAllowed", { amount: 0n, credit: 10_000_001n }],
    ["UnknownDriver", { driver: people.stranger!.address }],
  ] as const)
    await biller.not(error, "post", CPO, 1, [line("anna", 1, part)]);
  await biller.not("AlreadyBilled", "post", CPO, 1, [lines[0], lines[0]]);
  await biller.does("post", CPO, 1, lines);
  await biller.not("OutOfOrder", "post", CPO, 1, lines);
  // More credit than the CPO has.
  const poor = Array.from({ length: 6 }, (_, i) => line("carl", 10 + i, { amount: 0n, credit: 10n * EURO, flex: 0 }));
  await biller.does("post", CPO, 2, poor);

  await arbiter.not("NotDisputed", "resolve", CPO, 1, 0, 0);
  await anna.not("UnknownBatch", "dispute", CPO, 9, lines[0], proof(0));
  await anna.not("InvalidProof", "dispute", CPO, 1, { ...lines[0], amount: EURO }, proof(0));
  await stranger.not("AccessManagedUnauthorized", "dispute", CPO, 1, lines[0], proof(0));
  await anna.does("dispute", CPO, 1, lines[0], proof(0));
  await anna.not("AlreadyDisputed", "dispute", CPO, 1, lines[0], proof(0));
  await arbiter.does("dispute", CPO, 1, lines[2], proof(2));
  const intent = (number: number, nonce: number) => {
    const driver = people.ben!.address;
    return { driver, cpo: CPO, number, nonce, deadline: FAR };
  };
  const mine = intent(2, 2);
  const signed = await sign(stage, "ben", "DisputeIntent", mine);
  await stranger.not("IntentRefused", "disputeBySig", 1, lines[0], proof(0), mine, signed);
  await stranger.does("disputeBySig", 1, lines[1], proof(1), mine, signed);
  await stranger.not("IntentRefused", "disputeBySig", 1, lines[1], proof(1), mine, signed);
  await anna.does("claimFlex", people.anna!.address);

  await stranger.not("AccessManagedUnauthorized", "resolve", CPO, 1, 0, 0);
  await arbiter.not("RefundTooHigh", "resolve", CPO, 1, 3n * EURO + 1n, 0);
  await arbiter.not("FlexAboveEnergy", "resolve", CPO, 1, 0, 8_001);
  // Half back, and the flexibility that was claimed already becomes a debt.
  await arbiter.does("resolve", CPO, 1, 1_500_000n, -2_000);
  await arbiter.not("NotDisputed", "resolve", CPO, 1, 0, 0);
  await stranger.not("NotFinal", "settleOwed", CPO, 3, EURO);
  await stranger.not("WindowOpen", "finalise", CPO, 1);
  wait(3 * DAY);
  await by(stage, "ben").not("WindowClosed", "dispute", CPO, 1, lines[4], proof(4));
  await stranger.not("UnknownBatch", "finalise", CPO, 9);
  await stranger.does("finalise", CPO, 1);
  await stranger.not("AlreadyFinalised", "finalise", CPO, 1);
  await stranger.not("DisputeOpen", "settleOwed", CPO, 3, EURO);
  await arbiter.does("resolve", CPO, 3, EURO, 500);
  await stranger.not("MoreThanOwed", "settleOwed", CPO, 3, 2n * EURO + 1n);
  await stranger.does("settleOwed", CPO, 3, EURO);
  await stranger.not("DisputeOpen", "expire", CPO, 2);
  wait(TERM_S);
  await stranger.not("NotDisputed", "expire", CPO, 5);
  await stranger.does("expire", CPO, 2);
  // Earned again: the debt of flexibility is paid first.
  await biller.does("post", CPO, 3, [line("anna", 20, { flex: 3_000 })]);

  // A tree that is odd on most levels.
  const many = Array.from({ length: 39 }, (_, i) => line("ben", 100 + i, { amount: BigInt(i), flex: i }));
  await biller.does("post", CPO, 4, many);
  const twigs = many.map((one) => leafOf(settlement, 4, one));
  await by(stage, "ben").does("dispute", CPO, 4, many[38], proofOf(twigs, 38));

  await biller.not("UnknownDriver", "pay", CPO, people.stranger!.address, EURO, hash("order 1"));
  await biller.does("pay", CPO, people.anna!.address, EURO, hash("order 1"));
  await biller.not("AlreadyPaid", "pay", CPO, people.anna!.address, EURO, hash("order 1"));
  await biller.not("InsufficientBalance", "pay", CPO, people.anna!.address, 1_000n * EURO, hash("order 2"));

  await biller.not("AccessManagedUnauthorized", "pause");
  await by(stage, "pauser").does("pause");
  await biller.not("EnforcedPause", "post", CPO, 5, [line("anna", 21)]);
  const admin = by(stage, "admin", "AccessManager");
  await admin.does("schedule", settlement, encode("Settlement", "unpause", []), 0);
  wait(2 * DAY);
  await by(stage, "admin").does("unpause");
  await by(stage, "stranger").not("AccessManagedUnauthorized", "unpause");

  for (const [verb, ...args] of [
    ["batchOf", CPO, 1],
    ["lastSeq", CPO],
    ["isBilled", CPO, 3],
    ["isBilled", CPO, 300],
    ["debtOf", CPO, 3],
    ["disputeOf", CPO, 2],
    ["isPaid", CPO, hash("order 1")],
    ["leafOf", CPO, 1, lines[0]],
    ...["euro", "flexToken", "window", "tariffNotice", "withdrawNotice", "payeeNotice", "maxCredit"].map((one) => [
      one,
    ]),
    ...["DISPUTE_TERM", "paused", "retired", "eip712Domain", "held"].map((one) => [one]),
  ] as [string, ...unknown[]][])
    await stranger.does(verb, ...args);
}
