/** What stands on a site: operators, locations, charging groups, EVSEs and PV. Numbers (u32) are the names on chain. */
import type { AlgorithmChoice } from "./algorithms.ts";
import type { MicroEurPerKwh, Watt } from "./units.ts";

/** Charge point operator (OCPI role CPO). */
export type Cpo = { readonly id: string; readonly number: number; readonly name: string };

export type Location = {
  readonly id: string;
  readonly cpoId: string;
  readonly name: string;
  /** IANA name, for showing local times; nothing is computed in it. */
  readonly timeZone: string;
  readonly coordinates?: Coordinates;
};

/** Decimal degrees in WGS 84. */
export type Coordinates = { readonly latitude: number; readonly longitude: number };

/** Where an EVSE stands, as OCPI's EVSE says it; it never goes on chain. */
export type Place = {
  readonly coordinates: Coordinates | null;
  readonly floorLevel: string | null;
  /** What stands at the bay: a number, a name. */
  readonly physicalReference: string | null;
};

/** The assets behind one distribution cabinet that share one supply limit. */
export type ChargingGroup = {
  readonly id: string;
  readonly number: number;
  readonly cpoId: string;
  readonly locationId: string;
  /** Most that the group may import. */
  readonly supplyLimitW: Watt;
  /** `contract`: a mean over each slot; `thermal`: never above, also inside a slot. */
  readonly limitKind: "contract" | "thermal";
  /** Worth of PV surplus that no car takes. */
  readonly feedIn: MicroEurPerKwh;
  /** How its power is shared out; what each algorithm does is in optimisation/README.md. */
  readonly algorithm: AlgorithmChoice;
};

/** OCPI 2.2.1 Status, the part that decides whether a car can charge. */
export type EvseStatus = "AVAILABLE" | "BLOCKED" | "CHARGING" | "INOPERATIVE" | "OUTOFORDER" | "UNKNOWN";

/** What charges one EV at a time; the unit that profiles are sent to. */
export type Evse = {
  readonly id: string;
  readonly groupId: string;
  /** Row of the EVSE in its group on chain, given once. */
  readonly row: number;
  readonly maxPowerW: Watt;
  readonly phases: 1 | 2 | 3;
  readonly status: EvseStatus;
  /** Absent where nobody said it. */
  readonly place?: Place;
};

export type PvAsset = {
  readonly id: string;
  readonly groupId: string;
  readonly row: number;
  readonly ratedPowerW: Watt;
};

/** 6 A at 230 V on each phase in use (IEC 61851-1); below it a car can only pause. */
export const MIN_POWER_PER_PHASE_W = 1380;

/** What drivers of a CPO pay; a session keeps the tariff that it started with. */
export type Tariff = {
  readonly id: string;
  readonly number: number;
  readonly cpoId: string;
  readonly pricePerKwh: MicroEurPerKwh;
};
