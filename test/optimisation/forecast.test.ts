import { expect } from "chai";
import {
  createForecaster,
  createSeries,
  forecastSlots,
  lowerQuantile,
  upperQuantile,
} from "../../backend/optimisation/forecast.ts";
import { near } from "../support/near.ts";
import { randomFrom } from "../support/problems.ts";

describe("persistence", () => {
  const yesterday = new Map(Array.from({ length: 96 }, (_, slot) => [slot, 1_000 + slot]));

  it("is the value of 24 h ago where today goes like yesterday", () => {
    expect(forecastSlots(yesterday, { nowSlot: 96, horizonSlots: 3, currentW: 1_000 })).to.deep.equal([
      1_000, 1_001, 1_002,
    ]);
  });

  it("adds what the latest measurement differs, fading out over eight slots", () => {
    const forecast = forecastSlots(yesterday, { nowSlot: 96, horizonSlots: 10, currentW: 1_800 });
    expect(forecast).to.deep.equal([1_800, 1_701, 1_602, 1_503, 1_404, 1_305, 1_206, 1_107, 1_008, 1_009]);
  });

  it("takes the last complete slot as the latest measurement when there is no reading of the current one", () => {
    const history = new Map([...yesterday, [96, 1_800]]);
    expect(forecastSlots(history, { nowSlot: 97, horizonSlots: 2 })).to.deep.equal([1_701, 1_602]);
  });

  it("repeats yesterday for days further ahead, and skips a day without data", () => {
    expect(forecastSlots(yesterday, { nowSlot: 96, horizonSlots: 200, currentW: 1_000 }).at(-1)).to.equal(
      1_000 + (199 % 96),
    );
    expect(forecastSlots(yesterday, { nowSlot: 192, horizonSlots: 1, currentW: 1_000 })).to.deep.equal([1_000]);
    expect(forecastSlots(yesterday, { nowSlot: 192, horizonSlots: 10, currentW: 1_000 })[9]).to.equal(1_009);
  });

  it("is the current value before 24 h of history, never negative, and 0 when nothing is known", () => {
    expect(forecastSlots(new Map([[4, 700]]), { nowSlot: 5, horizonSlots: 3 })).to.deep.equal([700, 700, 700]);
    expect(forecastSlots(yesterday, { nowSlot: 96, horizonSlots: 2, currentW: 0 })).to.deep.equal([0, 126]);
    expect(
      forecastSlots(
        new Map([
          [0, 5_000],
          [96, 0],
        ]),
        { nowSlot: 97, horizonSlots: 1 },
      ),
    ).to.deep.equal([0]); // prettier-ignore
    expect(forecastSlots(new Map(), { nowSlot: 5, horizonSlots: 2 })).to.deep.equal([0, 0]);
  });
});

describe("order statistics", () => {
  it("take the next rank up, so that few samples are judged with care", () => {
    const hundred = Array.from({ length: 99 }, (_, k) => k + 1);
    expect(upperQuantile(hundred, 950)).to.equal(95);
    expect(lowerQuantile(hundred, 950)).to.equal(5);
    expect(upperQuantile([1, 2, 3], 950)).to.equal(3);
    expect(lowerQuantile([1, 2, 3], 950)).to.equal(1);
    expect(upperQuantile([], 950)).to.equal(undefined);
  });
});

describe("error memory", () => {
  it("keeps the errors of the forecasts that would have been made then", () => {
    const series = createSeries(995); // of 96 errors the largest
    for (let slot = 0; slot < 96; slot++) series.fold(slot, 1_000);
    expect(series.marginW(1, 1)).to.equal(0);
    series.fold(96, 3_000); // 2,000 W above every forecast, whenever it was made
    expect(series.marginW(1, 1)).to.equal(2_000);
    expect(series.marginW(1, -1)).to.equal(0);
  });

  it("covers about the share that was asked for, on a load whose errors look alike", () => {
    const missed = { upper: 0, lower: 0, of: 0 };
    const random = randomFrom(5);
    const load = Array.from(
      { length: 96 * 30 },
      (_, s) => 20_000 + 5_000 * Math.sin((s / 96) * 2 * Math.PI) + 4_000 * random(),
    );
    const series = createSeries(900);
    for (const [slot, w] of load.entries()) {
      if (slot > 96 * 10 && slot % 7 === 0) {
        for (const k of [1, 4, 20, 90]) {
          const truth = load[slot + k];
          if (truth === undefined) continue;
          const forecast = series.forecast({ nowSlot: slot, horizonSlots: k + 1 })[k]!;
          missed.of++;
          if (truth > forecast + series.marginW(k + 1, 1)) missed.upper++;
          if (truth < forecast - series.marginW(k + 1, -1)) missed.lower++;
        }
      }
      series.fold(slot, w);
    }
    expect(missed.upper / missed.of).to.be.within(0.03, 0.11);
    expect(missed.lower / missed.of).to.be.within(0.03, 0.11);
  });

  it("gives the same bounds whether folded slot by slot or rebuilt from history, and ignores repeats", () => {
    const random = randomFrom(3);
    const means = Array.from({ length: 400 }, (_, slot) => ({
      slot,
      demandW: random() * 9_000,
      productionW: random() * 4_000,
    }));
    const live = createForecaster();
    const at = { nowSlot: 400, horizonSlots: 96, current: { demandW: 500, productionW: 100 } };
    for (const mean of means) {
      live.fold(mean);
      if (mean.slot > 250) live.conservative({ ...at, nowSlot: mean.slot + 1 });
    }
    live.fold({ slot: 10, demandW: 1e9, productionW: 1e9 });
    expect(live.lastSlot()).to.equal(399);
    expect(live.conservative(at)).to.deep.equal(createForecaster(means).conservative(at));
    expect(live.expected(at)).to.deep.equal(createForecaster(means).expected(at));
  });
});

