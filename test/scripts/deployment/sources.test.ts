/** What is sent when sources are verified, to a server in the place of Sourcify. */
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { expect } from "chai";
import type { ContractName } from "../../../backend/adapters/chain/artifacts.ts";
import {
  deployContracts,
  loadArtifacts,
  localDeployment,
  type Manifest,
} from "../../../backend/adapters/chain/deployment.ts";
import { localSigner } from "../../../backend/adapters/chain/signer.ts";
import { type Sources, verifySources } from "../../../scripts/deployment/sources.ts";
import { type Anvil, startAnvil } from "../../support/anvil.ts";

const CHAIN_ID = 84_532;
const deployer = localSigner(`0x${"d".repeat(64)}`);
const artifacts = loadArtifacts();
const nobody = { guardian: [], operator: [], biller: [], registrar: [], publisher: [], pauser: [], faucet: [] };

type Request = { readonly method: string; readonly path: string; readonly body: any };

describe("Source verification", function () {
  this.timeout(300_000);
  let anvil: Anvil;
  let manifest: Manifest;
  let server: Server;
  let requests: Request[] = [];
  let answer: (request: Request) => [status: number, body: object];
  before(async function () {
    const started = await startAnvil({ mines: true, funded: [deployer.address], chainId: CHAIN_ID });
    if (started === null) return this.skip();
    anvil = started;
    manifest = await deployContracts(
      anvil.rpc,
      deployer,
      artifacts,
      localDeployment(nobody, { admin: deployer.address }),
    );
    server = createServer((request, response) => {
      let text = "";
      request.on("data", (chunk) => {
        text += String(chunk);
      });
      request.on("end", () => {
        const heard = {
          method: request.method ?? "",
          path: request.url ?? "",
          body: text === "" ? null : JSON.parse(text),
        };
        requests.push(heard);
        const [status, body] = answer(heard);
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    server?.close();
    await anvil?.stop();
  });
  beforeEach(() => {
    requests = [];
    answer = sourcify();
  });
  const at = (port: number): Sources => ({
    network: "base-sepolia",
    rpcUrl: anvil.url,
    sourcifyUrl: `http://127.0.0.1:${port}`,
  });
  const here = () => at((server.address() as AddressInfo).port);
  const posts = () => requests.filter(({ method }) => method === "POST");

  it("asks for every contract of the manifest by address and creating transaction", async () => {
    const results = await quietly(() => verifySources(manifest, here()));
    expect(results).to.deep.equal(
      Object.keys(manifest.contracts).map((contract) => ({ contract, service: "sourcify", refusal: null })),
    );
    expect(posts().map(({ path, body }) => [path, body.creationTransactionHash])).to.deep.equal(
      Object.values(manifest.contracts).map(({ address, tx }) => [`/v2/verify/${CHAIN_ID}/${address}`, tx]),
    );
  });

  it("sends sources and settings that compile to the very code that was deployed", async () => {
    const wanted: ContractName[] = ["ScheduleChecker", "AlgorithmRegistry"];
    const contracts = Object.fromEntries(wanted.map((name) => [name, manifest.contracts[name]]));
    await quietly(() => verifySources({ ...manifest, contracts: contracts as Manifest["contracts"] }, here()));
    const solc = createRequire(import.meta.url)("solc");
    for (const [i, { body }] of posts().entries()) {
      const { stdJsonInput, contractIdentifier, compilerVersion } = body;
      expect(compilerVersion).to.equal(`v${solc.version().replace(".Emscripten.clang", "")}`);
      const [file, name] = contractIdentifier.split(":");
      stdJsonInput.settings.outputSelection = { "*": { "*": ["evm.bytecode.object"] } };
      const { contracts } = JSON.parse(solc.compile(JSON.stringify(stdJsonInput)));
      expect(name).to.equal(wanted[i]);
      const [compiled, deployed] = [`0x${contracts[file][name].evm.bytecode.object}`, artifacts[wanted[i]!].bytecode];
      if (name === "AlgorithmRegistry") expect(compiled === deployed).to.equal(true);
      // What imports nothing of OpenZeppelin is sent without the remapping that the whole build was told: its
      // metadata's hash is another. Sourcify calls that a match, not an exact match.
      expect(withoutMetadata(compiled) === withoutMetadata(deployed), name).to.equal(true);
    }
  });

  it("leaves out what the service holds already", async () => {
    answer = ({ path }) => [200, { ...lookedUp(path), match: "exact_match" }];
    const results = await quietly(() => verifySources(manifest, here()));
    expect(results.every(({ refusal }) => refusal === null)).to.equal(true);
    expect(posts()).to.have.length(0);
  });

  it("says of each contract why it was not verified, and goes on with the next", async () => {
    const other = manifest.contracts.SlotLedger.address;
    answer = (request) => {
      if (request.method === "POST" && request.path.endsWith(other))
        return [429, { customCode: "rate_limit", message: "too many requests", errorId: "1" }];
      return sourcify()(request);
    };
    const results = await quietly(() => verifySources(manifest, here()));
    for (const { contract, refusal } of results)
      if (contract === "SlotLedger") expect(refusal).to.match(/too many requests/);
      else expect(refusal, contract).to.equal(null);
  });

  it("says plainly when the service cannot be reached", async () => {
    const results = await quietly(() => verifySources(manifest, at(1)));
    for (const { refusal } of results) expect(refusal).to.match(/127\.0\.0\.1:1.*failed/);
    expect(results).to.have.length(Object.keys(manifest.contracts).length);
  });

  it("refuses to show sources for an address that carries other code", async () => {
    const address = manifest.contracts.FlexToken.address;
    const SlotLedger = { ...manifest.contracts.SlotLedger, address };
    const results = await quietly(() =>
      verifySources({ ...manifest, contracts: { SlotLedger } as unknown as Manifest["contracts"] }, here()),
    );
    expect(results[0]?.refusal).to.match(/bytecode/);
    expect(posts()).to.have.length(0);
  });
});

/** Sourcify's API, version 2: unknown at first, then accepted at once. */
const sourcify =
  () =>
  ({ method, path }: Request): [number, object] => {
    if (method === "POST") return [202, { verificationId: path.split("/").at(-1) }];
    if (path.startsWith("/v2/contract/")) return [404, lookedUp(path)];
    return [200, { isJobCompleted: true, verificationId: "1", jobStartTime: "", contract: { match: "exact_match" } }];
  };
const lookedUp = (path: string) => {
  const [, , , chainId, address] = path.split("/");
  return { match: null, creationMatch: null, runtimeMatch: null, chainId, address };
};

/** Creation code up to the CBOR of the metadata, whose length is in the last two bytes. */
const withoutMetadata = (code: string) => code.slice(0, -2 * (Number.parseInt(code.slice(-4), 16) + 2));

/** Hardhat's plugin tells the console what it does. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { log } = console;
  console.log = () => {};
  try {
    return await work();
  } finally {
    console.log = log;
  }
}
