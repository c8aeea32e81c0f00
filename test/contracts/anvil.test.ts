/** The same deployment and a few verbs on a second node (anvil over HTTP) must give the same result as Hardhat's chain. */
import { expect } from "chai";
import { Contract, type InterfaceAbi, JsonRpcProvider, MaxUint256, NonceManager, Wallet } from "ethers";
import {
  type ContractName,
  deployContracts,
  deploymentDifferences,
  loadArtifacts,
  localDeployment,
  type Manifest,
} from "../../backend/adapters/chain/deployment.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { startAnvil } from "../support/anvil.ts";
import { deployer, freshChain } from "../support/chain.ts";
import { aLine, anIntent, CPO, EURO, leafOf, OFFER, rootOf, signIntent, TARIFF, TERMS } from "../support/settlement.ts";
import { aProblem, bytesOf } from "../support/slotLedger.ts";

describe("the contracts on anvil", () => {
  it("have the same addresses and code, and do the same", async function () {
    const master = new Wallet(`0x${"e".repeat(64)}`);
    const driver = new Wallet(`0x${"c".repeat(64)}`);
    const anvil = await startAnvil({ mines: true, funded: [deployer.address, master.address as Hex] });
    if (anvil === null) return this.skip();
    const artifacts = loadArtifacts();

    const all = [master.address as Hex];
    const holders = {
      guardian: all,
      operator: all,
      biller: all,
      registrar: all,
      publisher: all,
      pauser: all,
      faucet: all,
    };
    const config = localDeployment(holders, { admin: all[0]! });
    const there = await deployContracts(anvil.rpc, deployer, artifacts, config);
    const here = await deployContracts(await freshChain(), deployer, artifacts, config);
    const addresses = ({ contracts }: Manifest) => Object.values(contracts).map(({ address }) => address);
    expect(addresses(there)).to.deep.equal(addresses(here));
    expect(await deploymentDifferences(anvil.rpc, there, artifacts)).to.deep.equal([]);

    const signer = new NonceManager(
      master.connect(new JsonRpcProvider(anvil.url, 31_337, { staticNetwork: true, pollingInterval: 20 })),
    );
    const at = (name: ContractName): any =>
      new Contract(there.contracts[name]!.address, artifacts[name].abi as InterfaceAbi, signer);
    const [euro, settlement, checker] = [at("TestEuro"), at("Settlement"), at("ScheduleChecker")];
    const address = there.contracts.Settlement.address;
    const line = aLine(driver);
    for (const send of [
      () => euro.mint(master.address, 100n * EURO),
      () => euro.approve(address, MaxUint256),
      () => settlement.setPayee(CPO, master.address),
      () => settlement.setTariff(TARIFF, TERMS),
      () => settlement.registerDrivers([driver.address], [`0x${"1".repeat(64)}`]),
      () => settlement.deposit(driver.address, 10n * EURO),
      () => settlement.post(CPO, 1, [line]),
      () => settlement.finalise(CPO, 1),
      () => settlement.setOffer(CPO, OFFER),
      () => settlement.fundPot(CPO, EURO),
      async () => {
        const intent = anIntent(driver);
        return settlement.redeemBySig(intent, await signIntent(driver as never, address, intent));
      },
    ])
      await (await send()).wait();
    expect((await settlement.batchOf(CPO, 1)).root).to.equal(rootOf([leafOf(address, 1, line)]));
    expect((await settlement.accountOf(driver.address)).available).to.equal(7n * EURO + OFFER);
    expect(await settlement.held()).to.equal(11n * EURO);

    const problem = aProblem();
    const plan = leastCost(problem);
    expect([...(await checker.check(...bytesOf(problem, plan)))]).to.deep.equal([plan.cost, plan.cost]);
    await anvil.stop();
  });
});
