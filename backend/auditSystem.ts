/** The audit of a running system: its chain, pinned to one block, against its store. */
import { createChainEye } from "./adapters/chain/chainEye.ts";
import type { System } from "./compose.ts";
import { type AuditParts, type AuditReport, audit } from "./usecases/audit.ts";

export type AuditOptions = Pick<AuditParts, "market" | "live" | "outages" | "contractJudges" | "onProgress">;

export async function auditSystem(
  system: Pick<System, "rpc" | "manifest" | "contracts" | "artifacts" | "store" | "ledger">,
  options: AuditOptions,
): Promise<AuditReport> {
  const { rpc, manifest, contracts, artifacts, store, ledger } = system;
  const chain = await createChainEye(rpc, manifest, contracts, artifacts);
  return audit({ ...options, store, ledger, chain });
}
