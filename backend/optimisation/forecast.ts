/**
 * Forecasts of the other load and of PV from their own slot means: persistence, and bounds that hold promises.
 *
 * Forecast: the value of 24 h before, plus what the latest measurement differs from its own forecast, fading out over
 * two hours; without 24 h of history the latest value. Bounds: the forecast plus an order statistic of its own recent
 * errors at that horizon; the errors are those of forecasts that would have been made then, recomputed on the way.
 */

const DAY = 96;
/** A correction by the latest measurement has faded out after so many slots. */
const FADE = 8;
/** Errors and usual values are remembered for so many days. */
const MEMORY_DAYS = 14;
/** Horizons, in slots, at which errors are kept; a horizon between two takes the longer one's. */
const HORIZONS = [1, 2, 4, 8, 16, 32, 96, 192] as const;
/** Usual values of a time of day: those of all remembered days, up to so many slots away. */
const NEIGHBOURS = 2;
/** A bound above the forecast before there are errors enough to tell: so much of the forecast, per mille. */
const UNKNOWN_PER_MILLE = 250;
/** The present regime (working day or not) says more about the next half hour than what is usual. */
const USUAL_FROM = 3;

export type ForecastOptions = {
  readonly nowSlot: number;
  /** Number of slots, `nowSlot` included. */
  readonly horizonSlots: number;
  /** Mean measured so far in `nowSlot`; without it the last complete slot is the latest measurement. */
  readonly currentW?: number;
};

/** Persistence from slot means alone. W per slot from `nowSlot` on; 0 when nothing is known at all. */
export function forecastSlots(history: ReadonlyMap<number, number>, options: ForecastOptions): number[] {
  const { nowSlot, horizonSlots, currentW } = options;
  let origin = nowSlot;
  let latestW = currentW;
  for (; latestW === undefined && origin > nowSlot - MEMORY_DAYS * DAY; origin--) latestW = history.get(origin - 1);
  if (latestW === undefined) return new Array<number>(horizonSlots).fill(0);
  const known = latestW;
  return Array.from({ length: horizonSlots }, (_, k) => persistence(history, origin, known, nowSlot + k));
}

/** Forecast for `target`, made when `latestW` is the mean of slot `origin`. W, at least 0 */
function persistence(history: ReadonlyMap<number, number>, origin: number, latestW: number, target: number): number {
  if (target <= origin) return Math.max(0, Math.round(latestW));
  const before = dayBefore(history, origin, target);
  const expected = dayBefore(history, origin, origin);
  if (before === undefined || expected === undefined) return Math.max(0, Math.round(latestW));
  const fade = Math.max(0, 1 - (target - origin) / FADE);
  return Math.max(0, Math.round(before + (latestW - expected) * fade));
}

