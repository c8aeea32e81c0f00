/** Random calls of all verbs of Settlement, mostly sensible and sometimes wrong on purpose. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { id as hash } from "ethers";
import { aLine, anIntent, EURO, FAR, type Line, leafOf, proofOf, signAs, signIntent } from "./settlement.ts";
import { Refused } from "./settlementModel.ts";
import { CPOS, MAX_CREDIT, type Walk } from "./settlementTown.ts";

/** A call; `expected` changes the model or refuses; without `data` only time passes. */
export type Step = {
  readonly name: string;
  readonly from?: HardhatEthersSigner;
  readonly to?: string;
  readonly data?: string | Promise<string>;
  readonly expected: (now: number) => void;
};

export function randomStep(walk: Walk): Step {
  const { place, model, random, nonces, step } = walk;
  const { settlement, euro, flex, people, drivers, address, arbiter, biller, registrar, pauser, admin } = place;
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const upTo = (most: bigint) => BigInt(Math.floor(random() * Number(most + 1n)));
  const mostly = (share: number) => random() < share;
  const person = pick(people);
  const other = pick(people);
  const cpo = pick(CPOS);
  const seqs = [...model.batches.keys()].filter((key) => key.startsWith(`${cpo}:`)).length;
  const own = model.accounts.get(person.address) ?? { available: 0n, flex: 0n };
  const nonce = (nonces.get(person.address) ?? 0) + (mostly(0.97) ? 0 : 1);
  const numbersOf = (keys: Iterable<string>) =>
    [...keys].filter((key) => key.startsWith(`${cpo}:`)).map((key) => Number(key.split(":")[1]));

  const call = (from: HardhatEthersSigner, verb: string, args: unknown[], expected: Step["expected"]): Step => ({
    name: verb,
    from,
    to: address,
    data: settlement.interface.encodeFunctionData(verb, args),
    expected,
  });
  /** A verb by `person`'s signature, sent by somebody else. */
  const signed = (
    verb: string,
    type: "RequestIntent" | "WithdrawIntent" | "ClaimIntent" | "DisputeIntent" | "RedeemIntent",
    part: object,
    args: (intent: object, signature: string) => unknown[],
    expected: Step["expected"],
    otherwise = "IntentRefused",
  ): Step => {
    const intent = { nonce, deadline: FAR, ...part };
    return {
      name: verb,
      from: other,
      to: address,
      data: signAs(person, address, type, intent).then((signature) =>
        settlement.interface.encodeFunctionData(verb, args(intent, signature)),
      ),
      expected: (now) => {
        if (nonce !== (nonces.get(person.address) ?? 0)) throw new Refused(otherwise);
        expected(now);
        nonces.set(person.address, nonce + 1);
      },
    };
  };

  const lines = Array.from({ length: 1 + Math.floor(random() * 5) }, (): Line => {
    const compensated = mostly(0.25);
    const wh = 1 + Math.floor(random() * 20_000);
    return aLine(mostly(0.97) ? pick(drivers) : place.stranger, {
      number: mostly(0.97) ? step * 10 + Math.floor(random() * 10) : Math.floor(random() * 50),
      wh,
      flex: Math.floor(random() * wh * (mostly(0.97) ? 1 : 1.3)),
      amount: compensated ? 0n : upTo(BigInt(wh) * 350n + (mostly(0.97) ? EURO : 3n * EURO)),
      credit: compensated ? upTo(mostly(0.95) ? MAX_CREDIT : 12n * EURO) : mostly(0.01) ? 1n : 0n,
      tariff: mostly(0.97) ? (cpo === 3 ? 4 : 9) : 4,
    });
  });

  /** Mostly a line of the newest batch, sometimes of another batch, unknown, or altered. */
  const disputed = () => {
    const seq = Math.max(1, mostly(0.8) ? seqs : Math.floor(random() * (seqs + 2)));
    const all = model.batches.get(`${cpo}:${seq}`)?.lines ?? [aLine(pick(drivers), { number: 77 })];
    const honest = pick(all);
    const line = mostly(0.95) ? honest : { ...honest, amount: honest.amount + 1n };
    const leaves = all.map((one) => leafOf(address, seq, one, cpo));
    return { seq, line, proof: proofOf(leaves, all.indexOf(honest)) };
  };

  const steps: (() => Step)[] = [
    () => {
      const amount = upTo(mostly(0.9) ? 10n * EURO : 80n * EURO);
      return call(person, "deposit", [other.address, amount], () =>
        model.deposit(person.address, other.address, amount),
      );
    },
    () => {
      const amount = upTo(2n * own.available);
      return call(person, "requestWithdraw", [amount], (at) => model.requestWithdraw(person.address, amount, at));
    },
    () => {
      const amount = upTo(own.available + own.available / 4n);
      return call(person, "withdraw", [amount, person.address], (at) => model.withdraw(person.address, amount, at));
    },
    ...Array(4).fill(() => {
      const seq = mostly(0.95) ? seqs + 1 : seqs;
      const [sender, allowed] = mostly(0.97) ? [biller, true] : [person, false];
      return call(sender, "post", [cpo, seq, lines], (at) => {
        if (!allowed) throw new Refused("AccessManagedUnauthorized");
        if (walk.paused) throw new Refused("EnforcedPause");
        model.post(cpo, seq, lines, at);
      });
    }),
    ...Array(2).fill(() => {
      const open = [...model.batches].find(([key, { finalised }]) => key.startsWith(`${cpo}:`) && !finalised)?.[0];
      const seq = open !== undefined && mostly(0.8) ? Number(open.split(":")[1]) : Math.floor(random() * (seqs + 2));
      return call(person, "finalise", [cpo, seq], (at) => model.finalise(cpo, seq, at));
    }),
    ...Array(3).fill(() => {
      const numbers = numbersOf(model.debts.keys()).slice(0, 5);
      const number = numbers.length > 0 ? pick(numbers) : 77;
      const { driver, amount: owed } = model.debts.get(`${cpo}:${number}`) ?? { driver: "", amount: 0n };
      const has = model.accounts.get(driver)?.available ?? 0n;
      const amount = upTo(mostly(0.8) && has < owed ? has : owed + 1n);
      return call(person, "settleOwed", [cpo, number, amount], () => model.settleOwed(cpo, number, amount));
    }),
    ...Array(3).fill(() => {
      const { seq, line, proof } = disputed();
      const driver = people.find((one) => one.address === line.driver);
      const sender = driver !== undefined && mostly(0.5) ? driver : arbiter;
      return call(sender, "dispute", [cpo, seq, line, proof], (at) => model.dispute(cpo, seq, line, at));
    }),
    () => {
      const { seq, line, proof } = disputed();
      const part = { driver: person.address, cpo, number: line.number };
      const args = (intent: object, signature: string) => [seq, line, proof, intent, signature];
      return signed("disputeBySig", "DisputeIntent", part, args, (at) => {
        if (line.driver !== person.address) throw new Refused("IntentRefused");
        model.dispute(cpo, seq, line, at);
      });
    },
    ...Array(2).fill(() => {
      const waiting = [...model.disputes].filter(
        ([key, { open }]) => key.startsWith(`${cpo}:`) && (open || mostly(0.1)),
      );
      const [key, dispute] = waiting.length > 0 ? pick(waiting) : [`${cpo}:77`, undefined];
      const number = Number(key.split(":")[1]);
      const { amount, flex, wh } = dispute?.line ?? aLine(person);
      const refund = upTo(mostly(0.9) ? amount : amount + EURO);
      const delta = upTo(BigInt(wh)) - BigInt(mostly(0.9) ? flex : wh);
      return call(arbiter, "resolve", [cpo, number, refund, delta], () => model.resolve(cpo, number, refund, delta));
    }),
    () => {
      const numbers = numbersOf(model.disputes.keys());
      const number = numbers.length > 0 ? pick(numbers) : 77;
      return call(person, "expire", [cpo, number], (at) => model.expire(cpo, number, at));
    },
    () => {
      const amount = upTo(2n * EURO);
      const ref = hash(`ref ${Math.floor(random() * 30)}`);
      return call(biller, "pay", [cpo, other.address, amount, ref], () => model.pay(cpo, other.address, amount, ref));
    },
    () => {
      const price = upTo(300_000n);
      return call(registrar, "setOffer", [cpo, price], () => model.setOffer(cpo, price));
    },
    () => {
      const amount = upTo(3n * EURO);
      const target = mostly(0.95) ? cpo : 12;
      return call(person, "fundPot", [target, amount], () => model.fundPot(person.address, target, amount));
    },
    () => {
      const amount = upTo(2n * EURO);
      return call(person, "reclaimPot", [cpo, amount], () => model.reclaimPot(person.address, cpo, amount));
    },
    () => call(person, "claimFlex", [other.address], () => model.claimFlex(person.address, other.address)),
    ...Array(2).fill(() => {
      const wh = upTo(own.flex + (model.tokens.get(person.address) ?? 0n) + 100n);
      return call(person, "redeem", [cpo, wh, 0], () => model.redeem(person.address, cpo, wh, 0n));
    }),
    () => {
      const wh = upTo(own.flex + 50n);
      const part = { driver: person.address, cpo, wh, minPayout: 0n };
      const args = (intent: object, signature: string) => [intent, signature];
      const redeem = () => model.redeem(person.address, cpo, wh, 0n);
      return signed("redeemBySig", "RedeemIntent", part, args, redeem, "RedemptionRefused");
    },
    () => {
      const wh = upTo(own.flex + 50n);
      const intent = anIntent(person, { cpo, wh, nonce });
      return {
        name: "redeemBatch",
        from: other,
        to: address,
        data: signIntent(person, address, intent).then((signature) =>
          settlement.interface.encodeFunctionData("redeemBatch", [
            [intent, intent],
            [signature, signature],
          ]),
        ),
        // The second one is skipped like every refused one: its nonce is used up, or its reason is the same.
        expected: () => {
          if (nonce !== (nonces.get(person.address) ?? 0)) return;
          try {
            model.redeem(person.address, cpo, wh, 0n);
            nonces.set(person.address, nonce + 1);
          } catch (refusal) {
            if (!(refusal instanceof Refused)) throw refusal;
          }
        },
      };
    },
    () => {
      const amount = upTo(2n * own.available);
      const args = (intent: object, signature: string) => [intent, signature];
      return signed("requestWithdrawBySig", "RequestIntent", { owner: person.address, amount }, args, (at) =>
        model.requestWithdraw(person.address, amount, at),
      );
    },
    () => {
      const amount = upTo(own.available + own.available / 4n);
      const part = { owner: person.address, to: person.address, amount };
      const args = (intent: object, signature: string) => [intent, signature];
      return signed("withdrawBySig", "WithdrawIntent", part, args, (at) => model.withdraw(person.address, amount, at));
    },
    () => {
      const part = { owner: person.address, to: other.address };
      const args = (intent: object, signature: string) => [intent, signature];
      return signed("claimFlexBySig", "ClaimIntent", part, args, () => model.claimFlex(person.address, other.address));
    },
    () => ({
      name: "donate",
      from: person,
      to: euro.target as string,
      data: euro.interface.encodeFunctionData("transfer", [address, 1]),
      expected: () => model.donate(person.address, 1n),
    }),
    () => {
      const wh = model.tokens.get(person.address) ?? 0n;
      const expected = () => {
        model.tokens.set(person.address, 0n);
        model.tokens.set(other.address, (model.tokens.get(other.address) ?? 0n) + wh);
      };
      const data = flex.interface.encodeFunctionData("transfer", [other.address, wh]);
      return { name: "transfer FLEX", from: person, to: flex.target as string, data, expected };
    },
    () =>
      mostly(walk.paused ? 0.9 : 0.2)
        ? call(walk.paused ? admin : pauser, walk.paused ? "unpause" : "pause", [], () => {
            walk.paused = !walk.paused;
          })
        : { name: "a minute", expected: () => {} },
    ...(mostly(0.1) ? [() => ({ name: "thirty days", expected: () => {} })] : []),
    ...Array(4).fill(() => ({ name: "an hour", expected: () => {} })),
  ];
  return pick(steps)();
}
