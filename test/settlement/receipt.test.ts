import { expect } from "chai";
import { concat, keccak256, toUtf8Bytes } from "ethers";
import fc from "fast-check";
import { microEurPerKwh, wattHour } from "../../backend/domain/units.ts";
import type { Circumstances } from "../../backend/flexibility/calculator.ts";
import { slotIntervals } from "../../backend/flexibility/intervals.ts";
import { flexFaults } from "../../backend/flexibility/recheck.ts";
import { leafPreimage, parseReceipt, type Receipt, receiptText } from "../../backend/settlement/receipt.ts";
import { receiptFaults } from "../../backend/settlement/recheck.ts";
import { at, limitOf, seriesOf, stayOf } from "../flexibility/sessions.ts";
import { randomReceipt, receiptOf } from "./receipts.ts";

/** 20,000 Wh promised by 4 h, 16,000 in time, 1,000 not drawn though allowed, 18,500 at unplug, 0.35 EUR/kWh. */
const example = (): Receipt => {
  // 5 kW allowed all the time; the car draws 4 kW for one hour, then nothing is offered until it is late.
  const series = seriesOf([
    [0, 100],
    [3_600, 4_100],
    [12_240, 16_100],
    [14_400, 16_100],
    [18_000, 18_600],
  ]);
  const limit = limitOf([0, 5_000], [12_240, 0], [14_400, 2_500]);
  const circumstances = slotIntervals(...stayOf(series)).map(
    (interval): Circumstances => ({
      ...interval,
      value: microEurPerKwh(80_000),
      order: null,
      surplus: false,
      limitExcessWh: 0,
      limitReducibleWh: 0,
    }),
  );
  const promise = { energyWh: 20_000, by: at(14_400), orderWh: 0, outageWh: 0, operatorWh: 0 };
  return receiptOf({ series, limit, circumstances }, { pricePerKwh: 350_000, fee: 0n, rewarded: true, promise });
};

type Path = readonly (string | number)[];
/** Paths of all plain values; a receipt without a promise has none in it. */
const leaves = (value: unknown, path: Path = []): Path[] =>
  typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) =>
        leaves(inner, [...path, Array.isArray(value) ? Number(key) : key]),
      )
    : path[0] === "promise" && path.length === 1
      ? []
      : [path];
const other = (value: unknown): unknown => {
  if (typeof value === "number") return value + 1;
  if (typeof value === "bigint") return value + 1n;
  if (typeof value === "boolean") return !value;
  return typeof value === "string" ? `${value}x` : "x";
};
const changed = (receipt: Receipt, path: Path): Receipt => {
  const copy = structuredClone(receipt) as unknown as Record<string | number, unknown>;
  let place = copy;
  for (const step of path.slice(0, -1)) place = place[step] as Record<string | number, unknown>;
  const last = path[path.length - 1]!;
  place[last] = other(place[last]);
  return copy as unknown as Receipt;
};
const faults = (receipt: Receipt) => [...receiptFaults(receipt), ...flexFaults(receipt.flex)];
/** Only what a receipt keeps of a flexibility. */
const kept = (receipt: Receipt): Receipt => parseReceipt(receiptText(receipt));

