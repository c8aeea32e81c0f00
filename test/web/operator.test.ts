/** An operator without a working site makes one in the browser; its station and its energy manager then speak by the API. */
import { join } from "node:path";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { webPages } from "../../backend/http/webPages.ts";
import { startService } from "../http/service.ts";
import { near } from "../support/near.ts";
import { browserFor, inspect, SIZES, type Size, visit } from "./browser.ts";
import { type Running, startProduct } from "./running.ts";

const iso = (at = Date.now()) => new Date(at).toISOString().replace(/\.\d+Z$/, "Z");

describe("An operator in the browser", function () {
  this.timeout(120_000);
  let browser: Browser;
  let product: Running;
  before(async function () {
    browser = await browserFor(this);
    product = await startProduct();
  });
  after(async () => {
    await product?.stop();
    await browser?.close();
  });

  for (const size of Object.keys(SIZES) as Size[])
    it(`makes a site with keys, sees a car come, charge and go, and finds its bill: ${size}`, async () => {
      const { page, said, close } = await visit(browser, product.url, { size });
      const [group, evse] = [`quay ${size}`, `NO*OLI*E${size.toUpperCase()}01`];
      const go = (door: string) => page.getByRole("link", { name: door, exact: true }).click();
      await page.goto("/sign-in?next=/cockpit/setup");
      await page.getByLabel("E-mail").fill("operator@example.org");
      await page.getByLabel("Password").fill(product.staffPassword);
      await page.getByRole("button", { name: "Sign in" }).click();

      // A first try with ids of the demo's.
      await page.getByRole("button", { name: "A new site" }).click();
      await page.getByRole("combobox", { name: "Place", exact: true }).selectOption("A new place");
      const zone = await page.evaluate<string>("Intl.DateTimeFormat().resolvedOptions().timeZone");
      expect(await page.getByLabel("Time zone").inputValue()).to.equal(zone);
      await page.getByLabel("Name of the place").fill(`Harbour ${size}`);
      await page.getByLabel("Name of the group").fill("demo-garage");
      await page.getByText("There is a group of this name").waitFor();
      await page.getByLabel("Name of the group").fill(group);
      await page.getByLabel("Supply limit (kW)").fill("30");
      await page.getByLabel("Ids begin with").last().fill("NL*OLI*EDEMO");
      await page.getByLabel("PV (kW)").last().fill("5");
      await page.getByRole("button", { name: "Set up the site" }).click();
      await page.getByRole("alert").getByText("The id NL*OLI*EDEMO01 is taken").waitFor();
      expect(said.splice(0).join()).to.match(/409/);
      await inspect(page, `${size}-new-site`);
      await page.getByLabel("Ids begin with").last().fill(evse.slice(0, -2));
      await page.getByText(`They are called ${evse},`).waitFor();
      await page.getByRole("button", { name: "Set up the site" }).click();
      await page.getByText(`${group} is set up`).waitFor();
      await page.getByText("2 charge points, 1 PV").waitFor();
      expect(await page.getByRole("combobox", { name: "Group", exact: true }).first().inputValue()).to.equal(group);

      // One more, and where they stand.
      await page.getByText("Add charge points or PV").click();
      await page.getByLabel("Ids begin with").first().fill(evse.slice(0, -2));
      await page.getByLabel("First number").first().fill("3");
      await page.getByLabel("How many").first().fill("1");
      await page.getByRole("button", { name: "Add", exact: true }).click();
      await page.getByText("3 charge points, 1 PV").waitFor();
      await placesOne(page, evse, size);

      const [backEnd, hems] = [await makesKey(page, group, "cpo", size), await makesKey(page, group, "hems", size)];
      await inspect(page, `${size}-keys`);
      const asks = (key: string) => async (method: string, path: string, body?: object) => {
        const answer = await fetch(`${product.url}/machine${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          ...(body ? { body: JSON.stringify(body) } : {}),
        });
        const text = await answer.text();
        expect(answer.status, `${method} ${path}: ${text}`).to.be.below(300);
        return text === "" ? null : JSON.parse(text);
      };
      const [station, manager] = [asks(backEnd), asks(hems)];

      await go("Live");
      await page.getByRole("combobox", { name: "Group", exact: true }).selectOption(group);
      const tile = page.locator(".point", { hasText: evse });
      await tile.getByText("free").waitFor();
      await page.getByText("No quarter of an hour is measured yet.").waitFor();
      const path = `/evses/${encodeURIComponent(evse)}/status`;
      await station("POST", path, { status: "INOPERATIVE", at: iso() });
      await tile.getByText("off").waitFor();
      await station("POST", path, { status: "AVAILABLE", at: iso() });
      await tile.getByText("free").waitFor();

      const sessionId = `car at ${evse}`;
      const pluggedAt = Date.now() - 60_000;
      const driverId = await registers(product.url, `kari-${size}@example.org`);
      await station("POST", "/sessions", { sessionId, evseId: evse, driverId, at: iso(pluggedAt), registerWh: 12_000 });
      await manager("POST", `/groups/${encodeURIComponent(group)}/readings`, {
        readings: [{ at: iso(), buildingW: 4200, pvW: 0 }],
      });
      await page.getByText("4.2 kW").first().waitFor();
      const profile = await profileOf(station, sessionId);
      await station("POST", `/profiles/${encodeURIComponent(profile.id)}/answer`, { state: "applied", at: iso() });
      await station("POST", "/meter-values", {
        readings: [{ sessionId, at: iso(), registerWh: 12_150, powerW: 9000 }],
      });
      await tile.getByText("charging").waitFor();
      await tile.getByText("9.0 kW /").waitFor();

      await tile.getByRole("button", { name: "Full power" }).click();
      await tile.getByText("Full power until").waitFor();
      await page.getByText("asked by the operator").waitFor();
      await inspect(page, `${size}-boosted`);
      await page.getByRole("button", { name: `End full power of ${evse}` }).click();
      await page.getByText("Nobody has asked for full power.").waitFor();

      await page.getByRole("radio", { name: "Plan" }).check({ force: true });
      const bay = page.getByRole("button", { name: `${evse}: charging, measured 9.0 kW` });
      await bay.focus();
      await page.keyboard.press("Enter");
      const details = page.getByRole("dialog");
      await details.getByText(evse).waitFor();
      await page.keyboard.press("Escape");
      await details.waitFor({ state: "detached" });
      expect(await bay.evaluate((one) => one === one.ownerDocument.activeElement)).to.equal(true);
      expect(await page.locator(".point").count(), "charge points without a place").to.equal(2);
      await inspect(page, `${size}-plan`);

      const bill = await station("POST", `/sessions/${encodeURIComponent(sessionId)}/stop`, {
        at: iso(),
        registerWh: 12_200,
      });
      // 200 Wh at 0.35 EUR per kWh.
      expect([bill.energyWh, bill.amountMicroEur]).to.deep.equal([200, "70000"]);
      await page.getByRole("button", { name: `${evse}: free` }).waitFor();
      await go("History");
      await page.getByRole("combobox", { name: "Group", exact: true }).selectOption(group);
      await page.getByRole("cell", { name: evse }).waitFor();
      await go("Bills");
      const row = page
        .getByRole("row")
        .filter({ has: page.getByRole("cell", { name: `${bill.sessionNumber}`, exact: true }) });
      await row.getByText("€0.07").waitFor();

      await go("Settings");
      await page.getByRole("button", { name: `Revoke back end ${size}` }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("button", { name: `Revoke back end ${size}` }).waitFor({ state: "detached" });
      const shut = await fetch(`${product.url}/machine/profiles`, { headers: { authorization: `Bearer ${backEnd}` } });
      expect(shut.status).to.equal(401);
      expect(said).to.deep.equal([]);
      await close();
    });

  it("begins with nothing: the first site names who is paid and what drivers pay, each fault at its field", async () => {
    const service = await startService({ pages: webPages(join(import.meta.dirname, "..", "..", "dist", "web")) });
    await service.world.store.sites.addCpo({ id: "west", name: "CPO west" });
    const account = { email: "staff@west.example", password: "correct horse battery" };
    await service.accounts.ensureStaff({ ...account, name: "West", cpoId: "west" });
    const { page, said, close } = await visit(browser, service.serving.url, { size: "phone", language: "de-DE" });
    await page.goto("/sign-in?next=/cockpit");
    await page.getByLabel("E-Mail").fill(account.email);
    await page.getByLabel("Passwort").fill(account.password);
    await page.getByRole("button", { name: "Anmelden" }).click();
    await page.getByText("Noch keine Gruppe").waitFor();
    await inspect(page, "phone-no-group");
    await page.getByRole("link", { name: "Ein neuer Standort" }).click();

    await page.getByLabel("Name des Ortes").fill("Kai");
    await page.getByLabel("Breite").fill("59,9");
    await page.getByLabel("Name der Gruppe").fill("Kai 1");
    await page.getByLabel("Anschlussgrenze (kW)").fill("0.5");
    await page.getByLabel("Anschlussgrenze (kW)").evaluate((field) => field.removeAttribute("min"));
    await page.getByLabel("Als Liste").check({ force: true });
    await page.getByLabel("Kennungen, eine je Zeile").fill("west-1\nwest-2\n\nnorth-1-1");
    await page.getByLabel("Adresse, die euer Geld bekommt").fill("0x12");
    await page.getByLabel("Preis für Fahrer").fill("viel");
    await page.getByRole("button", { name: "Standort einrichten" }).click();
    const faultOf = async (label: string) => {
      const id = await page.getByLabel(label).getAttribute("aria-describedby");
      return page.locator(`[id="${id!.split(" ").at(-1)}"]`).textContent();
    };
    await page.getByRole("alert").first().waitFor();
    expect(await faultOf("Länge")).to.match(/longitude/);
    expect(await faultOf("Anschlussgrenze (kW)")).to.match(/500 W/);
    expect(await faultOf("Adresse, die euer Geld bekommt")).to.match(/40 hex/);
    expect(await faultOf("Preis für Fahrer")).to.match(/"viel"/);
    await inspect(page, "phone-first-site");

    await page.getByLabel("Länge").fill("10,7");
    await page.getByLabel("Anschlussgrenze (kW)").fill("40");
    await page.getByLabel("Adresse, die euer Geld bekommt").fill(`0x${"34".repeat(20)}`);
    await page.getByLabel("Preis für Fahrer").fill("0,42");
    await page.getByRole("button", { name: "Standort einrichten" }).click();
    await page.getByRole("alert").getByText("The id north-1-1 is taken").waitFor();
    await page.getByLabel("Kennungen, eine je Zeile").fill("west-1\nwest-2");
    await page.getByRole("button", { name: "Standort einrichten" }).click();
    await page.getByText("Kai 1 ist eingerichtet").waitFor();
    await page.getByText("0,42 €/kWh").waitFor();
    const { sites } = service.world.store;
    expect(await sites.locations("west")).to.deep.equal([
      {
        ...{ id: "Kai", cpoId: "west", name: "Kai" },
        timeZone: await page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone"),
        coordinates: { latitude: 59.9, longitude: 10.7 },
      },
    ]);
    expect((await sites.evses("Kai 1")).map(({ id, maxPowerW, phases }) => [id, maxPowerW, phases])).to.deep.equal([
      ["west-1", 11_000, 3],
      ["west-2", 11_000, 3],
    ]);
    // The location says where the plan begins.
    await page.getByRole("button", { name: "Plan ändern" }).click();
    await page.getByRole("button", { name: "west-2 auf den Plan setzen" }).click();
    await page.getByText("west-2: 0 m östlich, 0 m nördlich der Mitte").waitFor();

    // A list that was asked for before a key was made comes after it.
    let isMade = () => {};
    const made = new Promise<void>((resolve) => {
      isMade = resolve;
    });
    await page.route("**/cpo/keys", async (route) => {
      const response = await route.fetch();
      if (route.request().method() === "POST") isMade();
      else await made;
      await route.fulfill({ response });
    });
    await page.reload();
    await page.getByLabel("Name", { exact: true }).fill("Backend");
    await page.getByRole("button", { name: "Schlüssel anlegen" }).click();
    await page.getByRole("cell", { name: "Backend", exact: true }).first().waitFor();
    expect(said.filter((text) => !/40[09]/.test(text))).to.deep.equal([]);
    await close();
    await service.close();
  });
});

/** Puts one charge point on the plan, moves it by key and by mouse, and finds it there when the page is loaded again. */
async function placesOne(page: Page, evse: string, size: Size): Promise<void> {
  await page.getByRole("button", { name: "Change the plan" }).click();
  await page.getByLabel("Latitude").first().fill("59.9");
  await page.getByLabel("Longitude").first().fill("10.7");
  await page.getByRole("button", { name: "Begin the plan" }).click();
  await page.getByRole("button", { name: `Put ${evse} on the plan` }).click();
  const bay = page.locator(`.bay[data-id="${evse}"]`);
  expect(await bay.evaluate((one) => one === one.ownerDocument.activeElement), "focus").to.equal(true);
  for (const key of ["ArrowRight", "ArrowRight", "ArrowUp"]) await page.keyboard.press(key);
  await page.getByText(`${evse}: 1 m east, 0.5 m north`).waitFor();
  await bay.scrollIntoViewIfNeeded();
  const { x, y, width, height } = (await bay.boundingBox())!;
  const metre = height / 4.8;
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + 2 * metre, y + height / 2 - metre, { steps: 4 });
  await page.mouse.up();
  await page.getByText(/: (2\.9|3|3\.1) m east, (1\.4|1\.5|1\.6) m north/).waitFor();
  await page.getByLabel("What stands at the bay").fill("A1");
  await inspect(page, `${size}-plan-editor`);
  await page.getByRole("button", { name: "Save 1 place" }).click();
  await page.getByText("Not saved yet").waitFor({ state: "detached" });
  const evses = await page.evaluate<{ id: string; physicalReference: string; coordinates: object | null }[]>(
    "fetch('/cpo/groups/' + new URLSearchParams(location.search).get('group') + '/evses').then((a) => a.json()).then((a) => a.evses)",
  );
  const { physicalReference, coordinates } = evses.find(({ id }) => id === evse)!;
  expect(physicalReference).to.equal("A1");
  // 3 m east and 1.5 m north, where a degree has 55,900 m and 111,400 m.
  expect((coordinates as { latitude: number }).latitude).to.satisfy(near(59.9 + 1.5 / 111_400, 0.000_002));
  expect((coordinates as { longitude: number }).longitude).to.satisfy(near(10.7 + 3 / 55_900, 0.000_003));
}

/** The secret of a key that is made; it is shown once. */
async function makesKey(page: Page, group: string, purpose: "cpo" | "hems", size: Size): Promise<string> {
  await page.getByLabel("Name", { exact: true }).fill(`${purpose === "cpo" ? "back end" : "manager"} ${size}`);
  await page.getByRole("combobox", { name: "For", exact: true }).selectOption(purpose);
  await page.getByRole("combobox", { name: "Group", exact: true }).last().selectOption(group);
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText(purpose === "cpo" ? "fetches charging profiles" : "the building and PV every minute").waitFor();
  const token = await page.locator("code.token").textContent();
  expect(token).to.match(/^oli_[\w-]+$/);
  return token!;
}

/** A driver whose card the station reads; cars of nobody are billed by the operator's own means. */
async function registers(url: string, email: string): Promise<string> {
  const body = JSON.stringify({ email, name: "Kari", password: "correct horse battery", consent: true });
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${url}/account/sign-up`, { method: "POST", headers, body });
  return ((await answer.json()) as { driverId: string }).driverId;
}

type Asking = (method: string, path: string, body?: object) => Promise<any>;

/** The first profile with power in it, as a station that asks for its own. */
async function profileOf(station: Asking, sessionId: string): Promise<{ id: string }> {
  for (let tries = 0; tries < 60; tries++) {
    const { profiles } = await station("GET", "/profiles");
    const own = profiles.find((one: { sessionId: string }) => one.sessionId === sessionId);
    if (own?.periods.some((period: { limitW: number }) => period.limitW > 0)) return own;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`No profile came for ${sessionId}.`);
}
