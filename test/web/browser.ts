/** A real Chromium without a window. Every page is watched: an error in its console fails the test that opened it. */
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { expect } from "chai";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Service, Who } from "../http/service.ts";
import { type Chromium, provideChromium } from "./chromium.ts";

const ARGUMENTS = [
  ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
  ...["--disable-component-update", "--disable-sync"],
];
const SCREENSHOTS = join(import.meta.dirname, "..", "..", "dist", "screenshots");
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 900 } } as const;
export type Size = keyof typeof SIZES;

/** Asked for once in a run of tests: a machine that has none now has none for the next file either. */
let provided: Chromium | null = null;

/** Null, with the reason on the console, where there is none and none can be installed. */
export async function openBrowser(): Promise<Browser | null> {
  provided ??= provideChromium();
  if (provided.kind === "here")
    return chromium.launch({ executablePath: provided.path, headless: true, args: ARGUMENTS });
  console.log(`      (skipped: ${provided.why})`);
  return null;
}

/** For a `before` of its own time: a machine without Chromium installs it first, or all tests after it are left out. */
export async function browserFor(hook: Mocha.Context): Promise<Browser> {
  hook.timeout(600_000);
  return (await openBrowser()) ?? hook.skip();
}

export type Visitor = {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly said: string[];
  close(): Promise<void>;
};

/** Somebody with a device; `said` is what the console reported as an error. */
export async function visit(
  browser: Browser,
  baseURL: string,
  options: {
    readonly size: Size;
    readonly theme?: "light" | "dark";
    readonly language?: "en-GB" | "de-DE";
    readonly offlineCopy?: boolean;
  },
): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL,
    viewport: SIZES[options.size],
    locale: options.language ?? "en-GB",
    colorScheme: options.theme ?? "light",
    acceptDownloads: true,
    serviceWorkers: options.offlineCopy ? "allow" : "block",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const said: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") said.push(message.text());
  });
  page.on("pageerror", (error) => said.push(error.message));
  return { page, context, said, close: () => context.close() };
}

/** Somebody who is signed in already, on the clock of a service in virtual time. */
export async function visitAs(
  browser: Browser,
  { serving, clock }: Pick<Service, "serving" | "clock">,
  { cookie }: Who,
  options: Parameters<typeof visit>[2],
): Promise<Visitor> {
  const visitor = await visit(browser, serving.url, options);
  const cookies = cookie!.split("; ").map((one) => {
    const [name, ...value] = one.split("=");
    return { name: name!, value: value.join("="), url: serving.url };
  });
  await visitor.context.addCookies(cookies);
  await visitor.page.clock.setFixedTime(clock.now() * 1000);
  return visitor;
}

/**
 * A page as it stands, in both themes: pictures of it are kept as output of the tests, nothing stands beyond its edge, and axe
 * finds nothing serious or critical, which would keep somebody out.
 */
export async function inspect(page: Page, name: string): Promise<void> {
  // Not waitForFunction: it evaluates within the page, which the policy forbids.
  await page.locator(".skeleton").first().waitFor({ state: "detached" });
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await picture(page, theme === "light" ? name : `${name}-dark`);
    const [wide, window] = await page.evaluate<number[]>("[document.documentElement.scrollWidth, innerWidth]");
    expect(wide, `width of ${name}`).to.be.at.most(window!);
    // A policy that lets in nothing keeps axe out as well, unless the protocol puts it there.
    const findings = await page.evaluate(`${AXE};
      axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`);
    expect(findings, `${name}, ${theme}`).to.deep.equal([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  // The window grows instead of a long page being put together, in which bars at the edge would stand in the middle.
  const { width, height } = page.viewportSize()!;
  const long = Number(await page.evaluate("document.documentElement.scrollHeight"));
  await page.setViewportSize({ width, height: Math.max(height, long) });
  // What lay below is drawn when it comes into the window.
  await page.locator(".coming").first().waitFor({ state: "detached" });
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  await page.setViewportSize({ width, height });
}