describe("A receipt", () => {
  it("of the broken promise says who caused it and what it cost: 787,500 micro-euro off a bill of 6,475,000", () => {
    const receipt = example();
    expect(receipt.promise).to.deep.include({
      outcome: "short",
      missingWh: 4_000,
      missingAtUnplugWh: 1_500,
      shares: { driverWh: 0, vehicleWh: 1_000, orderWh: 0, outageWh: 0, operatorWh: 0, systemWh: 3_000 },
      compensation: { amountMicroEur: 787_500n, missingWh: 1_500, lateWh: 1_500, pricePerKwh: 350_000 },
    });
    expect(receipt.amountMicroEur).to.equal(5_687_500n);
    expect(faults(receipt)).to.deep.equal([]);
  });

  it("is read back as it was written, money as bigint, and says nothing else", () => {
    fc.assert(
      fc.property(randomReceipt, (receipt) => {
        const text = receiptText(receipt);
        const again = parseReceipt(text);
        expect(receiptText(again)).to.equal(text);
        const {
          method: _m,
          movedWh: _w,
          downWh: _d,
          upWh: _u,
          ...flex
        } = receipt.flex as unknown as Record<string, unknown>;
        expect(again).to.deep.equal({ ...receipt, flex });
      }),
    );
  });

  it("changes its text with every single value", () => {
    fc.assert(
      fc.property(randomReceipt, (receipt) => {
        const mine = kept(receipt);
        const text = receiptText(mine);
        const texts = leaves(mine).map((path) => receiptText(changed(mine, path)));
        expect(texts.length).to.be.above(40);
        expect(new Set([text, ...texts]).size).to.equal(texts.length + 1);
      }),
      { numRuns: 20 },
    );
  });

  it("is refused when its text is not canonical, has a strange or missing field, or a wrong value", () => {
    const text = receiptText(example());
    const value = JSON.parse(text);
    expect(() => parseReceipt(` ${text}`)).to.throw(/not canonical/);
    expect(() => parseReceipt(JSON.stringify({ ...value, extra: 1 }))).to.throw(/\$\.extra is no field/);
    expect(() => parseReceipt(JSON.stringify({ ...value, session: undefined }))).to.throw(/\$\.session is undefined/);
    expect(() => parseReceipt(JSON.stringify({ ...value, session: 1.5 }))).to.throw(/\$\.session is 1\.5/);
    expect(() => parseReceipt(JSON.stringify({ ...value, amountMicroEur: 5_687_500 }))).to.throw(/decimal string/);
    expect(() => parseReceipt(JSON.stringify({ ...value, amountMicroEur: "05" }))).to.throw(/decimal string/);
    expect(() => parseReceipt(JSON.stringify({ ...value, format: "other/1" }))).to.throw(/\$\.format/);
    const rows = [["x"], ...value.flex.rows.slice(1)];
    expect(() => parseReceipt(JSON.stringify({ ...value, flex: { ...value.flex, rows } }))).to.throw(
      /rows\[0\].*a list of 10/,
    );
  });

  it("gives a leaf that is OpenZeppelin's double hash of salt and text hash", () => {
    const salt = new Uint8Array(32).fill(7);
    const text = toUtf8Bytes(receiptText(example()));
    const inner = leafPreimage(salt, Buffer.from(keccak256(text).slice(2), "hex"));
    expect(keccak256(keccak256(inner))).to.equal(keccak256(keccak256(concat([salt, keccak256(text)]))));
    expect(() => leafPreimage(salt.slice(1), salt)).to.throw(/32 bytes/);
  });
});

describe("Rechecking a receipt", () => {
  it("finds nothing wrong with any receipt that was settled", () => {
    fc.assert(
      fc.property(randomReceipt, (receipt) => {
        expect(faults(kept(receipt))).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });

  it("finds every change of a value that others follow from", () => {
    // Names, a promise's terms and circumstances follow from nothing else in the receipt: the chain and the store hold them.
    const free =
      /^(format|methods|cpo|group|session|driver|settledAt|plan|evidence|tariff\.(id|number)|meter\.(readings|signedRecord)|promise\.(version|by|energyWh|fromRegisterWh|compensateOrders))/;
    const circumstance =
      /^flex\.(startsAt|powerW|rewarded|intervals\.\d+\.(allowedWh|value|up|down|limitExcessWh|limitReducibleWh))/;
    fc.assert(
      fc.property(randomReceipt, (receipt) => {
        const mine = kept(receipt);
        for (const path of leaves(mine)) {
          const name = path.join(".");
          if (free.test(name) || circumstance.test(name)) continue;
          // A promise that was kept has no shares that add up to the missing part.
          if (name === "promise.missingWh" && mine.promise?.outcome === "kept") continue;
          expect(faults(changed(mine, path)), name).to.not.deep.equal([]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("holds what was missing in time against the meter", () => {
    const receipt = kept(example());
    const missing = (missingWh: number) =>
      faults({ ...receipt, promise: { ...receipt.promise!, missingWh: wattHour(missingWh) } });
    expect(missing(4_001)).to.include("promise.missingWh is 4001, the meter leaves 4000 to 4000");
    expect(missing(3_999)).to.include("promise.missingWh is 3999, the meter leaves 4000 to 4000");
  });

  it("finds an interval that is missing", () => {
    const receipt = kept(example());
    const flex = { ...receipt.flex, intervals: receipt.flex.intervals.filter((_, t) => t !== 15) };
    expect(faults({ ...receipt, flex }).join()).to.match(/the stay went on at/);
  });
});
