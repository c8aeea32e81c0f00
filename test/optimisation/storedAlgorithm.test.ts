/** The exact method's text is stored on chain: it must run without this project, to the byte. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { createContext, runInContext } from "node:vm";
import { expect } from "chai";
import { decodeProblem, encodeProblem, encodeW, encodeX, encodeY } from "../../backend/optimisation/encoding.ts";
import { leastCost } from "../../backend/optimisation/leastCost.ts";
import type { GroupProblem, Plan } from "../../backend/optimisation/problem.ts";
import { randomProblem, realisticProblem } from "../support/problems.ts";

describe("text of the exact method", () => {
  const source = readFileSync(new URL("../../backend/optimisation/leastCost.ts", import.meta.url), "utf8");
  const text = stripTypeScriptTypes(source);
  const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");

  it("imports nothing", () => {
    expect(source.length).to.be.greaterThan(1_000);
    expect(code).not.to.match(/\bimport\b|\brequire\b/);
  });

  it("computes with + - * / floor, min, max and sets of 32 bits only, and knows no clock, chance or surroundings", () => {
    expect(new Set(Array.from(code.matchAll(/\bMath\.(\w+)/g), ([, name]) => name))).to.deep.equal(
      new Set(["floor", "min", "max", "clz32"]),
    );
    expect(code).not.to.match(/\*\*|%|\bDate\b|\bIntl\b|\bprocess\b|\bglobalThis\b|\bperformance\b|\bfetch\b|\blocale/);
  });

  it("gives the same bytes in a bare context, from the bytes of the problem alone", () => {
    const bare = createContext(Object.create(null));
    const stored = runInContext(`${text.replaceAll(/^export /gm, "")}\nleastCost`, bare) as (
      problem: GroupProblem,
    ) => Plan;
    const salt = new Uint8Array(32);
    const problems = [...Array.from({ length: 200 }, (_, seed) => randomProblem(seed)), realisticProblem(120)];
    for (const problem of problems) {
      const { problem: read } = decodeProblem(encodeProblem(problem, salt));
      const [here, there] = [leastCost(problem), stored(read)];
      expect(encodeX(problem, there)).to.deep.equal(encodeX(problem, here));
      expect(encodeY(there)).to.deep.equal(encodeY(here));
      expect(encodeW(there)).to.deep.equal(encodeW(here));
    }
  });
});
