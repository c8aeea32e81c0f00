/**
 * Lighthouse's scores of the front door, a driver's and an operator's page, as on a phone of middling power and line. It weighs
 * more than all else here, so it is no dependency: npx fetches it when somebody asks for the scores.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { visit } from "../../test/web/browser.ts";
import { findChromium } from "../../test/web/chromium.ts";
import type { Running } from "../../test/web/running.ts";

const LIGHTHOUSE = "lighthouse@13.5.0";
const RUNS = 3;
export const LEAST_SCORE = 95;

export type Scores = {
  readonly page: string;
  readonly performance: number;
  readonly accessibility: number;
  readonly bestPractices: number;
};

export async function scoresOf(browser: Browser, product: Running): Promise<Scores[]> {
  const driver = await cookieOf(browser, product, "/account/sign-up", {
    ...{ name: "Scored", email: "scored@example.org", password: "correct horse battery", consent: true },
  });
  const operator = await cookieOf(browser, product, "/account/sign-in", {
    ...{ email: "operator@example.org", password: product.staffPassword },
  });
  return [scored(product, "/", ""), scored(product, "/charge", driver), scored(product, "/cockpit", operator)];
}

async function cookieOf(browser: Browser, product: Running, path: string, body: unknown): Promise<string> {
  const { page, context, close } = await visit(browser, product.url, { size: "phone" });
  await page.goto("/sign-in");
  await page.evaluate(
    ([to, sent]) =>
      fetch(to!, { method: "POST", headers: { "content-type": "application/json" }, body: sent! }).then((answer) => {
        if (!answer.ok) throw new Error(`${to} answered ${answer.status}.`);
      }),
    [path, JSON.stringify(body)],
  );
  const cookies = await context.cookies();
  await close();
  return cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
}

/** The middle one of a few runs: a machine that is busy for a moment says little of the page. */
function scored(product: Running, page: string, cookie: string): Scores {
  const runs = Array.from({ length: RUNS }, () => scoredOnce(product, page, cookie));
  const good = runs.filter((one) => typeof one !== "string").sort((a, b) => a.performance - b.performance);
  const middle = good[Math.floor((good.length - 1) / 2)];
  if (!middle) throw new Error(`Lighthouse could not judge ${page}:\n${runs.join("\n")}`);
  return middle;
}

/** Its own words where it fails, as it does now and then on a machine that paints too late. */
function scoredOnce(product: Running, page: string, cookie: string): Scores | string {
  const folder = mkdtempSync(join(tmpdir(), "oli-lighthouse-"));
  const report = join(folder, "report.json");
  const { status, stderr } = spawnSync(
    "npx",
    [
      ...["-y", LIGHTHOUSE, `${product.url}${page}`, "--quiet", "--output=json", `--output-path=${report}`],
      ...["--only-categories=performance,accessibility,best-practices"],
      ...["--chrome-flags=--headless=new --no-sandbox --disable-gpu"],
      ...(cookie === "" ? [] : [`--extra-headers=${JSON.stringify({ Cookie: cookie })}`]),
    ],
    { env: { ...process.env, CHROME_PATH: findChromium() ?? "" }, encoding: "utf8", timeout: 180_000 },
  );
  if (status !== 0) return stderr;
  const { categories, finalDisplayedUrl } = JSON.parse(readFileSync(report, "utf8"));
  rmSync(folder, { recursive: true });
  if (new URL(finalDisplayedUrl).pathname !== page) throw new Error(`${page} led to ${finalDisplayedUrl}.`);
  const score = (name: string) => Math.round(100 * categories[name].score);
  return {
    ...{ page, performance: score("performance"), accessibility: score("accessibility") },
    bestPractices: score("best-practices"),
  };
}
