/**
 * Lighthouse's scores of the front door, a driver's and an operator's page: the product as it starts, a day of records behind
 * it, the visitor signed in. Lighthouse's own settings: a phone of middling power, a processor four times slower than this one,
 * a line of 1.6 Mbit/s and 150 ms, both reckoned from a run without them. It weighs more than all else here, so it is no
 * dependency: npx fetches it when somebody asks for the scores. A machine that is busy lowers the first of them.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findChromium } from "../../test/web/chromium.ts";
import type { Running } from "../../test/web/running.ts";

const LIGHTHOUSE = "lighthouse@13.5.0";
const RUNS = 3;
/** The cockpit's stream never ends: what has not become quiet by then is judged as it is. */
const MOST_LOAD_MS = 20_000;
const MOST_RUN_MS = 90_000;
export const LEAST_SCORE = 95;

/** Of 100 each. */
export type Score = { readonly performance: number; readonly accessibility: number; readonly bestPractices: number };
/** The middle one of a page's runs, and all of them; a run that failed says why. */
export type Scores = Score & { readonly page: string; readonly runs: readonly (Score | string)[] };

export async function scoresOf(product: Running): Promise<Scores[]> {
  const driver = await cookieOf(product, "/account/sign-up", {
    ...{ name: "Scored", email: "scored@example.org", password: "correct horse battery", consent: true },
  });
  const operator = await cookieOf(product, "/account/sign-in", {
    ...{ email: "operator@example.org", password: product.staffPassword },
  });
  const scores: Scores[] = [];
  for (const [page, cookie] of [["/"], ["/charge", driver], ["/cockpit", operator]] as const)
    scores.push(await scored(product, page, cookie ?? ""));
  return scores;
}

async function cookieOf(product: Running, path: string, body: unknown): Promise<string> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${product.url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
}

async function scored(product: Running, page: string, cookie: string): Promise<Scores> {
  const runs: (Score | string)[] = [];
  while (runs.length < RUNS) runs.push(await scoredOnce(product, page, cookie));
  const good = runs.filter((one) => typeof one !== "string").sort((a, b) => a.performance - b.performance);
  const middle = good[Math.floor((good.length - 1) / 2)];
  if (!middle) throw new Error(`Lighthouse could not judge ${page}:\n${runs.join("\n")}`);
  return { page, ...middle, runs };
}

/** Its own words where it fails, as it does now and then on a machine that paints too late. */
async function scoredOnce(product: Running, page: string, cookie: string): Promise<Score | string> {
  const folder = mkdtempSync(join(tmpdir(), "oli-lighthouse-"));
  const report = join(folder, "report.json");
  const { status, stderr } = await lighthouse([
    ...[`${product.url}${page}`, "--quiet", "--output=json", `--output-path=${report}`],
    ...["--only-categories=performance,accessibility,best-practices", `--max-wait-for-load=${MOST_LOAD_MS}`],
    ...["--chrome-flags=--headless=new --no-sandbox --disable-gpu"],
    ...(cookie === "" ? [] : [`--extra-headers=${JSON.stringify({ Cookie: cookie })}`]),
  ]);
  const text = status === 0 ? readFileSync(report, "utf8") : null;
  rmSync(folder, { recursive: true });
  if (text === null) return `ended with ${status}: ${stderr.trim().slice(-400)}`;
  const { categories, finalDisplayedUrl } = JSON.parse(text);
  if (new URL(finalDisplayedUrl).pathname !== page) throw new Error(`${page} led to ${finalDisplayedUrl}.`);
  const score = (name: string) => Math.round(100 * categories[name].score);
  return {
    ...{ performance: score("performance"), accessibility: score("accessibility") },
    bestPractices: score("best-practices"),
  };
}

/** Interrupted when it takes too long: it then ends its browser, too. Status null: so it ended. */
async function lighthouse(args: readonly string[]): Promise<{ status: number | null; stderr: string }> {
  const child = spawn("npx", ["-y", LIGHTHOUSE, ...args], {
    env: { ...process.env, CHROME_PATH: findChromium() ?? "" },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  const timer = setTimeout(() => process.kill(-child.pid!, "SIGINT"), MOST_RUN_MS);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once("close", resolve);
    child.once("error", reject);
  });
  clearTimeout(timer);
  return { status, stderr };
}
