/**
 * `npm run verify` on copies of a saved run, each forged in one way (test/support/tampering/kinds.ts): it must exit 1 and name
 * the thing. In `npm test` on a morning of the sample, each with the forger's best attempt; `npm run test:tampering`
 * takes another run, `TAMPERED_RUN=FOLDER` of `npm run replay -- --save FOLDER`, and forges it with and without the chain.
 */
import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { exportChain, importChain } from "../../backend/adapters/chain/embedded.ts";
import { serveRpc } from "../../backend/adapters/chain/rpcServer.ts";
import type { AuditReport } from "../../backend/usecases/audit.ts";
import { auditedReplay } from "../support/auditedReplay.ts";
import { temporaryFolder } from "../support/replays.ts";
import type { Kind } from "../support/tampering/kind.ts";
import { kindsOf } from "../support/tampering/kinds.ts";
import {
  openSaved,
  type SavedRun,
  writeChain,
  writeDatabase,
  writeForgedChain,
} from "../support/tampering/savedRun.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/verify.ts", import.meta.url));
const GIVEN = process.env.TAMPERED_RUN;

type Ended = { readonly code: number; readonly said: readonly string[]; readonly seconds: number };

const verify = (...args: string[]): Promise<Ended> =>
  new Promise((resolve) => {
    const began = performance.now();
    execFile(process.execPath, [SCRIPT, ...args, "--json"], { maxBuffer: 2 ** 28 }, (error, out, err) => {
      const said = out
        ? (JSON.parse(out) as AuditReport).differences.map(({ where, text }) => `${where}: ${text}`)
        : [err];
      resolve({ code: error ? Number(error.code) : 0, said, seconds: (performance.now() - began) / 1000 });
    });
  });

describe("npm run verify on tampered copies", function () {
  this.timeout(GIVEN ? 7_200_000 : 600_000);
  let folder: string;
  let run: SavedRun;
  let kinds: readonly Kind[];
  const note = (kind: string, by: string, { code, seconds }: Ended, said: string) => {
    if (GIVEN) console.log(`${kind} | ${by} | exit ${code} | ${said.slice(0, 200)} | ${seconds.toFixed(1)} s`);
  };

  before(async () => {
    folder = GIVEN ?? temporaryFolder();
    if (!GIVEN) {
      const { system } = await auditedReplay();
      writeFileSync(join(folder, "database.tar"), await system.database.dump());
      writeFileSync(join(folder, "chain.json"), JSON.stringify(await exportChain(system.embedded!)));
    }
    run = await openSaved(folder);
    kinds = await kindsOf(run);
  });
  after(() => run?.close());

  async function expectFound(kind: Kind, by: string, words: RegExp, copy: string): Promise<void> {
    const ended = await verify("--run", copy);
    const found = ended.said.find((one) => words.test(one));
    note(kind.kind, by, ended, found ?? "");
    expect(found, `${kind.kind}, ${words} among\n${ended.said.slice(0, 12).join("\n")}`).not.to.equal(undefined);
    expect(ended.code).to.equal(1);
  }

  it("finds nothing in the run itself", async () => {
    const ended = await verify("--run", folder);
    note("none", "", ended, "");
    expect([ended.code, ended.said]).to.deep.equal([0, []]);
  });

  it("finds each kind, recorded on chain too or in the database alone", async () => {
    for (const kind of kinds) {
      const copy = temporaryFolder();
      await writeDatabase(run, kind.forgery, copy);
      if (kind.recorded) {
        await writeForgedChain(run, kind.forgery, copy);
        await expectFound(kind, "recorded", kind.recorded, copy);
      }
      if (kind.database && (GIVEN || !kind.recorded)) {
        writeChain(run, copy);
        await expectFound(kind, "database", kind.database, copy);
      }
      rmSync(copy, { recursive: true });
    }
  });

  it("finds each kind in the database alone, asked without the command", async function () {
    if (GIVEN) this.skip();
    const { auditAfter } = await auditedReplay();
    for (const { kind, forgery, database } of kinds) {
      if (!database) continue;
      const said = (await auditAfter(forgery.statements)).differences.map(({ where, text }) => `${where}: ${text}`);
      expect(
        said.some((one) => database.test(one)),
        `${kind}, ${database} among\n${said.slice(0, 12).join("\n")}`,
      ).to.equal(true);
    }
  });

  it("finds an event that a node leaves out of its answer", async () => {
    const { runs, contracts, manifest } = run;
    const chain = await importChain(run.chain);
    const lost = runs[Math.floor(runs.length / 2)]!;
    const topic = contracts.abi.SlotLedger.getEvent("SlotRecorded")!.topicHash;
    const isLost = (log: { topics: string[]; transactionHash: string }) =>
      log.topics[0] === topic && log.transactionHash === lost.tx;
    const node = await serveRpc(
      {
        ...chain.rpc,
        ask: async (calls) =>
          (await chain.rpc.ask(calls)).map((answer, i) =>
            calls[i]!.method === "eth_getLogs" && answer.ok
              ? { ...answer, result: (answer.result as Parameters<typeof isLost>[0][]).filter((log) => !isLost(log)) }
              : answer,
          ),
      },
      0,
    );
    const service = createServer((request, response) => {
      if (request.url === "/audit/manifest")
        response.end(JSON.stringify({ manifest, market: "day-ahead", rpcUrl: node.url }));
      else response.end(run.dump);
    });
    await new Promise<void>((resolve) => service.listen(0, "127.0.0.1", resolve));
    try {
      const ended = await verify(
        "--service",
        `http://127.0.0.1:${(service.address() as AddressInfo).port}`,
        "--key",
        "k",
      );
      const [head, slot] = [
        /^group \S+: the \d+ recorded runs do not lead to the head/,
        new RegExp(`^recorded slot ${lost.slot} of .*: is in the store, but not on chain`),
      ];
      note("an event removed from an RPC answer", "node", ended, ended.said.find((one) => head.test(one)) ?? "");
      expect(ended.code).to.equal(1);
      for (const words of [head, slot])
        expect(
          ended.said.some((one) => words.test(one)),
          ended.said.slice(0, 9).join("\n"),
        ).to.equal(true);
    } finally {
      service.close();
      await node.close();
      await chain.close();
    }
  });
});
