/** Who calls: a machine by its key, or a person by the session cookie; and whether the call came from our own pages. */
import type { Request } from "express";
import { driverOf } from "./accountRoutes.ts";
import type { Client } from "./accountsPort.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";
import type { Caller, Route } from "./route.ts";

export const clientOf = (request: Request): Client => ({
  address: request.ip ?? "unknown",
  cookie: request.headers.cookie,
});

/** Null: nobody. A key that is sent must be a good one; it is never mixed with a cookie. */
export async function identify(deps: Deps, request: Request): Promise<Caller | null> {
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    const [, token] = /^Bearer +(\S+)$/i.exec(authorization) ?? [];
    const key = token === undefined ? null : await deps.accounts.keyOf(token);
    if (!key)
      throw unauthenticated("This key is not known, or was revoked. Send a valid one as `Authorization: Bearer`.");
    const { id: keyId, purpose, cpoId, locationId, groupId } = key;
    if (purpose === "audit" || purpose === "market") return { kind: `${purpose}-key`, keyId };
    if (cpoId === null) throw new Error(`Key ${keyId} belongs to no CPO. Revoke it and make another one.`);
    return { kind: purpose === "cpo" ? "cpo-key" : "hems-key", keyId, cpoId, locationId, groupId };
  }
  const account = await deps.accounts.whoIs(cookie);
  if (!account) return null;
  const { id: accountId, name, cpoId } = account;
  switch (account.kind) {
    case "driver":
      return { kind: "driver", accountId, name, driverId: (await driverOf(deps, account)).id };
    case "staff":
      if (cpoId === null) throw new Error(`Account ${accountId} is staff of no CPO. Bind it to one.`);
      return { kind: "staff", accountId, name, cpoId };
    case "auditor":
    case "arbiter":
      return { kind: account.kind, accountId, name };
  }
}

/** The caller, if this route is for callers of its kind. */
export async function admitted(deps: Deps, request: Request, route: Route): Promise<Caller | null> {
  if (route.who.length === 0) return null;
  const caller = await identify(deps, request);
  if (!caller)
    throw unauthenticated("Sign in first (POST /account/sign-in), or send a key as `Authorization: Bearer`.");
  if (!route.who.includes(caller.kind))
    throw new Problem("forbidden", `This is for ${route.who.join(" and ")}, not for ${caller.kind}.`);
  return caller;
}

const unauthenticated = (detail: string) =>
  new Problem("unauthenticated", detail, { headers: { "www-authenticate": 'Bearer realm="Oli Move"' } });

/**
 * Cookies travel with requests that other sites make, so a request that changes something must come from our own pages
 * (same host as it is sent to) or from no page at all. A key is never sent by a browser by itself.
 */
export function refuseCrossSite(request: Request, publicUrl: string): void {
  if (request.method === "GET" || request.method === "HEAD" || request.headers.authorization !== undefined) return;
  const { origin, host } = request.headers;
  const site = request.headers["sec-fetch-site"];
  const own =
    origin === undefined
      ? site === undefined || site === "same-origin" || site === "none"
      : origin === new URL(publicUrl).origin || (URL.canParse(origin) && new URL(origin).host === host);
  if (!own)
    throw new Problem("cross-site", "This request came from a page of another site. Use the service's own pages.");
}
