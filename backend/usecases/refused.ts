/** A refusal is a value: its text says what to fix, and nothing was changed. */
export type Refused<Reason extends string> = {
  readonly kind: "refused";
  readonly reason: Reason;
  readonly text: string;
};

export const refused = <Reason extends string>(reason: Reason, text: string): Refused<Reason> => ({
  kind: "refused",
  reason,
  text,
});
