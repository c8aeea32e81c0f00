/** What the pages compute by themselves, without a browser: wishes, amounts, quantities in words. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { AbiCoder, keccak256, toUtf8Bytes } from "ethers";
import fc from "fast-check";
import { prepareZXingModule, readBarcodes } from "zxing-wasm/reader";
import { epochSecond } from "../../backend/domain/units.ts";
import { chargingRequest } from "../../backend/http/schemas.ts";
import { termsOfBody } from "../../backend/http/wishes.ts";
import { receiptText } from "../../backend/settlement/receipt.ts";
import { qrOf } from "../../web/cockpit/qr.ts";
import { isGenuine } from "../../web/driver/bill.ts";
import { evseOf, placeOf } from "../../web/driver/evse.ts";
import { VEHICLES } from "../../web/driver/vehicles.ts";
import {
  firstWish,
  inSeconds,
  kmOf,
  localText,
  needWhOf,
  requestOf,
  tomorrowAt,
  type Wish,
} from "../../web/driver/wish.ts";
import { microEurOf } from "../../web/euros.ts";
import { formatIn } from "../../web/format.ts";
import { randomReceipt } from "../settlement/receipts.ts";

const PREFERENCES = {
  optIn: true,
  energyNeedWh: null,
  stayS: null,
  batteryWh: null,
  targetPercent: null,
  cannotPause: false,
};
const NOW = new Date("2026-11-21T10:07:30Z");
const wishOf = (part: Partial<Wish> = {}): Wish => ({ ...firstWish(PREFERENCES, NOW), ...part });
/** What the API makes of a wish. */
const asked = (wish: Wish) => {
  const body = chargingRequest.parse(requestOf(wish));
  return termsOfBody(body, epochSecond(Math.floor(NOW.getTime() / 1000)), null);
};

