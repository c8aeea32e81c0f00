/** The audit's port on a chain: typed lists from logs, state as of one block, and the checker by eth_call. */
import type { Result } from "ethers";
import type { BillLine, ChainEye, Hex, MoneyEvent } from "../../usecases/ports.ts";
import { chainOf, createChainReader, type Logged } from "./chainReader.ts";
import { lineLeaf, merkleRoot } from "./commitments.ts";
import type { Contracts } from "./contracts.ts";
import { type Artifacts, deploymentDifferences, type Manifest } from "./deployment.ts";
import { asOf, quantity, type Rpc, request } from "./rpc.ts";

/** Looks at the chain as it is now; later blocks stay unseen, so that all answers agree with each other. */
export async function createChainEye(
  rpc: Rpc,
  manifest: Manifest,
  contracts: Contracts,
  artifacts: Artifacts,
): Promise<ChainEye> {
  const block = Number(await request<Hex>(rpc, "eth_blockNumber"));
  const now = asOf(rpc, block);
  const reader = createChainReader(now, contracts);
  const { ask, logs } = reader;

  async function moneyEvents(): Promise<MoneyEvent[]> {
    const lists = await Promise.all(
      Object.entries(MONEY).map(async ([event, read]) =>
        (await logs("Settlement", event)).map((log) => ({ log, event: read(log.args, log) })),
      ),
    );
    return lists
      .flat()
      .sort((a, b) => a.log.block - b.log.block || a.log.logIndex - b.log.logIndex)
      .map(({ event }) => event);
  }

  return {
    block,
    now: async () =>
      Number((await request<{ timestamp: Hex }>(now, "eth_getBlockByNumber", quantity(block), false)).timestamp),
    checker: contracts.addressOf("ScheduleChecker"),
    deploymentDifferences: () => deploymentDifferences(now, manifest, artifacts),
    runs: () => reader.runs(),
    head: reader.head,
    algorithm: reader.algorithm,
    async method(code) {
      // Only where somebody runs it: a browser that reads a chain has no fence to run it in.
      const { storedMethod } = await import("./storedMethod.ts");
      return storedMethod(code, (await ask("AlgorithmRegistry", "codeOf", [code]))[0]);
    },
    check: reader.check,
    async groups() {
      const found = await logs("AssetRegistry", "GroupSet");
      return found.map(({ args: { group, settings } }) => ({
        group: Number(group),
        cpo: Number(settings.cpo),
        capacityW: Number(settings.capacity),
        fromSlot: Number(settings.fromSlot),
      }));
    },
    async assets() {
      const found = await logs("AssetRegistry", "Registered");
      return found.map(({ args: { id, asset } }) => ({
        id,
        group: Number(asset.group),
        index: Number(asset.index),
        kind: Number(asset.kind),
        ratedW: Number(asset.ratedPower),
        minW: Number(asset.minPower),
        phases: Number(asset.phases),
        metadata: asset.metadata,
        fromSlot: Number(asset.fromSlot),
      }));
    },
    moneyEvents,
    linesOf: (batch) => reader.linesOf({ ...batch, block: 0, logIndex: 0 }),
    account: reader.account,
    batch: reader.batch,
    dispute: reader.dispute,
    debt: async (cpo, number) => (await ask("Settlement", "debtOf", [cpo, number]))[0].amount,
    flexPot: async (cpo) => (await ask("Settlement", "offerOf", [cpo])).pot,
    async totals() {
      const [supply] = await ask("FlexToken", "totalSupply", []);
      return { ...(await reader.funds()), flexTokensWh: supply };
    },
    chainOf,
    batchRoot: (cpo: number, seq: number, lines: readonly BillLine[]) =>
      merkleRoot(lines.map((line) => lineLeaf(contracts.domainSeparator, cpo, seq, line))),
  };
}

const bill = ({ cpo, number, driver }: Result) => ({ cpo: Number(cpo), number: Number(number), driver: driver as Hex });
const pot = (kind: "pot-funded" | "pot-reclaimed", by: string) => (args: Result) => ({
  kind,
  cpo: Number(args.cpo),
  by: args[by] as Hex,
  amount: args.amount as bigint,
});

/** Events of Settlement that move or name money, and what they say. */
const MONEY: Readonly<Record<string, (args: Result, log: Logged<unknown>) => MoneyEvent>> = {
  Deposited: ({ from, to, amount }) => ({ kind: "deposited", from, to, amount }),
  Withdrawn: (args) => ({ kind: "withdrawn", from: args[0], to: args.to, amount: args.amount }),
  DriverRegistered: ({ driver, consent }) => ({ kind: "driver-registered", driver, consent }),
  PayeeSet: ({ cpo, payee }) => ({ kind: "payee-set", cpo: Number(cpo), payee }),
  TariffSet: ({ tariff, terms }) => ({
    kind: "tariff-set",
    tariff: Number(tariff),
    cpo: Number(terms.cpo),
    maxPerKwh: terms.maxPerKwh,
    maxFixed: terms.maxFixed,
  }),
  Posted: ({ cpo, seq, root, pot, count }, { tx }) => ({
    ...{ kind: "posted", cpo: Number(cpo), seq: Number(seq), root, pot, count: Number(count), tx },
  }),
  Billed: (args) => ({
    ...{ kind: "billed", ...bill(args), amount: args.amount, credit: args.credit, flexWh: Number(args.flex) },
  }),
  Shortfall: (args) => ({ kind: "shortfall", ...bill(args), missing: args.missing }),
  CreditShort: (args) => ({ kind: "credit-short", ...bill(args), missing: args.missing }),
  DebtPaid: (args) => ({ kind: "debt-paid", ...bill(args), amount: args.amount, left: args.left }),
  Disputed: (args) => ({
    ...{ kind: "disputed", ...bill(args), seq: Number(args.seq), amount: args.amount, paid: args.paid },
  }),
  Resolved: (args) => ({
    ...{ kind: "resolved", ...bill(args), payee: args.payee, refund: args.refund, back: args.back },
    ...{ toCpo: args.toCpo, flexDeltaWh: args.flexDelta },
  }),
  Finalised: ({ cpo, seq, payee, paid }) => ({ kind: "finalised", cpo: Number(cpo), seq: Number(seq), payee, paid }),
  Paid: ({ cpo, driver, amount }) => ({ kind: "paid", cpo: Number(cpo), driver, amount }),
  PotFunded: pot("pot-funded", "from"),
  PotReclaimed: pot("pot-reclaimed", "payee"),
  OfferSet: ({ cpo, offer }) => ({ kind: "offer-set", cpo: Number(cpo), price: offer }),
  FlexClaimed: ({ owner, wh }) => ({ kind: "flex-claimed", owner, wh }),
  Redeemed: ({ cpo, owner, wh, fromTokens, payout }) => ({
    ...{ kind: "redeemed", cpo: Number(cpo), owner, wh, fromTokens, payout },
  }),
};
