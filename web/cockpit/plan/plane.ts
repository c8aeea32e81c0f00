/** Where charge points stand: degrees become metres on a plane, metres degrees, and places bays that do not overlap. */
import type { Coordinates } from "../../../backend/domain/assets.ts";

/** m east and m south of the middle, as a screen counts. */
export type Spot = { readonly x: number; readonly y: number };

/**
 * m to a degree on the WGS 84 ellipsoid: the first terms of its series in the latitude, right to a centimetre. Over a site
 * the earth is flat enough.
 */
function metresPerDegree(latitude: number) {
  const phi = (latitude * Math.PI) / 180;
  return {
    south: -(111_132.92 - 559.82 * Math.cos(2 * phi) + 1.175 * Math.cos(4 * phi)),
    east: 111_412.84 * Math.cos(phi) - 93.5 * Math.cos(3 * phi) + 0.118 * Math.cos(5 * phi),
  };
}

export function onPlane(at: Coordinates, middle: Coordinates): Spot {
  const { south, east } = metresPerDegree(middle.latitude);
  // The shorter way round the earth.
  const eastDegrees = ((at.longitude - middle.longitude + 540) % 360) - 180;
  return { x: eastDegrees * east, y: (at.latitude - middle.latitude) * south };
}

/** With the 7 digits of OCPI: about a centimetre. */
export function onEarth({ x, y }: Spot, middle: Coordinates): Coordinates {
  const { south, east } = metresPerDegree(middle.latitude);
  const digits = (degrees: number) => Math.round(degrees * 1e7) / 1e7;
  return { latitude: digits(middle.latitude + y / south), longitude: digits(middle.longitude + x / east) };
}

/** Null where nothing has a place. */
export function middleOf(all: readonly Coordinates[]): Coordinates | null {
  const [first] = all;
  if (!first) return null;
  const spots = all.map((one) => onPlane(one, first));
  const mean = (of: (spot: Spot) => number) => spots.reduce((sum, spot) => sum + of(spot), 0) / spots.length;
  return onEarth({ x: mean(({ x }) => x), y: mean(({ y }) => y) }, first);
}

/** A bay: its middle, and its size in m. `isLying`: its long side goes from west to east. */
export type Bay = Spot & {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly isLying: boolean;
};
type Standing = Spot & { readonly id: string };

const [WIDTH_M, DEPTH_M, LEAST_M] = [2.4, 4.8, 0.6];
/** Closer than this two EVSEs share a spot: two sockets of one station, say. */
const SAME_M = 0.5;
/** Part of the way to the neighbour that a bay may take. */
const SHARE = 0.94;

/**
 * OCPI says a point, a plan needs a bay. It is 2.4 m by 4.8 m, smaller where bays stand closer; its narrow side looks at its
 * nearest neighbour, as in a row of parked cars.
 */
export function layOut(all: readonly Standing[]): Bay[] {
  const spots = apart(all);
  const near = spots.map((spot) => nearest(spot, spots));
  const width = Math.max(LEAST_M, Math.min(WIDTH_M, ...near.map((one) => SHARE * (one?.distance ?? WIDTH_M))));
  const isLying = near.map((one) => one !== null && Math.abs(one.dy) > Math.abs(one.dx));
  const depth = Math.max(
    width,
    Math.min(DEPTH_M, ...spots.map((spot, i) => SHARE * clearance(spot, spots, isLying[i]!))),
  );
  return spots.map((spot, i) => {
    const lying = isLying[i]!;
    return { ...spot, isLying: lying, width: lying ? depth : width, height: lying ? width : depth };
  });
}

/** Who stands where somebody stands already is drawn beside them. */
function apart(all: readonly Standing[]): Standing[] {
  const taken = new Set<string>();
  const cell = ({ x, y }: Spot) => `${Math.round(x / SAME_M)} ${Math.round(y / SAME_M)}`;
  return all.map((one) => {
    let spot = one;
    while (taken.has(cell(spot))) spot = { ...spot, x: spot.x + WIDTH_M };
    taken.add(cell(spot));
    return spot;
  });
}

function nearest(spot: Standing, all: readonly Standing[]) {
  let best: { readonly distance: number; readonly dx: number; readonly dy: number } | null = null;
  for (const other of all) {
    if (other === spot) continue;
    const [dx, dy] = [other.x - spot.x, other.y - spot.y];
    const distance = Math.hypot(dx, dy);
    if (best === null || distance < best.distance) best = { distance, dx, dy };
  }
  return best;
}

/** Room before and behind a bay, m. */
function clearance(spot: Standing, all: readonly Standing[], isLying: boolean): number {
  let room = DEPTH_M / SHARE;
  for (const other of all) {
    const [dx, dy] = [Math.abs(other.x - spot.x), Math.abs(other.y - spot.y)];
    const [along, beside] = isLying ? [dx, dy] : [dy, dx];
    if (other !== spot && beside < WIDTH_M && along > beside) room = Math.min(room, along);
  }
  return room;
}

/** What all bays take, and a margin, m. */
export function frameOf(bays: readonly Bay[], marginM: number) {
  const edge = (of: (bay: Bay) => number, most: (...all: number[]) => number) => most(...bays.map(of));
  const [left, top] = [edge((b) => b.x - b.width / 2, Math.min), edge((b) => b.y - b.height / 2, Math.min)];
  const [right, bottom] = [edge((b) => b.x + b.width / 2, Math.max), edge((b) => b.y + b.height / 2, Math.max)];
  const around = 2 * marginM;
  return { x: left - marginM, y: top - marginM, width: right - left + around, height: bottom - top + around };
}

/** The bay that is met first in a direction, a little aside at most; null at the edge. */
export function neighbour(bays: readonly Bay[], id: string, way: Spot): Bay | null {
  const here = bays.find((bay) => bay.id === id);
  if (!here) return null;
  let best: { readonly bay: Bay; readonly cost: number } | null = null;
  for (const bay of bays) {
    const [dx, dy] = [bay.x - here.x, bay.y - here.y];
    const [along, beside] = [dx * way.x + dy * way.y, Math.abs(dx * way.y) + Math.abs(dy * way.x)];
    const cost = along + 2 * beside;
    if (along > 0.1 && beside <= 2 * along && (best === null || cost < best.cost)) best = { bay, cost };
  }
  return best?.bay ?? null;
}

export const WAYS: Readonly<Record<string, Spot>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

/** The end of each id that tells it from the others: what they all begin with is left out, but for numbers. */
export function shortNames(ids: readonly string[]): ReadonlyMap<string, string> {
  const [first = "", ...others] = ids;
  let shared = others.length === 0 ? Math.max(0, first.length - LONGEST) : first.length;
  for (const id of others) while (!id.startsWith(first.slice(0, shared))) shared--;
  while (shared > 0 && /\d/.test(first[shared - 1]!)) shared--;
  return new Map(ids.map((id) => [id, id.slice(shared).slice(-LONGEST)]));
}
const LONGEST = 6;

/** A round length of at most a quarter of the width, m. */
export const scaleOf = (widthM: number) => [100, 50, 20, 10, 5, 2].find((m) => m <= widthM / 4) ?? 1;
