/** Every event of the real Settlement, replayed by the audit: the books must be what the contract keeps. */
import { expect } from "chai";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import { microEur, microEurPerKwh } from "../../backend/domain/units.ts";
import type { Facts } from "../../backend/usecases/auditFacts.ts";
import { createFindings } from "../../backend/usecases/auditFindings.ts";
import { auditMoney } from "../../backend/usecases/auditMoney.ts";
import type { BillLine, ChainCall, ChainEye, Hex, Lane, MoneyEvent } from "../../backend/usecases/ports.ts";
import { ARTIFACTS, aDeployment, CPO, type Deployed, KEYS } from "../adapters/chain/deployed.ts";

const TARIFF = 4;
/** Lanes double as people here: what only an account's own key may do is sent from that lane. */
const RICH = KEYS.slots.address;
const POOR = KEYS.registry.address;
const PAYEE = KEYS.treasury.address;
const NEXT_PAYEE = KEYS.deployer.address;

const callOn =
  ({ contracts }: Deployed) =>
  (lane: Lane, verb: string, args: readonly unknown[]): ChainCall => {
    const data = contracts.encode("Settlement", verb, args);
    const about = { stream: null, contract: "Settlement", call: verb, args: {}, gasLimit: 1_000_000 };
    return { lane, key: `${lane}:${verb}:${data.slice(0, 400)}`, data, ...about };
  };
const line = (number: number, driver: Hex, rest: Partial<BillLine>): BillLine => ({
  ...{ number, driver, amount: 0n, credit: 0n, wh: 20_000, flex: 0, tariff: TARIFF },
  detail: `0x${"ab".repeat(32)}`,
  ...rest,
});

