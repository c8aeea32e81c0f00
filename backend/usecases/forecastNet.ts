/**
 * Other load minus PV per slot: what plans expect and what promises may rely on. Persistence with the forecast's own
 * error quantiles; a HEMS's own forecast takes its place where there is one.
 */
import { SLOTS_PER_DAY, slotOf } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";
import { createForecaster, type Forecaster, type NetForecast } from "../optimisation/forecast.ts";
import type { GroupBoard } from "./board.ts";
import type { World } from "./ports.ts";

const HISTORY_DAYS = 16;
/** From this slot on the plan too uses the bound: energy deferred to capacity that may not come breaks promises. */
const SURE_FROM = 2;

/** Forecasters live as long as the board that they belong to, and are rebuilt from the store's slots. */
const forecasters = new WeakMap<GroupBoard, Forecaster>();

export type NetForecastW = { readonly plan: readonly number[]; readonly admission: readonly number[] };

export async function forecastNet(
  world: Pick<World, "store" | "settings">,
  board: GroupBoard,
  at: EpochSecond,
): Promise<NetForecastW> {
  if (!board.site) return { plan: [0], admission: [0] };
  const nowSlot = slotOf(at);
  const horizonSlots = 2 * SLOTS_PER_DAY;
  const forecaster = await forecasterOf(world, board, nowSlot);
  // A meter that is not heard any more tells nothing about the present: then the bound holds from now on.
  const heard = at - board.site.at <= world.settings.staleS + world.settings.dispatchS;
  const current =
    heard && nowSlot === board.slot
      ? { current: { demandW: board.site.demandW, productionW: board.site.productionW } }
      : {};
  const expected = net(forecaster.expected({ nowSlot, horizonSlots, ...current }));
  const sure = net(forecaster.conservative({ nowSlot, horizonSlots, ...current }));
  const given = new Map(
    (await world.store.prices.forecast(board.groupId, nowSlot)).map((point) => [
      point.slot,
      point.demandW - point.productionW,
    ]),
  );
  const exact = world.settings.forecast === "actual";
  const admission = sure.map((w, k) => {
    const known = given.get(nowSlot + k);
    return known === undefined ? w : exact ? known : Math.max(known, w);
  });
  const plan = expected.map((w, k) =>
    heard && k < SURE_FROM ? (given.get(nowSlot + k) ?? w) : (admission[k] as number),
  );
  return { plan, admission };
}

const net = (forecast: NetForecast) => forecast.demandW.map((w, k) => w - (forecast.productionW[k] ?? 0));

async function forecasterOf(
  world: Pick<World, "store" | "settings">,
  board: GroupBoard,
  nowSlot: number,
): Promise<Forecaster> {
  let forecaster = forecasters.get(board);
  if (!forecaster) {
    forecaster = createForecaster([], world.settings.quantilePerMille);
    forecasters.set(board, forecaster);
  }
  const last = forecaster.lastSlot();
  if (last === null || last < nowSlot - 1)
    for (const slot of await world.store.meters.siteSlots(
      board.groupId,
      last === null ? nowSlot - HISTORY_DAYS * SLOTS_PER_DAY : last + 1,
    ))
      if (slot.slot < nowSlot) forecaster.fold(slot);
  return forecaster;
}
