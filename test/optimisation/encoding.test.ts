import { expect } from "chai";
import { wattHour } from "../../backend/domain/units.ts";
import {
  decodeProblem,
  decodeSigned64,
  decodeX,
  encodeProblem,
  encodeW,
  encodeX,
  encodeY,
} from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import { aCar, anInterval, aProblem, randomFrom, randomProblem } from "../support/problems.ts";

const SALT = Uint8Array.from({ length: 32 }, (_, k) => k);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("bytes of a run", () => {
  const problem = aProblem({
    cars: [aCar({ session: 258, row: 3, needWh: wattHour(70_000), moreWh: wattHour(5), from: 1, to: 2 })],
    intervals: [anInterval(), anInterval({ price: -1 as never })],
  });

  it("writes header, car and interval at their fixed places, big-endian", () => {
    const p = hex(encodeProblem(problem, SALT));
    expect(p).to.equal(
      [
        hex(SALT),
        "01", // version
        "00000007", // group
        "001de200", // slot 1,958,400
        "00690e8800", // at 1,762,560,000
        "0001", // cars
        "0002", // intervals
        "0bb8", // scale 3,000
        "00000001", // early
        "00989680", // voll 10,000,000
        "001e8480", // extra 2,000,000
        ["00000102", "0003", "00", "011170", "000005", "002af8", "0001", "0002"].join(""),
        ["0384", "00002710", "00000000", "00000000", "00000000", "0000ea60", "00030d40"].join(""),
        ["0384", "00002710", "00000000", "00000000", "00000000", "0000ea60", "ffffffff"].join(""),
      ].join(""),
    );
  });

  it("comes back the same from decoding, for random problems and their plans", () => {
    for (let seed = 0; seed < 300; seed++) {
      const problem = randomProblem(seed);
      const random = randomFrom(seed);
      const salt = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256));
      const decoded = decodeProblem(encodeProblem(problem, salt));
      expect(decoded).to.deep.equal({ problem, salt });
      const plan = leastCost(problem);
      expect(decodeX(problem, encodeX(problem, plan))).to.deep.equal(plan.energyWh);
      expect(decodeSigned64(encodeY(plan))).to.deep.equal(plan.certificate?.y);
      expect(decodeSigned64(encodeW(plan))).to.deep.equal(plan.certificate?.w);
    }
  });

  it("writes negative duals in two's complement and refuses what does not fit i64", () => {
    expect(hex(encodeY({ certificate: { y: [-2n], w: [] } }))).to.equal("fffffffffffffffe");
    expect(() => encodeW({ certificate: { y: [], w: [2n ** 63n] } })).to.throw(RangeError, "w[0]");
  });

  it("names the field that does not fit", () => {
    const car = problem.cars[0]!;
    const withCar = (part: object) => () => encodeProblem({ ...problem, cars: [{ ...car, ...part }] }, SALT);
    expect(withCar({ powerW: 2 ** 24 })).to.throw(RangeError, "session 258: powerW is 16777216");
    expect(withCar({ needWh: -1 })).to.throw(RangeError, "session 258: needWh");
    expect(withCar({ moreWh: 1.5 })).to.throw(RangeError, "session 258: moreWh");
    expect(withCar({ to: 3 })).to.throw(RangeError, "stay [1, 3)");
    expect(withCar({ from: 2 })).to.throw(RangeError, "stay [2, 2)");
    const dear = { ...problem, intervals: [anInterval({ price: (2 ** 31) as never })] };
    expect(() => encodeProblem({ ...dear, cars: [] }, SALT)).to.throw(RangeError, "interval 0: price");
    expect(() => encodeX(problem, { energyWh: [[2 ** 24]] })).to.throw(RangeError, "session 258, interval 1: Wh");
    expect(() => encodeProblem(problem, SALT.subarray(1))).to.throw(RangeError, "salt");
  });

  it("refuses bytes of another length, version, order or with reserved bytes set", () => {
    const two = { ...problem, cars: [problem.cars[0]!, { ...problem.cars[0]!, session: 259 }] };
    const p = encodeProblem(two, SALT);
    const changed = (at: number, value: number) => () =>
      decodeProblem(Uint8Array.from(p, (b, k) => (k === at ? value : b)));
    expect(() => decodeProblem(p.subarray(0, p.length - 1))).to.throw(RangeError);
    expect(() => decodeProblem(Uint8Array.from([...p, 0]))).to.throw(RangeError);
    expect(changed(32, 2)).to.throw(RangeError, "version 2");
    expect(changed(64 + 6, 1)).to.throw(RangeError, "feeder 1");
    expect(changed(64 + 20 + 3, 2)).to.throw(RangeError, "must ascend");
    expect(() => decodeX(problem, new Uint8Array(4))).to.throw(RangeError);
  });
});
