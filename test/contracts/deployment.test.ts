import { expect } from "chai";
import { deployAll } from "../support/chain.ts";

describe("deployment", () => {
  it("works", async () => {
    const d = await deployAll();
    console.log(JSON.stringify(d.manifest, null, 1));
    expect(await d.settlement.held()).to.equal(0n);
    await expect(d.settlement.connect(d.admin).pause()).to.be.revertedWithCustomError(
      d.settlement,
      "AccessManagedUnauthorized",
    );
  });
});
