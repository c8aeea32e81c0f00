/** The words of the pages: each language has its own for whatever has a name in the service. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { METHOD_NAMES } from "../../backend/domain/algorithms.ts";
import { PROBLEMS } from "../../backend/http/problems.ts";
import { ALGORITHMS } from "../../backend/optimisation/algorithms.ts";
import { INCIDENT_KINDS } from "../../backend/usecases/ports.ts";
import { apiInGerman } from "../../web/texts/apiInGerman.ts";
import { de } from "../../web/texts/de.ts";
import { en } from "../../web/texts/en.ts";

const USECASES = fileURLToPath(new URL("../../backend/usecases", import.meta.url));
const named = (words: object) => Object.keys(words).sort();

/** Every text without a value in it, by its path. */
function plain(words: object, path = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(words)) {
    if (typeof value === "string") found.set(`${path}${name}`, value);
    else if (typeof value === "object" && value !== null)
      for (const [at, text] of plain(value, `${path}${name}.`)) found.set(at, text);
  }
  return found;
}

describe("The pages: their words", () => {
  it("say in German what each problem of the API means, and nothing of others", () => {
    expect(named(apiInGerman.problems)).to.deep.equal(named(PROBLEMS));
  });

  it("name each algorithm and each of its parameters with its unit, in both languages", () => {
    const parameters = Object.values(ALGORITHMS).flatMap((one) => one.parameters);
    const names = [...new Set(parameters.map(({ name }) => name))].sort();
    for (const words of [en, de]) {
      expect(named(words.setup.methods)).to.deep.equal([...METHOD_NAMES].sort());
      expect(named(words.setup.parameters)).to.deep.equal(names);
    }
    expect(named(apiInGerman.algorithms)).to.deep.equal(named(ALGORITHMS));
    expect(named(apiInGerman.parameters)).to.deep.equal(names);
    expect(named(apiInGerman.units)).to.deep.equal([...new Set(parameters.map(({ unit }) => unit))].sort());
  });

  it("name each kind of incident, in both languages", () => {
    for (const words of [en, de]) expect(named(words.cockpit.kinds)).to.deep.equal([...INCIDENT_KINDS].sort());
  });

  it("name in German each check of a driver's bundle", () => {
    const sources = readdirSync(USECASES)
      .filter((file) => /^audit(Bundle|BundleChain|Chain|Evidence|Promises|Bills)\.ts$/.test(file))
      .map((file) => readFileSync(join(USECASES, file), "utf8"))
      .join();
    const checks = new Set([...sources.matchAll(/\.check\("([^"]+)"\)/g)].map(([, name]) => name!));
    expect(named(apiInGerman.checks)).to.deep.equal([...checks].sort());
  });

  it("are none of the other language's, but for words that are the same in both", () => {
    const english = plain(en);
    const same = [...plain(de)].filter(([path, text]) => english.get(path) === text);
    expect(new Set(same.map(([, text]) => text))).to.have.all.keys([
      "FLEX",
      "Live",
      "Filter",
      "Block",
      "Name",
      "PV",
      "PV (kW)",
      "Plan",
    ]);
  });
});
