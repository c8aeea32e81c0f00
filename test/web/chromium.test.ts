/** Where the tests' Chromium comes from; apt-get is a stand-in that does what its script says. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { provideChromium } from "./chromium.ts";

describe("The tests' Chromium", () => {
  let top: string;
  beforeEach(() => {
    top = mkdtempSync(join(tmpdir(), "oli-chromium-"));
    mkdirSync(join(top, "empty"));
  });
  afterEach(() => rmSync(top, { recursive: true }));

  const program = (name: string, script = "exit 0") => {
    writeFileSync(join(top, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return join(top, name);
  };
  const machine = (isRoot: boolean, env: NodeJS.ProcessEnv = {}) => ({
    isRoot,
    env: { PATH: [join(top, "empty"), top].join(":"), ...env },
  });

  it("is the one that CHROMIUM names, else one on the PATH", () => {
    const [other, onPath] = [program("other"), program("chromium-browser")];
    expect(provideChromium(machine(false, { CHROMIUM: other }))).to.deep.equal({ kind: "here", path: other });
    expect(provideChromium(machine(false))).to.deep.equal({ kind: "here", path: onPath });
  });

  it("is none when CHROMIUM names nothing, although there is another", () => {
    program("chromium");
    const named = join(top, "nowhere");
    const said = provideChromium(machine(true, { CHROMIUM: named }));
    expect(said).to.deep.equal({ kind: "missing", why: `CHROMIUM names ${named}, and there is no such file` });
  });

  it("is installed by root, who is asked nothing", () => {
    program("apt-get", `echo "$DEBIAN_FRONTEND $*" >> ${top}/asked; [ $1 = install ] && : > ${top}/chromium`);
    expect(provideChromium(machine(true))).to.deep.equal({ kind: "here", path: join(top, "chromium") });
    expect(readFileSync(join(top, "asked"), "utf8").trim().split("\n")).to.deep.equal([
      "noninteractive update -qq",
      "noninteractive install -y -qq --no-install-recommends chromium",
    ]);
  });

  it("is missing for whoever is not root, who is told what to do", () => {
    program("apt-get", `: > ${top}/chromium`);
    expect(provideChromium(machine(false)))
      .to.include({ kind: "missing" })
      .and.to.have.property("why")
      .that.match(/only root.*name one by CHROMIUM/);
  });

  it("is missing when apt-get fails, gives none or is none, in its own words", () => {
    program("apt-get", `echo "W: old list" >&2; echo "E: Unable to locate package chromium" >&2; [ $1 = update ]`);
    expect(provideChromium(machine(true)))
      .to.have.property("why")
      .that.match(/^apt-get could not install Chromium: E: Unable to locate package chromium\. Install/);
    program("apt-get");
    expect(provideChromium(machine(true)))
      .to.have.property("why")
      .that.contains("not on the PATH");
    rmSync(join(top, "apt-get"));
    expect(provideChromium(machine(true)))
      .to.have.property("why")
      .that.match(/^apt-get could not install Chromium: .*ENOENT/);
  });
});
