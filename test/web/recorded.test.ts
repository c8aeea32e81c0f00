/**
 * Recorded sessions behind the pages: `npm start -- --scenario` on a workplace with PV and a building where that folder lies
 * beside the project, else on the generated sample. What the pages add up is held against the scenario's own files.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { near } from "../support/near.ts";
import { SAMPLE } from "../support/replays.ts";
import { browserFor, inspect, type Size, type Visitor, visit } from "./browser.ts";
import { type Running, startProduct } from "./running.ts";

const RECORDED = join(import.meta.dirname, "..", "..", "..", "shared", "scenarios", "mougins-workplace");
const FOLDER = existsSync(RECORDED) ? RECORDED : SAMPLE;
/** Among three days is one on which people work. */
const DAYS = 3;
const DAY_MS = 86_400_000;

const META = JSON.parse(readFileSync(join(FOLDER, "scenario.json"), "utf8"));
type Bill = { sessionNumber: number; energyWh: number; compensationMicroEur: string };
const GROUP: { id: string; evses: unknown[] } = META.groups[0];

describe("The web application on recorded sessions", function () {
  this.timeout(120_000);
  let browser: Browser;
  let product: Running;
  let driver: Visitor;
  const visitors: Visitor[] = [];

  before(async function () {
    browser = await browserFor(this);
    console.log(`      (${META.name}, its last ${DAYS} days)`);
    product = await startProduct("--scenario", FOLDER, "--days", `${DAYS}`);
    driver = await startsCharging();
  });
  after(async () => {
    for (const one of visitors) await one.close();
    await browser?.close();
    await product?.stop();
  });

  async function comes(size: Size): Promise<Visitor> {
    const visitor = await visit(browser, product.url, { size });
    visitors.push(visitor);
    return visitor;
  }

  /** A visitor beside the recorded cars, at the first charge point that is free. */
  async function startsCharging(): Promise<Visitor> {
    const visitor = await comes("phone");
    const { page } = visitor;
    await page.goto("/sign-up");
    await page.getByLabel("Your name").fill("Ada");
    await page.getByLabel("E-mail").fill("ada@example.org");
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Register" }).click();
    await page.waitForURL("**/charge");
    await page.locator("a[href*='/charge/at/']").first().click();
    await page.getByRole("radio", { name: "As soon as possible" }).check({ force: true });
    await page.getByRole("button", { name: "Start charging" }).click();
    // Where many cars are, or little power, the answer is an offer: its first button takes it.
    const offer = page.getByRole("dialog").getByRole("button").first();
    await offer
      .or(page.getByRole("button", { name: "Stop charging" }))
      .first()
      .waitFor();
    if (await offer.isVisible()) await offer.click();
    await page.waitForURL("**/charge/session/**");
    return visitor;
  }

  async function operates(size: Size): Promise<Visitor> {
    const visitor = await comes(size);
    const { page } = visitor;
    await page.goto("/sign-in?next=/cockpit");
    await page.getByLabel("E-mail").fill("operator@example.org");
    await page.getByLabel("Password").fill(product.staffPassword);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: GROUP.id, level: 1 }).waitFor();
    return visitor;
  }
  const get = async <T>(page: Page, path: string): Promise<T> => (await page.request.get(path)).json();
  const fact = async (page: Page, name: string) => {
    const named = page.locator("dt").filter({ hasText: new RegExp(`^${name}$`) });
    return (await named.first().locator("xpath=following-sibling::dd").textContent())!;
  };
  const numberIn = (text: string) => Number(text.replaceAll(/[^\d.]/g, ""));

  it("says to everybody that it was recorded, and when", async () => {
    for (const size of ["phone", "desktop"] as const) {
      const { page, said } = await comes(size);
      await page.goto("/");
      const year = new Date(META.from).getUTCFullYear();
      await page
        .getByText(new RegExp(`^Cars, loads and prices as they were recorded, .*${year}, moved to now`))
        .waitFor();
      await inspect(page, `${size}-recorded-home`);
      expect(said).to.deep.equal([]);
    }
  });

  it("shows each charge point live, and the building and the sun of this hour of the recording", async () => {
    const { page, said } = await operates("desktop");
    expect(await page.locator(".point").count()).to.equal(GROUP.evses.length);
    const began = new Date();
    const kw = async (name: string) => numberIn(await fact(page, name));
    const [building, sun] = [await kw("Building"), await kw("Sun")];
    // The slot may have begun a moment ago, and the last reading be of the one before.
    const from = await firstSlot(page);
    const of = (file: string) =>
      [began, new Date(began.getTime() - 60_000)].map((at) => recordedW(file, from, at) / 1000);
    expect(
      of(META.groups[0].demand)
        .map((w) => Math.abs(w - building))
        .sort()[0],
    ).to.be.below(0.06);
    expect(
      of(META.groups[0].production)
        .map((w) => Math.abs(w - sun))
        .sort()[0],
    ).to.be.below(0.06);
    await inspect(page, "desktop-recorded-live");
    expect(said).to.deep.equal([]);
  });

  it("adds up the recorded stays to what the files and the bills say", async () => {
    const { page, said } = await operates("desktop");
    const from = await firstSlot(page);
    const before = cameBy(from, new Date());
    await page.getByRole("link", { name: "History", exact: true }).click();
    const count = numberIn(await fact(page, "Sessions"));
    const after = cameBy(from, new Date());
    // One of them is the visitor's.
    expect(count - 1).to.be.within(before.length, after.length);
    expect(before.length).to.be.greaterThan(20);

    const { stays } = await get<{ stays: { sessionNumber: number; energyWh: number | null }[] }>(page, "/cpo/stays");
    const ended = stays.filter(({ energyWh }) => energyWh !== null);
    const bills = await billsOf(page);
    expect(ended.map(({ sessionNumber }) => sessionNumber)).to.have.members([...bills.keys()]);
    const energyWh = [...bills.values()].reduce((sum, one) => sum + one.energyWh, 0);
    expect(numberIn(await fact(page, "Energy"))).to.satisfy(near(energyWh / 1000, 0.5));
    // The scenario's price is in force all the time; compensation comes off, and never leaves less than nothing to pay.
    const microEur = [...bills.values()].reduce(
      (sum, one) =>
        sum + Math.max(0, (one.energyWh * META.driverPriceMicroEurPerKwh) / 1000 - Number(one.compensationMicroEur)),
      0,
    );
    expect(numberIn(await fact(page, "Billed"))).to.satisfy(near(microEur / 1_000_000, 0.006));
    // No car takes more than it took then, and nearly all is given.
    const left = before.filter(({ plugOut }) => plugOut < Date.now() - 60_000);
    const possibleWh = left.reduce((sum, { takenWh }) => sum + takenWh, 0);
    expect(energyWh).to.be.within(0.8 * possibleWh, possibleWh + 100);

    await inspect(page, "desktop-recorded-history");
    await page.getByRole("link", { name: "Bills", exact: true }).click();
    expect(numberIn(await fact(page, "Bills"))).to.be.within(bills.size, bills.size + 1);
    await page.getByRole("cell").first().waitFor();
    await inspect(page, "desktop-recorded-bills");
    expect(said).to.deep.equal([]);
  });

  it("fits a phone as well", async () => {
    const { page, said } = await operates("phone");
    await inspect(page, "phone-recorded-live");
    for (const door of ["History", "Bills"]) {
      await page.getByRole("link", { name: door, exact: true }).click();
      await page.getByRole("heading", { name: door, level: 1 }).waitFor();
      await inspect(page, `phone-recorded-${door.toLowerCase()}`);
    }
    await page.goto("/audit");
    await page.getByText("none is missing").waitFor({ timeout: 60_000 });
    await inspect(page, "phone-recorded-audit");
    expect(said).to.deep.equal([]);
  });

  it("proves a schedule of the recorded cars to anybody", async () => {
    const { page, said } = await comes("desktop");
    await page.goto("/audit");
    await page.getByText("none is missing").waitFor({ timeout: 60_000 });
    await page.getByLabel("Key for the bytes").fill(product.auditKey);
    await page.getByRole("button", { name: "Judge" }).nth(2).click();
    await page.getByText(/no cheaper schedule exists|feasible/).waitFor({ timeout: 60_000 });
    await inspect(page, "desktop-recorded-audit");
    expect(said).to.deep.equal([]);
  });

  it("gives a visitor who charged beside the recorded cars a receipt", async () => {
    const { page, said } = driver;
    await page.getByRole("button", { name: "Stop charging" }).click();
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.waitForURL("**/charge/receipt/**");
    await page.getByText("The receipt gives exactly this fingerprint.").waitFor();
    await inspect(page, "phone-recorded-receipt");
    await page.setViewportSize({ width: 1280, height: 900 });
    await inspect(page, "desktop-recorded-receipt");
    expect(said).to.deep.equal([]);
  });

  /** When the replay began: the first slot that the site's meter was heard in. */
  async function firstSlot(page: Page): Promise<Date> {
    const query = new URLSearchParams({
      from: new Date(Date.now() - 6 * DAY_MS).toISOString().slice(0, 19).concat("Z"),
    });
    const { slots } = await get<{ slots: { at: string }[] }>(page, `/cpo/groups/${GROUP.id}/history?${query}`);
    return new Date(slots[0]!.at);
  }

  async function billsOf(page: Page): Promise<Map<number, Bill>> {
    const { settlements } = await get<{ settlements: Bill[] }>(page, "/cpo/settlements?limit=200");
    return new Map(settlements.map((one) => [one.sessionNumber, one]));
  }
});

