/**
 * Recorded sessions drive the whole system in virtual time: one event queue, one transaction per slot. What the
 * simulated site, the live board and the queue know at the end of a slot is saved with it, so that a replay that was
 * killed goes on from the last slot as if nothing had happened.
 */

import { createQueueClock, type QueueClock } from "../adapters/clock/queueClock.ts";
import {
  advance,
  createSimulatedSite,
  evseOf,
  plugIn,
  readMeters,
  registerWh,
  type SimulatedSite,
  takeProfile,
  unplug,
} from "../adapters/cpo/simulated/simulatedSite.ts";
import type { ChargingProfile, SentProfile } from "../domain/profiles.ts";
import { SLOTS_PER_DAY, slotOf, slotStart } from "../domain/slots.ts";
import { type EpochSecond, epochSecond, microEurPerKwh, watt, wattHour } from "../domain/units.ts";
import { answerOffer } from "../usecases/answerOffer.ts";
import { createBoard, minPowerOf } from "../usecases/board.ts";
import { answerProfile } from "../usecases/dispatchProfiles.ts";
import { everyMinute } from "../usecases/everyMinute.ts";
import { optOut } from "../usecases/optOut.ts";
import type { CpoPort, Job, World } from "../usecases/ports.ts";
import { recordMeterReadings, recordSiteReadings } from "../usecases/recordReadings.ts";
import { requestCharging } from "../usecases/requestCharging.ts";
import { runJob } from "../usecases/runJob.ts";
import { setEvseStatus } from "../usecases/setEvseStatus.ts";
import { liftGroupLimit, setGroupLimit } from "../usecases/setGroupLimit.ts";
import { startSession } from "../usecases/startSession.ts";
import { stopSession } from "../usecases/stopSession.ts";
import type { Scenario, ScenarioEvent } from "./scenario.ts";

/** What happens in the simulated world. Plain data, saved with the queue. */
export type SiteEvent =
  | { readonly kind: "minute" }
  | { readonly kind: "prices" }
  | { readonly kind: "plug-out"; readonly index: number }
  | { readonly kind: "plug-in"; readonly index: number }
  | {
      readonly kind: "answer";
      readonly profileId: string;
      readonly evseId: string;
      readonly sessionId: string;
      readonly profile: ChargingProfile;
    }
  | { readonly kind: "event"; readonly index: number }
  | { readonly kind: "stop"; readonly sessionId: string; readonly evseId: string }
  | { readonly kind: "repaired"; readonly evseId: string };

/** A station answers a profile after this long, s. */
const ANSWER_S = 2;
/** Day-ahead prices of the whole next UTC day are published at this hour, UTC. */
const PUBLISHED_HOUR = 12;

/** What a visitor's simulated car takes. */
const VISITOR_ROOM_WH = 30_000;

export type ScenarioState = {
  readonly clock: ReturnType<QueueClock<SiteEvent>["save"]>;
  readonly site: SimulatedSite;
  readonly board: World["board"];
  readonly tally: Tally;
};

/** What only the simulated world knows, for the report. Exact W*s per slot. */
export type Tally = {
  readonly carWs: Record<string, Record<number, number>>;
  plugFailures: number;
  failingUntil: Record<string, number>;
  differingUntil: Record<string, number>;
};

export type ScenarioRun = {
  readonly world: World;
  readonly scenario: Scenario;
  /** Runs until the end of the slot; one transaction. */
  step(): Promise<boolean>;
  /**
   * Handles what is due by the wall clock, each event by itself; for a scenario that has caught up with the present. After
   * the scenario's end nobody comes by itself any more; whoever is there is served on.
   */
  live(wall: () => number): Promise<void>;
  /** Share of the scenario that has been run, 0 to 1. */
  progress(): number;
  readonly state: ScenarioState;
};

