/** The OpenAPI 3.1 document, made from the very schemas that requests are checked with. */
import { z } from "zod";
import { kindOf, PROBLEMS, type ProblemName, problemSchema } from "./problems.ts";
import { keyOf, type Route, type Who } from "./route.ts";

type Json = Record<string, unknown>;
export type Operation = {
  readonly tags: readonly string[];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly security: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly Json[];
  readonly requestBody?: Json;
  readonly responses: Readonly<Record<string, Json>>;
};
export type OpenApi = {
  readonly openapi: "3.1.0";
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Record<string, Json>; readonly securitySchemes: Json };
};

const DESCRIPTION = `Oli Move shares one scarce supply limit among parked electric cars.

Power is in whole W, energy in whole Wh, instants are RFC 3339 in UTC, durations in seconds, money is text: whole
micro-euro (1,000,000 are 1 EUR), prices micro-euro per kWh. What looks like another unit is refused, never bent.
Errors are problem documents (RFC 9457). The same request again is answered again and changes nothing.`;

const WHO: Record<Who, string> = {
  driver: "drivers",
  staff: "staff of a CPO",
  auditor: "auditors",
  arbiter: "arbiters, who decide disputes",
  "cpo-key": "keys of a CPO's back end",
  "hems-key": "keys of a HEMS",
  "audit-key": "keys of an auditor, made by the operator of the service",
  "market-key": "keys of who publishes the market's figures, made by the operator of the service",
};

export function openApi(routes: readonly Route[], publicUrl: string): OpenApi {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Record<string, Operation>)[route.method] = operation(route, schemas);
  }
  reference(problemSchema, "output", schemas);
  return {
    openapi: "3.1.0",
    info: { title: "Oli Move", version: "1", description: DESCRIPTION },
    servers: [{ url: publicUrl }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        session: {
          type: "apiKey",
          in: "cookie",
          name: `${publicUrl.startsWith("https:") ? "__Secure-" : ""}oli-move.session_token`,
          description: "Set by POST /account/sign-in.",
        },
        key: { type: "http", scheme: "bearer", description: "Key of a machine, made by POST /cpo/keys." },
      },
    },
  };
}

function operation(route: Route, schemas: Record<string, Json>): Operation {
  const parameters = [...parametersOf(route.params, "path", schemas), ...parametersOf(route.query, "query", schemas)];
  const people = route.who.some((who) => !who.endsWith("-key"));
  const machines = route.who.some((who) => who.endsWith("-key"));
  const audience = route.who.length > 0 ? `For ${route.who.map((who) => WHO[who]).join(" and ")}.` : "For everybody.";
  return {
    tags: [route.tag],
    operationId: keyOf(route)
      .toLowerCase()
      .replaceAll(/[^a-z]+/g, "-")
      .replaceAll(/^-|-$/g, ""),
    summary: route.summary,
    description: [audience, route.description].filter(Boolean).join(" "),
    security: [...(people ? [{ session: [] }] : []), ...(machines ? [{ key: [] }] : [])],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(route.body
      ? {
          requestBody: {
            required: true,
            content: { "application/json": { schema: reference(route.body, "input", schemas) } },
          },
        }
      : {}),
    responses: {
      ...Object.fromEntries(
        Object.entries(route.answers).map(([status, { description, schema, type }]) => {
          const kind = type ?? (schema ? "application/json" : null);
          const content = schema ? { schema: reference(schema, "output", schemas) } : { schema: { type: "string" } };
          return [status, { description, ...(kind ? { content: { [kind]: content } } : {}) }];
        }),
      ),
      default: {
        description: "Problem: what went wrong and what to fix",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function parametersOf(schema: z.ZodObject | undefined, place: "path" | "query", schemas: Record<string, Json>): Json[] {
  if (!schema) return [];
  const object = reference(schema, "input", schemas) as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(object.properties ?? {}).map(([name, of]) => ({
    name,
    in: place,
    required: place === "path" || (object.required?.includes(name) ?? false),
    schema: of,
  }));
}

/** JSON schema of a zod schema; named schemas move to the document's components. */
function reference(schema: z.ZodType, io: "input" | "output", schemas: Record<string, Json>): Json {
  const {
    $schema: _,
    $defs,
    id,
    ...json
  } = z.toJSONSchema(schema, { io, target: "draft-2020-12" }) as Json & {
    $defs?: Record<string, Json>;
    id?: string;
  };
  for (const [name, definition] of Object.entries($defs ?? {})) {
    const { id: _name, ...rest } = definition;
    schemas[name] = hoisted(rest) as Json;
  }
  if (id === undefined) return hoisted(json) as Json;
  schemas[id] = hoisted(json) as Json;
  return { $ref: `#/components/schemas/${id}` };
}

function hoisted(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(hoisted);
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) =>
      name === "$ref" && typeof value === "string"
        ? [name, value.replace("#/$defs/", "#/components/schemas/")]
        : [name, hoisted(value)],
    ),
  );
}

/** Every type of problem, for the page that their addresses lead to. */
export const problemList = () =>
  (Object.keys(PROBLEMS) as ProblemName[]).map((name) => ({
    name,
    status: kindOf(name).status,
    title: kindOf(name).title,
  }));
