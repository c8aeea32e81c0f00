/**
 * The receipt: everything that a session's bill was computed from, in one canonical text. Its salted hash is the bill
 * line's `detail` on chain; the driver keeps text and salt and can recompute every figure.
 */
import type { EpochSecond, MicroEur, MicroEurPerKwh, Watt, WattHour } from "../domain/units.ts";
import type { Shares } from "./attribution.ts";
import { type Canonical, canonical } from "./canonical.ts";
import type { Compensation } from "./compensation.ts";
import type { Evidence } from "./evidence.ts";
import type { SettlementLine } from "./settle.ts";
import { read, type Shape } from "./shape.ts";

/** Name and version of the format; a field more or less is a new version. */
export const RECEIPT_FORMAT = "oli-move/receipt/1";

export type Receipt = {
  readonly format: typeof RECEIPT_FORMAT;
  readonly methods: { readonly flexibility: string; readonly settlement: string };
  /** Numbers on chain. */
  readonly cpo: number;
  readonly group: number;
  readonly session: number;
  /** Address on chain; null for a session without a registered driver. */
  readonly driver: string | null;
  readonly settledAt: EpochSecond;
  readonly tariff: {
    readonly id: string;
    readonly number: number;
    readonly pricePerKwh: MicroEurPerKwh;
    readonly fixedFeeMicroEur: MicroEur;
  };
  readonly meter: {
    readonly startAt: EpochSecond;
    readonly startWh: WattHour;
    readonly endAt: EpochSecond;
    readonly endWh: WattHour;
    readonly readings: number;
    /** Hash of the meter's own signed record (OCMF), where the station has one. */
    readonly signedRecord: string | null;
  };
  readonly lines: readonly SettlementLine[];
  readonly amountMicroEur: MicroEur;
  readonly creditMicroEur: MicroEur;
  readonly promise: ReceiptPromise | null;
  readonly flex: ReceiptFlex;
  /** The last plan that the session was part of, as the chain commits to it. */
  readonly plan: { readonly algorithm: string; readonly problem: string; readonly plan: string } | null;
  /** Hashes of the rows that all of this was computed from. */
  readonly evidence: Evidence;
};

export type ReceiptPromise = {
  readonly version: number;
  readonly energyWh: WattHour;
  readonly by: EpochSecond;
  readonly fromRegisterWh: WattHour;
  readonly outcome: "kept" | "late" | "short";
  readonly missingWh: WattHour;
  readonly missingAtUnplugWh: WattHour;
  readonly shares: Shares;
  readonly compensateOrders: boolean;
  readonly compensation: Compensation;
};

export type ReceiptFlex = {
  /** P, E, r, F, V of the method, and where tau starts. */
  readonly powerW: Watt;
  readonly energyWh: WattHour;
  readonly startsAt: EpochSecond;
  readonly meanValue: MicroEurPerKwh;
  readonly rewarded: boolean;
  readonly flexWh: WattHour;
  readonly valueMicroEur: MicroEur;
  readonly intervals: readonly ReceiptInterval[];
};

/** One interval of the stay. */
export type ReceiptInterval = {
  readonly from: EpochSecond;
  readonly to: EpochSecond;
  readonly baselineWh: number;
  readonly allowedWh: number;
  readonly meteredWh: number;
  readonly value: MicroEurPerKwh;
  readonly down: "ORDER" | "PRICE" | "LIMIT" | null;
  readonly up: "ORDER" | "SURPLUS" | "NEGATIVE" | null;
  readonly limitExcessWh: number;
  readonly limitReducibleWh: number;
};

/** Intervals are written as rows, in this order: a stay of a day has 96 of them. */
const COLUMNS = [
  "from",
  "to",
  "baselineWh",
  "allowedWh",
  "meteredWh",
  "value",
  "down",
  "up",
  "limitExcessWh",
  "limitReducibleWh",
] as const satisfies readonly (keyof ReceiptInterval)[];

const PER_COLUMN: { readonly [column in (typeof COLUMNS)[number]]: Shape } = {
  from: "whole",
  to: "whole",
  baselineWh: "whole",
  allowedWh: "whole",
  meteredWh: "whole",
  value: "whole",
  down: { oneOf: ["ORDER", "PRICE", "LIMIT", null] },
  up: { oneOf: ["ORDER", "SURPLUS", "NEGATIVE", null] },
  limitExcessWh: "whole",
  limitReducibleWh: "whole",
};

const WHOLES = (...keys: string[]) => Object.fromEntries(keys.map((key): [string, Shape] => [key, "whole"]));

