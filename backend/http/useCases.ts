/** The use cases as the API calls them: bound to one world, one step at a time. */

import type { ChargingSession } from "../domain/sessions.ts";
import { type EpochSecond, wattHour } from "../domain/units.ts";
import { answerOffer } from "../usecases/answerOffer.ts";
import { askToStop } from "../usecases/askToStop.ts";
import { stayFigures } from "../usecases/billFigures.ts";
import { billStates, disputeFile, standingOf } from "../usecases/billStates.ts";
import { boost, cancelBoost } from "../usecases/boost.ts";
import { setCapacityProfile } from "../usecases/capacityProfile.ts";
import { committedBytes } from "../usecases/committedBytes.ts";
import { decideDispute } from "../usecases/decideDispute.ts";
import { answerProfile } from "../usecases/dispatchProfiles.ts";
import { disputable, disputeBill } from "../usecases/disputeBill.ts";
import { driverBundle } from "../usecases/driverBundle.ts";
import { driverData } from "../usecases/driverData.ts";
import { eraseDriver } from "../usecases/eraseDriver.ts";
import { exportKey } from "../usecases/exportKey.ts";
import { health, type Probes } from "../usecases/health.ts";
import { marketSlots, publishCarbon, publishPrices } from "../usecases/market.ts";
import { optOut } from "../usecases/optOut.ts";
import { orderFlexibility } from "../usecases/orderFlexibility.ts";
import { announceWithdrawal, claimFlex, unbookedMicroEur, waitingPayout, withdraw } from "../usecases/payouts.ts";
import type { Driver, ForecastPoint, Hex, Settlement, World } from "../usecases/ports.ts";
import { recordMeterReadings, recordSiteReadings } from "../usecases/recordReadings.ts";
import { redeemFlex } from "../usecases/redeemFlex.ts";
import { type NewDriver, registerDriver, setDriverPreferences } from "../usecases/registerDriver.ts";
import { requestCharging } from "../usecases/requestCharging.ts";
import { setEvseStatus } from "../usecases/setEvseStatus.ts";
import { type AlgorithmWish, setGroupAlgorithm } from "../usecases/setGroupAlgorithm.ts";
import { liftGroupLimit, setGroupLimit } from "../usecases/setGroupLimit.ts";
import { setPlace } from "../usecases/setPlace.ts";
import { setStrategies } from "../usecases/setStrategies.ts";
import { setTariff } from "../usecases/setTariff.ts";
import { type SitePlan, setUpSite } from "../usecases/setUpSite.ts";
import { startSession } from "../usecases/startSession.ts";
import { stays } from "../usecases/stays.ts";
import { stopSession } from "../usecases/stopSession.ts";
import { groupView, sessionView } from "./views.ts";

export type UseCases = ReturnType<typeof bindUseCases>;

/** Runs one step that changes the live picture; main.ts puts steps and jobs into one line. */
export type RunStep = <T>(step: () => Promise<T>) => Promise<T>;

type Step<Input, Result> = (world: World, input: Input) => Promise<Result>;

export function bindUseCases(world: World, probes: Probes, run: RunStep = (step) => step()) {
  const bound =
    <Input, Result>(useCase: Step<Input, Result>) =>
    (input: Input): Promise<Result> =>
      run(() => useCase(world, input));
  return {
    registerDriver: bound<NewDriver, Driver>(registerDriver),
    setDriverPreferences: bound(setDriverPreferences),
    startSession: bound(startSession),
    requestCharging: bound(requestCharging),
    answerOffer: bound(answerOffer),
    optOut: bound(optOut),
    boost: bound(boost),
    cancelBoost: bound(cancelBoost),
    setStrategies: bound(setStrategies),
    stopSession: bound(stopSession),
    askToStop: bound(askToStop),
    recordMeterReadings: bound(recordMeterReadings),
    recordSiteReadings: bound(recordSiteReadings),
    setEvseStatus: bound(setEvseStatus),
    answerProfile: bound(answerProfile),
    setGroupLimit: bound(setGroupLimit),
    liftGroupLimit: (groupId: string) => run(() => liftGroupLimit(world, groupId, world.clock.now())),
    setGroupAlgorithm: bound<AlgorithmWish, Awaited<ReturnType<typeof setGroupAlgorithm>>>(setGroupAlgorithm),
    setCapacityProfile: bound(setCapacityProfile),
    orderFlexibility: bound(orderFlexibility),
    setTariff: bound(setTariff),
    redeemFlex: bound(redeemFlex),
    announceWithdrawal: bound(announceWithdrawal),
    withdraw: bound(withdraw),
    claimFlex: bound(claimFlex),
    exportKey: bound(exportKey),
    eraseDriver: bound(eraseDriver),
    disputeBill: bound(disputeBill),
    decideDispute: bound(decideDispute),
    setPlace: bound(setPlace),
    setUpSite: bound<SitePlan, Awaited<ReturnType<typeof setUpSite>>>(setUpSite),
    recordForecast: (groupId: string, points: readonly ForecastPoint[]) =>
      run(() => world.store.prices.putForecast(groupId, points)),
    publishPrices: bound(publishPrices),
    publishCarbon: bound(publishCarbon),
    market: (fromSlot: number, untilSlot: number) => marketSlots(world, fromSlot, untilSlot),
    /** Last register of an EVSE without a session; 0 where its meter was never heard. */
    registerOf: (groupId: string, evseId: string) => wattHour(world.board.groups[groupId]?.registers[evseId] ?? 0),
    disputeTerms: world.ledger.disputeTerms,
    withdrawNoticeS: world.ledger.withdrawNoticeS,
    unbookedMicroEur: (driverId: string) => unbookedMicroEur(world.store, driverId),
    waitingPayout: (owner: string) => waitingPayout(world.store, owner),
    disputable: (wish: Parameters<typeof disputable>[1]) => disputable(world, wish),
    billStates: (bills: readonly Settlement[]) => billStates(world, bills),
    standingOf: (disputes: Parameters<typeof standingOf>[1]) => standingOf(world, disputes),
    stays: (groupId: string, from: EpochSecond, until: EpochSecond, evseId?: string) =>
      stays(world, groupId, from, until, evseId),
    figuresOf: async ({ groupId, pluggedAt, unpluggedAt }: ChargingSession, bill: Settlement) =>
      (await stayFigures(world, groupId, pluggedAt, unpluggedAt ?? world.clock.now()))(bill),
    driverBundle: (driverId: string, sessions: Parameters<typeof driverBundle>[2]) =>
      driverBundle(world, driverId, sessions),
    driverData: (driverId: string) => driverData(world, driverId),
    committedBytes: (hash: Hex) => committedBytes(world, hash),
    disputeFile: (sessionId: string) => disputeFile(world, sessionId),
    sessionView: (sessionId: string) => sessionView(world, sessionId),
    groupView: (groupId: string) => groupView(world, groupId),
    health: () => health(world, probes),
    now: () => world.clock.now(),
  };
}
