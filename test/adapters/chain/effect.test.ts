import { expect } from "chai";
import { createEffect } from "../../../backend/adapters/chain/effect.ts";
import { request } from "../../../backend/adapters/chain/rpc.ts";
import { aDeployment, type Deployed } from "./deployed.ts";

describe("Whether the chain shows already what a call would do", function () {
  this.timeout(60_000);
  let on: Deployed;
  before(async () => {
    on = await aDeployment();
  });
  after(() => on?.chain.close());

  it("counts what lies as deep as the policy wants, and nothing that a fork could still undo", async () => {
    const { chain, contracts, ledger } = on;
    const driver = `0x${"d1".repeat(20)}` as const;
    const call = ledger.registerDrivers([{ driver, consent: `0x${"c0".repeat(32)}` }]);
    const at = (depth: number) => createEffect(chain.rpc, contracts, depth)(call);
    expect(await at(0)).to.equal(false);
    expect(await on.write(call)).to.include({ open: 0 });
    expect([await at(0), await at(1)]).to.deep.equal([true, false]);
    for (let depth = 1; depth <= 6; depth++) {
      await request(chain.rpc, "evm_mine");
      expect([await at(depth), await at(depth + 1)]).to.deep.equal([true, false]);
    }
    expect(await at(10_000), "before the contracts").to.equal(false);
  });
});
