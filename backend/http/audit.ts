/** For `npm run verify -- --service`: where the records lie on chain, and the database that they are held against. */
import { z } from "zod";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";

export function auditRoutes({ audit }: Deps): readonly Route[] {
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
  ];
}
