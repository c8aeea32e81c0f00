/** One way to tamper, and the words by which the audit must name it. */
import type { Forgery } from "./savedRun.ts";

export type Kind = {
  readonly kind: string;
  readonly forgery: Forgery;
  /** Among the differences, each "where: text". Null where the chain alone, or the database alone, cannot be forged so. */
  readonly recorded: RegExp | null;
  readonly database: RegExp | null;
};

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
/** A difference of the thing, in words that begin so. */
export const named = (thing: string, words: string) => new RegExp(`^(.*, )?${escaped(thing)}(, .*)?: ${words}`);
