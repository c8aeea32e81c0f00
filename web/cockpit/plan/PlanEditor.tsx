/** Where the charge points of a group stand: put on the plan, moved with mouse, finger or arrow keys, saved. */
import { type PointerEvent, useEffect, useMemo, useRef, useState } from "react";
import { ask, useAction, useLoaded } from "../../api.ts";
import { Choice, Field, submitting } from "../../parts/Field.tsx";
import { Fault, Show } from "../../parts/states.tsx";
import { useTexts } from "../../texts/index.tsx";
import type { Evse, Group, Place, Sites } from "../../types.ts";
import { BayLook, UNITS } from "./BayShape.tsx";
import { frameOf, layOut, middleOf, onEarth, onPlane, type Spot, shortNames, WAYS } from "./plane.ts";
import { Sheet } from "./Sheet.tsx";
import { floorOf, floorsOf, isPlaced } from "./SitePlan.tsx";

export function PlanEditor({ group }: { readonly group: Group }) {
  const { t } = useTexts();
  const [open, setOpen] = useState(false);
  const evses = useLoaded<{ evses: Evse[] }>(open ? `/cpo/groups/${encodeURIComponent(group.id)}/evses` : null);
  const sites = useLoaded<Sites>(open ? "/cpo/sites" : null);
  return (
    <section className="card whole">
      <h2>{t.plan.title}</h2>
      <p className="soft">{t.plan.editLead}</p>
      {open ? (
        <Show what={sites}>
          {({ locations }) => (
            <Show what={evses}>
              {({ evses: all }) => (
                <Begin
                  evses={all}
                  middle={locations.find(({ id }) => id === group.locationId)?.coordinates ?? null}
                  again={evses.again}
                />
              )}
            </Show>
          )}
        </Show>
      ) : (
        <div className="row">
          <button type="button" onClick={() => setOpen(true)}>
            {t.plan.edit}
          </button>
        </div>
      )}
    </section>
  );
}

type Middle = NonNullable<Place["coordinates"]>;
type Props = { readonly evses: readonly Evse[]; readonly again: () => void };

/** A plan has a middle on earth: between what stands already, or where the location is, or where somebody says. */
function Begin({ evses, again, middle }: Props & { readonly middle: Middle | null }) {
  const { t } = useTexts();
  const [latitude, setLatitude] = useState("");
  const [longitude, setLongitude] = useState("");
  const [said, setSaid] = useState<Middle | null>(null);
  // It stays where it is while bays are moved.
  const [standing] = useState(() => middleOf(evses.flatMap(({ coordinates }) => coordinates ?? [])));
  const found = standing ?? middle ?? said;
  if (found) return <Editor evses={evses} middle={found} again={again} />;
  const degrees = (label: string, value: string, most: number, change: (text: string) => void) => (
    <Field
      label={label}
      type="number"
      step="any"
      min={-most}
      max={most}
      required
      value={value}
      onChange={({ target }) => change(target.value)}
    />
  );
  return (
    <form
      className="stack wide-gap"
      onSubmit={submitting(async () => setSaid({ latitude: Number(latitude), longitude: Number(longitude) }))}
    >
      <p>{t.plan.middle}</p>
      <div className="fields">
        {degrees(t.sites.latitude, latitude, 90, setLatitude)}
        {degrees(t.sites.longitude, longitude, 180, setLongitude)}
      </div>
      <button type="submit">{t.plan.start}</button>
    </form>
  );
}

/** Room around the bays, and the steps in which the paper grows, m: it must not move under a bay that is dragged. */
const [MARGIN_M, GRAIN_M] = [4, 5];
const STEP_M = 0.5;
const STEPS_PER_M = 10;

