import { expect } from "chai";
import type { OpenApi } from "../../backend/http/openApi.ts";
import { PROBLEMS } from "../../backend/http/problems.ts";
import { type Service, startService } from "./service.ts";

type Layer = { route?: { path: string; methods: Record<string, boolean> } };

describe("HTTP: the API's description", () => {
  let service: Service;
  let document: OpenApi;
  before(async () => {
    service = await startService();
    document = (await service.ask("GET", "/openapi.json")).body;
  });
  after(() => service?.close());

  const described = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );

  it("names every route that Express has, and no other", () => {
    const layers = service.api.app.router.stack as unknown as Layer[];
    const mounted = layers.flatMap(({ route }) =>
      route
        ? Object.keys(route.methods).map(
            (method) => `${method.toUpperCase()} ${route.path.replaceAll(/:(\w+)/g, "{$1}")}`,
          )
        : [],
    );
    expect(mounted).to.have.length.above(40);
    expect(described()).to.have.members(mounted);
  });

  it("resolves every reference, and uses every schema", () => {
    const text = JSON.stringify(document);
    const used = new Set([...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name));
    expect([...used]).to.have.members(Object.keys(document.components.schemas));
    expect(text).not.to.include("$defs");
    expect(text).not.to.include('"$schema"');
  });

  it("describes parameters, bodies, answers, problems and who may call", () => {
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods)) {
        const label = `${method} ${path}`;
        const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        const named = (operation.parameters ?? []).filter((one) => one.in === "path").map((one) => one.name);
        expect(named, label).to.have.members(inPath);
        expect(operation.summary, label).not.to.equal("");
        expect(operation.responses, label).to.have.property("default");
        expect(
          Object.keys(operation.responses).some((status) => /^[25]/.test(status)),
          label,
        ).to.equal(true);
        const route = service.api.routes.find((one) => one.path === path && one.method === method)!;
        expect(operation.security.length > 0, label).to.equal(route.who.length > 0);
        expect(operation.requestBody !== undefined, label).to.equal(route.body !== undefined);
      }
    const ids = Object.values(document.paths).flatMap((methods) =>
      Object.values(methods).map((one) => one.operationId),
    );
    expect(new Set(ids).size).to.equal(ids.length);
  });

  it("says the units of a body as the schemas check them", () => {
    const body = document.paths["/machine/meter-values"]!.post!.requestBody as any;
    const reading = body.content["application/json"].schema.properties.readings.items;
    expect(reading.properties.powerW).to.include({ type: "integer", minimum: 0, maximum: 1_000_000 });
    expect(reading.properties.at).to.include({ type: "string", format: "date-time" });
    expect(reading).to.deep.include({
      additionalProperties: false,
      required: ["sessionId", "at", "registerWh", "powerW"],
    });
  });

  it("can be read as a page on which every route and every problem has its place", async () => {
    const response = await service.call("GET", "/docs");
    expect(response.headers.get("content-type")).to.match(/^text\/html/);
    const html = await response.text();
    for (const route of described()) expect(html).to.include(`<code>${route.split(" ")[1]}</code>`);
    for (const name of Object.keys(PROBLEMS)) expect(html).to.include(`id="${name}"`);
    for (const name of Object.keys(document.components.schemas)) expect(html).to.include(`id="schema-${name}"`);
    const links = [...html.matchAll(/href="#([\w-]+)"/g)].map(([, id]) => id);
    for (const id of links) expect(html, id).to.include(`id="${id}"`);
  });
});
