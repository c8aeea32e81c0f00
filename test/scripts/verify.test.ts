/** npm run verify as an auditor starts it: what it prints, and how it ends. */

import { execFile } from "node:child_process";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { type EmbeddedChain, exportChain, importChain } from "../../backend/adapters/chain/embedded.ts";
import { openDatabase } from "../../backend/adapters/store/database.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem } from "../../backend/compose.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { bundleOut } from "../../backend/usecases/bundle.ts";
import { driverBundle } from "../../backend/usecases/driverBundle.ts";
import { type AuditedReplay, auditedReplay } from "../support/auditedReplay.ts";
import { openTestDatabase, tamper, urlOf, whyNoPostgres } from "../support/databases.ts";
import { SAMPLE, shortened, temporaryFolder } from "../support/replays.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/verify.ts", import.meta.url));

type Ended = { readonly code: number; readonly out: string; readonly err: string };
const verify = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [SCRIPT, ...args], { maxBuffer: 2 ** 26 }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });

describe("npm run verify", function () {
  this.timeout(300_000);
  let replay: AuditedReplay;
  let saved: string;
  before(async () => {
    replay = await auditedReplay();
    saved = temporaryFolder();
    writeFileSync(join(saved, "database.tar"), await replay.system.database.dump());
    writeFileSync(join(saved, "chain.json"), JSON.stringify(await exportChain(replay.system.embedded!)));
  });

  describe("of a saved run", () => {
    it("ends with 0 and a table when nothing differs", async () => {
      const { code, out, err } = await verify("--run", saved);
      expect(err).to.equal("");
      expect(code).to.equal(0);
      expect(out).to.match(/^check +looked at +differences\n/);
      expect(out).to.match(/\nhash chain of runs +60 +0\n/);
      expect(out).to.match(/60 runs, \d+ plans, \d+ leaves, \d+ bills and \d+ readings\. No difference\.\n$/);
    });

    it("ends with 1 and names what was changed in its first line", async () => {
      const folder = temporaryFolder();
      cpSync(join(saved, "chain.json"), join(folder, "chain.json"));
      const database = await openDatabase({ dump: readFileSync(join(saved, "database.tar")), migrate: false });
      await tamper(database.db, "update settlement set flex_wh = flex_wh + 1 where session_id = 'leaves-early'");
      writeFileSync(join(folder, "database.tar"), await database.dump());
      await database.close();
      const text = await verify("--run", folder);
      expect(text.code).to.equal(1);
      expect(text.out).to.match(/^DIFFERS {2}bill of session leaves-early: flex_wh is \d+, not \d+\n/);
      expect(text.out).to.match(/ 2 differences\.\n$/);
      const json = await verify("--run", folder, "--json");
      expect(json.code).to.equal(1);
      const report = JSON.parse(json.out);
      expect(report.ok).to.equal(false);
      expect(report.differences[0]).to.deep.include({ what: "bills", where: "bill of session leaves-early" });
      expect(report.runsChecked).to.equal(60);
    });

    it("judges a group, a session or a time alone, and says what it left", async () => {
      const session = await verify("--run", saved, "--session", "leaves-early");
      expect([session.err, session.code]).to.deep.equal(["", 0]);
      expect(session.out).to.match(
        /\nNote: judged is a part only: garage from .* until .*, 1 sessions\. Not looked at: /,
      );
      expect(session.out).to.match(/ 1 bills and \d+ readings\. No difference\.\n$/);
      const from = "2026-05-04T09:00:00Z";
      const time = await verify("--run", saved, "--group", "1", "--from", from, "--to", "2026-05-04T11:00:00Z");
      expect([time.err, time.code]).to.deep.equal(["", 0]);
      expect(time.out).to.match(/: 8 runs, \d+ plans, /);
    });

    it("refuses a chain whose file was changed", async () => {
      const folder = temporaryFolder();
      cpSync(join(saved, "database.tar"), join(folder, "database.tar"));
      const dump = JSON.parse(readFileSync(join(saved, "chain.json"), "utf8"));
      writeFileSync(join(folder, "chain.json"), JSON.stringify({ ...dump, blocks: dump.blocks.slice(0, -1) }));
      const { code, err } = await verify("--run", folder);
      expect(code).to.equal(2);
      expect(err).to.match(/the file was changed/);
    });
  });

  it("says what it needs when it is called otherwise, and ends with 2", async () => {
    const calls: readonly (readonly [RegExp, ...string[]])[] = [
      [/Give one of --run, --service, --database and --bundle/],
      [/Give one of/, "--run", saved, "--database", "postgres://127.0.0.1/x"],
      [/--database needs --rpc/, "--database", "postgres://127.0.0.1/x"],
      [/--service needs --key/, "--service", "http://127.0.0.1:9"],
      [/--from yesterday: /, "--run", saved, "--from", "yesterday"],
      [/There is no group attic in the store; there are garage/, "--run", saved, "--group", "attic"],
      [/--bundle is judged as a whole/, "--bundle", "x.json", "--group", "garage"],
      [/The bundle .*none\.json cannot be read/, "--bundle", join(saved, "none.json")],
      [/is no bundle: .*Download it again/, "--bundle", join(saved, "chain.json")],
      [/write FROM\/UNTIL/, "--run", saved, "--outage", "yesterday"],
      [/Unknown option '--rum'/, "--rum", saved],
      [/database\.tar cannot be read\. --run takes the folder/, "--run", join(saved, "nowhere")],
      [/Nothing of garage lies in that time\. Its records reach/, "--run", saved, "--to", "2020-01-01T00:00:00Z"],
      [/--run brings its chain along/, "--run", saved, "--rpc", "http://127.0.0.1:9"],
      [/--rpc takes a URL that begins with http:\/\/ or https:\/\/\./, "--bundle", "x.json", "--rpc", "127.0.0.1:8545"],
      [/database\.tar is no bundle: it is no JSON, or was cut off/, "--bundle", join(saved, "database.tar")],
      [/chain\.json is no manifest/, "--run", saved, "--manifest", join(saved, "chain.json")],
      [/manifest .* cannot be read/, "--run", saved, "--manifest", join(saved, "none.json")],
      [/Nobody answers at http:\/\/127\.0\.0\.1:9/, "--service", "http://127.0.0.1:9", "--key", "k"],
      [
        /No chain answers at http:\/\/127\.0\.0\.1:9/,
        "--database",
        "postgres://u:hidden@127.0.0.1:9/x",
        "--rpc",
        "http://127.0.0.1:9",
      ],
    ];
    await Promise.all(
      calls.map(async ([words, ...args]) => {
        const { code, out, err } = await verify(...args);
        expect(err, args.join(" ")).to.match(words);
        expect(err).not.to.contain("hidden");
        expect([code, out]).to.deep.equal([2, ""]);
      }),
    );
    const help = await verify("--help");
    expect([help.code, help.out.startsWith("npm run verify -- --run FOLDER")]).to.deep.equal([0, true]);
  });

  describe("of a driver's bundle", () => {
    let file: string;
    let bundle: any;
    before(async () => {
      const { store, ledger, manifest } = replay.system;
      const session = (await store.sessions.byId("leaves-early"))!;
      const clock = { now: () => session.pluggedAt };
      const made = await driverBundle({ store, ledger, clock } as never, session.driverId!, [session]);
      bundle = JSON.parse(JSON.stringify({ ...bundleOut(made), manifest }));
      file = join(temporaryFolder(), "bundle.json");
      writeFileSync(file, JSON.stringify(bundle));
    });
    const changed = (change: (copy: any) => void) => {
      const copy = structuredClone(bundle);
      change(copy);
      const other = join(temporaryFolder(), "changed.json");
      writeFileSync(other, JSON.stringify(copy));
      return other;
    };

    it("ends with 0 off line, and says what only a chain can tell", async () => {
      const { code, out, err } = await verify("--bundle", file);
      expect([err, code]).to.deep.equal(["", 0]);
      expect(out).to.match(/Note: off line: only a chain can tell/);
      expect(out).to.match(/off line, for chain 31337: 1 sessions, 1 bills and \d+ leaves\. No difference\.\n$/);
    });

    it("ends with 1 and names what was changed", async () => {
      const receipt = changed(({ sessions: [one] }) => (one.bill.receipt = one.bill.receipt.replace("0", "1")));
      const text = await verify("--bundle", receipt);
      expect(text.code).to.equal(1);
      expect(text.out).to.match(
        /^DIFFERS {2}bill of session leaves-early: .*\nDIFFERS {2}bill of session leaves-early: /,
      );
      const salt = changed(({ sessions: [one] }) => (one.slots[0].leaves[0].salt = `0x${"12".repeat(32)}`));
      const json = await verify("--bundle", salt, "--json");
      expect(json.code).to.equal(1);
      expect(JSON.parse(json.out).differences[0].where).to.match(/^recorded slot \d+, session leaves-early$/);
    });

    it("is held against the chain of a node", async () => {
      const chain = await importChain(JSON.parse(readFileSync(join(saved, "chain.json"), "utf8")), { port: 0 });
      try {
        const honest = await verify("--bundle", file, "--rpc", chain.url!);
        expect([honest.err, honest.code]).to.deep.equal(["", 0]);
        expect(honest.out).to.match(/\nhash chain of runs +60 +0\n/);
        expect(honest.out).not.to.contain("off line");
        // The last but one: the car had its first profile long before.
        const left = changed(({ sessions: [one] }) => one.slots.splice(-2, 1));
        const { code, out } = await verify("--bundle", left, "--rpc", chain.url!);
        expect(code).to.equal(1);
        expect(out).to.match(
          /^DIFFERS {2}recorded slot \d+, session leaves-early: is on chain .* but not in the bundle\n/,
        );
      } finally {
        await chain.close();
      }
    });
  });

  describe("of a running service", () => {
    let server: Server;
    let chain: EmbeddedChain;
    let url: string;
    before(async () => {
      chain = await importChain(JSON.parse(readFileSync(join(saved, "chain.json"), "utf8")), { port: 0 });
      server = createServer((request, response) => {
        const { manifest } = replay.system;
        const told = JSON.stringify({ manifest, market: DEFAULT_SETTINGS.market, rpcUrl: chain.url });
        if (request.url === "/audit/manifest") response.end(told);
        else if (request.headers.authorization === "Bearer right")
          response.end(readFileSync(join(saved, "database.tar")));
        else response.writeHead(401).end('{"title":"The key is not known."}');
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    after(async () => {
      server.close();
      await chain.close();
    });

    it("takes its database with the key, and the chain from its node", async () => {
      const { code, out, err } = await verify("--service", url, "--key", "right");
      expect(err).to.equal("");
      expect(out).to.contain(`service ${url}, chain 31337 at block`);
      expect(code).to.equal(0);
    });

    it("asks again what a node left unanswered", async () => {
      let asked = 0;
      const node = createServer(async (request, response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk);
        if ([3, 9, 60].includes(++asked)) return request.socket.destroy();
        const headers = { "content-type": "application/json" };
        const answer = await fetch(chain.url!, { method: "POST", headers, body: Buffer.concat(chunks) });
        return response.end(await answer.text());
      });
      await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
      try {
        const rpc = `http://127.0.0.1:${(node.address() as AddressInfo).port}`;
        const { code, err } = await verify("--service", url, "--key", "right", "--rpc", rpc);
        expect([err, code]).to.deep.equal(["", 0]);
        expect(asked).to.be.above(60);
      } finally {
        node.close();
      }
    });

    it("says so when the key does not open the database", async () => {
      const { code, err } = await verify("--service", url, "--key", "wrong");
      expect(code).to.equal(2);
      expect(err).to.match(/audit\/database answers 401: .*The key is not known/);
    });
  });

  it("audits a PostgreSQL server and a node without changing anything", async function () {
    if (whyNoPostgres()) this.skip();
    const postgres = await openTestDatabase("postgres");
    try {
      const url = await urlOf(postgres);
      const system = await openSystem({ database: { url }, chainRpcPort: 0, random: derivedRandom("verify test") });
      try {
        await replayScenario(system, {
          scenario: readScenario(shortened(SAMPLE, 9)),
          settings: DEFAULT_SETTINGS,
          version: "test",
          totals: () => chainTotals(system),
          audit: async () => ({ ok: true, runsChecked: 0, billsChecked: 0, leavesChecked: 0 }),
        });
        const honest = await verify("--database", url, "--rpc", system.embedded!.url!);
        expect(honest.err).to.equal("");
        expect(honest.out).to.match(/36 runs, .* 3 bills and/);
        expect(honest.out).not.to.contain(new URL(url).password);
        expect(honest.code).to.equal(0);
        await tamper(
          postgres.db,
          "update meter_reading set power_w = power_w + 1 where at = '2026-05-04T07:07:00Z' and session_id = 'ordinary-04-04T05'",
        );
        const changed = await verify("--database", url, "--rpc", system.embedded!.url!);
        expect(changed.out).to.match(
          /^DIFFERS {2}reading of session ordinary-04-04T05 at 2026-05-04T07:07:00Z: was changed/,
        );
        expect(changed.code).to.equal(1);
      } finally {
        await system.close();
      }
    } finally {
      await postgres.close();
    }
  });
});
