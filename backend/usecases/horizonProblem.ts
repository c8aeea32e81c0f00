/** The problem as admission sees it: promises of the others on the capacity that is surely there. */
import { SLOTS_PER_DAY, slotFloor, slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { type GroupBoard, importSoFarWh, type LiveSession } from "./board.ts";
import { forecastNet } from "./forecastNet.ts";
import { groupProblem, RESERVE } from "./groupProblem.ts";
import type { World } from "./ports.ts";

/** A refused wish may fit this much later, s. */
const LATER_S = 6 * 3600;

/** Problem without `asking` (null: with everyone), and the end of each interval. */
export async function horizonProblem(
  world: World,
  board: GroupBoard,
  now: EpochSecond,
  asking: LiveSession | null,
  until: EpochSecond,
): Promise<{ readonly problem: GroupProblem; readonly ends: readonly number[] }> {
  const group = await world.store.sites.group(board.groupId);
  if (!group) throw new Error(`Group ${board.groupId} is on the live board but not in the store.`);
  // The car cannot charge before its first profile is confirmed: decreases of others first, then its own increase.
  const at = epochSecond(now + world.settings.dispatchS + 3);
  const limits = await world.store.sites.limits(group.id, slotFloor(now));
  const net = await forecastNet(world, board, at);
  const others = Object.fromEntries(Object.entries(board.sessions).filter(([id]) => id !== asking?.sessionId));
  // What the asking car has drawn in this slot is spent, whatever it is promised now.
  const { staleS } = world.settings;
  const spentWh = importSoFarWh(board, at, staleS) - importSoFarWh({ ...board, sessions: others }, at, staleS);
  const { problem } = groupProblem({
    group,
    board: { ...board, sessions: others, endedWh: board.endedWh + spentWh },
    now,
    at,
    limits,
    prices: await world.store.prices.from(world.settings.market, slotOf(at) - 2 * SLOTS_PER_DAY),
    netW: net.admission,
    weights: { early: 1 },
    staleS,
    reservePerMille: RESERVE.promise,
    alsoUntil: epochSecond(until + LATER_S),
    alsoCut: until,
  });
  let end: number = at;
  const ends = problem.intervals.map((interval) => {
    end += interval.durationS;
    return end;
  });
  return { problem, ends };
}
