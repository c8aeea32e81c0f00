/**
 * Keeps the application's own files, so that it opens without a line and says so; never an answer of the API. Files with a
 * hash in their name never change; pages are fetched anew while there is a line.
 */
declare const self: ServiceWorkerGlobalScope;

export {};

const KEPT = "oli-move-1";
const SHELL = "/";
const isPage = (path: string) => path === "/" || /^\/(sign-in|sign-up|charge|cockpit)(\/|$)/.test(path);

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll([SHELL, "/icon.svg"])));
  void self.skipWaiting();
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { pathname, origin } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (request.mode === "navigate" && isPage(pathname)) event.respondWith(page(request));
  else if (pathname.startsWith("/assets/") || pathname === "/icon.svg") event.respondWith(file(request));
});

async function page(request: Request): Promise<Response> {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.ok) await kept.put(SHELL, answer.clone());
    return answer;
  } catch {
    return (await kept.match(SHELL)) ?? Response.error();
  }
}

async function file(request: Request): Promise<Response> {
  const kept = await caches.open(KEPT);
  const known = await kept.match(request);
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok) await kept.put(request, answer.clone());
  return answer;
}
