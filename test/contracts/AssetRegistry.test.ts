import { expect } from "chai";
import { AbiCoder, id as hash, keccak256 } from "ethers";
import { deployAll, networkHelpers } from "../support/chain.ts";

const KIND = { none: 0, chargePoint: 1, inverter: 2, battery: 3 };
const STATE = { none: 0, planned: 1, active: 2, faulted: 3, retired: 4 };
const GROUP = 7;

const anAsset = (part: object = {}) => ({
  kind: KIND.chargePoint,
  state: STATE.active,
  connector: 3,
  phases: 3,
  group: GROUP,
  index: 0,
  fromSlot: 100,
  ratedPower: 22_000,
  minPower: 4_140,
  capacity: 0,
  metadata: hash("document"),
  ...part,
});
const aGroup = (part: object = {}) => ({ cpo: 1, capacity: 100_000, parent: 0, fromSlot: 100, ...part });
const idOf = (name: string) => hash(name);

async function empty() {
  const deployed = await deployAll();
  return { ...deployed, registry: deployed.registry.connect(deployed.registrar) };
}

async function withGroup() {
  const deployed = await empty();
  await deployed.registry.setGroup(GROUP, aGroup());
  return deployed;
}

async function withAsset() {
  const deployed = await withGroup();
  await deployed.registry.register([idOf("A")], [anAsset()]);
  return deployed;
}

