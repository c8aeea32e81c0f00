/**
 * How long a driver waits where the net is poor: 400 kbit/s and 400 ms until an answer begins, nothing kept from before. Until
 * the page's frame is painted, and until there is something to do: a field for the code, a button to stop.
 */
import type { Browser, Page } from "playwright-core";
import { visit } from "../../test/web/browser.ts";
import type { Running } from "../../test/web/running.ts";

/** Bytes per second, ms. */
const LINE = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 50_000 };
const EVSE = "NL*OLI*EDEMO13";
export const MOST_WAIT_MS = 5_000;

export type Wait = { readonly page: string; readonly frameMs: number; readonly usefulMs: number };

export async function waitsOf(browser: Browser, product: Running): Promise<Wait[]> {
  const { page, close } = await visit(browser, product.url, { size: "phone" });
  await page.goto("/sign-in");
  const who = { name: "Far", email: "far@example.org", password: "correct horse battery", consent: true };
  await posted(page, "/account/sign-up", who);
  const wish = { evseId: EVSE, requestId: "far", optIn: true, energyNeedWh: 20_000, strategy: "fastest" };
  const { session } = await posted<{ session: { id: string } }>(page, "/driver/sessions", wish);
  const waits = [
    await waitOf(page, "/charge", () => page.getByLabel("Code on the charge point").waitFor()),
    await waitOf(
      page,
      "/charge/session",
      () => page.getByRole("button", { name: "Stop charging" }).waitFor(),
      session.id,
    ),
  ];
  await posted(page, `/driver/sessions/${session.id}/stop`, undefined);
  await close();
  return waits;
}

async function posted<T>(page: Page, path: string, body: unknown): Promise<T> {
  const text = await page.evaluate(
    ([to, sent]) =>
      fetch(to!, { method: "POST", headers: { "content-type": "application/json" }, ...(sent && { body: sent }) }).then(
        (answer) => (answer.ok ? answer.text() : Promise.reject(new Error(`${to} answered ${answer.status}.`))),
      ),
    [path, body === undefined ? "" : JSON.stringify(body)],
  );
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

async function waitOf(page: Page, path: string, useful: () => Promise<void>, id = ""): Promise<Wait> {
  await page.goto("about:blank");
  const protocol = await page.context().newCDPSession(page);
  await protocol.send("Network.enable");
  await protocol.send("Network.setCacheDisabled", { cacheDisabled: true });
  await protocol.send("Network.emulateNetworkConditions", LINE);
  const start = Date.now();
  await page.goto(id === "" ? path : `${path}/${id}`, { waitUntil: "commit" });
  await useful();
  const usefulMs = Date.now() - start;
  const painted = "performance.getEntriesByName('first-contentful-paint')[0].startTime";
  const frameMs = Math.round(await page.evaluate<number>(painted));
  await protocol.detach();
  return { page: path, frameMs, usefulMs };
}
