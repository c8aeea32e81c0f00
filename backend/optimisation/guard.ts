/**
 * The in-slot guard: a supply limit is a mean over 15 minutes, so what was imported so far decides what is left.
 * Called each minute and at every reading, between the plans; pure, so that a decision can be replayed.
 */
import { SLOT_S } from "../domain/slots.ts";
import { type Watt, watt } from "../domain/units.ts";

export type GuardedSession = {
  readonly session: string;
  /** Limit that the station has confirmed. */
  readonly limitW: number;
  readonly measuredW: number;
  /** Promised sessions are trimmed after all others, those with most slack first. */
  readonly promised: boolean;
  readonly slackWh: number;
  /** Least power other than 0. */
  readonly minPowerW: number;
  /** Limit that the plan wants now. */
  readonly wantedW: number;
};

export type SlotState = {
  /** Mean import allowed over the slot. */
  readonly limitW: number;
  readonly elapsedS: number;
  /** Import of the slot so far; negative in surplus. */
  readonly importedWh: number;
  /** Load behind the limit now, without these sessions and less PV. */
  readonly otherLoadW: number;
  readonly sessions: readonly GuardedSession[];
  readonly slotS?: number;
  /** Until a new limit is in force. */
  readonly reactionS?: number;
  /** Room that stays free when power is given back, so that trimming and giving back do not alternate. */
  readonly hysteresisW?: number;
};

export type SessionLimit = { readonly session: string; readonly limitW: Watt };
export type GuardAction =
  | { readonly kind: "hold" }
  | { readonly kind: "trim"; readonly limits: readonly SessionLimit[] }
  | { readonly kind: "give-back"; readonly limits: readonly SessionLimit[] };

/** What to change until the end of the slot; only changed sessions are listed. */
export function guard(state: SlotState): GuardAction {
  const { limitW, elapsedS, importedWh, otherLoadW, sessions, slotS = SLOT_S } = state;
  const { reactionS = 30, hysteresisW = Math.max(500, Math.round(limitW / 50)) } = state;
  const drawnW = sessions.reduce((sum, { measuredW }) => sum + measuredW, 0);
  const restS = slotS - elapsedS - reactionS;
  if (restS <= 0) return { kind: "hold" }; // nothing sent now takes effect in this slot
  const importedWs = importedWh * 3600 + (otherLoadW + drawnW) * reactionS;
  // Mean power that the sessions may draw from when a new limit holds until the slot ends.
  const roomW = (limitW * slotS - importedWs) / restS - otherLoadW;

  if (drawnW > roomW) return trim(sessions, drawnW - roomW);
  return giveBack(sessions, roomW - drawnW - hysteresisW);
}

/** Best effort before promises; then most slack, then session, so that the order is total. */
const leastUrgentFirst = (a: GuardedSession, b: GuardedSession) =>
  Number(a.promised) - Number(b.promised) || b.slackWh - a.slackWh || (a.session < b.session ? -1 : 1);

function trim(sessions: readonly GuardedSession[], excessW: number): GuardAction {
  const limits: SessionLimit[] = [];
  let excess = excessW;
  for (const { session, measuredW, minPowerW } of [...sessions].sort(leastUrgentFirst)) {
    if (excess <= 0) break;
    if (measuredW <= 0) continue;
    const keptW = Math.floor(measuredW - excess);
    const newW = keptW >= minPowerW && keptW > 0 ? keptW : 0;
    limits.push({ session, limitW: watt(newW) });
    excess -= measuredW - newW;
  }
  return limits.length > 0 ? { kind: "trim", limits } : { kind: "hold" };
}

/** Most urgent first, each up to what the plan wants. */
function giveBack(sessions: readonly GuardedSession[], roomW: number): GuardAction {
  const limits: SessionLimit[] = [];
  let room = roomW;
  for (const { session, limitW, measuredW, minPowerW, wantedW } of [...sessions].sort(leastUrgentFirst).reverse()) {
    if (wantedW <= limitW) continue;
    const newW = Math.min(wantedW, Math.floor(measuredW + room));
    if (newW <= limitW || newW < minPowerW) continue;
    limits.push({ session, limitW: watt(newW) });
    room -= newW - measuredW;
  }
  return limits.length > 0 ? { kind: "give-back", limits } : { kind: "hold" };
}
