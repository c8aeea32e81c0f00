/**
 * Whether the chain already shows what a call would do. The writer asks when a call reverts: "out of order" and
 * "already billed" mostly mean that an earlier attempt, a predecessor after a restore, or a stranger was there first.
 */
import type { BillLine, RunRecord } from "../../usecases/ports.ts";
import { type ChainReader, createChainReader } from "./chainReader.ts";
import { lineLeaf, linkOf, merkleRoot } from "./commitments.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractName } from "./deployment.ts";
import { asOf, type Hex, type Rpc, readQuantity, request } from "./rpc.ts";

export type Asked = { readonly contract: string; readonly call: string; readonly data: Hex };

/** Effects count once `depth` blocks lie on top: what others sent, nobody sends again after a fork. */
export function createEffect(rpc: Rpc, contracts: Contracts, depth: number): (call: Asked) => Promise<boolean> {
  return async (call) => {
    const block = Number(readQuantity("a block's number", await request(rpc, "eth_blockNumber"))) - depth;
    if (block < contracts.fromBlock) return false;
    const shown = effectsOn(contracts, createChainReader(asOf(rpc, block), contracts));
    return (await shown[`${call.contract}.${call.call}`]?.(call)) ?? false;
  };
}

/** Calls that are not named here leave no trace that tells them from a repetition. */
function effectsOn(
  contracts: Contracts,
  reader: ChainReader,
): Readonly<Record<string, (call: Asked) => Promise<boolean>>> {
  const { abi } = contracts;
  const decode = ({ contract, call, data }: Asked) => abi[contract as ContractName].decodeFunctionData(call, data);
  const all = async <T>(list: Iterable<T>, holds: (one: T) => Promise<boolean>) => {
    for (const one of list) if (!(await holds(one))) return false;
    return true;
  };

  /** An intent's nonce is counted when it is carried out; then it never can be again. */
  const isUsed = async ({ owner, nonce }: { owner: Hex; nonce: bigint }) =>
    (await reader.account(owner)).nonce > Number(nonce);

  return {
    async "SlotLedger.record"(call) {
      const runs = decode(call)[0] as RunRecord[];
      return all(runs, async (run) => {
        const found = await reader.runsOf(Number(run.group), Number(run.slot));
        return found.some((one) => linkOf(one) === linkOf(run));
      });
    },
    async "Settlement.post"(call) {
      const [cpo, seq, lines] = decode(call) as unknown as [bigint, bigint, BillLine[]];
      const leaves = lines.map((line) => lineLeaf(contracts.domainSeparator, Number(cpo), Number(seq), line));
      return (await reader.batch(Number(cpo), Number(seq))).root === merkleRoot(leaves);
    },
    async "Settlement.finalise"(call) {
      const [cpo, seq] = decode(call) as unknown as [bigint, bigint];
      return (await reader.batch(Number(cpo), Number(seq))).finalised;
    },
    async "Settlement.disputeBySig"(call) {
      const [, , , intent] = decode(call);
      return (await reader.dispute(Number(intent.cpo), Number(intent.number))).state !== "none";
    },
    async "Settlement.requestWithdrawBySig"(call) {
      const [intent] = decode(call);
      const said = await reader.logs("Settlement", "WithdrawalRequested", [intent.owner]);
      return (await isUsed(intent)) && said.some(({ args }) => args.amount === intent.amount);
    },
    async "Settlement.withdrawBySig"(call) {
      const [intent] = decode(call);
      const said = await reader.logs("Settlement", "Withdrawn", [intent.owner, intent.to]);
      return (await isUsed(intent)) && said.some(({ args }) => args.amount === intent.amount);
    },
    async "Settlement.claimFlexBySig"(call) {
      const [intent] = decode(call);
      const said = await reader.logs("Settlement", "FlexClaimed", [intent.owner, intent.to]);
      return (await isUsed(intent)) && said.length > 0;
    },
    /** Another decision than ours is no effect of ours. */
    async "Settlement.resolve"(call) {
      const [cpo, number, refund, flexDelta] = decode(call) as unknown as bigint[];
      const ended = await reader.logs("Settlement", "Resolved", [cpo, number]);
      return ended.some(({ args }) => args.refund === refund && args.flexDelta === flexDelta);
    },
    async "Settlement.expire"(call) {
      const [cpo, number] = decode(call) as unknown as [bigint, bigint];
      return (await reader.dispute(Number(cpo), Number(number))).state === "resolved";
    },
    async "Settlement.registerDrivers"(call) {
      return all(decode(call)[0] as Hex[], async (driver) => (await reader.account(driver)).isDriver);
    },
    async "Settlement.setTariff"(call) {
      const [tariff, terms] = decode(call) as unknown as [bigint, readonly bigint[]];
      return sameWords(await reader.ask("Settlement", "tariffOf", [tariff]), [terms]);
    },
    async "AssetRegistry.setGroup"(call) {
      const [group, settings] = decode(call) as unknown as [bigint, readonly bigint[]];
      return sameWords(await reader.ask("AssetRegistry", "groupOf", [group]), [settings]);
    },
    async "AssetRegistry.register"(call) {
      const [ids, assets] = decode(call) as unknown as [Hex[], readonly (readonly unknown[])[]];
      return all(ids.entries(), async ([i, id]) =>
        sameWords(await reader.ask("AssetRegistry", "assetOf", [id]), [assets[i]]),
      );
    },
  };
}

/** Compares decoded structs by their content. */
function sameWords(found: unknown, wanted: unknown): boolean {
  const flat = (value: unknown): unknown => (Array.isArray(value) ? value.map(flat) : String(value));
  return JSON.stringify(flat(found)) === JSON.stringify(flat(wanted));
}
