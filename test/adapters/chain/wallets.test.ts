import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { expect } from "chai";
import { SigningKey, Transaction, verifyTypedData } from "ethers";
import fc from "fast-check";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { localSigner } from "../../../backend/adapters/chain/signer.ts";
import {
  createWallets,
  REDEEM_TYPES,
  settlementDomain,
  type WalletConfig,
} from "../../../backend/adapters/chain/wallets.ts";
import { epochSecond } from "../../../backend/domain/units.ts";
import type { SealedWallet } from "../../../backend/usecases/ports.ts";

const domain = { chainId: 31_337, settlement: "0x00000000000000000000000000000000000000c5" as Hex };
const kek = (n: number) => new Uint8Array(32).fill(n);
/** Remembers what it gave, so that tests can look for it where it must not be. */
const given: Uint8Array[] = [];
const random: WalletConfig["random"] = (bytes, label) => {
  const drawn = createHash("sha512").update(label).digest().subarray(0, bytes);
  if (bytes === 32) given.push(Uint8Array.from(drawn));
  return drawn;
};
const config: WalletConfig = { keks: { 1: kek(1) }, kekVersion: 1, random, domain };
const wallets = createWallets(config);
const alice = wallets.create("driver-alice");
const bob = wallets.create("driver-bob");
const intent = (driver: Hex) => ({
  driver,
  cpo: 3,
  wh: 1500,
  minPayout: 75n,
  nonce: 0,
  deadline: epochSecond(2_000_000_000),
});

const refusal = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error("it was accepted");
    },
    (error: Error) => error,
  );

describe("drivers' wallets", () => {
  it("sign a redemption that the contract's EIP-712 domain verifies", async () => {
    const signature = await wallets.signRedeem(alice, intent(alice.address));
    expect(verifyTypedData(settlementDomain(domain), REDEEM_TYPES, intent(alice.address), signature)).to.equal(
      alice.address,
    );
  });

  it("have independent keys: another address for each driver, the same for the same randomness", () => {
    expect(alice.address).to.not.equal(bob.address);
    expect(createWallets(config).create("driver-alice")).to.deep.equal(alice);
  });

  it("refuse to sign for somebody else", async () => {
    expect((await refusal(wallets.signRedeem(alice, intent(bob.address)))).message).to.contain("driver-alice");
  });

  it("open with no other row, no other version and no other key-encryption key", async () => {
    const swaps: SealedWallet[] = [
      { ...alice, sealedKey: bob.sealedKey },
      { ...alice, wrappedDek: bob.wrappedDek },
      { ...alice, sealedKey: bob.sealedKey, wrappedDek: bob.wrappedDek },
      { ...bob, walletId: alice.walletId, address: alice.address },
      { ...alice, sealedKey: alice.sealedKey.slice(0, -2) as Hex },
      { ...alice, wrappedDek: "0x" },
    ];
    for (const swapped of swaps)
      expect((await refusal(wallets.signRedeem(swapped, intent(alice.address)))).message).to.match(/does not open/);
    const others = createWallets({ ...config, keks: { 1: kek(2) } });
    expect((await refusal(others.signRedeem(alice, intent(alice.address)))).message).to.match(/does not open/);
    const both = createWallets({ ...config, keks: { 1: kek(1), 2: kek(1) } });
    expect((await refusal(both.signRedeem({ ...alice, kekVersion: 2 }, intent(alice.address)))).message).to.match(
      /does not open/,
    );
    expect((await refusal(wallets.signRedeem({ ...alice, kekVersion: 7 }, intent(alice.address)))).message).to.match(
      /key 7 is missing/,
    );
  });

  it("do not open after any single changed bit of either seal", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("sealedKey" as const, "wrappedDek" as const),
        fc.nat(60 * 8 - 1),
        async (field, bit) => {
          const bytes = Buffer.from(alice[field].slice(2), "hex");
          bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
          const broken = { ...alice, [field]: `0x${bytes.toString("hex")}` };
          expect((await refusal(wallets.signRedeem(broken, intent(alice.address)))).message).to.match(/does not open/);
        },
      ),
      { numRuns: 200, seed: 5 },
    );
  });

  it("show no key material in rows, messages, stacks or inspected objects", async () => {
    const texts = [inspect(alice, { depth: 9 }), inspect(wallets, { depth: 9, showHidden: true })];
    for (const wrong of [
      { ...alice, sealedKey: bob.sealedKey },
      { ...alice, kekVersion: 9 },
      { ...alice, wrappedDek: "0x00" as Hex },
    ]) {
      const error = await refusal(wallets.signRedeem(wrong, intent(alice.address)));
      texts.push(inspect(error, { depth: 9 }), String(error.stack));
    }
    const secrets = [...given, kek(1)].map((bytes) => Buffer.from(bytes));
    expect(secrets.length).to.be.greaterThan(4);
    for (const text of texts)
      for (const secret of secrets)
        for (const form of [
          secret.toString("hex"),
          secret.toString("base64"),
          [...secret].join(", "),
          [...secret].join(","),
        ])
          expect(text.toLowerCase()).to.not.contain(form.toLowerCase());
  });

  it("move to a new key-encryption key without touching the key, and again without harm", async () => {
    const rotated = createWallets({ ...config, keks: { 1: kek(1), 2: kek(2) }, kekVersion: 2 });
    const moved = rotated.rewrap(alice);
    expect(moved).to.deep.include({ kekVersion: 2, sealedKey: alice.sealedKey, address: alice.address });
    expect(moved.wrappedDek).to.not.equal(alice.wrappedDek);
    expect(rotated.rewrap(moved)).to.equal(moved);
    const afterwards = createWallets({ ...config, keks: { 2: kek(2) }, kekVersion: 2 });
    expect(await afterwards.signRedeem(moved, intent(alice.address))).to.equal(
      await wallets.signRedeem(alice, intent(alice.address)),
    );
    expect((await refusal(afterwards.signRedeem(alice, intent(alice.address)))).message).to.match(/key 1 is missing/);
    expect(await rotated.signRedeem(bob, intent(bob.address)), "a rotation that stopped half way").to.match(/^0x/);
  });

  it("draw again in the case that a draw is no key of the curve", () => {
    const draws = [new Uint8Array(32).fill(255), new Uint8Array(32), new Uint8Array(32).fill(3)];
    const rigged = createWallets({
      ...config,
      random: (n, label) => (label.includes(":key:") && n === 32 ? (draws.shift() as Uint8Array) : random(n, label)),
    });
    expect(rigged.create("x").address).to.equal(localSigner(`0x${"03".repeat(32)}`).address);
  });
});

