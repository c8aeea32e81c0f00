/**
 * The Express application: security headers, request ids and logs, then the routes, then the one error map.
 * Each request goes the same way: own site? who? JSON? schema? answer.
 */
import { randomUUID } from "node:crypto";
import express from "express";
import type { Logger } from "pino";
import type { Deps } from "./deps.ts";
import { createFeeds, FEED_TIMES, type Feeds, type FeedTimes } from "./events.ts";
import { admitted, clientOf, refuseCrossSite } from "./identify.ts";
import { documentOf, invalid, kindOf, type Place, Problem, problemOf } from "./problems.ts";
import { type Answer, type AnyCall, expressPath, keyOf, type Route } from "./route.ts";
import { allRoutes } from "./routes.ts";

export type AppOptions = Deps & {
  readonly logger: Logger;
  /** Largest body, bytes. */
  readonly bodyLimit?: number;
  readonly feedTimes?: FeedTimes;
  /** Whose X-Forwarded-For to believe (Express's `trust proxy`); nobody's unless said. */
  readonly trustProxy?: string | number | false;
  /** The web application; none where only the API is served. */
  readonly pages?: express.RequestHandler | null;
  /** Holds every answer against its schema; tests switch it on. */
  readonly checkAnswers?: boolean;
};

export type Api = { readonly app: express.Application; readonly routes: readonly Route[]; readonly feeds: Feeds };

const BODY_LIMIT = 512 * 1024;

export function createApp(options: AppOptions): Api {
  const { logger, publicUrl } = options;
  const routes = allRoutes(options);
  const feeds = createFeeds(options.updates, options.feedTimes ?? FEED_TIMES, (error) =>
    logger.error({ err: error }, "a live stream ended"),
  );
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.set("trust proxy", options.trustProxy ?? false);
  app.set("query parser", "simple");
  app.set("case sensitive routing", true);
  app.set("strict routing", true);

  app.use(headers(publicUrl), requestLog(logger));
  if (options.pages) app.use(options.pages);
  const json = express.json({ limit: options.bodyLimit ?? BODY_LIMIT, type: "application/json" });
  for (const route of routes) app[route.method](expressPath(route.path), answering(options, feeds, route, json));
  app.use(nothingHere(routes));
  app.use(failing(logger));
  return { app, routes, feeds };
}

function headers(publicUrl: string): express.RequestHandler {
  const https = publicUrl.startsWith("https:");
  return (_request, response, next) => {
    response.set({
      "cache-control": "no-store",
      "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-resource-policy": "same-origin",
      "permissions-policy": "camera=(self), geolocation=(), microphone=()",
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
      "x-frame-options": "DENY",
      ...(https ? { "strict-transport-security": "max-age=31536000; includeSubDomains" } : {}),
    });
    next();
  };
}

/** Neither query nor body: they may say who somebody is. */
function requestLog(logger: Logger): express.RequestHandler {
  return (request, response, next) => {
    const id = randomUUID();
    const startedAt = performance.now();
    response.locals.id = id;
    response.set("x-request-id", id);
    response.on("close", () => {
      const { route, caller } = response.locals as { route?: string; caller?: string };
      const ms = Math.round(performance.now() - startedAt);
      logger.info(
        { id, method: request.method, route: route ?? "none", status: response.statusCode, ms, caller },
        "request",
      );
    });
    next();
  };
}

