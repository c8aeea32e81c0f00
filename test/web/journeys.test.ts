/** Three audiences, from empty to settled, in a real browser, on the product as it starts. */
import { readFileSync } from "node:fs";
import { expect } from "chai";
import type { Browser, Locator, Page } from "playwright-core";
import { browserFor, inspect, type Size, type Visitor, visit } from "./browser.ts";
import { type Running, startProduct } from "./running.ts";

const PASSWORD = "correct horse battery";

/** Goes on by the tabulator as somebody without a mouse would; whatever has the focus on the way shows it. */
async function tabTo(page: Page, wanted: Locator): Promise<void> {
  await wanted.waitFor();
  for (let steps = 0; steps < 60; steps++) {
    await page.keyboard.press("Tab");
    if (!(await wanted.evaluate((one) => one === one.ownerDocument.activeElement))) continue;
    const shown = await page.evaluate<string>(
      "getComputedStyle(document.activeElement.closest('.choice label') ?? document.activeElement).outlineStyle",
    );
    expect(shown, `outline of ${wanted}`).not.to.equal("none");
    return;
  }
  throw new Error(`The tabulator does not lead to ${wanted}.`);
}

describe("The web application", function () {
  this.timeout(180_000);
  let browser: Browser;
  let product: Running;
  let visitors: Visitor[] = [];
  let newcomers: Promise<Error[]>;

  before(async function () {
    browser = await browserFor(this);
    product = await startProduct();
    // They wait for stations and for the chain most of the time: the others go on meanwhile, and leave them the last two charge
    // points, which the simulated drivers keep free.
    newcomers = Promise.all(
      [chargesOnce("phone", "Ada", "EDEMO13"), chargesOnce("desktop", "Grace", "EDEMO14")].map((journey) =>
        journey.then(
          () => null,
          (failure: Error) => failure,
        ),
      ),
    ).then((ends) => ends.filter((end) => end !== null));
  });
  after(async () => {
    await product?.stop();
    await browser?.close();
  });
  afterEach(async () => {
    for (const one of visitors.splice(0)) await one.close();
  });

  async function comes(options: Parameters<typeof visit>[2]): Promise<Visitor> {
    const visitor = await visit(browser, product.url, options);
    visitors = [...visitors, visitor];
    return visitor;
  }

  async function registers(page: Page, name: string): Promise<void> {
    await page.goto("/");
    await page.getByRole("link", { name: "I charge here" }).click();
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("E-mail").fill(`${name.toLowerCase()}@example.org`);
    await page.getByLabel("Password").fill(PASSWORD);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Register" }).click();
    await page.waitForURL("**/charge");
  }

  async function startsCharging(page: Page, evse: string): Promise<void> {
    await page.getByRole("link", { name: evse }).click();
    await page.getByRole("radio", { name: "As soon as possible" }).check({ force: true });
    await page.getByRole("button", { name: "Start charging" }).click();
    await page.waitForURL("**/charge/session/**");
  }

  /** From the door to a receipt that the chain confirms, reading nothing but what stands on the buttons. */
  async function chargesOnce(size: Size, name: string, evse: string): Promise<void> {
    const { page, said, close } = await visit(browser, product.url, { size });
    await page.goto("/");
    await page.getByText("charge points are free").waitFor();
    await inspect(page, `${size}-home`);
    await registers(page, name);
    await page.getByRole("heading", { name: "Free now" }).waitFor();
    await page.locator("a[href*='/charge/at/']").first().waitFor();
    await inspect(page, `${size}-charge`);
    await startsCharging(page, evse);

    await page.getByText(/Charging at \d/).waitFor({ timeout: 90_000 });
    await page.getByText("on track").waitFor();
    await inspect(page, `${size}-session`);
    await page.getByRole("button", { name: "Stop charging" }).click();
    await inspect(page, `${size}-stop`);
    await page.getByRole("button", { name: "Stop", exact: true }).click();

    await page.waitForURL("**/charge/receipt/**");
    await page.getByText("The receipt gives exactly this fingerprint.").waitFor();
    await page.getByText(/^(on chain|final)$/).waitFor({ timeout: 120_000 });
    await inspect(page, `${size}-receipt`);
    await page.getByRole("link", { name: "Check it yourself" }).click();
    await page.getByText(/All of it is right: 1 bill/).waitFor({ timeout: 60_000 });
    await inspect(page, `${size}-checked`);
    expect(said).to.deep.equal([]);
    await close();
  }

  it("shows a driver history, money and profile, keeps what was set, and speaks German", async () => {
    const { page, said } = await comes({ size: "phone", language: "de-DE" });
    await page.goto("/");
    await page.getByRole("link", { name: "Ich lade hier" }).click();
    await page.getByLabel("Dein Name").fill("Rosa");
    await page.getByLabel("E-Mail").fill("rosa@example.org");
    await page.getByLabel("Passwort").fill(PASSWORD);
    await page.getByRole("checkbox").check();
    await page.getByRole("button", { name: "Registrieren" }).click();
    await page.waitForURL("**/charge");
    for (const [door, heading] of [
      ["Verlauf", "Verlauf"],
      ["Geld", "Guthaben"],
      ["Profil", "Dein Auto"],
    ] as const) {
      await page.getByRole("link", { name: door, exact: true }).click();
      await page.getByRole("heading", { name: heading, exact: true }).waitFor();
      await page.waitForLoadState("networkidle");
      await inspect(page, `phone-${door.toLowerCase()}`);
    }
    await page.getByLabel("Dein Auto").selectOption("Renault Zoe ZE50");
    await page.getByRole("button", { name: "Speichern" }).click();
    await page.getByText("Gespeichert").waitFor();
    await page.reload();
    await page.getByLabel("Dein Auto").waitFor();
    expect(await page.getByLabel("Dein Auto").inputValue()).to.equal("Renault Zoe ZE50");
    expect(await page.locator("html").getAttribute("lang")).to.equal("de");
    expect(said).to.deep.equal([]);
  });

  it("shows an operator every charge point live, takes an order and a limit, and hands out the history", async () => {
    const { page, said } = await comes({ size: "desktop" });
    await page.goto("/cockpit");
    await page.getByLabel("E-mail").fill("operator@example.org");
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    expect(said.splice(0).join()).to.match(/401/);
    await page.getByLabel("Password").fill(product.staffPassword);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL("**/cockpit");
    await page.getByText("NL*OLI*EDEMO01").waitFor();
    expect(await page.locator(".point").count()).to.equal(14);
    await page.getByLabel("Find a charge point").fill("demo02");
    await page.locator(".point").nth(1).waitFor({ state: "detached" });
    await page.getByLabel("Find a charge point").fill("");
    await inspect(page, "desktop-cockpit");

    await page.getByRole("link", { name: "Grid", exact: true }).click();
    await page.getByRole("button", { name: "Order", exact: true }).click();
    await page
      .getByText(/ordered, .* agreed/)
      .or(page.getByRole("alert"))
      .first()
      .waitFor();
    await inspect(page, "desktop-grid");

    await page.getByRole("link", { name: "Settings", exact: true }).click();
    await page.getByLabel("Lower the limit to (kW)").fill("45");
    await page.getByRole("button", { name: "Set", exact: true }).click();
    await page.getByText("45.0 kW").waitFor();
    await page.getByRole("button", { name: "Take back" }).click();
    await page.getByText("45.0 kW").waitFor({ state: "detached" });
    await inspect(page, "desktop-settings");

    await page.getByRole("link", { name: "Bills", exact: true }).click();
    await page.getByRole("cell").first().waitFor();
    await inspect(page, "desktop-bills");

    await page.getByRole("link", { name: "History", exact: true }).click();
    await page
      .getByRole("cell", { name: /NL\*OLI/ })
      .first()
      .waitFor();
    await inspect(page, "desktop-history");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "CSV" }).click(),
    ]);
    const lines = readFileSync((await download.path())!, "utf8")
      .trimEnd()
      .split("\r\n");
    expect(lines[0]).to.match(/^sessionNumber,groupId,evseId/);
    const total = await page
      .getByText("Sessions", { exact: true })
      .first()
      .locator("xpath=following-sibling::dd")
      .textContent();
    expect(lines.length - 1).to.equal(Number(total));
    expect(said.filter((text) => !/409/.test(text))).to.deep.equal([]);
  });

  it("shows the operator's and the auditor's pages on a phone as well", async () => {
    const { page, said } = await comes({ size: "phone" });
    await page.goto("/sign-in?next=/cockpit");
    await page.getByLabel("E-mail").fill("operator@example.org");
    await page.getByLabel("Password").fill(product.staffPassword);
    await inspect(page, "phone-sign-in");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("NL*OLI*EDEMO01").waitFor();
    await inspect(page, "phone-cockpit");
    for (const door of ["Grid", "History", "Bills", "Settings"]) {
      await page.getByRole("link", { name: door, exact: true }).click();
      await page.getByRole("heading", { name: door, level: 1 }).waitFor();
      await inspect(page, `phone-${door.toLowerCase()}`);
    }
    await page.goto("/audit");
    await page.getByText("none is missing").waitFor({ timeout: 60_000 });
    await inspect(page, "phone-audit");
    expect(said).to.deep.equal([]);
  });

  it("lets anybody read the chain, judge a schedule, and see what a changed proof differs in", async () => {
    const driver = await comes({ size: "phone" });
    await registers(driver.page, "Hedy");
    const bundle = JSON.parse(
      await driver.page.evaluate(() => fetch("/driver/bundle?limit=10").then((answer) => answer.text())),
    );
    expect(bundle.sessions).to.deep.equal([]);

    const { page, said } = await comes({ size: "desktop" });
    await page.goto("/audit");
    await page.getByText("The code is the compiled one").waitFor({ timeout: 60_000 });
    await page.getByText("none is missing").waitFor({ timeout: 60_000 });
    await page.getByLabel("Key for the bytes").fill(product.auditKey);
    await page.getByRole("button", { name: "Judge" }).nth(2).click();
    await page.getByText(/no cheaper schedule exists|feasible/).waitFor({ timeout: 60_000 });
    await page
      .getByRole("button", { name: /^Transaction 0x/ })
      .first()
      .click();
    await page.getByText(/SlotLedger\.SlotRecorded/).waitFor();
    await inspect(page, "desktop-transaction");
    await page.getByRole("button", { name: "Close" }).click();
    // Somebody else's file: nobody of that address is registered.
    const forged = { ...bundle, driver: `0x${"1".repeat(40)}` };
    await page.getByLabel("Proof (JSON)").setInputFiles({
      name: "forged.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify(forged)),
    });
    await page.getByText("is not registered on chain").waitFor({ timeout: 60_000 });
    await inspect(page, "desktop-audit");
    expect(said).to.deep.equal([]);
  });

  describe("when something is missing", () => {
    it("says so: nothing there yet, an unknown charge point, an unknown address", async () => {
      const { page, said } = await comes({ size: "phone" });
      await registers(page, "Lise");
      await page.goto("/charge/history");
      await page.getByText("No charging yet").waitFor();
      await page.goto("/charge/at/NOBODY*KNOWS");
      await page.getByRole("alert").getByText("Check its label").waitFor();
      expect(said.splice(0).join()).to.match(/404/);
      await page.goto("/cockpit/nowhere/at/all");
      await page.getByText("This part is for somebody else.").waitFor();
      await inspect(page, "phone-wrong-door");
      expect(said).to.deep.equal([]);
    });

    it("shows that it waits, that it failed and how to go on when answers are late or wrong", async () => {
      const { page, said } = await comes({ size: "phone" });
      await registers(page, "Maria");
      await page.route("**/driver/balance", async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 1500));
        await route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" });
      });
      await page.goto("/charge/money");
      await page.locator(".skeleton").first().waitFor();
      await page.getByRole("alert").waitFor();
      await inspect(page, "phone-failed");
      await page.unroute("**/driver/balance");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByText("€100.00").waitFor();
      expect(said.filter((text) => !/502/.test(text))).to.deep.equal([]);
    });

    it("opens without a line from its own copy, and says that it is offline", async () => {
      const { page, context } = await comes({ size: "phone", offlineCopy: true });
      await registers(page, "Emmy");
      await page.evaluate("navigator.serviceWorker.ready.then(() => undefined)");
      await page.reload();
      await page.getByText("Free now").waitFor();
      await context.setOffline(true);
      await page.reload();
      await page.getByText("You are offline").waitFor();
      await inspect(page, "phone-offline");
      await context.setOffline(false);
    });
  });

  it("lets nothing in from elsewhere, keeps its files for ever and its pages never, and is small", async () => {
    const sizes: number[] = [];
    const { page } = await comes({ size: "phone" });
    page.on("response", (response) => {
      if (/\.js$/.test(response.url())) sizes.push(Number(response.headers()["content-length"]));
    });
    const answer = await page.goto("/sign-up");
    await page.getByLabel("Your name").waitFor();
    const policy = answer!.headers()["content-security-policy"]!;
    expect(policy)
      .to.include("default-src 'none'")
      .and.include("script-src 'self' 'wasm-unsafe-eval'")
      .and.include("connect-src 'self';");
    expect(policy).not.to.include("unsafe-inline");
    expect(answer!.headers()["cache-control"]).to.equal("no-cache");
    await registers(page, "Sofia");
    await page.getByText("Free now").waitFor();
    expect(sizes.length).to.be.greaterThan(2);
    expect(sizes.reduce((sum, one) => sum + one, 0)).to.be.lessThan(250_000);
    const script = await page.evaluate<string>("[...document.scripts].find(({ src }) => src !== '').src");
    const file = await fetch(script, { headers: { "accept-encoding": "br" } });
    expect(file.headers.get("cache-control")).to.include("immutable");
    expect(file.headers.get("content-encoding")).to.equal("br");
    expect((await fetch(`${product.url}/audit`)).headers.get("content-security-policy")).to.include(
      "http://127.0.0.1:*",
    );
    expect((await fetch(`${product.url}/assets/../../package.json`)).status).to.equal(404);
  });

  it("leads newcomers, on a phone and on a desktop, from the door to a receipt that the chain confirms", async () => {
    const [failure] = await newcomers;
    if (failure) throw failure;
  });

  it("answers what does not fit with an offer that one tap takes, and a car without a wish with power", async () => {
    const { page, said } = await comes({ size: "phone" });
    await registers(page, "Edith");
    await page.getByRole("link", { name: "EDEMO13" }).click();
    await page.getByLabel("Energy").last().waitFor();
    // 80 kWh within the hour are more than any charge point here can give.
    await page.locator("input[type=range]").fill("80");
    await page.getByRole("button", { name: "in 1 h" }).click();
    await page.getByRole("button", { name: "Start charging" }).click();
    const offer = page.getByRole("dialog");
    await offer.waitFor();
    await inspect(page, "phone-offer");
    await offer.getByRole("button").first().click();
    await page.waitForURL("**/charge/session/**");
    await page
      // Late in the evening it is by some time of tomorrow.
      .getByText(/kWh by (.+, )?\d\d:\d\d/)
      .first()
      .waitFor();
    expect(said).to.deep.equal([]);
  });

  it("takes a driver from the door to a session and out of its dialog without a mouse", async () => {
    const { page, said } = await comes({ size: "desktop" });
    const press = async (name: string | RegExp, role: "link" | "button" = "button") => {
      await tabTo(page, page.getByRole(role, { name }).first());
      await page.keyboard.press("Enter");
    };
    const type = async (label: string, text: string) => {
      await tabTo(page, page.getByLabel(label));
      await page.keyboard.type(text);
    };
    await page.goto("/");
    await page.getByText("charge points are free").waitFor();
    await press("To the content", "link");
    await press(/^I charge here/, "link");
    await type("Your name", "Hannah");
    await type("E-mail", "hannah@example.org");
    await type("Password", PASSWORD);
    await tabTo(page, page.getByRole("checkbox"));
    await page.keyboard.press("Space");
    await press("Register");
    await page.getByRole("link", { name: /EDEMO/ }).first().waitFor();
    await press(/EDEMO14/, "link");
    await tabTo(page, page.getByRole("radio", { name: "Smart" }));
    // Arrows choose within a group; back again after a look at the other.
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    await press("in 8 h");
    await press("Start charging");
    await page.getByRole("button", { name: "Stop charging" }).waitFor();
    await press("Stop charging");
    const dialog = page.getByRole("dialog", { name: "Stop charging" });
    await dialog.waitFor();
    for (let i = 0; i < 6; i++) {
      await page.keyboard.press("Tab");
      // Between its last and first button the focus may stand on the browser's own bar, never on the page behind.
      const isOutside = await page.evaluate(
        "document.activeElement.closest('dialog, body > *') !== null && !document.activeElement.closest('dialog')",
      );
      expect(isOutside, "focus behind the dialog").to.equal(false);
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(await page.evaluate("document.activeElement.textContent")).to.equal("Stop charging");
    expect(said).to.deep.equal([]);
  });
});
