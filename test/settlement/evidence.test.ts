import { expect } from "chai";
import fc from "fast-check";
import type { MeterReading } from "../../backend/domain/meters.ts";
import type { ChargingSession } from "../../backend/domain/sessions.ts";
import { epochSecond, watt, wattHour } from "../../backend/domain/units.ts";
import { changedReading, readingSums, readingsText } from "../../backend/settlement/evidence.ts";

const session = { pluggedAt: epochSecond(1_760_000_000), startRegisterWh: wattHour(900_000_000) } as ChargingSession;

/** A stay of up to nine days, a reading every ten seconds at most. */
const someReadings = fc
  .array(fc.record({ after: fc.integer({ min: 10, max: 90 }), wh: fc.nat(300), powerW: fc.nat(22_000) }), {
    minLength: 1,
    maxLength: 400,
  })
  .map((steps) => {
    let [at, registerWh]: number[] = [session.pluggedAt, session.startRegisterWh];
    return steps.map(({ after, wh, powerW }): MeterReading => {
      at! += after;
      registerWh! += wh;
      return { sessionId: "s", at: epochSecond(at!), registerWh: wattHour(registerWh!), powerW: watt(powerW) };
    });
  });

describe("Evidence of a bill", () => {
  it("names the one reading that was changed, whichever value and by how much", () => {
    fc.assert(
      fc.property(
        someReadings,
        fc.nat(),
        fc.constantFrom("at", "registerWh", "powerW"),
        fc.integer({ min: -5_000, max: 5_000 }),
        (readings, place, key, by) => {
          fc.pre(by !== 0);
          const index = place % readings.length;
          const tampered = readings.map((one, i) => (i === index ? { ...one, [key]: one[key] + by } : one));
          expect(readingsText(tampered)).not.to.equal(readingsText(readings));
          const sums = readingSums(session, readings);
          expect(changedReading(sums, session, tampered as MeterReading[])).to.equal(tampered[index]);
        },
      ),
    );
  });

  it("names none when two were changed, one came or one went", () => {
    const reading = (at: number, registerWh: number): MeterReading => ({
      ...{ sessionId: "s", at: epochSecond(session.pluggedAt + at), powerW: watt(7_000) },
      registerWh: wattHour(session.startRegisterWh + registerWh),
    });
    const readings = [reading(60, 100), reading(120, 200), reading(180, 300), reading(240, 400)];
    const sums = readingSums(session, readings);
    expect(changedReading(sums, session, readings.slice(1))).to.equal(null);
    expect(changedReading(sums, session, [...readings, reading(300, 500)])).to.equal(null);
    const two = [readings[0]!, reading(120, 201), readings[2]!, reading(240, 398)];
    expect(changedReading(sums, session, two)).to.equal(null);
  });

  it("keeps its sums whole for the longest stay at ten-second readings and a register that never rests", () => {
    const count = (9 * 86_400) / 10;
    const readings = Array.from(
      { length: count },
      (_, i): MeterReading => ({
        ...{ sessionId: "s", at: epochSecond(session.pluggedAt + 10 * i), powerW: watt(22_000) },
        registerWh: wattHour(session.startRegisterWh + 61 * i),
      }),
    );
    for (const sum of readingSums(session, readings)) expect(Number.isSafeInteger(sum)).to.equal(true);
  });
});
