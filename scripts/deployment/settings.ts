/** The file that says who holds which role, and what a public network demands of it. */
import { readFileSync } from "node:fs";
import { getAddress } from "ethers";
import { z } from "zod";
import type { AlgorithmSpec, Delays, DeploymentConfig } from "../../backend/adapters/chain/deploymentPlan.ts";
import { NO_DELAYS } from "../../backend/adapters/chain/deploymentPlan.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";

const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/** On public networks, where the file says nothing else. */
const PUBLIC_DELAYS: Delays = {
  adminDelayS: 2 * DAY_S,
  windowS: 3 * DAY_S,
  tariffNoticeS: DAY_S,
  withdrawNoticeS: 2 * DAY_S,
  payeeNoticeS: 2 * DAY_S,
  activationDelayS: DAY_S,
};

const address = z.string().transform((text, context): Hex => {
  try {
    return getAddress(text) as Hex;
  } catch {
    context.addIssue({ code: "custom", message: `"${text}" is no address` });
    return z.NEVER;
  }
});
const addresses = z.array(address).default([]);
/** The contracts keep delays in 40 bits; the AccessManager keeps the admin's in 32. */
const seconds = z.int().min(0).max(0xffff_ffff).optional();
const schema = z.strictObject({
  admin: address,
  guardian: addresses,
  operator: addresses,
  biller: addresses,
  registrar: addresses,
  arbiter: addresses,
  publisher: addresses,
  pauser: addresses,
  faucet: addresses,
  /** An existing euro token with 6 decimals; TestEuro is deployed when there is none. */
  euro: address.nullable().default(null),
  payees: z.array(z.strictObject({ cpo: z.int().min(1).max(0xffff_ffff), payee: address })).default([]),
  /** Most compensation above a bill, micro-euro per line. */
  maxCreditMicroEur: z.int().min(0).default(10_000_000),
  delays: z
    .strictObject({
      adminDelayS: seconds,
      windowS: seconds,
      tariffNoticeS: seconds,
      withdrawNoticeS: seconds,
      payeeNoticeS: seconds,
      activationDelayS: seconds,
    })
    .default({}),
});

/** A deployment but for the methods, which depend on the moment. */
export type DeploymentSettings = Omit<DeploymentConfig, "algorithms">;

/** Reads the file, as `settingsOf` does its content. */
export function readSettings(path: string, local: boolean): DeploymentSettings {
  const text = readFileSync(path, "utf8");
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new Error(`${path} is no JSON: ${(error as Error).message}`);
  }
  return settingsOf(content, local);
}

/** Throws with everything that is wrong. `local`: no delays, and one key may hold all roles. */
export function settingsOf(file: unknown, local: boolean): DeploymentSettings {
  const parsed = schema.safeParse(file);
  if (!parsed.success)
    throw new Error(refusal(parsed.error.issues.map((one) => `${one.path.join(".")}: ${one.message}`)));
  const { admin, euro, payees, maxCreditMicroEur, delays, ...holders } = parsed.data;
  const given = Object.fromEntries(Object.entries(delays).filter(([, value]) => value !== undefined));
  const settings: DeploymentSettings = {
    ...(local ? NO_DELAYS : PUBLIC_DELAYS),
    ...given,
    admin,
    euro,
    holders,
    payees,
    maxCreditMicroEur: BigInt(maxCreditMicroEur),
  };
  const wrong = local ? [] : publicFaults(settings);
  if (wrong.length > 0) throw new Error(refusal(wrong));
  return settings;
}

const refusal = (faults: readonly string[]) =>
  `The roles file cannot be used:\n${faults.map((fault) => `  ${fault}`).join("\n")}\nCorrect it; nothing was sent.`;

/** One hand must not do what another is there to check. */
function publicFaults({ holders, payees, ...settings }: DeploymentSettings): string[] {
  const arbiters = holders.arbiter ?? [];
  const faults = (["guardian", "operator", "biller", "registrar", "arbiter", "publisher", "pauser"] as const)
    .filter((role) => (holders[role] ?? []).length === 0)
    .map((role) => `${role}: nobody holds this role`);
  for (const biller of holders.biller)
    for (const role of ["operator", "registrar", "arbiter"] as const)
      if (holders[role]?.includes(biller)) faults.push(`biller: ${biller} is ${role} too; give it a key of its own`);
  for (const { cpo, payee } of payees)
    if (arbiters.includes(payee)) faults.push(`arbiter: ${payee} receives the money of CPO ${cpo}`);
  for (const name of Object.keys(PUBLIC_DELAYS) as (keyof Delays)[])
    if (settings[name] === 0) faults.push(`delays.${name}: 0 is for local networks only`);
  return faults;
}

/** Throws when the deployer, who must end without a role, is named for one. */
export function requireStranger({ admin, holders }: DeploymentSettings, deployer: Hex): void {
  const role = Object.entries({ admin: [admin], ...holders }).find(([, list]) => list.includes(deployer))?.[0];
  if (role !== undefined)
    throw new Error(`The deployer ${deployer} would be ${role}. Deploy with a fresh key: it is needed only once.`);
}

/** `specs` answers the methods for the instant from which they are active, epoch seconds. */
export function configAt(
  settings: DeploymentSettings,
  startedAt: number,
  specs: (activeFrom: number) => readonly AlgorithmSpec[],
): DeploymentConfig {
  // Publication takes a few minutes; the registry refuses an activation that comes too soon.
  const activeFrom = settings.activationDelayS === 0 ? 0 : startedAt + settings.activationDelayS + HOUR_S;
  return { ...settings, algorithms: specs(activeFrom) };
}