/** Value of 24 h before the target, or of as many days as it takes to be known before `origin`. */
function dayBefore(history: ReadonlyMap<number, number>, origin: number, target: number): number | undefined {
  for (let slot = target - DAY; slot > target - MEMORY_DAYS * DAY; slot -= DAY) {
    const value = slot < origin ? history.get(slot) : undefined;
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Least sample that is above a share q of what will come, with the usual margin for few samples: rank ceil((n+1) q). */
export function upperQuantile(sorted: readonly number[], perMille: number): number | undefined {
  return sorted[Math.min(sorted.length, Math.ceil(((sorted.length + 1) * perMille) / 1000)) - 1];
}

/** The same from below. */
export function lowerQuantile(sorted: readonly number[], perMille: number): number | undefined {
  return sorted[Math.max(1, Math.floor(((sorted.length + 1) * (1000 - perMille)) / 1000)) - 1];
}

/** One series with the memory of its forecast's errors. Slots are folded in ascending order, gaps allowed. */
export type Series = ReturnType<typeof createSeries>;

export function createSeries(perMille: number) {
  const history = new Map<number, number>();
  const errors = HORIZONS.map(() => createSorted(MEMORY_DAYS * DAY));
  const usual = new Map<number, { readonly lowW: number; readonly highW: number }>();
  let lastSlot: number | null = null;

  /** Takes the mean of a complete slot; an older or repeated slot is ignored. */
  function fold(slot: number, meanW: number): void {
    if (lastSlot !== null && slot <= lastSlot) return;
    for (const [k, horizon] of HORIZONS.entries()) {
      const latestW = history.get(slot - horizon);
      if (latestW !== undefined) errors[k]!.add(meanW - persistence(history, slot - horizon, latestW, slot));
    }
    history.set(slot, meanW);
    lastSlot = slot;
    // Means older than the memory, also across gaps.
    for (const old of history.keys()) {
      if (old > slot - (MEMORY_DAYS + 2) * DAY) break;
      history.delete(old);
    }
    for (let near = slot - NEIGHBOURS; near <= slot + NEIGHBOURS; near++) usual.delete(timeOfDay(near));
  }

  const forecast = (options: ForecastOptions) => forecastSlots(history, options);

  /** Error quantile at a horizon, never smaller than at a shorter one. `sign` 1: upper, -1: lower, as a margin >= 0. */
  function marginW(horizon: number, sign: 1 | -1): number {
    let marginW = 0;
    for (const [k, kept] of errors.entries()) {
      const { sorted } = kept;
      const error = sign > 0 ? upperQuantile(sorted, perMille) : lowerQuantile(sorted, perMille);
      if (error !== undefined) marginW = Math.max(marginW, sign * error);
      if (HORIZONS[k]! >= horizon) break;
    }
    return Math.round(marginW);
  }

  /** Quantiles of what was measured about this time of day, or undefined before the first day has passed. */
  function usualW(slot: number): { readonly lowW: number; readonly highW: number } | undefined {
    const kept = usual.get(timeOfDay(slot));
    if (kept || lastSlot === null) return kept;
    const values: number[] = [];
    const latest = lastSlot - timeOfDay(lastSlot - slot);
    for (let day = 0; day < MEMORY_DAYS; day++) {
      for (let near = -NEIGHBOURS; near <= NEIGHBOURS; near++) {
        const value = history.get(latest - day * DAY + near);
        if (value !== undefined) values.push(value);
      }
    }
    if (values.length === 0) return undefined;
    values.sort((a, b) => a - b);
    const bounds = { lowW: lowerQuantile(values, perMille)!, highW: upperQuantile(values, perMille)! };
    usual.set(timeOfDay(slot), bounds);
    return bounds;
  }

  /** Errors enough for the quantile to be one of them, and no longer just the largest so far. */
  const isKnown = (horizon: number) => {
    const at = HORIZONS.findIndex((kept) => kept >= horizon);
    return errors[at < 0 ? HORIZONS.length - 1 : at]!.sorted.length >= perMille / (1000 - perMille);
  };

  return { fold, forecast, marginW, isKnown, usualW, lastSlot: () => lastSlot };
}

const timeOfDay = (slot: number) => ((slot % DAY) + DAY) % DAY;

export type SlotMean = { readonly slot: number; readonly demandW: number; readonly productionW: number };
export type NetForecastOptions = {
  readonly nowSlot: number;
  readonly horizonSlots: number;
  readonly current?: { readonly demandW: number; readonly productionW: number };
};
/** W per slot from `nowSlot` on. */
export type NetForecast = { readonly demandW: readonly number[]; readonly productionW: readonly number[] };

/** Other load and PV of one group. */
export type Forecaster = ReturnType<typeof createForecaster>;

/** `perMille`: the share of errors that the bounds cover, 950 by default. Rebuilt from the history of slot means. */
export function createForecaster(history: Iterable<SlotMean> = [], perMille = 950) {
  const demand = createSeries(perMille);
  const production = createSeries(perMille);
  const fold = ({ slot, demandW, productionW }: SlotMean) => {
    demand.fold(slot, demandW);
    production.fold(slot, productionW);
  };
  for (const mean of history) fold(mean);

  const options = ({ nowSlot, horizonSlots }: NetForecastOptions, currentW: number | undefined): ForecastOptions =>
    currentW === undefined ? { nowSlot, horizonSlots } : { nowSlot, horizonSlots, currentW };

  /** The forecast that a plan uses. */
  const expected = (at: NetForecastOptions): NetForecast => ({
    demandW: demand.forecast(options(at, at.current?.demandW)),
    productionW: production.forecast(options(at, at.current?.productionW)),
  });

  /**
   * Bounds that promises rely on. Other load: the higher of forecast + error quantile and the usual high of that time
   * of day, because a working day after a weekend is an error that recent errors may not contain. PV: the higher of
   * forecast - error quantile and the usual low, but not above the forecast. While errors are too few for a quantile:
   * other load at least a quarter above its forecast, no PV after the present slot.
   */
  function conservative(at: NetForecastOptions): NetForecast {
    const forecast = expected(at);
    return {
      demandW: forecast.demandW.map((w, k) => {
        const highW = k >= USUAL_FROM ? (demand.usualW(at.nowSlot + k)?.highW ?? 0) : 0;
        const unknownW = demand.isKnown(k + 1) ? 0 : Math.ceil((w * UNKNOWN_PER_MILLE) / 1000);
        return Math.max(w + Math.max(unknownW, demand.marginW(k + 1, 1)), Math.ceil(highW));
      }),
      productionW: forecast.productionW.map((w, k) => {
        if (k > 0 && !production.isKnown(k + 1)) return 0;
        const lowW = k >= USUAL_FROM ? (production.usualW(at.nowSlot + k)?.lowW ?? 0) : 0;
        return Math.max(0, w - production.marginW(k + 1, -1), Math.min(w, Math.floor(lowW)));
      }),
    };
  }

  return { fold, expected, conservative, lastSlot: demand.lastSlot };
}

/** The latest `size` numbers, kept in ascending order. */
function createSorted(size: number) {
  const queue: number[] = [];
  const sorted: number[] = [];
  const place = (value: number) => {
    let [low, high] = [0, sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  };
  function add(value: number): void {
    sorted.splice(place(value), 0, value);
    queue.push(value);
    if (queue.length > size) sorted.splice(place(queue.shift()!), 1);
  }
  return { add, sorted: sorted as readonly number[] };
}
