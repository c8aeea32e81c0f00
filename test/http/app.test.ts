import { expect } from "chai";
import { ALGORITHM_NAMES } from "../../backend/domain/algorithms.ts";
import { PROBLEMS } from "../../backend/http/problems.ts";
import { serve } from "../../backend/http/serve.ts";
import { iso, NOON, PASSWORD, type Service, startService } from "./service.ts";

describe("HTTP: the application", () => {
  let service: Service;
  let log: Record<string, unknown>[];
  beforeEach(async () => {
    log = [];
    service = await startService({ log: { write: (line) => void log.push(JSON.parse(line)) } });
  });
  afterEach(() => service?.close());

  it("answers 200 while database and chain are well, and says so", async () => {
    const { status, body } = await service.ask("GET", "/health");
    expect(status).to.equal(200);
    expect(body).to.deep.include({
      ok: true,
      database: { ok: true, kind: "pglite" },
      chain: { ok: true, chainId: 31_337, block: 12 },
    });
    // Registering two sites has left calls for the chain.
    expect(body.outbox.open).to.be.above(0);
    expect(body.outbox.oldestAgeS).to.be.a("number");
  });

  it("stays well while the chain is away, and says that balances cannot be read", async () => {
    const anna = await service.signUp("anna");
    service.chain.away = true;
    const health = await service.ask("GET", "/health");
    expect([health.status, health.body.chain.ok]).to.deep.equal([200, false]);
    const balance = await service.ask("GET", "/driver/balance", { as: anna });
    expect(balance.status).to.equal(503);
    expect(balance.body.type).to.equal("/docs#chain-away");
    expect(balance.headers.get("retry-after")).to.equal("60");
    expect((await service.ask("GET", "/live")).status).to.equal(200);
  });

  it("answers 503 when the database is gone", async () => {
    await service.db.destroy();
    const { status, body } = await service.ask("GET", "/health");
    expect([status, body.ok, body.database.ok]).to.deep.equal([503, false, false]);
  });

  it("tells nobody what went wrong inside, but the log", async () => {
    await service.db.destroy();
    const { status, body, headers } = await service.ask("GET", "/live");
    expect(status).to.equal(500);
    expect(body).to.have.all.keys("type", "title", "status", "detail", "instance");
    expect(JSON.stringify(body)).not.to.match(/destroy|driver|kysely|\.ts/i);
    const entry = log.find((line) => line.msg === "a request failed");
    expect(entry).to.include({ id: headers.get("x-request-id") });
    expect(body.instance).to.equal(`urn:uuid:${entry!.id}`);
    expect(JSON.stringify(entry!.err)).to.match(/destroyed/);
  });

  it("logs requests without anything personal in them", async () => {
    const anna = await service.signUp("anna");
    await service.ask("GET", "/driver/sessions?limit=3", { as: anna });
    const lines = log.filter((line) => line.msg === "request");
    expect(lines.map(({ method, route, status, caller }) => [method, route, status, caller])).to.deep.equal([
      ["POST", "POST /account/sign-up", 201, undefined],
      ["GET", "GET /driver/sessions", 200, "driver"],
    ]);
    const text = JSON.stringify(log);
    for (const secret of ["anna", PASSWORD, anna.cookie!, "limit=3"]) expect(text).not.to.include(secret);
  });

  it("protects every answer with headers, refusals too", async () => {
    for (const path of ["/health", "/", "/nothing", "/docs"]) {
      const { headers } = await service.call("GET", path);
      expect(headers.get("x-content-type-options"), path).to.equal("nosniff");
      expect(headers.get("x-frame-options"), path).to.equal("DENY");
      expect(headers.get("content-security-policy"), path).to.match(/default-src 'none'/);
      expect(headers.get("referrer-policy"), path).to.equal("no-referrer");
      expect(headers.get("cache-control"), path).to.equal("no-store");
      expect(headers.get("x-powered-by"), path).to.equal(null);
      expect(headers.get("strict-transport-security"), path).to.equal(null);
    }
  });

  it("believes nobody about their address", async () => {
    await service.signUp("anna");
    const body = { email: "anna@example.org", password: "wrong password" };
    const headers = { "x-forwarded-for": "198.51.100.1", "x-client-address": "198.51.100.2" };
    await service.ask("POST", "/account/sign-in", { body, headers });
    const rows = await service.db
      .withTables<{ account_rate_limit: { key: string } }>()
      .selectFrom("account_rate_limit")
      .select("key")
      .execute();
    expect(rows.map(({ key }) => key).join())
      .to.include("127.0.0.1")
      .and.not.include("198.51");
  });

  it("lets a CPO's staff lower the limit, make a key that works, and revoke it", async () => {
    const staff = await service.staff("north");
    const limit = { kind: "order", limitW: 8000, from: iso(NOON), until: iso(NOON + 3600) };
    expect((await service.ask("POST", "/cpo/groups/north-1/limits", { as: staff, body: limit })).body).to.deep.equal(
      limit,
    );
    await service.pass(5);
    const picture = await service.ask("GET", "/cpo/groups/north-1", { as: staff });
    expect(picture.body).to.deep.include({ limitW: 8000, supplyLimitW: 22_000, batteryW: null, limits: [limit] });

    const made = await service.ask("POST", "/cpo/keys", {
      as: staff,
      body: { name: "meter", purpose: "hems", groupId: "north-1" },
    });
    expect(made.status).to.equal(201);
    const hems = { authorization: `Bearer ${made.body.token}` };
    const readings = [{ at: iso(service.clock.now()), buildingW: 3000, pvW: 1000, batteryW: -500 }];
    const said = await service.ask("POST", "/machine/groups/north-1/readings", { as: hems, body: { readings } });
    expect(said.body).to.deep.equal({ accepted: 1, duplicates: 0, refused: [] });
    const after = await service.ask("GET", "/cpo/groups/north-1", { as: staff });
    expect(after.body).to.include({ demandW: 3000, productionW: 1500, batteryW: -500, importW: 1500 });
    expect((await service.ask("GET", "/cpo/keys", { as: staff })).body.keys).to.deep.equal([made.body.key]);
    expect((await service.ask("DELETE", `/cpo/keys/${made.body.key.id}`, { as: staff })).status).to.equal(204);
    expect(
      (await service.ask("POST", "/machine/groups/north-1/readings", { as: hems, body: { readings } })).status,
    ).to.equal(401);
  });

  it("sets a price for sessions that start from now on", async () => {
    const staff = await service.staff("north");
    const anna = await service.signUp("anna");
    const start = (evseId: string) =>
      service.ask("POST", "/driver/sessions", { as: anna, body: { evseId, optIn: false } });
    const early = (await start("north-1-1")).body.session.id;
    const set = await service.ask("PUT", "/cpo/tariff", { as: staff, body: { pricePerKwhMicroEur: "420000" } });
    expect(set.body).to.include({ pricePerKwhMicroEur: "420000" });
    const before = await service.digest();
    const again = await service.ask("PUT", "/cpo/tariff", { as: staff, body: { pricePerKwhMicroEur: "420000" } });
    expect(again.body).to.deep.equal(set.body);
    expect(await service.digest()).to.equal(before);
    const late = (await start("north-1-2")).body.session.id;
    const { store } = service.world;
    const priceOf = async (id: string) =>
      (await store.sites.tariff((await store.sessions.byId(id))!.tariffId))!.pricePerKwh;
    expect([await priceOf(early), await priceOf(late)]).to.deep.equal([350_000, 420_000]);
  });

  it("lists algorithms with their parameters, and takes the CPO's choice", async () => {
    const staff = await service.staff("north");
    const { algorithms } = (await service.ask("GET", "/cpo/algorithms", { as: staff })).body;
    expect(algorithms.map((one: { name: string }) => one.name)).to.deep.equal([...ALGORITHM_NAMES]);
    expect(algorithms[2].parameters[0]).to.include({ name: "highFlexibilityW", unit: "W", default: 11_000, min: 0 });
    const choice = { name: "equal-share", parameters: { protectPromises: 0 } };
    const address = "/cpo/groups/north-1/algorithm";
    expect((await service.ask("PUT", address, { as: staff, body: choice })).body).to.deep.equal(choice);
    const before = await service.digest();
    expect((await service.ask("PUT", address, { as: staff, body: choice })).body).to.deep.equal(choice);
    expect(await service.digest(), "said again").to.equal(before);
    const { groups } = (await service.ask("GET", "/cpo/groups", { as: staff })).body;
    expect(groups[0].algorithm).to.deep.equal(choice);
    const back = await service.ask("PUT", address, { as: staff, body: { name: "least-cost" } });
    expect(back.body).to.deep.equal({ name: "least-cost", parameters: {} });
  });

  it("registers a site, twice the same", async () => {
    const staff = await service.staff("north");
    const body = {
      payee: `0x${"12".repeat(20)}`,
      location: { id: "north-harbour", name: "Harbour", timeZone: "Europe/Oslo" },
      tariff: { id: "north-tariff", pricePerKwhMicroEur: "350000" },
      groups: [
        {
          id: "north-2",
          supplyLimitW: 40_000,
          limitKind: "contract",
          feedInMicroEurPerKwh: "0",
          evses: [{ id: "north-2-1", maxPowerW: 22_000, phases: 3 }],
          pvs: [{ id: "north-2-pv", ratedPowerW: 5000 }],
        },
      ],
    };
    expect((await service.ask("POST", "/cpo/sites", { as: staff, body })).status).to.equal(201);
    const before = await service.digest();
    expect((await service.ask("POST", "/cpo/sites", { as: staff, body })).status).to.equal(201);
    expect(await service.digest()).to.equal(before);
    const evses = await service.ask("GET", "/cpo/groups/north-2/evses", { as: staff });
    expect(evses.body.evses).to.deep.equal([
      {
        ...{ id: "north-2-1", groupId: "north-2", maxPowerW: 22_000, phases: 3, status: "AVAILABLE" },
        ...{ coordinates: null, floorLevel: null, physicalReference: null },
      },
    ]);
  });

  it("hands the database to an auditor's key", async () => {
    const response = await service.call("GET", "/audit/database", { as: await service.serviceKey("audit") });
    expect(await response.text()).to.equal("the whole database");
    expect(response.headers.get("content-type")).to.match(/^application\/x-tar/);
    expect((await service.ask("GET", "/audit/manifest")).body).to.include({ market: "day-ahead", rpcUrl: null });
  });

  it("says which port is taken", async () => {
    const said = await serve(service.api, { host: "127.0.0.1", port: service.serving.port }).catch(
      (error) => error.message,
    );
    expect(said).to.equal(
      `Port ${service.serving.port} of 127.0.0.1 is taken. Stop what uses it, or set PORT to another one.`,
    );
  });

  it("has a status of its class and a title for every problem", () => {
    for (const [name, { status, title }] of Object.entries(PROBLEMS)) {
      expect(status, name).to.be.within(400, 503);
      expect(title, name).to.match(/^[A-Z].*[^.]$/);
    }
  });
});
