import { expect } from "chai";
import { id as hash, MaxUint256 } from "ethers";
import { networkHelpers } from "../support/chain.ts";
import { randomFrom } from "../support/problems.ts";
import {
  aLine,
  anIntent,
  blockTime,
  EURO,
  FAR,
  type Line,
  leafOf,
  proofOf,
  settlementFixture,
  signAs,
  signIntent,
  TERMS,
} from "../support/settlement.ts";
import { createModel, type Model, Refused } from "../support/settlementModel.ts";

/** Random sequences of `STEPS` calls; more by SETTLEMENT_SEQUENCES. */
const SEQUENCES = Number(process.env.SETTLEMENT_SEQUENCES ?? 6);
const STEPS = 120;
const HOUR = 3_600;
const CPOS = [3, 8] as const;
const DELAYS = { windowS: 4 * HOUR, withdrawNoticeS: HOUR };
const TERM_S = 30 * 24 * HOUR;

/** Two CPOs (the second's payee is a driver, too), three drivers, one stranger, all with euros and an approval. */
async function town() {
  const fixture = await settlementFixture(DELAYS);
  const { settlement, euro, faucet, asRegistrar, address, payee, anna, ben, carl, stranger } = fixture;
  const people = [anna, ben, carl, payee, stranger];
  await asRegistrar.setPayee(8, carl.address);
  await asRegistrar.setTariff(9, { ...TERMS, cpo: 8 });
  for (const person of people) {
    await euro.connect(faucet).mint(person.address, 50n * EURO);
    await euro.connect(person).approve(address, MaxUint256);
  }
  return { ...fixture, people, settlement };
}
type Town = Awaited<ReturnType<typeof town>>;

function modelOf({ people, anna, ben, carl, payee }: Town): Model {
  const model = createModel({ ...DELAYS, termS: TERM_S, maxCredit: 10n * EURO });
  for (const person of people) model.mint(person.address, 50n * EURO);
  for (const driver of [anna, ben, carl]) model.registerDriver(driver.address);
  model.setPayee(3, payee.address);
  model.setPayee(8, carl.address);
  model.setTariff(4, TERMS);
  model.setTariff(9, { ...TERMS, cpo: 8 });
  return model;
}

type Step = { name: string; send: () => Promise<unknown>; expected: (now: number) => void };

