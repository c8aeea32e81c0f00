/**
 * What a driver takes away of a stay: own rows, promises and receipt as canonical texts, and for each of them the salt and
 * the siblings that lead to a root on chain. Nothing of other drivers is in it: a sibling is the hash of something salted
 * (a recorded slot) or of a bill with its salted receipt (a batch). The bytes of plans are left out, since everybody's needs
 * and departures are in them. Anyone can check it: auditBundle.ts.
 */
import { canonical } from "../settlement/canonical.ts";
import { read, type Shape } from "../settlement/shape.ts";
import type { BillLine, Hex, RunRecord } from "./ports.ts";

/** Name and version of the format; a field more or less is a new version. */
export const BUNDLE_FORMAT = "oli-move/bundle/2";

export type Bundle = {
  readonly format: typeof BUNDLE_FORMAT;
  /** When it was made, epoch seconds. */
  readonly madeAt: number;
  /** The driver's address on chain. */
  readonly driver: Hex;
  /** Newest first. */
  readonly sessions: readonly BundledSession[];
};

export type BundledSession = {
  /** Numbers on chain. */
  readonly cpo: number;
  readonly group: number;
  readonly rows: BundledRows;
  /** Null while the car charges. */
  readonly bill: BundledBill | null;
  /** The recorded slots that name the session, ascending. */
  readonly slots: readonly BundledSlot[];
};

/** Canonical texts, as evidence.ts writes them: their hashes stand in the receipt. */
export type BundledRows = {
  readonly session: string;
  readonly promises: readonly string[];
  readonly profiles: string;
  readonly readings: string;
};

export type BundledBill = {
  readonly receipt: string;
  readonly salt: Hex;
  /** Null for a bill that is not in a batch yet. */
  readonly posted: { readonly line: BillLine; readonly seq: number; readonly root: Hex; readonly proof: Hex[] } | null;
};

export type BundledSlot = {
  readonly slot: number;
  readonly root: Hex;
  readonly leaves: readonly { readonly text: string; readonly salt: Hex; readonly proof: readonly Hex[] }[];
  /** Null for a run that was recorded by itself. */
  readonly within: WithinRoot | null;
};

/** What leads from the group's run, which has no rows, to the root that its CPO recorded over the runs of all groups. */
export type WithinRoot = Pick<RunRecord, "algorithm" | "problem" | "plan" | "value" | "earlier"> & {
  readonly proof: readonly Hex[];
  readonly root: Hex;
};

const LINE: Shape = {
  record: {
    ...{ number: "whole", driver: "text", amount: "money", credit: "money" },
    ...{ wh: "whole", flex: "whole", tariff: "whole", detail: "text" },
  },
};
const WITHIN: Shape = {
  record: {
    ...{ algorithm: "text", problem: "text", plan: "text", value: "text", earlier: "text" },
    ...{ proof: { list: "text" }, root: "text" },
  },
};
const SHAPE: Shape = {
  record: {
    ...{ format: { oneOf: [BUNDLE_FORMAT] }, madeAt: "whole", driver: "text" },
    sessions: {
      list: {
        record: {
          ...{ cpo: "whole", group: "whole" },
          rows: { record: { session: "text", promises: { list: "text" }, profiles: "text", readings: "text" } },
          bill: {
            nullable: {
              record: {
                ...{ receipt: "text", salt: "text" },
                posted: {
                  nullable: { record: { line: LINE, seq: "whole", root: "text", proof: { list: "text" } } },
                },
              },
            },
          },
          slots: {
            list: {
              record: {
                ...{ slot: "whole", root: "text" },
                leaves: { list: { record: { text: "text", salt: "text", proof: { list: "text" } } } },
                within: { nullable: WITHIN },
              },
            },
          },
        },
      },
    },
  },
};

/** As plain JSON values: money as decimal strings. */
export const bundleOut = (bundle: Bundle): object => JSON.parse(canonical({ ...bundle })) as object;

/** Reads it back. Throws a RangeError that names the first place that is none of a bundle. */
export const readBundle = (plain: unknown): Bundle => read(SHAPE, plain) as Bundle;
