import { expect } from "chai";
import { AbiCoder, concat, id as hash, hexlify, keccak256 } from "ethers";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { ethers, networkHelpers } from "../support/chain.ts";
import { realisticProblem, WEIGHTS } from "../support/problems.ts";
import {
  aProblem,
  type Bytes,
  bytesOf,
  chainOf,
  FIRST_CHAIN,
  GROUP,
  ledgerFixture,
  linkOf,
  planHashOf,
  type Run,
  SLOT,
  valueWord,
} from "../support/slotLedger.ts";

const VERDICT = { none: 0n, confirmed: 1n, refuted: 2n };
const SOUND = 255;

/** Records one run and has a stranger confirm it. */
async function judge(run: Run, bytes: Bytes) {
  const { ledger, others } = await networkHelpers.loadFixture(ledgerFixture);
  await ledger.record([run]);
  const stranger = ledger.connect(others[0]!);
  return { ledger, confirm: () => stranger.confirm(FIRST_CHAIN, run, [], ...bytes) };
}

async function expectRefuted(run: Run, bytes: Bytes, rule: number, where: number) {
  const { ledger, confirm } = await judge(run, bytes);
  await expect(confirm()).to.emit(ledger, "RunRefuted").withArgs(run.group, run.slot, rule, where);
  expect(await ledger.verdictOf(run.group, run.slot)).to.equal(VERDICT.refuted);
}

