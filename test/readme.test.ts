/** The README claims what is there: its paths exist, its commands are scripts, its table is the configuration. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";

const top = join(import.meta.dirname, "..");
const read = (file: string) => readFileSync(join(top, file), "utf8");
const readme = read("README.md");
const section = (title: string) => readme.split(`## ${title}\n`)[1]!.split("\n## ")[0]!;

describe("The README", () => {
  it("names only files and folders that exist", () => {
    const paths = [...readme.matchAll(/`((?:backend|contracts|scripts|test|web)\/[\w./-]*)`/g)].map(
      ([, path]) => path!,
    );
    expect(paths).not.to.have.length(0);
    expect(paths.filter((path) => !existsSync(join(top, path)))).to.deep.equal([]);
  });

  it("names only use cases and optimisation files that exist, where it gives the bare name", () => {
    const homes = ["usecases", "optimisation", "domain"].map((folder) => join(top, "backend", folder));
    const names = [...section("Follow one kWh").matchAll(/`(\w+\.ts)`/g)].map(([, name]) => name!);
    expect(names).not.to.have.length(0);
    expect(names.filter((name) => !homes.some((home) => existsSync(join(home, name))))).to.deep.equal([]);
  });

  it("names only commands that package.json has, and all that it has", () => {
    const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
    const named = [...section("Run it").matchAll(/`npm (?:run )?([a-z]+)|^ {4}npm ([a-z]+)/gm)].map(
      ([, a, b]) => a ?? b!,
    );
    // npm runs preX before X by itself: no command of its own, but each command needs the set-up there.
    const isStep = (name: string) => name.startsWith("pre") && name.slice(3) in scripts;
    const commands = Object.keys(scripts).filter((name) => !name.includes(":") && !isStep(name));
    for (const command of commands) expect(scripts[`pre${command}`], command).to.equal("node scripts/setup.mjs");
    expect([...new Set(named)].sort()).to.deep.equal(commands.sort());
  });

  it("has a row for each variable that config.ts reads, and no other", () => {
    const rows = [...section("Configuration").matchAll(/^\| `([A-Z][A-Z0-9_]*)` \|/gm)].map(([, name]) => name!);
    const names = [...read("backend/config.ts").matchAll(/^ +([A-Z][A-Z0-9_]*): z\./gm)].map(([, name]) => name!);
    expect(names).not.to.have.length(0);
    expect(rows.sort()).to.deep.equal(names.sort());
  });
});
