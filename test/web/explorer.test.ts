/** The audit explorer by itself: its files from any web server, a chain, and no service of ours. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import express from "express";
import type { Browser, Page } from "playwright-core";
import { unpackRows } from "../../backend/adapters/chain/commitments.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { webPages } from "../../backend/http/webPages.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { SAMPLE, shortened } from "../support/replays.ts";
import { browserFor, inspect, type Visitor, visit } from "./browser.ts";

const BUILT = fileURLToPath(new URL("../../dist/web", import.meta.url));

const listening = async (server: Server) => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
};
const closed = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });

describe("The audit explorer without our service", function () {
  this.timeout(180_000);
  let browser: Browser;
  let system: System;
  let pages: Server | undefined;
  let node: Server | undefined;
  let url: string;
  let nodeUrl: string;
  /** What the node does with a question: passes it on, holds it until told otherwise, or says another chain's number. */
  let mood: "honest" | "silent" | "another chain" | "broken" = "honest";
  const held: (() => void)[] = [];
  let visitor: Visitor;

  before(async function () {
    browser = await browserFor(this);
    system = await openSystem({ random: derivedRandom("explorer"), chainRpcPort: 0 });
    await replayScenario(system, {
      scenario: readScenario(shortened(SAMPLE, 6)),
      settings: DEFAULT_SETTINGS,
      version: "test",
      totals: () => chainTotals(system),
      audit: () => auditSystem(system, { market: DEFAULT_SETTINGS.market }),
    });
    pages = createServer(express().use(webPages(BUILT)));
    url = await listening(pages);
    node = createServer((request, response) => {
      const cors = { "access-control-allow-origin": "*", "access-control-allow-headers": "content-type" };
      if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
      const chunks: Buffer[] = [];
      request.on("data", (chunk) => chunks.push(chunk));
      request.on("end", async () => {
        if (mood === "silent") await new Promise<void>((resolve) => held.push(resolve));
        if (mood === "broken") return void response.writeHead(503, cors).end("overloaded");
        const asked = Buffer.concat(chunks).toString();
        const body = await fetch(system.embedded!.url!, {
          ...{ method: "POST", headers: { "content-type": "application/json" }, body: asked },
        }).then((answer) => answer.text());
        const said = mood === "another chain" ? body.replace(/"0x7a69"/g, '"0x1"') : body;
        response.writeHead(200, { ...cors, "content-type": "application/json" }).end(said);
      });
    });
    nodeUrl = await listening(node);
  });
  beforeEach(async () => {
    mood = "honest";
    visitor = await visit(browser, url, { size: "phone" });
    await visitor.page.goto("/audit");
    await visitor.page.getByText("Our service does not answer").waitFor();
  });
  afterEach(async () => {
    for (const release of held.splice(0)) release();
    await visitor?.close();
  });
  after(async () => {
    await browser?.close();
    for (const server of [pages, node]) if (server) await closed(server);
    await system?.close();
  });

  async function reads(page: Page, from: string): Promise<void> {
    await page.getByLabel("Node (JSON-RPC)").fill(from);
    await page.getByLabel("Deployment").setInputFiles({
      name: "manifest.json",
      mimeType: "application/json",
      buffer: Buffer.from(JSON.stringify(system.manifest)),
    });
    await page.getByText(`Chain ${system.manifest.chainId}`).waitFor();
    await page.getByRole("button", { name: "Read" }).click();
  }

  it("reads contracts, schedules and bills through the node that its reader names", async () => {
    const { page, said } = visitor;
    await reads(page, nodeUrl);
    await page.getByText("The code is the compiled one").waitFor();
    const runs = await system.store.plans.records("garage");
    await page.getByText(`${runs.length} records`).waitFor();
    await page.getByText("none is missing").waitFor();
    // What charge points were allowed and drew, from the store's own rows; PV has a row too, and is none of them.
    const points = await system.store.sites.evses("garage");
    const { rows, slot } = runs.at(-1)!;
    const own = unpackRows(`0x${rows}`).filter(({ index }) => points.some(({ row }) => row === index));
    const kw = (of: "limitW" | "powerW") => `${(own.reduce((sum, one) => sum + one[of], 0) / 1000).toFixed(1)} kW`;
    const at = new Date(slot * 900_000).toISOString().slice(11, 16);
    const cells = page
      .getByRole("row")
      .filter({ hasText: `, ${at}` })
      .getByRole("cell");
    expect(await cells.allTextContents()).to.include.members([kw("limitW"), kw("powerW")]);
    await inspect(page, "phone-explorer");
    // Nothing of the service is here: its manifest is not found, and no more was asked of it.
    expect(said.filter((text) => !/404/.test(text))).to.deep.equal([]);
  });

  it("waits for a slow node, and shows that it does", async () => {
    const { page } = visitor;
    mood = "silent";
    await reads(page, nodeUrl);
    await page.locator(".skeleton").waitFor();
    expect(await page.getByRole("button", { name: "Read" }).isDisabled()).to.equal(true);
    mood = "honest";
    for (const release of held.splice(0)) release();
    await page.getByText("none is missing").waitFor();
  });

  for (const [what, at, words] of [
    ["that is not there", "http://127.0.0.1:9", /This could not be read/],
    ["of another chain", null, /is on chain 31337, the node has chain 1/],
    ["that is overloaded", null, /This could not be read/],
  ] as const)
    it(`says so of a node ${what}, and reads on through another one`, async () => {
      const { page } = visitor;
      mood = what === "of another chain" ? "another chain" : what === "that is overloaded" ? "broken" : "honest";
      await reads(page, at ?? nodeUrl);
      await page.getByRole("alert").filter({ hasText: words }).waitFor();
      mood = "honest";
      await page.getByLabel("Node (JSON-RPC)").fill(nodeUrl);
      await page.getByRole("button", { name: "Read" }).click();
      await page.getByText("none is missing").waitFor();
    });

  it("says so of a node that goes away while it is read", async () => {
    const { page } = visitor;
    await reads(page, nodeUrl);
    await page.getByText("none is missing").waitFor();
    mood = "broken";
    await page
      .getByRole("button", { name: /^Transaction 0x/ })
      .first()
      .click();
    await page.getByRole("alert").filter({ hasText: "This could not be read" }).waitFor();
  });

  it("refuses a file that is no deployment", async () => {
    const { page } = visitor;
    await page.getByLabel("Deployment").setInputFiles({
      name: "holiday.json",
      mimeType: "application/json",
      buffer: Buffer.from('{"beach": true}'),
    });
    await page.getByText("This file cannot be read").waitFor();
  });
});
