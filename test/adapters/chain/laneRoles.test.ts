import { expect } from "chai";
import { encodeCall } from "../../../backend/adapters/chain/artifacts.ts";
import { createSender } from "../../../backend/adapters/chain/confirmedSender.ts";
import { PERMISSIONS, ROLES } from "../../../backend/adapters/chain/deploymentPlan.ts";
import { LANE_ROLES, requireLaneRoles } from "../../../backend/adapters/chain/laneRoles.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { localSigner, type Signer } from "../../../backend/adapters/chain/signer.ts";
import { derivedRandom, openSystem } from "../../../backend/compose.ts";
import { microEur, microEurPerKwh, watt } from "../../../backend/domain/units.ts";
import type { ChainCall, Lane } from "../../../backend/usecases/ports.ts";
import { key } from "./bench.ts";
import { ARTIFACTS, aDeployment, type Deployed, KEYS } from "./deployed.ts";

describe("The roles of the lanes' keys", function () {
  this.timeout(60_000);
  let on: Deployed;
  const stranger = localSigner(key(99));
  before(async () => {
    on = await aDeployment();
  });
  after(() => on?.chain.close());

  const asked = (over: Partial<Record<Lane, Signer>> = {}) =>
    requireLaneRoles(on.chain.rpc, on.contracts, on.manifest, { ...KEYS, ...over }).then(
      () => "all hold them",
      (error: Error) => error.message,
    );
  async function manage(verb: string, ...args: readonly unknown[]): Promise<void> {
    const send = await createSender(on.chain.rpc, KEYS.deployer);
    const manager = on.contracts.addressOf("AccessManager");
    await send(verb, manager, encodeCall(ARTIFACTS.AccessManager, verb, args));
  }

  it("are held where the deployment gave them", async () => {
    expect(await asked()).to.equal("all hold them");
  });

  it("are what the calls of each lane need", () => {
    const { ledger } = on;
    const address: Hex = KEYS.slots.address;
    const calls: readonly ChainCall[] = [
      ledger.setGroup({ group: 1, cpo: 1, capacityW: watt(1), parent: 0, fromSlot: 0 }),
      ledger.registerDrivers([{ driver: address, consent: key(1) }]),
      ledger.setPayee({ cpo: 1, payee: address }),
      ledger.setOffer({ cpo: 1, price: microEurPerKwh(1), key: "o" }),
      ledger.mintTestEuro(address, microEur(1n), "m"),
      ledger.post({ cpo: 1, seq: 1, lines: [] }),
      ledger.resolve({ cpo: 1, number: 1, refund: microEur(0n), flexDeltaWh: 0 }),
    ];
    for (const { lane, contract, call } of calls) {
      const open = PERMISSIONS.find((one) => one.contract === contract && one.functions.some((name) => name === call));
      expect(open?.role, `${contract}.${call}`).to.equal(LANE_ROLES[lane]);
    }
    expect(PERMISSIONS.find(({ functions }) => functions[0] === "record")?.role).to.equal(LANE_ROLES.slots);
  });

  it("are missed at the start by lane, address, role and the call that grants it; every lane at once", async () => {
    const { address } = stranger;
    const said = await asked({ slots: stranger, treasury: stranger });
    expect(said).to.contain(
      `Lane slots: ${address} does not hold the role OPERATOR. Grant it: grantRole(2, ${address}, 0).`,
    );
    expect(said).to.contain(`Lane treasury: ${address} does not hold the role FAUCET.`);
    expect(said).to.contain(on.contracts.addressOf("AccessManager"));
    expect(said).not.to.match(/Lane (billing|registry|arbiter)/);
    for (const lane of ["registry", "billing", "arbiter"] as const)
      expect(await asked({ [lane]: stranger })).to.match(new RegExp(`^Lane ${lane}: `, "m"));
  });

  it("need not be held by a lane that is not there, nor where nothing asks for them", async () => {
    const { arbiter: _, ...others } = KEYS;
    await requireLaneRoles(on.chain.rpc, on.contracts, on.manifest, others);
    const { TestEuro: __, ...contracts } = on.manifest.contracts;
    const otherEuro = { ...on.manifest, contracts };
    await requireLaneRoles(on.chain.rpc, on.contracts, otherEuro, { ...KEYS, treasury: stranger });
  });

  it("suffice once granted as the message says, and do not when they come with a delay", async () => {
    const { address } = stranger;
    const said = await asked({ slots: stranger });
    const [, role, who, delayS] = /grantRole\((\d+), (0x\w+), (\d+)\)/.exec(said) ?? [];
    await manage("grantRole", role, who, delayS);
    expect(await asked({ slots: stranger })).to.equal("all hold them");
    await manage("grantRole", ROLES.biller, address, 3600);
    expect(await asked({ billing: stranger })).to.match(/holds the role BILLER with a delay of 3600 s only/);
    await manage("revokeRole", ROLES.operator, address);
    expect(await asked({ slots: stranger })).to.match(/does not hold the role OPERATOR/);
  });

  it("stop the service at its start", async () => {
    const random = derivedRandom("roles");
    const first = await openSystem({ random, chainRpcPort: 0 });
    try {
      const dump = await first.database.dump();
      const url = first.embedded?.url as string;
      const lanes = { registry: key(2), treasury: key(3), slots: key(4), billing: key(5), deployer: key(1) };
      const second = openSystem({ random, database: { dump }, chainRpcUrls: [url], chainKeys: lanes });
      const said = await second.then(
        () => "started",
        (error: Error) => error.message,
      );
      for (const lane of ["registry", "treasury", "slots", "billing"]) expect(said).to.contain(`Lane ${lane}: `);
      for (const secret of Object.values(lanes)) expect(said).not.to.contain(secret.slice(2));
      const third = await openSystem({ random, database: { dump }, chainRpcUrls: [url] });
      await third.close();
    } finally {
      await first.close();
    }
  });
});
