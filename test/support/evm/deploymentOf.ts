/** The deployment that is acted out: one address per role, and notices as on a public network. */
import { id as hash } from "ethers";
import type { DeploymentConfig } from "../../../backend/adapters/chain/deployment.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { WEIGHTS } from "../problems.ts";
import { CPO } from "../settlement.ts";

export const HOUR = 3_600;
export const DAY = 24 * HOUR;
export const METHOD = "least-cost/1";
/** Stored compressed. */
export const CODE = "export const answer = 42;\n".repeat(40);

export const SPEC = {
  sourceHash: hash("source") as Hex,
  maxScale: WEIGHTS.scale,
  voll: WEIGHTS.voll,
  extra: WEIGHTS.extra,
  maxEarly: 40,
  uri: "https://example.org",
};

export function deploymentOf(people: Readonly<Record<string, { address: string }>>, at: number): DeploymentConfig {
  const one = (name: string) => [people[name]!.address as Hex];
  return {
    admin: one("admin")[0]!,
    adminDelayS: 2 * DAY,
    windowS: 3 * DAY,
    tariffNoticeS: DAY,
    withdrawNoticeS: 2 * DAY,
    payeeNoticeS: 2 * DAY,
    activationDelayS: DAY,
    holders: {
      guardian: one("guardian"),
      operator: one("operator"),
      biller: one("biller"),
      registrar: one("registrar"),
      arbiter: one("arbiter"),
      publisher: one("publisher"),
      pauser: one("pauser"),
      faucet: one("faucet"),
    },
    euro: null,
    maxCreditMicroEur: 10_000_000n,
    algorithms: [{ ...SPEC, method: METHOD, code: CODE, activeFrom: at + DAY + HOUR }],
    payees: [{ cpo: CPO, payee: one("payee")[0]! }],
  };
}
