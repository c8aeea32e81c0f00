/**
 * An operator's first hour on PostgreSQL and a node of its own, by the commands of the README alone: the service starts on
 * nothing, staff is made, registers a site that reaches the chain, and all of it is there after a restart.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { OpenDatabase } from "../../backend/adapters/store/database.ts";
import { type Anvil, startAnvil } from "../support/anvil.ts";
import { openTestDatabase, urlOf, whyNoPostgres } from "../support/databases.ts";

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const hex = () => randomBytes(32).toString("hex");
const SITE = {
  payee: `0x${"11".repeat(20)}`,
  location: { id: "yard", name: "Yard", timeZone: "Europe/Berlin" },
  tariff: { id: "yard-tariff", pricePerKwhMicroEur: "350000" },
  groups: [
    {
      id: "yard-1",
      supplyLimitW: 22_000,
      limitKind: "contract",
      feedInMicroEurPerKwh: "50000",
      evses: [{ id: "yard-1-1", maxPowerW: 11_000, phases: 3 }],
      pvs: [],
    },
  ],
};

describe("An operator's first hour", function () {
  this.timeout(300_000);
  let database: OpenDatabase;
  let anvil: Anvil | null = null;
  let environment: NodeJS.ProcessEnv;
  const running = new Set<ChildProcess>();

  before(async function () {
    if (whyNoPostgres() !== null) return this.skip();
    anvil = await startAnvil({ mines: true, funded: [], accounts: 10 });
    if (anvil === null) return this.skip();
    database = await openTestDatabase("postgres");
    environment = {
      ...{ PATH: process.env.PATH, PORT: "0", LOG_LEVEL: "warn", AUTH_SECRET: hex(), WALLET_KEKS: `1:${hex()}` },
      ...{ DATABASE_URL: await urlOf(database), CHAIN_RPC_URL: anvil.url },
    };
  });
  after(async () => {
    for (const child of running) child.kill("SIGKILL");
    await anvil?.stop();
    await database?.close();
  });

  function run(script: string, args: readonly string[], more: NodeJS.ProcessEnv = {}) {
    const child = spawn(process.execPath, [at(script), ...args], {
      env: { ...environment, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
    running.add(child);
    let said = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        said += String(chunk);
      });
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    child.once("close", () => running.delete(child));
    return { child, ended, said: () => said };
  }

  /** The service, once it says where it answers. */
  async function service() {
    const started = run("backend/main.ts", ["--no-demo"]);
    for (;;) {
      const url = /open +(http:\S+?)\/ /.exec(started.said())?.[1];
      if (url !== undefined) return { ...started, url };
      if (!running.has(started.child)) throw new Error(`The service ended: ${started.said()}`);
      await pause(100);
    }
  }
  const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

  async function ask(
    url: string,
    method: string,
    path: string,
    cookie: string | null,
    body?: object,
  ): Promise<{ status: number; body: any; cookie: string }> {
    const headers = { "content-type": "application/json", ...(cookie === null ? {} : { cookie }) };
    const response = await fetch(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const cookies = response.headers.getSetCookie().map((one) => one.split(";")[0]);
    return { status: response.status, body: await response.json(), cookie: cookies.join("; ") };
  }

  it("goes from an empty database to a site on chain that is there after a restart", async () => {
    const first = await service();
    expect(first.said()).to.contain("npm run accounts");
    const add = ["add", "--role", "staff", "--email", "sam@cpo.example", "--name", "Sam"];
    const made = run("scripts/accounts.ts", [...add, "--cpo", "yards", "--cpo-name", "Yards"]);
    expect(await made.ended, made.said()).to.equal(0);
    const password = made.said().trimEnd().split("\n").at(-1);
    const staff = await ask(first.url, "POST", "/account/sign-in", null, { email: "sam@cpo.example", password });
    expect(staff.body).to.include({ kind: "staff", cpoId: "yards" });
    expect(await ask(first.url, "POST", "/cpo/sites", staff.cookie, SITE)).to.include({ status: 201 });
    for (let looks = 0; ; looks++) {
      const { outbox } = (await ask(first.url, "GET", "/health", null)).body;
      if (outbox.open === 0) break;
      if (looks > 100) expect.fail(`${outbox.open} calls did not reach the chain: ${first.said()}`);
      await pause(200);
    }
    first.child.kill("SIGTERM");
    expect(await first.ended, first.said()).to.equal(0);

    const second = await service();
    const { body } = await ask(second.url, "GET", "/cpo/groups", staff.cookie);
    expect(body.groups).to.have.length(1);
    expect(body.groups[0]).to.include({ id: "yard-1", cpoId: "yards", supplyLimitW: 22_000 });
    const health = (await ask(second.url, "GET", "/health", null)).body;
    expect(health).to.deep.include({ ok: true, incidents: {} });
    expect(health.database).to.include({ ok: true, kind: "postgres" });
    second.child.kill("SIGTERM");
    expect(await second.ended, second.said()).to.equal(0);
  });

  it("ends at once with keys that hold no role, and names them", async () => {
    const lanes = ["registry", "slots", "billing", "treasury", "deployer"];
    const keys = lanes.map((lane) => `${lane}=0x${hex()}`);
    const { ended, said } = run("backend/main.ts", ["--no-demo"], { CHAIN_KEYS: keys.join(",") });
    expect(await ended).to.equal(1);
    for (const lane of lanes.slice(0, 4)) expect(said()).to.contain(`Lane ${lane}: `);
    for (const key of keys) expect(said()).not.to.contain(key.split("0x")[1]);
  });
});
