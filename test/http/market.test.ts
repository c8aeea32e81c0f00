import { expect } from "chai";
import { slotOf } from "../../backend/domain/slots.ts";
import { epochSecond } from "../../backend/domain/units.ts";
import { priceLookup } from "../../backend/usecases/groupProblem.ts";
import { iso, NOON, type Service, startService, type Who } from "./service.ts";

const HOUR_S = 3600;
/** Hours from the one that begins at `from`, each with its price, EUR/MWh. */
const hours = (from: number, ...prices: number[]) => ({
  prices: prices.map((price, k) => ({
    from: iso(from + k * HOUR_S),
    until: iso(from + (k + 1) * HOUR_S),
    pricePerKwhMicroEur: `${price * 1000}`,
  })),
});

describe("HTTP: the market", () => {
  let service: Service;
  let market: Who;
  beforeEach(async () => {
    service = await startService();
    market = await service.serviceKey("market");
  });
  afterEach(() => service?.close());

  const put = (body: unknown, path = "/market/prices") => service.ask("PUT", path, { as: market, body });
  const shown = async (query = "") =>
    (await service.ask("GET", `/market${query}`)).body.slots as {
      from: string;
      pricePerKwhMicroEur: string | null;
      gramsPerKwh: number | null;
    }[];
  const known = async () =>
    (await service.world.store.prices.from(service.world.settings.market, 0)).map(({ slot, price }) => [slot, price]);

  it("takes hourly prices for each of their quarter-hours, and plans know them", async () => {
    const next = NOON + HOUR_S;
    // The running quarter-hour has begun; the rest of this hour comes first.
    const rest = { from: iso(NOON + 900), until: iso(next), pricePerKwhMicroEur: "70000" };
    const said = await put({ prices: [...hours(next, 80, -5).prices, rest] });
    expect(said).to.deep.include({ status: 200, body: { accepted: 11, kept: [] } });
    const first = slotOf(NOON) + 1;
    const expected = [70, 70, 70, 80, 80, 80, 80, -5, -5, -5, -5].map((price, k) => [first + k, price * 1000]);
    expect(await known()).to.deep.equal(expected);
    const priceOf = priceLookup(await service.world.store.prices.from(service.world.settings.market, first));
    expect(priceOf(first + 4)).to.equal(80_000);
    const all = await shown();
    expect(all).to.have.length(11);
    expect(all[10]).to.deep.equal({
      ...{ from: iso(NOON + 11 * 900), pricePerKwhMicroEur: "-5000", gramsPerKwh: null },
    });
  });

  it("keeps what was published first, and says so", async () => {
    await put({ prices: quarters(1, 80_000, 81_000) });
    expect((await put({ prices: quarters(1, 80_000, 82_000, 83_000) })).body).to.deep.equal({
      accepted: 1,
      kept: [{ from: iso(NOON + 2 * 900), detail: "It was published as 81000." }],
    });
    expect((await known()).map(([, price]) => price)).to.deep.equal([80_000, 81_000, 83_000]);
    expect((await put({ prices: quarters(1, 80_000, 81_000, 83_000) })).body, "sent again").to.deep.equal({
      accepted: 0,
      kept: [],
    });
  });

  it("takes no price for a quarter-hour that has begun", async () => {
    expect((await put({ prices: quarters(-1, 80_000, 81_000, 82_000) })).body).to.deep.equal({
      accepted: 1,
      kept: [-1, 0].map((k) => ({ from: iso(NOON + k * 900), detail: "It has begun." })),
    });
    expect(await known()).to.deep.equal([[slotOf(NOON) + 1, 82_000]]);
  });

  it("refuses a gap, names what is missing, and keeps nothing of the rest", async () => {
    for (const [prices, missing] of [
      [quarters(2, 80_000), 1],
      [[...quarters(1, 80_000), ...quarters(3, 80_000)], 2],
    ] as const) {
      const said = await put({ prices });
      expect(said.status).to.equal(422);
      expect(said.body).to.include({ type: "/docs#price-gap" });
      expect(said.body.detail).to.include(iso(NOON + missing * 900));
      expect(await known()).to.deep.equal([]);
    }
    await put({ prices: quarters(1, 80_000) });
    await service.pass(4 * 900);
    // Nobody published for an hour: what has begun stays without a price, what follows is taken.
    expect((await put({ prices: quarters(5, 90_000) })).body).to.deep.equal({ accepted: 1, kept: [] });
  });

  it("refuses what is in another unit or no quarter-hour", async () => {
    const [one] = quarters(1, 80_000);
    for (const [body, at, says] of [
      [{ prices: [{ ...one, pricePerKwhMicroEur: 80_000 }] }, "#/prices/0/pricePerKwhMicroEur", /as text/],
      [{ prices: [{ ...one, pricePerKwhMicroEur: "0.08" }] }, "#/prices/0/pricePerKwhMicroEur", /whole number/],
      [{ prices: [{ ...one, pricePerKwhMicroEur: "80000000" }] }, "#/prices/0/pricePerKwhMicroEur", /80 EUR\/kWh/],
      [{ prices: [{ ...one, pricePerKwhMicroEur: "85" }] }, "#/prices", /EUR\/MWh/],
      [{ prices: [{ ...one, from: iso(NOON + 901) }] }, "#/prices/0/from", /quarter-hour/],
      [{ prices: [{ ...one, until: iso(NOON) }] }, "#/prices/0/from", /not after/],
      [{ prices: [one, one] }, "#/prices/1/from", /overlaps/],
      [{ prices: [{ ...one, until: iso(NOON + 900 + 9 * 86_400) }] }, "#/prices/0/from", /at most 8 days/],
      [{ prices: [] }, "#/prices", /at least one/],
    ] as const) {
      const said = await put(body);
      expect(said.status, JSON.stringify(body)).to.equal(400);
      expect(said.body.errors, JSON.stringify(said.body)).to.have.length(1);
      expect(said.body.errors[0].pointer).to.equal(at);
      expect(said.body.errors[0].detail).to.match(says);
    }
    const dirty = { intensities: [{ from: one!.from, until: one!.until, gramsPerKwh: 380_000 }] };
    expect((await put(dirty, "/market/carbon")).body.errors[0].detail).to.match(/dirtier/);
    expect(await known()).to.deep.equal([]);
  });

  it("shows carbon intensity beside prices, the newest figure of each quarter-hour", async () => {
    const from = iso(NOON - HOUR_S);
    const put2 = (gramsPerKwh: number, begin: string, until: string) =>
      put({ intensities: [{ from: begin, until, gramsPerKwh }] }, "/market/carbon");
    expect((await put2(420, from, iso(NOON + HOUR_S))).status).to.equal(204);
    expect((await put2(380, iso(NOON), iso(NOON + 900))).status).to.equal(204);
    await put({ prices: quarters(1, 80_000) });
    expect(await shown(`?from=${iso(NOON - 900)}&until=${iso(NOON + 1800)}`)).to.deep.equal([
      { from: iso(NOON - 900), pricePerKwhMicroEur: null, gramsPerKwh: 420 },
      { from: iso(NOON), pricePerKwhMicroEur: null, gramsPerKwh: 380 },
      { from: iso(NOON + 900), pricePerKwhMicroEur: "80000", gramsPerKwh: 420 },
    ]);
    expect(await service.world.store.prices.carbon("another market", 0, 1e9)).to.deep.equal([]);
    const far = await service.ask("GET", `/market?from=${iso(NOON)}&until=${iso(epochSecond(NOON + 9 * 86_400))}`);
    expect(far.status).to.equal(400);
    expect(far.body.errors[0]).to.include({ parameter: "until" });
  });

  /** From the k-th quarter-hour after noon on, micro-euro per kWh. */
  const quarters = (first: number, ...prices: number[]) =>
    prices.map((price, k) => ({
      from: iso(NOON + (first + k) * 900),
      until: iso(NOON + (first + k + 1) * 900),
      pricePerKwhMicroEur: `${price}`,
    }));
});
