/** One bay on the plan: the end of its id, its sign, and a bar of measured and allowed power within its rated power. */
import { memo } from "react";
import type { Bay } from "./plane.ts";
import { Sign, type SignName } from "./signs.tsx";

/** Units of the drawing to a metre: browsers draw very small letters badly. */
export const UNITS = 10;

type Look = {
  readonly bay: Bay;
  readonly name: string;
  readonly sign: SignName;
  /** Parts of the rated power, 0 to 1. */
  readonly measured: number;
  readonly allowed: number;
};

/** Bar along the long side; letters and sign beside it. */
export function BayLook({ bay, name, sign, measured, allowed }: Look) {
  const [w, h] = [bay.width * UNITS, bay.height * UNITS];
  const [narrow, long] = bay.isLying ? [h, w] : [w, h];
  const [thick, inset] = [narrow * 0.22, narrow * 0.06];
  const full = long - 2 * inset;
  const size = Math.min(narrow * 0.42, (1.5 * (narrow - (bay.isLying ? 0 : thick))) / Math.max(2, name.length));
  const bar = (part: number) =>
    bay.isLying
      ? { x: -w / 2 + inset, y: h / 2 - thick - inset, width: full * part, height: thick }
      : { x: w / 2 - thick - inset, y: h / 2 - inset - full * part, width: thick, height: full * part };
  const [signX, nameX, nameY] = bay.isLying
    ? [long * 0.3, -long * 0.12, -thick / 2]
    : [-thick / 2, -thick / 2, -long * 0.26];
  const signY = bay.isLying ? -thick / 2 : long * 0.14;
  return (
    <>
      <rect className={`edge ${sign}`} x={-w / 2} y={-h / 2} width={w} height={h} rx={narrow * 0.1} />
      <rect className="rated" {...bar(1)} />
      <rect className="allowed" {...bar(allowed)} />
      <rect className="measured" {...bar(measured)} />
      <text x={nameX} y={nameY} fontSize={size} textAnchor="middle" dominantBaseline="central">
        {name}
      </text>
      <g transform={`translate(${signX} ${signY}) scale(${narrow * 0.045})`}>
        <Sign name={sign} />
      </g>
    </>
  );
}

type Props = Look & {
  /** For whoever cannot see it. */
  readonly words: string;
  readonly isFaded: boolean;
  /** The one bay that the tabulator reaches; arrows go on from it. */
  readonly isStop: boolean;
  readonly open: (id: string) => void;
};

/** Drawn again only when something in it changed: a thousand bays share one stream. */
export const BayButton = memo(function BayButton({ words, isFaded, isStop, open, ...look }: Props) {
  const { id, x, y } = look.bay;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of its own
    <g
      role="button"
      tabIndex={isStop ? 0 : -1}
      aria-label={words}
      data-id={id}
      className={isFaded ? "bay faded" : "bay"}
      transform={`translate(${x * UNITS} ${y * UNITS})`}
      onClick={() => open(id)}
      onKeyDown={(event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        open(id);
      }}
    >
      <BayLook {...look} />
    </g>
  );
});