describe("AssetRegistry", () => {
  describe("setGroup", () => {
    it("creates a group and tells everybody", async () => {
      const { registry } = await networkHelpers.loadFixture(empty);
      await expect(registry.setGroup(GROUP, aGroup()))
        .to.emit(registry, "GroupSet")
        .withArgs(GROUP, Object.values(aGroup()));
      expect((await registry.groupOf(GROUP)).toObject()).to.deep.equal({
        cpo: 1n,
        capacity: 100_000n,
        parent: 0n,
        fromSlot: 100n,
      });
    });

    it("changes capacity and operator from a later slot on, or from the same", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await registry.setGroup(GROUP, aGroup({ capacity: 50_000, fromSlot: 100 }));
      await registry.setGroup(GROUP, aGroup({ capacity: 60_000, cpo: 2, fromSlot: 101 }));
      expect([...(await registry.groupOf(GROUP))]).to.deep.equal([2n, 60_000n, 0n, 101n]);
    });

    it("keeps the rows when settings change", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      await registry.setGroup(GROUP, aGroup({ capacity: 1 }));
      expect(await registry.countOf(GROUP)).to.equal(1n);
    });

    it("refuses a change for an earlier slot than the last one's", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await expect(registry.setGroup(GROUP, aGroup({ fromSlot: 99 })))
        .to.be.revertedWithCustomError(registry, "SlotBeforeLast")
        .withArgs(99, 100);
    });

    it("refuses group 0, an operator 0 and a parent that does not exist", async () => {
      const { registry } = await networkHelpers.loadFixture(empty);
      await expect(registry.setGroup(0, aGroup())).to.be.revertedWithCustomError(registry, "UnknownGroup").withArgs(0);
      await expect(registry.setGroup(3, aGroup({ cpo: 0 })))
        .to.be.revertedWithCustomError(registry, "InvalidGroup")
        .withArgs(3);
      await expect(registry.setGroup(3, aGroup({ parent: 9 })))
        .to.be.revertedWithCustomError(registry, "UnknownGroup")
        .withArgs(9);
    });

    it("allows four levels below the grid and no fifth", async () => {
      const { registry } = await networkHelpers.loadFixture(empty);
      for (const group of [1, 2, 3, 4]) await registry.setGroup(group, aGroup({ parent: group - 1 }));
      await expect(registry.setGroup(5, aGroup({ parent: 4 })))
        .to.be.revertedWithCustomError(registry, "TooDeep")
        .withArgs(5);
      expect(await registry.MAX_DEPTH()).to.equal(4n);
    });

    it("moves a leaf, also back to the grid, and then its old parent is a leaf again", async () => {
      const { registry } = await networkHelpers.loadFixture(empty);
      for (const [group, parent] of [
        [1, 0],
        [2, 0],
        [3, 1],
      ] as const)
        await registry.setGroup(group, aGroup({ parent }));
      await expect(registry.setGroup(1, aGroup({ parent: 2 }))).to.be.revertedWithCustomError(registry, "ParentFixed");
      await registry.setGroup(3, aGroup({ parent: 2 }));
      await registry.setGroup(1, aGroup({ parent: 2 }));
      await registry.setGroup(3, aGroup({ parent: 0 }));
      await registry.setGroup(3, aGroup({ parent: 1 }));
      expect((await registry.groupOf(3)).parent).to.equal(1n);
      await expect(registry.setGroup(2, aGroup({ parent: 3 })))
        .to.be.revertedWithCustomError(registry, "ParentFixed")
        .withArgs(2);
    });

    it("refuses a group as its own parent, new or old: no cycle can arise", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      for (const group of [8, GROUP])
        await expect(registry.setGroup(group, aGroup({ parent: group })))
          .to.be.revertedWithCustomError(registry, "ParentFixed")
          .withArgs(group);
    });

    it("lets a feeder with children change its capacity", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await registry.setGroup(8, aGroup({ parent: GROUP }));
      await registry.setGroup(GROUP, aGroup({ capacity: 1 }));
      expect((await registry.groupOf(GROUP)).capacity).to.equal(1n);
    });
  });

  describe("register", () => {
    it("stores the asset, gives it its row and tells everybody", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await expect(registry.register([idOf("A")], [anAsset()]))
        .to.emit(registry, "Registered")
        .withArgs(idOf("A"), GROUP, KIND.chargePoint, Object.values(anAsset()));
      const stored = (await registry.assetOf(idOf("A"))).toObject();
      const wanted = Object.entries(anAsset()).map(([key, value]) => [
        key,
        typeof value === "number" ? BigInt(value) : value,
      ]);
      expect(stored).to.deep.equal(Object.fromEntries(wanted));
    });

    it("leads from group and index back to the id, for every asset of a batch", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      const kinds = [KIND.chargePoint, KIND.inverter, KIND.battery, KIND.chargePoint];
      const ids = kinds.map((_, i) => idOf(`asset ${i}`));
      await registry.register(
        ids,
        kinds.map((kind, index) => anAsset({ kind, index, state: STATE.planned })),
      );
      for (const [index, id] of ids.entries()) {
        expect(await registry.memberOf(GROUP, index)).to.equal(id);
        expect((await registry.assetOf(id)).index).to.equal(BigInt(index));
      }
      expect(await registry.countOf(GROUP)).to.equal(4n);
      expect(await registry.memberOf(GROUP, 4)).to.equal(`0x${"00".repeat(32)}`);
    });

    it("takes 150 assets in one transaction below the gas cap of 16,777,216", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      const indices = Array.from({ length: 150 }, (_, i) => i);
      const sent = await registry.register(
        indices.map((i) => idOf(`${i}`)),
        indices.map((index) => anAsset({ index })),
      );
      const { gasUsed } = await sent.wait();
      expect(gasUsed < 16_777_216n).to.equal(true);
    });

    it("refuses an id twice, in one batch or later, even after retirement", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      const again = [anAsset({ index: 1 })];
      await expect(registry.register([idOf("A")], again))
        .to.be.revertedWithCustomError(registry, "AlreadyRegistered")
        .withArgs(idOf("A"));
      await expect(registry.register([idOf("B"), idOf("B")], [anAsset({ index: 1 }), anAsset({ index: 2 })]))
        .to.be.revertedWithCustomError(registry, "AlreadyRegistered")
        .withArgs(idOf("B"));
      await registry.setState([idOf("A")], STATE.retired, 200);
      await expect(registry.register([idOf("A")], again)).to.be.revertedWithCustomError(registry, "AlreadyRegistered");
    });

    it("refuses any index but the next: rows stay dense and none is used twice", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      for (const index of [0, 2, 65_535])
        await expect(registry.register([idOf("B")], [anAsset({ index })]))
          .to.be.revertedWithCustomError(registry, "WrongIndex")
          .withArgs(idOf("B"), index, 1);
    });

    it("refuses a group that does not exist", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      for (const group of [0, 8])
        await expect(registry.register([idOf("A")], [anAsset({ group })]))
          .to.be.revertedWithCustomError(registry, "UnknownGroup")
          .withArgs(group);
    });

    for (const [what, part] of Object.entries({
      "no kind": { kind: KIND.none },
      "no state": { state: STATE.none },
      "a faulted start": { state: STATE.faulted },
      "a retired start": { state: STATE.retired },
      "0 phases": { phases: 0 },
      "4 phases": { phases: 4 },
      "a least power above the rated": { minPower: 22_001 },
    }))
      it(`refuses ${what}`, async () => {
        const { registry } = await networkHelpers.loadFixture(withGroup);
        await expect(registry.register([idOf("A")], [anAsset(part)]))
          .to.be.revertedWithCustomError(registry, "InvalidAsset")
          .withArgs(idOf("A"));
      });

    it("takes one, two and three phases, and an asset that knows one power only", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      const kinds = [{ phases: 1 }, { phases: 2 }, { phases: 3, minPower: anAsset().ratedPower }];
      await registry.register(
        kinds.map((_, index) => idOf(`${index}`)),
        kinds.map((part, index) => anAsset({ ...part, index })),
      );
      for (const [index, { phases }] of kinds.entries())
        expect((await registry.assetOf(idOf(`${index}`))).phases).to.equal(BigInt(phases));
    });

    it("refuses lists of different length", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await expect(registry.register([idOf("A")], [])).to.be.revertedWithCustomError(registry, "LengthMismatch");
    });

    it("refuses row 65,535: a group is full then, for ever", async () => {
      const { registry } = await networkHelpers.loadFixture(withGroup);
      await setMemberCount(await registry.getAddress(), 65_535);
      await expect(registry.register([idOf("A")], [anAsset({ index: 65_535 })]))
        .to.be.revertedWithCustomError(registry, "GroupFull")
        .withArgs(GROUP);
    });
  });

  describe("setState", () => {
    it("changes the state of several assets from a slot on and tells everybody", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      await registry.register([idOf("B")], [anAsset({ index: 1 })]);
      await expect(registry.setState([idOf("A"), idOf("B")], STATE.faulted, 120))
        .to.emit(registry, "StateSet")
        .withArgs(idOf("A"), STATE.faulted, 120)
        .and.to.emit(registry, "StateSet")
        .withArgs(idOf("B"), STATE.faulted, 120);
      await registry.setState([idOf("A")], STATE.active, 130);
      expect((await registry.assetOf(idOf("A"))).state).to.equal(BigInt(STATE.active));
    });

    it("never changes kind, group or index", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      await registry.setState([idOf("A")], STATE.retired, 120);
      const { kind, group, index } = await registry.assetOf(idOf("A"));
      expect([kind, group, index]).to.deep.equal([BigInt(KIND.chargePoint), BigInt(GROUP), 0n]);
    });

    it("refuses to bring a retired asset back", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      await registry.setState([idOf("A")], STATE.retired, 120);
      await expect(registry.setState([idOf("A")], STATE.active, 130))
        .to.be.revertedWithCustomError(registry, "AlreadyRetired")
        .withArgs(idOf("A"));
    });

    it("refuses None and Planned, an unknown asset and an earlier slot than the last change's", async () => {
      const { registry } = await networkHelpers.loadFixture(withAsset);
      for (const state of [STATE.none, STATE.planned])
        await expect(registry.setState([idOf("A")], state, 120))
          .to.be.revertedWithCustomError(registry, "InvalidState")
          .withArgs(idOf("A"), state);
      await expect(registry.setState([idOf("Z")], STATE.active, 120))
        .to.be.revertedWithCustomError(registry, "UnknownAsset")
        .withArgs(idOf("Z"));
      await expect(registry.setState([idOf("A")], STATE.faulted, 99))
        .to.be.revertedWithCustomError(registry, "SlotBeforeLast")
        .withArgs(99, 100);
      await registry.setState([idOf("A")], STATE.faulted, 110);
      await expect(registry.setState([idOf("A")], STATE.active, 109))
        .to.be.revertedWithCustomError(registry, "SlotBeforeLast")
        .withArgs(109, 110);
      await registry.setState([idOf("A")], STATE.active, 110);
      expect((await registry.assetOf(idOf("A"))).state).to.equal(BigInt(STATE.active));
    });
  });

  it("computes ids as keccak256(abi.encode(cpo, salt, evseId))", async () => {
    const { registry } = await networkHelpers.loadFixture(empty);
    const encoded = AbiCoder.defaultAbiCoder().encode(
      ["uint32", "bytes32", "string"],
      [9, hash("salt"), "BE*BEC*E041503001"],
    );
    expect(await registry.idOf(9, hash("salt"), "BE*BEC*E041503001")).to.equal(keccak256(encoded));
  });

  it("knows nothing about ids and groups that were never registered", async () => {
    const { registry } = await networkHelpers.loadFixture(empty);
    expect((await registry.assetOf(idOf("A"))).kind).to.equal(BigInt(KIND.none));
    expect((await registry.groupOf(1)).cpo).to.equal(0n);
    expect(await registry.countOf(1)).to.equal(0n);
  });

  it("lets nobody but the registrar write", async () => {
    const { registry, admin, operator, biller, others } = await networkHelpers.loadFixture(withAsset);
    for (const stranger of [admin, operator, biller, others[0]!]) {
      const attempts = [
        registry.connect(stranger).register([idOf("B")], [anAsset({ index: 1 })]),
        registry.connect(stranger).setState([idOf("A")], STATE.faulted, 120),
        registry.connect(stranger).setGroup(GROUP, aGroup()),
      ];
      for (const attempt of attempts)
        await expect(attempt)
          .to.be.revertedWithCustomError(registry, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
    }
  });
});

/** Writes the length of `_member[GROUP]`: registering 65,535 assets would take minutes. `_member` is storage slot 4. */
async function setMemberCount(registry: string, count: number): Promise<void> {
  const slot = keccak256(AbiCoder.defaultAbiCoder().encode(["uint32", "uint256"], [GROUP, 4]));
  await networkHelpers.setStorageAt(registry, slot, count);
}
