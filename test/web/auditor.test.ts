/** An auditor in the operator's rooms: sees what the API shows auditors, and finds nothing to change. */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Browser, Page } from "playwright-core";
import { webPages } from "../../backend/http/webPages.ts";
import { iso, type Service, startService } from "../http/service.ts";
import { browserFor, inspect, type Size, visitAs } from "./browser.ts";

const BUILT = fileURLToPath(new URL("../../dist/web", import.meta.url));
/** Of the bar, the fields to filter by and the way back; all else that can be pressed would change something. */
const HARMLESS = ["Sign out", "Refresh"];

describe("The web application, for an auditor", function () {
  this.timeout(120_000);
  let browser: Browser;
  let service: Service;

  before(async function () {
    browser = await browserFor(this);
    service = await startService({ pages: webPages(BUILT) });
    const anna = await service.signUp("anna");
    const wish = { evseId: "north-1-1", optIn: true, departsAt: iso(service.clock.now() + 9 * 3600) };
    const { status } = await service.ask("POST", "/driver/sessions", {
      as: anna,
      body: { ...wish, energyNeedWh: 4000 },
    });
    expect(status).to.equal(201);
    await service.pass(120);
  });
  after(async () => {
    await browser?.close();
    await service?.close();
  });

  const comes = async (who: "auditor" | "staff", size: Size) =>
    visitAs(browser, service, who === "auditor" ? await service.auditor() : await service.staff("north"), { size });
  const buttons = (page: Page) => page.getByRole("button").allInnerTexts();
  const open = async (page: Page, path: string, heading: string) => {
    await page.goto(path);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await page.waitForLoadState("domcontentloaded");
    await page.locator(".skeleton").first().waitFor({ state: "detached" });
  };

  for (const size of ["phone", "desktop"] as const)
    it(`lets an auditor read and gives nothing to change, on a ${size}`, async () => {
      const { page, said, close } = await comes("auditor", size);
      await open(page, "/cockpit", "north-1");
      await page.getByText("north-1-1", { exact: true }).first().waitFor();
      await inspect(page, `${size}-auditor-live`);
      const found = await buttons(page);
      for (const [door, heading] of [
        ["/cockpit/grid", "Grid"],
        ["/cockpit/history", "History"],
        ["/cockpit/bills", "Bills"],
        ["/cockpit/setup", "Settings"],
      ] as const) {
        await open(page, door, heading);
        await inspect(page, `${size}-auditor-${heading.toLowerCase()}`);
        found.push(...(await buttons(page)));
        expect(await page.locator("form").count(), `forms of ${door}`).to.equal(0);
      }
      expect(found.filter((name) => !HARMLESS.includes(name))).to.deep.equal([]);
      expect(said).to.deep.equal([]);
      await close();
    });

  it("leaves an auditor language and appearance to set, and staff all", async () => {
    const { page, said, close } = await comes("auditor", "desktop");
    await open(page, "/cockpit/setup", "Settings");
    await page.getByLabel("Language").selectOption("de");
    await page.getByRole("heading", { name: "Einstellungen", level: 1 }).waitFor();
    expect(await page.locator("select").count()).to.equal(2);
    expect(said).to.deep.equal([]);
    await close();
    const staff = await comes("staff", "desktop");
    await open(staff.page, "/cockpit/setup", "Settings");
    expect(await staff.page.locator("form").count()).to.be.greaterThan(2);
    await open(staff.page, "/cockpit/grid", "Grid");
    expect(await staff.page.locator("form").count()).to.equal(2);
    await open(staff.page, "/cockpit", "north-1");
    await staff.page.getByRole("button", { name: "Full power", exact: false }).first().waitFor();
    expect(staff.said).to.deep.equal([]);
    await staff.close();
  });
});
