/**
 * A recording as if it happened now: sessions, prices, CO2, loads, PV and events move together, so that weekdays and hours on
 * the site's clock keep their place. A recording of a week or more moves by whole weeks, a shorter one by whole days, and it
 * begins again after so many weeks or days as it lasts.
 */
import { offsetS } from "../domain/localTime.ts";
import { SLOT_S, slotOf } from "../domain/slots.ts";
import { type EpochSecond, epochSecond } from "../domain/units.ts";
import type { Scenario } from "./scenario.ts";

const DAY_S = 86_400;
const WEEK_S = 7 * DAY_S;
/** Prices are published for so long ahead, and looked back at for so long. */
const AHEAD_S = 3 * DAY_S;
const BACK_S = 2 * DAY_S;

/** One run of the recording: where it begins and ends now, and by how much it was moved, s. */
type Pass = { readonly from: number; readonly to: number; readonly shiftS: number; readonly number: number };

/**
 * What happens in [from, to). The recording begins at most a week (or a day) before `from`; cars that stand there already
 * are left out. Summer time: each pass begins at the hour that the site's clock showed, so a change of the clocks since the
 * recording moves nothing; one within a pass, in the recording or now, moves what follows it by an hour until the pass ends.
 */
export function inPresent(recording: Scenario, from: EpochSecond, to: EpochSecond): Scenario {
  const passes = passesOf(recording, from, epochSecond(to + AHEAD_S));
  const isLived = (at: number, pass: Pass) => at >= from && at >= pass.from && at < Math.min(to, pass.to);
  const named = (id: string, { number }: Pass) => (number === 1 ? id : `${id}~${number}`);
  const moved = <V>(series: ReadonlyMap<number, V>) => moveSeries(series, passes, from - BACK_S, unitOf(recording));
  const sessionIds = new Set(recording.sessions.map(({ id }) => id));
  return {
    ...recording,
    name: `${recording.name}-now`,
    from,
    to,
    sessions: passes.flatMap((pass) =>
      recording.sessions
        .filter(({ plugIn }) => isLived(plugIn + pass.shiftS, pass))
        .map((session) => ({
          ...session,
          id: named(session.id, pass),
          plugIn: epochSecond(session.plugIn + pass.shiftS),
          plugOut: epochSecond(session.plugOut + pass.shiftS),
          departure: epochSecond(session.departure + pass.shiftS),
        })),
    ),
    events: passes.flatMap((pass) =>
      recording.events
        .filter(({ at }) => isLived(at + pass.shiftS, pass))
        .map((event) => ({
          ...event,
          at: epochSecond(event.at + pass.shiftS),
          target: sessionIds.has(event.target) ? named(event.target, pass) : event.target,
        })),
    ),
    prices: moved(recording.prices),
    carbon: moved(recording.carbon),
    groups: recording.groups.map((group) => ({
      ...group,
      demand: group.demand && moved(group.demand),
      production: group.production && moved(group.production),
    })),
  };
}

const unitOf = ({ from, to }: Scenario) => (to - from >= WEEK_S ? WEEK_S : DAY_S);

function passesOf(recording: Scenario, from: EpochSecond, to: EpochSecond): Pass[] {
  const unitS = unitOf(recording);
  const units = Math.ceil((recording.to - recording.from) / unitS);
  let first = Math.floor((from - recording.from) / unitS) + 1;
  while (movedBy(recording, first * unitS) > from) first--;
  const passes: Pass[] = [];
  for (let at = first; (passes.at(-1)?.to ?? from) < to; at += units) {
    const start = movedBy(recording, at * unitS);
    const next = movedBy(recording, (at + units) * unitS);
    passes.push({ from: start, to: next, shiftS: start - recording.from, number: passes.length + 1 });
  }
  return passes;
}

/** The instant so much later at which the site's clock shows what it showed when the recording began. */
function movedBy({ from, timeZone }: Scenario, wholeS: number): number {
  const wall = from + offsetS(from, timeZone) + wholeS;
  const near = wall - offsetS(epochSecond(wall), timeZone);
  return wall - offsetS(epochSecond(near), timeZone);
}

/** Where the files end before the recording's last week (or day) does, they go on as a week (or day) before. */
function moveSeries<V>(series: ReadonlyMap<number, V>, passes: readonly Pass[], from: number, unitS: number) {
  const moved = new Map<number, V>();
  for (const [i, pass] of passes.entries())
    for (let slot = slotOf(epochSecond(i === 0 ? from : pass.from)); slot < pass.to / SLOT_S; slot++) {
      const recorded = slot - pass.shiftS / SLOT_S;
      const value = series.get(recorded) ?? series.get(recorded - unitS / SLOT_S);
      if (value !== undefined) moved.set(slot, value);
    }
  return moved;
}
