/**
 * A route is data: its address, who may call it, what goes in and comes out, and the function that answers. The Express
 * application, the OpenAPI document and the tests of strangers are all made from the same list.
 */
import type { z } from "zod";
import type { Client } from "./accountsPort.ts";
import type { LiveFeed } from "./events.ts";

/** Whoever calls. A driver is known by an account with a wallet, a machine by its key. */
export type Caller =
  | { readonly kind: "driver"; readonly accountId: string; readonly driverId: string; readonly name: string }
  | { readonly kind: "staff"; readonly accountId: string; readonly cpoId: string; readonly name: string }
  | { readonly kind: "auditor"; readonly accountId: string; readonly name: string }
  | { readonly kind: "arbiter"; readonly accountId: string; readonly name: string }
  | MachineCaller<"cpo-key">
  | MachineCaller<"hems-key">
  | { readonly kind: "audit-key" | "market-key"; readonly keyId: string };

type MachineCaller<Kind extends string> = {
  readonly kind: Kind;
  readonly keyId: string;
  readonly cpoId: string;
  /** Null: all of the CPO's. */
  readonly locationId: string | null;
  readonly groupId: string | null;
};

export type Who = Caller["kind"];
export type Method = "get" | "post" | "put" | "delete";

export type Call<P, Q, B, W extends Who> = {
  readonly caller: Extract<Caller, { kind: W }>;
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  readonly client: Client;
};

/** A call as the application makes it; `route` holds the handler's types to its schemas. */
export type AnyCall = Omit<Call<unknown, unknown, unknown, Who>, "caller"> & { readonly caller: Caller | null };

export type Answer =
  | { readonly status: number; readonly body: unknown; readonly cookies?: readonly string[] }
  | { readonly status: 204; readonly cookies?: readonly string[] }
  | { readonly html: string; readonly policy: string }
  | {
      readonly bytes: Uint8Array;
      readonly type: string;
      /** What never changes: its ETag, with which it is asked for again for nothing. */
      readonly etag?: string;
    }
  | { readonly feed: LiveFeed };

export type Route = {
  readonly method: Method;
  /** OpenAPI's form: `/driver/sessions/{sessionId}`. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  /** Empty: for everybody. */
  readonly who: readonly Who[];
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly answers: Readonly<Record<number, AnswerSpec>>;
  readonly handle: (call: AnyCall) => Promise<Answer>;
};

export type Tag = "Accounts" | "Driver" | "CPO" | "Machines" | "Grid" | "Market" | "Arbiter" | "Audit" | "Public";

export type AnswerSpec = {
  readonly description: string;
  readonly schema?: z.ZodType;
  /** `application/json` unless said otherwise. */
  readonly type?: string;
};

type Spec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType, W extends Who> = Omit<
  Route,
  "params" | "query" | "body" | "who" | "handle"
> & {
  readonly who: readonly W[];
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly handle: (call: Call<z.output<P>, z.output<Q>, z.output<B>, W>) => Promise<Answer>;
};

/** Only for its types: the handler sees what the schemas let through, and the callers that `who` names. */
export const route = <
  P extends z.ZodObject = z.ZodObject,
  Q extends z.ZodObject = z.ZodObject,
  B extends z.ZodType = z.ZodType,
  W extends Who = never,
>(
  spec: Spec<P, Q, B, W>,
): Route => spec as unknown as Route;

export const keyOf = (route: Pick<Route, "method" | "path">) => `${route.method.toUpperCase()} ${route.path}`;
export const expressPath = (path: string) => path.replaceAll(/\{(\w+)\}/g, ":$1");
