import { expect } from "chai";
import { AbiCoder, encodeBytes32String, id as hash, keccak256 } from "ethers";
import { deployAll, networkHelpers } from "../support/chain.ts";

const SPEC =
  "tuple(bytes32 method, bytes32 sourceHash, address checker, uint8 encoding, uint40 activeFrom, uint16 maxScale, uint32 voll, uint32 extra, uint32 maxEarly, string uri)";
const DAY = 86_400;

async function local() {
  const deployed = await deployAll();
  return withSpec(deployed);
}

async function withDelay() {
  return withSpec(await deployAll({ activationDelayS: DAY }));
}

async function withSpec(deployed: Awaited<ReturnType<typeof deployAll>>) {
  const checker = await deployed.checker.getAddress();
  const aSpec = (part: object = {}) => ({
    method: encodeBytes32String("least-cost/1"),
    sourceHash: hash("source"),
    checker,
    encoding: 1,
    activeFrom: 0,
    maxScale: 4_000,
    voll: 10_000_000,
    extra: 2_000_000,
    maxEarly: 40,
    uri: "https://example.org/source",
    ...part,
  });
  const versionOf = (spec: object) => keccak256(AbiCoder.defaultAbiCoder().encode([SPEC], [spec]));
  return { ...deployed, algorithms: deployed.algorithms.connect(deployed.publisher), aSpec, versionOf };
}

describe("AlgorithmRegistry", () => {
  describe("publish", () => {
    it("keeps the whole specification under the hash of it and tells everybody", async () => {
      const { algorithms, aSpec, versionOf } = await networkHelpers.loadFixture(local);
      const spec = aSpec();
      await expect(algorithms.publish(spec))
        .to.emit(algorithms, "Published")
        .withArgs(versionOf(spec), Object.values(spec));
      const wanted = Object.entries(spec).map(([key, value]) => [
        key,
        typeof value === "number" ? BigInt(value) : value,
      ]);
      expect((await algorithms.specOf(versionOf(spec))).toObject()).to.deep.equal(Object.fromEntries(wanted));
    });

    it("gives another version for another method, source, parameter or text", async () => {
      const { algorithms, aSpec } = await networkHelpers.loadFixture(local);
      const parts = [
        {},
        { method: encodeBytes32String("least-laxity/1") },
        { sourceHash: hash("other") },
        { voll: 10_000_001 },
        { uri: "" },
      ];
      const versions = [];
      for (const part of parts) {
        versions.push(await algorithms.publish.staticCall(aSpec(part)));
        await algorithms.publish(aSpec(part));
      }
      expect(new Set(versions).size).to.equal(parts.length);
    });

    it("refuses the same specification twice", async () => {
      const { algorithms, aSpec, versionOf } = await networkHelpers.loadFixture(local);
      await algorithms.publish(aSpec());
      await expect(algorithms.publish(aSpec()))
        .to.be.revertedWithCustomError(algorithms, "AlreadyPublished")
        .withArgs(versionOf(aSpec()));
    });

    it("refuses a checker without code, and voll below extra", async () => {
      const { algorithms, aSpec, others } = await networkHelpers.loadFixture(local);
      for (const part of [{ checker: others[0]!.address }, { checker: `0x${"00".repeat(20)}` }, { voll: 1_999_999 }])
        await expect(algorithms.publish(aSpec(part))).to.be.revertedWithCustomError(algorithms, "InvalidSpec");
    });

    it("refuses an activation sooner than the delay, by one second", async () => {
      const { algorithms, aSpec } = await networkHelpers.loadFixture(withDelay);
      const now = (await networkHelpers.time.latest()) + 10;
      await networkHelpers.time.setNextBlockTimestamp(now);
      await expect(algorithms.publish(aSpec({ activeFrom: now + DAY - 1 })))
        .to.be.revertedWithCustomError(algorithms, "ActiveTooSoon")
        .withArgs(now + DAY - 1, now + DAY);
      await networkHelpers.time.setNextBlockTimestamp(now + 1);
      await algorithms.publish(aSpec({ activeFrom: now + 1 + DAY }));
      expect(await algorithms.activationDelay()).to.equal(BigInt(DAY));
    });

    it("lets nobody but the publisher publish", async () => {
      const { algorithms, aSpec, admin, operator } = await networkHelpers.loadFixture(local);
      for (const stranger of [admin, operator])
        await expect(algorithms.connect(stranger).publish(aSpec()))
          .to.be.revertedWithCustomError(algorithms, "AccessManagedUnauthorized")
          .withArgs(stranger.address);
    });
  });

  describe("requireActive", () => {
    it("passes from the instant of activation on, and not a second before", async () => {
      const { algorithms, aSpec, versionOf } = await networkHelpers.loadFixture(withDelay);
      const activeFrom = (await networkHelpers.time.latest()) + 2 * DAY;
      const version = versionOf(aSpec({ activeFrom }));
      await algorithms.publish(aSpec({ activeFrom }));
      await networkHelpers.time.increaseTo(activeFrom - 1);
      await expect(algorithms.requireActive(version))
        .to.be.revertedWithCustomError(algorithms, "NotActive")
        .withArgs(version, activeFrom);
      await networkHelpers.time.increaseTo(activeFrom);
      await algorithms.requireActive(version);
    });

    it("refuses what was never published, as specOf does", async () => {
      const { algorithms } = await networkHelpers.loadFixture(local);
      for (const verb of ["requireActive", "specOf"])
        await expect(algorithms[verb](hash("nothing")))
          .to.be.revertedWithCustomError(algorithms, "UnknownVersion")
          .withArgs(hash("nothing"));
    });
  });
});
