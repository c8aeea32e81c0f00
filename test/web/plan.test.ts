/** What the cockpit computes for setting up a site and drawing its plan, without a browser. */
import { expect } from "chai";
import fc from "fast-check";
import { idsOf, membersOf, NO_POINTS, wattOf } from "../../web/cockpit/draft.ts";
import {
  type Bay,
  frameOf,
  layOut,
  middleOf,
  neighbour,
  onEarth,
  onPlane,
  scaleOf,
  shortNames,
  WAYS,
} from "../../web/cockpit/plan/plane.ts";
import { near } from "../support/near.ts";

/** On a sphere, m: another earth than the pages', which differs from theirs by less than half a percent. */
function haversineM(a: { latitude: number; longitude: number }, b: typeof a): number {
  const [p, q, dl] = [a.latitude, b.latitude, b.longitude - a.longitude].map(
    (degrees) => (degrees * Math.PI) / 180,
  ) as [number, number, number];
  const h = Math.sin((q - p) / 2) ** 2 + Math.cos(p) * Math.cos(q) * Math.sin(dl / 2) ** 2;
  return 2 * 6_371_008.8 * Math.asin(Math.sqrt(h));
}

describe("The plan of a site: degrees and metres", () => {
  const places = fc.record({
    latitude: fc.double({ min: -70, max: 70, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    x: fc.double({ min: -300, max: 300, noNaN: true }),
    y: fc.double({ min: -300, max: 300, noNaN: true }),
  });

  it("has the length of a degree from the tables", () => {
    // Length of a degree at 52.5 degrees on WGS 84: 111,277 m to the north, 67,910 m to the east.
    const middle = { latitude: 52.5, longitude: 4.5 };
    const { x, y } = onPlane({ latitude: 52.501, longitude: 4.501 }, middle);
    expect(x).to.satisfy(near(67.91, 0.01));
    expect(y).to.satisfy(near(-111.277, 0.01));
  });

  it("is as far from place to place as on a globe, anywhere", () => {
    fc.assert(
      fc.property(places, ({ latitude, longitude, x, y }) => {
        const middle = { latitude, longitude };
        const metres = Math.hypot(x, y);
        expect(haversineM(middle, onEarth({ x, y }, middle))).to.satisfy(near(metres, 0.02 + 0.006 * metres));
      }),
    );
  });

  it("comes back to the place within a centimetre, across the date line too", () => {
    fc.assert(
      fc.property(places, ({ latitude, longitude, x, y }) => {
        const middle = { latitude, longitude };
        const back = onPlane(onEarth({ x, y }, middle), middle);
        expect(Math.hypot(back.x - x, back.y - y)).to.be.below(0.012);
      }),
    );
    const east = onPlane({ latitude: 0, longitude: -179.9999 }, { latitude: 0, longitude: 179.9999 });
    expect(east.x).to.satisfy(near(0.0002 * 111_319.5, 0.01));
  });

  it("has its middle between its charge points", () => {
    expect(middleOf([])).to.equal(null);
    const [a, b] = [
      { latitude: 59.91, longitude: 10.73 },
      { latitude: 59.912, longitude: 10.734 },
    ] as const;
    expect(middleOf([a, b])).to.deep.equal({ latitude: 59.911, longitude: 10.732 });
  });
});

const overlap = (a: Bay, b: Bay) =>
  Math.abs(a.x - b.x) < (a.width + b.width) / 2 - 1e-9 && Math.abs(a.y - b.y) < (a.height + b.height) / 2 - 1e-9;
const grid = (columns: number, rows: number, dx: number, dy: number) =>
  Array.from({ length: columns * rows }, (_, i) => ({
    id: `${i}`,
    x: (i % columns) * dx,
    y: Math.floor(i / columns) * dy,
  }));

describe("The plan of a site: bays", () => {
  it("stand side by side in a row, with the narrow side to the neighbour", () => {
    for (const bay of layOut(grid(7, 2, 2.6, 11)))
      expect([bay.width, bay.height, bay.isLying]).to.deep.equal([2.4, 4.8, false]);
    for (const bay of layOut(grid(2, 7, 11, 2.6)))
      expect([bay.width, bay.height, bay.isLying]).to.deep.equal([4.8, 2.4, true]);
  });

  it("do not overlap in a row, in rows back to back, in a tight grid, or on one spot", () => {
    for (const spots of [
      ...[grid(20, 1, 1.5, 0), grid(10, 6, 2.5, 5), grid(8, 8, 2, 2), grid(1, 1, 0, 0), grid(4, 1, 0, 0)],
      grid(40, 25, 2.6, 7),
    ]) {
      const bays = layOut(spots);
      expect(bays.map(({ id }) => id)).to.deep.equal(spots.map(({ id }) => id));
      const pairs = bays.flatMap((bay, i) => bays.slice(i + 1).filter((other) => overlap(bay, other)));
      expect(pairs).to.deep.equal([]);
      const { x, y, width, height } = frameOf(bays, 2);
      for (const bay of bays) {
        expect(bay.x - bay.width / 2 - x).to.be.at.least(1.999);
        expect(x + width - bay.x - bay.width / 2).to.be.at.least(1.999);
        expect(bay.y - bay.height / 2 - y).to.be.at.least(1.999);
        expect(y + height - bay.y - bay.height / 2).to.be.at.least(1.999);
      }
    }
  });

  it("are met by the arrow keys in the direction in which they stand", () => {
    const bays = layOut(grid(3, 2, 2.6, 11));
    const next = (id: string, key: string) => neighbour(bays, id, WAYS[key]!)?.id ?? null;
    expect(["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"].map((key) => next("1", key))).to.deep.equal([
      ...["2", "0", "4", null],
    ]);
    // Every bay is reached from every other.
    const scattered = layOut(
      Array.from({ length: 60 }, (_, i) => ({ id: `${i}`, x: (i * 37) % 101, y: (i * 61) % 89 })),
    );
    const seen = new Set(["0"]);
    for (const id of seen)
      for (const way of Object.values(WAYS)) {
        const to = neighbour(scattered, id, way);
        if (to) seen.add(to.id);
      }
    expect(seen.size).to.equal(60);
  });

  it("are named by the end of the id that tells them apart", () => {
    const named = (...ids: string[]) => [...shortNames(ids).values()];
    expect(named("NL*OLI*EDEMO01", "NL*OLI*EDEMO14")).to.deep.equal(["01", "14"]);
    expect(named("E1", "E10", "E11")).to.deep.equal(["1", "10", "11"]);
    expect(named("north-1", "south-1")).to.deep.equal(["orth-1", "outh-1"]);
    expect(named("DE*ABC*E123456789")).to.deep.equal(["123456789".slice(-6)]);
    expect(named()).to.deep.equal([]);
  });

  it("have a scale of a round length that fits under them", () => {
    expect([3, 9, 22, 60, 900].map(scaleOf)).to.deep.equal([1, 2, 5, 10, 100]);
  });
});

describe("What is typed of charge points", () => {
  const draft = (part: Partial<typeof NO_POINTS>) => ({ ...NO_POINTS, ...part });

  it("becomes ids in order, with digits enough for the last", () => {
    expect(idsOf(draft({ prefix: "NL*OLI*E", first: "9", count: "3" }))).to.deep.equal([
      "NL*OLI*E09",
      "NL*OLI*E10",
      "NL*OLI*E11",
    ]);
    expect(idsOf(draft({ prefix: "E", first: "1", count: "100" }))[0]).to.equal("E001");
    expect(idsOf(draft({ prefix: "E", count: "1e9" }))).to.have.length(1000);
    for (const part of [{ prefix: " " }, { prefix: "E", count: "" }, { prefix: "E", count: "-3" }])
      expect(idsOf(draft(part))).to.deep.equal([]);
    expect(idsOf(draft({ how: "listed", list: " a \n\nb\r\na\n" }))).to.deep.equal(["a", "b"]);
  });

  it("becomes whole W, and PV only where there is some", () => {
    expect([wattOf("11"), wattOf("7,36"), wattOf(" 22.08 ")]).to.deep.equal([11_000, 7360, 22_080]);
    const members = membersOf(draft({ prefix: "E", count: "1", kw: "7.4", phases: "1", pvKw: "5" }), "quay", 1);
    expect(members).to.deep.equal({
      evses: [{ id: "E01", maxPowerW: 7400, phases: 1 }],
      pvs: [{ id: "quay PV 2", ratedPowerW: 5000 }],
    });
    expect(membersOf(draft({}), "quay", 0)).to.deep.equal({ evses: [], pvs: [] });
  });
});
