/** One bay on the plan: the end of its id, its sign, and a bar of measured and allowed power within its rated power. */
import { memo } from "react";
import { useTexts } from "../../texts/index.tsx";
import type { Bay } from "./plane.ts";
import { Sign, type SignName } from "./signs.tsx";

/** Units of the drawing to a metre: browsers draw very small letters badly. */
export const UNITS = 10;

type Measures = {
  readonly sign: SignName;
  /** Parts of the rated power, 0 to 1. */
  readonly measured: number;
  readonly allowed: number;
};
type Look = { readonly bay: Bay; readonly name: string };

const narrowOf = ({ isLying, width, height }: Bay) => UNITS * (isLying ? height : width);

/** The bay and its name. `beside`: room that something else takes on its narrow side, units. */
export function BayLook({ bay, name, edge, beside = 0 }: Look & { readonly edge: string; readonly beside?: number }) {
  const [w, h, narrow] = [bay.width * UNITS, bay.height * UNITS, narrowOf(bay)];
  const size = Math.min(narrow * 0.42, (1.35 * (narrow - (bay.isLying ? 0 : beside))) / Math.max(2, name.length));
  const [x, y] = bay.isLying ? [-w * 0.12, -beside / 2] : [-beside / 2, -h * 0.26];
  return (
    <>
      <rect className={`edge ${edge}`} x={-w / 2} y={-h / 2} width={w} height={h} rx={narrow * 0.1} />
      <text x={x} y={y} fontSize={size} textAnchor="middle" dominantBaseline="central">
        {name}
      </text>
    </>
  );
}

/** A bar along the long side, and the sign. */
function Measured({ bay, sign, measured, allowed }: Measures & { readonly bay: Bay }) {
  const [w, h, narrow] = [bay.width * UNITS, bay.height * UNITS, narrowOf(bay)];
  const [thick, inset] = [narrow * THICK, narrow * 0.06];
  const full = Math.max(w, h) - 2 * inset;
  const bar = (part: number) =>
    bay.isLying
      ? { x: -w / 2 + inset, y: h / 2 - thick - inset, width: full * part, height: thick }
      : { x: w / 2 - thick - inset, y: h / 2 - inset - full * part, width: thick, height: full * part };
  const [x, y] = bay.isLying ? [w * 0.3, -thick / 2] : [-thick / 2, h * 0.14];
  return (
    <>
      <rect className="rated" {...bar(1)} />
      <rect className="allowed" {...bar(allowed)} />
      <rect className="measured" {...bar(measured)} />
      <g transform={`translate(${x} ${y}) scale(${narrow * 0.045})`}>
        <Sign name={sign} />
      </g>
    </>
  );
}
/** Of the bar, as a part of the bay's narrow side. */
const THICK = 0.22;

type Props = Look &
  Pick<Measures, "sign"> & {
    readonly measuredW: number;
    readonly allowedW: number;
    readonly ratedW: number;
    readonly isFaded: boolean;
    /** The one bay that the tabulator reaches; arrows go on from it. */
    readonly isStop: boolean;
    readonly open: (id: string) => void;
  };

const part = (w: number, ofW: number) => Math.round(100 * Math.min(1, Math.max(0, w) / Math.max(1, ofW))) / 100;

/** Drawn again only when something in it changed, and each by itself: a thousand bays share one stream. */
export const BayButton = memo(function BayButton(props: Props) {
  const { t, f } = useTexts();
  const { bay, name, sign, measuredW, allowedW, ratedW, isFaded, isStop, open } = props;
  const { id, x, y } = bay;
  const label = name === id ? name : `${name}, ${id}`;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of its own
    <g
      role="button"
      tabIndex={isStop ? 0 : -1}
      aria-label={t.plan.bay(label, t.plan.signs[sign], f.kw(measuredW), f.kw(allowedW), f.kw(ratedW))}
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
      <BayLook bay={bay} name={name} edge={sign} beside={THICK * narrowOf(bay)} />
      <Measured bay={bay} sign={sign} measured={part(measuredW, ratedW)} allowed={part(allowedW, ratedW)} />
    </g>
  );
});
