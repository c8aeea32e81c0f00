/**
 * Nobody touches what belongs to somebody else. The cases follow from the list of routes: a protected route without a
 * word on its strangers fails here.
 */
import { expect } from "chai";
import { epochSecond } from "../../backend/domain/units.ts";
import type { Who as Kind, Route } from "../../backend/http/route.ts";
import { iso, NOON, PASSWORD, type Service, startService, type Who } from "./service.ts";

type Stranger = {
  /** Own things of the north that a caller of the south tries to reach; the path's parameters and the body. */
  readonly params?: Record<string, string>;
  readonly body?: unknown;
  /** What the stranger gets: a refusal, or its own (empty) things, in which nothing of the north may appear. */
  readonly gets: 401 | 404 | 409 | 422 | "its own";
};

const at = iso(NOON + 30);
const later = iso(NOON + 3600);
const SESSION = "north-session";
const PROFILE = `${SESSION}#1`;
const ofSession = { params: { sessionId: SESSION }, gets: 404 } as const;
const ofGroup = { params: { groupId: "north-1" }, gets: 404 } as const;
const own = { gets: "its own" } as const;
const site = {
  payee: `0x${"11".repeat(20)}`,
  location: { id: "south-site", name: "south", timeZone: "Europe/Berlin" },
  tariff: { id: "south-tariff", pricePerKwhMicroEur: "350000" },
  groups: [
    {
      id: "north-1",
      supplyLimitW: 22_000,
      limitKind: "contract",
      feedInMicroEurPerKwh: "50000",
      evses: [{ id: "taken-over", maxPowerW: 11_000, phases: 3 }],
      pvs: [],
    },
  ],
};

