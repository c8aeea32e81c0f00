/** A picture over time, drawn by uPlot, which is loaded with the first one that is shown. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { useTexts } from "../texts/index.tsx";
import { useColours } from "../theme.ts";
import type { Drawn } from "./charts.tsx";

const { stepped } = uPlot.paths;
const steps = stepped?.({ align: 1 });
/** Marks of the axes stand no closer than their words can tell apart: minutes; 0.1 kW or kWh. */
const MARKS_S = [1, 5, 15, 30, 60, 120, 180, 360, 720, 1440].map((minutes) => minutes * 60);
const MARKS_W = [1, 10, 100, 1000, 10_000].flatMap((tens) => [100, 200, 500].map((one) => one * tens));

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

export default function Plot({ at, curves, unit, marks, height }: Drawn) {
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
    const watch = new ResizeObserver(() => {
      if (plot.width !== box.clientWidth) plot.setSize({ width: box.clientWidth, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [key, f, colours]);
  return <div ref={place} />;
}
