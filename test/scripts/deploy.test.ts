/** npm run deploy as an operator starts it, against anvil in the place of a test network. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect } from "chai";
import { getCreateAddress, Wallet } from "ethers";
import { leastCostText } from "../../backend/adapters/chain/algorithms.ts";
import { chunksOf } from "../../backend/adapters/chain/codeChunks.ts";
import { deploymentDifferences, loadArtifacts, type Manifest } from "../../backend/adapters/chain/deployment.ts";
import { type Hex, request } from "../../backend/adapters/chain/rpc.ts";
import { derivedRandom, openSystem, type SystemOptions } from "../../backend/compose.ts";
import { METHOD_NAMES } from "../../backend/domain/algorithms.ts";
import { deployCommand, GAS } from "../../scripts/deployment/command.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { openTestDatabase } from "../support/databases.ts";
import { temporaryFolder } from "../support/replays.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/deploy.ts", import.meta.url));
const TOP = fileURLToPath(new URL("../..", import.meta.url));
const HARDHAT = join(TOP, "node_modules", "hardhat", "dist", "src", "cli.js");
const CHAIN_ID = 84_532;
/** The contracts, the exact method's text, the methods, a payee, the wiring. */
const STEPS = 8 + chunksOf(leastCostText()).length + METHOD_NAMES.length + 1 + 1;

const keyOf = (digit: string): Hex => `0x${digit.repeat(64)}`;
const addressOf = (digit: string) => new Wallet(keyOf(digit)).address as Hex;
const DEPLOYER = addressOf("d");
const LANES = {
  registry: keyOf("1"),
  slots: keyOf("2"),
  billing: keyOf("3"),
  treasury: keyOf("4"),
  deployer: keyOf("d"),
};
const ROLES = {
  admin: addressOf("5"),
  guardian: [addressOf("6")],
  operator: [addressOf("2")],
  biller: [addressOf("3")],
  registrar: [addressOf("1")],
  arbiter: [addressOf("7")],
  publisher: [addressOf("1")],
  pauser: [addressOf("4")],
  faucet: [addressOf("4")],
  payees: [{ cpo: 1, payee: addressOf("8") }],
};

type Ended = { readonly code: number | null; readonly out: string; readonly err: string };
type Environment = Readonly<Record<string, string | undefined>>;
type Started = { readonly child: ChildProcess; readonly ended: Promise<Ended> };

