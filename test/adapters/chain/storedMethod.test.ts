/** The exact method's text out of a registry: it gives what this source gives, and reaches nothing of the process that runs it. */
import { expect } from "chai";
import { leastCostText } from "../../../backend/adapters/chain/algorithms.ts";
import { chunksOf } from "../../../backend/adapters/chain/codeChunks.ts";
import { hashText } from "../../../backend/adapters/chain/commitments.ts";
import { runnable, storedMethod } from "../../../backend/adapters/chain/storedMethod.ts";
import { leastCost } from "../../../backend/optimisation/leastCost.ts";
import { randomProblem } from "../../support/problems.ts";

describe("A method's text from the chain", () => {
  const problem = randomProblem(7);
  const stored = (text: string) => [hashText(text), chunksOf(text)[0]!] as const;
  /** Whether a word means anything to the text. */
  const knows = (word: string) => {
    const run = runnable(
      `function leastCost() { return { energyWh: typeof ${word}, certificate: { y: [], w: [] } }; }`,
    );
    return (run(problem).energyWh as unknown as string) !== "undefined";
  };

  it("runs, and says whether it is this source's", () => {
    const ours = storedMethod(...stored(leastCostText()));
    const { energyWh, certificate } = leastCost(problem);
    expect(ours.run(problem)).to.deep.equal({ energyWh, certificate });
    expect(ours.isOurs).to.equal(true);
    expect(storedMethod(...stored(`${leastCostText()}\n`)).isOurs).to.equal(false);
  });

  it("is not run when it is another than the version names, or none", () => {
    const [code] = stored(leastCostText());
    expect(() => storedMethod(code, chunksOf("export {};")[0]!)).to.throw(/has the hash 0x.*do not run it/);
    expect(() => storedMethod(code, "0x")).to.throw(/No text with the hash 0x.* is stored/);
  });

  it("knows no process, no module, no network and no clock of ours", () => {
    for (const word of ["process", "require", "module", "fetch", "setTimeout", "Buffer", "performance"])
      expect(knows(word), word).to.equal(false);
    expect(knows("Math")).to.equal(true);
  });

  it("cannot import, or make code of strings", () => {
    for (const text of [`import("node:fs")`, `import /**/ ("node:fs")`, `import.meta`, `import /**/ . /**/ meta`])
      expect(() => runnable(`function leastCost() { return ${text}; }`), text).to.throw(/imports something/);
    const climbing = runnable(
      `function leastCost(problem) { return problem.constructor.constructor("return process")(); }`,
    );
    expect(() => climbing(problem)).to.throw(/Code generation from strings disallowed/);
  });
});
