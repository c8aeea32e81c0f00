/** A driver's bundle from a file: off line, or against the chain that a node shows. */
import { readFile } from "node:fs/promises";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import { bindContracts } from "../../backend/adapters/chain/contracts.ts";
import { loadArtifacts, type Manifest } from "../../backend/adapters/chain/deployment.ts";
import { createLedger } from "../../backend/adapters/chain/ledger.ts";
import { readManifest } from "../../backend/adapters/chain/manifest.ts";
import { auditBundle, type BundleReport } from "../../backend/usecases/auditBundle.ts";
import { type Bundle, readBundle } from "../../backend/usecases/bundle.ts";
import { connect, manifestIn } from "./opening.ts";
import { CannotVerify, type Options } from "./options.ts";

export type Verified = { readonly report: BundleReport; readonly about: string };

export async function verifyBundle(file: string, options: Options): Promise<Verified> {
  const { bundle, manifest: named } = await bundleIn(file);
  const given = options.manifest === null ? null : await manifestIn(options.manifest);
  const artifacts = loadArtifacts();
  if (options.rpc === null) {
    const manifest = given ?? named;
    const report = await auditBundle(bundle, createLedger(bindContracts(manifest, artifacts)), null);
    return { report, about: `bundle ${file}, off line, for chain ${manifest.chainId}` };
  }
  const rpc = await connect(options.rpc);
  try {
    const manifest = given ?? (await readManifest(rpc.chainId)) ?? named;
    if (manifest.chainId !== rpc.chainId)
      throw new CannotVerify(
        `The bundle is about chain ${manifest.chainId}, the node has chain ${rpc.chainId}. Give another --rpc.`,
      );
    const contracts = bindContracts(manifest, artifacts);
    const chain = await createChainEye(rpc, manifest, contracts, artifacts);
    const report = await auditBundle(bundle, createLedger(contracts), chain);
    return { report, about: `bundle ${file}, chain ${rpc.chainId} at block ${chain.block}` };
  } finally {
    await rpc.close();
  }
}

/** The bundle, and the deployment that it says it is about; with a chain its code is compared with the local compile. */
async function bundleIn(file: string): Promise<{ readonly bundle: Bundle; readonly manifest: Manifest }> {
  const text = await readFile(file, "utf8").catch(() => {
    throw new CannotVerify(`The bundle ${file} cannot be read.`);
  });
  try {
    const { manifest, ...plain } = parsed(text);
    if (!manifest?.contracts?.Settlement) throw new RangeError("$.manifest names no contract Settlement.");
    return { bundle: readBundle(plain), manifest };
  } catch (error) {
    throw new CannotVerify(
      `${file} is no bundle: ${error instanceof Error ? error.message : String(error)} Download it again (GET /driver/bundle).`,
    );
  }
}

/** What JSON.parse says quotes the file, which may be anything. */
function parsed(text: string): { readonly manifest?: Manifest } {
  try {
    return JSON.parse(text) as { readonly manifest?: Manifest };
  } catch {
    throw new SyntaxError("it is no JSON, or was cut off.");
  }
}
