/** All that is remembered of a driver, in one file. */
import { z } from "zod";
import { DATA_FORMAT } from "../usecases/driverData.ts";
import type { Deps } from "./deps.ts";
import { type Route, route } from "./route.ts";

const part = z.looseObject({});
const data = z
  .object({
    format: z.literal(DATA_FORMAT),
    madeAt: z.int().meta({ description: "s since 1970, like every instant in it; money is micro-euro as text" }),
    account: z.object({
      ...{ email: z.string(), name: z.string() },
      logins: z.array(
        z.object({
          ...{ since: z.int(), until: z.int() },
          ...{ address: z.string().nullable(), browser: z.string().nullable() },
        }),
      ),
    }),
    driver: part.meta({ description: "Name, address on chain, hash of the consent" }),
    preferences: part.nullable(),
    sessions: z.array(part).meta({
      description: "Newest first: the stay, what was wished, answered, promised, sent and metered, bill and dispute",
    }),
  })
  .meta({ id: "MyData" });

export function driverData({ usecases, accounts }: Deps): readonly Route[] {
  return [
    route({
      method: "get",
      path: "/driver/data",
      tag: "Driver",
      summary: "Everything that is remembered of me",
      description: "What can be checked without this service, with its proofs, is at /driver/bundle.",
      who: ["driver"],
      answers: { 200: { description: "My data", schema: data } },
      async handle({ caller, client }) {
        const account = await accounts.whoIs(client.cookie);
        const known = plain(await usecases.driverData(caller.driverId));
        const { email = "", name = "" } = account ?? {};
        const logins = [...(await accounts.loginsOf(caller.accountId))];
        return { status: 200, body: { ...known, account: { email, name, logins } } };
      },
    }),
  ];
}

/** As it goes into JSON: whole numbers beyond what JSON holds exactly become text. */
const plain = (value: object): z.output<typeof data> =>
  JSON.parse(JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `${inner}` : inner)));
