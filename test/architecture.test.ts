/**
 * The house: who may import whom, and what the pure rooms may not know.
 *
 *   main.ts ── compose.ts ── build the World from everything below
 *     ├─ http      ── driving side              ┐
 *     ├─ replay    ── driving side, virtual time├── usecases ── optimisation ┐
 *     ├─ adapters  ── one per thing outside     │      ├─────── flexibility  ├── domain
 *     └─ config.ts ── the environment           ┘      └─────── settlement   ┘
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import { type House, importsOf, strayImports, strayWords } from "./support/imports.ts";

const PURE = ["domain", "optimisation", "flexibility", "settlement"];
const PORTS = ["usecases/ports.ts", "usecases/ledgerPort.ts", "usecases/totalsPort.ts"];
const OUTSIDE = ["package:"];

/** Within its own room every file may import every other; nothing else than what stands here. */
const HOUSE: House = {
  domain: { may: [] },
  optimisation: { may: ["domain"] },
  flexibility: { may: ["domain"] },
  settlement: { may: ["domain"] },
  usecases: { may: PURE },
  // Accounts are asked for by the driving side, whose port says how.
  "adapters/accounts": { may: ["domain", ...PORTS, ...OUTSIDE], types: ["http/accountsPort.ts"] },
  "adapters/chain": { may: ["domain", ...PORTS, ...OUTSIDE, "../artifacts"], types: ["optimisation"] },
  "adapters/clock": { may: ["domain", ...PORTS, ...OUTSIDE] },
  "adapters/cpo": { may: ["domain", ...PORTS, ...OUTSIDE] },
  "adapters/solvers": { may: ["domain", ...PORTS, ...OUTSIDE], types: ["optimisation"] },
  // The outbox is written in the business transaction: the chain room owns its tables, the store owns the database.
  "adapters/store": {
    may: ["domain", ...PORTS, ...OUTSIDE, "adapters/chain/tables.ts", "adapters/chain/outbox.ts"],
    types: ["optimisation"],
  },
  http: { may: ["domain", "usecases", ...OUTSIDE] },
  // A scenario drives the use cases as people and stations do; the simulated site and the clock are its stage.
  replay: { may: [...PURE, "usecases", "adapters/cpo/simulated", "adapters/clock/queueClock.ts", ...OUTSIDE] },
  "config.ts": { may: ["domain", ...OUTSIDE] },
  // What stands above the rooms: putting the parts together, and comparing chain with database.
  "compose.ts": { may: ["domain", "usecases", "adapters", ...OUTSIDE] },
  "auditSystem.ts": {
    may: [...PURE, "usecases", "adapters/chain", "adapters/store", ...OUTSIDE],
    types: ["compose.ts"],
  },
  "chainView.ts": { may: ["domain"], types: ["compose.ts", "http"] },
  "chainTotals.ts": { may: ["domain", "adapters/chain", ...OUTSIDE], types: ["compose.ts", "replay"] },
  "main.ts": { may: ["*"] },
};

/**
 * The pages, beside backend/: they run its words and the arithmetic of bills, which say the same in a browser, and know all
 * else as types. The audit explorer alone reads the chain, with the service's own readers.
 */
const SHARED = ["backend/domain", "backend/settlement"];
const PAGES: House = {
  web: { may: [...SHARED, ...OUTSIDE], types: ["backend"] },
  "web/audit": {
    may: [
      "web",
      ...SHARED,
      "backend/flexibility",
      "backend/usecases",
      "backend/adapters/chain",
      "artifacts",
      ...OUTSIDE,
    ],
    types: ["backend"],
  },
};

/** Time, randomness, the environment and the network are arguments of the pure rooms. */
const IMPURE = {
  "the clock": /\bDate\.now\b|\bnew\s+Date\s*(\(\s*\)|[;,)\]}])|\bperformance\b|\bTemporal\.Now\b/,
  "a timer": /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/,
  randomness: /\bMath\s*\.\s*random\b|\bcrypto\b/,
  "the environment": /\bprocess\b|\bglobalThis\b|\bimport\s*\.\s*meta\b/,
  "the network": /\bfetch\s*\(|\bWebSocket\b/,
  "the console": /\bconsole\b/,
};
const ENVIRONMENT = { "the environment": /\bprocess\s*(\.\s*env\b|\[)|\benv\b.*\bprocess\b/ };

const TOP_LEVEL = [
  ...["backend", "contracts", "deployments", "scripts", "test", "web"],
  ...["LICENSE", "README.md", "hardhat.config.ts", "package-lock.json", "package.json", "tsconfig.json"],
];

const top = join(import.meta.dirname, "..");
const filesOf = (folder: string) =>
  readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(top, folder).length + 1));
