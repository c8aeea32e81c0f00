/** The problem as admission sees it: promises of the others on the capacity that is surely there. */
import { SLOTS_PER_DAY, slotFloor, slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import { slack } from "../optimisation/admission.ts";
import type { GroupProblem } from "../optimisation/problem.ts";
import { type GroupBoard, importSoFarWh, type LiveSession } from "./board.ts";
import { forecastNet } from "./forecastNet.ts";
import { groupProblem, RESERVE } from "./groupProblem.ts";
import type { World } from "./ports.ts";

/** A refused wish may fit this much later, s. */
const LATER_S = 6 * 3600;

/** `ends`: the end of each interval. */
export type Horizon = { readonly problem: GroupProblem; readonly ends: readonly number[] };

/** Someone who is left out of the problem, or put in otherwise than the board has them. */
export type Change = {
  readonly without?: LiveSession;
  readonly as?: LiveSession;
  /** More instants at which the horizon is cut. */
  readonly cuts?: readonly number[];
};

/**
 * Everything that is known now, read once; then the problem under as many changes as need be. It reaches LATER_S beyond
 * `until` and is cut at `until` and at `cuts`.
 */
export async function openHorizon(
  world: World,
  board: GroupBoard,
  now: EpochSecond,
  until: number,
  cuts: readonly number[] = [],
): Promise<(change?: Change) => Horizon> {
  const group = await world.store.sites.group(board.groupId);
  if (!group) throw new Error(`Group ${board.groupId} is on the live board but not in the store.`);
  // The car cannot charge before its first profile is confirmed: decreases of others first, then its own increase.
  const at = epochSecond(now + world.settings.dispatchS + 3);
  const limits = await world.store.sites.limits(group.id, slotFloor(now));
  const orders = await world.store.grid.orders(group.id, slotFloor(now));
  const net = await forecastNet(world, board, at);
  const prices = await world.store.prices.from(world.settings.market, slotOf(at) - 2 * SLOTS_PER_DAY);
  const { staleS } = world.settings;
  return ({ without, as, cuts: more = [] } = {}) => {
    const present = as ? { ...board.sessions, [as.sessionId]: as } : board.sessions;
    const sessions = without
      ? Object.fromEntries(Object.entries(present).filter(([id]) => id !== without.sessionId))
      : present;
    // What the asking car has drawn in this slot is spent, whatever it is promised now.
    const spentWh = importSoFarWh(board, at, staleS) - importSoFarWh({ ...board, sessions }, at, staleS);
    const { promises } = groupProblem({
      group,
      board: { ...board, sessions, endedWh: board.endedWh + spentWh },
      now,
      at,
      limits,
      orders,
      prices,
      netW: net.admission,
      weights: { early: 1 },
      staleS,
      reservePerMille: RESERVE.promise,
      alsoUntil: until + LATER_S,
      alsoCuts: [until, ...cuts, ...more],
    });
    let end: number = at;
    const ends = promises.intervals.map(({ durationS }) => {
      end += durationS;
      return end;
    });
    return { problem: promises, ends };
  };
}

/** Promised Wh that do not fit, all promises together. */
export const missingWh = ({ problem }: Pick<Horizon, "problem">) =>
  slack(problem, 1).reduce((sum, wh) => sum + Math.max(0, -wh), 0);

/** What is set aside must fit beside the other load: nobody plans it away. */
export const fits = ({ problem }: Pick<Horizon, "problem">) =>
  problem.intervals.every((i) => i.fixedWh === 0 || i.demandWh + i.fixedWh - i.productionWh <= i.limitWh);
