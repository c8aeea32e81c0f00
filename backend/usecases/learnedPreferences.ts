/** What a session without driver input is planned for: best effort, no promise. */
import type { ChargingPreferences, ChargingSession } from "../domain/sessions.ts";
import { epochSecond, wattHour } from "../domain/units.ts";

/** A stay and a need that most sessions of public and workplace sites exceed; a longer stay is simply planned again. */
const STAY_S = 3 * 3600;
const NEED_WH = 20_000;

export const learnedPreferences = (session: ChargingSession): ChargingPreferences => ({
  departsAt: epochSecond(session.pluggedAt + STAY_S),
  energyNeedWh: wattHour(NEED_WH),
});
