/** Capacity profiles and flexibility orders over HTTP: answered, listed, and refused with what to fix. */
import { expect } from "chai";
import { everyMinute } from "../../backend/usecases/everyMinute.ts";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

const CAPACITY = "PUT /grid/groups/north-1/capacity-profile";
const ORDERS = "POST /grid/groups/north-1/orders";
const SLOT_S = 900;

describe("HTTP: the grid", () => {
  let service: Service;
  let callers: Record<"staff" | "backEnd" | "hems" | "auditor", Who>;
  before(async () => {
    service = await startService();
    callers = {
      staff: await service.staff("north"),
      backEnd: await service.key("north", "cpo"),
      hems: await service.key("north", "hems"),
      auditor: await service.auditor(),
    };
  });
  after(() => service?.close());

  const send = (route: string, as: keyof typeof callers, body?: unknown) => {
    const [method, path] = route.split(" ") as [string, string];
    return service.ask(method, path, { as: callers[as], ...(body === undefined ? {} : { body }) });
  };
  const period = (from: number, until: number, limit: object) => ({
    from: iso(NOON + from),
    until: iso(NOON + until),
    ...limit,
  });
  const order = (part: object = {}) => ({
    orderId: "evening",
    direction: "down",
    powerW: 5_000,
    from: iso(NOON + 2 * SLOT_S),
    until: iso(NOON + 6 * SLOT_S),
    ...part,
  });
  /** A car with time, and the cycle ahead of the next slot, whose plan is recorded. */
  async function aRecordedPlan() {
    const anna = await service.signUp("anna");
    const wish = { evseId: "north-1-1", optIn: true, energyNeedWh: 30_000, departsAt: iso(NOON + 8 * 3600) };
    const started = await service.ask("POST", "/driver/sessions", { as: anna, body: wish });
    expect(started.status).to.equal(201);
    await service.pass(5);
    const now = () => iso(service.clock.now());
    await send(`POST /machine/profiles/${service.sent.at(-1)!.id}/answer`, "backEnd", { state: "applied", at: now() });
    await service.pass(NOON + SLOT_S - 60 - service.clock.now());
    const reading = { sessionId: started.body.session.id, at: now(), registerWh: 2_500, powerW: 11_000 };
    expect((await send("POST /machine/meter-values", "backEnd", { readings: [reading] })).status).to.equal(200);
    await everyMinute(service.world);
  }

  for (const [what, route, body, status, type, pointer, says] of [
    [
      "a limit of 12",
      CAPACITY,
      () => ({ periods: [period(60, 120, { limitW: 12 })] }),
      400,
      "invalid-request",
      "#/periods/0/limitW",
      /12 kW = 12000 W/,
    ],
    [
      "a current without phases",
      CAPACITY,
      () => ({ periods: [period(60, 120, { limitA: 16 })] }),
      400,
      "invalid-request",
      "#/periods/0/phases",
      /1 or 3/,
    ],
    [
      "a voltage between phases",
      CAPACITY,
      () => ({ periods: [period(60, 120, { limitA: 16, phases: 3, voltageV: 400 })] }),
      400,
      "invalid-request",
      "#/periods/0/voltageV",
      /between phases/,
    ],
    [
      "W and A together",
      CAPACITY,
      () => ({ periods: [period(60, 120, { limitW: 4_000, limitA: 16, phases: 3 })] }),
      400,
      "invalid-request",
      "#/periods/0/limitW",
      /either/,
    ],
    [
      "half minutes",
      CAPACITY,
      () => ({ periods: [period(30, 90, { limitW: 4_000 })] }),
      422,
      "bad-capacity",
      "#/periods",
      /full minute/,
    ],
    [
      "an overlap",
      CAPACITY,
      () => ({ periods: [period(60, 180, { limitW: 4_000 }), period(120, 240, { limitW: 5_000 })] }),
      422,
      "bad-capacity",
      "#/periods",
      /overlaps/,
    ],
    [
      "63 A x 3 on 22 kW",
      CAPACITY,
      () => ({ periods: [period(60, 180, { limitA: 63, phases: 3 })] }),
      422,
      "suspicious-limit",
      null,
      /above the supply limit/,
    ],
    ["an order in kW", ORDERS, () => order({ powerW: 5 }), 422, "suspicious-order", "#/powerW", /5 kW = 5000 W/],
    ["an order of 5.5", ORDERS, () => order({ powerW: 5.5 }), 400, "invalid-request", "#/powerW", /5500 W meant/],
    ["an order sideways", ORDERS, () => order({ direction: "left" }), 400, "invalid-request", "#/direction", /down/],
    [
      "an order of the past",
      ORDERS,
      () => order({ from: iso(NOON - SLOT_S) }),
      422,
      "past-order",
      "#/from",
      /earliest/,
    ],
    ["an order before any plan", ORDERS, () => order(), 409, "no-baseline", null, /next quarter-hour/],
  ] as readonly (readonly [string, string, () => object, number, string, string | null, RegExp])[])
    it(`refuses ${what}: ${status} ${type}`, async () => {
      const before = await service.digest();
      const { body: problem } = await send(route, "hems", body());
      expect(problem, JSON.stringify(problem)).to.include({ status, type: `/docs#${type}` });
      expect(JSON.stringify(problem)).to.match(says);
      expect(problem.errors?.[0]?.pointer ?? null).to.equal(pointer);
      expect(await service.digest()).to.equal(before);
    });

  it("takes a capacity profile in W or in A, and lists those that were forgotten", async () => {
    const periods = [period(60, 120, { limitW: 4_000 }), period(120, 240, { limitA: 16, phases: 3, voltageV: 231 })];
    const said = await send(CAPACITY, "hems", { periods });
    expect(said.status, JSON.stringify(said.body)).to.equal(200);
    expect(said.body.periods.map(({ limitW }: { limitW: number }) => limitW)).to.deep.equal([4_000, 11_088]);
    await service.pass(5);
    expect((await send(CAPACITY, "backEnd", { periods: [] })).status).to.equal(200);
    const listed = await send("GET /grid/groups/north-1/capacity-profiles", "auditor");
    expect(listed.body.profiles.map((one: { periods: unknown[] }) => one.periods.length)).to.deep.equal([0, 2]);
    expect(listed.body.profiles[1].givenBy).to.match(/^key:/);
  });

  it("answers an order, the same one again, and lists it for the CPO and for who gave it", async () => {
    await aRecordedPlan();
    const said = await send(ORDERS, "hems", order({ pricePerKwhMicroEur: "80000" }));
    expect(said.status, JSON.stringify(said.body)).to.equal(201);
    expect(said.body).to.include({ orderId: "evening", answer: "accepted", state: "acknowledged", deliveredWh: null });
    expect(said.body.slots.map((one: { acknowledgedWh: number }) => one.acknowledgedWh)).to.deep.equal([
      1_250, 1_250, 1_250, 1_250,
    ]);
    expect(said.body.baseline.planHash).to.match(/^0x[0-9a-f]{64}$/);
    expect((await send(ORDERS, "hems", order({ pricePerKwhMicroEur: "80000" }))).status).to.equal(200);
    for (const who of ["staff", "hems", "auditor"] as const) {
      const { body } = await send("GET /grid/groups/north-1/orders", who);
      expect(
        body.orders.map((one: { orderId: string }) => one.orderId),
        who,
      ).to.deep.equal(["evening"]);
    }
    const one = await send("GET /grid/groups/north-1/orders/evening", "hems");
    expect(one.body).to.include({ state: "acknowledged", settledAt: null });
    expect((await send("GET /grid/groups/north-1/orders/nothing", "hems")).body).to.include({
      status: 404,
      type: "/docs#unknown-order",
    });
  });

  it("lets only the CPO force an order", async () => {
    const forced = order({
      orderId: "forced",
      force: true,
      from: iso(NOON + 6 * SLOT_S),
      until: iso(NOON + 7 * SLOT_S),
    });
    const refused = await send(ORDERS, "hems", forced);
    expect(refused.body).to.include({ status: 403, type: "/docs#forbidden" });
    const said = await send(ORDERS, "backEnd", forced);
    expect(said.body).to.include({ answer: "accepted", force: true });
  });
});