describe("error memory and bounds, by the definition", () => {
  const random = randomFrom(11);
  const means = Array.from({ length: 330 }, (_, slot) => ({
    slot: 5_000 + slot,
    demandW: Math.round(20_000 + 9_000 * Math.sin(slot / 15) + 6_000 * random()),
    productionW: Math.round(Math.max(0, 9_000 * Math.sin(slot / 15.3) + 5_000 * random())),
  })).filter(({ slot }) => slot % 41 !== 0);
  const next = 5_330;

  /** Errors of all forecasts made `horizon` slots before, each from what was known then. */
  function errorsAt(series: ReadonlyMap<number, number>, horizon: number): number[] {
    return [...series].flatMap(([slot, w]) => {
      if (!series.has(slot - horizon)) return [];
      const known = new Map([...series].filter(([s]) => s <= slot - horizon));
      return [w - forecastSlots(known, { nowSlot: slot - horizon + 1, horizonSlots: horizon })[horizon - 1]!];
    });
  }
  /** The k-th smallest so that at least a share q of the next ones is expected below it. */
  const upper = (values: readonly number[], q: number) =>
    [...values].sort((a, b) => a - b)[Math.min(values.length, Math.ceil((values.length + 1) * q)) - 1]!;
  const negated = (values: readonly number[]) => values.map((v) => -v);

  for (const name of ["demandW", "productionW"] as const) {
    it(`keeps the margins of ${name}`, () => {
      const series = new Map(means.map((mean) => [mean.slot, mean[name]]));
      const kept = createSeries(900);
      for (const [slot, w] of series) kept.fold(slot, w);
      const buckets = [1, 2, 4, 8, 16, 32, 96, 192].map((horizon) => errorsAt(series, horizon));
      for (const [horizon, count] of [
        [1, 1],
        [2, 2],
        [3, 3],
        [5, 4],
        [17, 6],
        [96, 7],
        [97, 8],
        [500, 8],
      ] as const) {
        // prettier-ignore
        const used = buckets.slice(0, count);
        expect(kept.marginW(horizon, 1)).to.equal(Math.max(0, ...used.map((errors) => Math.round(upper(errors, 0.9)))));
        const lower = used.map((errors) => Math.round(upper(negated(errors), 0.9)));
        expect(kept.marginW(horizon, -1)).to.satisfy(near(Math.max(0, ...lower), 1));
      }
    });
  }

  it("bounds demand by forecast and usual high, PV by forecast and usual low", () => {
    const forecaster = createForecaster(means, 900);
    const demand = createSeries(900);
    const production = createSeries(900);
    for (const mean of means) {
      demand.fold(mean.slot, mean.demandW);
      production.fold(mean.slot, mean.productionW);
    }
    const at = { nowSlot: next, horizonSlots: 150, current: { demandW: 21_000, productionW: 3_000 } };
    const expected = forecaster.expected(at);
    const bounds = forecaster.conservative(at);
    const usual = { raised: 0, lifted: 0 };
    for (let k = 0; k < 150; k++) {
      const near = means.filter(({ slot }) => [-2, -1, 0, 1, 2].some((d) => (next + k + d - slot) % 96 === 0));
      const high = upper(
        near.map((mean) => mean.demandW),
        0.9,
      );
      const low = -upper(negated(near.map((mean) => mean.productionW)), 0.9);
      const highest = expected.demandW[k]! + demand.marginW(k + 1, 1);
      const lowest = Math.max(0, expected.productionW[k]! - production.marginW(k + 1, -1));
      expect(bounds.demandW[k]).to.equal(k < 3 ? highest : Math.max(highest, high));
      expect(bounds.productionW[k]).to.equal(
        k < 3 ? lowest : Math.max(lowest, Math.min(expected.productionW[k]!, low)),
      );
      if (k >= 3 && high > highest) usual.raised++;
      if (k >= 3 && low > lowest) usual.lifted++;
    }
    expect(Math.min(usual.raised, usual.lifted)).to.be.greaterThan(5);
  });

  it("works without a reading of the current slot", () => {
    const forecaster = createForecaster(means, 900);
    const at = { nowSlot: next, horizonSlots: 5 };
    const demand = new Map(means.map((mean) => [mean.slot, mean.demandW]));
    expect(forecaster.expected(at).demandW).to.deep.equal(forecastSlots(demand, at));
    expect(createForecaster().conservative(at)).to.deep.equal({
      demandW: [0, 0, 0, 0, 0],
      productionW: [0, 0, 0, 0, 0],
    });
  });

  it("forgets what is older than its memory", () => {
    const series = createSeries(999);
    for (let slot = 0; slot < 200; slot++) series.fold(slot, slot === 150 ? 50_000 : 1_000);
    expect(series.marginW(1, 1)).to.equal(49_000);
    expect(series.usualW(150)).to.deep.equal({ lowW: 1_000, highW: 50_000 });
    for (let slot = 200; slot < 200 + 18 * 96; slot++) series.fold(slot, 1_000);
    expect(series.marginW(1, 1)).to.equal(0);
    expect(series.usualW(150)).to.deep.equal({ lowW: 1_000, highW: 1_000 });
  });
});

