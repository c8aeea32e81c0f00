import { stripTypeScriptTypes } from "node:module";
import { runInNewContext } from "node:vm";
import { expect } from "chai";
import { AbiCoder, concat, encodeBytes32String, id as hash, keccak256, ZeroHash } from "ethers";
import { algorithmSpecs } from "../../backend/adapters/chain/algorithms.ts";
import { chunksOf, textOf } from "../../backend/adapters/chain/codeChunks.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { deployAll, ethers, networkHelpers } from "../support/chain.ts";
import { randomFrom, randomProblem, realisticProblem } from "../support/problems.ts";
import { bytesOf } from "../support/slotLedger.ts";

const SPEC =
  "tuple(bytes32 method, bytes32 sourceHash, bytes32 code, address checker, uint8 encoding, uint40 activeFrom, uint16 maxScale, uint32 voll, uint32 extra, uint32 maxEarly, string uri)";
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
    code: ZeroHash,
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
      await algorithms.publish(aSpec({ voll: 2_000_000 }));
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

  describe("code", () => {
    const TEXT = `export const answer = ${"4".repeat(500)}2;\n`;
    const CODE = hash(TEXT);

    it("of the exact method comes back from the chain alone and gives the same plans, byte for byte", async () => {
      const weights = { maxScale: 4_000, voll: 10_000_000, extra: 2_000_000, maxEarly: 40 };
      const { algorithms, manifest } = await deployAll({ algorithms: algorithmSpecs(weights) });
      const spec = await algorithms.specOf(manifest.algorithms["least-cost/1"]);
      const text = textOf(spec.code, await algorithms.codeOf(spec.code));
      // A bare context: nothing of Node, nothing of this project, no import.
      const script = stripTypeScriptTypes(text).replaceAll(/^export /gm, "");
      const fetched = runInNewContext(`${script}\nleastCost`) as typeof leastCost;
      for (let seed = 1; seed <= 50; seed++) {
        const problem = seed <= 45 ? randomProblem(seed) : realisticProblem(20, seed);
        const [mine, theirs] = [leastCost(problem), fetched(problem)];
        expect(bytesOf(problem, theirs)).to.deep.equal(bytesOf(problem, mine));
        expect([theirs.cost, theirs.bound]).to.deep.equal([mine.cost, mine.bound]);
      }
      for (const method of ["equal-share/1", "first-come/1"])
        if (manifest.algorithms[method] !== undefined)
          expect((await algorithms.specOf(manifest.algorithms[method])).code).to.equal(ZeroHash);
    });

    it("is stored chunk after chunk, each as the code of an address that cannot be run", async () => {
      const { algorithms } = await networkHelpers.loadFixture(local);
      const chunks = ["0x11223344", `0x${"ab".repeat(1_000)}`, "0x00"];
      for (const [index, chunk] of chunks.entries()) {
        const pointer = await algorithms.storeCode.staticCall(CODE, chunk);
        await expect(algorithms.storeCode(CODE, chunk))
          .to.emit(algorithms, "CodeStored")
          .withArgs(CODE, index, pointer);
        expect(await ethers.provider.getCode(pointer)).to.equal(`0x00${chunk.slice(2)}`);
      }
      expect(await algorithms.codeOf(CODE)).to.equal(concat(chunks));
      expect(await algorithms.codeOf(hash("nothing"))).to.equal("0x");
    });

    it("takes the largest chunk that a contract can hold, and neither one byte more nor none", async () => {
      const { algorithms } = await networkHelpers.loadFixture(local);
      const largest = `0x${"fe".repeat(24_575)}`;
      const { gasUsed } = await (await algorithms.storeCode(CODE, largest)).wait();
      expect(gasUsed < 16_777_216n).to.equal(true);
      expect(await algorithms.codeOf(CODE)).to.equal(largest);
      for (const [chunk, length] of [
        [`${largest}fe`, 24_576],
        ["0x", 0],
      ] as const)
        await expect(algorithms.storeCode(CODE, chunk))
          .to.be.revertedWithCustomError(algorithms, "InvalidChunk")
          .withArgs(length);
    });

    it("is not half stored when the gas does not suffice", async () => {
      const { algorithms } = await networkHelpers.loadFixture(local);
      const chunk = `0x${"fe".repeat(20_000)}`;
      // Creating the code runs out of its 63/64 of the gas, and the rest would suffice to store a pointer to nothing.
      await expect(algorithms.storeCode(CODE, chunk, { gasLimit: 4_450_000 }))
        .to.be.revertedWithCustomError(algorithms, "InvalidChunk")
        .withArgs(20_000);
      expect(await algorithms.codeOf(CODE)).to.equal("0x");
    });

    it("must be there before a version names it, and is sealed from then on", async () => {
      const { algorithms, aSpec } = await networkHelpers.loadFixture(local);
      await expect(algorithms.publish(aSpec({ code: CODE })))
        .to.be.revertedWithCustomError(algorithms, "CodeMissing")
        .withArgs(CODE);
      await algorithms.storeCode(CODE, "0x1122");
      await algorithms.publish(aSpec());
      await algorithms.storeCode(CODE, "0x33");
      await algorithms.publish(aSpec({ code: CODE }));
      await expect(algorithms.storeCode(CODE, "0x44"))
        .to.be.revertedWithCustomError(algorithms, "CodeSealed")
        .withArgs(CODE);
      await algorithms.publish(aSpec({ code: CODE, uri: "another version, the same code" }));
      // A version without a text seals none.
      await algorithms.storeCode(ZeroHash, "0x55");
      expect(await algorithms.codeOf(CODE)).to.equal("0x112233");
    });

    it("is not run when its hash is another one", () => {
      const [chunk] = chunksOf(TEXT);
      expect(textOf(CODE as Hex, chunk!)).to.equal(TEXT);
      expect(() => textOf(hash("other") as Hex, chunk!)).to.throw("do not run it");
      // Noise does not compress: more than one chunk.
      const random = randomFrom(7);
      const noise = Array.from({ length: 60_000 }, () => String.fromCharCode(32 + Math.floor(random() * 90))).join("");
      const chunks = chunksOf(noise);
      expect(chunks.length).to.be.greaterThan(1);
      expect(textOf(hash(noise) as Hex, concat(chunks) as Hex)).to.equal(noise);
    });

    it("is the publisher's to store", async () => {
      const { algorithms, admin } = await networkHelpers.loadFixture(local);
      await expect(algorithms.connect(admin).storeCode(CODE, "0x11"))
        .to.be.revertedWithCustomError(algorithms, "AccessManagedUnauthorized")
        .withArgs(admin.address);
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