const sources = filesOf("backend").map((file) => ({ file, source: readFileSync(join(top, "backend", file), "utf8") }));
const typescript = sources.filter(({ file }) => file.endsWith(".ts"));
const pages = filesOf("web")
  .filter((file) => /\.tsx?$/.test(file))
  .map((file) => ({ file: `web/${file}`, source: readFileSync(join(top, "web", file), "utf8") }));
const pure = typescript.filter(({ file }) => PURE.includes(file.split("/")[0]!));

describe("The house", () => {
  it("has files in every room", () => {
    for (const room of Object.keys(HOUSE)) {
      expect(
        typescript.filter(({ file }) => file === room || file.startsWith(`${room}/`)),
        room,
      ).not.to.have.length(0);
    }
  });

  it("imports only in the direction of the diagram", () => {
    expect(typescript.flatMap(({ file, source }) => strayImports(file, source, HOUSE))).to.deep.equal([]);
  });

  it("has pages that run nothing of the service but words, bills and, in the explorer, the readers of the chain", () => {
    expect(pages).not.to.have.length(0);
    expect(pages.flatMap(({ file, source }) => strayImports(file, source, PAGES))).to.deep.equal([]);
    const tied = pages.filter(({ file }) => !file.startsWith("web/audit/"));
    expect(tied.filter(({ source }) => importsOf(source).some(({ from }) => /\/audit\//.test(from)))).to.deep.equal([]);
  });

  it("keeps clock, randomness, environment and network out of the pure rooms", () => {
    expect(pure.flatMap(({ file, source }) => strayWords(file, source, IMPURE))).to.deep.equal([]);
  });

  it("reads the environment in config.ts only", () => {
    const others = typescript.filter(({ file }) => file !== "config.ts");
    expect(others.flatMap(({ file, source }) => strayWords(file, source, ENVIRONMENT))).to.deep.equal([]);
  });

  it("is written in TypeScript, with contracts/ for Solidity and its README", () => {
    expect(filesOf("contracts").filter((file) => !/\.(sol|md)$/.test(file))).to.deep.equal([]);
    expect(filesOf("contracts")).not.to.have.length(0);
    expect(sources.map(({ file }) => file).filter((file) => !/\.(ts|md)$/.test(file))).to.deep.equal([]);
  });

  it("has tests that compare fractions alone as they do in the whole run", () => {
    // Hardhat's matchers are loaded with some files and change chai's own for all that come after.
    const strays = filesOf("test").filter((file) =>
      /\.(closeTo|approximately)\(/.test(readFileSync(join(top, "test", file), "utf8")),
    );
    expect(strays, "use support/near.ts").to.deep.equal([]);
  });

  it("has nothing at the top level but what its design names", function () {
    let tracked: string;
    try {
      tracked = execFileSync("git", ["ls-files"], { cwd: top, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    } catch {
      console.log("      (skipped: no git work tree here)");
      this.skip();
    }
    const names = new Set(tracked.split("\n").map((path) => path.split("/")[0]!));
    expect([...names].filter((name) => name !== "" && !name.startsWith("."))).not.to.have.length(0);
    expect([...names].filter((name) => !name.startsWith(".") && ![...TOP_LEVEL, ""].includes(name))).to.deep.equal([]);
  });
});

describe("The house's own checks", () => {
  const stray = (file: string, source: string) => strayImports(file, source, HOUSE);
  const impure = (source: string) => strayWords("domain/x.ts", source, IMPURE);

  it("sees every form of import", () => {
    const source = `
      import a from "./a.ts";
      import { b, type B } from './b.ts';
      import type { C } from "./c.ts";
      import * as d from "./d.ts";
      import "./e.ts";
      export * from "./f.ts";
      export { g } from "./g.ts";
      export type * from "./h.ts";
      import {
        i,
      } from "./i.ts";
      const j = await import("./j.ts");
      const k = await import(name);
      // import l from "./l.ts";
      /* import m from "./m.ts"; */`;
    expect(importsOf(source).map(({ from }) => from)).to.deep.equal([
      ...["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts", "./f.ts", "./g.ts", "./h.ts", "./i.ts"],
      ...["./j.ts", "an expression"],
    ]);
    expect(importsOf(source).filter(({ typeOnly }) => typeOnly)).to.have.length(2);
  });

  it("refuses each import that points the wrong way", () => {
    const wrong: [string, string][] = [
      ["domain/x.ts", `import { a } from "../optimisation/a.ts";`],
      ["domain/x.ts", `import type { A } from "../usecases/ports.ts";`],
      ["domain/x.ts", `import { z } from "zod";`],
      ["domain/x.ts", `import { readFileSync } from "node:fs";`],
      ["optimisation/x.ts", `import { a } from "../settlement/a.ts";`],
      ["optimisation/deep/x.ts", `import { a } from "../../adapters/clock/a.ts";`],
      ["flexibility/x.ts", `import type { Plan } from "../optimisation/problem.ts";`],
      ["settlement/x.ts", `import { a } from "../flexibility/a.ts";`],
      ["usecases/x.ts", `import { db } from "../adapters/store/db.ts";`],
      ["usecases/x.ts", `import { a } from "../http/a.ts";`],
      ["usecases/x.ts", `import { sql } from "kysely";`],
      ["adapters/store/x.ts", `import { a } from "../chain/a.ts";`],
      ["adapters/store/x.ts", `import { settle } from "../../usecases/settleSession.ts";`],
      ["adapters/solvers/x.ts", `import { leastCost } from "../../optimisation/leastCost.ts";`],
      ["http/x.ts", `import { a } from "../adapters/store/a.ts";`],
      ["replay/x.ts", `import { a } from "../adapters/store/a.ts";`],
      ["replay/x.ts", `import { a } from "../http/a.ts";`],
      ["http/x.ts", `import type { Plan } from "../optimisation/problem.ts";`],
      ["http/x.ts", `const a = await import("../main.ts");`],
      ["config.ts", `import { a } from "./main.ts";`],
      ["compose.ts", `import { a } from "./http/app.ts";`],
      ["usecases/x.ts", `import type { System } from "../compose.ts";`],
      ["new/x.ts", ""],
    ];
    for (const [file, source] of wrong) expect(stray(file, source), `${file}: ${source}`).to.have.length(1);
  });

  it("refuses pages that would run the service", () => {
    const strayPage = (file: string, source: string) => strayImports(file, source, PAGES);
    const wrong: [string, string][] = [
      ["web/driver/x.tsx", `import { z } from "../../backend/http/schemas.ts";`],
      ["web/driver/x.tsx", `import { termsOf } from "../../backend/usecases/strategies.ts";`],
      ["web/driver/x.tsx", `import { createLedger } from "../../backend/adapters/chain/ledger.ts";`],
      ["web/x.ts", `const a = await import("../scripts/verify.ts");`],
      ["web/audit/x.ts", `import { createStore } from "../../backend/adapters/store/store.ts";`],
      ["web/audit/x.ts", `import { routes } from "../../backend/http/routes.ts";`],
    ];
    for (const [file, source] of wrong) expect(strayPage(file, source), `${file}: ${source}`).to.have.length(1);
    const right: [string, string][] = [
      [
        "web/driver/x.tsx",
        `import type { stay } from "../../backend/http/cpoHistory.ts"; import { useState } from "react";`,
      ],
      ["web/driver/x.tsx", `import { parseReceipt } from "../../backend/settlement/receipt.ts";`],
      ["web/audit/x.ts", `import { auditBundle } from "../../backend/usecases/auditBundle.ts";`],
    ];
    for (const [file, source] of right) expect(strayPage(file, source), `${file}: ${source}`).to.deep.equal([]);
  });

  it("accepts the imports that the diagram shows", () => {
    const right: [string, string][] = [
      ["domain/x.ts", `import { watt } from "./units.ts"; // import { z } from "zod"`],
      ["optimisation/x.ts", `import { watt } from "../domain/units.ts";`],
      ["usecases/x.ts", `import { settle } from "../settlement/settle.ts"; import { y } from "./y.ts";`],
      ["adapters/store/x.ts", `import type { Store } from "../../usecases/ports.ts"; import { sql } from "kysely";`],
      ["adapters/solvers/x.ts", `import type { Lp } from "../../optimisation/model.ts";`],
      ["http/x.ts", `import { settle } from "../usecases/settleSession.ts"; import express from "express";`],
      ["main.ts", `import { a } from "./http/a.ts"; import { b } from "./adapters/store/b.ts";`],
    ];
    for (const [file, source] of right) expect(stray(file, source), `${file}: ${source}`).to.deep.equal([]);
  });

  it("refuses each impure word in code, and not in comments or strings", () => {
    const wrong = [
      "const now = Date.now();",
      "const now = new Date();",
      "const now = new Date;",
      "const n = Math.random();",
      "const n = process.hrtime();",
      "const e = globalThis.process;",
      "setTimeout(run, 10);",
      "const r = await fetch(url);",
      "const id = crypto.randomUUID();",
      'console.log("x");',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a template inside a made-up source
      "const text = `at ${Date.now()}`;",
    ];
    for (const source of wrong) expect(impure(source), source).not.to.have.length(0);
    for (const source of ["// Date.now()", '"the process ends"', "new Date(at * 1000)", "/* fetch( */ 1"]) {
      expect(impure(source), source).to.deep.equal([]);
    }
    expect(strayWords("http/x.ts", "const port = process.env.PORT;", ENVIRONMENT)).to.have.length(1);
    expect(strayWords("http/x.ts", 'const port = process["env"].PORT;', ENVIRONMENT)).to.have.length(1);
  });
});