/** `open` makes the rest of the world around the clock, the board and the CPO port; `saved` goes on where it stood. */
export function createRun(
  scenario: Scenario,
  saved: ScenarioState | null,
  open: (parts: Pick<World, "clock" | "board" | "cpo" | "faults">) => World,
): ScenarioRun {
  const clock = createQueueClock<SiteEvent>(scenario.from, saved?.clock);
  const board = saved?.board ?? createBoard();
  const site =
    saved?.site ??
    createSimulatedSite(
      scenario.from,
      scenario.groups.flatMap((group) => group.evses),
    );
  const tally: Tally = saved?.tally ?? { carWs: {}, plugFailures: 0, failingUntil: {}, differingUntil: {} };
  const cpo: CpoPort = {
    // An EVSE that somebody else registered has a back end of its own, which fetches what is for it.
    async sendProfile(sent: SentProfile) {
      if (!site.evses[sent.evseId]) return;
      clock.put(clock.now() + ANSWER_S, {
        kind: "answer",
        profileId: sent.id,
        evseId: sent.evseId,
        sessionId: sent.sessionId,
        profile: sent.profile,
      });
    },
    async stopSession(asked) {
      if (!site.evses[asked.evseId]) return false;
      clock.put(clock.now() + ANSWER_S, { kind: "stop", ...asked });
      return true;
    },
  };
  const faults = {
    optimiserFails: (groupId: string) => clock.now() < (tally.failingUntil[groupId] ?? 0),
    solverDiffers: (groupId: string) => clock.now() < (tally.differingUntil[groupId] ?? 0),
  };
  const world = open({ clock, board, cpo, faults });
  let isLive = false;
  if (!saved) fillQueue(scenario, clock);
  const groupOf = new Map(scenario.groups.flatMap((group) => group.evses.map((evse) => [evse.id, group.id] as const)));

  /** Lets the cars charge until now, and counts their energy into the slots. */
  function advanceSite(): void {
    const now = clock.now();
    while (site.at < now) {
      const from = site.at;
      const to = Math.min(now, slotStart(slotOf(from as EpochSecond) + 1));
      const before = Object.values(site.evses).map((evse) => evse.registerWs);
      advance(site, epochSecond(to));
      for (const [i, evse] of Object.values(site.evses).entries()) {
        const ws = evse.registerWs - (before[i] as number);
        if (ws === 0) continue;
        const groupId = groupOf.get(evse.id) as string;
        tally.carWs[groupId] ??= {};
        const perSlot = tally.carWs[groupId] as Record<number, number>;
        perSlot[slotOf(from as EpochSecond)] = (perSlot[slotOf(from as EpochSecond)] ?? 0) + ws;
      }
    }
  }

  async function handle(world: World, event: SiteEvent | { readonly job: Job }): Promise<void> {
    advanceSite();
    const now = clock.now();
    if ("job" in event) return runJob(world, event.job);
    switch (event.kind) {
      case "minute": {
        // In real time an event is handled a little late: the next one must not be late by as much again.
        const next = now + 60 - ((now - scenario.from) % 60);
        // A minute that failed is followed by the next one.
        return passMinute(world, now).finally(() => {
          if (isLive || next <= scenario.to) clock.put(next, event);
        });
      }
      case "prices": {
        const next = nextPublication(now);
        return publishPrices(world, scenario, now).finally(() => {
          if (next <= scenario.to) clock.put(next, event);
        });
      }
      case "plug-in":
        return arrive(world, event.index);
      case "plug-out":
        return leave(world, event.index);
      case "answer": {
        const answer = takeProfile(site, event.evseId, event.sessionId, event.profile);
        if (answer) await answerProfile(world, { profileId: event.profileId, state: answer, at: now });
        return;
      }
      case "event":
        return happen(world, scenario.events[event.index] as ScenarioEvent);
      case "stop":
        if (evseOf(site, event.evseId).car?.sessionId === event.sessionId) await depart(world, event);
        return;
      case "repaired":
        await setEvseStatus(world, { evseId: event.evseId, status: "AVAILABLE", at: now });
        return;
    }
  }

  /** What stations and site meters report every minute, and what follows from it. */
  async function passMinute(world: World, at: EpochSecond): Promise<void> {
    await recordMeterReadings(world, readMeters(site));
    const slot = slotOf(at);
    const metered = scenario.groups.filter((group) => group.demand || group.production);
    await recordSiteReadings(
      world,
      metered.map((group) => ({
        groupId: group.id,
        at,
        demandW: watt(group.demand?.get(slot) ?? 0),
        productionW: watt(group.production?.get(slot) ?? 0),
      })),
    );
    await everyMinute(world);
  }

  /** Sessions that somebody started by the API on a simulated EVSE get a simulated car; it goes when they end. */
  function seatVisitors(): void {
    const present = new Map(
      Object.values(board.groups).flatMap((group) =>
        Object.values(group.sessions).map((live) => [live.evseId, live] as const),
      ),
    );
    for (const evse of Object.values(site.evses)) {
      const live = present.get(evse.id);
      if (live && !evse.car) {
        const car = {
          sessionId: live.sessionId,
          maxPowerW: live.maxPowerW,
          minPowerW: live.minPowerW,
          roomWs: VISITOR_ROOM_WH * 3600,
        };
        // What the station was told before the car was seen is in force.
        plugIn(site, evse.id, car, live.applied);
      }
      if (!live && evse.car && !scenario.sessions.some((session) => session.id === evse.car?.sessionId))
        unplug(site, evse.id);
    }
  }

  async function arrive(world: World, index: number): Promise<void> {
    const session = scenario.sessions[index] as Scenario["sessions"][number];
    const evse = evseOf(site, session.evseId);
    const maxPowerW = Math.min(session.maxPowerW, evse.maxPowerW);
    const started = await startSession(world, {
      sessionId: session.id,
      evseId: session.evseId,
      driverId: session.driverId,
      at: clock.now(),
      registerWh: registerWh(evse, clock.now()),
      carMaxPowerW: watt(session.maxPowerW),
      phases: session.phases,
    });
    // After a kill the last events since the saved state come again: the session may be open already.
    const open = started.kind === "started" || (started.kind === "duplicate" && started.session.unpluggedAt === null);
    if (!open) {
      tally.plugFailures++;
      return;
    }
    plugIn(site, session.evseId, {
      sessionId: session.id,
      maxPowerW,
      minPowerW: minPowerOf(maxPowerW, session.phases),
      roomWs: session.takenWh * 3600,
    });
    if (!session.smart) {
      await optOut(world, { sessionId: session.id });
      return;
    }
    const answer = await requestCharging(world, {
      sessionId: session.id,
      energyNeedWh: wattHour(session.needWh),
      departsAt: session.departure,
    });
    if (answer.kind === "counter-offer") await answerOffer(world, { sessionId: session.id, accept: true });
  }

  async function leave(world: World, index: number): Promise<void> {
    const session = scenario.sessions[index] as Scenario["sessions"][number];
    const evse = evseOf(site, session.evseId);
    if (evse.car?.sessionId !== session.id) return;
    evse.frozen = null;
    await depart(world, { sessionId: session.id, evseId: session.evseId });
  }

  async function depart(world: World, { sessionId, evseId }: { sessionId: string; evseId: string }): Promise<void> {
    const now = clock.now();
    const stopped = await stopSession(world, { sessionId, at: now, registerWh: registerWh(evseOf(site, evseId), now) });
    if (stopped.kind === "refused")
      throw new Error(`The simulated plug-out of ${sessionId} was refused: ${stopped.text}`);
    unplug(site, evseId);
  }

  async function happen(world: World, event: ScenarioEvent): Promise<void> {
    const now = clock.now();
    const seconds = Number(event.value);
    switch (event.kind) {
      case "refuse-profile":
        evseOf(site, event.target).refusals = seconds;
        return;
      case "silent":
        evseOf(site, event.target).silentUntil = now + seconds;
        return;
      case "frozen-register":
        evseOf(site, event.target).frozen = {
          until: now + seconds,
          registerWh: registerWh(evseOf(site, event.target), now),
        };
        return;
      case "fault":
        evseOf(site, event.target).faultUntil = now + seconds;
        await setEvseStatus(world, { evseId: event.target, status: "INOPERATIVE", at: now });
        clock.put(now + seconds, { kind: "repaired", evseId: event.target });
        return;
      case "limit": {
        const group = scenario.groups.find((one) => one.id === event.target);
        await liftGroupLimit(world, event.target, now);
        if (group && seconds < group.supplyLimitW)
          await setGroupLimit(world, {
            groupId: event.target,
            kind: "operator",
            limitW: watt(seconds),
            from: now,
            until: null,
          });
        return;
      }
      case "order": {
        const [offsetW, durationS] = event.value.split(":").map(Number);
        const group = scenario.groups.find((one) => one.id === event.target);
        if (!group || offsetW === undefined || durationS === undefined)
          throw new Error(
            `Event order at ${event.at}: the value must be offsetW:durationS for a known group, not "${event.value}".`,
          );
        await setGroupLimit(world, {
          groupId: event.target,
          kind: "order",
          limitW: watt(Math.max(0, group.supplyLimitW + offsetW)),
          from: now,
          until: epochSecond(now + durationS),
        });
        return;
      }
      case "slow-draw":
        for (const evse of Object.values(site.evses))
          if (evse.car?.sessionId === event.target) evse.car = { ...evse.car, maxPowerW: seconds };
        return;
      case "optimiser-fails":
        tally.failingUntil[event.target] = now + seconds;
        return;
      case "solver-differs":
        tally.differingUntil[event.target] = now + seconds;
        return;
      case "no-deposit":
        return;
      default:
        throw new Error(`Unknown kind of event "${event.kind}". Kinds are listed in test/scenarios/README.md.`);
    }
  }

  return {
    world,
    scenario,
    get state() {
      return { clock: clock.save(), site, board, tally };
    },
    async live(wall) {
      if (!isLive) {
        isLive = true;
        clock.follow(wall);
        // It was saved after the scenario's end.
        if (!clock.save().waiting.some(({ event }) => "kind" in event && event.kind === "minute"))
          clock.put(clock.now(), { kind: "minute" });
      }
      for (let event = clock.next(clock.now()); event !== null; event = clock.next(clock.now()))
        await handle(world, event);
      seatVisitors();
    },
    progress: () => Math.min(1, (clock.now() - scenario.from) / (scenario.to - scenario.from)),
    async step() {
      if (clock.now() >= scenario.to) return false;
      const end = Math.min(scenario.to, slotStart(slotOf(clock.now()) + 1));
      await world.store.transaction(async (store) => {
        const inStep: World = { ...world, store };
        if (clock.now() === scenario.from) await publishPrices(inStep, scenario, clock.now());
        for (let event = clock.next(epochSecond(end)); event !== null; event = clock.next(epochSecond(end)))
          await handle(inStep, event);
        clock.moveTo(epochSecond(end));
        advanceSite();
        await store.snapshots.save(`replay:${scenario.name}`, epochSecond(end), {
          clock: clock.save(),
          site,
          board,
          tally,
        } satisfies ScenarioState);
      });
      return true;
    },
  };
}

