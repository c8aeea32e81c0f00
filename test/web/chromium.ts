/**
 * A Chromium to test with: what CHROMIUM names, else one on the PATH, else apt-get installs it where this process may;
 * playwright-core brings none.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const INSTALL = [
  ["update", "-qq"],
  ["install", "-y", "-qq", "--no-install-recommends", "chromium"],
];
/** The packages are some 100 MB. */
const MOST_MS = 300_000;

export type Chromium =
  | { readonly kind: "here"; readonly path: string }
  /** `why` says what to do about it. */
  | { readonly kind: "missing"; readonly why: string };

type Machine = { readonly env: NodeJS.ProcessEnv; readonly isRoot: boolean };

export function findChromium({ CHROMIUM, PATH = "" }: NodeJS.ProcessEnv = process.env): string | null {
  if (CHROMIUM !== undefined) return existsSync(CHROMIUM) ? CHROMIUM : null;
  const places = PATH.split(delimiter).filter((folder) => folder !== "");
  return places.flatMap((folder) => NAMES.map((name) => join(folder, name))).find((path) => existsSync(path)) ?? null;
}

export function provideChromium(
  { env, isRoot }: Machine = { env: process.env, isRoot: process.getuid?.() === 0 },
): Chromium {
  const found = findChromium(env);
  if (found !== null) return { kind: "here", path: found };
  if (env.CHROMIUM !== undefined)
    return { kind: "missing", why: `CHROMIUM names ${env.CHROMIUM}, and there is no such file` };
  const remedy = "Install Chromium, or name one by CHROMIUM.";
  if (!isRoot)
    return { kind: "missing", why: `there is no Chromium on the PATH, and only root may install it. ${remedy}` };
  console.log("      installing Chromium by apt-get");
  const asked = INSTALL.map((args) =>
    spawnSync("apt-get", args, {
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "pipe"],
      encoding: "utf8",
      timeout: MOST_MS,
    }),
  );
  // Lists that could not be renewed may still do.
  const { status, error, stderr } = asked.at(-1)!;
  if (status !== 0) {
    const said = error?.message ?? stderr.trim().split("\n").at(-1);
    return { kind: "missing", why: `apt-get could not install Chromium: ${said}. ${remedy}` };
  }
  const path = findChromium(env);
  if (path !== null) return { kind: "here", path };
  return { kind: "missing", why: `apt-get installed a Chromium that is not on the PATH. ${remedy}` };
}
