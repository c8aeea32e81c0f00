/** Pages without anything from elsewhere: style and script stand in the page and are named by their hash in its policy. */
import { createHash } from "node:crypto";

export const escaped = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");

export type Page = { readonly html: string; readonly policy: string };

export function page(parts: { title: string; style: string; body: string; script?: string }): Page {
  const { title, style, body, script } = parts;
  const html = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(ICON)}">
<style>${style}</style>
</head>
<body>
${body}
${script === undefined ? "" : `<script>${script}</script>`}
</body>
</html>
`;
  const policy = [
    "default-src 'none'",
    "img-src data:",
    `style-src '${hashOf(style)}'`,
    ...(script === undefined ? [] : [`script-src '${hashOf(script)}'`, "connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, policy };
}

const hashOf = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#0b7a53"/><path d="M9 2 4 9h3l-1 5 6-8H8z" fill="#fff"/></svg>';

/** Colours and type that both pages share. */
export const BASE_STYLE = `
:root{--ground:#f6f7f5;--card:#fff;--ink:#1d2421;--soft:#5c6963;--line:#dfe4e1;--green:#0b7a53;--blue:#2f6fb5;--amber:#b06a00;--red:#b3261e;--track:#e8ece9}
@media (prefers-color-scheme:dark){:root{--ground:#12171a;--card:#1b2226;--ink:#e6ebe8;--soft:#98a6a0;--line:#2c363a;--green:#4cc38a;--blue:#78b0ea;--amber:#e5a54b;--red:#f2857d;--track:#283135}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:24px 20px 64px}
h1{font-size:26px;margin:0}h2{font-size:17px;margin:0 0 10px}
a{color:var(--green)}
code,.mono{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.soft{color:var(--soft)}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px;margin-top:16px}
`;