/** One random call: mostly sensible, sometimes wrong on purpose. */
function randomStep(place: Town, model: Model, random: () => number, step: number): Step {
  const { settlement, euro, flex, asBiller, asRegistrar, people, address, arbiter, anna, ben, carl } = place;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const upTo = (most: bigint) => BigInt(Math.floor(random() * Number(most + 1n)));
  const person = pick(people);
  const other = pick(people);
  const as = settlement.connect(person);
  const cpo = pick(CPOS);
  const seqs = [...model.batches.keys()].filter((key) => key.startsWith(`${cpo}:`)).length;
  const balance = model.accounts.get(person.address)?.available ?? 0n;
  const ref = hash(`ref ${Math.floor(random() * 30)}`);
  const now = (call: (at: number) => void) => call;

  const lines = Array.from({ length: 1 + Math.floor(random() * 5) }, (): Line => {
    const compensated = random() < 0.25;
    const wh = 1 + Math.floor(random() * 20_000);
    return aLine(random() < 0.97 ? pick([anna, ben, carl]) : place.stranger, {
      number: random() < 0.97 ? step * 10 + Math.floor(random() * 10) : Math.floor(random() * 50),
      wh,
      flex: Math.floor(random() * wh * (random() < 0.97 ? 1 : 1.3)),
      amount: compensated ? 0n : upTo(BigInt(wh) * 350n + (random() < 0.97 ? EURO : 3n * EURO)),
      credit: compensated ? upTo(random() < 0.95 ? 10n * EURO : 12n * EURO) : random() < 0.01 ? 1n : 0n,
      tariff: random() < 0.97 ? (cpo === 3 ? 4 : 9) : 4,
    });
  });

  const steps: (() => Step)[] = [
    () => {
      const amount = upTo(random() < 0.9 ? 10n * EURO : 80n * EURO);
      return {
        name: "deposit",
        send: () => as.deposit(other.address, amount),
        expected: () => model.deposit(person.address, other.address, amount),
      };
    },
    () => {
      const amount = upTo(2n * balance);
      return {
        name: "requestWithdraw",
        send: () => as.requestWithdraw(amount),
        expected: now((at) => model.requestWithdraw(person.address, amount, at)),
      };
    },
    () => {
      const amount = upTo(balance + balance / 4n);
      return {
        name: "withdraw",
        send: () => as.withdraw(amount, person.address),
        expected: now((at) => model.withdraw(person.address, amount, at)),
      };
    },
    ...Array(4).fill(() => {
      const seq = random() < 0.95 ? seqs + 1 : seqs;
      return {
        name: "post",
        send: () => asBiller.post(cpo, seq, lines),
        expected: now((at: number) => model.post(cpo, seq, lines, at)),
      };
    }),
    ...Array(2).fill(() => {
      const open = [...model.batches].find(([key, { finalised }]) => key.startsWith(`${cpo}:`) && !finalised)?.[0];
      const seq = open !== undefined && random() < 0.8 ? Number(open.split(":")[1]) : Math.floor(random() * (seqs + 2));
      return {
        name: "finalise",
        send: () => as.finalise(cpo, seq),
        expected: now((at: number) => model.finalise(cpo, seq, at)),
      };
    }),
    ...Array(3).fill(() => {
      const keys = [...model.debts.keys()].filter((key) => key.startsWith(`${cpo}:`)).slice(0, 5);
      const number = keys.length > 0 ? Number(pick(keys).split(":")[1]) : 77;
      const { driver, amount: owed } = model.debts.get(`${cpo}:${number}`) ?? { driver: "", amount: 0n };
      const has = model.accounts.get(driver)?.available ?? 0n;
      const amount = upTo(random() < 0.8 && has < owed ? has : owed + 1n);
      return {
        name: "settleOwed",
        send: () => as.settleOwed(cpo, number, amount),
        expected: () => model.settleOwed(cpo, number, amount),
      };
    }),
    ...Array(3).fill(() => {
      // Mostly a line of the newest batch by its driver, sometimes of another batch, unknown, or altered.
      const seq = Math.max(1, random() < 0.8 ? seqs : Math.floor(random() * (seqs + 2)));
      const all = model.batches.get(`${cpo}:${seq}`)?.lines ?? [aLine(anna, { number: 77 })];
      const honest = pick(all);
      const line = random() < 0.95 ? honest : { ...honest, amount: honest.amount + 1n };
      const leaves = all.map((one) => leafOf(address, seq, one, cpo));
      const proof = proofOf(leaves, all.indexOf(honest));
      const driver = people.find((one) => one.address === line.driver) ?? arbiter;
      return {
        name: "dispute",
        send: () => settlement.connect(random() < 0.5 ? driver : arbiter).dispute(cpo, seq, line, proof),
        expected: now((at: number) => model.dispute(cpo, seq, line, at)),
      };
    }),
    ...Array(2).fill(() => {
      const keys = [...model.disputes].filter(
        ([key, { open }]) => key.startsWith(`${cpo}:`) && (open || random() < 0.1),
      );
      const [key, dispute] = keys.length > 0 ? pick(keys) : [`${cpo}:77`, undefined];
      const number = Number(key.split(":")[1]);
      const { amount, flex, wh } = dispute?.line ?? aLine(anna);
      const refund = upTo(random() < 0.9 ? amount : amount + EURO);
      const delta = upTo(BigInt(wh)) - BigInt(random() < 0.9 ? flex : wh);
      return {
        name: "resolve",
        send: () => settlement.connect(arbiter).resolve(cpo, number, refund, delta),
        expected: () => model.resolve(cpo, number, refund, delta),
      };
    }),
    () => {
      const keys = [...model.disputes.keys()].filter((key) => key.startsWith(`${cpo}:`));
      const number = keys.length > 0 ? Number(pick(keys).split(":")[1]) : 77;
      return {
        name: "expire",
        send: () => as.expire(cpo, number),
        expected: now((at: number) => model.expire(cpo, number, at)),
      };
    },
    () => {
      const amount = upTo(2n * EURO);
      return {
        name: "pay",
        send: () => asBiller.pay(cpo, other.address, amount, ref),
        expected: () => model.pay(cpo, other.address, amount, ref),
      };
    },
    () => {
      const price = upTo(300_000n);
      return {
        name: "setOffer",
        send: () => asRegistrar.setOffer(cpo, price),
        expected: () => model.setOffer(cpo, price),
      };
    },
    () => {
      const amount = upTo(3n * EURO);
      const target = random() < 0.95 ? cpo : 12;
      return {
        name: "fundPot",
        send: () => as.fundPot(target, amount),
        expected: () => model.fundPot(person.address, target, amount),
      };
    },
    () => {
      const amount = upTo(2n * EURO);
      return {
        name: "reclaimPot",
        send: () => as.reclaimPot(cpo, amount),
        expected: () => model.reclaimPot(person.address, cpo, amount),
      };
    },
    () => ({
      name: "claimFlex",
      send: () => as.claimFlex(other.address),
      expected: () => model.claimFlex(person.address, other.address),
    }),
    ...Array(2).fill(() => {
      const wh = upTo(
        (model.accounts.get(person.address)?.flex ?? 0n) + (model.tokens.get(person.address) ?? 0n) + 100n,
      );
      return {
        name: "redeem",
        send: () => as.redeem(cpo, wh, 0),
        expected: () => model.redeem(person.address, cpo, wh, 0n),
      };
    }),
    () => {
      const wh = upTo((model.accounts.get(person.address)?.flex ?? 0n) + 50n);
      const send = async () => {
        const { nonce } = await settlement.accountOf(person.address);
        const intent = anIntent(person, { cpo, wh, nonce: Number(nonce) });
        return settlement.connect(other).redeemBySig(intent, await signIntent(person, address, intent));
      };
      return { name: "redeemBySig", send, expected: () => model.redeem(person.address, cpo, wh, 0n) };
    },
    () => {
      const amount = upTo(2n * balance);
      const send = async () => {
        const { nonce } = await settlement.accountOf(person.address);
        const intent = { owner: person.address, amount, nonce: Number(nonce), deadline: FAR };
        return settlement
          .connect(other)
          .requestWithdrawBySig(intent, await signAs(person, address, "RequestIntent", intent));
      };
      return {
        name: "requestWithdrawBySig",
        send,
        expected: now((at) => model.requestWithdraw(person.address, amount, at)),
      };
    },
    () => {
      const amount = upTo(balance + balance / 4n);
      const send = async () => {
        const { nonce } = await settlement.accountOf(person.address);
        const intent = { owner: person.address, to: person.address, amount, nonce: Number(nonce), deadline: FAR };
        return settlement.connect(other).withdrawBySig(intent, await signAs(person, address, "WithdrawIntent", intent));
      };
      return { name: "withdrawBySig", send, expected: now((at) => model.withdraw(person.address, amount, at)) };
    },
    () => {
      const send = async () => {
        const { nonce } = await settlement.accountOf(person.address);
        const intent = { owner: person.address, to: other.address, nonce: Number(nonce), deadline: FAR };
        return settlement.connect(carl).claimFlexBySig(intent, await signAs(person, address, "ClaimIntent", intent));
      };
      return { name: "claimFlexBySig", send, expected: () => model.claimFlex(person.address, other.address) };
    },
    () => ({
      name: "donate",
      send: () => euro.connect(person).transfer(address, 1),
      expected: () => model.donate(person.address, 1n),
    }),
    () => {
      const wh = model.tokens.get(person.address) ?? 0n;
      const move = () => {
        model.tokens.set(person.address, 0n);
        model.tokens.set(other.address, (model.tokens.get(other.address) ?? 0n) + wh);
      };
      return { name: "transfer FLEX", send: () => flex.connect(person).transfer(other.address, wh), expected: move };
    },
    ...(random() < 0.1
      ? [() => ({ name: "thirty days", send: () => networkHelpers.time.increase(TERM_S), expected: () => {} })]
      : []),
    ...Array(2).fill(() => ({ name: "an hour", send: () => networkHelpers.time.increase(HOUR), expected: () => {} })),
  ];
  return pick(steps)();
}

