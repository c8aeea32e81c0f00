import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect } from "chai";
import { id } from "ethers";
import { algorithmSpecs, sourceHash } from "../../../backend/adapters/chain/algorithms.ts";
import { METHOD_NAMES } from "../../../backend/domain/algorithms.ts";
import { temporaryFolder } from "../../support/replays.ts";

describe("What is published of the algorithms", () => {
  it("is one version per method, all with the same source and weights", () => {
    const specs = algorithmSpecs({ maxScale: 20_000, voll: 40, extra: 10, maxEarly: 1 });
    expect(specs.map(({ method }) => method)).to.deep.equal(METHOD_NAMES.map((name) => `${name}/1`));
    for (const { sourceHash: hash } of specs) expect(hash).to.equal(sourceHash());
  });

  it("hashes every source file, in folders too, by path, and nothing else", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "model"));
    writeFileSync(join(folder, "rule.ts"), "let a = 1;\r\n");
    writeFileSync(join(folder, "model", "program.ts"), "let b = 2;\n");
    writeFileSync(join(folder, "README.md"), "words");
    const url = pathToFileURL(`${folder}/`);
    expect(sourceHash(url)).to.equal(id("model/program.ts\nlet b = 2;\nrule.ts\nlet a = 1;\n"));
  });
});
