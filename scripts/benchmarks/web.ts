/**
 * npm run bench -- web [--json] [--points 1000] [--rounds 20] [--no-lighthouse] : what the pages cost whoever opens them, in
 * a real Chromium. Compressed script of a driver's first load; how long a driver waits on a poor line (webLine.ts);
 * milliseconds from the moment at which a back end reports new readings of all charge points until they are on the cockpit's
 * screen, through the real service, and the longest stretch in which that page could do nothing else; Lighthouse's scores (webScores.ts), the middle
 * one of three runs each, and every run. Wrong when one of them is beyond its bound.
 */
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { openBrowser, visit } from "../../test/web/browser.ts";
import { type Running, startProduct } from "../../test/web/running.ts";
import { MOST_WAIT_MS, type Wait, waitsOf } from "./webLine.ts";
import { LEAST_SCORE, type Scores, scoresOf } from "./webScores.ts";
import { startWebSite, type WebSite } from "./webSite.ts";

const MOST_SCRIPT_BYTES = 250_000;
const MOST_UPDATE_MS = 1_000;
const MOST_STANDSTILL_MS = 50;
const PAUSE_MS = 1_000;

/** As tiles, of which the page draws those on the screen, or all of them on the plan. */
const VIEWS = { tiles: "", plan: "&view=plan" } as const;
type View = keyof typeof VIEWS;

type Cockpit = {
  readonly view: View;
  readonly points: number;
  readonly updateMs: { readonly median: number; readonly max: number };
  /** Between two frames; and work that kept the page from its next one, as the browser itself counts it (from 50 ms). */
  readonly frameMs: { readonly median: number; readonly p99: number; readonly max: number };
  readonly longTasksMs: readonly number[];
};

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      points: { type: "string", default: "1000" },
      rounds: { type: "string", default: "20" },
      "no-lighthouse": { type: "boolean", default: false },
    },
  });
  const browser = await openBrowser();
  if (browser === null) return false;
  const cockpit: Cockpit[] = [];
  const site = await startWebSite(Number(values.points));
  for (const view of Object.keys(VIEWS) as View[])
    cockpit.push(await cockpitOf(browser, site, view, Number(values.points), Number(values.rounds)));
  await site.stop();
  const { scriptBytes, waits, scores } = await measured(browser, !values["no-lighthouse"]);
  await browser.close();
  const ok =
    scriptBytes <= MOST_SCRIPT_BYTES &&
    waits.every(({ usefulMs }) => usefulMs <= MOST_WAIT_MS) &&
    cockpit.every(
      ({ updateMs, longTasksMs }) =>
        updateMs.max <= MOST_UPDATE_MS && Math.max(0, ...longTasksMs) <= MOST_STANDSTILL_MS,
    ) &&
    scores.every(({ performance, accessibility, bestPractices }) =>
      [performance, accessibility, bestPractices].every((score) => score >= LEAST_SCORE),
    );
  if (values.json)
    console.log(
      JSON.stringify({ benchmark: "web", node: process.version, ok, scriptBytes, waits, cockpit, scores }, null, 2),
    );
  else console.log(text(scriptBytes, waits, cockpit, scores));
  return ok;
}

async function measured(browser: Browser, withScores: boolean) {
  const product = await startProduct();
  try {
    const scriptBytes = await firstLoad(browser, product);
    const waits = await waitsOf(browser, product);
    return { scriptBytes, waits, scores: withScores ? await scoresOf(product) : [] };
  } finally {
    await product.stop();
  }
}

/** Bytes of script as they are sent, from the door to a driver's first page. */
async function firstLoad(browser: Browser, product: Running): Promise<number> {
  const { page, close } = await visit(browser, product.url, { size: "phone" });
  let bytes = 0;
  page.on("response", (response) => {
    if (/\.js$/.test(new URL(response.url()).pathname)) bytes += Number(response.headers()["content-length"]);
  });
  await page.goto("/sign-up");
  await page.getByLabel("Your name").fill("First");
  await page.getByLabel("E-mail").fill("first@example.org");
  await page.getByLabel("Password").fill("correct horse battery");
  await page.getByRole("checkbox").check();
  await page.getByRole("button", { name: "Register" }).click();
  await page.getByRole("heading", { name: "Free now" }).waitFor();
  await close();
  return bytes;
}