/** Sends the call at a known time; the model says whether it must succeed or by which error it must fail. */
async function play(place: Town, step: Step): Promise<string> {
  const at = (await blockTime()) + 1;
  let error: string | null = null;
  try {
    step.expected(at);
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    error = refusal.message;
  }
  if (step.name !== "an hour" && step.name !== "thirty days") await networkHelpers.time.setNextBlockTimestamp(at);
  if (error === null) await step.send();
  else {
    const owner = error.startsWith("ERC20") ? place.euro : place.settlement;
    await expect(step.send(), step.name).to.be.revertedWithCustomError(owner, error);
  }
  return error === null ? step.name : `${step.name}: ${error}`;
}

/** The laws, and equality with the model. */
async function expectSame(place: Town, model: Model): Promise<void> {
  const { settlement, euro, flex, people, address } = place;
  const held = (await settlement.held()) as bigint;
  expect(held, "held equals the claims").to.equal(model.claims());
  expect(await euro.balanceOf(address), "backed").to.equal(held + model.totals.donated);
  let unclaimed = 0n;
  for (const person of people) {
    const { available, flex: earned, flexDebt } = await settlement.accountOf(person.address);
    const wanted = model.accounts.get(person.address) ?? { available: 0n, flex: 0n, flexDebt: 0n };
    expect([available, earned, flexDebt]).to.deep.equal([wanted.available, wanted.flex, wanted.flexDebt]);
    expect(await euro.balanceOf(person.address)).to.equal(model.wallets.get(person.address));
    expect(await flex.balanceOf(person.address)).to.equal(model.tokens.get(person.address) ?? 0n);
    unclaimed += (earned as bigint) - (flexDebt as bigint);
  }
  const supply = (await flex.totalSupply()) as bigint;
  expect(unclaimed + supply + model.totals.flexRedeemed, "FLEX is conserved").to.equal(
    model.totals.flexPosted + model.totals.flexCorrected,
  );
  for (const cpo of CPOS) {
    const seqs = [...model.batches.keys()].filter((key) => key.startsWith(`${cpo}:`)).length;
    expect(await settlement.lastSeq(cpo), "batches are dense").to.equal(BigInt(seqs));
    const { pot, price } = model.offers.get(cpo) ?? { pot: 0n, price: 0n };
    expect([...(await settlement.offerOf(cpo))]).to.deep.equal([price, pot]);
  }
}