function answering(
  options: AppOptions,
  feeds: Feeds,
  route: Route,
  json: express.RequestHandler,
): express.RequestHandler {
  return async (request, response) => {
    response.locals.route = keyOf(route);
    refuseCrossSite(request, options.publicUrl);
    const caller = await admitted(options, request, route);
    response.locals.caller = caller?.kind;
    const call = {
      caller,
      params: checked(route, "params", request.params),
      query: checked(route, "query", request.query),
      body: route.body ? checked(route, "body", await bodyOf(request, response, json)) : undefined,
      client: clientOf(request),
    } as AnyCall;
    const answer = await route.handle(call);
    if ("feed" in answer) {
      if (request.method === "HEAD") return void response.type("text/event-stream").end();
      const { feed } = answer;
      // Whoever signs out or loses the key stops seeing.
      const picture = () => admitted(options, request, route).then(feed.picture, endOf);
      return feeds.send(response, { ...feed, picture });
    }
    if (options.checkAnswers) hold(route, answer);
    reply(response, answer);
  };
}

function endOf(error: unknown): null {
  if (error instanceof Problem) return null;
  throw error;
}

function checked(route: Route, place: Place, value: unknown): unknown {
  const schema = route[place];
  if (!schema) return undefined;
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw invalid(result.error, place);
}

/** Read after the caller is known, so that strangers cannot make us parse anything. */
async function bodyOf(
  request: express.Request,
  response: express.Response,
  json: express.RequestHandler,
): Promise<unknown> {
  const hasBody =
    request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) > 0;
  if (!hasBody)
    throw new Problem("invalid-request", "Send a JSON body.", {
      faults: [{ pointer: "#", detail: "Send a JSON body." }],
    });
  if (!request.is("application/json"))
    throw new Problem("unsupported-media-type", "Send JSON, with the header `Content-Type: application/json`.");
  await new Promise<void>((resolve, reject) => {
    void json(request, response, (error?: unknown) => (error ? reject(error) : resolve()));
  });
  return request.body;
}

function reply(response: express.Response, answer: Exclude<Answer, { feed: unknown }>): void {
  if ("html" in answer) {
    response.set("content-security-policy", answer.policy).type("html").send(answer.html);
    return;
  }
  if ("bytes" in answer) {
    if (answer.etag !== undefined) {
      response.set({ etag: answer.etag, "cache-control": "private, max-age=31536000, immutable" });
      if (response.req.get("if-none-match") === answer.etag) return void response.status(304).end();
    }
    response.type(answer.type).send(Buffer.from(answer.bytes));
    return;
  }
  if (answer.cookies) response.append("set-cookie", [...answer.cookies]);
  response.status(answer.status);
  if ("body" in answer) response.json(answer.body);
  else response.end();
}

function hold(route: Route, answer: Exclude<Answer, { feed: unknown }>): void {
  if ("html" in answer || "bytes" in answer) return;
  const spec = route.answers[answer.status];
  if (!spec) throw new Error(`${keyOf(route)} answers ${answer.status}, which it does not announce.`);
  if ("body" in answer !== (spec.schema !== undefined))
    throw new Error(`${keyOf(route)} and its schema disagree on a body.`);
  if ("body" in answer) spec.schema?.parse(answer.body);
}

function nothingHere(routes: readonly Route[]): express.RequestHandler {
  const places = routes.map((route) => ({
    method: route.method.toUpperCase(),
    form: new RegExp(`^${route.path.replaceAll(/[.]/g, "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`),
  }));
  return (request) => {
    const methods = places.filter(({ form }) => form.test(request.path)).map(({ method }) => method);
    if (methods.length === 0) throw new Problem("unknown-route", "See /docs for what there is.");
    const allow = [...new Set(methods.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])))].join(", ");
    throw new Problem("method-not-allowed", `Use ${allow}.`, { headers: { allow } });
  };
}

function failing(logger: Logger): express.ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    const id = String(response.locals.id);
    const known = problemOf(error);
    if (!known) logger.error({ id, route: response.locals.route, err: error }, "a request failed");
    if (response.headersSent) return next(error);
    const problem = known ?? new Problem("internal", "It was logged under the id in `instance`. Try again later.");
    response
      .status(kindOf(problem.problem).status)
      .set({ ...problem.headers })
      .type("application/problem+json")
      .send(JSON.stringify(documentOf(problem, id)));
  };
}