/** Runs in the page: notes when each reading was first there to be painted, and every frame and long task. */
const WATCH = `
  window.seen = []; window.frames = []; window.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  let last = performance.now();
  requestAnimationFrame(function frame(now) {
    frames.push(now - last);
    last = now;
    const [, onPlan] = /measured (.*?),/.exec(document.querySelector(".bay")?.getAttribute("aria-label")) ?? [];
    const text = onPlan ?? document.querySelector(".point .number").textContent;
    if (seen.at(-1)?.text !== text) seen.push({ text, at: performance.timeOrigin + performance.now() });
    requestAnimationFrame(frame);
  });`;

async function cockpitOf(
  browser: Browser,
  site: WebSite,
  view: View,
  points: number,
  rounds: number,
): Promise<Cockpit> {
  const { page, close } = await visit(browser, site.url, { size: "desktop" });
  await page.request.post("/account/sign-in", { data: site.operator });
  await page.goto(`${site.path}${VIEWS[view]}`);
  await page
    .locator(view === "plan" ? ".bay" : ".point")
    .first()
    .waitFor();
  await page.waitForTimeout(2 * PAUSE_MS);
  await page.evaluate(WATCH);
  const sentAt: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await site.minute();
    sentAt.push(Date.now());
    await site.tell((i) => 100 * round + ((i * 700) % 9_000));
    await page.waitForTimeout(PAUSE_MS);
  }
  const watched = await page.evaluate<{ seen: { text: string; at: number }[]; frames: number[]; longTasks: number[] }>(
    "({ seen, frames, longTasks })",
  );
  await close();
  // The first thing seen is what stood there before. A reading that never was on the screen is late beyond any bound.
  const updates = sentAt.map((at, i) => {
    const shown = `${((100 * (i + 1)) / 1000).toFixed(1)} kW`;
    const found = watched.seen.find(({ text: seen }) => seen.startsWith(shown));
    return found ? found.at - at : Number.POSITIVE_INFINITY;
  });
  return {
    view,
    points,
    updateMs: { median: percentile(updates, 50), max: Math.round(Math.max(...updates)) },
    frameMs: {
      median: percentile(watched.frames, 50),
      p99: percentile(watched.frames, 99),
      max: Math.round(Math.max(...watched.frames)),
    },
    longTasksMs: watched.longTasks.map(Math.round),
  };
}

const percentile = (values: readonly number[], percent: number) =>
  Math.round([...values].sort((a, b) => a - b)[Math.ceil((percent / 100) * values.length) - 1]!);

function text(scriptBytes: number, waits: readonly Wait[], cockpit: readonly Cockpit[], scores: readonly Scores[]) {
  return [
    `first load of the driver: ${scriptBytes} bytes of compressed script`,
    ...waits.map(
      ({ page, frameMs, usefulMs }) =>
        `on a poor line ${page}: its frame after ${frameMs} ms, something to do after ${usefulMs} ms`,
    ),
    ...cockpit.flatMap(({ view, points, updateMs, frameMs, longTasksMs }) => [
      `cockpit with ${points} charge points, ${view}: a reading is on the screen after ${updateMs.median} ms, at most ${updateMs.max} ms`,
      `  frames: median ${frameMs.median}, p99 ${frameMs.p99}, max ${frameMs.max} ms; work above 50 ms: ${longTasksMs.join(", ") || "none"}`,
    ]),
    ...scores.map(
      ({ page, performance, accessibility, bestPractices, runs }) =>
        `Lighthouse ${page}: performance ${performance} (of ${runs.map((one) => (typeof one === "string" ? "none" : one.performance)).join(", ")}), accessibility ${accessibility}, best practices ${bestPractices}`,
    ),
  ].join("\n");
}
