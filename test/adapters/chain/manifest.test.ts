import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { bindContracts } from "../../../backend/adapters/chain/contracts.ts";
import { startEmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { readManifest, requireDeployment, writeManifest } from "../../../backend/adapters/chain/manifest.ts";
import { ARTIFACTS, aDeployment, type Deployed } from "./deployed.ts";

const refusal = (promise: Promise<unknown>) =>
  promise.then(
    () => "accepted",
    (error: Error) => error.message,
  );

describe("the deployment's manifest", function () {
  this.timeout(60_000);
  let on: Deployed;
  let folder: URL;
  before(async () => {
    on = await aDeployment();
    folder = pathToFileURL(`${await mkdtemp(join(tmpdir(), "manifest-"))}/`);
  });
  after(async () => {
    await on.chain.close();
    await rm(folder, { recursive: true });
  });

  it("is null for a chain without one, and comes back as it was written", async () => {
    expect(await readManifest(31_337, folder)).to.equal(null);
    await writeManifest(on.manifest, folder);
    expect(await readManifest(31_337, folder)).to.deep.equal(on.manifest);
  });

  it("is refused when the file is for another chain or no manifest at all", async () => {
    await writeFile(new URL("5.json", folder), JSON.stringify(on.manifest));
    await writeFile(new URL("6.json", folder), '{"chainId":6}');
    expect(await refusal(readManifest(5, folder))).to.match(/no manifest of chain 5/);
    expect(await refusal(readManifest(6, folder))).to.match(/no manifest of chain 6/);
  });

  it("lets a service start on the chain that it describes", async () => {
    expect(await refusal(requireDeployment(on.chain.rpc, on.manifest, ARTIFACTS, 0))).to.equal("accepted");
  });

  it("stops a service on another chain, on other code, and on a deployment that is not deep enough", async () => {
    const { rpc } = on.chain;
    const empty = await startEmbeddedChain({ funded: [] });
    expect(await refusal(requireDeployment(empty.rpc, on.manifest, ARTIFACTS, 0))).to.match(
      /are not the ones of this source/,
    );
    await empty.close();
    const changed = {
      ...ARTIFACTS,
      Settlement: { ...ARTIFACTS.Settlement, bytecode: `${ARTIFACTS.Settlement.bytecode}00` as const },
    };
    expect(await refusal(requireDeployment(rpc, on.manifest, changed, 0))).to.match(/Settlement/);
    expect(await refusal(requireDeployment(rpc, on.manifest, ARTIFACTS, 500))).to.match(/blocks deep, 500 are needed/);
  });

  it("binds contracts to their addresses and knows their errors by name", () => {
    const contracts = bindContracts(on.manifest, ARTIFACTS);
    expect(contracts.addressOf("SlotLedger")).to.equal(on.manifest.contracts.SlotLedger.address);
    expect(() => contracts.addressOf("Arbiter")).to.throw(/has no contract Arbiter/);
    const data = contracts.abi.Settlement.encodeErrorResult("OutOfOrder", [3, 7, 6]) as `0x${string}`;
    expect(contracts.decodeRevert(data)).to.equal("OutOfOrder(3, 7, 6)");
    expect(contracts.decodeRevert("0xdeadbeef")).to.equal("0xdeadbeef");
  });
});
