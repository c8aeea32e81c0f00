import { expect } from "chai";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

const PAYEE = `0x${"34".repeat(20)}`;
const evse = (id: string, more = {}) => ({ id, maxPowerW: 11_000, phases: 3, ...more });
const group = (id: string, evses: object[], pvs: object[] = []) => ({
  ...{ id, supplyLimitW: 40_000, limitKind: "contract", feedInMicroEurPerKwh: "0", evses, pvs },
});

describe("HTTP: setting up a site", () => {
  let service: Service;
  let staff: Who;
  let harbour: { location: object; groups: object[] };
  before(async () => {
    service = await startService();
    staff = await service.staff("north");
  });
  beforeEach(() => {
    harbour = {
      location: { id: "harbour", name: "Harbour", timeZone: "Europe/Oslo" },
      groups: [group("quay", [evse("quay-1")], [{ id: "quay-pv", ratedPowerW: 5000 }])],
    };
  });
  after(() => service?.close());

  const post = (body: object, as = staff) => service.ask("POST", "/cpo/sites", { as, body });
  const calls = async (since: number) =>
    (
      await service.db
        .selectFrom("outbox")
        .select(["id", "call", "args"])
        .where("id", ">", since)
        .orderBy("id")
        .execute()
    ).map(({ call, args }) => [call, args] as const);
  const lastCall = async () => {
    const latest = service.db.selectFrom("outbox").select("id").orderBy("id", "desc").limit(1);
    return Number((await latest.executeTakeFirst())?.id ?? 0);
  };

  it("takes payee and tariff of the first site for the ones that follow", async () => {
    const before = await lastCall();
    const { status, body } = await post(harbour);
    expect([status, body.tariff.pricePerKwhMicroEur], JSON.stringify(body)).to.deep.equal([201, "350000"]);
    // No payee and no tariff are set again on chain.
    expect((await calls(before)).map(([call]) => call)).to.deep.equal(["setGroup", "register"]);
    const known = (await service.ask("GET", "/cpo/sites", { as: staff })).body;
    expect(known.cpo).to.deep.equal({ id: "north", name: "CPO north" });
    expect(known.tariff.id).to.equal("north-tariff");
    expect(known.locations.map((one: { id: string }) => one.id)).to.deep.equal(["harbour", "north-site"]);
  });

  it("wants both of a CPO that has none yet, and sets both then", async () => {
    await service.world.store.sites.addCpo({ id: "west", name: "CPO west" });
    const account = { email: "staff@west.example", name: "west", password: "correct horse battery" };
    await service.accounts.ensureStaff({ ...account, cpoId: "west" });
    const signedIn = await service.call("POST", "/account/sign-in", {
      body: { email: account.email, password: account.password },
    });
    const as = {
      cookie: signedIn.headers
        .getSetCookie()
        .map((one) => one.split(";")[0])
        .join("; "),
    };
    expect((await service.ask("GET", "/cpo/sites", { as })).body).to.deep.include({ tariff: null, locations: [] });

    const pier = { location: { id: "pier", name: "Pier", timeZone: "UTC" }, groups: [group("pier", [evse("pier-1")])] };
    const untouched = await service.digest();
    const refused = await post(pier, as);
    expect([refused.status, refused.body.errors.map((one: { pointer: string }) => one.pointer)]).to.deep.equal([
      400,
      ["#/payee", "#/tariff"],
    ]);
    expect(await service.digest()).to.equal(untouched);

    const before = await lastCall();
    const tariff = { id: "west-tariff", pricePerKwhMicroEur: "420000" };
    expect((await post({ ...pier, payee: PAYEE, tariff }, as)).status).to.equal(201);
    expect((await calls(before)).map(([call]) => call)).to.deep.equal([
      "setPayee",
      "setTariff",
      "setGroup",
      "register",
    ]);
  });

  it("adds what is new to a group, registers only that on chain, and leaves its lowered limit in force", async () => {
    await post(harbour);
    await service.ask("POST", "/cpo/groups/quay/limits", {
      ...{ as: staff, body: { kind: "operator", limitW: 20_000, from: iso(NOON), until: null } },
    });
    const { limitW } = service.world.board.groups.quay!;
    const before = await lastCall();
    const pvs = [
      { id: "quay-pv", ratedPowerW: 5000 },
      { id: "quay-pv-2", ratedPowerW: 7000 },
    ];
    const more = { ...harbour, groups: [group("quay", [evse("quay-1"), evse("quay-2"), evse("quay-3")], pvs)] };
    expect((await post(more)).status).to.equal(201);
    // Rows 0 and 1 are the first charge point's and the first roof's.
    const { number } = (await service.world.store.sites.group("quay"))!;
    expect(await calls(before)).to.deep.equal([["register", { group: number, indices: [2, 3, 4] }]]);
    expect(service.world.board.groups.quay!.limitW).to.equal(limitW);
    const roofs = await service.ask("GET", "/cpo/groups/quay/pvs", { as: staff });
    expect(roofs.body.pvs).to.deep.equal(pvs);
  });

  it("refuses a PV whose id stands elsewhere", async () => {
    await post(harbour);
    const body = { ...harbour, groups: [group("quay-2", [], [{ id: "quay-pv", ratedPowerW: 5000 }])] };
    const { status, body: problem } = await post(body);
    expect([status, problem.errors[0].pointer]).to.deep.equal([409, "#/groups/0/pvs/0/id"]);
  });

  it("keeps where a charge point stands, takes another place, and forgets it; nothing of it goes on chain", async () => {
    const coordinates = { latitude: 59.9085431, longitude: 10.7352219 };
    const location = { id: "harbour", name: "Harbour", timeZone: "Europe/Oslo" };
    const placed = evse("quay-9", { coordinates, floorLevel: "-1", physicalReference: "9" });
    await post({ location, groups: [group("quay", [placed])] });
    const seen = async () =>
      (await service.ask("GET", "/cpo/groups/quay/evses", { as: staff })).body.evses.find(
        (one: { id: string }) => one.id === "quay-9",
      );
    expect(await seen()).to.deep.include({ coordinates, floorLevel: "-1", physicalReference: "9" });

    const before = await lastCall();
    const put = (body: object) => service.ask("PUT", "/cpo/evses/quay-9/place", { as: staff, body });
    const moved = { coordinates: { latitude: 59.9, longitude: 10.7 }, floorLevel: "0", physicalReference: null };
    expect((await put(moved)).body).to.deep.equal(moved);
    expect(await seen()).to.deep.include(moved);
    for (const [body, pointer] of [
      [{ coordinates: { latitude: 107, longitude: 59 } }, "#/coordinates/latitude"],
      [{ coordinates: { latitude: "59.9", longitude: 10 } }, "#/coordinates/latitude"],
      [{ coordinates: { latitude: 59.9 } }, "#/coordinates/longitude"],
      [{ floorLevel: "level 1" }, "#/floorLevel"],
    ] as const) {
      const { status, body: problem } = await put(body);
      expect([status, problem.errors[0].pointer], JSON.stringify(body)).to.deep.equal([400, pointer]);
    }
    expect(await seen()).to.deep.include(moved);
    await put({});
    expect(await seen()).to.deep.include({ coordinates: null, floorLevel: null, physicalReference: null });
    expect(await calls(before)).to.deep.equal([]);
  });

  it("shows an operator whose full power runs, until when and how much of it is granted", async () => {
    const backEnd = await service.key("north", "cpo");
    const plugIn = { sessionId: "in a hurry", evseId: "north-1-1", at: iso(service.clock.now()), registerWh: 0 };
    await service.ask("POST", "/machine/sessions", { as: backEnd, body: plugIn });
    const row = async () => (await service.ask("GET", "/cpo/groups/north-1", { as: staff })).body.rows[0];
    expect((await row()).boost).to.equal(null);
    const until = iso(service.clock.now() + 1800);
    const asked = await service.ask("POST", "/cpo/sessions/in%20a%20hurry/boost", { as: staff, body: { until } });
    expect(asked.status, JSON.stringify(asked.body)).to.equal(200);
    expect((await row()).boost).to.deep.equal({
      ...{ askedBy: "cpo", askedAt: iso(service.clock.now()), until, energyWh: null, limitW: asked.body.limitW },
    });
    const everybody = await service.ask("GET", "/live");
    expect(JSON.stringify(everybody.body)).not.to.include("askedBy");
    await service.ask("DELETE", "/cpo/sessions/in%20a%20hurry/boost", { as: staff });
    expect((await row()).boost).to.equal(null);
  });
});