/** What is only compared at the end, because it grows. */
async function expectSameHistory({ settlement }: Town, model: Model): Promise<void> {
  for (const [key, batch] of model.batches) {
    const [cpo, seq] = key.split(":");
    const { pot, finalised } = await settlement.batchOf(cpo, seq);
    expect([pot, finalised]).to.deep.equal([batch.pot, batch.finalised]);
  }
  for (const [key, debt] of model.debts) {
    const [cpo, number] = key.split(":");
    expect((await settlement.debtOf(cpo, number)).amount).to.equal(debt.amount);
  }
  for (const key of model.billed) expect(await settlement.isBilled(...key.split(":"))).to.equal(true);
}

describe("Settlement: invariants", () => {
  const seen = new Map<string, number>();

  for (let seed = 1; seed <= SEQUENCES; seed++)
    it(`hold and agree with the model after each of ${STEPS} random calls (sequence ${seed})`, async () => {
      const place = await networkHelpers.loadFixture(town);
      const model = modelOf(place);
      const random = randomFrom(seed * 7_919);
      for (let step = 1; step <= STEPS; step++) {
        const what = await play(place, randomStep(place, model, random, step));
        seen.set(what, (seen.get(what) ?? 0) + 1);
        await expectSame(place, model);
      }
      await expectSameHistory(place, model);
    });

  it("were tried with every verb, with success and with refusals", () => {
    const names = [...seen.keys()];
    for (const verb of [
      "deposit",
      "withdraw",
      "post",
      "finalise",
      "settleOwed",
      "dispute",
      "resolve",
      "expire",
      "requestWithdrawBySig",
      "withdrawBySig",
      "claimFlexBySig",
      "pay",
      "fundPot",
      "reclaimPot",
      "claimFlex",
      "redeem",
      "redeemBySig",
      "donate",
    ])
      expect(names, `nothing succeeded: ${names.join(", ")}`).to.include(verb);
    expect(names.filter((name) => name.includes(":")).length).to.be.greaterThan(8);
  });

  it("let everybody take out everything, also paused and retired", async () => {
    const place = await networkHelpers.loadFixture(town);
    const { settlement, asBiller, people, pauser, admin, anna, ben, payee, carl } = place;
    for (const person of people) await settlement.connect(person).deposit(person.address, 30n * EURO);
    await asBiller.post(3, 1, [aLine(anna), aLine(ben, { number: 2 })]);
    await asBiller.post(8, 1, [aLine(ben, { tariff: 9 })]);
    await settlement.connect(ben).fundPot(3, 2n * EURO);
    await settlement.connect(pauser).pause();
    await settlement.connect(admin).retire();
    await networkHelpers.time.increase(DELAYS.windowS);
    for (const cpo of CPOS) await settlement.connect(ben).finalise(cpo, 1);
    await settlement.connect(payee).reclaimPot(3, 2n * EURO);
    for (const person of people) await settlement.connect(person).requestWithdraw(1_000n * EURO);
    await networkHelpers.time.increase(HOUR);
    for (const person of people) {
      const { available } = await settlement.accountOf(person.address);
      await settlement.connect(person).withdraw(available, person.address);
    }
    expect(await settlement.held()).to.equal(0n);
    expect((await settlement.accountOf(carl.address)).available).to.equal(0n);
  });
});
