/** Disputes on the real contracts: calls that the ledger makes, signed by a driver's own wallet, and what the service is told. */
import { expect } from "chai";
import { keccak256, verifyTypedData } from "ethers";
import { createChainWatch } from "../../../backend/adapters/chain/chainWatch.ts";
import { type Hex, quantity, request } from "../../../backend/adapters/chain/rpc.ts";
import { createWallets, DISPUTE_TYPES, settlementDomain } from "../../../backend/adapters/chain/wallets.ts";
import { epochSecond, microEur, microEurPerKwh } from "../../../backend/domain/units.ts";
import type { BillLine, ChainCall, ChainWatch } from "../../../backend/usecases/ports.ts";
import { aDeployment, CPO, type Deployed, KEYS } from "./deployed.ts";

const DAY_S = 86_400;
const WINDOW_S = DAY_S;
const DRIVERS = ["ann", "ben", "cal"];
const PAYEE = KEYS.treasury.address;

describe("Disputes on the real contracts", function () {
  this.timeout(60_000);
  let on: Deployed;
  let watch: ChainWatch;
  let drivers: readonly Hex[];
  const domain = () => ({ chainId: on.chain.rpc.chainId, settlement: on.contracts.addressOf("Settlement") });
  const wallets = () =>
    createWallets({
      keks: { 1: Buffer.alloc(32, 9) },
      kekVersion: 1,
      random: (n, label) => Buffer.from(keccak256(Buffer.from(label)).slice(2), "hex").subarray(0, n),
      domain: domain(),
    });
  const write = async (...calls: ChainCall[]) => expect(await on.write(...calls)).to.include({ open: 0, parked: 0 });
  async function later(seconds: number) {
    await request(on.chain.rpc, "evm_increaseTime", quantity(seconds));
    await request(on.chain.rpc, "evm_mine");
  }
  const now = async () =>
    Number((await request<{ timestamp: Hex }>(on.chain.rpc, "eth_getBlockByNumber", "latest", false)).timestamp);
  const gasOf = async (call: string) => {
    const row = await on.db.selectFrom("outbox").select("tx_hash").where("call", "=", call).executeTakeFirstOrThrow();
    return Number((await request<{ gasUsed: Hex }>(on.chain.rpc, "eth_getTransactionReceipt", row.tx_hash)).gasUsed);
  };

  /** One line per driver and more, so that proofs have siblings on every level. */
  const lines = (): BillLine[] =>
    Array.from({ length: 7 }, (_, i) => ({
      number: i + 1,
      driver: drivers[i % drivers.length] as Hex,
      amount: 3_000_000n,
      credit: 0n,
      wh: 10_000,
      flex: 4_000,
      tariff: 1,
      detail: keccak256(Buffer.from(`${i}`)) as Hex,
    }));
  /** As the service does it. */
  async function dispute(number: number, over: { nonce?: number; deadline?: number } = {}): Promise<ChainCall> {
    const wallet = wallets().create(DRIVERS[(number - 1) % DRIVERS.length] as string);
    const { nonce } = await on.reader.account(wallet.address);
    const deadline = epochSecond((await now()) + WINDOW_S);
    const intent = { driver: wallet.address, cpo: CPO, number, nonce, deadline, ...over } as const;
    const signature = await wallets().signDispute(wallet, intent as never);
    return on.ledger.dispute({ seq: 1, lines: lines(), intent: { ...intent, signature } as never });
  }
  const stateOf = async (number: number) =>
    Number((await on.reader.ask("Settlement", "disputeOf", [CPO, number]))[0].state);

  before(async () => {
    on = await aDeployment(WINDOW_S);
    watch = createChainWatch(on.chain.rpc, on.contracts, 0);
    drivers = DRIVERS.map((id) => wallets().create(id).address);
    const { ledger } = on;
    const tariff = { tariff: 1, cpo: CPO, maxPerKwh: microEurPerKwh(600_000), maxFixed: microEur(0n) };
    await write(
      ledger.registerDrivers(drivers.map((driver) => ({ driver, consent: `0x${"01".repeat(32)}` as const }))),
      ledger.setPayee({ cpo: CPO, payee: PAYEE }),
      ledger.setTariff({ ...tariff, fromAt: epochSecond(0) }),
      ledger.mintTestEuro(PAYEE, microEur(100_000_000n), "mint"),
      ledger.approveDeposits(),
      ...drivers.map((driver) => ledger.deposit(driver, microEur(10_000_000n), `deposit:${driver}`)),
    );
    await write(ledger.post({ cpo: CPO, seq: 1, lines: lines() }));
  });
  after(() => on.chain.close());

  it("knows the deployment's window and the contract's term", async () => {
    const [[window], [term]] = [
      await on.reader.ask("Settlement", "window", []),
      await on.reader.ask("Settlement", "DISPUTE_TERM", []),
    ];
    expect(on.ledger.disputeTerms).to.deep.equal({ windowS: Number(window), termS: Number(term) });
    expect(on.ledger.disputeTerms.windowS).to.equal(WINDOW_S);
  });

  it("signs what the contract hashes", async () => {
    const wallet = wallets().create("ann");
    const intent = { driver: wallet.address, cpo: 3, number: 7, nonce: 2, deadline: epochSecond(1_800_000_000) };
    const signature = await wallets().signDispute(wallet, intent);
    expect(verifyTypedData(settlementDomain(domain()), DISPUTE_TYPES, intent, signature)).to.equal(wallet.address);
    const another = wallets().signDispute(wallets().create("ben"), intent);
    expect(await another.then(String, ({ message }: Error) => message)).to.contain("wallet ben is");
  });

  it("carries a dispute of each place in a batch, signed by its driver and sent by the service", async () => {
    for (const number of [1, 4, 7]) {
      await write(await dispute(number));
      expect(await stateOf(number)).to.equal(1);
    }
    expect(await gasOf("disputeBySig")).to.be.below(200_000);
    const [batch] = await on.reader.ask("Settlement", "batchOf", [CPO, 1]);
    expect(batch.pot).to.equal(4n * 3_000_000n);
  });

  it("takes a dispute that is there already as done, under whatever key", async () => {
    await write({ ...(await dispute(1)), key: "dispute again" });
  });

  it("parks a dispute with a nonce that is not the next", async () => {
    const call = await dispute(2, { nonce: 9 });
    expect(await on.write(call)).to.include({ open: 1, parked: 1 });
    expect(on.alarms.at(-1)?.text).to.match(/^IntentRefused/);
    await on.db.updateTable("outbox").set({ cancelled: true }).where("key", "=", call.key).execute();
    await write();
    await on.db.deleteFrom("outbox").where("key", "=", call.key).execute();
  });

  it("lets the arbiter's lane decide: debt first, the rest back, and what is left to the CPO", async () => {
    const { ledger, reader } = on;
    const before = await reader.account(drivers[0] as Hex);
    const payee = await reader.account(PAYEE);
    const call = ledger.resolve({ cpo: CPO, number: 1, refund: microEur(1_500_000n), flexDeltaWh: -1_000 });
    expect(call.lane).to.equal("arbiter");
    await write(call);
    const after = await reader.account(drivers[0] as Hex);
    expect(after.available - before.available).to.equal(1_500_000n);
    expect(before.flexWh - after.flexWh).to.equal(1_000);
    expect((await reader.account(PAYEE)).available - payee.available).to.equal(1_500_000n);
    expect(await gasOf("resolve")).to.be.below(150_000);
    // The same decision again is done; another one is not, and waits for a person.
    await write({ ...call, key: "again" });
    const other = ledger.resolve({ cpo: CPO, number: 1, refund: microEur(1_600_000n), flexDeltaWh: -1_000 });
    expect(await on.write({ ...other, key: "other" })).to.include({ open: 1, parked: 1 });
    await on.db.updateTable("outbox").set({ cancelled: true }).where("key", "=", "other").execute();
    await write();
  });

  it("tells the service of batches and disputes, block by block, with the blocks' times", async () => {
    const news = await watch.since(null);
    const kinds = news!.events.map((event) => `${event.kind} ${"seq" in event ? event.seq : event.number}`);
    expect(kinds).to.deep.equal(["posted 1", "disputed 1", "disputed 4", "disputed 7", "resolved 1"]);
    expect(news!.events.at(-1)).to.include({ cpo: CPO, refund: 1_500_000n, back: 1_500_000n, flexDeltaWh: -1_000 });
    const [batch] = await on.reader.ask("Settlement", "batchOf", [CPO, 1]);
    expect(news!.events[0]!.at).to.equal(Number(batch.postedAt));
    expect(await watch.since(news!.block)).to.equal(null);
    // With a depth the last blocks are not seen yet.
    const careful = await createChainWatch(on.chain.rpc, on.contracts, 1).since(null);
    expect(careful!.block).to.equal(news!.block - 1);
    await write(await dispute(5));
    const next = await watch.since(news!.block);
    expect(next!.events).to.deep.equal([{ at: next!.at, kind: "disputed", cpo: CPO, number: 5 }]);
  });

  it("finalises after the window, without what is disputed, and disputes no more", async () => {
    const { ledger, reader } = on;
    await later(WINDOW_S);
    const payee = (await reader.account(PAYEE)).available;
    await write(ledger.finalise({ cpo: CPO, seq: 1 }));
    // Lines 1, 4, 5 and 7 of 7 were disputed.
    expect((await reader.account(PAYEE)).available - payee).to.equal(3n * 3_000_000n);
    const late = await dispute(2);
    expect(await on.write(late)).to.include({ parked: 1 });
    expect(on.alarms.at(-1)?.text).to.match(/^WindowClosed/);
    await on.db.updateTable("outbox").set({ cancelled: true }).where("key", "=", late.key).execute();
    await write();
  });

  it("lets a dispute expire in the driver's favour, once its term is over", async () => {
    const { ledger, reader } = on;
    const early = ledger.expire({ cpo: CPO, number: 4 });
    expect(await on.write(early)).to.include({ parked: 1 });
    expect(on.alarms.at(-1)?.text).to.match(/^DisputeOpen/);
    await later(30 * DAY_S);
    const before = (await reader.account(drivers[0] as Hex)).available;
    await write();
    expect(await stateOf(4)).to.equal(2);
    expect((await reader.account(drivers[0] as Hex)).available - before).to.equal(3_000_000n);
    expect(await gasOf("expire")).to.be.below(150_000);
    await write({ ...early, key: "expired twice" });
  });
});
