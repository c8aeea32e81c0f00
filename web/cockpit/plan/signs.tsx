/** How a charge point is doing, as a sign and a colour: neither tells alone. */
import { isAtRisk, isBusy, type Row } from "../Point.tsx";

export const SIGNS = ["free", "charging", "waits", "risk", "faulty", "silent"] as const;
export type SignName = (typeof SIGNS)[number];

export function signOf(row: Row): SignName {
  if (row.stale || row.status === "UNKNOWN") return "silent";
  if (row.status === "INOPERATIVE" || row.status === "OUTOFORDER") return "faulty";
  if (isBusy(row)) return isAtRisk(row) ? "risk" : (row.limits?.measuredW ?? 0) > 0 ? "charging" : "waits";
  return row.status === "BLOCKED" ? "faulty" : "free";
}

/** Drawn around 0, 10 wide. */
const SHAPES: Record<SignName, string> = {
  free: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z",
  charging: "M1 -5L-4 1H-1L-2 5L4 -1H1Z",
  waits: "M-3 -4V4M3 -4V4",
  risk: "M0 -5L5 4H-5ZM0 -1.5V1M0 2.4V2.8",
  faulty: "M-4 -4L4 4M4 -4L-4 4",
  silent: "M-4 0H-3.4M-.3 0H.3M3.4 0H4",
};

export const Sign = ({ name }: { readonly name: SignName }) => <path className={`sign ${name}`} d={SHAPES[name]} />;
