/** The suite of the store runs on every database; each describe begins with an empty one. */
import { inspect } from "node:util";
import type { Db } from "../../../backend/adapters/store/schema.ts";
import { createStore } from "../../../backend/adapters/store/store.ts";
import { DEFAULT_ALGORITHM } from "../../../backend/domain/algorithms.ts";
import type { ChargingSession } from "../../../backend/domain/sessions.ts";
import {
  type EpochSecond,
  epochSecond,
  microEur,
  microEurPerKwh,
  watt,
  wattHour,
} from "../../../backend/domain/units.ts";
import type { SealedWallet, Settlement, Store } from "../../../backend/usecases/ports.ts";
import { databases, emptyDatabase, type Kind, whyNoPostgres } from "../../support/databases.ts";

export type Given = { readonly store: Store; readonly db: Db; readonly kind: Kind };

/** Describes the same on PGlite and on PostgreSQL. `given()` may be called inside `it` and hooks. */
export function onEveryDatabase(title: string, define: (given: () => Given) => void): void {
  for (const kind of databases) {
    describe(`${title} (${kind})`, () => {
      let given: Given | undefined;

      before(async function () {
        const reason = kind === "postgres" ? whyNoPostgres() : null;
        if (reason !== null) {
          console.log(`    left out: ${reason}`);
          this.skip();
        }
        const { db } = await emptyDatabase(kind);
        given = { store: createStore(db), db, kind };
      });

      define(() => given!);
    });
  }
}

/** 2026-03-01T00:00:00Z, the start of slot 1969152. */
export const T0 = 1_772_323_200;
export const at = (seconds: number): EpochSecond => epochSecond(T0 + seconds);

/** CPO "cpo", location, group "group" with EVSEs "evse-1" to "evse-3", tariff "tariff". */
export async function addSite(store: Store): Promise<void> {
  await store.sites.addCpo({ id: "cpo", name: "Garage operator" });
  await store.sites.addLocation({ id: "place", cpoId: "cpo", name: "Garage", timeZone: "Europe/Oslo" });
  await store.sites.addGroup(aGroup("group"));
  for (const id of ["evse-1", "evse-2", "evse-3"]) await store.sites.addEvse(anEvse(id, "group"));
  await store.sites.addTariff({ id: "tariff", cpoId: "cpo", pricePerKwh: microEurPerKwh(350_000) });
}

export const aGroup = (id: string): Parameters<Store["sites"]["addGroup"]>[0] => ({
  id,
  cpoId: "cpo",
  locationId: "place",
  supplyLimitW: watt(40_000),
  limitKind: "contract",
  feedIn: microEurPerKwh(-5_000),
  algorithm: DEFAULT_ALGORITHM,
});

export const anEvse = (id: string, groupId: string): Parameters<Store["sites"]["addEvse"]>[0] => ({
  id,
  groupId,
  maxPowerW: watt(22_000),
  phases: 3,
  status: "AVAILABLE",
});

type NewSession = Parameters<Store["sessions"]["start"]>[0];

export const aSession = (id: string, evseId: string, rest: Partial<NewSession> = {}): NewSession => ({
  id,
  cpoId: "cpo",
  groupId: "group",
  evseId,
  driverId: null,
  tariffId: "tariff",
  mode: "best-effort",
  pluggedAt: at(0),
  maxPowerW: watt(11_000),
  phases: 3,
  startRegisterWh: wattHour(1_000),
  ...rest,
});

/** Starts a session and stops it again, so that its EVSE is free. */
export async function pastSession(store: Store, id: string, rest: Partial<NewSession> = {}): Promise<ChargingSession> {
  const session = await store.sessions.start(aSession(id, "evse-1", rest));
  await store.sessions.close(id, epochSecond(session.pluggedAt + 3600), wattHour(9_000));
  return session;
}

export const aSettlement = (session: ChargingSession, rest: Partial<Settlement> = {}): Settlement => ({
  sessionId: session.id,
  sessionNumber: session.number,
  cpoId: "cpo",
  driverId: session.driverId,
  settledAt: at(4_000 + session.number),
  energyWh: wattHour(8_000),
  amountMicroEur: microEur(2_800_000n),
  creditMicroEur: microEur(0n),
  compensationMicroEur: microEur(0n),
  flexWh: wattHour(1_500),
  flexValueMicroEur: microEur(-12n),
  ancestorWh: wattHour(1_400),
  receipt: '{"format":"receipt/1","note":"é"}',
  salt: "0x00",
  detailHash: "0xff",
  batch: null,
  ...rest,
});

export const aWallet = (walletId: string): SealedWallet => ({
  walletId,
  address: `0x${Buffer.from(walletId.padEnd(20, ".")).toString("hex")}`,
  kekVersion: 3,
  sealedKey: "0x0011223344",
  wrappedDek: "0xaabbccdd",
});

export async function addDriver(store: Store, id: string, accountId: string | null = null): Promise<void> {
  const wallet = aWallet(`wallet-${id}`);
  await store.drivers.add(
    { id, accountId, name: `Driver ${id}`, address: wallet.address, consentHash: "0x01", registeredAt: at(0) },
    wallet,
  );
}

/** The error that the promise rejects with; a promise that resolves fails the test. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error: Error) => ({ error }),
  );
  if ("error" in outcome) return outcome.error;
  throw new Error(`expected a rejection, got ${inspect(outcome.value)}`);
}