describe("npm run deploy", function () {
  this.timeout(180_000);
  const running: Anvil[] = [];
  after(() => Promise.all(running.map((anvil) => anvil.stop())));
  const anvilOf = async (options: Partial<Parameters<typeof startAnvil>[0]> = {}) => {
    const anvil = await startAnvil({ mines: true, funded: [DEPLOYER], chainId: CHAIN_ID, ...options });
    if (anvil !== null) running.push(anvil);
    return anvil;
  };
  const sentBy = async ({ rpc }: Anvil) =>
    Number(await request<Hex>(rpc, "eth_getTransactionCount", DEPLOYER, "latest"));

  /** `CI` keeps the keystore of whoever runs the tests out of them. */
  function start(args: readonly string[], environment: Environment): Started {
    const env = { PATH: process.env.PATH, CI: "true", ...environment };
    const child = spawn(process.execPath, [SCRIPT, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
    const texts = { out: "", err: "" };
    child.stdout.on("data", (chunk) => {
      texts.out += String(chunk);
    });
    child.stderr.on("data", (chunk) => {
      texts.err += String(chunk);
    });
    return { child, ended: new Promise((resolve) => child.once("close", (code) => resolve({ code, ...texts }))) };
  }
  /** The same in this process: much quicker. */
  async function here(args: readonly string[], environment: Environment): Promise<Ended> {
    const names = ["CI", "CHAIN_RPC_URL", "DEPLOYER_KEY", "SOURCIFY_URL"];
    const before = names.map((name) => [name, process.env[name]] as const);
    const set = (name: string, value: string | undefined) => {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    };
    for (const name of names) set(name, { CI: "true", ...environment }[name]);
    const { log } = console;
    console.log = () => {};
    let out = "";
    const say = (text: string) => {
      out += `${text}\n`;
    };
    try {
      await deployCommand(args, say);
      return { code: 0, out, err: "" };
    } catch (error) {
      return { code: 1, out, err: `${(error as Error).message}\n` };
    } finally {
      console.log = log;
      for (const [name, value] of before) set(name, value);
    }
  }
  function rolesFile(roles: object = ROLES): string {
    const file = join(temporaryFolder(), "roles.json");
    writeFileSync(file, JSON.stringify(roles));
    return file;
  }
  const reach = ({ url }: Anvil) => ({ CHAIN_RPC_URL: url, DEPLOYER_KEY: keyOf("d") });
  const to = (folder: string, roles: object = ROLES) =>
    ["--network", "base-sepolia", "--roles", rolesFile(roles), "--folder", folder] as const;
  const manifestIn = (folder: string) => JSON.parse(readFileSync(join(folder, `${CHAIN_ID}.json`), "utf8")) as Manifest;

  describe("on a public network", () => {
    let anvil: Anvil;
    const folder = temporaryFolder();
    let first: Ended;
    before(async function () {
      const started = await anvilOf();
      if (started === null) return this.skip();
      anvil = started;
      first = await start(to(folder), reach(anvil)).ended;
    });

    it("writes a manifest that agrees with the chain and with the local compile", async () => {
      expect(first).to.deep.include({ code: 0, err: "" });
      const manifest = manifestIn(folder);
      expect(await deploymentDifferences(anvil.rpc, manifest, loadArtifacts())).to.deep.equal([]);
      const addresses = Array.from({ length: 8 }, (_, nonce) => getCreateAddress({ from: DEPLOYER, nonce }));
      expect(Object.values(manifest.contracts).map(({ address }) => address)).to.deep.equal(addresses);
      expect(await sentBy(anvil)).to.equal(STEPS);
      expect(manifest.contracts.Settlement.args.slice(3)).to.deep.equal([
        [259_200, 86_400, 172_800, 172_800],
        "10000000",
      ]);
      expect(manifest.contracts.AlgorithmRegistry.args[1]).to.equal(86_400);
    });

    it("costs no more gas than the deployer is asked to have, and no less than half of it", async () => {
      const asked = Number(GAS);
      let used = 0;
      for (let block = 1; block <= STEPS; block++) {
        const { gasUsed } = await request<{ gasUsed: Hex }>(
          anvil.rpc,
          "eth_getBlockByNumber",
          `0x${block.toString(16)}`,
          false,
        );
        used += Number(gasUsed);
      }
      expect(used).to.be.within(asked / 2, asked);
    });

    it("is not done twice", async () => {
      const { code, err } = await here(to(folder), reach(anvil));
      expect([code, err]).to.deep.equal([
        1,
        `deployments/${CHAIN_ID}.json exists. Move it away first if a second deployment is really wanted.\n`,
      ]);
      expect(await sentBy(anvil)).to.equal(STEPS);
    });

    it("shows its sources in a step of its own, without any key, and says what was not accepted", async () => {
      const server = createServer((_, response) => {
        const held = { match: "exact_match", creationMatch: "exact_match", runtimeMatch: "exact_match" };
        const body = JSON.stringify({ ...held, chainId: String(CHAIN_ID), address: DEPLOYER });
        response.writeHead(200, { "content-type": "application/json" }).end(body);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      const verifying = (there: string, port: number) =>
        here(["--network", "base-sepolia", "--verify", "--folder", there], {
          CHAIN_RPC_URL: anvil.url,
          SOURCIFY_URL: `http://127.0.0.1:${port}`,
        });
      const held = await verifying(folder, (server.address() as AddressInfo).port);
      server.close();
      expect([held.code, held.err]).to.deep.equal([0, ""]);
      expect(held.out.match(/^\w+ +sourcify +holds the sources$/gm)).to.have.length(8);
      const away = await verifying(folder, 1);
      expect(away.code).to.equal(1);
      expect(away.out).to.match(/^Settlement +sourcify +.*127\.0\.0\.1:1.*failed/m);
      expect(away.err).to.match(/^8 of 8 were not verified/);
      expect(await verifying(temporaryFolder(), 1)).to.deep.include({
        code: 1,
        err: `There is no deployments/${CHAIN_ID}.json. Deploy first.\n`,
      });
    });

    describe("lets a service", () => {
      /** A migrated, empty database: loading one is much quicker than making one. */
      let empty: Uint8Array;
      before(async () => {
        const database = await openTestDatabase();
        empty = await database.dump();
        await database.close();
      });
      const opening = (deployments: string): SystemOptions => ({
        database: { dump: empty },
        chainRpcUrls: [anvil.url],
        chainKeys: LANES,
        deployments: pathToFileURL(`${deployments}/`),
        random: derivedRandom("deploy"),
      });
      const refusal = (options: SystemOptions) =>
        openSystem(options).then(
          async (system) => {
            await system.close();
            return "started";
          },
          (error: Error) => error.message,
        );

      it("start on it", async () => {
        await request(anvil.rpc, "anvil_mine", "0xa");
        expect(await refusal(opening(folder))).to.equal("started");
      });

      it("not start when one byte of a contract is another, or when nothing is deployed", async () => {
        const manifest = manifestIn(folder);
        const { Settlement } = manifest.contracts;
        const other = temporaryFolder();
        const changed = { ...Settlement, bytecodeHash: flipped(Settlement.bytecodeHash) };
        const contracts = { ...manifest.contracts, Settlement: changed };
        writeFileSync(join(other, `${CHAIN_ID}.json`), JSON.stringify({ ...manifest, contracts }));
        expect(await refusal(opening(other))).to.match(
          /are not the ones of this source:\nSettlement: the local compile is not the code in the manifest/,
        );
        expect(await refusal(opening(temporaryFolder()))).to.match(/Nothing is deployed on chain 84532/);
      });
    });
  });

  it("goes on where it was killed, with the same contracts in the end", async function () {
    const anvil = await anvilOf();
    if (anvil === null) return this.skip();
    const folder = temporaryFolder();
    const roles = to(folder);
    const killed = start(roles, reach(anvil));
    killed.child.stdout?.on("data", (chunk) => {
      if (String(chunk).includes("FlexToken")) killed.child.kill("SIGKILL");
    });
    expect((await killed.ended).code).to.equal(null);
    const before = await sentBy(anvil);
    expect(before).to.be.within(6, STEPS - 1);
    const { code, out, err } = await start(roles, reach(anvil)).ended;
    expect([code, err]).to.deep.equal([0, ""]);
    expect(out).to.match(/^ {2}AccessManager_multicall$/m);
    expect(out).to.not.match(/^ {2}FlexToken$/m);
    expect(await sentBy(anvil)).to.equal(STEPS);
    expect(await deploymentDifferences(anvil.rpc, manifestIn(folder), loadArtifacts())).to.deep.equal([]);
  });

  it("takes the key from Hardhat's keystore", async function () {
    const anvil = await anvilOf();
    if (anvil === null) return this.skip();
    const home = temporaryFolder();
    // Where a keystore is looked for on Linux, macOS and Windows; no CI, where Hardhat leaves keystores alone.
    const atHome = { HOME: home, XDG_CONFIG_HOME: home, APPDATA: home, CI: undefined };
    const setting = spawn(process.execPath, [HARDHAT, "keystore", "set", "--dev", "DEPLOYER_KEY"], {
      cwd: TOP,
      env: { PATH: process.env.PATH, ...atHome },
      stdio: ["pipe", "ignore", "inherit"],
    });
    setting.stdin.end(`${keyOf("d")}\n`);
    expect(await new Promise((resolve) => setting.once("close", resolve))).to.equal(0);
    const { code, err } = await start(to(temporaryFolder()), { ...atHome, CHAIN_RPC_URL: anvil.url }).ended;
    expect([code, err]).to.deep.equal([0, ""]);
    expect(await sentBy(anvil)).to.equal(STEPS);
  });

  it("needs no delays and no arbiter on a local chain, and deploys there as often as one likes", async function () {
    const one = await anvilOf({ chainId: 31_337 });
    const other = await anvilOf({ chainId: 31_337, flags: ["--timestamp", "1700000000"] });
    if (one === null || other === null) return this.skip();
    const all = Object.fromEntries(Object.keys(ROLES).map((role) => [role, [addressOf("5")]]));
    const roles = rolesFile({ ...all, admin: addressOf("5"), payees: [], arbiter: [] });
    const folder = temporaryFolder();
    for (const anvil of [one, other]) {
      const { code, err } = await here(["--roles", roles, "--folder", folder], reach(anvil));
      expect([code, err]).to.deep.equal([0, ""]);
      const manifest = JSON.parse(readFileSync(join(folder, "31337.json"), "utf8")) as Manifest;
      expect(manifest.contracts.Settlement.args[3]).to.deep.equal([0, 0, 0, 0]);
      expect(await deploymentDifferences(anvil.rpc, manifest, loadArtifacts())).to.deep.equal([]);
    }
  });

  describe("refuses before the first transaction", () => {
    let anvil: Anvil;
    before(async function () {
      const started = await anvilOf();
      if (started === null) return this.skip();
      anvil = started;
    });
    const refused = async (args: readonly string[], environment: Environment = reach(anvil)) => {
      const { code, out, err } = await here(args, environment);
      expect(code).to.equal(1);
      expect(out).to.equal("");
      expect(await sentBy(anvil)).to.equal(0);
      return err;
    };

    it("with exit code 1 and nothing but the reason", async () => {
      const { code, out, err } = await start(["--network", "mainnet"], reach(anvil)).ended;
      expect([code, out]).to.deep.equal([1, ""]);
      expect(err).to.equal((await here(["--network", "mainnet"], reach(anvil))).err);
    });

    it("a network that nobody knows, a file that is missing or no JSON, an option that there is not", async () => {
      expect(await refused(["--network", "mainnet"])).to.equal(
        "There is no network mainnet. Say --network with one of local, sepolia, base-sepolia, volta.\n",
      );
      expect(await refused(["--network", "sepolia"])).to.match(/^Say --roles/);
      expect(await refused(["--netwrok", "sepolia"])).to.match(/Unknown option '--netwrok'/);
      expect(await refused(["--network", "base-sepolia", "--roles", "nowhere.json"])).to.match(/nowhere\.json/);
      expect(await refused(["--network", "base-sepolia", "--roles", SCRIPT])).to.match(/deploy\.ts is no JSON/);
    });

    it("a missing or broken key and a missing endpoint, without repeating the key", async () => {
      const folder = temporaryFolder();
      expect(await refused(to(folder), { CHAIN_RPC_URL: anvil.url })).to.match(
        /^DEPLOYER_KEY is not known.*keystore set DEPLOYER_KEY.*nothing was sent/,
      );
      expect(await refused(to(folder), { DEPLOYER_KEY: keyOf("d") })).to.match(/^CHAIN_RPC_URL is not known/);
      const broken = await refused(to(folder), { ...reach(anvil), DEPLOYER_KEY: "0x1234567" });
      expect(broken)
        .to.match(/key is not 32 bytes/)
        .and.not.match(/1234567/);
    });

    it("an endpoint of another chain, and one that is not there", async () => {
      const sepolia = ["--network", "sepolia", "--roles", rolesFile(), "--folder", temporaryFolder()];
      expect(await refused(sepolia)).to.match(/serves chain 84532, not 11155111/);
      const nobody = { ...reach(anvil), CHAIN_RPC_URL: "http://127.0.0.1:1" };
      expect(await refused(to(temporaryFolder()), nobody)).to.match(/127\.0\.0\.1:1 gave no JSON answer/);
    });

    it("a chain that lacks an instruction", async function () {
      const old = await anvilOf({ hardfork: "shanghai" });
      if (old === null) return this.skip();
      expect(await refused(to(temporaryFolder()), reach(old))).to.match(
        /^Chain 84532 does not run PUSH0, MCOPY and TLOAD/,
      );
      expect(await sentBy(old)).to.equal(0);
    });

    it("a deployer without ether, and one that would hold a role", async function () {
      const poor = await anvilOf({ funded: [] });
      if (poor === null) return this.skip();
      expect(await refused(to(temporaryFolder()), reach(poor))).to.match(
        new RegExp(`^The deployer ${DEPLOYER} has 0\\.0 ether on base-sepolia; the deployment may cost 0\\.\\d+`),
      );
      expect(await refused(to(temporaryFolder(), { ...ROLES, pauser: [DEPLOYER] }))).to.match(/would be pauser/);
    });

    it("roles that are no roles file", async () => {
      expect(await refused(to(temporaryFolder(), { ...ROLES, arbiter: [] }))).to.match(
        /arbiter: nobody holds this role/,
      );
    });
  });
});

/** The same text with its last hex digit changed. */
const flipped = (hex: string) => `${hex.slice(0, -1)}${hex.endsWith("0") ? "1" : "0"}`;
