/** What is wrong is refused with what to fix, and nothing changes. */
import { expect } from "chai";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

type Case = {
  readonly it: string;
  readonly as: "driver" | "staff" | "backEnd" | "hems" | "nobody";
  readonly send: string;
  /** Text is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly type: string;
  /** Pointers into the body (or names of parameters) of all faults. */
  readonly at?: readonly string[];
  readonly says?: RegExp;
};

const at = iso(NOON);
const later = iso(NOON + 7200);
const session = { evseId: "north-1-2", optIn: true, energyNeedWh: 8000, departsAt: later };
const limit = { kind: "operator", limitW: 11_000, from: at, until: null };
const reading = { sessionId: "open", at, registerWh: 10, powerW: 6000 };
const START = "POST /driver/sessions";
const LIMIT = "POST /cpo/groups/north-1/limits";
const VALUES = "POST /machine/meter-values";
const invalid = { status: 400, type: "invalid-request" } as const;

const CASES: readonly Case[] = [
  // the form of the request
  { it: "broken JSON", as: "driver", send: START, body: '{"evseId": "north', status: 400, type: "malformed-json" },
  { it: "JSON that is no object", as: "driver", send: START, body: "[]", ...invalid, at: ["#"] },
  { it: "no body", as: "driver", send: START, ...invalid, at: ["#"] },
  {
    it: "a form instead of JSON",
    as: "driver",
    send: START,
    body: "evseId=north-1-2",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    status: 415,
    type: "unsupported-media-type",
  },
  {
    it: "another character set",
    as: "driver",
    send: START,
    body: "{}",
    headers: { "content-type": "application/json; charset=latin1" },
    status: 415,
    type: "unsupported-media-type",
  },
  {
    it: "a body above the limit",
    as: "backEnd",
    send: VALUES,
    body: `{"readings": [${" ".repeat(600_000)}]}`,
    status: 413,
    type: "body-too-large",
    says: /fewer readings/,
  },
  { it: "an address that is none", as: "driver", send: "GET /driver/evses/%E0%A4%A", ...invalid, says: /%25/ },
  {
    it: "an unknown address",
    as: "nobody",
    send: "GET /nothing/here",
    status: 404,
    type: "unknown-route",
    says: /\/docs/,
  },
  {
    it: "an address with a slash too many",
    as: "driver",
    send: "GET /driver/sessions/",
    status: 404,
    type: "unknown-route",
  },
  {
    it: "a method that is not there",
    as: "nobody",
    send: "DELETE /health",
    status: 405,
    type: "method-not-allowed",
    says: /GET, HEAD/,
  },
  { it: "a page size of 0", as: "driver", send: "GET /driver/sessions?limit=0", ...invalid, at: ["limit"] },
  { it: "a page size in words", as: "driver", send: "GET /driver/sessions?limit=all", ...invalid, at: ["limit"] },
  { it: "an unknown parameter", as: "driver", send: "GET /driver/sessions?limt=5", ...invalid, at: ["limt"] },

  // units
  {
    it: "a limit of 11 W",
    as: "staff",
    send: LIMIT,
    body: { ...limit, limitW: 11 },
    ...invalid,
    at: ["#/limitW"],
    says: /11 kW = 11000 W meant\?/,
  },
  {
    it: "a limit of 11.5 W",
    as: "staff",
    send: LIMIT,
    body: { ...limit, limitW: 11.5 },
    ...invalid,
    at: ["#/limitW"],
    says: /11\.5 kW = 11500 W meant\?/,
  },
  { it: "a negative limit", as: "staff", send: LIMIT, body: { ...limit, limitW: -5000 }, ...invalid, at: ["#/limitW"] },
  {
    it: "a limit as text",
    as: "staff",
    send: LIMIT,
    body: { ...limit, limitW: "11000" },
    ...invalid,
    at: ["#/limitW"],
    says: /whole number of W/,
  },
  {
    it: "a limit of 1e400 W",
    as: "staff",
    send: LIMIT,
    body: JSON.stringify(limit).replace("11000", "1e400"),
    ...invalid,
    at: ["#/limitW"],
  },
  {
    it: "a limit above the supply limit",
    as: "staff",
    send: LIMIT,
    body: { ...limit, limitW: 30_000 },
    status: 422,
    type: "suspicious-limit",
    at: ["#/limitW"],
    says: /22000 W/,
  },
  {
    it: "a limit that has ended",
    as: "staff",
    send: LIMIT,
    body: { ...limit, from: iso(NOON - 7200), until: iso(NOON - 3600) },
    status: 422,
    type: "past-limit",
    at: ["#/until"],
  },
  {
    it: "a need of 500,000 Wh",
    as: "driver",
    send: START,
    body: { ...session, energyNeedWh: 500_000 },
    ...invalid,
    at: ["#/energyNeedWh"],
    says: /Is it in Wh\?/,
  },
  {
    it: "a need of 8 Wh",
    as: "driver",
    send: START,
    body: { ...session, energyNeedWh: 8 },
    ...invalid,
    at: ["#/energyNeedWh"],
    says: /8 kWh = 8000 Wh meant\?/,
  },
  {
    it: "a need of 7.5",
    as: "driver",
    send: START,
    body: { ...session, energyNeedWh: 7.5 },
    ...invalid,
    at: ["#/energyNeedWh"],
    says: /7\.5 kWh = 7500 Wh meant\?/,
  },
  {
    it: "a car of 11 W",
    as: "driver",
    send: START,
    body: { ...session, carMaxPowerW: 11 },
    ...invalid,
    at: ["#/carMaxPowerW"],
    says: /11 kW/,
  },
  {
    it: "a battery of 60 Wh",
    as: "driver",
    send: "PUT /driver/preferences",
    body: { optIn: true, energyNeedWh: null, stayS: null, batteryWh: 60 },
    ...invalid,
    at: ["#/batteryWh"],
    says: /60 kWh = 60000 Wh/,
  },
  {
    it: "an algorithm that there is not",
    as: "staff",
    send: "PUT /cpo/groups/north-1/algorithm",
    body: { name: "cheapest" },
    status: 422,
    type: "unknown-algorithm",
    at: ["#/name"],
    says: /least-cost, linear-program, proportional-flexibility, equal-share, first-come, uncontrolled/,
  },
  {
    it: "a parameter that the algorithm has not",
    as: "staff",
    send: "PUT /cpo/groups/north-1/algorithm",
    body: { name: "equal-share", parameters: { highFlexibilityW: 11_000 } },
    status: 422,
    type: "unknown-parameter",
    at: ["#/parameters"],
    says: /It has: protectPromises/,
  },
  {
    it: "a parameter out of its bounds",
    as: "staff",
    send: "PUT /cpo/groups/north-1/algorithm",
    body: { name: "proportional-flexibility", parameters: { highFlexibilityW: -11 } },
    status: 422,
    type: "unknown-parameter",
    at: ["#/parameters"],
    says: /from 0 to 1000000 \(W\)/,
  },
  {
    it: "a parameter that is text",
    as: "staff",
    send: "PUT /cpo/groups/north-1/algorithm",
    body: { name: "equal-share", parameters: { protectPromises: "yes" } },
    ...invalid,
    at: ["#/parameters/protectPromises"],
  },
  {
    it: "a price of 0.35",
    as: "staff",
    send: "PUT /cpo/tariff",
    body: { pricePerKwhMicroEur: 0.35 },
    ...invalid,
    at: ["#/pricePerKwhMicroEur"],
    says: /0\.35 EUR\/kWh = "350000" meant\?/,
  },
  {
    it: 'a price of "0.35"',
    as: "staff",
    send: "PUT /cpo/tariff",
    body: { pricePerKwhMicroEur: "0.35" },
    ...invalid,
    at: ["#/pricePerKwhMicroEur"],
    says: /"350000"/,
  },
  {
    it: "a price in cents",
    as: "staff",
    send: "PUT /cpo/tariff",
    body: { pricePerKwhMicroEur: "35" },
    ...invalid,
    at: ["#/pricePerKwhMicroEur"],
    says: /not plausible/,
  },
  {
    it: "a building of 3.2 kW",
    as: "hems",
    send: "POST /machine/groups/north-1/readings",
    body: { readings: [{ at, buildingW: 3.2, pvW: 0 }] },
    ...invalid,
    at: ["#/readings/0/buildingW"],
    says: /3\.2 kW = 3200 W/,
  },
  {
    it: "negative PV",
    as: "hems",
    send: "POST /machine/groups/north-1/readings",
    body: { readings: [{ at, buildingW: 3200, pvW: -500 }] },
    ...invalid,
    at: ["#/readings/0/pvW"],
  },

  // instants
  {
    it: "a past departure",
    as: "driver",
    send: START,
    body: { ...session, departsAt: iso(NOON - 60) },
    status: 422,
    type: "past-departure",
    at: ["#/departsAt"],
  },
  {
    it: "a departure right now",
    as: "driver",
    send: START,
    body: { ...session, departsAt: at },
    status: 422,
    type: "past-departure",
    at: ["#/departsAt"],
  },
  {
    it: "a departure in a month",
    as: "driver",
    send: "PUT /driver/sessions/mine/request",
    body: { energyNeedWh: 8000, departsAt: iso(NOON + 30 * 86_400) },
    status: 422,
    type: "suspicious-departure",
    at: ["#/departsAt"],
  },
  {
    it: "a departure without a time zone",
    as: "driver",
    send: START,
    body: { ...session, departsAt: "2026-11-21T14:00:00" },
    ...invalid,
    at: ["#/departsAt"],
    says: /2026-03-01T10:00:00Z/,
  },
  {
    it: "an instant in seconds",
    as: "driver",
    send: START,
    body: { ...session, departsAt: NOON + 3600 },
    ...invalid,
    at: ["#/departsAt"],
  },
  {
    it: "30 February",
    as: "driver",
    send: START,
    body: { ...session, departsAt: "2027-02-30T10:00:00Z" },
    ...invalid,
    at: ["#/departsAt"],
  },
  {
    it: "a reading from 1970",
    as: "backEnd",
    send: VALUES,
    body: { readings: [{ ...reading, at: "1970-01-01T00:00:05Z" }] },
    ...invalid,
    at: ["#/readings/0/at"],
  },
  {
    it: "a reading from the future",
    as: "backEnd",
    send: VALUES,
    body: { readings: [{ ...reading, at: iso(NOON + 600) }] },
    status: 422,
    type: "implausible-readings",
    at: ["#/readings/0"],
    says: /clock/,
  },
  {
    it: "a forecast beside the slots",
    as: "hems",
    send: "PUT /machine/groups/north-1/forecast",
    body: { points: [{ from: iso(NOON + 60), buildingW: 0, pvW: 0 }] },
    ...invalid,
    at: ["#/points/0/from"],
    says: /slot/,
  },

  // things
  {
    it: "an unknown EVSE",
    as: "driver",
    send: START,
    body: { ...session, evseId: "north-9-9" },
    status: 404,
    type: "unknown-evse",
    at: ["#/evseId"],
  },
  {
    it: "an unknown EVSE, by the back end",
    as: "backEnd",
    send: "POST /machine/sessions",
    body: { sessionId: "new", evseId: "north-9-9", at, registerWh: 0 },
    status: 404,
    type: "unknown-evse",
    at: ["#/evseId"],
  },
  {
    it: "an occupied EVSE",
    as: "driver",
    send: START,
    body: { ...session, evseId: "north-1-1" },
    status: 409,
    type: "occupied",
    at: ["#/evseId"],
    says: /^EVSE north-1-1 is occupied\. Choose another/,
  },
  {
    it: "an occupied EVSE, by the back end",
    as: "backEnd",
    send: "POST /machine/sessions",
    body: { sessionId: "new", evseId: "north-1-1", at, registerWh: 0 },
    status: 409,
    type: "occupied",
    at: ["#/evseId"],
  },
  {
    it: "a session id that is another session's",
    as: "backEnd",
    send: "POST /machine/sessions",
    body: { sessionId: "open", evseId: "north-1-2", at, registerWh: 0 },
    status: 409,
    type: "taken-id",
    at: ["#/sessionId"],
  },
  {
    it: "an unknown driver",
    as: "backEnd",
    send: "POST /machine/sessions",
    body: { sessionId: "new", evseId: "north-1-2", driverId: "driver-x", at, registerWh: 0 },
    status: 404,
    type: "unknown-driver",
    at: ["#/driverId"],
  },
  {
    it: "an unknown session",
    as: "driver",
    send: "GET /driver/sessions/nothing",
    status: 404,
    type: "unknown-session",
  },
  {
    it: "an answer without an offer",
    as: "driver",
    send: "POST /driver/sessions/mine/offer",
    body: { accept: true },
    status: 409,
    type: "no-offer",
  },
  {
    it: "a receipt before the end",
    as: "driver",
    send: "GET /driver/sessions/mine/receipt",
    status: 404,
    type: "no-settlement",
  },
  {
    it: "more FLEX than there is",
    as: "driver",
    send: "POST /driver/flex/redemptions",
    body: { cpoId: "north", wh: 999_999 },
    status: 422,
    type: "too-much",
    at: ["#/wh"],
  },
  {
    it: "an unknown CPO",
    as: "driver",
    send: "POST /driver/flex/redemptions",
    body: { cpoId: "west", wh: 1 },
    status: 404,
    type: "unknown-cpo",
    at: ["#/cpoId"],
  },
  {
    it: "readings of which none can be taken",
    as: "backEnd",
    send: VALUES,
    body: {
      readings: [
        { ...reading, sessionId: "x" },
        { ...reading, registerWh: 900_000 },
      ],
    },
    status: 422,
    type: "implausible-readings",
    at: ["#/readings/0", "#/readings/1"],
  },
  {
    it: "a register that runs backwards at the end",
    as: "backEnd",
    send: "POST /machine/sessions/metered/stop",
    body: { at, registerWh: 100 },
    status: 422,
    type: "implausible-register",
    at: ["#/registerWh"],
  },
  {
    it: "a plug-out from the future",
    as: "backEnd",
    send: "POST /machine/sessions/open/stop",
    body: { at: iso(NOON + 3600), registerWh: 0 },
    status: 422,
    type: "bad-instant",
    at: ["#/at"],
  },
  {
    it: "an unknown status",
    as: "backEnd",
    send: "POST /machine/evses/north-1-1/status",
    body: { status: "Available", at },
    ...invalid,
    at: ["#/status"],
    says: /AVAILABLE/,
  },
  { it: "no readings", as: "backEnd", send: VALUES, body: { readings: [] }, ...invalid, at: ["#/readings"] },
  {
    it: "too many readings",
    as: "backEnd",
    send: VALUES,
    body: { readings: Array(1001).fill(reading) },
    ...invalid,
    at: ["#/readings"],
    says: /1000/,
  },
  {
    it: "a site whose EVSE id is taken",
    as: "staff",
    send: "POST /cpo/sites",
    body: site({ evseId: "north-1-1", groupId: "north-2" }),
    status: 409,
    type: "taken-id",
    at: ["#/groups/0/evses/0/id"],
  },
  {
    it: "a site whose group is another CPO's",
    as: "staff",
    send: "POST /cpo/sites",
    body: site({ evseId: "new-1", groupId: "south-1" }),
    status: 409,
    type: "taken-id",
    at: ["#/groups/0/id"],
  },
  {
    it: "a site in no time zone",
    as: "staff",
    send: "POST /cpo/sites",
    body: site({ evseId: "new-1", groupId: "new", timeZone: "Europe/Berln" }),
    ...invalid,
    at: ["#/location/timeZone"],
  },
  {
    it: "a HEMS key for no group",
    as: "staff",
    send: "POST /cpo/keys",
    body: { name: "meter", purpose: "hems" },
    ...invalid,
    at: ["#/groupId"],
  },

  // members
  {
    it: "a misspelled member",
    as: "driver",
    send: START,
    body: { ...session, carMaxPower: 11_000 },
    ...invalid,
    at: ["#/carMaxPower"],
    says: /"carMaxPower" is not known/,
  },
  {
    it: "a missing member",
    as: "driver",
    send: START,
    body: { evseId: "north-1-2", optIn: true, energyNeedWh: 8000 },
    ...invalid,
    at: ["#/departsAt"],
  },
  {
    it: "several faults at once",
    as: "driver",
    send: START,
    body: { ...session, evseId: 7, energyNeedWh: 8, departsAt: "soon" },
    ...invalid,
    at: ["#/evseId", "#/energyNeedWh", "#/departsAt"],
  },
  {
    it: "neither in nor out",
    as: "driver",
    send: START,
    body: { evseId: "north-1-2" },
    ...invalid,
    at: ["#/optIn"],
    says: /optIn: true/,
  },
  {
    it: "a null character",
    as: "backEnd",
    send: "POST /machine/sessions",
    body: { sessionId: "a\u0000b", evseId: "north-1-2", at, registerWh: 0 },
    ...invalid,
    at: ["#/sessionId"],
    says: /control/,
  },
  { it: "a null character in the address", as: "driver", send: "GET /driver/evses/a%00b", ...invalid, at: ["evseId"] },
  {
    it: "a member that is JavaScript's own",
    as: "driver",
    send: START,
    body: '{"__proto__": {"optIn": true}, "evseId": "north-1-2"}',
    ...invalid,
  },

  // accounts
  {
    it: "no consent",
    as: "nobody",
    send: "POST /account/sign-up",
    body: { email: "c@example.org", name: "C", password: "long enough", consent: false },
    ...invalid,
    at: ["#/consent"],
    says: /consent/,
  },
  {
    it: "a short password",
    as: "nobody",
    send: "POST /account/sign-up",
    body: { email: "c@example.org", name: "C", password: "short", consent: true },
    ...invalid,
    at: ["#/password"],
  },
  {
    it: "no e-mail address",
    as: "nobody",
    send: "POST /account/sign-up",
    body: { email: "c at example", name: "C", password: "long enough", consent: true },
    ...invalid,
    at: ["#/email"],
  },
  {
    it: "a driver who makes itself staff",
    as: "nobody",
    send: "POST /account/sign-up",
    body: { email: "c@example.org", name: "C", password: "long enough", consent: true, kind: "staff", cpoId: "north" },
    ...invalid,
    at: ["#/kind", "#/cpoId"],
  },
  {
    it: "an e-mail that has an account",
    as: "nobody",
    send: "POST /account/sign-up",
    body: { email: "Anna@Example.org", name: "A", password: "long enough", consent: true },
    status: 409,
    type: "email-taken",
    at: ["#/email"],
  },
  {
    it: "a wrong password",
    as: "nobody",
    send: "POST /account/sign-in",
    body: { email: "anna@example.org", password: "wrong password" },
    status: 401,
    type: "wrong-credentials",
  },
  {
    it: "a form of another site",
    as: "driver",
    send: "PUT /driver/preferences",
    body: {},
    headers: { origin: "https://evil.example" },
    status: 403,
    type: "cross-site",
  },
  {
    it: "a script of another site",
    as: "driver",
    send: "PUT /driver/preferences",
    body: {},
    headers: { "sec-fetch-site": "cross-site" },
    status: 403,
    type: "cross-site",
  },
];

