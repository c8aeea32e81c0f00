/**
 * For auditors: where the records lie on chain, the database that they are held against (`npm run verify -- --service`),
 * and what the chain commits to, by its hash.
 */
import { z } from "zod";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";

const ofHash = z.strictObject({
  hash: z
    .string()
    .regex(/^0x[0-9a-f]{64}$/, { error: "Give keccak256 as 0x and 64 lower-case hex digits." })
    .transform((text) => text as `0x${string}`),
});

export function auditRoutes({ audit, usecases }: Deps): readonly Route[] {
  const tag = "Audit" as const;
  return [
    route({
      method: "get",
      path: "/audit/manifest",
      tag,
      summary: "The deployment: contracts, algorithms, and where the chain answers",
      who: [],
      answers: {
        200: {
          description: "Manifest",
          schema: z.object({
            manifest: z.unknown().meta({ description: "Contracts with their addresses, and versions of algorithms" }),
            market: z.string().meta({ description: "Name of the wholesale price series" }),
            rpcUrl: z.string().nullable().meta({ description: "JSON-RPC of the chain, where it may be shown" }),
          }),
        },
      },
      handle: async () => ({ status: 200, body: audit.manifest }),
    }),
    route({
      method: "get",
      path: "/audit/database",
      tag,
      summary: "The whole database, for an audit",
      description: "It holds personal data: only the operator of the service makes keys for it.",
      who: ["audit-key"],
      answers: { 200: { description: "tar of a PGlite data folder", type: "application/x-tar" } },
      async handle() {
        if (!audit.dump)
          throw new Problem("no-dump", "The database is a PostgreSQL server: use `npm run verify -- --database URL`.");
        return { bytes: await audit.dump(), type: "application/x-tar" };
      },
    }),
    route({
      method: "get",
      path: "/audit/bytes/{hash}",
      tag,
      summary: "The bytes that have this keccak256, of what the chain commits to",
      description:
        "A run's problem; a run's plan (salt and the hashes of x, y and w, each of which can be asked for); the root over the " +
        "runs of all groups (two hashes of the same kind, down to a run's nine words); a bill's detail " +
        "(the hash of salt and text hash, that pair, the receipt's text); the source of the scheduling methods. Hash what " +
        "comes back: nobody has to be believed. Problems and receipts are personal data.",
      who: ["audit-key"],
      params: ofHash,
      answers: { 200: { description: "JSON, a text, or bytes", type: "application/octet-stream" } },
      async handle({ params: { hash } }) {
        const etag = `"${hash}"`;
        const text = audit.texts?.get(hash);
        if (text !== undefined) return { bytes: Buffer.from(text, "utf8"), type: "text/plain; charset=utf-8", etag };
        const found = await usecases.committedBytes(hash);
        if (!found)
          throw new Problem(
            "unknown-hash",
            `Nothing here has the hash ${hash}: it never had, or it was changed since.`,
          );
        return {
          bytes: found.bytes,
          type: found.part === "receipt" ? "application/json" : "application/octet-stream",
          etag,
        };
      },
    }),
  ];
}
