import { expect } from "chai";
import { encodeProblem, encodeW, encodeX, encodeY } from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem } from "../../backend/optimisation/problem.ts";
import { ethers } from "../support/chain.ts";
import { randomFrom, randomProblem } from "../support/problems.ts";
import {
  boundOf,
  type Certificate,
  costOf,
  feasibleSchedule,
  mostIn,
  packProblem,
  packSigned,
  packX,
  type RawCar,
  type RawInterval,
  type RawProblem,
  randomCertificate,
  SALT,
} from "../support/scheduleModel.ts";

/** Random cases; more by CHECKER_CASES. */
const CASES = Number(process.env.CHECKER_CASES ?? 300);
const NO_CLAIM = -(2n ** 127n);

let checker: Awaited<ReturnType<typeof ethers.deployContract>>;
const check = async (p: string, x: string, y: string, w: string) => {
  const [cost, bound] = (await checker.getFunction("check").staticCall(p, x, y, w)) as [bigint, bigint];
  return { cost, bound };
};
const checkRaw = (problem: RawProblem, x: number[][], { y, w }: Certificate) =>
  check(packProblem(problem), packX(x), packSigned(y), packSigned(w));

const aCar = (part: Partial<RawCar> = {}): RawCar => ({
  session: 1,
  row: 0,
  feeder: 0,
  need: 1_000,
  more: 0,
  power: 11_000,
  from: 0,
  to: 1,
  ...part,
});
const anInterval = (part: Partial<RawInterval> = {}): RawInterval => ({
  duration: 900,
  limit: 5_000,
  demand: 0,
  production: 0,
  fixed: 0,
  feed: 60_000,
  price: 200_000,
  ...part,
});
const aProblem = (part: Partial<RawProblem> = {}): RawProblem => ({
  version: 1,
  group: 7,
  slot: 1_958_400,
  at: 1_762_560_000,
  scale: 3_000,
  weight: 1,
  voll: 10_000_000,
  extra: 2_000_000,
  cars: [aCar()],
  intervals: [anInterval()],
  ...part,
});
const zeros = (problem: RawProblem): Certificate => ({
  y: problem.cars.map(() => 0n),
  w: problem.intervals.map(() => 0n),
});
const rawOf = (problem: GroupProblem): RawProblem => ({
  version: 1,
  group: problem.group,
  slot: problem.slot,
  at: problem.at,
  scale: problem.weights.scale,
  weight: problem.weights.early,
  voll: problem.weights.voll,
  extra: problem.weights.extra,
  cars: problem.cars.map((car) => ({ ...car, feeder: 0, need: car.needWh, more: car.moreWh, power: car.powerW })),
  intervals: problem.intervals.map((t) => ({
    duration: t.durationS,
    limit: t.limitWh,
    demand: t.demandWh,
    production: t.productionWh,
    fixed: t.fixedWh,
    feed: t.feedIn,
    price: t.price,
  })),
});

