/** A group's charge points where they stand. A bay opens its charge point; who has no place is listed below. */
import { type KeyboardEvent, useCallback, useId, useMemo, useRef, useState } from "react";
import { Ask } from "../../parts/Ask.tsx";
import { Choice } from "../../parts/Field.tsx";
import { useTexts } from "../../texts/index.tsx";
import type { Evse } from "../../types.ts";
import { type Boosting, Point, type Row, Tile } from "../Point.tsx";
import { BayButton } from "./BayShape.tsx";
import { frameOf, layOut, middleOf, neighbour, onPlane, shortNames, WAYS } from "./plane.ts";
import { Sheet } from "./Sheet.tsx";
import { SIGNS, Sign, signOf } from "./signs.tsx";

type Props = {
  readonly rows: readonly Row[];
  /** Those that are looked for; the others fade. */
  readonly shown: readonly Row[];
  readonly evses: readonly Evse[];
  readonly boost: Boosting;
};

export const isPlaced = ({ coordinates }: Evse) => coordinates !== null;

export function SitePlan({ rows, shown, evses, boost }: Props) {
  const { t } = useTexts();
  const placed = useMemo(() => new Set(evses.filter(isPlaced).map(({ id }) => id)), [evses]);
  const floors = useMemo(() => floorsOf(evses), [evses]);
  const [wanted, setFloor] = useState("");
  const floor = floors.includes(wanted) ? wanted : (floors[0] as string);
  const [opened, open] = useState<string | null>(null);
  const row = rows.find(({ evseId }) => evseId === opened);
  const unplaced = shown.filter(({ evseId }) => !placed.has(evseId));
  return (
    <div className="stack wide-gap">
      <div className="card">
        {floors.length > 1 && (
          <Choice
            label={t.plan.floor}
            value={floor}
            onChoose={setFloor}
            options={floors.map((value) => ({ value, label: value === "" ? t.plan.noFloor : value }))}
          />
        )}
        <Floor key={floor} floor={floor} rows={rows} shown={shown} evses={evses} open={open} />
        <Legend />
      </div>
      {unplaced.length > 0 && (
        <>
          <h3>{t.plan.unplaced}</h3>
          <ul className="points">
            {unplaced.map((one) => (
              <Point key={one.evseId} row={one} boost={boost} />
            ))}
          </ul>
        </>
      )}
      {row && (
        <Ask title={t.cockpit.point} close={() => open(null)}>
          <Tile row={row} boost={boost} />
          <button type="button" onClick={() => open(null)}>
            {t.state.close}
          </button>
        </Ask>
      )}
    </div>
  );
}

export const floorOf = ({ floorLevel }: Evse) => floorLevel ?? "";
export const floorsOf = (evses: readonly Evse[]) =>
  [...new Set(evses.filter(isPlaced).map(floorOf))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));

type FloorProps = Omit<Props, "boost"> & { readonly floor: string; readonly open: (id: string) => void };

function Floor({ floor, rows, shown, evses, open }: FloorProps) {
  const { t } = useTexts();
  const keys = useId();
  const sheet = useRef<SVGSVGElement>(null);
  const { bays, frame, names } = useMemo(() => drawingOf(evses, floor), [evses, floor]);
  const [wanted, setStop] = useState("");
  const stop = bays.some(({ id }) => id === wanted) ? wanted : bays[0]?.id;
  const byId = new Map(rows.map((row) => [row.evseId, row]));
  const isShown = new Set(shown.map(({ evseId }) => evseId));
  const opened = useCallback(
    (id: string) => {
      setStop(id);
      open(id);
    },
    [open],
  );
  const walk = (event: KeyboardEvent) => {
    const way = WAYS[event.key];
    const next = way && stop !== undefined ? neighbour(bays, stop, way) : null;
    if (!next) return;
    event.preventDefault();
    setStop(next.id);
    sheet.current?.querySelector<SVGGElement>(`[data-id="${CSS.escape(next.id)}"]`)?.focus();
  };
  return (
    <>
      <Sheet ref={sheet} frame={frame} label={t.plan.title} role="group" aria-describedby={keys} onKeyDown={walk}>
        {bays.map((bay) => {
          const row = byId.get(bay.id);
          if (!row) return null;
          return (
            <BayButton
              key={bay.id}
              bay={bay}
              name={names.get(bay.id) ?? bay.id}
              sign={signOf(row)}
              measuredW={row.limits?.measuredW ?? 0}
              allowedW={row.limits?.appliedW ?? 0}
              ratedW={row.ratedW}
              isFaded={!isShown.has(bay.id)}
              isStop={bay.id === stop}
              open={opened}
            />
          );
        })}
      </Sheet>
      <p className="soft small" id={keys}>
        {t.plan.north}. {t.plan.fill} {t.plan.keys}
      </p>
    </>
  );
}

const MARGIN_M = 2.5;

function drawingOf(evses: readonly Evse[], floor: string) {
  const standing = evses.flatMap((evse) => (evse.coordinates ? [{ ...evse, coordinates: evse.coordinates }] : []));
  const middle = middleOf(standing.map(({ coordinates }) => coordinates));
  const here = standing.filter((evse) => floorOf(evse) === floor);
  const bays = middle ? layOut(here.map(({ id, coordinates }) => ({ id, ...onPlane(coordinates, middle) }))) : [];
  return { bays, frame: frameOf(bays, MARGIN_M), names: shortNames(evses.map(({ id }) => id)) };
}

function Legend() {
  const { t } = useTexts();
  return (
    <ul className="row legend" aria-label={t.plan.legend}>
      {SIGNS.map((name) => (
        <li key={name}>
          <svg viewBox="-9 -9 18 18" aria-hidden="true">
            <rect className={`edge ${name}`} x={-8} y={-8} width={16} height={16} rx={3} />
            <Sign name={name} />
          </svg>
          {t.plan.signs[name]}
        </li>
      ))}
    </ul>
  );
}
