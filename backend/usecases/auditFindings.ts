/** What an audit finds: differences that name the thing, and how much was looked at. */
import { formatInstant } from "../domain/instants.ts";
import { slotStart } from "../domain/slots.ts";
import type { EpochSecond } from "../domain/units.ts";

export type Difference = {
  /** The check that found it. */
  readonly what: string;
  /** The thing by its name: "plan garage:1777593600:12", "bill of session s-17". */
  readonly where: string;
  /** What is wrong with it, with both values. */
  readonly text: string;
};

export type CheckRow = { readonly check: string; readonly checked: number; readonly differences: number };

/** One kind of check; counts what it looked at. */
export type Check = {
  /** Counts things of which nothing differed, or whose differences are reported one by one. */
  looked(times?: number): void;
  differs(where: string, text: string): void;
  /** Counts, and reports when the values differ. Answers whether they are equal. */
  same(where: string, name: string, is: Plain, shouldBe: Plain): boolean;
};
type Plain = string | number | bigint | boolean | null;

export type Findings = {
  readonly differences: readonly Difference[];
  /** What a reader should know, although nothing is wrong. */
  readonly notes: string[];
  check(name: string): Check;
  table(): readonly CheckRow[];
};

export function createFindings(): Findings {
  const differences: Difference[] = [];
  const known = new Set<string>();
  const rows = new Map<string, { check: string; checked: number; differences: number }>();

  function check(name: string): Check {
    const row = rows.get(name) ?? { check: name, checked: 0, differences: 0 };
    rows.set(name, row);
    const differs = (where: string, text: string) => {
      const key = `${where}\n${text}`;
      if (known.has(key)) return;
      known.add(key);
      row.differences++;
      differences.push({ what: name, where, text });
    };
    return {
      looked: (times = 1) => {
        row.checked += times;
      },
      differs,
      same(where, what, is, shouldBe) {
        row.checked++;
        if (is !== shouldBe) differs(where, `${what} is ${is}, not ${shouldBe}`);
        return is === shouldBe;
      },
    };
  }
  return { differences, notes: [], check, table: () => [...rows.values()] };
}

/** Values that nobody could have written by honest means may break a computation: that too is a difference. */
export function attempt(check: Check, where: string, work: () => void): void {
  try {
    work();
  } catch (error) {
    check.differs(where, `cannot be checked: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/* Names of things, as they stand in `where`. */

export const at = (instant: number) => formatInstant(instant as EpochSecond);
export const planName = (id: string) => `plan ${id}`;
export const slotName = (groupId: string, slot: number) =>
  `recorded slot ${slot} of ${groupId} (${at(slotStart(slot))})`;
export const billName = (sessionId: string) => `bill of session ${sessionId}`;
export const promiseName = (sessionId: string, version: number) => `promise of session ${sessionId} version ${version}`;
export const readingName = (sessionId: string, instant: number) => `reading of session ${sessionId} at ${at(instant)}`;
export const sessionName = (sessionId: string) => `session ${sessionId}`;
export const priceName = (slot: number) => `price of slot ${slot} (${at(slotStart(slot))})`;
