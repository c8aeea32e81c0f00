/**
 * The one error map: everything that can go wrong becomes a problem document (RFC 9457, application/problem+json) that
 * says what to fix. Titles and statuses stand here and nowhere else; `/docs` explains each type under its own anchor.
 */
import { z } from "zod";
import type { Refused } from "../usecases/refused.ts";

type Kind = {
  readonly status: number;
  readonly title: string;
  /** Member of the body that a refusal is about. */
  readonly at?: string;
};

export const PROBLEMS = {
  // the request itself
  "malformed-json": { status: 400, title: "The body is not JSON" },
  "invalid-request": { status: 400, title: "The request does not say what is needed" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body must be application/json" },
  "unknown-route": { status: 404, title: "There is nothing at this address" },
  "method-not-allowed": { status: 405, title: "This address does not take this method" },
  // who asks
  unauthenticated: { status: 401, title: "Sign in, or send a key" },
  "wrong-credentials": { status: 401, title: "The e-mail or the password is wrong" },
  forbidden: { status: 403, title: "This is not for this kind of account or key" },
  "cross-site": { status: 403, title: "The request came from another site" },
  "email-taken": { status: 409, title: "The e-mail has an account", at: "email" },
  "too-many-requests": { status: 429, title: "Too many attempts" },
  // what it is about; what belongs to somebody else does not exist for the one who asks
  "unknown-session": { status: 404, title: "There is no such session" },
  "unknown-group": { status: 404, title: "There is no such group" },
  "unknown-evse": { status: 404, title: "There is no such EVSE", at: "evseId" },
  "unknown-driver": { status: 404, title: "There is no such driver", at: "driverId" },
  "unknown-profile": { status: 404, title: "There is no such profile" },
  "unknown-order": { status: 404, title: "There is no such order" },
  "unknown-cpo": { status: 404, title: "There is no such CPO", at: "cpoId" },
  "unknown-dispute": { status: 404, title: "There is no such dispute" },
  "unknown-key": { status: 404, title: "There is no such key" },
  "unknown-hash": { status: 404, title: "There are no bytes of this hash" },
  "no-settlement": { status: 404, title: "The session is not settled yet" },
  // what stands in the way
  occupied: { status: 409, title: "The EVSE is occupied", at: "evseId" },
  "out-of-order": { status: 409, title: "The EVSE does not work", at: "evseId" },
  closed: { status: 409, title: "The session has ended" },
  "stop-at-station": { status: 409, title: "The session ends at the station" },
  duplicate: { status: 409, title: "This was asked before" },
  promised: { status: 409, title: "The session has a promise" },
  "no-offer": { status: 409, title: "There is no offer to answer" },
  "later-gone": { status: 409, title: "The later time is taken" },
  "opted-out": { status: 409, title: "The session opted out" },
  "no-boost": { status: 409, title: "There is no boost to cancel" },
  "offer-expired": { status: 409, title: "The offer has expired" },
  "no-baseline": { status: 409, title: "There is no recorded plan to measure the order against" },
  "not-by-algorithm": { status: 409, title: "The group's algorithm cannot follow the order", at: "direction" },
  "opposite-order": { status: 409, title: "Another order wants the opposite", at: "direction" },
  "no-tariff": { status: 409, title: "The CPO has no tariff" },
  "too-many-sessions": { status: 409, title: "Too many sessions are open" },
  "redemption-waits": { status: 409, title: "A redemption is on its way" },
  "payout-waits": { status: 409, title: "A withdrawal or claim is on its way" },
  "not-announced": { status: 409, title: "So much is not announced", at: "amountMicroEur" },
  "notice-runs": { status: 409, title: "The notice is not over" },
  "no-flex": { status: 409, title: "There is no FLEX to claim" },
  "session-open": { status: 409, title: "A session is open" },
  "bill-open": { status: 409, title: "A bill is not final" },
  "dispute-open": { status: 409, title: "A dispute is open" },
  "debt-left": { status: 409, title: "A debt is left" },
  "balance-left": { status: 409, title: "Money or FLEX is left", at: "giveUp" },
  "dispute-waits": { status: 409, title: "A dispute is on its way" },
  "not-posted": { status: 409, title: "The bill is not on chain yet" },
  "bill-final": { status: 409, title: "The bill cannot be disputed" },
  "window-closed": { status: 409, title: "The time for disputes is over" },
  "already-disputed": { status: 409, title: "The bill was disputed before" },
  "dispute-not-open": { status: 409, title: "The dispute is not open on chain" },
  "already-decided": { status: 409, title: "The dispute has ended" },
  "no-arbiter-key": { status: 409, title: "Decisions are not sent from here" },
  "taken-id": { status: 409, title: "The id belongs to somebody else" },
  "no-dump": { status: 409, title: "The database is not handed out from here" },
  "chain-away": { status: 503, title: "The chain cannot be read now" },
  // what cannot be meant
  "past-departure": { status: 422, title: "The departure lies in the past", at: "departsAt" },
  "suspicious-departure": { status: 422, title: "The departure is not plausible", at: "departsAt" },
  "suspicious-need": { status: 422, title: "The need is not plausible", at: "energyNeedWh" },
  "bad-start": { status: 422, title: "The planned start is not before the departure", at: "notBefore" },
  "bad-first": { status: 422, title: "The first part is none of the wish", at: "first" },
  "bad-boost": { status: 422, title: "The boost does not end within a day", at: "until" },
  "bad-strategy": { status: 422, title: "The strategies contradict each other", at: "windows" },
  "suspicious-limit": { status: 422, title: "The limit is not plausible", at: "limitW" },
  "bad-capacity": { status: 422, title: "The capacity profile is not one", at: "periods" },
  "suspicious-order": { status: 422, title: "The order is not plausible", at: "powerW" },
  "past-order": { status: 422, title: "The order begins too early", at: "from" },
  "not-on-slots": { status: 422, title: "The order is not for whole quarter-hours", at: "from" },
  "beyond-horizon": { status: 422, title: "The order lies beyond the plan", at: "until" },
  "past-limit": { status: 422, title: "The limit has ended already", at: "until" },
  "unknown-algorithm": { status: 422, title: "There is no such algorithm", at: "name" },
  "unknown-parameter": {
    status: 422,
    title: "The algorithm has no such parameter, or not this value",
    at: "parameters",
  },
  "suspicious-price": { status: 422, title: "The price is not plausible", at: "pricePerKwhMicroEur" },
  "price-gap": { status: 422, title: "A price is missing", at: "prices" },
  "bad-instant": { status: 422, title: "The instant is not plausible", at: "at" },
  "implausible-register": { status: 422, title: "The register is not plausible", at: "registerWh" },
  "implausible-readings": { status: 422, title: "No reading could be taken", at: "readings" },
  "bad-refund": { status: 422, title: "The refund is more than the bill", at: "refundMicroEur" },
  "bad-flex-delta": { status: 422, title: "The bill cannot have so much or so little FLEX", at: "flexDeltaWh" },
  "too-little": { status: 422, title: "That is too little", at: "wh" },
  "too-much": { status: 422, title: "That is too much", at: "wh" },
  "too-little-money": { status: 422, title: "That is too little", at: "amountMicroEur" },
  "too-much-money": { status: 422, title: "That is too much", at: "amountMicroEur" },
  "bad-address": { status: 422, title: "The address is not the driver's own", at: "to" },
  internal: { status: 500, title: "Something went wrong on our side" },
} as const satisfies Record<string, Kind>;

export type ProblemName = keyof typeof PROBLEMS;
export const kindOf = (name: ProblemName): Kind => PROBLEMS[name];

/** Where in the request: a JSON pointer into the body as a URI fragment, or the name of a parameter. */
export type Fault = { readonly pointer?: string; readonly parameter?: string; readonly detail: string };

/** Thrown by whoever answers a request; nothing was changed. */
export class Problem extends Error {
  readonly problem: ProblemName;
  readonly faults: readonly Fault[];
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    problem: ProblemName,
    detail: string,
    more: { readonly faults?: readonly Fault[]; readonly headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.problem = problem;
    this.faults = more.faults ?? [];
    this.headers = more.headers ?? {};
  }
}

export type ProblemDocument = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors?: readonly Fault[];
};