/* -------------------------------------------------------------------- the files, read and moved by another route */

type Line = Record<string, string>;
function linesOf(file: string): Line[] {
  const [header = "", ...lines] = readFileSync(join(FOLDER, file), "utf8").trimEnd().split(/\r?\n/);
  const names = header.split(",");
  return lines.map((line) => Object.fromEntries(line.split(",").map((cell, i) => [names[i]!, cell])));
}

/** What the site's clock shows, as if it were UTC, ms. */
const wallMs = (at: Date) => Date.parse(`${at.toLocaleString("sv", { timeZone: META.timeZone }).replace(" ", "T")}Z`);

const LENGTH_DAYS = (Date.parse(META.to) - Date.parse(META.from)) / DAY_MS;
const UNIT_MS = LENGTH_DAYS >= 7 ? 7 * DAY_MS : DAY_MS;
const PERIOD_MS = Math.ceil((LENGTH_DAYS * DAY_MS) / UNIT_MS) * UNIT_MS;

/** By how much the clocks of the recording are moved when the first run of it begins at most a week (or day) before `from`. */
function movedMs(from: Date): number {
  return Math.floor((wallMs(from) - wallMs(new Date(META.from))) / UNIT_MS) * UNIT_MS;
}

/** Recorded cars that come after the replay began and until `now`, with the time of leaving as it is now, ms. */
function cameBy(from: Date, now: Date): { plugOut: number; takenWh: number }[] {
  return [0, 1, 2, 3].flatMap((n) =>
    linesOf(META.sessions).flatMap((line) => {
      const move = (text: string) => wallMs(new Date(text)) + movedMs(from) + n * PERIOD_MS;
      const [plugIn, plugOut] = [move(line.plug_in!), move(line.plug_out!)];
      const isIn = plugIn >= wallMs(from) && plugIn <= wallMs(now);
      return isIn ? [{ plugOut: plugOut - wallMs(now) + now.getTime(), takenWh: Number(line.energy_taken_wh) }] : [];
    }),
  );
}

/** What the file says for the slot of the recording that stands at `at`, W. */
function recordedW(file: string, from: Date, at: Date): number {
  const lines = linesOf(file);
  for (const n of [0, 1, 2, 3]) {
    const wall = wallMs(at) - movedMs(from) - n * PERIOD_MS;
    const line = lines.findLast(({ start }) => wallMs(new Date(start!)) <= wall);
    if (line && wall - wallMs(new Date(line.start!)) < 900_000 && wall >= wallMs(new Date(META.from)))
      return Number(line.power_w);
  }
  throw new Error(`The recording has nothing at ${at.toISOString()}.`);
}
