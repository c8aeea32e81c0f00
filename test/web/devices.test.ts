/** What only shows when something happens: devices that fail, a sunny receipt, a paused car. The real API and pages, virtual time. */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { webPages } from "../../backend/http/webPages.ts";
import { qrOf } from "../../web/cockpit/qr.ts";
import { placeOf } from "../../web/driver/evse.ts";
import { iso, NOON, type Service, startService, type Who } from "../http/service.ts";
import { browserFor, inspect, type Visitor, visitAs } from "./browser.ts";

const BUILT = fileURLToPath(new URL("../../dist/web", import.meta.url));

describe("The web application, when something happens", function () {
  this.timeout(180_000);
  let browser: Browser;
  let service: Service;
  let anna: Who;
  let backEnd: Who;
  let sunny: string;
  let paused: string;
  const visitors: Visitor[] = [];

  before(async function () {
    browser = await browserFor(this);
    service = await startService({ pages: webPages(BUILT) });
    anna = await service.signUp("anna");
    backEnd = await service.key("north", "cpo");
    await happen();
  });
  after(async () => {
    for (const one of visitors) await one.close();
    await browser?.close();
    await service?.close();
  });

  /** One sunny stay that is over, one car that waits, one charge point out of order and one that refuses its profile. */
  async function happen(): Promise<void> {
    const { clock, world } = service;
    const hems = await service.key("north", "hems");
    const slots = Array.from({ length: 200 }, (_, i) => ({ slot: Math.floor(NOON / 900) + i, price: dearUntil(i) }));
    await world.store.prices.put(world.settings.market, slots as never);
    const dirty = { intensities: [{ from: iso(NOON), until: iso(NOON + 86_400), gramsPerKwh: 500 }] };
    await ask("PUT", "/market/carbon", await service.serviceKey("market"), dirty);
    const start = async (evseId: string, wish: object) => {
      const departsAt = iso(clock.now() + 9 * 3600);
      const body = { evseId, optIn: true, departsAt, ...wish };
      return (await ask("POST", "/driver/sessions", anna, body)).session.id as string;
    };
    sunny = await start("north-1-1", { energyNeedWh: 4000, strategy: "fastest" });
    for (let minute = 1; minute <= 46; minute++) {
      await service.pass(60);
      const readings = [{ at: iso(clock.now()), buildingW: 2000, pvW: 5000 }];
      await ask("POST", "/machine/groups/north-1/readings", hems, { readings });
      const registerWh = Math.round((Math.min(30, minute) * 8000) / 60);
      const metered = [{ sessionId: sunny, at: iso(clock.now()), registerWh, powerW: minute > 30 ? 0 : 8000 }];
      await ask("POST", "/machine/meter-values", backEnd, { readings: metered });
    }
    await ask("POST", `/machine/sessions/${sunny}/stop`, backEnd, { at: iso(clock.now()), registerWh: 4000 });
    paused = await start("north-1-2", { energyNeedWh: 4000, notBefore: iso(clock.now() + 6 * 3600) });
    await start("north-1-3", { energyNeedWh: 4000, strategy: "fastest" });
    await service.pass(5);
    const [profile] = (await ask("GET", "/machine/profiles", backEnd)).profiles;
    const answer = { state: "refused", at: iso(clock.now()) };
    await ask("POST", `/machine/profiles/${encodeURIComponent(profile.id)}/answer`, backEnd, answer);
    const broken = { status: "OUTOFORDER", at: iso(clock.now()) };
    await ask("POST", "/machine/evses/north-1-1/status", backEnd, broken);
  }
  const dearUntil = (slot: number) => (slot < 20 ? 300_000 : 100_000);
  async function ask(method: string, path: string, as: Who, body?: object): Promise<any> {
    const said = await service.ask(method, path, { as, ...(body ? { body } : {}) });
    expect(said.status, `${method} ${path}: ${JSON.stringify(said.body)}`).to.be.below(300);
    return said.body;
  }

  async function comes(who: Who, language: "en-GB" | "de-DE" = "en-GB", size: "phone" | "desktop" = "desktop") {
    const visitor = await visitAs(browser, service, who, { size, language });
    visitors.push(visitor);
    return visitor;
  }
  const card = (page: Page, title: string) =>
    page.locator("section.card", { has: page.getByRole("heading", { name: title }) });

  it("names the devices that an operator should look at, and what they did", async () => {
    const { page, said } = await comes(await service.staff("north"));
    await page.goto("/cockpit?group=north-1");
    const attention = card(page, "Needs a look");
    await attention.getByText("Profile refused").waitFor();
    const text = await attention.textContent();
    expect(text).to.match(/north-1-1\s+faulty/);
    expect(text).to.match(/Profile refused/);
    await inspect(page, "cockpit-attention");
    expect(said).to.deep.equal([]);
  });

  it("shows what is left in the FLEX pot, and says when the chain is away", async () => {
    const { page } = await comes(await service.staff("north"));
    await page.goto("/cockpit/bills");
    const pot = page.locator("dl.facts > div", { hasText: "FLEX pot" });
    await pot.waitFor();
    expect(await pot.textContent()).to.contain("€1.00");
    service.chain.away = true;
    await page.reload();
    await pot.getByText("chain away").waitFor();
    service.chain.away = false;
  });

  it("shows what the market asks, and how clean the grid is", async () => {
    const { page } = await comes(await service.staff("north"));
    await page.goto("/cockpit?group=north-1");
    const market = card(page, "Market");
    await market.getByRole("img", { name: "CO₂ of a kWh from the grid" }).waitFor();
    await market.locator("summary").first().click();
    // The dear hours were five; ten cents are what is left.
    await market.getByRole("cell", { name: "10.0 ct" }).first().waitFor();
  });

  it("compares what the energy cost with what it would have cost at once", async () => {
    const { page } = await comes(await service.staff("north"));
    await page.goto("/cockpit/history?group=north-1");
    const compared = card(page, "Smart charging, on and off");
    await compared.waitFor();
    // 4 kWh at 30 ct, at once or not: nothing was moved.
    expect((await compared.textContent())!.match(/€1\.20/g)).to.have.length(2);
    expect(await compared.textContent()).to.match(/€0\.00 saved \(0 %\)/);
    expect(await compared.textContent()).to.match(/as charged\s*1\.0 kg.*at once\s*1\.0 kg.*0 g avoided \(0 %\)/);
    const total = page.locator("dl.facts > div", { hasText: "CO₂" });
    expect(await total.textContent()).to.contain("1.0 kg");
  });

  it("draws codes that lead to the charge points", async () => {
    const { page, said } = await comes(await service.staff("north"));
    await page.goto("/cockpit/setup?group=north-1");
    await page.getByRole("button", { name: "Show the codes" }).click();
    const address = `${service.serving.url}${placeOf("north-1-2")}`;
    const code = page.getByRole("img", { name: address });
    await code.waitFor();
    expect(await code.locator("path").getAttribute("d")).to.equal(qrOf(address).path);
    expect(await page.locator(".code").count()).to.equal(3);
    await inspect(page, "cockpit-codes");
    expect(said).to.deep.equal([]);
  });

  it("says on a receipt how much of it was sun", async () => {
    const { page, said } = await comes(anna, "en-GB", "phone");
    await page.goto(`/charge/receipt/${sunny}`);
    const origin = card(page, "Where it came from");
    await origin.waitFor();
    const text = await origin.textContent();
    expect(text).to.match(/Sun on the roof\s*(1\.9|2\.0) kWh, (48|49|50) %/);
    expect(text).to.match(/Grid\s*(2\.0|2\.1) kWh, 5[0-2] %/);
    // Two kWh from the grid at 500 g.
    expect(text).to.match(/CO₂ of it\s*1\.0 kg/);
    await inspect(page, "receipt-sunny");
    expect(said).to.deep.equal([]);
  });

  it("says in the driver's language why the car waits", async () => {
    const { page } = await comes(anna, "de-DE", "phone");
    await page.goto(`/charge/session/${paused}`);
    await page.getByText("Der geplante Beginn ist noch nicht da.").waitFor();
    await page.getByText("Pause", { exact: true }).waitFor();
  });

  it("says in German what was refused, and the service's own English beside it, marked as such", async () => {
    const driver = await comes(anna, "de-DE", "phone");
    await driver.page.goto("/charge/at/nowhere");
    const unknown = driver.page.getByRole("alert");
    await unknown.getByText("Diesen Ladepunkt kennen wir nicht.").waitFor();
    expect(await unknown.locator("[lang=en]").textContent()).to.equal("EVSE nowhere is not known. Check its label.");
    await inspect(driver.page, "german-unknown");

    const { page, said } = await comes(await service.staff("north"), "de-DE");
    await page.goto("/cockpit?group=north-1");
    const refused = card(page, "Bitte ansehen").locator("li", { hasText: "Profil abgelehnt" }).first();
    expect(await refused.locator("[lang=en]").textContent()).to.match(/refused/);
    await page.goto("/cockpit/grid?group=north-1");
    await page.getByLabel("Leistung (kW)").fill("9000");
    await page.getByRole("button", { name: "Beauftragen" }).click();
    const fault = page.getByRole("alert");
    await fault.getByText("Dieser Auftrag kann nicht gemeint sein.").waitFor();
    expect(await fault.locator("[lang=en]").textContent()).to.match(/9000000 W is above/);
    expect(said.filter((text) => !/422/.test(text))).to.deep.equal([]);
    await page.goto("/cockpit/setup?group=north-1");
    const method = page.getByLabel("Verfahren");
    await method.selectOption({ label: "Zu gleichen Teilen" });
    await page.getByText("Was die Grenze übrig lässt, zu gleichen Teilen an die Autos, die da sind").waitFor();
    await page.getByLabel("Zusagen zuerst (0 oder 1)").waitFor();
  });
});
