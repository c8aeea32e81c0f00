import { ethers, deployAll } from "../support/chain.ts";
import { encodeProblem, encodeW, encodeX, encodeY } from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { realisticProblem } from "../support/problems.ts";
describe("gas", () => {
  it("checker", async () => {
    const d = await deployAll();
    const checker = d.checker;
    for (const [n, m] of [[10, 24], [10, 96], [40, 96], [150, 96], [400, 96]] as const) {
      const problem = realisticProblem(n, 1, { intervals: m });
      const plan = leastCost(problem);
      const b = [encodeProblem(problem, new Uint8Array(32)), encodeX(problem, plan), encodeY(plan), encodeW(plan)].map((o) => ethers.hexlify(o));
      const data = checker.interface.encodeFunctionData("check", b);
      const gas = await ethers.provider.estimateGas({ to: await checker.getAddress(), data }).catch((e) => String(e).slice(0, 200));
      console.log(n, m, gas, data.length / 2, await checker.check(...b));
    }
  });
});
