/** Withdrawals and claims on the real contracts, signed by a driver's own wallet and sent by the service. */
import { expect } from "chai";
import { keccak256, verifyTypedData } from "ethers";
import { type Hex, quantity, request } from "../../../backend/adapters/chain/rpc.ts";
import { createWallets, PAYOUT_TYPES, settlementDomain } from "../../../backend/adapters/chain/wallets.ts";
import { epochSecond, microEur, microEurPerKwh } from "../../../backend/domain/units.ts";
import type { ChainCall, Payout } from "../../../backend/usecases/ports.ts";
import { aDeployment, CPO, type Deployed, KEYS } from "./deployed.ts";

const DAY_S = 86_400;
const EURO = 1_000_000n;
const OWN: Hex = `0x${"42".repeat(20)}`;
type Wish = Payout extends infer One
  ? One extends unknown
    ? Omit<One, "owner" | "nonce" | "deadline">
    : never
  : never;

describe("Payouts on the real contracts", function () {
  this.timeout(300_000);
  let on: Deployed;
  const wallets = () =>
    createWallets({
      keks: { 1: Buffer.alloc(32, 9) },
      kekVersion: 1,
      random: (n, label) => Buffer.from(keccak256(Buffer.from(label)).slice(2), "hex").subarray(0, n),
      domain: { chainId: on.chain.rpc.chainId, settlement: on.contracts.addressOf("Settlement") },
    });
  const ann = () => wallets().create("ann");
  const now = async () =>
    Number((await request<{ timestamp: Hex }>(on.chain.rpc, "eth_getBlockByNumber", "latest", false)).timestamp);
  async function later(seconds: number) {
    await request(on.chain.rpc, "evm_increaseTime", quantity(seconds));
    await request(on.chain.rpc, "evm_mine");
  }
  const write = async (...calls: ChainCall[]) => expect(await on.write(...calls)).to.include({ open: 0, parked: 0 });
  /** As the service does it. */
  async function payout(wish: Wish, over: { nonce?: number; deadline?: number } = {}): Promise<ChainCall> {
    const { nonce } = await on.reader.account(ann().address);
    const deadline = epochSecond((await now()) + DAY_S);
    const intent = { ...wish, owner: ann().address, nonce, deadline, ...over } as Payout;
    return on.ledger.payout({ ...intent, signature: await wallets().signPayout(ann(), intent) });
  }
  const euros = async (owner: Hex) => (await on.reader.ask("TestEuro", "balanceOf", [owner]))[0] as bigint;
  const giveUp = async ({ key }: ChainCall) => {
    await on.db.updateTable("outbox").set({ cancelled: true }).where("key", "=", key).execute();
    await write();
  };

  before(async () => {
    on = await aDeployment(0, DAY_S);
    const { ledger } = on;
    const tariff = { tariff: 1, cpo: CPO, maxPerKwh: microEurPerKwh(600_000), maxFixed: microEur(0n) };
    const line = { number: 1, driver: ann().address, amount: EURO, credit: 0n, wh: 10_000, flex: 4_000, tariff: 1 };
    await write(
      ledger.registerDrivers([{ driver: ann().address, consent: `0x${"01".repeat(32)}` }]),
      ledger.setPayee({ cpo: CPO, payee: KEYS.treasury.address }),
      ledger.setTariff({ ...tariff, fromAt: epochSecond(0) }),
      ledger.mintTestEuro(KEYS.treasury.address, microEur(100n * EURO), "mint"),
      ledger.approveDeposits(),
      ledger.deposit(ann().address, microEur(10n * EURO), "deposit"),
    );
    await write(ledger.post({ cpo: CPO, seq: 1, lines: [{ ...line, detail: `0x${"07".repeat(32)}` }] }));
  });
  after(() => on?.chain.close());

  it("sign what the contract hashes", async () => {
    const domain = { chainId: on.chain.rpc.chainId, settlement: on.contracts.addressOf("Settlement") };
    const once = { owner: ann().address, nonce: 3, deadline: epochSecond(1_900_000_000) };
    for (const wish of [
      { kind: "announce", amount: microEur(5n) },
      { kind: "withdraw", to: OWN, amount: microEur(5n) },
      { kind: "claim", to: OWN },
    ] as const) {
      const signature = await wallets().signPayout(ann(), { ...wish, ...once });
      const signer = verifyTypedData(
        settlementDomain(domain),
        PAYOUT_TYPES[wish.kind],
        { ...wish, ...once },
        signature,
      );
      expect(signer, wish.kind).to.equal(ann().address);
    }
    const other = wallets().signPayout(wallets().create("ben"), { kind: "claim", to: OWN, ...once });
    expect(await other.then(String, ({ message }: Error) => message)).to.contain("wallet ben is");
  });

  it("know the deployment's notice, and its contracts", async () => {
    expect(on.ledger.withdrawNoticeS).to.equal(Number((await on.reader.ask("Settlement", "withdrawNotice", []))[0]));
    expect(on.ledger.withdrawNoticeS).to.equal(DAY_S);
    expect(on.ledger.isContract(on.contracts.addressOf("FlexToken").toUpperCase().replace("X", "x") as Hex)).to.equal(
      true,
    );
    expect(on.ledger.isContract(OWN)).to.equal(false);
  });

  it("announce a withdrawal, wait for the notice, and send the euros to the driver's own address", async () => {
    await write(await payout({ kind: "announce", amount: microEur(6n * EURO) }));
    const { amount, readyAt } = await on.reader.withdrawal(ann().address);
    expect([amount, readyAt]).to.deep.equal([6n * EURO, (await now()) + DAY_S]);
    const early = await payout({ kind: "withdraw", to: OWN, amount: microEur(4n * EURO) });
    expect(await on.write(early)).to.include({ open: 1, parked: 1 });
    expect(on.alarms.at(-1)?.text).to.match(/^WithdrawalNotReady/);
    await giveUp(early);
    await later(DAY_S);
    await write(await payout({ kind: "withdraw", to: OWN, amount: microEur(4n * EURO) }));
    expect(await euros(OWN)).to.equal(4n * EURO);
    expect((await on.reader.account(ann().address)).available).to.equal(5n * EURO);
    expect((await on.reader.withdrawal(ann().address)).amount).to.equal(2n * EURO);
  });

  it("never pay twice: what was carried out is taken as done, whatever else differs is parked", async () => {
    const done = { nonce: 1 };
    await write(await payout({ kind: "withdraw", to: OWN, amount: microEur(4n * EURO) }, done));
    await write(await payout({ kind: "announce", amount: microEur(6n * EURO) }, { nonce: 0 }));
    expect(await euros(OWN)).to.equal(4n * EURO);
    for (const wish of [
      { kind: "withdraw", to: OWN, amount: microEur(2n * EURO) },
      { kind: "withdraw", to: KEYS.treasury.address, amount: microEur(4n * EURO) },
      { kind: "announce", amount: microEur(7n) },
      { kind: "claim", to: OWN },
    ] as const) {
      const call = await payout(wish, done);
      expect(await on.write(call), JSON.stringify(wish.kind)).to.include({ open: 1, parked: 1 });
      expect(on.alarms.at(-1)?.text).to.match(/^IntentRefused/);
      await giveUp(call);
    }
    const expired = await payout({ kind: "claim", to: OWN }, { deadline: (await now()) - 1 });
    expect(await on.write(expired)).to.include({ open: 1, parked: 1 });
    await giveUp(expired);
    expect(await euros(OWN)).to.equal(4n * EURO);
  });

  it("claim all FLEX as tokens at the driver's own address", async () => {
    await write(await payout({ kind: "claim", to: OWN }));
    expect((await on.reader.ask("FlexToken", "balanceOf", [OWN]))[0]).to.equal(4_000n);
    expect((await on.reader.account(ann().address)).flexWh).to.equal(0);
    await write(await payout({ kind: "claim", to: OWN }, { nonce: 2 }));
    expect((await on.reader.ask("FlexToken", "balanceOf", [OWN]))[0]).to.equal(4_000n);
  });

  it("cost less gas than their limits", async () => {
    const rows = await on.db
      .selectFrom("outbox")
      .select(["call", "tx_hash", "gas_limit"])
      .where("call", "in", ["requestWithdrawBySig", "withdrawBySig", "claimFlexBySig"])
      .where("tx_hash", "is not", null)
      .execute();
    expect(new Set(rows.map(({ call }) => call)).size).to.equal(3);
    for (const { call, tx_hash, gas_limit } of rows) {
      const { gasUsed } = await request<{ gasUsed: Hex }>(on.chain.rpc, "eth_getTransactionReceipt", tx_hash);
      expect(Number(gasUsed) * 1.3, call).to.be.below(Number(gas_limit));
    }
  });
});
