/** One charge point: measured, allowed and rated power in one bar, its state and its promise. */
import { memo, useRef } from "react";
import { Writers } from "../account.tsx";
import { useInView } from "../parts/inView.ts";
import { useTexts } from "../texts/index.tsx";
import type { GroupPicture } from "../types.ts";

export type Row = GroupPicture["rows"][number];
type Status = keyof ReturnType<typeof useTexts>["t"]["cockpit"]["status"];

export const isBusy = ({ sessionNumber }: Row) => sessionNumber !== null;
export const isAtRisk = ({ promiseState }: Row) => promiseState === "at-risk";
export const isFaulty = ({ status, stale }: Row) => stale || status === "INOPERATIVE" || status === "OUTOFORDER";

/** Asks for full power, or ends it. */
export type Boosting = (sessionId: string, on: boolean) => Promise<void>;
type Props = { readonly row: Row; readonly boost: Boosting };

export function Tile({ row, boost }: Props) {
  const { t, f } = useTexts();
  const { evseId, limits, ratedW, promise, stale, status, sessionId, sessionNumber, boost: running } = row;
  const [measuredW, allowedW] = [limits?.measuredW ?? 0, limits?.appliedW ?? 0];
  const part = (w: number) => `${Math.min(100, (100 * w) / Math.max(1, ratedW))}%`;
  const words = `${t.cockpit.measured} ${f.kw(measuredW)}, ${t.cockpit.allowed} ${f.kw(allowedW)}, ${t.cockpit.rated} ${f.kw(ratedW)}`;
  const tone = isFaulty(row) ? "bad" : isAtRisk(row) ? "warn" : measuredW > 0 ? "good" : "";
  const known = t.cockpit.status[status as Status] ?? status;
  return (
    <>
      <div className="row spread">
        <strong>{evseId}</strong>
        <span className={`chip ${tone}`}>
          {stale
            ? t.cockpit.stale
            : isBusy(row) && measuredW > 0
              ? t.cockpit.status.CHARGING
              : isBusy(row)
                ? t.cockpit.waits
                : known}
        </span>
      </div>
      <div className="meter" role="img" aria-label={words}>
        <i className="may" style={{ width: part(allowedW) }} />
        <i style={{ width: part(measuredW) }} />
      </div>
      <p className="small number">
        {f.kw(measuredW)} / {f.kw(allowedW)} / {f.kw(ratedW)}
      </p>
      <p className="small soft">
        {sessionNumber === null ? "\u00a0" : `${t.cockpit.session} ${sessionNumber}`}
        {promise && ` · ${t.session.promised(f.kwh(promise.energyWh), f.when(promise.by))}`}
      </p>
      {running && (
        <p className="small">
          <strong>{t.session.boosting(f.when(running.until))}</strong> · {t.boosts.granted(f.kw(running.limitW))}
        </p>
      )}
      {sessionId !== null && (
        <Writers>
          <button type="button" className="plain small" onClick={() => void boost(sessionId, !running)}>
            {running ? t.session.boostEnd : t.cockpit.boost}
          </button>
        </Writers>
      )}
    </>
  );
}

/** Drawn again only when its own row says something else: a thousand tiles share one stream. */
const Drawn = memo(Tile, (a, b) => a.row === b.row || JSON.stringify(a.row) === JSON.stringify(b.row));

/** What nobody sees stays as it was until it comes close to the screen. */
export function Point({ row, boost }: Props) {
  const place = useRef<HTMLLIElement>(null);
  const isIn = useInView(place);
  const latest = useRef(row);
  if (isIn) latest.current = row;
  return (
    <li ref={place} className="card point">
      <Drawn row={latest.current} boost={boost} />
    </li>
  );
}
