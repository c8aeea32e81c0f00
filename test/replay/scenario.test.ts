import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readScenario } from "../../backend/replay/scenario.ts";

const SAMPLE = join(import.meta.dirname, "../scenarios/sample");

describe("The reader of scenarios", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "oli-move-scenario-"));
    cpSync(SAMPLE, folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const change = (file: string, edit: (text: string) => string) =>
    writeFileSync(join(folder, file), edit(readFileSync(join(folder, file), "utf8")));
  const cell = (file: string, line: number, column: number, value: string) =>
    change(file, (text) => {
      const lines = text.split("\n");
      const cells = lines[line - 1]!.split(",");
      cells[column] = value;
      lines[line - 1] = cells.join(",");
      return lines.join("\n");
    });
  const meta = (edit: (json: Record<string, unknown>) => void) =>
    change("scenario.json", (text) => {
      const json = JSON.parse(text);
      edit(json);
      return JSON.stringify(json);
    });

  it("reads the sample: as many sessions and prices as lines, in order of plug-in", () => {
    const scenario = readScenario(folder);
    const lines = (file: string) => readFileSync(join(folder, file), "utf8").trim().split("\n").length - 1;
    expect(scenario.sessions).to.have.length(lines("sessions.csv"));
    expect(scenario.prices.size).to.equal(lines("prices.csv"));
    expect(scenario.events).to.have.length(lines("events.csv"));
    const plugIns = scenario.sessions.map((session) => session.plugIn as number);
    expect(plugIns).to.deep.equal(plugIns.toSorted((a, b) => a - b));
    const [group] = scenario.groups;
    const slot = scenario.from / 900;
    const [, first] = readFileSync(join(folder, "demand.csv"), "utf8").split("\n");
    expect(group!.demand!.get(slot)).to.equal(Number(first!.split(",")[2]));
  });

  it("reads Windows line ends, and a folder without events", () => {
    const before = readScenario(folder);
    change("sessions.csv", (text) => text.replaceAll("\n", "\r\n"));
    rmSync(join(folder, "events.csv"));
    meta((json) => delete json.events);
    const after = readScenario(folder);
    expect(after.sessions).to.deep.equal(before.sessions);
    expect(after.events).to.deep.equal([]);
  });

  const broken: [string, () => void, RegExp][] = [
    [
      "a number with a letter",
      () => cell("sessions.csv", 3, 6, "12kWh"),
      /sessions\.csv, line 3: energy_need_wh is "12kWh", not a whole number/,
    ],
    ["a power with decimals", () => cell("demand.csv", 5, 2, "1.5"), /demand\.csv, line 5: power_w is "1\.5"/],
    ["an empty number", () => cell("prices.csv", 2, 1, ""), /prices\.csv, line 2: price_micro_eur_per_kwh is ""/],
    [
      "a local time",
      () => cell("sessions.csv", 2, 3, "2026-05-04 08:00"),
      /sessions\.csv, line 2: plug_in: "2026-05-04 08:00" is not an RFC 3339 instant/,
    ],
    [
      "a row that is too short",
      () => change("events.csv", (text) => text.replace(/(\n[^,]*,[^,]*)[^\n]*/, "$1")),
      /events\.csv, line 2: no value for target/,
    ],
    [
      "a missing column",
      () => change("sessions.csv", (text) => text.replace("energy_taken_wh", "taken")),
      /sessions\.csv: the column energy_taken_wh is missing/,
    ],
    ["a missing file", () => rmSync(join(folder, "prices.csv")), /prices\.csv is missing/],
    [
      "another slot length",
      () =>
        meta((json) => {
          json.slotSeconds = 1800;
        }),
      /scenario\.json: [\s\S]*slotSeconds/,
    ],
    [
      "a time zone that is none",
      () =>
        meta((json) => {
          json.timeZone = "Europe/Nowhere";
        }),
      /scenario\.json: [\s\S]*must be an IANA time zone[\s\S]*timeZone/,
    ],
    [
      "a beginning that is no instant",
      () =>
        meta((json) => {
          json.from = "4 May";
        }),
      /scenario\.json: [\s\S]*"4 May" is not an RFC 3339 instant[\s\S]*from/,
    ],
    [
      "an end before the beginning",
      () =>
        meta((json) => {
          [json.from, json.to] = [json.to, json.from];
        }),
      /scenario\.json: `to` must be after `from`/,
    ],
    [
      "a group without EVSEs",
      () =>
        meta((json) => {
          (json.groups as { evses: unknown[] }[])[0]!.evses = [];
        }),
      /scenario\.json: [\s\S]*evses/,
    ],
    [
      "a supply limit of 42 kW as text",
      () =>
        meta((json) => {
          (json.groups as { supplyLimitW: unknown }[])[0]!.supplyLimitW = "42 kW";
        }),
      /scenario\.json: [\s\S]*supplyLimitW/,
    ],
  ];
  for (const [what, breakIt, text] of broken)
    it(`names file and line of ${what}`, () => {
      breakIt();
      expect(() => readScenario(folder)).to.throw(text);
    });

  it("says which file is no scenario at all", () => {
    change("scenario.json", (text) => text.slice(0, -5));
    expect(() => readScenario(folder)).to.throw(/scenario\.json/);
  });

  it("refuses a session at an EVSE that the scenario does not have", () => {
    cell("sessions.csv", 4, 1, "NL*OLI*ENOWHERE");
    expect(() => readScenario(folder)).to.throw(/sessions\.csv, line 4: .*NL\*OLI\*ENOWHERE/);
  });

  it("refuses four phases, and an opt-in that is neither true nor false", () => {
    cell("sessions.csv", 4, 9, "4");
    expect(() => readScenario(folder)).to.throw(/sessions\.csv, line 4: ev_phases is "4"; it must be one of 1, 2, 3/);
    cell("sessions.csv", 4, 9, "3");
    cell("sessions.csv", 4, 10, "yes");
    expect(() => readScenario(folder)).to.throw(/sessions\.csv, line 4: smart is "yes"/);
  });

  it("refuses a plug-out that is not after the plug-in", () => {
    cell("sessions.csv", 4, 4, "2026-05-04T00:00:00Z");
    expect(() => readScenario(folder)).to.throw(/sessions\.csv, line 4: plug_out/);
  });
});
