/** The contracts of one deployment as the adapter speaks to them: addresses, encoders, decoders of errors. */
import { Interface, TypedDataEncoder } from "ethers";
import type { Artifacts, ContractName, Manifest } from "./deployment.ts";
import type { Hex } from "./rpc.ts";
import { settlementDomain } from "./wallets.ts";

export type Contracts = {
  readonly chainId: number;
  readonly abi: Readonly<Record<ContractName, Interface>>;
  readonly algorithms: Manifest["algorithms"];
  /** First block that can hold anything of ours. */
  readonly fromBlock: number;
  /** Seconds in which a bill can be disputed after it was posted; Settlement's `window`. */
  readonly windowS: number;
  /** Seconds from announcing a withdrawal until it can be made; Settlement's `withdrawNotice`. */
  readonly withdrawNoticeS: number;
  /** EIP-712 domain separator of Settlement; part of every leaf of a bill. */
  readonly domainSeparator: Hex;
  /** Throws for a contract that the deployment has not. */
  addressOf(contract: string): Hex;
  isContract(address: Hex): boolean;
  encode(contract: ContractName, verb: string, args: readonly unknown[]): Hex;
  /** "OutOfOrder(3, 7, 6)"; the bytes themselves when no contract of ours declares such an error. */
  decodeRevert(data: Hex): string;
};

export function bindContracts(manifest: Manifest, artifacts: Artifacts): Contracts {
  const names = Object.keys(artifacts) as ContractName[];
  const abi = Object.fromEntries(names.map((name) => [name, new Interface(artifacts[name].abi)])) as Contracts["abi"];

  function addressOf(contract: string): Hex {
    const found = manifest.contracts[contract as ContractName];
    if (found === undefined)
      throw new Error(`The deployment on chain ${manifest.chainId} has no contract ${contract}.`);
    return found.address;
  }

  function decodeRevert(data: Hex): string {
    for (const name of names) {
      const error = abi[name].parseError(data);
      if (error !== null) return `${error.name}(${error.args.map(String).join(", ")})`;
    }
    return data;
  }

  const addresses = new Set(Object.values(manifest.contracts).map(({ address }) => address.toLowerCase()));
  const domain = settlementDomain({ chainId: manifest.chainId, settlement: addressOf("Settlement") });
  return {
    chainId: manifest.chainId,
    abi,
    algorithms: manifest.algorithms,
    fromBlock: Math.min(...Object.values(manifest.contracts).map(({ block }) => block)),
    windowS: noticeOf(manifest, 0),
    withdrawNoticeS: noticeOf(manifest, 2),
    isContract: (address) => addresses.has(address.toLowerCase()),
    domainSeparator: TypedDataEncoder.hashDomain(domain) as Hex,
    addressOf,
    encode: (contract, verb, args) => abi[contract].encodeFunctionData(verb, args) as Hex,
    decodeRevert,
  };
}

/**
 * Of Settlement's notices: window, tariff, withdrawal, payee. The manifest's constructor arguments are compared with the
 * creation transaction, so they can be relied on.
 */
function noticeOf({ contracts }: Manifest, index: 0 | 2): number {
  const notices = contracts.Settlement.args[3];
  return Array.isArray(notices) ? Number(notices[index]) : 0;
}
