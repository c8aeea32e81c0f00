/** The paper of a plan: to scale, north up, with a scale bar, larger and smaller; it scrolls where it is wider than the page. */
import { type ReactNode, type SVGProps, useState } from "react";
import { useTexts } from "../../texts/index.tsx";
import { UNITS } from "./BayShape.tsx";
import { scaleOf } from "./plane.ts";

type Frame = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

const ZOOMS = [1, 1.5, 2, 3, 5];
/** Pixels to a metre: a bay can be tapped, and a small site does not fill the screen. */
const [LEAST_PX, MOST_PX] = [10, 30];

export function Sheet(
  props: Omit<SVGProps<SVGSVGElement>, "viewBox" | "width" | "height"> & {
    readonly frame: Frame;
    readonly label: string;
    readonly children: ReactNode;
  },
) {
  const { t } = useTexts();
  const [zoom, setZoom] = useState(0);
  const { frame, label, children, ...rest } = props;
  const times = ZOOMS[zoom] as number;
  const m = scaleOf(frame.width);
  const [left, bottom, right, top] = [
    (frame.x + 1) * UNITS,
    (frame.y + frame.height - 0.8) * UNITS,
    (frame.x + frame.width - 1.2) * UNITS,
    (frame.y + 0.6) * UNITS,
  ];
  const wide = `min(max(${100 * times}%, ${LEAST_PX * times * frame.width}px), ${MOST_PX * times * frame.width}px)`;
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard */}
      <section className="scroll sheet" aria-label={label} tabIndex={0}>
        <svg
          {...rest}
          className="plan"
          aria-label={label}
          viewBox={[frame.x, frame.y, frame.width, frame.height].map((n) => (n * UNITS).toFixed(1)).join(" ")}
          style={{ width: wide }}
        >
          {children}
          <g className="marks">
            <path d={`M${left} ${bottom - 3}v3h${m * UNITS}v-3`} />
            <text x={left + (m * UNITS) / 2} y={bottom - 4} fontSize={8} textAnchor="middle">
              {t.plan.scale(`${m}`)}
            </text>
            <path d={`M${right} ${top + 14}V${top}m-4 5l4 -5l4 5`} />
            <text x={right - 9} y={top + 12} fontSize={8} textAnchor="middle">
              N
            </text>
          </g>
        </svg>
      </section>
      <div className="row">
        <button type="button" disabled={zoom === ZOOMS.length - 1} onClick={() => setZoom(zoom + 1)}>
          {t.plan.larger}
        </button>
        <button type="button" disabled={zoom === 0} onClick={() => setZoom(zoom - 1)}>
          {t.plan.smaller}
        </button>
      </div>
    </>
  );
}
