/** What a session without driver input is planned for: best effort, no promise. By its EVSE's strategies, else as learned. */
import type { ChargingPreferences, ChargingSession } from "../domain/sessions.ts";
import { epochSecond, wattHour } from "../domain/units.ts";
import type { Store } from "./ports.ts";
import { termsOfWindow } from "./strategies.ts";

/** A stay and a need that most sessions of public and workplace sites exceed; a longer stay is simply planned again. */
const STAY_S = 3 * 3600;
const NEED_WH = 20_000;

export async function learnedPreferences(store: Store, session: ChargingSession): Promise<ChargingPreferences> {
  const strategies = await store.priorities.strategies(session.evseId, session.pluggedAt);
  if (strategies && strategies.windows.length > 0) {
    const timeZone = await store.sites.timeZone(session.groupId);
    const terms = timeZone && termsOfWindow(strategies.windows, session.pluggedAt, timeZone, session.maxPowerW);
    if (terms) return terms;
  }
  return { departsAt: epochSecond(session.pluggedAt + STAY_S), energyNeedWh: wattHour(NEED_WH) };
}
