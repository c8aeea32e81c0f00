/** Maximum flow by plain augmenting paths on a matrix (Ford, Fulkerson 1956): slow, short, independent of the product. */
import type { GroupProblem } from "../../backend/optimisation/problem.ts";

/** Most Wh that can be delivered in total when car i may take at most `wantedWh[i]`. */
export function mostDeliverable(problem: GroupProblem, wantedWh: readonly number[]): number {
  const { cars, intervals } = problem;
  const source = 0;
  const carNode = (i: number) => 1 + i;
  const intervalNode = (t: number) => 1 + cars.length + t;
  const sink = 1 + cars.length + intervals.length;
  const room = Array.from({ length: sink + 1 }, () => new Array<number>(sink + 1).fill(0));
  for (const [i, car] of cars.entries()) {
    room[source]![carNode(i)] = wantedWh[i]!;
    for (let t = car.from; t < car.to; t++)
      room[carNode(i)]![intervalNode(t)] = Math.floor((car.powerW * intervals[t]!.durationS) / 3600);
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
