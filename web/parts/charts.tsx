/** Pictures over time; the same figures stand below as a table for whoever cannot see them. */
import { lazy, Suspense, useRef, useState } from "react";
import { useTexts } from "../texts/index.tsx";
import { useInView } from "./inView.ts";
import { Table } from "./Table.tsx";

const Plot = lazy(() => import("./Plot.tsx"));

export type Curve = {
  readonly name: string;
  /** kW, W or what `unit` writes; null: nothing known. */
  readonly values: readonly (number | null)[];
  /** Name of a colour token. */
  readonly colour: string;
  readonly look?: "area" | "dashed" | "line";
};

/** What is drawn. */
export type Drawn = {
  /** Epoch seconds, ascending. */
  readonly at: readonly number[];
  readonly curves: readonly Curve[];
  readonly unit: (value: number) => string;
  /** Vertical lines: an instant and its name. */
  readonly marks: readonly { readonly at: number; readonly name: string }[];
  /** Pixels, without the legend. */
  readonly height: number;
};

type Chart = Partial<Drawn> &
  Pick<Drawn, "at" | "curves" | "unit"> & { readonly label: string; readonly rows?: number };

/** Pixels: kept free from the start, so that nothing moves when the picture comes. */
const LEGEND = 28;

export function Chart({ label, at, curves, unit, marks = [], height = 200, rows = 12 }: Chart) {
  const { t, f } = useTexts();
  const every = Math.max(1, Math.ceil(at.length / rows));
  const place = useRef<HTMLDivElement>(null);
  // Drawn when it comes close to the screen, and from then on: on a phone most pictures lie far below.
  const wasIn = useRef(false);
  if (useInView(place)) wasIn.current = true;
  const [isOpen, setOpen] = useState(false);
  const coming = <span className="coming" />;
  return (
    <figure className="stack">
      <div className="chart" ref={place} role="img" aria-label={label} style={{ minHeight: height + LEGEND }}>
        {wasIn.current ? (
          <Suspense fallback={coming}>
            <Plot {...{ at, curves, unit, marks, height }} />
          </Suspense>
        ) : (
          coming
        )}
      </div>
      <details className="small" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>{t.session.table}</summary>
        {isOpen && (
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
        )}
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
