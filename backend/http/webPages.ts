/**
 * The web application as it was built: its pages, and their files, compressed once. A page's policy lets in nothing from
 * elsewhere; the audit explorer alone may talk to whatever node its reader names.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, relative, sep } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { RequestHandler } from "express";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};
/** Pages of the application are drawn in the browser: all have the same file. */
const APPLICATION = /^\/(sign-in|sign-up|charge(\/.*)?|cockpit(\/.*)?)?$/;
/** What draws a room of the application: asked for together with its page, not only when the scripts before it have run. */
const ROOMS = { "/charge": "Driver", "/cockpit": "Cockpit" };

const policy = (connect: string) =>
  [
    "default-src 'none'",
    // WebAssembly reads the code of a charge point.
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    "manifest-src 'self'",
    "worker-src 'self'",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
const POLICIES = {
  "/index.html": policy("'self'"),
  "/audit.html": policy("'self' https: http://127.0.0.1:* http://localhost:*"),
  // The worker fetches under its own policy, not under the page's.
  "/service-worker.js": "default-src 'none'; connect-src 'self'; frame-ancestors 'none'",
};

type File = { readonly type: string; readonly plain: Buffer; readonly br: Buffer | null; readonly gzip: Buffer | null };

/** Of the folder that `npm run build` writes. Throws when it holds no page. */
export function webPages(folder: string): RequestHandler {
  const entries = existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [];
  const files = new Map<string, File>(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [`/${relative(folder, path).split(sep).join("/")}`, fileAt(path)] as [string, File]),
  );
  for (const page of Object.keys(POLICIES).filter((path) => path.endsWith(".html")))
    if (!files.has(page)) throw new Error(`${folder} holds no ${page.slice(1)}: run \`npm run build\`.`);

  return (request, response, next) => {
    if (request.method !== "GET" && request.method !== "HEAD") return next();
    const path = APPLICATION.test(request.path)
      ? "/index.html"
      : request.path === "/audit"
        ? "/audit.html"
        : request.path;
    const file = files.get(path);
    if (!file) return next();
    response.locals.route = "web";
    const [, room] = Object.entries(ROOMS).find(([at]) => request.path.startsWith(at)) ?? [];
    const script = [...files.keys()].find((name) => name.startsWith(`/assets/${room}-`) && name.endsWith(".js"));
    if (path === "/index.html" && script) response.set("link", `<${script}>; rel=modulepreload; fetchpriority=low`);
    if (path in POLICIES) response.set("content-security-policy", POLICIES[path as keyof typeof POLICIES]);
    // A hash in the name: another content has another name.
    if (path.startsWith("/assets/")) response.set("cache-control", "public, max-age=31536000, immutable");
    else response.set("cache-control", "no-cache");
    // The smaller one first: browsers name all that they know in an order that means nothing.
    const encoding = (["br", "gzip"] as const).find((one) => file[one] !== null && request.acceptsEncodings(one));
    const packed = encoding ? file[encoding] : null;
    response.set({ "content-type": file.type, vary: "accept-encoding" });
    if (encoding) response.set("content-encoding", encoding);
    const body = packed ?? file.plain;
    response.set("content-length", `${body.length}`);
    response.status(200).end(request.method === "HEAD" ? undefined : body);
  };
}

function fileAt(path: string): File {
  const type = TYPES[extname(path)] ?? "application/octet-stream";
  const plain = readFileSync(path);
  const isPackable = /text|javascript|svg|json|wasm/.test(type);
  if (!isPackable) return { type, plain, br: null, gzip: null };
  const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
  return { type, plain, br: brotliCompressSync(plain, quality), gzip: gzipSync(plain) };
}
