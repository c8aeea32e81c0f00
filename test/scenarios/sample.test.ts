import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { sampleFiles } from "../../scripts/generateSample.ts";

const folder = join(import.meta.dirname, "sample");
const files = sampleFiles();
const rows = (name: string) =>
  files[name]!.trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));

describe("The sample scenario", () => {
  it("is what its generator writes, to the byte", () => {
    expect(readdirSync(folder).sort()).to.deep.equal(Object.keys(files).sort());
    for (const [name, text] of Object.entries(files))
      expect(readFileSync(join(folder, name), "utf8"), name).to.equal(text);
  });

  it("has prices for each slot until two days after its end, one of them negative", () => {
    const { from, to } = JSON.parse(files["scenario.json"]!);
    const expected = (Date.parse(to) - Date.parse(from)) / 900_000 + 192;
    const starts = rows("prices.csv").map(([start]) => Date.parse(start!));
    expect(starts).to.deep.equal(Array.from({ length: expected }, (_, i) => Date.parse(from) + i * 900_000));
    expect(rows("prices.csv").some(([, price]) => Number(price) < 0)).to.equal(true);
  });

  it("never has two cars at one EVSE, nor a car outside its time", () => {
    const { from, to } = JSON.parse(files["scenario.json"]!);
    const freeAt = new Map<string, string>();
    for (const [id, evse, , plugIn, plugOut] of rows("sessions.csv")) {
      expect(plugIn! >= (freeAt.get(evse!) ?? from), id).to.equal(true);
      expect(plugOut! > plugIn! && plugOut! <= to, id).to.equal(true);
      freeAt.set(evse!, plugOut!);
    }
    expect(freeAt.size).to.equal(12);
  });

  it("has every kind of session that recorded scenarios lack", () => {
    const sessions = rows("sessions.csv").map(([, , , , out, departure, need, taken, , , smart]) => ({
      early: out! < departure!,
      late: out! > departure!,
      full: Number(taken) < Number(need),
      hungry: Number(taken) > Number(need),
      optedOut: smart === "false",
    }));
    for (const kind of ["early", "late", "full", "hungry", "optedOut"] as const) {
      expect(sessions.filter((session) => session[kind]).length, kind).to.be.greaterThan(2);
    }
  });

  it("aims each event at something that is there at that time", () => {
    const { groups, from, to } = JSON.parse(files["scenario.json"]!);
    const sessions = rows("sessions.csv");
    const plugged = (evse: string, at: string) => sessions.some((s) => s[1] === evse && s[3]! <= at && at < s[4]!);
    const targets: Record<string, (target: string, at: string) => boolean> = {
      "refuse-profile": plugged,
      silent: plugged,
      "frozen-register": plugged,
      fault: plugged,
      limit: (group) => groups[0].id === group,
      order: (group) => groups[0].id === group,
      "optimiser-fails": (group) => groups[0].id === group,
      "solver-differs": (group) => groups[0].id === group,
      "no-deposit": (driver) => sessions.some((s) => s[2] === driver),
      "slow-draw": (session) => sessions.some((s) => s[0] === session),
    };
    const events = rows("events.csv");
    for (const [at, kind, target] of events) expect(targets[kind!]!(target!, at!), `${kind} ${target}`).to.equal(true);
    expect(new Set(events.map(([, kind]) => kind))).to.deep.equal(new Set(Object.keys(targets)));
    expect(events.map(([at]) => at)).to.deep.equal(events.map(([at]) => at).sort());
    expect(events.every(([at]) => at! >= from && at! < to)).to.equal(true);
  });
});