/** By route, what a stranger of the right kind tries. */
const STRANGERS: Record<string, Stranger> = {
  "POST /account/sign-out": own,
  "GET /account": own,
  "GET /driver/preferences": own,
  "PUT /driver/preferences": {
    body: { optIn: true, energyNeedWh: null, stayS: null, batteryWh: null },
    gets: "its own",
  },
  // An EVSE's label is public: any driver may scan it.
  "GET /driver/evses/{evseId}": { params: { evseId: "north-1-2" }, gets: "its own" },
  "GET /driver/sessions": own,
  "POST /driver/sessions": { body: { evseId: "north-1-1", optIn: false }, gets: 409 },
  "GET /driver/sessions/{sessionId}": ofSession,
  "GET /driver/sessions/{sessionId}/events": ofSession,
  "GET /driver/sessions/{sessionId}/power": ofSession,
  "POST /driver/sessions/{sessionId}/stop": ofSession,
  "PUT /driver/sessions/{sessionId}/request": { ...ofSession, body: { energyNeedWh: 5000, departsAt: later } },
  "POST /driver/sessions/{sessionId}/offer": { ...ofSession, body: { accept: true } },
  "POST /driver/sessions/{sessionId}/opt-out": ofSession,
  "POST /driver/sessions/{sessionId}/boost": { ...ofSession, body: {} },
  "DELETE /driver/sessions/{sessionId}/boost": ofSession,
  "GET /driver/sessions/{sessionId}/boosts": ofSession,
  "GET /driver/sessions/{sessionId}/refusals": ofSession,
  "POST /cpo/sessions/{sessionId}/boost": { ...ofSession, body: {} },
  "DELETE /cpo/sessions/{sessionId}/boost": ofSession,
  "GET /cpo/sessions/{sessionId}/boosts": ofSession,
  "GET /cpo/sessions/{sessionId}/refusals": ofSession,
  "GET /cpo/groups/{groupId}/boosts": ofGroup,
  "GET /cpo/evses/{evseId}/strategies": { params: { evseId: "north-1-1" }, gets: 404 },
  "PUT /cpo/evses/{evseId}/strategies": { params: { evseId: "north-1-1" }, body: { windows: [] }, gets: 404 },
  "GET /driver/sessions/{sessionId}/receipt": ofSession,
  "GET /driver/sessions/{sessionId}/dispute": ofSession,
  "POST /driver/sessions/{sessionId}/dispute": { ...ofSession, body: { reason: "I was not there." } },
  "GET /driver/sessions/{sessionId}/bundle": ofSession,
  "GET /driver/bundle": own,
  "GET /driver/data": own,
  "GET /driver/settlements": own,
  "GET /driver/balance": own,
  "GET /driver/flex": own,
  // Its own FLEX, of which it has none.
  "POST /driver/flex/redemptions": { body: { cpoId: "north", wh: 1000 }, gets: 422 },
  "GET /driver/withdrawal": own,
  // Its own balance, of which it takes nothing.
  "POST /driver/withdrawal/announcement": { body: { amountMicroEur: "0" }, gets: 422 },
  "POST /driver/withdrawal": {
    body: { amountMicroEur: "1", to: `0x${"11".repeat(20)}`, password: PASSWORD },
    gets: 409,
  },
  "POST /driver/key/export": { body: { password: "not the south's", understood: true }, gets: 401 },
  "POST /driver/erasure": { body: { password: "not the south's" }, gets: 401 },
  "POST /driver/flex/claim": { body: { to: `0x${"00".repeat(20)}`, password: PASSWORD }, gets: 422 },
  "GET /cpo/groups": own,
  "GET /cpo/groups/{groupId}": ofGroup,
  "GET /cpo/groups/{groupId}/events": ofGroup,
  "GET /cpo/groups/{groupId}/history": ofGroup,
  "GET /cpo/stays": own,
  "GET /cpo/stays.csv": own,
  "GET /cpo/groups/{groupId}/evses": ofGroup,
  "GET /cpo/groups/{groupId}/limits": ofGroup,
  "POST /cpo/groups/{groupId}/limits": {
    ...ofGroup,
    body: { kind: "operator", limitW: 4000, from: at, until: null },
  },
  "DELETE /cpo/groups/{groupId}/limits": ofGroup,
  "GET /cpo/groups/{groupId}/allocations": ofGroup,
  "GET /cpo/algorithms": own,
  "PUT /cpo/groups/{groupId}/algorithm": { ...ofGroup, body: { name: "equal-share" } },
  "GET /cpo/incidents": own,
  "GET /cpo/settlements": own,
  "GET /cpo/disputes": own,
  "GET /cpo/figures": own,
  // An arbiter decides the disputes of all CPOs; there is none.
  "GET /arbiter/disputes": own,
  "GET /arbiter/disputes/{sessionId}": ofSession,
  "PUT /arbiter/disputes/{sessionId}/decision": { ...ofSession, body: { refundMicroEur: "1", text: "Half." } },
  "GET /cpo/tariff": own,
  "PUT /cpo/tariff": { body: { pricePerKwhMicroEur: "350000" }, gets: "its own" },
  "GET /cpo/sites": own,
  "GET /cpo/groups/{groupId}/pvs": ofGroup,
  "PUT /cpo/evses/{evseId}/place": { params: { evseId: "north-1-1" }, body: { floorLevel: "-1" }, gets: 404 },
  "POST /cpo/sites": { body: site, gets: 409 },
  "GET /cpo/keys": own,
  "POST /cpo/keys": { body: { name: "spy", purpose: "hems", groupId: "north-1" }, gets: 404 },
  "DELETE /cpo/keys/{keyId}": { params: { keyId: "(the north's key)" }, gets: 404 },
  "POST /machine/evses/{evseId}/status": {
    params: { evseId: "north-1-1" },
    body: { status: "INOPERATIVE", at },
    gets: 404,
  },
  "POST /machine/sessions": {
    body: { sessionId: "intruder", evseId: "north-1-2", at, registerWh: 0 },
    gets: 404,
  },
  "POST /machine/sessions/{sessionId}/stop": { ...ofSession, body: { at, registerWh: 5000 } },
  "POST /machine/meter-values": {
    body: { readings: [{ sessionId: SESSION, at, registerWh: 50, powerW: 4000 }] },
    gets: 422,
  },
  "GET /machine/profiles": own,
  "POST /machine/profiles/{profileId}/answer": {
    params: { profileId: PROFILE },
    body: { state: "refused", at },
    gets: 404,
  },
  "POST /machine/groups/{groupId}/readings": { ...ofGroup, body: { readings: [{ at, buildingW: 1, pvW: 0 }] } },
  "PUT /machine/groups/{groupId}/forecast": {
    ...ofGroup,
    body: { points: [{ from: iso(NOON + 900), buildingW: 1, pvW: 0 }] },
  },
  "PUT /grid/groups/{groupId}/capacity-profile": {
    ...ofGroup,
    body: { periods: [{ from: iso(NOON + 900), until: later, limitW: 4000 }] },
  },
  "GET /grid/groups/{groupId}/capacity-profiles": ofGroup,
  "POST /grid/groups/{groupId}/orders": {
    ...ofGroup,
    body: { orderId: "o", direction: "down", powerW: 4000, from: iso(NOON + 900), until: later },
  },
  "GET /grid/groups/{groupId}/orders": ofGroup,
  "GET /grid/groups/{groupId}/orders/{orderId}": { params: { groupId: "north-1", orderId: "o" }, gets: 404 },
  // The operator of the service makes these keys; the data are everybody's.
  "PUT /market/prices": {
    body: { prices: [{ from: iso(NOON + 900), until: later, pricePerKwhMicroEur: "85000" }] },
    gets: "its own",
  },
  "PUT /market/carbon": {
    body: { intensities: [{ from: iso(NOON + 900), until: later, gramsPerKwh: 300 }] },
    gets: "its own",
  },
  "GET /audit/database": own,
  "GET /audit/bytes/{hash}": { params: { hash: `0x${"00".repeat(32)}` }, gets: 404 },
};

