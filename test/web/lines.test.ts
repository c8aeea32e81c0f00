/** Each page where nothing is yet, and on a line that is slow, breaks or ends at a faulty service: it says so and goes on. */
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import type { Browser, Page, Request } from "playwright-core";
import { webPages } from "../../backend/http/webPages.ts";
import { iso, type Service, startService, type Who } from "../http/service.ts";
import { browserFor, type Visitor, visitAs } from "./browser.ts";

const BUILT = fileURLToPath(new URL("../../dist/web", import.meta.url));
/** What the pages ask for; not the pages themselves. */
const isAsked = (address: URL) => /^\/(driver|cpo|grid|live)\b/.test(address.pathname);
/** A phone where the net is poor: bytes per second, and ms until an answer begins. */
const POOR_LINE = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };

describe("The web application, with nothing to show and on bad lines", function () {
  this.timeout(180_000);
  let browser: Browser;
  let service: Service;
  let anna: Who;
  let running: string;
  let ended: string;
  const visitors: Visitor[] = [];

  before(async function () {
    browser = await browserFor(this);
    service = await startService({ pages: webPages(BUILT) });
    anna = await service.signUp("anna");
    const backEnd = await service.key("north", "cpo");
    ended = await starts("north-1-1");
    await service.pass(120);
    const stopped = { at: iso(service.clock.now()), registerWh: 100 };
    await service.ask("POST", `/machine/sessions/${ended}/stop`, { as: backEnd, body: stopped });
    running = await starts("north-1-2");
  });
  afterEach(async () => {
    for (const one of visitors.splice(0)) await one.close();
  });
  after(async () => {
    await browser?.close();
    await service?.close();
  });

  async function starts(evseId: string): Promise<string> {
    const departsAt = iso(service.clock.now() + 9 * 3600);
    const body = { evseId, optIn: true, departsAt, energyNeedWh: 4000 };
    const said = await service.ask("POST", "/driver/sessions", { as: anna, body });
    expect(said.status, JSON.stringify(said.body)).to.equal(201);
    return said.body.session.id;
  }
  async function comes(who: Who): Promise<Page> {
    const visitor = await visitAs(browser, service, who, { size: "phone" });
    visitors.push(visitor);
    return visitor.page;
  }

  /** Each page by its address, with something that stands there once it knows what it needs. */
  const driverPages = () => [
    ["/charge", "north-1-3"],
    ["/charge/history", "north-1-1"],
    ["/charge/money", "Balance"],
    ["/charge/profile", "When I say nothing"],
    ["/charge/at/north-1-3", "Start charging"],
    [`/charge/session/${running}`, "Stop charging"],
    [`/charge/receipt/${ended}`, "Check it yourself"],
  ];
  const staffPages = () => [
    ["/cockpit", "Headroom"],
    ["/cockpit/grid", "Order"],
    ["/cockpit/history", "Promises kept"],
    ["/cockpit/bills", "Revenue"],
    ["/cockpit/setup", "Price for drivers"],
  ];

  for (const [who, pages] of [
    ["a driver", driverPages],
    ["an operator", staffPages],
  ] as const) {
    it(`shows ${who} on every page that it loads`, async () => {
      const page = await comes(who === "a driver" ? anna : await service.staff("north"));
      for (const [path, shown] of pages()) {
        const { promise: held, resolve: answer } = Promise.withResolvers<void>();
        await page.route(isAsked, async (route) => {
          await held;
          await route.continue();
        });
        await page.goto(path!);
        await page.getByRole("status").filter({ hasText: "Loading" }).first().waitFor();
        expect(await page.getByText(shown!, { exact: true }).count(), path).to.equal(0);
        answer();
        await page.getByText(shown!, { exact: true }).first().waitFor();
        await page.unroute(isAsked);
      }
    });

    it(`tells ${who} on every page that the service failed, and goes on when asked to`, async () => {
      const page = await comes(who === "a driver" ? anna : await service.staff("north"));
      for (const [path, shown] of pages()) {
        await page.route(isAsked, (route) =>
          route.fulfill({ status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" }),
        );
        await page.goto(path!);
        const failures = page.getByRole("alert").filter({ hasText: "This did not work" });
        await failures.first().waitFor();
        await page.unroute(isAsked);
        const again = page.getByRole("button", { name: "Try again" });
        const content = page.getByText(shown!, { exact: true }).first();
        while ((await again.count()) > 0 || !(await content.isVisible())) {
          await again.evaluateAll((buttons: readonly { click(): void }[]) => {
            for (const button of buttons) button.click();
          });
          await page.waitForTimeout(100);
        }
        expect(await failures.count(), path).to.equal(0);
      }
    });
  }

  it("says where nothing is yet that nothing is, and what would be there", async () => {
    const empty = [
      [await service.signUp("bert"), [["/charge/history", "No charging yet. Your sessions stand here afterwards."]]],
      [
        await service.staff("south"),
        [
          ["/cockpit", "Nothing happened."],
          ["/cockpit", "All devices answer and obey."],
          ["/cockpit/grid", "No orders in 30 days."],
          ["/cockpit/history", "No session in this time."],
          ["/cockpit/bills", "No bills yet."],
          ["/cockpit/setup", "No key yet."],
        ],
      ],
    ] as const;
    for (const [who, pages] of empty) {
      const page = await comes(who);
      for (const [path, words] of pages) {
        await page.goto(path);
        await page.getByText(words, { exact: true }).waitFor();
      }
    }
  });

  it("says that what it shows may be old while the line is away, and catches up by itself", async () => {
    const page = await comes(anna);
    await page.goto(`/charge/session/${running}`);
    await page.getByText("Stop charging").waitFor();
    await page.context().setOffline(true);
    await page.getByText("You are offline. What you see may be old.").waitFor();
    await page.getByText("Stop charging").waitFor();
    await page.context().setOffline(false);
    await page.getByText("You are offline").waitFor({ state: "detached" });
  });

  it("says that the stream of news has ended, keeps what came, and goes on when there is a new one", async () => {
    const page = await comes(anna);
    const { body } = await service.ask("GET", `/driver/sessions/${running}`, { as: anna });
    await page.route("**/events", (route) =>
      route.fulfill({ contentType: "text/event-stream", body: `event: session\ndata: ${JSON.stringify(body)}\n\n` }),
    );
    await page.goto(`/charge/session/${running}`);
    await page.getByText("The line to the service is down. Trying again.").waitFor();
    await page.getByText("Stop charging").waitFor();
    await page.unroute("**/events");
    await page.getByText("The line to the service is down").waitFor({ state: "detached" });
    await page.getByText("Stop charging").waitFor();
  });

  it("sends once what is tapped twice, says when it did not arrive, and does not start a second session then", async () => {
    const page = await comes(anna);
    const sent: Request[] = [];
    await page.route("**/driver/sessions", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      sent.push(route.request());
      // It arrives; what gets lost is the answer.
      if (sent.length === 1) await route.fetch();
      return sent.length === 1 ? route.abort("connectionreset") : route.continue();
    });
    await page.goto("/charge/at/north-1-3");
    const start = page.getByRole("button", { name: "Start charging" });
    await start.waitFor();
    await start.evaluate((button: { click(): void }) => {
      button.click();
      button.click();
    });
    await page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor();
    expect(sent).to.have.length(1);
    await start.click();
    await page.waitForURL("**/charge/session/**");
    const [first, second] = sent.map((one) => one.postDataJSON().requestId);
    expect(second).to.equal(first);
    const { body } = await service.ask("GET", "/driver/sessions?limit=10", { as: anna });
    expect(body.sessions.filter((one: { evseId: string }) => one.evseId === "north-1-3")).to.have.length(1);
  });

  it("shows where one is before the scripts are there, and something to do before the free charge points are known", async () => {
    const page = await comes(anna);
    const protocol = await page.context().newCDPSession(page);
    await protocol.send("Network.enable");
    await protocol.send("Network.emulateNetworkConditions", POOR_LINE);
    const order: string[] = [];
    page.on("requestfinished", (request) => order.push(new URL(request.url()).pathname));
    await page.goto("/charge", { waitUntil: "commit" });
    await page.locator(".brand").waitFor();
    expect(order.filter((path) => path.startsWith("/assets/common-") && path.endsWith(".js"))).to.deep.equal([]);
    await page.getByLabel("Code on the charge point").waitFor();
    await page.getByRole("link", { name: /north-1-3/ }).waitFor();
  });
});