describe("Money and FLEX in the audit", function () {
  this.timeout(120_000);
  let deployed: Deployed;
  let events: readonly MoneyEvent[];
  let eye: ChainEye;

  before(async () => {
    deployed = await aDeployment();
    const { contracts, ledger, manifest, chain } = deployed;
    const call = callOn(deployed);
    const steps: readonly (readonly ChainCall[])[] = [
      [
        ledger.setPayee({ cpo: CPO, payee: PAYEE }),
        ledger.setTariff({
          tariff: TARIFF,
          cpo: CPO,
          maxPerKwh: microEurPerKwh(400_000),
          maxFixed: microEur(0n),
          fromAt: 0 as never,
        }),
        ledger.registerDrivers([RICH, POOR].map((driver) => ({ driver, consent: `0x${"01".repeat(32)}` as const }))),
        ledger.mintTestEuro(PAYEE, microEur(100_000_000n), "mint:1"),
        ledger.approveDeposits(),
      ],
      [
        ledger.deposit(RICH, microEur(20_000_000n), "deposit:rich"),
        ledger.deposit(POOR, microEur(1_000_000n), "deposit:poor"),
        ledger.deposit(PAYEE, microEur(3_000_000n), "deposit:payee"),
        ledger.setOffer({ cpo: CPO, price: microEurPerKwh(50_000), key: "offer:1" }),
        ledger.fundPot({ cpo: CPO, amount: microEur(5_000_000n), key: "pot:1" }),
      ],
      // A bill that is paid, one that is not covered, a credit that is paid in part, and nothing.
      [
        ledger.post({
          cpo: CPO,
          seq: 1,
          lines: [
            line(1, RICH, { amount: 7_000_000n, flex: 9_000 }),
            line(2, POOR, { amount: 4_500_000n, flex: 3_000 }),
            line(3, RICH, { credit: 2_000_000n }),
            line(4, POOR, { credit: 2_500_000n }),
            line(5, RICH, {}),
          ],
        }),
      ],
      [ledger.finalise({ cpo: CPO, seq: 1 })],
      [
        call("billing", "settleOwed", [CPO, 2, 600_000]),
        call("billing", "pay", [CPO, RICH, 250_000, `0x${"05".repeat(32)}`]),
        call("slots", "claimFlex", [RICH]),
      ],
      // 5,000 Wh of tokens, then of the poor driver 1,000 Wh straight from the account.
      [call("slots", "redeem", [CPO, 5_000, 0]), call("registry", "redeem", [CPO, 1_000, 0])],
      [call("treasury", "reclaimPot", [CPO, 1_000_000]), call("slots", "requestWithdraw", [1_000_000])],
      [call("slots", "withdraw", [1_000_000, RICH])],
      [ledger.post({ cpo: CPO, seq: 2, lines: [line(6, RICH, { amount: 1_000_000n })] })],
    ];
    for (const step of steps) {
      const progress = await deployed.write(...step);
      expect(progress.open, step.map(({ key }) => key).join()).to.equal(0);
    }
    eye = await createChainEye(chain.rpc, manifest, contracts, ARTIFACTS);
    events = await eye.moneyEvents();
  });
  after(() => deployed.chain.close());

  const audited = async (seen: readonly MoneyEvent[], chain = eye) => {
    const findings = createFindings();
    await auditMoney(chain, { drivers: new Map() } as unknown as Facts, seen, findings);
    return findings.differences.map(({ where, text }) => `${where}: ${text}`);
  };

  it("replays every kind of event to the balances that the contract keeps", async () => {
    const kinds = new Set(events.map(({ kind }) => kind));
    const all: MoneyEvent["kind"][] = [
      ...(["deposited", "withdrawn", "driver-registered", "payee-set", "tariff-set", "posted", "billed"] as const),
      ...(["shortfall", "credit-short", "debt-paid", "finalised", "paid", "pot-funded", "pot-reclaimed"] as const),
      ...(["offer-set", "flex-claimed", "redeemed"] as const),
    ];
    expect([...kinds].sort()).to.deep.equal([...all].sort());
    expect(await audited(events)).to.deep.equal([]);
  });

  it("misses no event: without any one of those that move money or FLEX the books do not fit", async () => {
    const still = new Set<MoneyEvent["kind"]>(["driver-registered", "tariff-set", "offer-set"]);
    for (const [i, event] of events.entries()) {
      if (still.has(event.kind) || (event.kind === "billed" && event.number === 5)) continue;
      const differences = await audited(events.filter((_, k) => k !== i));
      expect(differences, `${event.kind} ${i}`).not.to.deep.equal([]);
    }
  });

  it("looks at the accounts of a CPO's payees together once the payee has changed", async () => {
    const { ledger, chain, manifest, contracts } = deployed;
    await deployed.write(ledger.setPayee({ cpo: CPO, payee: NEXT_PAYEE }));
    await deployed.write(ledger.finalise({ cpo: CPO, seq: 2 }));
    const later = await createChainEye(chain.rpc, manifest, contracts, ARTIFACTS);
    expect(await audited(await later.moneyEvents(), later)).to.deep.equal([]);
    // The first look is of its own block: what came since is not part of it.
    expect(await audited(await eye.moneyEvents())).to.deep.equal([]);
    expect(await eye.moneyEvents()).to.have.length(events.length);
  });

  it("follows disputes: out of the pot, split by the decision, flexibility taken back after it was claimed", async () => {
    const own = await aDeployment(86_400);
    const { ledger, chain, manifest, contracts } = own;
    const call = callOn(own);
    const lines = [
      line(1, RICH, { amount: 4_000_000n, flex: 9_000 }),
      line(2, POOR, { amount: 3_000_000n, flex: 1_000 }),
      line(3, RICH, { amount: 1_000_000n }),
    ];
    const leaves = ledger.batchLeaves(CPO, 1, lines);
    const dispute = (i: number) => call("slots", "dispute", [CPO, 1, lines[i], ledger.merkleProof(leaves, i)]);
    const tariff = { tariff: TARIFF, cpo: CPO, maxPerKwh: microEurPerKwh(400_000), maxFixed: microEur(0n) };
    for (const step of [
      [
        ledger.setPayee({ cpo: CPO, payee: PAYEE }),
        ledger.setTariff({ ...tariff, fromAt: 0 as never }),
        ledger.registerDrivers([RICH, POOR].map((driver) => ({ driver, consent: `0x${"01".repeat(32)}` as const }))),
        ledger.mintTestEuro(PAYEE, microEur(100_000_000n), "mint:1"),
        ledger.approveDeposits(),
      ],
      [ledger.deposit(RICH, microEur(20_000_000n), "rich"), ledger.deposit(POOR, microEur(1_000_000n), "poor")],
      [ledger.post({ cpo: CPO, seq: 1, lines })],
      [dispute(0), dispute(1), dispute(2), call("slots", "claimFlex", [RICH])],
      [call("slots", "resolve", [CPO, 1, 1_500_000, -5_000]), call("slots", "resolve", [CPO, 2, 2_500_000, 700])],
    ])
      expect((await own.write(...step)).open).to.equal(0);
    const after = await createChainEye(chain.rpc, manifest, contracts, ARTIFACTS);
    const seen = await after.moneyEvents();
    expect(seen.filter(({ kind }) => kind === "disputed" || kind === "resolved")).to.have.length(5);
    expect(await audited(seen, after)).to.deep.equal([]);
    // Of the dispute that is still open nothing can be missed: pot and disputed payment are claims alike.
    for (const [i, event] of seen.entries())
      if (event.kind === "resolved" || (event.kind === "disputed" && event.number !== 3))
        expect(await audited(seen.toSpliced(i, 1), after), `${event.kind} ${i}`).not.to.deep.equal([]);
    await chain.close();
  });
});