const KINDS: readonly Kind[] = [
  "driver",
  "staff",
  "auditor",
  "arbiter",
  "cpo-key",
  "hems-key",
  "audit-key",
  "market-key",
];
const keyOf = (route: Route) => `${route.method.toUpperCase()} ${route.path}`;

describe("HTTP: strangers", () => {
  let service: Service;
  let south: Record<Kind, Who>;
  let northKey: string;
  let everything: string;
  let north: string;

  before(async () => {
    service = await startService();
    const driver = await service.signUp("anna");
    const backEnd = await service.key("north", "cpo");
    const anna = (await service.ask("GET", "/account", { as: driver })).body.driverId;
    const plugIn = { sessionId: SESSION, evseId: "north-1-1", driverId: anna, at: iso(NOON), registerWh: 0 };
    expect((await service.ask("POST", "/machine/sessions", { as: backEnd, body: plugIn })).status).to.equal(201);
    const wish = { energyNeedWh: 8000, departsAt: later };
    const asked = await service.ask("PUT", `/driver/sessions/${SESSION}/request`, { as: driver, body: wish });
    expect(asked.body.kind).to.equal("accepted");
    await service.pass(5);
    expect(service.sent.map((profile) => profile.id)).to.deep.equal([PROFILE]);
    northKey = (await service.accounts.keysOf("north"))[0]!.id;
    south = {
      driver: await service.signUp("ben"),
      staff: await service.staff("south"),
      auditor: await service.auditor(),
      arbiter: await service.arbiter(),
      "cpo-key": await service.key("south", "cpo"),
      "hems-key": await service.key("south", "hems"),
      "audit-key": await service.serviceKey("audit"),
      "market-key": await service.serviceKey("market"),
    };
    everything = await service.digest();
    north = await northOf(service);
  });
  after(() => service?.close());

  const attempt = (route: Route, as: Who | undefined) => {
    const { params = {}, body } = STRANGERS[keyOf(route)] ?? {};
    const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(name === "keyId" ? northKey : (params[name] ?? "nothing")),
    );
    return service.call(route.method.toUpperCase(), path, {
      ...(as ? { as } : {}),
      ...(body === undefined ? {} : { body }),
    });
  };
  const protectedRoutes = () => service.api.routes.filter((route) => route.who.length > 0);

  it("has a case for every protected route, and none for others", () => {
    expect(protectedRoutes().map(keyOf)).to.have.members(Object.keys(STRANGERS));
  });

  it("asks everybody who they are", async () => {
    for (const route of protectedRoutes()) {
      const response = await attempt(route, undefined);
      expect(response.status, keyOf(route)).to.equal(401);
      expect(response.headers.get("www-authenticate"), keyOf(route)).to.match(/^Bearer/);
      expect(await response.json(), keyOf(route)).to.include({ type: "/docs#unauthenticated" });
      const forged = await attempt(route, { authorization: `Bearer oli_${"0".repeat(12)}_${"A".repeat(43)}` });
      expect(forged.status, keyOf(route)).to.equal(401);
      await forged.body?.cancel();
    }
    expect(await service.digest()).to.equal(everything);
  });

  it("refuses every kind of caller that a route is not for", async () => {
    for (const route of protectedRoutes())
      for (const kind of KINDS.filter((one) => !route.who.includes(one))) {
        const response = await attempt(route, south[kind]);
        expect(response.status, `${keyOf(route)} as ${kind}`).to.equal(403);
        await response.body?.cancel();
      }
    expect(await service.digest()).to.equal(everything);
  });

  it("shows and changes nothing of another driver or another CPO", async () => {
    for (const route of protectedRoutes()) {
      const { gets } = STRANGERS[keyOf(route)]!;
      for (const kind of route.who) {
        if (
          kind === "auditor" ||
          kind === "audit-key" ||
          kind === "market-key" ||
          keyOf(route) === "POST /account/sign-out"
        )
          continue;
        const label = `${keyOf(route)} as ${kind}`;
        const response = await attempt(route, south[kind]);
        const text = await response.text();
        if (gets === "its own") {
          expect(response.status, `${label}: ${text}`).to.be.within(200, 299);
          if (route.path !== "/driver/evses/{evseId}" && route.path !== "/driver/flex")
            expect(text, label).not.to.match(/north|anna/);
        } else {
          expect(response.status, `${label}: ${text}`).to.equal(gets);
        }
      }
      // What strangers do to their own things is theirs; the north's stays as it was.
      expect(await northOf(service), keyOf(route)).to.equal(north);
    }
  });

  it("lets an auditor read, and only read", () => {
    for (const route of protectedRoutes())
      if (route.who.includes("auditor") && route.tag !== "Accounts") expect(route.method, keyOf(route)).to.equal("get");
  });
});

/** All that is remembered of the north and of Anna. */
async function northOf(service: Service): Promise<string> {
  const { store, board } = service.world;
  const parts = [
    await store.sessions.openIn("north-1"),
    await store.sessions.preferences(SESSION),
    await store.sessions.admission(SESSION),
    await store.promises.history(SESSION),
    await store.profiles.ofSession(SESSION),
    await store.meters.ofSession(SESSION),
    await store.meters.latestSite("north-1"),
    await store.sites.evses("north-1"),
    await store.sites.limits("north-1", NOON),
    await store.sites.currentTariff("north"),
    await store.prices.forecast("north-1", 0),
    await store.grid.capacities("north-1", 10),
    await store.grid.orders("north-1", epochSecond(0)),
    await service.accounts.keysOf("north"),
    board.groups["north-1"],
  ];
  return JSON.stringify(parts, (_, value) => (typeof value === "bigint" ? String(value) : value));
}
