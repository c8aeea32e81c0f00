import { expect } from "chai";
import { getCreateAddress, id as hash, Interface, type InterfaceAbi } from "ethers";
import {
  type AlgorithmSpec,
  CANCELLABLE,
  type ContractName,
  deployContracts,
  deploymentDifferences,
  localDeployment,
  PERMISSIONS,
  ROLES,
} from "../../backend/adapters/chain/deployment.ts";
import { type Hex, request } from "../../backend/adapters/chain/rpc.ts";
import { type Actors, deployAll, deployer, ethers, freshChain, networkHelpers, rpc } from "../support/chain.ts";

const DAY = 86_400;
const NO_ONE = { guardian: [], operator: [], biller: [], registrar: [], publisher: [], pauser: [], faucet: [] };
const SPEC: AlgorithmSpec = {
  method: "least-cost/1",
  sourceHash: hash("source") as Hex,
  activeFrom: 0,
  maxScale: 4_000,
  voll: 10_000_000,
  extra: 2_000_000,
  maxEarly: 40,
  uri: "https://example.org",
};

const local = () => deployAll({ algorithms: [SPEC, { ...SPEC, method: "least-laxity/1" }] });
const slow = () => deployAll({ adminDelayS: 2 * DAY });

describe("deployment", () => {
  describe("roles", () => {
    it("leaves the deployer none", async () => {
      const { manager } = await networkHelpers.loadFixture(local);
      for (const [role, number] of Object.entries(ROLES))
        expect((await manager.hasRole(number, deployer.address))[0], role).to.equal(false);
    });

    it("gives each role to its holder and to nobody else", async () => {
      const deployed = await networkHelpers.loadFixture(local);
      const { manager, settlement } = deployed;
      const roles = ["admin", "guardian", "operator", "biller", "registrar", "publisher", "pauser", "faucet"] as const;
      const holders = {
        ...Object.fromEntries(roles.map((role) => [role, deployed[role].address])),
        minter: await settlement.getAddress(),
      };
      for (const [role, number] of Object.entries(ROLES))
        for (const [holder, address] of Object.entries(holders))
          expect((await manager.hasRole(number, address))[0], `${holder} as ${role}`).to.equal(
            holder === (role === "governor" ? "admin" : role),
          );
    });

    it("opens every restricted function to exactly one role", async () => {
      const deployed = await networkHelpers.loadFixture(local);
      const { manager, manifest, artifacts } = deployed;
      for (const [name, { address }] of Object.entries(manifest.contracts)) {
        if (name === "AccessManager") continue;
        const abi = artifacts[name as ContractName].abi as InterfaceAbi;
        new Interface(abi).forEachFunction(({ name: verb, selector }) => {
          const granted = PERMISSIONS.find(
            (one) => one.contract === name && (one.functions as readonly string[]).includes(verb),
          );
          checks.push(async () => {
            const wanted = granted === undefined ? ROLES.admin : ROLES[granted.role];
            expect(await manager.getTargetFunctionRole(address, selector), `${name}.${verb}`).to.equal(wanted);
          });
        });
      }
      for (const check of checks.splice(0)) await check();
    });

    it("lets a revoked operator write nothing from the next transaction on", async () => {
      const { manager, admin, operator, ledger } = await networkHelpers.loadFixture(local);
      await ledger.connect(operator).record([]);
      await manager.connect(admin).revokeRole(ROLES.operator, operator.address);
      await expect(ledger.connect(operator).record([]))
        .to.be.revertedWithCustomError(ledger, "AccessManagedUnauthorized")
        .withArgs(operator.address);
    });

    it("makes the admin announce everything two days ahead where that is the delay", async () => {
      const { manager, admin, settlement, others } = await networkHelpers.loadFixture(slow);
      const retire = settlement.interface.encodeFunctionData("retire");
      await expect(settlement.connect(admin).retire()).to.be.revertedWithCustomError(
        manager,
        "AccessManagerNotScheduled",
      );
      await expect(manager.connect(admin).grantRole(ROLES.biller, others[0]!.address, 0)).to.be.revertedWithCustomError(
        manager,
        "AccessManagerNotScheduled",
      );
      await manager.connect(admin).schedule(await settlement.getAddress(), retire, 0);
      await networkHelpers.time.increase(2 * DAY - 10);
      await expect(settlement.connect(admin).retire()).to.be.revertedWithCustomError(manager, "AccessManagerNotReady");
      await networkHelpers.time.increase(10);
      await settlement.connect(admin).retire();
      expect(await settlement.retired()).to.equal(true);
    });

    describe("of the guardian", () => {
      /** Cancels as `who` what the admin has announced. */
      const cancels = (
        deployed: Awaited<ReturnType<typeof slow>>,
        who: Actors[keyof Actors],
        target: string,
        data: string,
      ) => deployed.manager.connect(who).cancel(deployed.admin.address, target, data);
      const announce = ({ manager, admin }: Awaited<ReturnType<typeof slow>>, target: string, data: string) =>
        manager.connect(admin).schedule(target, data, 0);

      it("cancels what the admin has announced in the contracts: nothing of it can be done", async () => {
        const deployed = await networkHelpers.loadFixture(slow);
        const { manager, admin, guardian, pauser, settlement, ledger } = deployed;
        await settlement.connect(pauser).pause();
        for (const [contract, verb] of [
          [settlement, "retire"],
          [settlement, "unpause"],
          [ledger, "unpause"],
        ] as const) {
          const [target, data] = [await contract.getAddress(), contract.interface.encodeFunctionData(verb)];
          await announce(deployed, target, data);
          await expect(cancels(deployed, pauser, target, data)).to.be.revertedWithCustomError(
            manager,
            "AccessManagerUnauthorizedCancel",
          );
          await cancels(deployed, guardian, target, data);
          await networkHelpers.time.increase(2 * DAY);
          await expect(contract.connect(admin).getFunction(verb)()).to.be.revertedWithCustomError(
            manager,
            "AccessManagerNotScheduled",
          );
        }
      });

      it("cancels each of the admin's changes of roles, but no dismissal: nobody makes itself irremovable", async () => {
        const deployed = await networkHelpers.loadFixture(slow);
        const { manager, admin, guardian, settlement, others } = deployed;
        const [target, stranger] = [await manager.getAddress(), others[0]!.address];
        const changes: readonly (readonly [verb: string, ...args: unknown[]])[] = [
          ["grantRole", ROLES.biller, stranger, 0],
          ["grantRole", ROLES.admin, stranger, 0],
          ["labelRole", ROLES.biller, "X"],
          ["setRoleAdmin", ROLES.biller, ROLES.operator],
          ["setRoleGuardian", ROLES.governor, ROLES.operator],
          ["setGrantDelay", ROLES.biller, 5],
          ["setTargetFunctionRole", await settlement.getAddress(), ["0x12345678"], ROLES.operator],
          ["setTargetClosed", await settlement.getAddress(), true],
          ["setTargetAdminDelay", await settlement.getAddress(), 5],
          ["updateAuthority", await settlement.getAddress(), stranger],
        ];
        expect([...new Set(changes.map(([verb]) => verb))]).to.have.members([...CANCELLABLE]);
        for (const [verb, ...args] of changes) {
          const data = manager.interface.encodeFunctionData(verb, args);
          await announce(deployed, target, data);
          await cancels(deployed, guardian, target, data);
          await networkHelpers.time.increase(2 * DAY);
          await expect(manager.connect(admin).getFunction(verb)(...args), verb).to.be.revertedWithCustomError(
            manager,
            "AccessManagerNotScheduled",
          );
        }
        const dismissal = ["revokeRole", [ROLES.guardian, guardian.address]] as const;
        const data = manager.interface.encodeFunctionData(...dismissal);
        await announce(deployed, target, data);
        await expect(cancels(deployed, guardian, target, data)).to.be.revertedWithCustomError(
          manager,
          "AccessManagerUnauthorizedCancel",
        );
        await networkHelpers.time.increase(2 * DAY);
        await manager.connect(admin).revokeRole(...dismissal[1]);
        expect((await manager.hasRole(ROLES.guardian, guardian.address))[0]).to.equal(false);
      });

      it("opens to the governor's role nothing that the admin's role alone may do", async () => {
        const { manager, admin, biller } = await networkHelpers.loadFixture(local);
        await manager.connect(admin).grantRole(ROLES.governor, biller.address, 0);
        for (const [verb, ...args] of [
          ["grantRole", ROLES.admin, biller.address, 0],
          ["labelRole", ROLES.biller, "X"],
        ] as const)
          await expect(manager.connect(biller).getFunction(verb)(...args)).to.be.revertedWithCustomError(
            manager,
            "AccessManagerUnauthorizedAccount",
          );
      });
    });

    it("keeps the deployer as admin when it is the admin", async () => {
      const { manager } = await deployAll({ admin: deployer.address });
      expect([...(await manager.hasRole(ROLES.admin, deployer.address))]).to.deep.equal([true, 0n]);
    });
  });

  describe("manifest", () => {
    it("names address, block, transaction, code and arguments of every contract", async () => {
      const { manifest, settlement } = await networkHelpers.loadFixture(local);
      const names = [
        "AccessManager",
        "AssetRegistry",
        "ScheduleChecker",
        "AlgorithmRegistry",
        "SlotLedger",
        "FlexToken",
        "TestEuro",
        "Settlement",
      ];
      expect(Object.keys(manifest.contracts)).to.deep.equal(names);
      const blocks = Object.values(manifest.contracts).map(({ block }) => block);
      expect([...blocks].sort((a, b) => a - b)).to.deep.equal(blocks);
      expect(manifest.contracts.Settlement.address).to.equal(await settlement.getAddress());
      expect(JSON.parse(JSON.stringify(manifest))).to.deep.equal(manifest);
    });

    it("carries the versions of the published methods, active at once", async () => {
      const { manifest, algorithms, checker } = await networkHelpers.loadFixture(local);
      expect(Object.keys(manifest.algorithms)).to.deep.equal(["least-cost/1", "least-laxity/1"]);
      for (const [method, version] of Object.entries(manifest.algorithms)) {
        await algorithms.requireActive(version);
        const spec = await algorithms.specOf(version);
        expect(ethers.decodeBytes32String(spec.method)).to.equal(method);
        expect([spec.checker, spec.encoding, spec.voll]).to.deep.equal([await checker.getAddress(), 1n, 10_000_000n]);
      }
    });

    it("agrees with the chain and with the local compile, and names what was changed in it", async () => {
      const { manifest, artifacts } = await networkHelpers.loadFixture(local);
      expect(await deploymentDifferences(rpc, manifest, artifacts)).to.deep.equal([]);
      const { Settlement, SlotLedger, FlexToken } = manifest.contracts;
      const withContract = (name: ContractName, part: object) => ({
        ...manifest,
        contracts: { ...manifest.contracts, [name]: { ...manifest.contracts[name], ...part } },
      });
      const found = async (changed: typeof manifest) =>
        (await deploymentDifferences(rpc, changed, artifacts)).join(" ");
      expect(await found(withContract("Settlement", { address: deployer.address }))).to.match(
        /Settlement: .* did not create .*no code at/,
      );
      expect(await found(withContract("Settlement", { args: [...Settlement.args.slice(0, 4), "1"] }))).to.match(
        /^Settlement: .* did not deploy the local compile/,
      );
      expect(await found(withContract("SlotLedger", { tx: FlexToken.tx }))).to.match(/^SlotLedger: /);
      expect(await found(withContract("SlotLedger", { bytecodeHash: hash("other") }))).to.equal(
        "SlotLedger: the local compile is not the code in the manifest.",
      );
      expect(await found({ ...manifest, chainId: 5 })).to.match(/chain is 31337/);
      const other = { ...artifacts, SlotLedger: artifacts.FlexToken };
      expect(
        (await deploymentDifferences(rpc, manifest, other)).every((text) => text.startsWith("SlotLedger")),
      ).to.equal(true);
      expect(SlotLedger.bytecodeHash).to.not.equal(FlexToken.bytecodeHash);
    });
  });

  it("gives the same addresses and versions on every chain to a deployer that sent nothing before", async () => {
    const { artifacts, config } = await networkHelpers.loadFixture(local);
    const expected = Array.from({ length: 8 }, (_, nonce) => getCreateAddress({ from: deployer.address, nonce }));
    const versions: object[] = [];
    for (const chain of [await freshChain(), await freshChain()]) {
      const manifest = await deployContracts(chain, deployer, artifacts, config);
      expect(Object.values(manifest.contracts).map(({ address }) => address)).to.deep.equal(expected);
      expect(await deploymentDifferences(chain, manifest, artifacts)).to.deep.equal([]);
      versions.push(manifest.algorithms);
    }
    expect(versions[0]).to.deep.equal(versions[1]);
  });

  it("uses an existing euro token instead of TestEuro when one is given", async () => {
    const { euro, artifacts } = await networkHelpers.loadFixture(local);
    const address = (await euro.getAddress()) as Hex;
    const config = localDeployment(NO_ONE, {
      admin: deployer.address,
      euro: address,
      payees: [{ cpo: 9, payee: deployer.address }],
    });
    const manifest = await deployContracts(rpc, deployer, artifacts, config);
    expect(manifest.contracts.TestEuro).to.equal(undefined);
    const settlement = await ethers.getContractAt("Settlement", manifest.contracts.Settlement.address);
    expect(await settlement.getFunction("euro")()).to.equal(address);
    expect(await settlement.getFunction("payeeOf")(9)).to.equal(deployer.address);
  });

  it("fails with fact, cause and remedy: no money, a wrong method name", async () => {
    const { artifacts, config } = await networkHelpers.loadFixture(local);
    const refusal = (promise: Promise<unknown>) =>
      promise.then(
        () => "no error",
        (error: Error) => error.message,
      );
    const poor = await freshChain(1_000n);
    expect(await refusal(deployContracts(poor, deployer, artifacts, config))).to.match(/^deploy AccessManager .*gas/);
    for (const method of ["a method name that is far too long/1", "größe/1"])
      expect(
        await refusal(deployContracts(rpc, deployer, artifacts, { ...config, algorithms: [{ ...SPEC, method }] })),
      ).to.match(/at most 31 ASCII/);
  });

  for (const [hardfork, missing] of [
    ["shanghai", "MCOPY and TLOAD"],
    ["merge", "PUSH0"],
  ] as const)
    it(`is refused before its first transaction where ${missing} is no instruction (${hardfork})`, async () => {
      const { artifacts, config } = await networkHelpers.loadFixture(local);
      const old = await freshChain(10n ** 24n, hardfork);
      const refusal = await deployContracts(old, deployer, artifacts, config).catch((error: Error) => error.message);
      expect(refusal).to.match(/^Chain 31337 does not run PUSH0, MCOPY and TLOAD/);
      expect(await request(old, "eth_blockNumber")).to.equal("0x0");
      expect(await request(old, "eth_getTransactionCount", deployer.address, "latest")).to.equal("0x0");
    });

  it("runs on chains that have just these rules and on newer ones (cancun, prague)", async () => {
    const { artifacts, config } = await networkHelpers.loadFixture(local);
    for (const hardfork of ["cancun", "prague"]) {
      const chain = await freshChain(10n ** 24n, hardfork);
      const manifest = await deployContracts(chain, deployer, artifacts, config);
      expect(await deploymentDifferences(chain, manifest, artifacts), hardfork).to.deep.equal([]);
    }
  });

  it("stays below the size limit of contracts and the gas cap of a transaction", async () => {
    const { manifest, artifacts } = await networkHelpers.loadFixture(local);
    for (const [name, { tx }] of Object.entries(manifest.contracts)) {
      const { deployedBytecode } = artifacts[name as ContractName] as unknown as { deployedBytecode: string };
      const receipt = await request<{ gasUsed: Hex }>(rpc, "eth_getTransactionReceipt", tx);
      expect((deployedBytecode.length - 2) / 2, name).to.be.lessThan(24_576);
      expect(Number(receipt.gasUsed), name).to.be.lessThan(16_777_216);
    }
  });
});

/** Filled inside an ABI walk, which cannot wait. */
const checks: (() => Promise<void>)[] = [];
