/** Maximum flow by plain augmenting paths on a matrix (Ford, Fulkerson 1956): slow, short, independent of the product. */
import type { GroupProblem } from "../../backend/optimisation/problem.ts";

/** Most Wh that can be delivered in total when car i may take at most `wantedWh[i]`. First deadlines do not count. */
export function mostDeliverable(problem: GroupProblem, wantedWh: readonly number[]): number {
  const cars = problem.cars.map(({ first: _, ...car }) => car);
  return mostThrough({ ...problem, cars }, wantedWh);
}

/** Most promised Wh that can be delivered when from its first deadline on no car draws more than the rest. */
export const mostWithDeadlines = (problem: GroupProblem): number =>
  mostThrough(
    problem,
    problem.cars.map(({ needWh }) => needWh),
  );

function mostThrough({ cars, intervals }: GroupProblem, wantedWh: readonly number[]): number {
  const source = 0;
  const carNode = (i: number) => 1 + 2 * i;
  const lateNode = (i: number) => 2 + 2 * i;
  const intervalNode = (t: number) => 1 + 2 * cars.length + t;
  const sink = 1 + 2 * cars.length + intervals.length;
  const room = Array.from({ length: sink + 1 }, () => new Array<number>(sink + 1).fill(0));
  for (const [i, { powerW, from, to, first }] of cars.entries()) {
    room[source]![carNode(i)] = wantedWh[i]!;
    if (first) room[carNode(i)]![lateNode(i)] = wantedWh[i]! - first.wh;
    for (let t = from; t < to; t++) {
      const node = first && t >= first.to ? lateNode(i) : carNode(i);
      room[node]![intervalNode(t)] = Math.floor((powerW * intervals[t]!.durationS) / 3600);
    }
  }
  for (const [t, v] of intervals.entries()) {
    const net = v.demandWh + v.fixedWh - v.productionWh;
    room[intervalNode(t)]![sink] = Math.max(0, -net) + Math.max(0, v.limitWh - Math.max(0, net));
  }
  let flow = 0;
  for (;;) {
    const before = new Array<number>(sink + 1).fill(-1);
    const queue = [source];
    before[source] = source;
    for (const a of queue) {
      for (let b = 0; b <= sink; b++) {
        if (before[b]! < 0 && room[a]![b]! > 0) {
          before[b] = a;
          queue.push(b);
        }
      }
    }
    if (before[sink]! < 0) return flow;
    let width = Number.POSITIVE_INFINITY;
    for (let b = sink; b !== source; b = before[b]!) width = Math.min(width, room[before[b]!]![b]!);
    for (let b = sink; b !== source; b = before[b]!) {
      room[before[b]!]![b]! -= width;
      room[b]![before[b]!]! += width;
    }
    flow += width;
  }
}
