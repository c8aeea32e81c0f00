/** What comes next of a bill that is, was or could be disputed: for its driver and for the operator. */
import { useTexts } from "../texts/index.tsx";
import type { Dispute } from "../types.ts";

const DAY_S = 86_400;

export function DisputeNext({ dispute }: { readonly dispute: Dispute }) {
  const { t, f } = useTexts();
  const { next } = t.receipt;
  const { bill, windowS, termS, decision, reason } = dispute;
  const lasting = (seconds: number) => (seconds % DAY_S === 0 ? t.receipt.days(seconds / DAY_S) : f.lasting(seconds));
  const until = bill.state.until === null ? "–" : f.when(bill.state.until);
  switch (bill.state.kind) {
    case "waiting":
    case "posting":
      return windowS === 0 ? next.never : next.waiting(lasting(windowS));
    case "open":
      return next.open(until, lasting(termS));
    case "disputed":
      return decision === null ? next.disputed(until) : next.decided;
    case "final":
      return windowS === 0 ? next.never : reason === null ? next.final : next.late;
    default:
      return next[bill.state.kind];
  }
}
