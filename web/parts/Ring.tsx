/** How much of the wish is in. */
import type { ReactNode } from "react";

const RADIUS = 88;
const ROUND = 2 * Math.PI * RADIUS;

export function Ring({
  part,
  label,
  children,
}: {
  readonly part: number;
  readonly label: string;
  readonly children: ReactNode;
}) {
  const done = Math.min(1, Math.max(0, part));
  return (
    <div className="ring">
      <svg viewBox="0 0 200 200" role="img" aria-label={label}>
        <circle className="track" cx="100" cy="100" r={RADIUS} fill="none" strokeWidth="13" />
        <circle
          className="arc"
          cx="100"
          cy="100"
          r={RADIUS}
          fill="none"
          strokeWidth="13"
          strokeLinecap="round"
          strokeDasharray={ROUND}
          strokeDashoffset={ROUND * (1 - done)}
          transform="rotate(-90 100 100)"
        />
      </svg>
      <div className="inside">{children}</div>
    </div>
  );
}
