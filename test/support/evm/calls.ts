/** Calls that read like sentences, and what people sign. */
import { MaxUint256, Signature, type Wallet } from "ethers";
import { signAs } from "../settlement.ts";
import type { Contract, Stage } from "./stage.ts";
import { CHAIN_ID } from "./trace.ts";

type Kind = Parameters<typeof signAs>[2];

/** Calls of one contract by one person. */
export const by = ({ does, refused }: Stage, who: string, contract: Contract = "Settlement") => ({
  does: (verb: string, ...args: unknown[]) => does(who, contract, verb, args),
  not: (error: string, verb: string, ...args: unknown[]) => refused(error, who, contract, verb, args),
});
export const sign = (stage: Stage, who: string, kind: Kind, intent: object, domain: object = {}) =>
  signAs(stage.people[who] as never, stage.addressOf("Settlement"), kind, intent, domain);

/** An ERC-2612 permit, the first of its owner. */
export async function permit(stage: Stage, who: string, token: "TestEuro" | "FlexToken", name: string, part: object) {
  const owner = stage.people[who] as Wallet;
  const types = [
    ["owner", "address"],
    ["spender", "address"],
    ["value", "uint256"],
    ["nonce", "uint256"],
    ["deadline", "uint256"],
  ].map(([name, type]) => ({ name: name as string, type: type as string }));
  const domain = { name, version: "1", chainId: CHAIN_ID, verifyingContract: stage.addressOf(token) };
  const value = { owner: owner.address, nonce: 0, deadline: MaxUint256, ...part };
  return Signature.from(await owner.signTypedData(domain, { Permit: types }, value));
}
