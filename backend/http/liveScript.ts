/** Draws the live page in the browser. Text goes in as text, never as markup. */
export const LIVE_SCRIPT = `"use strict";
const SVG = "http://www.w3.org/2000/svg";
const byId = (id) => document.getElementById(id);
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}
function svg(name, attributes, ...children) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
const kW = (w) => (w / 1000).toFixed(1) + " kW";
const kWh = (wh) => (wh / 1000).toFixed(2) + " kWh";
const euro = (microEur) => (Number(microEur) / 1e6).toFixed(2) + " EUR";
const clock = (text) => new Date(text).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hour12: false });
const short = (hash) => hash.slice(0, 10) + "…";

function chart(group) {
  const W = 720, H = 150, L = 56, B = 18;
  const points = group.history;
  const most = Math.max(group.supplyLimitW, ...points.map((p) => Math.max(p.importW, p.limitW))) * 1.08;
  const x = (i) => L + ((W - L) * i) / Math.max(1, points.length - 1);
  const y = (w) => (H - B) * (1 - Math.max(0, w) / most);
  const path = (value) => points.map((p, i) => (i ? "L" : "M") + x(i).toFixed(1) + " " + y(value(p)).toFixed(1)).join("");
  const imports = path((p) => p.importW);
  const last = points.at(-1);
  const picture = svg("svg", { viewBox: "0 0 " + W + " " + H, role: "img" },
    svg("title", {}, "Import of the group in the last 24 hours, below its limit"),
    svg("line", { class: "axis", x1: L, x2: W, y1: H - B, y2: H - B }),
    svg("text", { x: 0, y: y(group.supplyLimitW) + 4 }, kW(group.supplyLimitW)),
    svg("text", { x: 0, y: H - B }, "0"));
  if (points.length > 1) {
    picture.append(
      svg("path", { class: "area", d: imports + "L" + x(points.length - 1) + " " + (H - B) + "L" + L + " " + (H - B) + "Z" }),
      svg("path", { class: "line", d: imports }),
      svg("path", { class: "limit", d: points.map((p, i) => (i ? "H" + x(i).toFixed(1) + "V" : "M" + x(i) + " ") + y(p.limitW).toFixed(1)).join("") }),
      svg("circle", { class: "measured", cx: x(points.length - 1), cy: y(last.importW), r: 3 }),
      svg("text", { x: L, y: H - 4 }, clock(points[0].at)),
      svg("text", { x: W, y: H - 4, "text-anchor": "end" }, "now"));
  } else picture.append(svg("text", { x: L + 8, y: 30 }, "The first slot has not ended yet."));
  return picture;
}

const PROMISE = {
  offered: ["offer open", "warn"], accepted: ["promise accepted", "good"], "on-track": ["promise on track", "good"],
  "at-risk": ["promise at risk", "bad"], kept: ["promise kept", "good"], late: ["promise late", "warn"], short: ["promise short", "bad"],
};
function evse(row) {
  const limits = row.limits || { appliedW: 0, measuredW: 0 };
  const width = (w) => (300 * Math.min(1, w / Math.max(1, row.ratedW))).toFixed(1);
  const promise = PROMISE[row.promiseState];
  const free = row.sessionNumber === null;
  const bars = svg("svg", { viewBox: "0 0 300 14", role: "img", preserveAspectRatio: "none" },
    svg("title", {}, kW(limits.measuredW) + " measured, " + kW(limits.appliedW) + " allowed, " + kW(row.ratedW) + " rated"),
    svg("rect", { class: "track", width: 300, height: 14, rx: 3 }),
    svg("rect", { class: "applied", width: width(limits.appliedW), height: 14, rx: 3 }),
    svg("rect", { class: "measured", y: 3, width: width(limits.measuredW), height: 8, rx: 2 }));
  return el("div", { class: "evse" },
    el("div", { class: "top" }, el("b", {}, row.evseId), promise ? el("span", { class: "chip " + promise[1] }, promise[0]) : null,
      row.stale ? el("span", { class: "chip warn" }, "meter silent") : null),
    bars,
    el("span", { class: "soft" }, free ? row.status.toLowerCase()
      : "session " + row.sessionNumber + ": " + kW(limits.measuredW) + " of " + kW(limits.appliedW) + " allowed"));
}

const fact = (name, value) => el("div", {}, el("div", { class: "soft" }, name), el("b", {}, value));
function group(one) {
  const free = one.limitW - one.importW;
  return el("section", { class: "card" },
    el("div", { class: "head" },
      el("span", { class: "figure" }, kW(Math.max(0, free)) + " free of " + kW(one.limitW)),
      el("span", { class: "soft" }, "group " + one.groupId + (one.limitW < one.supplyLimitW ? ", limit lowered from " + kW(one.supplyLimitW) : ""))),
    el("div", { class: "facts" },
      fact("cars", kW(one.carsW)), fact("building", kW(one.demandW)), fact("sun", kW(one.productionW)),
      fact(one.importW < 0 ? "feeding in" : "import", kW(Math.abs(one.importW))),
      one.pricePerKwhMicroEur === null ? null : fact("wholesale", (Number(one.pricePerKwhMicroEur) / 1e6).toFixed(3) + " EUR/kWh"),
      one.plan === null ? null : fact("shared out by", el("span", one.plan.algorithm === "uncontrolled" ? { class: "warn" } : {}, one.plan.algorithm === "uncontrolled" ? "nobody: uncontrolled, the limit is not kept" : one.plan.algorithm)),
      fact("guard acted", one.guardActions + " times")),
    chart(one),
    el("div", { class: "evses" }, ...one.rows.map(evse)),
    el("div", { class: "key" }, el("span", {}, el("i"), "rated"), el("span", {}, el("i", { class: "k2" }), "allowed"),
      el("span", {}, el("i", { class: "k3" }), "drawn"), el("span", {}, "dashed line: limit of the group")));
}

function table(id, title, empty, columns, rows) {
  const of = (kind) => (kind ? { class: kind } : {});
  const head = el("tr", {}, ...columns.map(([name, , kind]) => el("th", of(kind), name)));
  const body = rows.map((row) => el("tr", {}, ...columns.map(([, cell, kind]) => el("td", of(kind), cell(row)))));
  byId(id).replaceChildren(el("h2", {}, title),
    rows.length ? el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body))) : el("p", { class: "soft" }, empty));
}
function proof(plan) {
  if (plan.algorithm === "uncontrolled") return el("span", { class: "warn" }, "none: it may exceed the limit");
  if (plan.gap === null) return el("span", { class: "warn" }, "fallback, no claim");
  if (plan.repairedIntervals > 0) return el("span", {}, "proven, then " + plan.repairedIntervals + " repaired");
  if (plan.gap === "0") return el("span", { class: "good" }, "proven optimal");
  return el("span", { class: "warn" }, "at most " + euro(plan.gapMicroEur) + " above the optimum");
}

/** Newest first; what is of no group stands with each of them, and is shown once. */
function incidentsOf(groups) {
  const all = groups.flatMap((one, i) => one.incidents.filter((incident) => incident.groupId !== null || i === 0));
  return all.sort((a, b) => (a.at < b.at ? 1 : -1)).slice(0, 12);
}

function draw(live) {
  byId("at").textContent = "as of " + new Date(live.at).toLocaleString([], { hour12: false });
  byId("groups").replaceChildren(...(live.groups.length ? live.groups.map(group)
    : [el("section", { class: "card" }, "This service runs without the demo site: nothing here is public. See the API for what it does.")]));
  table("plans", "Latest plans", "No plan yet.",
    [["made", (p) => clock(p.at)], ["by", (p) => p.algorithm], ["because of", (p) => p.cause], ["in", (p) => p.solveMs.toFixed(1) + " ms", "number"], ["certificate", proof]], live.plans);
  table("bills", "Latest bills", "No session has ended yet.",
    [["session", (b) => String(b.sessionNumber)], ["energy", (b) => kWh(b.energyWh), "number"], ["amount", (b) => euro(b.amountMicroEur), "number"],
      ["FLEX", (b) => kWh(b.flexWh), "number"], ["on chain", (b) => (b.batch === null ? "waits" : "batch " + b.batch)]], live.bills);
  table("records", "Chain records", "Nothing is on chain yet.",
    [["record", (r) => r.key], ["block", (r) => (r.block === null ? "" : String(r.block)), "number"],
      ["transaction", (r) => el("span", { class: "mono", title: r.txHash || "" }, r.txHash ? short(r.txHash) : "")]], live.records);
  table("incidents", "Incidents of the last 24 hours", "None.",
    [["when", (i) => clock(i.at)], ["what", (i) => i.text, "text"]], incidentsOf(live.groups));
}

const now = JSON.parse(byId("now").textContent);
if (now) draw(now);
const link = byId("link");
const stream = new EventSource("/live/events");
stream.addEventListener("live", (event) => {
  link.className = "on";
  link.textContent = "live";
  draw(JSON.parse(event.data));
});
stream.onerror = () => {
  link.className = "";
  link.textContent = "reconnecting";
};
`;
