/** The OpenAPI document to read: every route, what goes in, what comes out, and every kind of problem. */
import { BASE_STYLE, escaped, type Page, page } from "./html.ts";
import { type OpenApi, type Operation, problemList } from "./openApi.ts";

type Json = Record<string, unknown>;

const STYLE = `${BASE_STYLE}
.route{display:flex;gap:10px;align-items:baseline;flex-wrap:wrap}
.method{font:600 12px ui-monospace,monospace;padding:2px 8px;border-radius:5px;background:var(--track)}
details{margin-top:8px}summary{cursor:pointer}
table{border-collapse:collapse;width:100%;font-size:14px}
td,th{text-align:left;vertical-align:top;padding:3px 12px 3px 0;border-bottom:1px solid var(--line)}
section{margin-top:28px}p{margin:6px 0}
nav a{margin-right:14px}
:target{outline:2px solid var(--green);outline-offset:4px}
`;

export function docsPage(api: OpenApi): Page {
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags))];
  const body = `<main>
<h1>${escaped(api.info.title)} API</h1>
${api.info.description
  .split("\n\n")
  .map((text) => `<p>${escaped(text)}</p>`)
  .join("\n")}
<nav>${tags.map((tag) => `<a href="#${tag}">${tag}</a>`).join("")}<a href="#schemas">Schemas</a><a href="#problems">Problems</a><a href="/openapi.json">openapi.json</a><a href="/">Live</a></nav>
${tags
  .map(
    (tag) => `<section id="${tag}"><h2>${tag}</h2>
${operations
  .filter(({ operation }) => operation.tags.includes(tag))
  .map(({ path, method, operation }) => operationOf(path, method, operation))
  .join("\n")}</section>`,
  )
  .join("\n")}
<section id="schemas"><h2>Schemas</h2>
${Object.entries(api.components.schemas)
  .sort(([a], [b]) => a.localeCompare(b, "en"))
  .map(([name, schema]) => `<div class="card" id="schema-${name}"><b>${name}</b>${members(schema)}</div>`)
  .join("\n")}</section>
<section id="problems"><h2>Problems</h2><table><tr><th>Type</th><th>Status</th><th>Title</th></tr>
${problemList()
  .map(
    ({ name, status, title }) =>
      `<tr id="${name}"><td><code>/docs#${name}</code></td><td>${status}</td><td>${escaped(title)}</td></tr>`,
  )
  .join("\n")}</table></section>
</main>`;
  return page({ title: "Oli Move API", style: STYLE, body });
}

function operationOf(path: string, method: string, operation: Operation): string {
  const input = (operation.requestBody as { content: Record<string, { schema: Json }> } | undefined)?.content[
    "application/json"
  ];
  const parameters = operation.parameters ?? [];
  return `<div class="card" id="${operation.operationId}">
<div class="route"><span class="method">${method.toUpperCase()}</span><code>${escaped(path)}</code><span>${escaped(operation.summary)}</span></div>
<p class="soft">${escaped(operation.description ?? "").replaceAll(/`([^`]+)`/g, "<code>$1</code>")}</p>
${parameters.length > 0 ? `<p>Parameters</p><table>${parameters.map((one) => memberRow(String(one.name), one.schema as Json, one.required === true)).join("")}</table>` : ""}
${input ? `<details><summary>Body</summary>${members(input.schema)}</details>` : ""}
<details><summary>Answers</summary>${Object.entries(operation.responses)
    .map(([status, response]) => answerOf(status, response))
    .join("")}</details>
</div>`;
}

function answerOf(status: string, response: Json): string {
  const [content] = Object.entries((response.content ?? {}) as Record<string, { schema?: Json }>);
  const schema = content?.[1].schema;
  const isJson = content?.[0].endsWith("json");
  return `<p><b>${status}</b> ${escaped(String(response.description))} ${content ? `<code>${escaped(content[0])}</code>` : ""}</p>${schema && isJson ? members(schema) : ""}`;
}

/** Members of an object; alternatives one below the other; a named schema as a link. */
function members(schema: Json): string {
  const alternatives = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (alternatives) return alternatives.map(members).join("<p>or</p>");
  const properties = schema.properties as Record<string, Json> | undefined;
  if (!properties) return `<p>${typeOf(schema)}</p>`;
  const required = (schema.required ?? []) as string[];
  return `<table>${Object.entries(properties)
    .map(([name, of]) => memberRow(name, of, required.includes(name)))
    .join("")}</table>`;
}

const memberRow = (name: string, schema: Json, required: boolean) =>
  `<tr><td><code>${escaped(name)}</code></td><td>${typeOf(schema)}${required ? "" : " <span class=soft>optional</span>"}</td><td>${escaped(String(schema.description ?? ""))}</td></tr>`;

function typeOf(schema: Json): string {
  const reference = schema.$ref as string | undefined;
  if (reference) {
    const name = reference.split("/").at(-1) ?? "";
    return `<a href="#schema-${name}">${name}</a>`;
  }
  const alternatives = (schema.anyOf ?? schema.oneOf) as Json[] | undefined;
  if (alternatives) return alternatives.map(typeOf).join(" or ");
  if (schema.const !== undefined) return `<code>${escaped(JSON.stringify(schema.const))}</code>`;
  if (schema.enum)
    return (schema.enum as unknown[]).map((one) => `<code>${escaped(JSON.stringify(one))}</code>`).join(" ");
  if (schema.type === "array") return `list of ${typeOf((schema.items ?? {}) as Json)}`;
  if (schema.type === "object" && schema.properties) return members(schema);
  const { minimum, maximum, minLength, maxLength, format } = schema as Record<string, number | string | undefined>;
  const range =
    minimum !== undefined && maximum !== undefined && Math.abs(Number(minimum)) < 2 ** 53 - 1
      ? ` ${minimum} to ${maximum}`
      : "";
  const length = maxLength !== undefined ? ` of ${minLength ?? 0} to ${maxLength} characters` : "";
  return escaped(`${format ?? schema.type ?? "anything"}${range}${length}`);
}
