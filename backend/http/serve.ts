/** Opens the port, and closes it without cutting anybody off: requests in hand are finished, streams are ended. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Api } from "./app.ts";

export type Serving = { readonly port: number; readonly url: string; close(graceMs?: number): Promise<void> };

const GRACE_MS = 10_000;
const IDLE_MS = 50;

export async function serve(
  api: Api,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Serving> {
  const server = createServer(api.app);
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new Error(`Port ${port} of ${host} is taken. Stop what uses it, or set PORT to another one.`, {
              cause: error,
            })
          : error,
      ),
    );
    server.listen(port, host, resolve);
  });
  const bound = server.address() as AddressInfo;
  const name = host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host;
  return {
    port: bound.port,
    url: `http://${name.includes(":") ? `[${name}]` : name}:${bound.port}`,
    close: (graceMs = GRACE_MS) =>
      new Promise<void>((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), graceMs);
        // A connection whose last request was answered is kept for a next one, which must not come any more.
        const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
        const streams = api.feeds.close();
        server.close(() => {
          clearTimeout(cut);
          clearInterval(idle);
          void streams.then(resolve);
        });
        server.closeIdleConnections();
      }),
  };
}
