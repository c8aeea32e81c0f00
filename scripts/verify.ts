/**
 * npm run verify: holds everything that the contracts ever said against a database, of a saved replay, of a PostgreSQL
 * server, or of a running service; or a driver's bundle against itself and the chain. Exit code 0: no difference; 1:
 * differences, which come first; 2: it could not be done.
 */
import { createChainEye } from "../backend/adapters/chain/chainEye.ts";
import { bindContracts } from "../backend/adapters/chain/contracts.ts";
import { loadArtifacts } from "../backend/adapters/chain/deployment.ts";
import { createLedger } from "../backend/adapters/chain/ledger.ts";
import { createStore } from "../backend/adapters/store/store.ts";
import { type AuditReport, audit } from "../backend/usecases/audit.ts";
import { verifyBundle } from "./verify/bundle.ts";
import { type Opened, open } from "./verify/opening.ts";
import { CannotVerify, type Options, readOptions } from "./verify/options.ts";
import { asJson, auditText, bundleText, clearProgress, showProgress } from "./verify/output.ts";

async function verifyDatabase(opened: Opened, options: Options): Promise<{ report: AuditReport; about: string }> {
  const { rpc, manifest, database, live, market } = opened;
  const artifacts = loadArtifacts();
  const contracts = bindContracts(manifest, artifacts);
  const chain = await createChainEye(rpc, manifest, contracts, artifacts);
  const ledger = createLedger(contracts);
  const { outages, part } = options;
  // One picture of the database: while a service goes on writing, rows that belong together must be of one instant.
  const report = await database.db
    .transaction()
    .setIsolationLevel("repeatable read")
    .setAccessMode("read only")
    .execute((trx) =>
      audit({
        ...{ store: createStore(trx), ledger, chain, live, outages, part, onProgress: showProgress },
        market: options.market ?? market ?? "day-ahead",
      }),
    );
  clearProgress();
  return { report, about: `${opened.what}, chain ${rpc.chainId} at block ${chain.block}` };
}

const options = readOptions();
let opened: Opened | null = null;
try {
  if (options.bundle !== null) {
    const { report, about } = await verifyBundle(options.bundle, options);
    process.stdout.write(options.json ? asJson(report, about) : bundleText(report, about));
    process.exitCode = report.ok ? 0 : 1;
  } else {
    opened = await open(options);
    const { report, about } = await verifyDatabase(opened, options);
    process.stdout.write(options.json ? asJson(report, about) : auditText(report, about));
    process.exitCode = report.ok ? 0 : 1;
  }
} catch (error) {
  const text = error instanceof Error ? error.message : String(error);
  console.error(error instanceof CannotVerify ? text : `The audit could not be done. ${text}`);
  process.exitCode = 2;
} finally {
  await opened?.close().catch(() => undefined);
}
process.exit(process.exitCode);