function site({ evseId, groupId, timeZone = "Europe/Berlin" }: { evseId: string; groupId: string; timeZone?: string }) {
  const group = { supplyLimitW: 22_000, limitKind: "contract", feedInMicroEurPerKwh: "50000", pvs: [] };
  return {
    payee: `0x${"11".repeat(20)}`,
    location: { id: "north-site", name: "north", timeZone },
    tariff: { id: "north-tariff", pricePerKwhMicroEur: "350000" },
    groups: [{ ...group, id: groupId, evses: [{ id: evseId, maxPowerW: 11_000, phases: 3 }] }],
  };
}

describe("HTTP: bad input", () => {
  let service: Service;
  let callers: Record<Case["as"], Who>;
  let mine: string;
  let everything: string;

  before(async () => {
    service = await startService();
    callers = {
      driver: await service.signUp("anna"),
      staff: await service.staff("north"),
      backEnd: await service.key("north", "cpo"),
      hems: await service.key("north", "hems"),
      nobody: {},
    };
    const plugIn = (sessionId: string, evseId: string, startedAt: number) => ({
      sessionId,
      evseId,
      at: iso(startedAt),
      registerWh: 0,
    });
    for (const body of [plugIn("open", "north-1-1", NOON), plugIn("metered", "north-1-3", NOON - 3600)])
      expect((await service.ask("POST", "/machine/sessions", { as: callers.backEnd, body })).status).to.equal(201);
    const readings = [{ sessionId: "metered", at, registerWh: 500, powerW: 0 }];
    await service.ask("POST", "/machine/meter-values", { as: callers.backEnd, body: { readings } });
    // Anna's own session, in the south: the north keeps a free EVSE.
    const started = await service.ask("POST", "/driver/sessions", {
      as: callers.driver,
      body: { evseId: "south-1-1", optIn: false },
    });
    mine = started.body.session.id;
    everything = await service.digest();
  });
  after(() => service?.close());

  for (const one of CASES)
    it(`refuses ${one.it}: ${one.status} ${one.type}`, async () => {
      const [method, path] = one.send.split(" ") as [string, string];
      const response = await service.call(method, path.replace("/mine/", `/${mine}/`), {
        as: callers[one.as],
        ...(one.body === undefined ? {} : { body: one.body }),
        ...(one.headers ? { headers: one.headers } : {}),
      });
      const text = await response.text();
      expect(response.status, text).to.equal(one.status);
      expect(response.headers.get("content-type")).to.match(/^application\/problem\+json/);
      const problem = JSON.parse(text);
      expect(problem).to.include({ type: `/docs#${one.type}`, status: one.status });
      expect(problem.title).to.be.a("string").that.is.not.equal("");
      expect(problem.instance).to.equal(`urn:uuid:${response.headers.get("x-request-id")}`);
      const faults: { pointer?: string; parameter?: string; detail: string }[] = problem.errors ?? [];
      if (one.at) expect(faults.map((fault) => fault.pointer ?? fault.parameter)).to.deep.equal(one.at);
      if (one.says) expect([problem.detail, ...faults.map((fault) => fault.detail)].join("\n")).to.match(one.says);
      expect(await service.digest(), "nothing changed").to.equal(everything);
    });

  it("says which methods there are", async () => {
    const { headers } = await service.ask("PATCH", "/driver/preferences", { as: callers.driver });
    expect(headers.get("allow")).to.equal("GET, HEAD, PUT");
  });

  it("takes the good readings of a batch and says what is wrong with the others", async () => {
    const readings = [reading, { ...reading, sessionId: "x" }, reading];
    const said = await service.ask("POST", "/machine/meter-values", { as: callers.backEnd, body: { readings } });
    expect(said.status).to.equal(200);
    expect(said.body).to.include({ accepted: 1, duplicates: 1 });
    expect(said.body.refused.map((one: { index: number }) => one.index)).to.deep.equal([1]);
  });

  it("answers a request of our own pages and of no page at all", async () => {
    const body = { optIn: true, energyNeedWh: null, stayS: null, batteryWh: null };
    const own = new URL(service.serving.url);
    for (const headers of [{ origin: own.origin }, { "sec-fetch-site": "same-origin" }, {}] as Record<
      string,
      string
    >[]) {
      const said = await service.ask("PUT", "/driver/preferences", { as: callers.driver, body, headers });
      expect(said.status, JSON.stringify(headers)).to.equal(200);
    }
  });
});