export function documentOf(problem: Problem, requestId: string): ProblemDocument {
  const { status, title } = kindOf(problem.problem);
  return {
    type: `/docs#${problem.problem}`,
    title,
    status,
    detail: problem.message,
    instance: `urn:uuid:${requestId}`,
    ...(problem.faults.length > 0 ? { errors: problem.faults } : {}),
  };
}

/** A use case's refusal; `inBody` names the members of the request's body, so that the pointer is a true one. */
export function refusalOf(refused: Refused<ProblemName>, body: unknown): Problem {
  const { at } = kindOf(refused.reason);
  const isInBody = at !== undefined && typeof body === "object" && body !== null && at in body;
  return new Problem(
    refused.reason,
    refused.text,
    isInBody ? { faults: [{ pointer: `#/${at}`, detail: refused.text }] } : {},
  );
}

/** The answer of a use case, or the problem that it refused with. */
export function granted<Answer extends { readonly kind: string }>(
  answer: Answer,
  body?: unknown,
): Exclude<Answer, Refused<ProblemName>> {
  if (answer.kind === "refused") throw refusalOf(answer as unknown as Refused<ProblemName>, body);
  return answer as Exclude<Answer, Refused<ProblemName>>;
}

export type Place = "body" | "query" | "params";

/** What zod found, one fault per place. */
export function invalid(error: z.ZodError, place: Place): Problem {
  const faults = new Map<string, Fault>();
  for (const issue of error.issues.flatMap(expand)) {
    const path = issue.path.map(String);
    const fault: Fault =
      place === "body"
        ? { pointer: pointerOf(path), detail: issue.message }
        : { parameter: path.join("."), detail: issue.message };
    const key = fault.pointer ?? fault.parameter ?? "";
    if (!faults.has(key)) faults.set(key, fault);
  }
  const [first] = faults.values();
  return new Problem("invalid-request", first?.detail ?? "The request does not fit its schema.", {
    faults: [...faults.values()],
  });
}

