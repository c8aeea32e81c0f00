import { expect } from "chai";
import { encodeProblem } from "../../backend/optimisation/encoding.ts";
import { gapMicroEur } from "../../backend/usecases/gap.ts";
import { aProblem } from "../support/problems.ts";

describe("The gap of a stored plan", () => {
  const problem = Buffer.from(encodeProblem(aProblem(), new Uint8Array(32))).toString("hex");

  it("is cost minus bound in micro-euro, rounded up", () => {
    // Costs are in nano-euro x scale, and the scale of the problem is 3,000: 6,000,000 are 2 micro-euro.
    expect(gapMicroEur({ cost: 7_000_000n, bound: 1_000_000n, problem })).to.equal(2n);
    expect(gapMicroEur({ cost: 7_000_001n, bound: 1_000_000n, problem })).to.equal(3n);
    expect(gapMicroEur({ cost: 1_000_000n, bound: 7_000_000n, problem })).to.equal(-2n);
  });

  it("is unknown for a plan that claims nothing", () => {
    expect(gapMicroEur({ cost: 7n, bound: null, problem })).to.equal(null);
  });
});
