/** Which role each lane's key needs, and whether it has it: without it every call of the lane would revert. */
import type { Lane } from "../../usecases/ports.ts";
import type { Contracts } from "./contracts.ts";
import type { ContractName, Manifest } from "./deployment.ts";
import { PERMISSIONS, ROLES } from "./deploymentPlan.ts";
import { call, type Hex, type Rpc, resultOf } from "./rpc.ts";

type Role = (typeof PERMISSIONS)[number]["role"];

export const LANE_ROLES = {
  registry: "registrar",
  treasury: "faucet",
  slots: "operator",
  billing: "biller",
  arbiter: "arbiter",
} as const satisfies Readonly<Record<Lane, Role>>;

type Signers = Readonly<Partial<Record<Lane, { readonly address: Hex }>>>;

/** Throws naming every lane whose address does not hold its role on this deployment, or only with a delay. */
export async function requireLaneRoles(
  rpc: Rpc,
  contracts: Contracts,
  manifest: Manifest,
  signers: Signers,
): Promise<void> {
  const manager = contracts.addressOf("AccessManager");
  const deployed = (role: Role) =>
    PERMISSIONS.some((one) => one.role === role && manifest.contracts[one.contract as ContractName] !== undefined);
  const needed = (Object.keys(LANE_ROLES) as Lane[]).flatMap((lane) => {
    const address = signers[lane]?.address;
    // Without TestEuro there is nothing that a faucet could call.
    return address && deployed(LANE_ROLES[lane]) ? [{ lane, address, role: LANE_ROLES[lane] }] : [];
  });
  const answers = await rpc.ask(
    needed.map(({ role, address }) =>
      call(
        "eth_call",
        { to: manager, data: contracts.encode("AccessManager", "hasRole", [ROLES[role], address]) },
        "latest",
      ),
    ),
  );
  const faults = needed.flatMap(({ lane, address, role }, i) => {
    const said = resultOf<Hex>("eth_call", answers[i]);
    const [holds, delayS] = contracts.abi.AccessManager.decodeFunctionResult("hasRole", said) as unknown as [
      boolean,
      bigint,
    ];
    if (holds && delayS === 0n) return [];
    const has = holds
      ? `holds the role ${role.toUpperCase()} with a delay of ${delayS} s only`
      : `does not hold the role ${role.toUpperCase()}`;
    return [`Lane ${lane}: ${address} ${has}. Grant it: grantRole(${ROLES[role]}, ${address}, 0).`];
  });
  if (faults.length > 0)
    throw new Error(
      `Keys of CHAIN_KEYS may not do their work on chain ${rpc.chainId}:\n${faults.join("\n")}\nThe admin grants roles on the AccessManager at ${manager}, by schedule and execute where the admin has a delay; or give the lane the key that holds its role.`,
    );
}
