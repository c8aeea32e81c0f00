import { expect } from "chai";
import { network } from "hardhat";
import { deployAll, ethers, networkHelpers } from "../support/chain.ts";

const deployed = () => deployAll();

for (const [name, field, role, symbol, decimals] of [
  ["FlexToken", "flex", null, "FLEX", 3n],
  ["TestEuro", "euro", "faucet", "tEUR", 6n],
] as const)
  describe(name, () => {
    /** FLEX is minted by Settlement alone: impersonated here. */
    async function withMinter() {
      const fixture = await deployed();
      const address = role === null ? await fixture.settlement.getAddress() : fixture[role].address;
      await networkHelpers.setBalance(address, 10n ** 18n);
      return { ...fixture, token: fixture[field], minter: await ethers.getImpersonatedSigner(address) };
    }

    it(`is called ${symbol} and has ${decimals} decimals`, async () => {
      const { token } = await networkHelpers.loadFixture(withMinter);
      expect([await token.symbol(), await token.decimals()]).to.deep.equal([symbol, decimals]);
    });

    it("is minted by its minter and nobody else", async () => {
      const { token, minter, admin, biller, operator, others } = await networkHelpers.loadFixture(withMinter);
      await expect(token.connect(minter).mint(others[0]!.address, 5)).to.emit(token, "Transfer");
      expect(await token.balanceOf(others[0]!.address)).to.equal(5n);
      for (const stranger of [admin, biller, operator, others[0]!])
        await expect(token.connect(stranger).mint(stranger.address, 5))
          .to.be.revertedWithCustomError(token, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
    });

    it("moves like any ERC-20 and by permit", async () => {
      const { token, minter, others } = await networkHelpers.loadFixture(withMinter);
      const [owner, spender] = [others[0]!, others[1]!];
      await token.connect(minter).mint(owner.address, 10);
      await token.connect(owner).transfer(spender.address, 4);
      const names = ["owner", "spender", "value", "nonce", "deadline"];
      const Permit = names.map((one) => ({
        name: one,
        type: one === "owner" || one === "spender" ? "address" : "uint256",
      }));
      const domain = {
        name: await token.name(),
        version: "1",
        chainId: 31_337,
        verifyingContract: await token.getAddress(),
      };
      const message = {
        owner: owner.address,
        spender: spender.address,
        value: 6,
        nonce: 0,
        deadline: ethers.MaxUint256,
      };
      const { v, r, s } = ethers.Signature.from(await owner.signTypedData(domain, { Permit }, message));
      await token.connect(spender).permit(owner.address, spender.address, 6, ethers.MaxUint256, v, r, s);
      await token.connect(spender).transferFrom(owner.address, spender.address, 6);
      expect(await token.balanceOf(spender.address)).to.equal(10n);
    });
  });

describe("FlexToken", () => {
  it("is burnt by Settlement and nobody else, not even its owner", async () => {
    const { flex, settlement, others } = await networkHelpers.loadFixture(deployed);
    const address = await settlement.getAddress();
    await networkHelpers.setBalance(address, 10n ** 18n);
    const minter = await ethers.getImpersonatedSigner(address);
    const owner = others[0]!;
    await flex.connect(minter).mint(owner.address, 5);
    await expect(flex.connect(owner).burn(owner.address, 5)).to.be.revertedWithCustomError(
      flex,
      "AccessManagedUnauthorized",
    );
    await expect(flex.connect(minter).burn(owner.address, 6)).to.be.revertedWithCustomError(
      flex,
      "ERC20InsufficientBalance",
    );
    await flex.connect(minter).burn(owner.address, 5);
    expect(await flex.totalSupply()).to.equal(0n);
  });
});

describe("TestEuro", () => {
  it("cannot be deployed where money is real", async () => {
    for (const chainId of [1, 10, 137, 8_453, 42_161, 246]) {
      const { ethers: there } = await network.create({ override: { chainId } });
      const factory = await there.getContractFactory("TestEuro");
      const [anyone] = await there.getSigners();
      await expect(factory.deploy(anyone!.address), `chain ${chainId}`)
        .to.be.revertedWithCustomError(factory, "NotATestNetwork")
        .withArgs(chainId);
    }
  });

  it("can be deployed on test networks", async () => {
    for (const chainId of [1_337, 11_155_111, 560_048, 84_532, 421_614, 11_155_420, 80_002, 73_799]) {
      const { ethers: there } = await network.create({ override: { chainId } });
      const [anyone] = await there.getSigners();
      await there.deployContract("TestEuro", [anyone!.address]);
    }
  });
});
