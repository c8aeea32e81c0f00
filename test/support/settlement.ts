/** Fixtures for tests of Settlement: one CPO with tariff and payee, three drivers with money, and signing. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { AbiCoder, concat, id as hash, keccak256, MaxUint256, TypedDataEncoder } from "ethers";
import type { DeploymentConfig } from "../../backend/adapters/chain/deployment.ts";
import { deployAll, ethers } from "./chain.ts";

export const CPO = 3;
export const TARIFF = 4;
export const EURO = 1_000_000n;
/** 0.35 EUR/kWh and at most EUR 1 besides. */
export const TERMS = { cpo: CPO, maxPerKwh: 350_000n, maxFixed: EURO, from: 0 };

export type Line = {
  number: number;
  driver: string;
  amount: bigint;
  credit: bigint;
  wh: number;
  flex: number;
  tariff: number;
  detail: string;
};

export const aLine = (driver: { address: string }, part: Partial<Line> = {}): Line => ({
  number: 1,
  driver: driver.address,
  amount: 3n * EURO,
  credit: 0n,
  wh: 10_000,
  flex: 2_000,
  tariff: TARIFF,
  detail: hash("receipt"),
  ...part,
});

export async function settlementFixture(overrides: Partial<DeploymentConfig> = {}) {
  const deployed = await deployAll(overrides);
  const { settlement, euro, faucet, registrar, others } = deployed;
  const [payee, anna, ben, carl, stranger, otherPayee] = others as [HardhatEthersSigner, ...HardhatEthersSigner[]] &
    HardhatEthersSigner[];
  const address = await settlement.getAddress();

  await euro.connect(faucet).mint(faucet.address, 1_000_000n * EURO);
  await euro.connect(faucet).approve(address, MaxUint256);
  await settlement.connect(registrar).setPayee(CPO, payee!.address);
  const notice = overrides.tariffNoticeS ?? 0;
  const from = notice === 0 ? 0 : (await blockTime()) + notice + 60;
  await settlement.connect(registrar).setTariff(TARIFF, { ...TERMS, from });
  const drivers = [anna!, ben!, carl!];
  await settlement.connect(registrar).registerDrivers(
    drivers.map(({ address }) => address),
    drivers.map((_, i) => hash(`consent ${i}`)),
  );
  const deposit = (to: { address: string }, amount: bigint) => settlement.connect(faucet).deposit(to.address, amount);
  return {
    ...deployed,
    address,
    payee: payee!,
    anna: anna!,
    ben: ben!,
    carl: carl!,
    stranger: stranger!,
    otherPayee: otherPayee!,
    deposit,
    asBiller: settlement.connect(deployed.biller),
    asRegistrar: settlement.connect(registrar),
    asFaucet: settlement.connect(faucet),
  };
}

/** As above, and each driver has EUR 100, the CPO EUR 50. */
export async function funded() {
  const fixture = await settlementFixture();
  for (const driver of [fixture.anna, fixture.ben, fixture.carl]) await fixture.deposit(driver, 100n * EURO);
  await fixture.deposit(fixture.payee, 50n * EURO);
  return fixture;
}

export const available = async (settlement: any, owner: { address: string }): Promise<bigint> =>
  (await settlement.accountOf(owner.address)).available;

const LINE_TYPES = ["uint32", "address", "uint64", "uint64", "uint32", "uint32", "uint32", "bytes32"];

export const domainOf = (verifyingContract: string) => ({
  name: "Oli Move Settlement",
  version: "1",
  chainId: 31_337,
  verifyingContract,
});

/** Leaf of a line, by ethers. */
export function leafOf(settlement: string, seq: number, line: Line, cpo = CPO): string {
  const values = [line.number, line.driver, line.amount, line.credit, line.wh, line.flex, line.tariff, line.detail];
  const domain = TypedDataEncoder.hashDomain(domainOf(settlement));
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ["bytes32", "uint32", "uint32", ...LINE_TYPES],
    [domain, cpo, seq, ...values],
  );
  return keccak256(keccak256(encoded));
}

const pair = (a: string, b: string) => keccak256(BigInt(a) < BigInt(b) ? concat([a, b]) : concat([b, a]));

/** Root of a tree, recursively: the left part is the largest power of two below the number of leaves. */
export function rootOf(leaves: readonly string[]): string {
  if (leaves.length === 1) return leaves[0]!;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  return pair(rootOf(leaves.slice(0, half)), rootOf(leaves.slice(half)));
}

/** Siblings from the leaf to the root. */
export function proofOf(leaves: readonly string[], index: number): string[] {
  if (leaves.length === 1) return [];
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const [left, right] = [leaves.slice(0, half), leaves.slice(half)];
  return index < half ? [...proofOf(left, index), rootOf(right)] : [...proofOf(right, index - half), rootOf(left)];
}

export const verifies = (leaf: string, proof: readonly string[], root: string) => proof.reduce(pair, leaf) === root;

export type Intent = { driver: string; cpo: number; wh: bigint; minPayout: bigint; nonce: number; deadline: number };
export const FAR = 2 ** 40 - 1;

const fields = (list: string) =>
  list.split(",").map((field) => {
    const [type, name] = field.split(" ") as [string, string];
    return { name, type };
  });
/** What people sign, field by field. */
const INTENTS = {
  RedeemIntent: fields("address driver,uint32 cpo,uint64 wh,uint64 minPayout,uint48 nonce,uint40 deadline"),
  RequestIntent: fields("address owner,uint112 amount,uint48 nonce,uint40 deadline"),
  WithdrawIntent: fields("address owner,address to,uint112 amount,uint48 nonce,uint40 deadline"),
  ClaimIntent: fields("address owner,address to,uint48 nonce,uint40 deadline"),
  DisputeIntent: fields("address driver,uint32 cpo,uint32 number,uint48 nonce,uint40 deadline"),
};

export const signAs = (
  signer: HardhatEthersSigner,
  settlement: string,
  type: keyof typeof INTENTS,
  intent: object,
  domain: object = {},
) => signer.signTypedData({ ...domainOf(settlement), ...domain }, { [type]: INTENTS[type] }, intent);

export const anIntent = (driver: { address: string }, part: Partial<Intent> = {}): Intent => ({
  driver: driver.address,
  cpo: CPO,
  wh: 1_000n,
  minPayout: 0n,
  nonce: 0,
  deadline: FAR,
  ...part,
});

export const signIntent = (signer: HardhatEthersSigner, settlement: string, intent: Intent, domain: object = {}) =>
  signAs(signer, settlement, "RedeemIntent", intent, domain);

/** EUR 0.10 per kWh of FLEX. */
export const OFFER = 100_000n;

/** As `funded`; anna and ben have earned 2,000 and 5,000 Wh of FLEX; the pot holds EUR 10. */
export async function withFlex() {
  const fixture = await funded();
  const lines = [aLine(fixture.anna), aLine(fixture.ben, { number: 2, wh: 20_000, flex: 5_000 })];
  await fixture.asBiller.post(CPO, 1, lines);
  await fixture.asRegistrar.setOffer(CPO, OFFER);
  await fixture.asFaucet.fundPot(CPO, 10n * EURO);
  return fixture;
}

export const blockTime = async () => (await ethers.provider.getBlock("latest"))!.timestamp;