const SHAPE: Shape = {
  record: {
    format: { oneOf: [RECEIPT_FORMAT] },
    methods: { record: { flexibility: "text", settlement: "text" } },
    ...WHOLES("cpo", "group", "session", "settledAt"),
    driver: { nullable: "text" },
    tariff: { record: { id: "text", number: "whole", pricePerKwh: "whole", fixedFeeMicroEur: "money" } },
    meter: {
      record: { ...WHOLES("startAt", "startWh", "endAt", "endWh", "readings"), signedRecord: { nullable: "text" } },
    },
    lines: {
      list: {
        record: {
          kind: { oneOf: ["energy", "fixed-fee", "promise-compensation", "flex"] },
          energyWh: "whole",
          pricePerKwh: "whole",
          amountMicroEur: "money",
        },
      },
    },
    amountMicroEur: "money",
    creditMicroEur: "money",
    promise: {
      nullable: {
        record: {
          ...WHOLES("version", "energyWh", "by", "fromRegisterWh", "missingWh", "missingAtUnplugWh"),
          outcome: { oneOf: ["kept", "late", "short"] },
          shares: {
            record: WHOLES("driverWh", "vehicleWh", "orderWh", "outageWh", "operatorWh", "systemWh"),
          },
          compensateOrders: "flag",
          compensation: { record: { amountMicroEur: "money", ...WHOLES("missingWh", "lateWh", "pricePerKwh") } },
        },
      },
    },
    flex: {
      record: {
        ...WHOLES("powerW", "energyWh", "startsAt", "meanValue", "flexWh"),
        rewarded: "flag",
        valueMicroEur: "money",
        columns: { tuple: COLUMNS.map((column): Shape => ({ oneOf: [column] })) },
        rows: { list: { tuple: COLUMNS.map((column) => PER_COLUMN[column]) } },
      },
    },
    plan: { nullable: { record: { algorithm: "text", problem: "text", plan: "text" } } },
    evidence: {
      record: {
        ...{ session: "text", promises: { list: "text" }, profiles: "text", readings: "text" },
        sums: { tuple: ["whole", "whole", "whole", "whole", "whole", "whole"] },
      },
    },
  },
};

/** The canonical text. Only the receipt's own fields are written, so that a richer object gives the same text. */
export function receiptText(receipt: Receipt): string {
  const { intervals, ...flex } = receipt.flex;
  const rows = intervals.map((interval) => COLUMNS.map((column) => interval[column]));
  return canonical(only(SHAPE, { ...receipt, flex: { ...flex, columns: COLUMNS, rows } }) as Canonical);
}

/** The receipt of a text. Throws unless the text is the canonical one of a receipt of this format. */
export function parseReceipt(text: string): Receipt {
  const plain = read(SHAPE, JSON.parse(text)) as Omit<Receipt, "flex"> & {
    readonly flex: Omit<ReceiptFlex, "intervals"> & { readonly columns: unknown; readonly rows: readonly unknown[][] };
  };
  const { columns: _, rows, ...flex } = plain.flex;
  const intervals = rows.map((row) => Object.fromEntries(COLUMNS.map((column, index) => [column, row[index]])));
  const receipt: Receipt = { ...plain, flex: { ...flex, intervals: intervals as unknown as ReceiptInterval[] } };
  if (receiptText(receipt) !== text)
    throw new RangeError("The receipt's text is not canonical: it was written by something else or changed since.");
  return receipt;
}

/**
 * What the inner hash of the salted leaf is taken of: salt (32 bytes), then keccak256 of the receipt's text (32 bytes).
 * The leaf is keccak256(keccak256(these 64 bytes)), OpenZeppelin's double hash.
 */
export function leafPreimage(salt: Uint8Array, textHash: Uint8Array): Uint8Array {
  if (salt.length !== 32 || textHash.length !== 32)
    throw new RangeError(`Salt and hash have 32 bytes each, not ${salt.length} and ${textHash.length}.`);
  const bytes = new Uint8Array(64);
  bytes.set(salt, 0);
  bytes.set(textHash, 32);
  return bytes;
}

/** The part of a value that its shape names. */
function only(shape: Shape, value: unknown): unknown {
  if (typeof shape === "string" || value === null || "oneOf" in shape || "tuple" in shape) return value;
  if ("nullable" in shape) return only(shape.nullable, value);
  if ("list" in shape) return (value as readonly unknown[]).map((item) => only(shape.list, item));
  const given = value as { readonly [key: string]: unknown };
  return Object.fromEntries(Object.entries(shape.record).map(([key, inner]) => [key, only(inner, given[key])]));
}