/** Everything that is fixed from the start; plug-outs before plug-ins of the same second, so that an EVSE is free. */
function fillQueue(scenario: Scenario, clock: QueueClock<SiteEvent>): void {
  for (const [index, event] of scenario.events.entries()) clock.put(event.at, { kind: "event", index });
  for (const [index, session] of scenario.sessions.entries()) clock.put(session.plugOut, { kind: "plug-out", index });
  for (const [index, session] of scenario.sessions.entries()) clock.put(session.plugIn, { kind: "plug-in", index });
  clock.put(scenario.from, { kind: "minute" });
  clock.put(nextPublication(scenario.from), { kind: "prices" });
}

const DAY_S = 86_400;

const nextPublication = (now: EpochSecond) => {
  const today = Math.floor(now / DAY_S) * DAY_S + PUBLISHED_HOUR * 3600;
  return epochSecond(today > now ? today : today + DAY_S);
};

/** Prices that are public at an instant, of the whole day, after noon (UTC) of the next one too; carbon intensity with them. */
async function publishPrices(world: World, scenario: Scenario, now: EpochSecond): Promise<void> {
  const today = Math.floor(now / DAY_S);
  const until = (now % DAY_S >= PUBLISHED_HOUR * 3600 ? today + 2 : today + 1) * SLOTS_PER_DAY;
  const known = (series: ReadonlyMap<number, number>) =>
    [...series].filter(([slot]) => slot < until && slot >= (today - 1) * SLOTS_PER_DAY);
  const { store, settings } = world;
  await store.prices.put(
    settings.market,
    known(scenario.prices).map(([slot, price]) => ({ slot, price: microEurPerKwh(price) })),
  );
  await store.prices.putCarbon(
    settings.market,
    known(scenario.carbon).map(([slot, gramsPerKwh]) => ({ slot, gramsPerKwh })),
  );
  if (world.settings.forecast === "actual")
    for (const group of scenario.groups) {
      if (!group.demand && !group.production) continue;
      const first = slotOf(now);
      await world.store.prices.putForecast(
        group.id,
        Array.from({ length: 3 * SLOTS_PER_DAY }, (_, k) => ({
          slot: first + k,
          demandW: group.demand?.get(first + k) ?? 0,
          productionW: group.production?.get(first + k) ?? 0,
        })),
      );
    }
}
