/** Where random walks through Settlement take place: eight people, two CPOs, and the bigint model beside the chain. */
import type { HardhatEthersSigner } from "@nomicfoundation/hardhat-ethers/types";
import { id as hash, MaxUint256 } from "ethers";
import { ethers } from "./chain.ts";
import { EURO, settlementFixture, TERMS } from "./settlement.ts";
import { createModel, type Model } from "./settlementModel.ts";

export const HOUR_S = 3_600;
export const CPOS = [3, 8] as const;
export const DELAYS = { windowS: 2 * HOUR_S, withdrawNoticeS: HOUR_S };
export const TERM_S = 30 * 24 * HOUR_S;
const PURSE = 50n * EURO;
export const MAX_CREDIT = 10n * EURO;

/** Two CPOs (the second's payee is a driver, too), four drivers, four others, all with euros and an approval. */
export async function town() {
  const fixture = await settlementFixture(DELAYS);
  const { euro, faucet, asRegistrar, address, payee, anna, ben, carl, stranger, otherPayee, others } = fixture;
  const [dora, eve] = others.slice(6) as [HardhatEthersSigner, HardhatEthersSigner];
  const drivers = [anna, ben, carl, dora];
  const people = [...drivers, payee, stranger, otherPayee, eve];
  await asRegistrar.registerDrivers([dora.address], [hash("consent of dora")]);
  await asRegistrar.setPayee(8, carl.address);
  await asRegistrar.setTariff(9, { ...TERMS, cpo: 8 });
  for (const person of people) {
    await euro.connect(faucet).mint(person.address, PURSE);
    await euro.connect(person).approve(address, MaxUint256);
  }
  const reader = await ethers.deployContract("SettlementReader");
  return { ...fixture, drivers, people, reader, purse: PURSE };
}
export type Town = Awaited<ReturnType<typeof town>>;

function modelOf({ drivers, people, carl, payee }: Town): Model {
  const model = createModel({ ...DELAYS, termS: TERM_S, maxCredit: MAX_CREDIT });
  for (const person of people) model.mint(person.address, PURSE);
  for (const driver of drivers) model.registerDriver(driver.address);
  model.setPayee(3, payee.address);
  model.setPayee(8, carl.address);
  model.setTariff(4, TERMS);
  model.setTariff(9, { ...TERMS, cpo: 8 });
  return model;
}

/** One walk: where it takes place, what should be, and what the model does not know. */
export type Walk = {
  readonly place: Town;
  readonly model: Model;
  readonly random: () => number;
  readonly nonces: Map<string, number>;
  step: number;
  paused: boolean;
};

export const startWalk = (place: Town, random: () => number): Walk => ({
  place,
  model: modelOf(place),
  random,
  nonces: new Map(),
  step: 0,
  paused: false,
});