describe("ScheduleChecker", () => {
  before(async () => {
    checker = await ethers.deployContract("ScheduleChecker");
  });

  describe("cost", () => {
    it("is price x scale per Wh bought: 1,000 Wh at 0.20 EUR/kWh cost 200,000,000 nano-euro", async () => {
      const { cost } = await checkRaw(aProblem({ scale: 1 }), [[1_000]], { y: [0n], w: [0n] });
      expect(cost).to.equal(200_000_000n);
    });

    it("counts PV surplus at its feed-in worth and only the rest at the price", async () => {
      const problem = aProblem({ scale: 1, intervals: [anInterval({ production: 700, demand: 100 })] });
      const { cost } = await checkRaw(problem, [[1_000]], { y: [0n], w: [0n] });
      expect(cost).to.equal(600n * 60_000n + 400n * 200_000n);
    });

    it("takes the higher of price and feed-in for the grid part where there is surplus, so that cost stays convex", async () => {
      const problem = aProblem({ scale: 1, intervals: [anInterval({ production: 600, feed: 300_000 })] });
      const { cost } = await checkRaw(problem, [[1_000]], { y: [0n], w: [0n] });
      expect(cost).to.equal(1_000n * 300_000n);
    });

    it("ignores the feed-in worth where there is no surplus", async () => {
      const problem = aProblem({ scale: 1, intervals: [anInterval({ production: 600, demand: 600, feed: 300_000 })] });
      const { cost } = await checkRaw(problem, [[1_000]], { y: [0n], w: [0n] });
      expect(cost).to.equal(1_000n * 200_000n);
    });

    it("adds voll for missing promised energy and extra for missing best effort", async () => {
      const problem = aProblem({ scale: 1, cars: [aCar({ need: 1_000, more: 500 })] });
      expect((await checkRaw(problem, [[0]], zeros(problem))).cost).to.equal(1_000n * 10_000_000n + 500n * 2_000_000n);
      expect((await checkRaw(problem, [[1_200]], zeros(problem))).cost).to.equal(1_200n * 200_000n + 300n * 2_000_000n);
    });

    it("adds the early weight per whole minute since the start, not per interval", async () => {
      const intervals = [
        anInterval({ duration: 119, price: 0 }),
        anInterval({ duration: 1, price: 0 }),
        anInterval({ price: 0 }),
      ];
      const problem = aProblem({ scale: 1, weight: 10, intervals, cars: [aCar({ need: 0, more: 0, to: 3 })] });
      const at = async (t: number) => {
        const cars = [aCar({ need: 3, to: 3, power: 2_400_000 })];
        const x = [[0, 0, 0].map((_, k) => (k === t ? 3 : 0))];
        return (await checkRaw({ ...problem, cars }, x, { y: [0n], w: [0n, 0n, 0n] })).cost;
      };
      expect([await at(0), await at(1), await at(2)]).to.deep.equal([0n, 3n * 10n * 1n, 3n * 10n * 2n]);
    });
  });

  describe("bound", () => {
    it("equals the cost for the optimiser's certificate, so that nothing cheaper exists", async () => {
      for (let seed = 0; seed < CASES; seed++) {
        const problem = randomProblem(seed);
        const plan = leastCost(problem);
        const bytes = [
          encodeProblem(problem, Buffer.from(SALT, "hex")),
          encodeX(problem, plan),
          encodeY(plan),
          encodeW(plan),
        ];
        const [p, x, y, w] = bytes.map((one) => ethers.hexlify(one)) as [string, string, string, string];
        expect(p, `bytes of problem ${seed}`).to.equal(packProblem(rawOf(problem)));
        expect(await check(p, x, y, w), `problem ${seed}`).to.deep.equal({ cost: plan.cost, bound: plan.cost });
      }
    });

    it("is below the cost when the schedule is feasible but dearer", async () => {
      const intervals = [anInterval({ price: 100_000 }), anInterval({ price: 300_000 })];
      const problem = aProblem({ scale: 1, weight: 0, intervals, cars: [aCar({ to: 2 })] });
      const best = { y: [100_000n], w: [100_000n, 300_000n] };
      expect(await checkRaw(problem, [[1_000, 0]], best)).to.deep.equal({ cost: 100_000_000n, bound: 100_000_000n });
      expect(await checkRaw(problem, [[999, 1]], best)).to.deep.equal({ cost: 100_200_000n, bound: 100_000_000n });
    });

    it("is the smallest possible shortfall for a refusal: prices 0, the refused request as need", async () => {
      const intervals = [
        anInterval({ price: 0, feed: 0, limit: 1_300 }),
        anInterval({ price: 0, feed: 0, limit: 1_000 }),
      ];
      const problem = aProblem({
        scale: 1,
        weight: 0,
        voll: 1,
        extra: 0,
        intervals,
        cars: [aCar({ need: 2_500, to: 2 })],
      });
      const { cost, bound } = await checkRaw(problem, [[1_300, 1_000]], { y: [1n], w: [1n, 1n] });
      expect([cost, bound]).to.deep.equal([200n, 200n]);
    });

    it("proves nothing for a request that was feasible: no certificate lifts the bound above 0", async () => {
      const problem = aProblem({
        scale: 1,
        weight: 0,
        voll: 1,
        extra: 0,
        intervals: [anInterval({ price: 0, feed: 0 })],
      });
      for (const y of [0n, 1n, 5n, 2n ** 63n - 1n])
        for (const w of [0n, 1n, 5n, 2n ** 63n - 1n])
          expect((await checkRaw(problem, [[0]], { y: [y], w: [w] })).bound <= 0n).to.equal(true);
    });

    it("is int128's least number for a plan without certificate: it claims nothing", async () => {
      const problem = aProblem();
      expect(await check(packProblem(problem), packX([[400]]), "0x", "0x")).to.deep.equal({
        cost: costOf(problem, [[400]]),
        bound: NO_CLAIM,
      });
    });

    it("is 0 with cost 0 for an empty problem, with or without intervals", async () => {
      const nothing = aProblem({ cars: [], intervals: [] });
      expect(await check(packProblem(nothing), "0x", "0x", "0x")).to.deep.equal({ cost: 0n, bound: 0n });
      const idle = aProblem({ cars: [] });
      expect(await checkRaw(idle, [], zeros(idle))).to.deep.equal({ cost: 0n, bound: 0n });
    });
  });

  describe("against the bigint model", () => {
    it(`gives the same cost and bound for ${CASES} random schedules with random certificates`, async () => {
      for (let seed = 0; seed < CASES; seed++) {
        const random = randomFrom(9_000 + seed);
        const problem = rawOf(randomProblem(seed));
        const x = feasibleSchedule(problem, random);
        const certificate = randomCertificate(problem, random);
        expect(await checkRaw(problem, x, certificate), `seed ${seed}`).to.deep.equal({
          cost: costOf(problem, x),
          bound: boundOf(problem, certificate),
        });
      }
    });
  });

  describe("soundness", () => {
    it(`never proves a bound above the cost of any feasible schedule, in ${CASES} random problems`, async () => {
      for (let seed = 0; seed < CASES; seed++) {
        const random = randomFrom(77_000 + seed);
        const source = randomProblem(100_000 + seed);
        const problem = rawOf(source);
        const plan = leastCost(source);
        const best = plan.certificate!;
        const nudged = {
          y: best.y.map((value) => BigInt.asIntN(64, value + BigInt(Math.floor((random() - 0.5) * 1e6)))),
          w: best.w.map((value) => BigInt.asIntN(64, value + BigInt(Math.floor((random() - 0.5) * 1e6)))),
        };
        const forged = [
          nudged,
          randomCertificate(problem, random),
          randomCertificate(problem, random),
          randomCertificate(problem, random),
        ];
        for (const certificate of forged) {
          const { cost, bound } = await checkRaw(problem, feasibleSchedule(problem, random), certificate);
          expect(bound <= cost, `seed ${seed}: bound ${bound} above the cost ${cost} of a feasible schedule`).to.equal(
            true,
          );
          expect(bound <= plan.cost, `seed ${seed}: bound ${bound} above the optimum ${plan.cost}`).to.equal(true);
          expect(cost >= plan.cost, `seed ${seed}: a schedule beats the optimum`).to.equal(true);
        }
      }
    });
  });

  describe("refusals", () => {
    const broken = async (rule: number, where: number, p: string, x: string, y: string, w: string) =>
      expect(check(p, x, y, w))
        .to.be.revertedWithCustomError(checker, "Broken")
        .withArgs(rule, where);
    const brokenRaw = (rule: number, where: number, problem: RawProblem, x: number[][]) =>
      broken(rule, where, packProblem(problem), packX(x), packSigned(zeros(problem).y), packSigned(zeros(problem).w));
    const bytes = (count: number) => `0x${"00".repeat(count)}`;

    it("0: every length is exact, one byte less or more is refused, for p, x, y and w", async () => {
      const problem = aProblem();
      const good = [packProblem(problem), packX([[1]]), packSigned([0n]), packSigned([0n])] as const;
      await check(...good);
      for (const [where, value] of good.entries()) {
        for (const bad of [`${value}00`, value.slice(0, -2)]) {
          const input = [...good] as [string, string, string, string];
          input[where] = bad;
          await broken(0, where, ...input);
        }
      }
    });

    it("0: p shorter than its header, also empty", async () => {
      for (const length of [0, 1, 32, 63]) await broken(0, 0, bytes(length), "0x", "0x", "0x");
    });

    it("0: a header that counts cars or intervals which are not there, up to 65,535 of each", async () => {
      const p = packProblem(aProblem({ cars: [], intervals: [] }));
      const withCounts = (n: string, m: string) => `${p.slice(0, 94)}${n}${m}${p.slice(102)}`;
      expect(withCounts("0000", "0000")).to.equal(p);
      for (const [n, m] of [
        ["0001", "0000"],
        ["0000", "0001"],
        ["ffff", "ffff"],
        ["ffff", "0000"],
      ] as const)
        await broken(0, 0, withCounts(n, m), "0x", "0x", "0x");
    });

    it("0: only one of y and w", async () => {
      const problem = aProblem();
      await broken(0, 2, packProblem(problem), packX([[1]]), "0x", packSigned([0n]));
      await broken(0, 3, packProblem(problem), packX([[1]]), packSigned([0n]), "0x");
    });

    it("0: the same bytes cannot be read in two ways (cars taken for intervals)", async () => {
      const cars = Array.from({ length: 13 }, (_, i) => aCar({ session: i + 1, need: 0 }));
      const problem = aProblem({ cars, intervals: [anInterval()] });
      const p = packProblem(problem);
      const x = packX(cars.map(() => [0]));
      expect((await check(p, x, packSigned(cars.map(() => 0n)), packSigned([0n]))).cost).to.equal(0n);
      // 13 x 20 + 1 x 26 = 0 x 20 + 11 x 26: the header decides, and it is part of the committed bytes.
      await broken(0, 2, p, x, "0x", bytes(11 * 8));
    });

    it("0: two parses of the same bytes (132 x 96 as 128 x 99, 141 x 96 as 128 x 106) are refused", async () => {
      const parked = (count: number) => {
        const cars = Array.from({ length: count }, (_, i) => aCar({ session: i + 1, need: 0 }));
        const p = packProblem(aProblem({ cars, intervals: Array.from({ length: 96 }, () => anInterval()) }));
        return { p, x: packX(cars.map(() => [0])), y: bytes(8 * count), w: bytes(8 * 96) };
      };
      /** The same bytes with other numbers of cars and intervals in the header. */
      const reread = (p: string, cars: number, intervals: number) => {
        const at = 2 + 2 * 46;
        const word = (n: number) => n.toString(16).padStart(4, "0");
        return `${p.slice(0, at)}${word(cars)}${word(intervals)}${p.slice(at + 8)}`;
      };
      const { p, x, y, w } = parked(132);
      expect((await check(p, x, y, w)).cost).to.equal(0n);
      expect(reread(p, 132, 96)).to.equal(p);
      await broken(0, 0, reread(p, 128, 99), x, y, w);
      // 13 cars are as long as 10 intervals: here only x, y and w tell the two readings apart.
      const other = parked(141);
      const twisted = reread(other.p, 128, 106);
      await broken(0, 2, twisted, other.x, other.y, other.w);
      await broken(0, 1, twisted, other.x, bytes(8 * 128), bytes(8 * 106));
    });

    it("1: another version", async () => {
      for (const version of [0, 2, 255]) await brokenRaw(1, 0, aProblem({ version }), [[1]]);
    });

    it("1: voll below extra, since the bound would not hold", async () => {
      await brokenRaw(1, 1, aProblem({ voll: 1_999_999 }), [[1]]);
      await checkRaw(aProblem({ voll: 2_000_000 }), [[1]], zeros(aProblem()));
    });

    it("2: sessions twice or out of order, naming the car", async () => {
      const cars = [aCar({ session: 5 }), aCar({ session: 9 }), aCar({ session: 9 })];
      await brokenRaw(2, 2, aProblem({ cars }), [[1], [1], [1]]);
      await brokenRaw(2, 1, aProblem({ cars: [aCar({ session: 5 }), aCar({ session: 4 })] }), [[1], [1]]);
      await brokenRaw(2, 1, aProblem({ cars: [aCar({ session: 2 ** 32 - 1 }), aCar({ session: 0 })] }), [[1], [1]]);
    });

    it("3: an empty stay, a reversed one, one beyond the horizon", async () => {
      const two = [anInterval(), anInterval()];
      for (const [from, to] of [
        [1, 1],
        [2, 1],
        [0, 3],
        [65_535, 65_535],
        [0, 65_535],
      ] as const)
        await brokenRaw(3, 0, aProblem({ cars: [aCar({ from, to })], intervals: two }), [[1]]);
    });

    it("3: a car where there are no intervals at all", async () => {
      await broken(3, 0, packProblem(aProblem({ intervals: [] })), packX([[1]]), packSigned([0n]), "0x");
    });

    it("4: the reserved feeder byte set", async () => {
      await brokenRaw(4, 1, aProblem({ cars: [aCar(), aCar({ session: 2, feeder: 1 })] }), [[1], [1]]);
    });

    it("5: 1 Wh more in an interval than the power allows, naming car and interval", async () => {
      const intervals = [anInterval(), anInterval({ duration: 60 })];
      const cars = [aCar(), aCar({ session: 2, need: 10_000, to: 2 })];
      const problem = aProblem({ cars, intervals });
      const most = [Number(mostIn(cars[1]!, intervals[0]!)), Number(mostIn(cars[1]!, intervals[1]!))] as const;
      expect(most).to.deep.equal([2_750, 183]);
      await checkRaw(problem, [[0], [2_750, 183]], zeros(problem));
      await brokenRaw(5, 1 * 65_536 + 0, problem, [[0], [2_751, 183]]);
      await brokenRaw(5, 1 * 65_536 + 1, problem, [[0], [2_750, 184]]);
    });

    it("6: 1 Wh more than needed and wanted together", async () => {
      const problem = aProblem({ cars: [aCar({ need: 700, more: 300 })] });
      await checkRaw(problem, [[1_000]], zeros(problem));
      await brokenRaw(6, 0, problem, [[1_001]]);
    });

    it("7: 1 Wh above the free limit, with other load, opted-out sessions and PV taken into account", async () => {
      const interval = anInterval({ limit: 3_000, demand: 900, fixed: 400, production: 200 });
      const cars = [aCar({ need: 2_000 }), aCar({ session: 2, need: 2_000 })];
      const problem = aProblem({ cars, intervals: [interval] });
      await checkRaw(problem, [[1_000], [900]], zeros(problem));
      await brokenRaw(7, 0, problem, [[1_000], [901]]);
    });

    it("7: 1 Wh above limit plus PV surplus", async () => {
      const interval = anInterval({ limit: 1_000, demand: 100, production: 600 });
      const problem = aProblem({ cars: [aCar({ need: 2_000 })], intervals: [interval] });
      await checkRaw(problem, [[1_500]], zeros(problem));
      await brokenRaw(7, 0, problem, [[1_501]]);
    });

    it("7: any load where the other load alone exceeds the limit", async () => {
      const problem = aProblem({ intervals: [anInterval({ limit: 100, demand: 200 })] });
      await checkRaw(problem, [[0]], zeros(problem));
      await brokenRaw(7, 0, problem, [[1]]);
    });
  });

  describe("extreme numbers", () => {
    const U16 = 2 ** 16 - 1;
    const U24 = 2 ** 24 - 1;
    const U32 = 2 ** 32 - 1;
    const ends = [-(2n ** 63n), 2n ** 63n - 1n, 0n];

    it("gives the model's numbers at both ends of every field, without overflow", async () => {
      const random = randomFrom(4);
      const pick = <T>(values: readonly T[]) => values[Math.floor(random() * values.length)]!;
      for (let round = 0; round < 150; round++) {
        const m = 1 + Math.floor(random() * 4);
        const intervals = Array.from({ length: m }, () => ({
          duration: pick([0, 1, 59, 3_600, U16]),
          limit: pick([0, 1, U32]),
          demand: pick([0, 1, U32]),
          production: pick([0, 1, U32]),
          fixed: pick([0, 1, U32]),
          feed: pick([-(2 ** 31), 2 ** 31 - 1, 0]),
          price: pick([-(2 ** 31), 2 ** 31 - 1, 0]),
        }));
        const cars = Array.from({ length: 1 + Math.floor(random() * 3) }, (_, i) => {
          const from = Math.floor(random() * m);
          return aCar({
            session: i * 2_000_000_000,
            row: U16,
            need: pick([0, U24]),
            more: pick([0, U24]),
            power: pick([0, 1, U24]),
            from,
            to: from + 1 + Math.floor(random() * (m - from)),
          });
        });
        const extra = pick([0, U32]);
        const problem = aProblem({
          group: U32,
          slot: U32,
          at: 2 ** 40 - 1,
          scale: pick([0, 1, U16]),
          weight: pick([0, U32]),
          voll: extra === U32 ? U32 : pick([0, U32]),
          extra,
          cars,
          intervals,
        });
        const x = feasibleSchedule(problem, random);
        const certificate = { y: cars.map(() => pick(ends)), w: intervals.map(() => pick(ends)) };
        expect(await checkRaw(problem, x, certificate), `round ${round}`).to.deep.equal({
          cost: costOf(problem, x),
          bound: boundOf(problem, certificate),
        });
      }
    });

    it("refuses random bytes with Broken and nothing else", async () => {
      const random = randomFrom(8);
      const noise = (count: number) =>
        `0x${Array.from({ length: count }, () =>
          Math.floor(random() * 256)
            .toString(16)
            .padStart(2, "0"),
        ).join("")}`;
      for (let round = 0; round < 100; round++) {
        const p = packProblem(
          aProblem({ cars: [aCar(), aCar({ session: 3 })], intervals: [anInterval(), anInterval()] }),
        );
        const at = 2 + 2 * (32 + Math.floor(random() * (p.length / 2 - 33)));
        const bad = `${p.slice(0, at)}${noise(1).slice(2)}${p.slice(at + 2)}`;
        try {
          await check(round % 2 ? noise(Math.floor(random() * 200)) : bad, packX([[1], [1]]), noise(16), noise(16));
        } catch (error) {
          const { data } = error as { data: string };
          expect(checker.interface.parseError(data)?.name, `round ${round}: ${error}`).to.equal("Broken");
        }
      }
    });
  });
});
