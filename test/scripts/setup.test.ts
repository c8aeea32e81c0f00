/** The set-up beside made-up dependencies: its build only counts how often it was asked. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect } from "chai";

const LOCK = { packages: { "": { dependencies: {}, devDependencies: {} } } };
const FILES = {
  "package.json": JSON.stringify({ dependencies: {}, devDependencies: {} }),
  "package-lock.json": JSON.stringify(LOCK),
  "node_modules/.package-lock.json": JSON.stringify({ packages: {} }),
  "node_modules/vite/bin/vite.js": `const { appendFileSync, mkdirSync } = require("node:fs");
    mkdirSync("dist/web", { recursive: true });
    appendFileSync("builds", "+");
    process.exit(require("node:fs").existsSync("broken") ? 1 : 0);`,
  "web/main.tsx": "a page",
  "backend/domain/units.ts": "words of the pages",
  "backend/usecases/auditBundle.ts": "what the explorer runs",
  "backend/http/serve.ts": "nothing of the pages",
};

describe("The set-up and the web application", () => {
  let top: string;
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), text);
  };
  const setUp = () => spawnSync(process.execPath, [join(top, "scripts/setup.mjs")], { cwd: top, encoding: "utf8" });
  const builds = () => (existsSync(join(top, "builds")) ? readFileSync(join(top, "builds"), "utf8").length : 0);
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "oli-setup-"));
    for (const [path, text] of Object.entries(FILES)) write(path, text);
    mkdirSync(join(top, "node_modules/.bin"));
    symlinkSync(process.execPath, join(top, "node_modules/.bin/node"));
    mkdirSync(join(top, "scripts"));
    cpSync(join(import.meta.dirname, "../../scripts/setup.mjs"), join(top, "scripts/setup.mjs"));
  });
  afterEach(() => rmSync(top, { recursive: true }));

  it("builds it once, and then says nothing", () => {
    expect(setUp().stdout).to.contain("the web application compiled");
    const again = setUp();
    expect([again.status, again.stdout, again.stderr, builds()]).to.deep.equal([0, "", "", 1]);
  });

  it("builds it again after a change of anything that it is made of, and after no other", () => {
    setUp();
    let seen = 1;
    for (const path of ["web/main.tsx", "web/new.ts", "backend/domain/units.ts", "backend/usecases/auditBundle.ts"]) {
      write(path, "changed");
      setUp();
      expect(builds(), path).to.equal(++seen);
    }
    write("backend/http/serve.ts", "changed");
    setUp();
    expect(builds()).to.equal(seen);
    rmSync(join(top, "dist"), { recursive: true });
    setUp();
    expect(builds()).to.equal(seen + 1);
  });

  it("says what to mend when it cannot be built, and tries again", () => {
    write("broken", "");
    const { status, stderr } = setUp();
    expect(status).to.equal(1);
    expect(stderr).to.match(/the web application cannot be compiled\.\n.*\n.*mend web\//);
    rmSync(join(top, "broken"));
    expect(setUp().status).to.equal(0);
    expect(builds()).to.equal(2);
  });
});