describe("The pages: a wish", () => {
  const zone = process.env.TZ;
  afterEach(() => {
    if (zone === undefined) delete process.env.TZ;
    else process.env.TZ = zone;
  });

  it("says the energy that the API makes of it, to the Wh", () => {
    const battery = fc.record({
      batteryWh: fc.constantFrom(...VEHICLES.map((one) => one.batteryWh), 1001, 50_000, 299_999),
      fromPercent: fc.integer({ min: 0, max: 99 }),
      more: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(battery, ({ batteryWh, fromPercent, more }) => {
        const toPercent = Math.min(100, fromPercent + more);
        const wish = wishOf({ by: "soc", batteryWh, fromPercent, toPercent });
        expect(needWhOf(wish)).to.equal(asked(wish).energyNeedWh);
      }),
      { numRuns: 2000 },
    );
    for (const energyKwh of [2, 7.3, 20, 80]) {
      const wish = wishOf({ energyKwh });
      expect(needWhOf(wish)).to.equal(asked(wish).energyNeedWh);
    }
  });

  it("knows no energy while the battery is not known, and none for a target below the start", () => {
    expect(needWhOf(wishOf({ by: "soc", batteryWh: null }))).to.equal(null);
    expect(needWhOf(wishOf({ by: "soc", batteryWh: 50_000, fromPercent: 80, toPercent: 60 }))).to.equal(0);
  });

  it("is a request that the API accepts, with everything that was said in it", () => {
    process.env.TZ = "Europe/Berlin";
    const first = { energyKwh: 5, by: "2026-11-21T13:00" };
    expect(asked(wishOf({ energyKwh: 12, departure: "2026-11-21T18:30", first }))).to.deep.equal({
      energyNeedWh: 12_000,
      departsAt: Date.parse("2026-11-21T17:30:00Z") / 1000,
      first: { wh: 5000, by: Date.parse("2026-11-21T12:00:00Z") / 1000 },
    });
    const soc = wishOf({
      by: "soc",
      batteryWh: 60_000,
      fromPercent: 30,
      toPercent: 70,
      strategy: "fastest",
      departure: "",
    });
    expect(asked(soc)).to.deep.include({ soonest: true, battery: { wh: 60_000, percent: 30 } });
    // Without a battery of its own the API takes the one of the preferences.
    expect(chargingRequest.parse(requestOf({ ...soc, batteryWh: null })).soc).to.deep.equal({
      fromPercent: 30,
      toPercent: 70,
    });
    expect(chargingRequest.safeParse(requestOf(wishOf({ departure: "" }))).success).to.equal(false);
  });

  it("begins with what the driver usually wishes, else with 20 kWh in four hours", () => {
    process.env.TZ = "UTC";
    expect(firstWish(PREFERENCES, NOW)).to.include({ energyKwh: 20, departure: "2026-11-21T14:15", batteryWh: null });
    const usual = { ...PREFERENCES, energyNeedWh: 7600, stayS: 3600, batteryWh: 52_000, cannotPause: true };
    expect(firstWish(usual, NOW)).to.include({
      ...{ by: "energy", energyKwh: 8, departure: "2026-11-21T11:15", batteryWh: 52_000, cannotPause: true },
    });
    expect(firstWish({ ...usual, targetPercent: 90 }, NOW)).to.include({ by: "soc", fromPercent: 40, toPercent: 90 });
    expect(firstWish({ ...usual, targetPercent: 30 }, NOW)).to.include({ fromPercent: 29, toPercent: 30 });
  });

  it("counts hours on the clock, also in the night in which it is set back", () => {
    process.env.TZ = "Europe/Berlin";
    expect(localText(new Date("2026-10-24T22:05:00Z"))).to.equal("2026-10-25T00:05");
    // 25 October has 25 hours: four hours after midnight it is three.
    expect(inSeconds(new Date("2026-10-24T22:00:00Z"), 4 * 3600)).to.equal("2026-10-25T03:00");
    expect(inSeconds(new Date("2026-10-24T22:00:01Z"), 0)).to.equal("2026-10-25T00:15");
    expect(tomorrowAt(new Date("2026-10-24T18:00:00Z"), 7)).to.equal("2026-10-25T07:00");
    expect(tomorrowAt(new Date("2026-10-25T02:00:00Z"), 7)).to.equal("2026-10-25T07:00");
    expect(tomorrowAt(new Date("2026-10-25T06:00:00Z"), 7)).to.equal("2026-10-26T07:00");
  });

  it("is worth about so many kilometres, on 5 km", () => {
    // 18 kWh in the battery are 100 km, 88 % of what the meter shows.
    expect([0, 20_455, 10_000, 50_000].map(kmOf)).to.deep.equal([0, 100, 50, 245]);
  });
});

describe("The pages: amounts that are typed", () => {
  it("become micro-euro to the last digit, with a comma or a point", () => {
    const typed = { "0.35": "350000", "0,35": "350000", "12": "12000000", " 1. ": "1000000", "0.000001": "1" };
    for (const [text, micro] of Object.entries(typed)) expect(microEurOf(text), text).to.equal(micro);
    expect(microEurOf("999999999.999999")).to.equal("999999999999999");
  });

  it("are none where they are not plainly one", () => {
    for (const text of ["", ".5", "-1", "1e3", "1.2.3", "1,000.00", "0.1234567", "1234567890", "EUR 1", "१"])
      expect(microEurOf(text), text).to.equal(null);
  });
});

describe("The pages: a charge point's code", () => {
  it("leads to the charge point, whatever its label, from any address of ours", () => {
    for (const id of ["DE*ABC*E123", "a b", "50%", "ä/ö?#", "north-1-1"]) {
      expect(evseOf(placeOf(id)), id).to.equal(id);
      expect(evseOf(`https://charge.example${placeOf(id)}?from=code#top`), id).to.equal(id);
    }
    expect(evseOf("  north-1-1\n")).to.equal("north-1-1");
  });

  it("is printed so that the scanner of the pages reads the address of its page", async () => {
    const wasmBinary = new Uint8Array(
      readFileSync(fileURLToPath(import.meta.resolve("zxing-wasm/reader/zxing_reader.wasm"))),
    );
    prepareZXingModule({ overrides: { wasmBinary: wasmBinary.buffer } });
    for (const id of ["north-1-1", "DE*ABC*E12345*6", "Straße 7/ä", "x".repeat(200)]) {
      const address = `https://charge.example${placeOf(id)}`;
      const [code] = await readBarcodes(pictureOf(qrOf(address)), { formats: ["QRCode"] });
      expect(code?.text, id).to.equal(address);
      // Readers want four light squares around it.
      const corners = [...qrOf(address).path.matchAll(/M(\d+) (\d+)/g)].flatMap(([, x, y]) => [Number(x), Number(y)]);
      expect([Math.min(...corners), Math.max(...corners)], id).to.deep.equal([4, qrOf(address).size - 5]);
      expect(evseOf(code!.text), id).to.equal(id);
    }
  });

  it("that nobody encoded is taken as it is", () => {
    expect(evseOf("https://charge.example/charge/at/50%")).to.equal("50%");
    expect(evseOf("100%")).to.equal("100%");
  });
});

/** Black squares on white, four dots each way. */
function pictureOf({ path, size }: ReturnType<typeof qrOf>) {
  const width = 4 * size;
  const data = new Uint8ClampedArray(4 * width * width).fill(255);
  for (const [, column, row] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let y = 4 * Number(row); y < 4 * Number(row) + 4; y++)
      for (let x = 4 * Number(column); x < 4 * Number(column) + 4; x++)
        data.fill(0, 4 * (y * width + x), 4 * (y * width + x) + 3);
  return { data, width, height: width, colorSpace: "srgb", pixelFormat: "rgba-unorm8" } as never;
}

describe("The pages: a bill", () => {
  it("is genuine when text and salt give the leaf that the chain has, and only then", async () => {
    const receipt = receiptText(fc.sample(randomReceipt, { numRuns: 1, seed: 6 })[0]!);
    const salt = `0x${"5a".repeat(32)}`;
    const coder = AbiCoder.defaultAbiCoder();
    const inner = keccak256(coder.encode(["bytes32", "bytes32"], [salt, keccak256(toUtf8Bytes(receipt))]));
    const bill = { receipt, salt, detailHash: keccak256(inner) };
    expect(await isGenuine(bill)).to.equal(true);
    expect(await isGenuine({ ...bill, receipt: `${receipt} ` })).to.equal(false);
    expect(await isGenuine({ ...bill, salt: `0x${"5b".repeat(32)}` })).to.equal(false);
    expect(await isGenuine({ ...bill, detailHash: inner })).to.equal(false);
  });
});

describe("The pages: quantities in words", () => {
  const [en, de] = [formatIn("en", "Europe/Berlin"), formatIn("de", "Europe/Berlin")];
  /** Narrow spaces and those that do not break are spaces to a reader. */
  const both = (say: (f: typeof en) => string) =>
    [say(en), say(de)].map((text) => text.replaceAll(/[\u00a0\u2009\u202f]/g, " "));

  it("writes power and energy in kilo, with one digit while it matters", () => {
    expect(both((f) => f.kw(7360))).to.deep.equal(["7.4 kW", "7,4 kW"]);
    expect(both((f) => f.kw(-1000))).to.deep.equal(["-1.0 kW", "-1,0 kW"]);
    expect(both((f) => f.kw(1_234_567))).to.deep.equal(["1,235 kW", "1.235 kW"]);
    expect(both((f) => f.kwh(12_345))).to.deep.equal(["12.3 kWh", "12,3 kWh"]);
    expect(both((f) => f.kwh(0))).to.deep.equal(["0.0 kWh", "0,0 kWh"]);
    expect(both((f) => f.percent(0.256))).to.deep.equal(["26 %", "26 %"]);
  });

  it("writes micro-euro as money, and prices to a hundredth of a cent", () => {
    expect(both((f) => f.euro("5687500"))).to.deep.equal(["€5.69", "5,69 €"]);
    expect(both((f) => f.euro(1_234_500_000n))).to.deep.equal(["€1,234.50", "1.234,50 €"]);
    expect(both((f) => f.euroFine(3100))).to.deep.equal(["€0.0031", "0,0031 €"]);
    expect(both((f) => f.price("350000"))).to.deep.equal(["€0.35/kWh", "0,35 €/kWh"]);
  });

  it("says the time, and the day where it is not today, on the clock of the place", () => {
    const now = new Date("2026-11-21T10:00:00Z");
    expect(both((f) => f.when("2026-11-21T22:30:00Z", now))).to.deep.equal(["23:30", "23:30"]);
    // In Berlin it is the 22nd already.
    expect(both((f) => f.when("2026-11-21T23:30:00Z", now))).to.deep.equal([
      "Sun 22 Nov, 00:30",
      "So., 22. Nov., 00:30",
    ]);
  });

  it("says from which to which day something lasted", () => {
    expect(both((f) => f.days("2020-01-20T00:00:00Z", "2020-02-01T23:00:00Z"))).to.deep.equal([
      "20 Jan – 1 Feb 2020",
      "20.01. – 01.02.2020",
    ]);
  });

  it("says how long something lasts in hours and minutes", () => {
    const texts = [0, 29, 60, 3600, 4800, -5400, 90_000].map(en.lasting);
    expect(texts).to.deep.equal(["0 min", "0 min", "1 min", "1 h", "1 h 20 min", "1 h 30 min", "25 h"]);
  });

  it("shortens what only machines read", () => {
    expect(en.short(`0x${"12".repeat(20)}`)).to.equal("0x121212…121212");
    expect(en.short("0x1234")).to.equal("0x1234");
  });
});