function Editor({ evses, middle, again }: Props & { readonly middle: Middle }) {
  const { t, f } = useTexts();
  const [changed, setChanged] = useState<ReadonlyMap<string, Place>>(new Map());
  const [chosen, choose] = useState<string | null>(null);
  const [wanted, setFloor] = useState("");
  const [drag, setDrag] = useState<{ readonly id: string; readonly from: Spot; readonly by: Spot } | null>(null);
  const sheet = useRef<SVGSVGElement>(null);
  const room = useRef<HTMLDivElement>(null);
  const moved = useRef<string | null>(null);
  // What was put on the plan, or taken off, keeps the focus where it is now.
  useEffect(() => {
    if (moved.current === null) return;
    room.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(moved.current)}"]`)?.focus();
    moved.current = null;
  });
  const now = useMemo(() => evses.map((evse) => ({ ...evse, ...changed.get(evse.id) })), [evses, changed]);
  const picked = now.find(({ id }) => id === chosen && chosen !== null) ?? null;
  const floors = floorsOf(now);
  const floor = picked && isPlaced(picked) ? floorOf(picked) : floors.includes(wanted) ? wanted : (floors[0] ?? "");
  const { bays, frame } = useMemo(() => paperOf(now, floor, middle), [now, floor, middle]);
  const names = useMemo(() => shortNames(evses.map(({ id }) => id)), [evses]);

  const set = (id: string, part: Partial<Place>) => {
    const evse = now.find((one) => one.id === id);
    if (!evse) return;
    const { coordinates, floorLevel, physicalReference } = { ...evse, ...part };
    setChanged(new Map(changed).set(id, { coordinates, floorLevel, physicalReference }));
  };
  const move = (id: string, by: Spot, round = (m: number) => m) => {
    const evse = now.find((one) => one.id === id);
    if (!evse?.coordinates) return;
    const at = onPlane(evse.coordinates, middle);
    set(id, { coordinates: onEarth({ x: round(at.x + by.x), y: round(at.y + by.y) }, middle) });
  };
  const put = (id: string) => {
    const right = bays.reduce<Spot | null>((last, bay) => (last === null || bay.x > last.x ? bay : last), null);
    const spot = right ? { x: right.x + 2.6, y: right.y } : { x: 0, y: 0 };
    set(id, { coordinates: onEarth(spot, middle), floorLevel: floor === "" ? null : floor });
    choose(id);
    moved.current = id;
  };
  const takeOff = (id: string) => {
    set(id, { coordinates: null });
    moved.current = id;
  };
  const saving = useAction(async () => {
    for (const [id, place] of changed) await ask("PUT", `/cpo/evses/${encodeURIComponent(id)}/place`, place);
    setChanged(new Map());
    again();
  });

  /** Metres on the paper under a pointer. */
  const under = ({ clientX, clientY }: PointerEvent): Spot => {
    const at = new DOMPoint(clientX, clientY).matrixTransform(sheet.current?.getScreenCTM()?.inverse());
    return { x: at.x / UNITS, y: at.y / UNITS };
  };
  const tray = now.filter((evse) => !isPlaced(evse));
  const spot = picked?.coordinates ? onPlane(picked.coordinates, middle) : null;
  return (
    <div ref={room} className="stack wide-gap">
      {floors.length > 1 && (
        <Choice
          label={t.plan.floor}
          value={floor}
          onChoose={(value) => {
            choose(null);
            setFloor(value);
          }}
          options={floors.map((value) => ({ value, label: value === "" ? t.plan.noFloor : value }))}
        />
      )}
      {bays.length > 0 && (
        <Sheet
          ref={sheet}
          frame={frame}
          label={t.plan.title}
          role="group"
          onPointerMove={(event) => {
            if (!drag) return;
            const to = under(event);
            setDrag({ ...drag, by: { x: to.x - drag.from.x, y: to.y - drag.from.y } });
          }}
          onPointerUp={() => {
            if (drag && Math.hypot(drag.by.x, drag.by.y) > 0.05)
              move(drag.id, drag.by, (m) => Math.round(m * STEPS_PER_M) / STEPS_PER_M);
            setDrag(null);
          }}
          onPointerCancel={() => setDrag(null)}
        >
          {bays.map((bay) => {
            const { id } = bay;
            const [x, y] = drag?.id === id ? [bay.x + drag.by.x, bay.y + drag.by.y] : [bay.x, bay.y];
            const name = names.get(id) ?? id;
            return (
              // biome-ignore lint/a11y/useSemanticElements: a drawing has no buttons of its own
              <g
                key={id}
                role="button"
                tabIndex={0}
                data-id={id}
                aria-pressed={id === chosen}
                aria-label={name === id ? id : `${name}, ${id}`}
                className={id === chosen ? "bay held chosen" : "bay held"}
                transform={`translate(${x * UNITS} ${y * UNITS})`}
                onFocus={() => choose(id)}
                onPointerDown={(event) => {
                  sheet.current?.setPointerCapture(event.pointerId);
                  choose(id);
                  setDrag({ id, from: under(event), by: { x: 0, y: 0 } });
                }}
                onKeyDown={(event) => {
                  const way = WAYS[event.key];
                  if (!way) return;
                  event.preventDefault();
                  move(id, { x: way.x * STEP_M, y: way.y * STEP_M });
                }}
              >
                <BayLook bay={bay} name={name} edge={changed.has(id) ? "charging" : ""} />
              </g>
            );
          })}
        </Sheet>
      )}
      <p className="small soft" role="status">
        {picked && spot && t.plan.at(picked.id, f.decimal(spot.x), f.decimal(-spot.y))}
      </p>
      {picked && (
        <fieldset className="stack">
          <legend className="label">{t.plan.chosen(picked.id)}</legend>
          <div className="fields">
            <Field
              label={t.plan.floor}
              hint={t.plan.floorHint}
              maxLength={4}
              value={picked.floorLevel ?? ""}
              onChange={({ target }) => set(picked.id, { floorLevel: textOf(target.value) })}
            />
            <Field
              label={t.plan.reference}
              hint={t.plan.referenceHint}
              maxLength={16}
              value={picked.physicalReference ?? ""}
              onChange={({ target }) => set(picked.id, { physicalReference: textOf(target.value) })}
            />
          </div>
          <div className="row">
            <button type="button" onClick={() => takeOff(picked.id)}>
              {t.plan.off}
            </button>
          </div>
        </fieldset>
      )}
      <h3>{t.plan.tray}</h3>
      {tray.length === 0 ? (
        <p className="soft">{t.plan.trayNone}</p>
      ) : (
        <ul className="row">
          {tray.map(({ id }) => (
            <li key={id}>
              <button type="button" data-id={id} aria-label={t.plan.put(id)} onClick={() => put(id)}>
                {id}
              </button>
            </li>
          ))}
        </ul>
      )}
      <Fault problem={saving.problem} />
      {changed.size > 0 && (
        <div className="row">
          <button type="button" className="first" disabled={saving.busy} onClick={() => void saving.run()}>
            {t.plan.save(changed.size)}
          </button>
          <button type="button" disabled={saving.busy} onClick={() => setChanged(new Map())}>
            {t.state.cancel}
          </button>
          <span className="soft small">{t.plan.unsaved}</span>
        </div>
      )}
    </div>
  );
}

const textOf = (text: string) => (text.trim() === "" ? null : text.trim());

function paperOf(evses: readonly Evse[], floor: string, middle: Middle) {
  const bays = layOut(
    evses.flatMap((evse) =>
      evse.coordinates && floorOf(evse) === floor ? [{ id: evse.id, ...onPlane(evse.coordinates, middle) }] : [],
    ),
  );
  const { x, y, width, height } = frameOf(bays, MARGIN_M);
  const [left, top] = [Math.floor(x / GRAIN_M) * GRAIN_M, Math.floor(y / GRAIN_M) * GRAIN_M];
  const [right, bottom] = [Math.ceil((x + width) / GRAIN_M), Math.ceil((y + height) / GRAIN_M)];
  return { bays, frame: { x: left, y: top, width: right * GRAIN_M - left, height: bottom * GRAIN_M - top } };
}