describe("conservative bounds", () => {
  const workday = (hour: number) => (hour >= 7 && hour < 17 ? 40_000 : 6_000);
  const means = (days: number, loadW: (day: number, hour: number) => number) =>
    Array.from({ length: days * 96 }, (_, slot) => ({
      slot,
      demandW: loadW(Math.floor(slot / 96), (slot % 96) / 4),
      productionW: (slot % 96) / 4 >= 9 && (slot % 96) / 4 < 15 ? (Math.floor(slot / 96) % 2 ? 30_000 : 10_000) : 0,
    }));

  it("expect a working day after a weekend although yesterday was quiet", () => {
    const history = means(7, (day, hour) => (day < 5 ? workday(hour) : 6_000)); // Monday to Sunday
    const early = { nowSlot: 7 * 96 + 20, horizonSlots: 40, current: { demandW: 6_000, productionW: 0 } };
    const forecaster = createForecaster(history);
    expect(forecaster.expected(early).demandW[20]).to.equal(6_000);
    expect(forecaster.conservative(early).demandW[20]).to.be.at.least(40_000);
  });

  it("never put demand below or PV above the forecast, nor PV below 0", () => {
    const forecaster = createForecaster(means(6, (_, hour) => workday(hour)));
    const at = { nowSlot: 6 * 96 + 30, horizonSlots: 96, current: { demandW: 35_000, productionW: 500 } };
    const [expected, bounds] = [forecaster.expected(at), forecaster.conservative(at)];
    for (let k = 0; k < 96; k++) {
      expect(bounds.demandW[k]).to.be.at.least(expected.demandW[k]!);
      expect(bounds.productionW[k]).to.be.within(0, expected.productionW[k]!);
    }
  });

  it("keep a quarter of the load free and rely on no PV to come while errors are too few for a quantile", () => {
    const series = Array.from({ length: 40 }, (_, slot) => ({ slot, demandW: 4_000, productionW: 3_000 }));
    const bounds = (known: number) =>
      createForecaster(series.slice(0, known)).conservative({ nowSlot: known, horizonSlots: 4 });
    expect(bounds(1)).to.deep.equal({ demandW: [5_000, 5_000, 5_000, 5_000], productionW: [3_000, 0, 0, 0] });
    // 95 % need 19 errors: at one slot ahead those are there after 20 slots, at two after 21, at four after 23.
    expect(bounds(19).demandW).to.deep.equal([5_000, 5_000, 5_000, 5_000]);
    expect(bounds(20)).to.deep.equal({ demandW: [4_000, 5_000, 5_000, 5_000], productionW: [3_000, 0, 0, 0] });
    expect(bounds(21).demandW).to.deep.equal([4_000, 4_000, 5_000, 5_000]);
    expect(bounds(23)).to.deep.equal({
      demandW: [4_000, 4_000, 4_000, 4_000],
      productionW: [3_000, 3_000, 3_000, 3_000],
    });
  });

  it("count on the PV that even the darkest remembered day had", () => {
    const forecaster = createForecaster(means(6, (_, hour) => workday(hour)));
    const noon = forecaster.conservative({
      nowSlot: 6 * 96 + 20,
      horizonSlots: 40,
      current: { demandW: 6_000, productionW: 0 },
    });
    expect(noon.productionW[48 - 20]).to.equal(10_000);
  });
});