type Issue = { readonly path: readonly PropertyKey[]; readonly message: string };

/** Each unknown member is a fault of its own, at its own place. */
function expand(issue: z.core.$ZodIssue): readonly Issue[] {
  if (issue.code !== "unrecognized_keys") return [issue];
  return issue.keys.map((key) => ({
    path: [...issue.path, key],
    message: `"${key}" is not known here. Leave it out, or check its spelling.`,
  }));
}

/** RFC 6901 in its URI fragment form. */
export const pointerOf = (path: readonly string[]) =>
  `#${path.map((step) => `/${encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("")}`;

type HttpError = { readonly status?: number; readonly type?: string; readonly limit?: number; readonly name?: string };

/** Whatever was thrown, as a problem; null when it is our own fault and nobody's business. */
export function problemOf(error: unknown): Problem | null {
  if (error instanceof Problem) return error;
  const { status, type, limit, name } = (error ?? {}) as HttpError;
  // Two requests at the same moment, perhaps in two processes: the store lets one of them through.
  if (name === "EvseOccupiedError")
    return new Problem("occupied", "Somebody else was faster at this EVSE. Choose another one.");
  if (name === "SessionExistsError")
    return new Problem("duplicate", "The same request is being answered already. Ask again.");
  if (type === "entity.parse.failed")
    return new Problem("malformed-json", "The body cannot be read as JSON. Check quotes, commas and brackets.");
  if (type === "entity.too.large")
    return new Problem("body-too-large", `At most ${limit} bytes are taken at once. Send fewer readings per request.`);
  if (type === "encoding.unsupported" || type === "charset.unsupported")
    return new Problem("unsupported-media-type", "Send the body as UTF-8 JSON without a content encoding.");
  if (error instanceof URIError || (status === 400 && type === undefined))
    return new Problem("invalid-request", "The address cannot be decoded. Encode % as %25.");
  if (status === 400) return new Problem("invalid-request", "The body did not arrive whole.");
  return null;
}

export const problemSchema = z
  .object({
    type: z.string().describe("Names the problem; resolves to its explanation."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What to fix."),
    instance: z.string().describe("Id of the request, to be found in the service's log."),
    errors: z
      .array(
        z.object({
          pointer: z.string().optional().describe("JSON pointer into the body, as a URI fragment."),
          parameter: z.string().optional().describe("Name of a path or query parameter."),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem" });