describe("a lane's signer", () => {
  const plain = { chainId: 1, nonce: 0, to: alice.address, data: "0x" as const, gasLimit: 21_000, maxFee: 2n, tip: 1n };

  it("gives the same bytes and the same hash for the same transaction", async () => {
    const signer = localSigner(`0x${"11".repeat(32)}`);
    expect(await signer.sign(plain)).to.deep.equal(await signer.sign(plain));
    const { raw, hash } = await signer.sign(plain);
    expect(Transaction.from(raw)).to.include({ hash, from: signer.address, nonce: 0, type: 2 });
    expect((await signer.sign({ ...plain, nonce: 1 })).hash).to.not.equal((await signer.sign(plain)).hash);
  });

  it("shows no key in its refusals or when it is inspected", () => {
    const bad = `${"ab".repeat(31)}zz`;
    expect(() => localSigner(`0x${bad}`))
      .to.throw(/not 32 bytes of hex/)
      .and.not.have.property("message", bad);
    for (const key of [bad, "ab".repeat(31), "ff".repeat(32)]) {
      let text = "";
      try {
        localSigner(`0x${key}`);
      } catch (error) {
        text = inspect(error, { depth: 9 });
      }
      expect(text).to.contain("signing key");
      expect(text).to.not.contain(key.slice(0, 8));
    }
    const signer = localSigner(`0x${"5a".repeat(32)}`);
    expect(inspect(signer, { depth: 9, showHidden: true })).to.not.contain("5a5a5a");
    expect(new SigningKey(`0x${"5a".repeat(32)}`).publicKey).to.match(/^0x04/);
  });
});
