import { createHash, randomBytes } from "node:crypto";
import { expect } from "chai";
import { createSeals } from "../../backend/adapters/chain/seals.ts";
import { createWallets } from "../../backend/adapters/chain/wallets.ts";
import type { OpenDatabase } from "../../backend/adapters/store/database.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import type { Store } from "../../backend/usecases/ports.ts";
import { rotateKeys } from "../../backend/usecases/rotateKeys.ts";
import { databases, openTestDatabase, whyNoPostgres } from "../support/databases.ts";

const kek = (n: number) => new Uint8Array(32).fill(n);
const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
const ringOf = (...versions: readonly number[]) =>
  createWallets({
    keks: Object.fromEntries(versions.map((version) => [version, kek(version)])),
    kekVersion: Math.max(...versions),
    random,
    domain: { chainId: 31_337, settlement: `0x${"c5".repeat(20)}` },
  });
const COUNT = 250;

for (const kind of databases)
  describe(`A rotation of the key-encryption key on ${kind}`, function () {
    this.timeout(300_000);
    let database: OpenDatabase;
    let store: Store;
    const id = (i: number) => `driver-${String(i).padStart(3, "0")}`;
    const versions = () => store.wallets.kekVersions();
    const message = (work: Promise<unknown>) => work.then(String, (error: Error) => error.message);

    beforeEach(async function () {
      const why = kind === "postgres" ? whyNoPostgres() : null;
      if (why) {
        console.log(`      (skipped: ${why})`);
        this.skip();
      }
      database = await openTestDatabase(kind);
      store = createStore(database.db);
      const first = ringOf(1);
      await store.transaction(async (inStep) => {
        for (let i = 0; i < COUNT; i++) {
          const wallet = first.create(id(i));
          const consentHash = createHash("sha256").update(id(i)).digest("hex");
          const { address } = wallet;
          const driver = {
            id: id(i),
            accountId: null,
            name: id(i),
            address,
            consentHash,
            registeredAt: epochSecond(1),
          };
          await inStep.drivers.add(driver, wallet);
        }
      });
    });
    afterEach(() => database?.close());

    it("leaves every key as it was, under the newest one alone", async () => {
      const before = await ringOf(1).exportKey((await store.drivers.wallet(id(7)))!);
      expect(await rotateKeys({ store, seals: ringOf(1, 2) })).to.deep.equal({
        ...{ version: 2, rewrapped: COUNT, damaged: [], underNewest: COUNT },
      });
      expect(await versions()).to.deep.equal([{ version: 2, wallets: COUNT }]);
      expect(await ringOf(2).exportKey((await store.drivers.wallet(id(7)))!)).to.equal(before);
      expect(await message(ringOf(1).exportKey((await store.drivers.wallet(id(7)))!))).to.contain("key 2 is missing");
      expect(await rotateKeys({ store, seals: ringOf(1, 2) })).to.include({ rewrapped: 0, underNewest: COUNT });
    });

    it("goes on where it was killed, wherever that was", async () => {
      const real = ringOf(1, 2);
      for (const dieAfter of [0, 1, 99, 100, 130]) {
        let calls = 0;
        // Dies in the middle of a transaction: what it had written there is not there.
        const dying: Store = {
          ...store,
          transaction: (work) =>
            store.transaction((inStep) =>
              work({
                ...inStep,
                wallets: {
                  ...inStep.wallets,
                  async rewrap(read, wrapped) {
                    if (calls++ === dieAfter) throw new Error("killed");
                    return inStep.wallets.rewrap(read, wrapped);
                  },
                },
              }),
            ),
        };
        expect(await message(rotateKeys({ store: dying, seals: real }))).to.equal("killed");
        const found = await versions();
        expect(found.reduce((sum, { wallets }) => sum + wallets, 0)).to.equal(COUNT);
        for (const { wallets } of found) expect(wallets % 100, "whole transactions").to.be.oneOf([0, COUNT % 100]);
        for (const i of [0, 120, COUNT - 1])
          expect(await real.exportKey((await store.drivers.wallet(id(i)))!)).to.match(/^0x[0-9a-f]{64}$/);
      }
      await rotateKeys({ store, seals: real });
      expect(await versions()).to.deep.equal([{ version: 2, wallets: COUNT }]);
    });

    it("refuses to begin when an old key is missing, or when it is behind", async () => {
      expect(await message(rotateKeys({ store, seals: ringOf(2) }))).to.match(/key 1, which is not configured/);
      expect(await versions()).to.deep.equal([{ version: 1, wallets: COUNT }]);
      await rotateKeys({ store, seals: ringOf(1, 3) });
      const behind = createSeals({ keks: { 2: kek(2), 3: kek(3) }, kekVersion: 2, random });
      expect(await message(rotateKeys({ store, seals: behind }))).to.match(/under version 3 already, newer than 2/);
    });

    it("names what does not open, and goes on with the rest", async () => {
      await database.db
        .updateTable("wallet")
        .set({ wrapped_dek: `0x${"00".repeat(60)}` })
        .where("wallet_id", "=", id(5))
        .execute();
      const { damaged, rewrapped } = await rotateKeys({ store, seals: ringOf(1, 2) });
      expect([damaged, rewrapped]).to.deep.equal([[id(5)], COUNT - 1]);
    });

    it("brings back nobody who is erased meanwhile", async () => {
      const racing: Store = {
        ...store,
        transaction: async (work) => {
          await database.db.updateTable("wallet").set({ wrapped_dek: null }).where("wallet_id", "=", id(3)).execute();
          return store.transaction(work);
        },
      };
      expect(await rotateKeys({ store: racing, seals: ringOf(1, 2) })).to.include({
        rewrapped: COUNT - 1,
        underNewest: COUNT - 1,
      });
      expect(await store.drivers.wallet(id(3))).to.equal(null);
    });
  });
