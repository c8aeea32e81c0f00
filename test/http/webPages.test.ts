import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { expect } from "chai";
import { webPages } from "../../backend/http/webPages.ts";
import { type Service, startService } from "./service.ts";

const SCRIPT = `console.log("${"Oli Move ".repeat(200)}");`;
const PNG = Buffer.from("89504e470d0a1a0a", "hex");

type Said = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
};

describe("HTTP: the web application's files", () => {
  let top: string;
  let folder: string;
  let service: Service;
  before(async () => {
    top = mkdtempSync(join(tmpdir(), "oli-pages-"));
    folder = join(top, "web");
    mkdirSync(join(folder, "assets"), { recursive: true });
    for (const [name, text] of [
      ["../secret.txt", "not a page"],
      ["index.html", "<!doctype html><title>Application</title>"],
      ["audit.html", "<!doctype html><title>Audit</title>"],
      ["service-worker.js", "// worker"],
      ["assets/index-1a2b.js", SCRIPT],
      ["assets/Driver-1a2b.js", SCRIPT],
      ["assets/icon-1a2b.png", PNG],
    ] as const)
      writeFileSync(join(folder, name), text);
    service = await startService({ pages: webPages(folder) });
  });
  after(async () => {
    await service?.close();
    rmSync(top, { recursive: true });
  });

  /** The path goes out as it is: `fetch` would tidy it up, and unpack what comes. */
  const get = (path: string, { method = "GET", accepts = "" } = {}) =>
    new Promise<Said>((resolve, reject) => {
      const { hostname, port } = new URL(service.serving.url);
      request({ hostname, port, path, method, headers: { "accept-encoding": accepts } }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
        );
      })
        .on("error", reject)
        .end();
    });

  it("names the script of a room beside its page, and none where there is no room or no such script", async () => {
    const links = await Promise.all(
      ["/charge", "/charge/at/DE*1", "/cockpit", "/", "/audit", "/assets/index-1a2b.js"].map(async (path) => {
        const { headers } = await get(path);
        return headers.link;
      }),
    );
    const driver = "</assets/Driver-1a2b.js>; rel=modulepreload; fetchpriority=low";
    expect(links).to.deep.equal([driver, driver, undefined, undefined, undefined, undefined]);
  });

  it("answers every address of the application with its one page", async () => {
    for (const path of ["/", "/sign-in", "/sign-up", "/charge", "/charge/at/DE*1", "/cockpit", "/cockpit/bills"]) {
      const { status, headers, body } = await get(path);
      expect([status, headers["content-type"]], path).to.deep.equal([200, "text/html; charset=utf-8"]);
      expect(`${body}`, path).to.contain("<title>Application</title>");
    }
    expect(`${(await get("/audit")).body}`).to.contain("<title>Audit</title>");
  });

  it("lets in nothing from elsewhere, and lets the explorer alone talk to a node", async () => {
    const rulesAt = async (path: string) => {
      const text = `${(await get(path)).headers["content-security-policy"]}`;
      return Object.fromEntries(text.split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1)]));
    };
    const [page, explorer] = [await rulesAt("/charge"), await rulesAt("/audit")];
    expect(page["default-src"]).to.deep.equal(["'none'"]);
    expect(page["connect-src"]).to.deep.equal(["'self'"]);
    expect(explorer["connect-src"]).to.include.members(["'self'", "https:", "http://127.0.0.1:*"]);
    for (const rules of [page, explorer]) {
      expect(rules["frame-ancestors"]).to.deep.equal(["'none'"]);
      const { "connect-src": _nodes, ...others } = rules;
      expect(JSON.stringify(others)).not.to.match(/unsafe-inline|'unsafe-eval'|\*|http/);
    }
    expect((await get("/charge")).headers).to.include({
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
    });
    // The API's own answers stay as closed as they were.
    expect((await get("/live")).headers["content-security-policy"]).to.equal(
      "default-src 'none'; frame-ancestors 'none'",
    );
  });

  it("lets browsers keep for ever what has a hash in its name, and nothing else", async () => {
    const kept = async (path: string) => (await get(path)).headers["cache-control"];
    expect(await kept("/assets/index-1a2b.js")).to.equal("public, max-age=31536000, immutable");
    for (const path of ["/", "/audit", "/service-worker.js"]) expect(await kept(path), path).to.equal("no-cache");
    expect(await kept("/live")).to.equal("no-store");
  });

  it("sends what can be packed as the browser accepts it, and pictures as they are", async () => {
    const path = "/assets/index-1a2b.js";
    const [br, gzip, plain] = [
      await get(path, { accepts: "gzip, br" }),
      await get(path, { accepts: "gzip" }),
      await get(path, { accepts: "identity" }),
    ];
    expect([br, gzip, plain].map(({ headers }) => headers["content-encoding"])).to.deep.equal([
      "br",
      "gzip",
      undefined,
    ]);
    expect(`${brotliDecompressSync(br.body)}`).to.equal(SCRIPT);
    expect(`${gunzipSync(gzip.body)}`).to.equal(SCRIPT);
    expect(`${plain.body}`).to.equal(SCRIPT);
    expect(br.body.length).to.be.below(SCRIPT.length / 4);
    for (const { headers, body } of [br, gzip, plain])
      expect(headers).to.include({ "content-length": `${body.length}`, vary: "accept-encoding" });
    const icon = await get("/assets/icon-1a2b.png", { accepts: "gzip, br" });
    expect([icon.headers["content-encoding"], icon.headers["content-type"]]).to.deep.equal([undefined, "image/png"]);
    expect(icon.body.equals(PNG)).to.equal(true);
  });

  it("answers HEAD like GET without the bytes", async () => {
    const { status, headers, body } = await get("/assets/index-1a2b.js", { method: "HEAD", accepts: "identity" });
    expect([status, headers["content-length"], body.length]).to.deep.equal([200, `${SCRIPT.length}`, 0]);
  });

  it("leaves other methods and other addresses to the API", async () => {
    expect((await get("/", { method: "POST" })).status).to.equal(404);
    for (const path of ["/chargers", "/cockpits", "/assets/index-0000.js", "/index.php", "/assets/"]) {
      const { status, headers } = await get(path);
      expect([status, headers["content-type"]], path).to.deep.equal([404, "application/problem+json; charset=utf-8"]);
    }
  });

  it("gives out no file beside the folder", async () => {
    for (const path of ["/../secret.txt", "/assets/../../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt"]) {
      const { status, body } = await get(path);
      expect(status, path).to.equal(404);
      expect(`${body}`, path).not.to.contain("not a page");
    }
  });

  it("does not begin without its pages, and says what to do", () => {
    const words = /holds no index\.html: run `npm run build`/;
    expect(() => webPages(join(top, "nowhere"))).to.throw(words);
    mkdirSync(join(top, "empty"));
    expect(() => webPages(join(top, "empty"))).to.throw(words);
    writeFileSync(join(top, "empty", "index.html"), "");
    expect(() => webPages(join(top, "empty"))).to.throw(/holds no audit\.html/);
  });
});