describe("SlotLedger.confirm", () => {
  it("confirms an honest run for ever, whoever asks", async () => {
    const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
    const { run, bytes } = aRun();
    const { ledger, confirm } = await judge(run, bytes);
    await expect(confirm()).to.emit(ledger, "RunConfirmed").withArgs(GROUP, SLOT);
    expect(await ledger.verdictOf(GROUP, SLOT)).to.equal(VERDICT.confirmed);
    await expect(confirm()).to.be.revertedWithCustomError(ledger, "AlreadyJudged").withArgs(GROUP, SLOT);
  });

  it("confirms an old run in the middle of a history", async () => {
    const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
    const made = [SLOT - 2, SLOT - 1, SLOT].map((slot) => aRun({ slot }, aProblem({ slot })));
    const runs = made.map(({ run }) => run);
    await ledger.record(runs);
    await ledger.confirm(chainOf(runs.slice(0, 1)), runs[1], [linkOf(runs[2]!)], ...made[1]!.bytes);
    expect(await ledger.verdictOf(GROUP, SLOT - 1)).to.equal(VERDICT.confirmed);
    expect(await ledger.verdictOf(GROUP, SLOT)).to.equal(VERDICT.none);
  });

  it("confirms a plan that claims nothing when it is feasible and its cost is right", async () => {
    const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
    const problem = aProblem();
    const fallback: Plan = { ...leastCost(problem), algorithm: "least-laxity", certificate: null, bound: null };
    const { run, bytes } = aRun({}, problem, fallback);
    expect(bytes.slice(2)).to.deep.equal(["0x", "0x"]);
    const { ledger, confirm } = await judge(run, bytes);
    await expect(confirm()).to.emit(ledger, "RunConfirmed");
  });

  it("confirms a plan made in the lead time before its slot, and refutes an older one", async () => {
    const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
    const before = aRun({}, aProblem({ slot: SLOT - 1 }));
    const { ledger, confirm } = await judge(before.run, before.bytes);
    await expect(confirm()).to.emit(ledger, "RunConfirmed");
    for (const slot of [SLOT - 2, SLOT + 1, 0]) {
      const other = aRun({}, aProblem({ slot }));
      await expectRefuted(other.run, other.bytes, SOUND, 0);
    }
  });

  describe("refutes for ever", () => {
    it("an infeasible schedule, with the checker's rule and place", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const problem = aProblem();
      const plan = leastCost(problem);
      const energyWh = plan.energyWh.map((stay, i) => (i === 2 ? stay.map(() => 2 ** 24 - 1) : stay));
      const made = aRun({}, problem, { ...plan, energyWh });
      await expectRefuted(made.run, made.bytes, 5, 2 * 65_536 + problem.cars[2]!.from);
    });

    it("a cost or a bound that is not the committed one, by 1", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const plan = leastCost(aProblem());
      for (const [cost, bound] of [
        [plan.cost - 1n, plan.cost],
        [plan.cost, plan.cost + 1n],
        [plan.cost, -(2n ** 127n)],
      ] as const) {
        const made = aRun({ value: valueWord(cost, bound) });
        await expectRefuted(made.run, made.bytes, SOUND, 0);
      }
    });

    it("a plan of another group", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const made = aRun({ group: GROUP + 1 });
      await expectRefuted(made.run, made.bytes, SOUND, 0);
    });

    it("weights other than the registered ones", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { scale, early, voll, extra } = WEIGHTS;
      const weights: GroupProblem["weights"][] = [
        { scale, early, extra, voll: voll + 1 },
        { scale, early, voll, extra: extra - 1 },
        { early, voll, extra, scale: scale + 1 },
        { scale, voll, extra, early: 41 },
      ];
      for (const other of weights) {
        const made = aRun({}, aProblem({ weights: other }));
        await expectRefuted(made.run, made.bytes, SOUND, 0);
      }
    });

    it("not a smaller scale or early weight than the registered maximum", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const made = aRun({}, aProblem({ weights: { ...WEIGHTS, scale: 2_000, early: 40 } }));
      const { ledger, confirm } = await judge(made.run, made.bytes);
      await expect(confirm()).to.emit(ledger, "RunConfirmed");
    });

    it("committed bytes that are no problem at all", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      for (const p of ["0x", "0x1234", hexlify(new Uint8Array(64))]) {
        const bytes: Bytes = [p, "0x", "0x", "0x"];
        const salt = p.slice(2, 66).padEnd(64, "0");
        const plan = keccak256(
          AbiCoder.defaultAbiCoder().encode(Array(4).fill("bytes32"), [`0x${salt}`, ...Array(3).fill(keccak256("0x"))]),
        );
        const [rule, where] = p.length === 130 ? [1, 0] : [0, 0];
        await expectRefuted(aRun({ problem: keccak256(p), plan }).run, bytes, rule, where);
      }
    });
  });

  describe("judges nothing", () => {
    it("for a stranger's certificate: only the committed bytes pass", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run, bytes } = aRun();
      const { ledger } = await judge(run, bytes);
      for (const i of [0, 1, 2, 3]) {
        const other = [...bytes] as unknown as [string, string, string, string];
        other[i] = `${other[i]!.slice(0, -2)}${other[i]!.endsWith("01") ? "02" : "01"}`;
        await expect(ledger.confirm(FIRST_CHAIN, run, [], ...other)).to.be.revertedWithCustomError(
          ledger,
          "WrongBytes",
        );
        await expect(
          ledger.confirm(FIRST_CHAIN, run, [], ...bytes.map((b, k) => (k === i ? "0x" : b))),
        ).to.be.revertedWithCustomError(ledger, "WrongBytes");
      }
    });

    it("for a superseded plan: only the plan that was recorded for the slot can be judged", async () => {
      const { ledger, aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const first = aRun({}, aProblem());
      const last = aRun({ earlier: hash("first") }, aProblem({ cars: [] }));
      await ledger.record([last.run]);
      await expect(ledger.confirm(FIRST_CHAIN, first.run, [], ...first.bytes))
        .to.be.revertedWithCustomError(ledger, "UnknownRun")
        .withArgs(GROUP, SLOT);
      await expect(ledger.confirm(FIRST_CHAIN, last.run, [], ...first.bytes)).to.be.revertedWithCustomError(
        ledger,
        "WrongBytes",
      );
      await ledger.confirm(FIRST_CHAIN, last.run, [], ...last.bytes);
      expect(await ledger.verdictOf(GROUP, SLOT)).to.equal(1n);
    });

    it("for a run that was never recorded", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run, bytes } = aRun();
      const { ledger } = await judge(run, bytes);
      for (const [before, other, later] of [
        [FIRST_CHAIN, { ...run, root: hash("other") }, []],
        [FIRST_CHAIN, run, [hash("link")]],
        [chainOf([run]), run, []],
      ] as const)
        await expect(ledger.confirm(before, other, later, ...bytes))
          .to.be.revertedWithCustomError(ledger, "UnknownRun")
          .withArgs(GROUP, SLOT);
    });

    it("where rows are not public: the proof would publish needs and departures", async () => {
      const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
      const { run, bytes } = aRun({ rows: "0x" });
      const { ledger, confirm } = await judge(run, bytes);
      await expect(confirm()).to.be.revertedWithCustomError(ledger, "ProofPrivate").withArgs(GROUP, SLOT);
    });

    it("when the caller gives the checker too little gas: an honest run cannot be refuted that way", async () => {
      const fixture = await networkHelpers.loadFixture(ledgerFixture);
      // Large enough that the 1/64 of the gas which the checker cannot use up would suffice to write a verdict.
      const { run, bytes } = fixture.aRun({}, aProblem(realisticProblem(150, 1, { intervals: 96 })));
      const { ledger } = await judge(run, bytes);
      const [from] = await ethers.getSigners();
      const to = await ledger.getAddress();
      const data = ledger.interface.encodeFunctionData("confirm", [FIRST_CHAIN, run, [], ...bytes]);
      const enough = await ethers.provider.estimateGas({ from: from!.address, to, data });
      let failures = 0;
      for (const percent of [70n, 80n, 90n, 97n]) {
        await judge(run, bytes);
        const gasLimit = (enough * percent) / 100n;
        await from!.sendTransaction({ to, data, gasLimit }).catch(() => failures++);
        expect(await ledger.verdictOf(GROUP, SLOT), `${percent} % of the gas`).to.not.equal(VERDICT.refuted);
      }
      expect(failures).to.equal(4);
    });

    for (const [way, what] of [
      "uses up all gas",
      "reverts with a sentence",
      "panics",
      "reverts with another error",
      "reverts with half a refusal",
      "reverts with nothing",
    ].entries())
      it(`when the checker ${what}`, async () => {
        const { ledger, algorithms, publisher, spec, aRun } = await networkHelpers.loadFixture(ledgerFixture);
        const checker = await (await ethers.deployContract("OddChecker", [way])).getAddress();
        const odd = { ...spec, checker, encoding: 1 };
        const algorithm = await algorithms.connect(publisher).publish.staticCall(odd);
        await algorithms.connect(publisher).publish(odd);
        const { run, bytes } = aRun({ algorithm });
        await ledger.record([run]);
        await expect(
          ledger.confirm(FIRST_CHAIN, run, [], ...bytes, { gasLimit: 10_000_000 }),
        ).to.be.revertedWithCustomError(ledger, "CheckerFailed");
        expect(await ledger.verdictOf(GROUP, SLOT)).to.equal(VERDICT.none);
      });
  });

  it("hashes the salt with x, y and w, so that nobody can guess a plan from its hash", async () => {
    const { aRun } = await networkHelpers.loadFixture(ledgerFixture);
    const { bytes } = aRun();
    const other: Bytes = [concat([hash("salt"), `0x${bytes[0].slice(66)}`]), bytes[1], bytes[2], bytes[3]];
    expect(planHashOf(other)).to.not.equal(planHashOf(bytes));
    expect(bytesOf(aProblem(), leastCost(aProblem()))).to.deep.equal(bytes);
  });
});
