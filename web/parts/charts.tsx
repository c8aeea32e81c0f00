/** Pictures over time, drawn by uPlot; the same figures stand below as a table for whoever cannot see them. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTexts } from "../texts/index.tsx";
import { useColours } from "../theme.ts";
import { Table } from "./Table.tsx";

const { stepped } = uPlot.paths;
const steps = stepped?.({ align: 1 });
/** Marks of the axes stand no closer than their words can tell apart: minutes; 0.1 kW or kWh. */
const MARKS_S = [1, 5, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60);
const MARKS_W = [1, 10, 100, 1000, 10_000].flatMap((tens) => [100, 200, 500].map((one) => one * tens));

export type Curve = {
  readonly name: string;
  /** kW, W or what `unit` writes; null: nothing known. */
  readonly values: readonly (number | null)[];
  /** Name of a colour token. */
  readonly colour: string;
  readonly look?: "area" | "dashed" | "line";
};

type Chart = {
  readonly label: string;
  /** Epoch seconds, ascending. */
  readonly at: readonly number[];
  readonly curves: readonly Curve[];
  readonly unit: (value: number) => string;
  /** Vertical lines: an instant and its name. */
  readonly marks?: readonly { readonly at: number; readonly name: string }[];
  readonly height?: number;
  readonly rows?: number;
};

const token = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);

/** Tokens with both themes in them become the colour of the theme in force. */
function colourOf(name: string): string {
  const probe = document.createElement("i");
  probe.style.color = token(name);
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

export function Chart({ label, at, curves, unit, marks = [], height = 200, rows = 12 }: Chart) {
  const { t, f } = useTexts();
  const colours = useColours();
  const place = useRef<HTMLDivElement>(null);
  const key = JSON.stringify([at, curves.map(({ values }) => values), marks]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the key stands for the figures
  useEffect(() => {
    const box = place.current;
    if (!box || at.length === 0) return;
    const [soft, line, ink] = [colourOf("soft"), colourOf("line"), colourOf("ink")];
    const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const plot = new uPlot(
      {
        width: box.clientWidth,
        height,
        cursor: { y: false },
        legend: { show: true, live: false },
        scales: {
          x: { time: true },
          y: { range: (_, least, most) => [Math.min(0, least), Math.max(1, most * (marks.length > 0 ? 1.25 : 1.08))] },
        },
        axes: [
          { ...axis, size: 32, incrs: MARKS_S, values: (_, ticks) => ticks.map((one) => f.time(new Date(one * 1000))) },
          { ...axis, size: 64, incrs: MARKS_W, values: (_, ticks) => ticks.map(unit) },
        ],
        series: [
          { label: t.chartTable.at },
          ...curves.map(({ name, colour, look }): uPlot.Series => {
            const stroke = colourOf(colour);
            return {
              ...{ label: name, stroke, width: 2, points: { show: false } },
              ...(steps ? { paths: steps } : {}),
              ...(look === "dashed" ? { dash: [6, 4] } : {}),
              ...(look === "area" ? { fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.2)") } : {}),
            };
          }),
        ],
        hooks: {
          draw: [
            (drawn) => {
              const { ctx, bbox } = drawn;
              ctx.save();
              ctx.strokeStyle = ink;
              ctx.fillStyle = ink;
              ctx.font = `${12 * devicePixelRatio}px system-ui`;
              ctx.setLineDash([4, 4]);
              for (const { at: when, name } of marks) {
                const x = drawn.valToPos(when, "x", true);
                if (x < bbox.left || x > bbox.left + bbox.width) continue;
                ctx.beginPath();
                ctx.moveTo(x, bbox.top);
                ctx.lineTo(x, bbox.top + bbox.height);
                ctx.stroke();
                const right = x > bbox.left + bbox.width * 0.8;
                ctx.textAlign = right ? "right" : "left";
                ctx.fillText(name, x + (right ? -6 : 6) * devicePixelRatio, bbox.top + 12 * devicePixelRatio);
              }
              ctx.restore();
            },
          ],
        },
      },
      [[...at], ...curves.map(({ values }) => [...values])] as uPlot.AlignedData,
      box,
    );
    const watch = new ResizeObserver(() => plot.setSize({ width: box.clientWidth, height }));
    watch.observe(box);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [key, f, colours]);
  const every = Math.max(1, Math.ceil(at.length / rows));
  return (
    <figure className="stack">
      <div className="chart" ref={place} role="img" aria-label={label} style={{ minHeight: height }} />
      <details className="small">
        <summary>{t.session.table}</summary>
        <Table
          label={label}
          caption={label}
          rows={at.map((when, i) => ({ when, i })).filter(({ i }) => i % every === 0)}
          keyOf={({ when }) => when}
          columns={[
            { name: t.chartTable.at, cell: ({ when }) => f.when(new Date(when * 1000)) },
            ...curves.map(({ name, values }) => ({
              name,
              cell: ({ i }: { readonly i: number }) => {
                const value = values[i] ?? null;
                return value === null ? "–" : unit(value);
              },
              isNumber: true,
            })),
          ]}
        />
      </details>
    </figure>
  );
}

const second = (at: string) => Math.floor(Date.parse(at) / 1000);

/** What a group draws against what it may. */
export function LimitChart(props: {
  readonly label: string;
  readonly points: readonly { readonly at: string; readonly importW: number; readonly limitW: number }[];
}) {
  const { t, f } = useTexts();
  return (
    <Chart
      label={props.label}
      at={props.points.map(({ at }) => second(at))}
      unit={f.kw}
      curves={[
        { name: t.cockpit.import, values: props.points.map(({ importW }) => importW), colour: "green", look: "area" },
        { name: t.cockpit.limit, values: props.points.map(({ limitW }) => limitW), colour: "red", look: "dashed" },
      ]}
    />
  );
}

type Period = { readonly from: string; readonly limitW: number };

/** A session: what was measured, what is allowed now and planned, and the time of the promise. */
export function SessionChart(props: {
  readonly past: readonly { readonly at: string; readonly powerW: number }[];
  readonly periods: readonly Period[];
  readonly now: number;
  readonly promiseBy: string | null;
}) {
  const { t, f } = useTexts();
  const { past, periods, now, promiseBy } = props;
  const by = promiseBy === null ? null : second(promiseBy);
  const until = Math.max(now + 3600, by ?? 0, ...periods.slice(-1).map(({ from }) => second(from) + 900));
  const plan = [
    ...periods.map(({ from, limitW }) => ({ at: Math.max(now, second(from)), limitW })),
    { at: until, limitW: 0 },
  ];
  const at = [...new Set([...past.map((one) => second(one.at)), now, ...plan.map((one) => one.at)])].sort(
    (a, b) => a - b,
  );
  const measured = new Map(past.map((one) => [second(one.at), one.powerW]));
  const planned = new Map(plan.map((one) => [one.at, one.limitW]));
  let last: number | null = null;
  const values = at.map((when) => {
    if (when > now) return null;
    last = measured.get(when) ?? last;
    return last;
  });
  let coming: number | null = null;
  const wished = at.map((when) => {
    if (when < now) return null;
    coming = planned.get(when) ?? coming;
    return coming;
  });
  return (
    <Chart
      label={t.session.chart}
      at={at}
      unit={f.kw}
      marks={[
        { at: now, name: t.session.nowAt },
        ...(by === null ? [] : [{ at: by, name: `${t.session.by} ${f.time(new Date(by * 1000))}` }]),
      ]}
      curves={[
        { name: t.session.measured, values, colour: "green", look: "area" },
        { name: t.session.planned, values: wished, colour: "blue", look: "dashed" },
      ]}
    />
  );
}
