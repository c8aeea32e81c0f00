/** What auditors and drivers take away: bytes by their hash, and a driver's bundle. */
import { expect } from "chai";
import { keccak256 } from "../../backend/adapters/chain/keccak.ts";
import { auditBundle } from "../../backend/usecases/auditBundle.ts";
import { readBundle } from "../../backend/usecases/bundle.ts";
import { committedBytes } from "../../backend/usecases/committedBytes.ts";
import { everyMinute } from "../../backend/usecases/everyMinute.ts";
import { tenantRun } from "../../backend/usecases/sealSlots.ts";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

const SESSION = "anna-session";
const TEXT = "export const leastCost = () => 0;\n";
const TEXT_HASH = keccak256(Buffer.from(TEXT, "utf8"));

describe("HTTP: bytes by hash and bundles", () => {
  let service: Service;
  let key: Who;
  let anna: Who;
  let backEnd: Who;
  let plan: { problem: string; x: string; y: string; w: string };

  before(async () => {
    const audit = { manifest: { manifest: null, market: "day-ahead", rpcUrl: null }, dump: null };
    service = await startService({ audit: { ...audit, texts: new Map([[TEXT_HASH, TEXT]]) } });
    key = await service.serviceKey("audit");
    anna = await service.signUp("anna");
    backEnd = await service.key("north", "cpo");
    const driverId = (await service.ask("GET", "/account", { as: anna })).body.driverId;
    const plugIn = { sessionId: SESSION, evseId: "north-1-1", driverId, at: iso(NOON), registerWh: 1000 };
    await service.ask("POST", "/machine/sessions", { as: backEnd, body: plugIn });
    const wish = { energyNeedWh: 8000, departsAt: iso(NOON + 7200) };
    await service.ask("PUT", `/driver/sessions/${SESSION}/request`, { as: anna, body: wish });
    await minutes(32);
    plan = (await service.world.store.plans.latest("north-1"))!;
  });
  after(() => service?.close());

  async function minutes(count: number): Promise<void> {
    for (let minute = 0; minute < count; minute++) {
      await service.pass(60);
      await everyMinute(service.world);
    }
  }

  const bytesOf = async (hash: string, headers = {}) => {
    const response = await service.call("GET", `/audit/bytes/${hash}`, { as: key, headers });
    return { response, bytes: Buffer.from(await response.arrayBuffer()) };
  };
  const hashOf = (bytes: Uint8Array) => keccak256(bytes);
  const words = (bytes: Buffer) =>
    Array.from({ length: bytes.length / 32 }, (_, i) => `0x${bytes.subarray(32 * i, 32 * (i + 1)).toString("hex")}`);

  it("gives a problem, and from a plan's commitment its schedule and certificate", async () => {
    const p = Buffer.from(plan.problem, "hex");
    const problem = await bytesOf(hashOf(p));
    expect(problem.response.status).to.equal(200);
    expect(problem.response.headers.get("content-type")).to.equal("application/octet-stream");
    expect(problem.bytes.equals(p)).to.equal(true);
    const { ledger } = service.world;
    const parts = [plan.x, plan.y, plan.w].map((hex) => Buffer.from(hex, "hex"));
    const commitment = ledger.planHash(`0x${plan.problem.slice(0, 64)}`, parts[0]!, parts[1]!, parts[2]!);
    const { bytes } = await bytesOf(commitment);
    const [salt, ...hashes] = words(bytes);
    expect(salt).to.equal(`0x${plan.problem.slice(0, 64)}`);
    for (const [i, hash] of hashes.entries()) expect((await bytesOf(hash)).bytes.equals(parts[i]!)).to.equal(true);
    expect(hashes).to.have.length(3);
  });

  it("gives the text of a scheduling method", async () => {
    const { response, bytes } = await bytesOf(TEXT_HASH);
    expect(response.headers.get("content-type")).to.equal("text/plain; charset=utf-8");
    expect(bytes.toString("utf8")).to.equal(TEXT);
  });

  it("never changes: it can be kept, and asked for again for nothing", async () => {
    const hash = hashOf(Buffer.from(plan.problem, "hex"));
    const { response } = await bytesOf(hash);
    expect(response.headers.get("etag")).to.equal(`"${hash}"`);
    expect(response.headers.get("cache-control")).to.equal("private, max-age=31536000, immutable");
    const again = await bytesOf(hash, { "if-none-match": `"${hash}"` });
    expect([again.response.status, again.bytes.length]).to.deep.equal([304, 0]);
    const other = await bytesOf(hash, { "if-none-match": `"${TEXT_HASH}"` });
    expect(other.response.status).to.equal(200);
  });

  it("says so where there is nothing, where it was changed, and where the hash is none", async () => {
    const missing = await service.ask("GET", `/audit/bytes/0x${"ab".repeat(32)}`, { as: key });
    expect([missing.status, missing.body.type]).to.deep.equal([404, "/docs#unknown-hash"]);
    expect(missing.headers.get("cache-control")).to.equal("no-store");
    const hash = hashOf(Buffer.from(plan.x, "hex"));
    expect((await bytesOf(hash)).response.status).to.equal(200);
    const { store } = service.world;
    const changed = { ...store.plans, byId: async () => ({ ...plan, x: `${plan.x}00` }) as never };
    const found = await committedBytes(
      { store: { ...store, plans: changed }, ledger: service.world.ledger },
      hash as `0x${string}`,
    );
    expect(found).to.equal(null);
    for (const none of ["0x12", "nothing", `0x${"AB".repeat(32)}`]) {
      const { status, body } = await service.ask("GET", `/audit/bytes/${none}`, { as: key });
      expect([status, body.type], none).to.deep.equal([400, "/docs#invalid-request"]);
    }
  });

  it("leads from the root over the runs of all groups to each of them, and on to its problem", async () => {
    const { world } = service;
    const { ledger, store } = world;
    Object.assign(world, { ledger: { ...ledger, privacy: "tenant-root" } });
    await minutes(16);
    Object.assign(world, { ledger });
    const cpos = await store.sites.cpos();
    const groups = await store.sites.groups();
    let walked = 0;
    for (const { id, number } of cpos) {
      const slot = await store.plans.sealedUntil(id);
      const runs = await store.plans.sealedRuns(id, slot, slot + 1);
      if (runs.length === 0) continue;
      const found: Buffer[] = [];
      const walk = async (hash: string): Promise<void> => {
        const { bytes } = await bytesOf(hash);
        expect(hashOf(bytes)).to.equal(hash);
        if (bytes.length === 288) found.push(bytes);
        else for (const child of words(bytes)) await walk(child);
      };
      await walk(tenantRun(ledger, number, runs).root);
      const numbers = groups.filter(({ cpoId }) => cpoId === id).map((group) => group.number);
      expect(found.map((run) => Number(words(run)[0]))).to.have.members(numbers);
      for (const run of found) {
        const [, , , problem, , , , , rows] = words(run);
        expect((await bytesOf(problem!)).response.status).to.equal(200);
        expect(rows).to.equal(keccak256("0x"));
      }
      walked += found.length;
    }
    expect(walked).to.equal(groups.length);
    expect(groups.length).to.be.above(1);
  });

  it("gives a driver a bundle of an open session, and of a settled one whose receipt is found by its hash", async () => {
    const open = await service.ask("GET", `/driver/sessions/${SESSION}/bundle`, { as: anna });
    expect(open.status).to.equal(200);
    expect(open.body.sessions[0].bill).to.equal(null);
    expect(open.body.sessions[0].slots).not.to.have.length(0);
    const stop = { at: iso(service.clock.now()), registerWh: 1000 };
    expect(
      (await service.ask("POST", `/machine/sessions/${SESSION}/stop`, { as: backEnd, body: stop })).status,
    ).to.equal(200);
    await minutes(20);
    const { status, body } = await service.ask("GET", "/driver/bundle", { as: anna });
    expect(status).to.equal(200);
    expect(body.sessions).to.have.length(1);
    const { manifest, ...plain } = body;
    expect(manifest).to.equal(null);
    const bundle = readBundle(plain);
    const report = await auditBundle(bundle, service.world.ledger, null);
    expect(report.differences).to.deep.equal([]);
    expect(report.billsChecked).to.equal(1);

    const { receipt, salt, posted } = bundle.sessions[0]!.bill!;
    const detail = await bytesOf(posted!.line.detail);
    const [inner] = words(detail.bytes);
    const [saltAgain, textHash] = words((await bytesOf(inner!)).bytes);
    expect(saltAgain).to.equal(salt);
    const text = await bytesOf(textHash!);
    expect(text.response.headers.get("content-type")).to.match(/^application\/json/);
    expect(text.bytes.toString("utf8")).to.equal(receipt);
  });
});
