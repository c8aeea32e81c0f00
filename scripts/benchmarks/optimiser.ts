/**
 * npm run bench -- optimiser [--json] [--cars 5,20] : milliseconds of the exact method, of HiGHS (the best of its methods)
 * and of javascript-lp-solver on the same instances, with equal objectives and the certificate's gap. Each of them runs in
 * a process of its own, one after the other, so that its memory is its own. Wrong when costs differ or a gap is not 0.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Measured, Own, Solver } from "./optimiserChild.ts";

const CAR_COUNTS = [5, 20, 80, 320, 1_000, 3_000, 10_000, 100_000];
/** Beyond these a solver takes minutes, or more memory than there is (a dense tableau of 1,000 cars: over 10 GB). */
const MOST_CARS = { highs: 10_000, "javascript-lp-solver": 320 };
const CHILD = fileURLToPath(new URL("./optimiserChild.ts", import.meta.url));

type Line = { readonly cars: number; readonly own: Own; readonly highs: Solver | null; readonly jlp: Solver | null };

/** True when every cost is equal and every gap 0. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false }, cars: { type: "string" } },
  });
  const counts = values.cars ? values.cars.split(",").map(Number) : CAR_COUNTS;
  const lines: Line[] = [];
  if (!values.json) {
    console.log(`Least cost for 96 intervals; median ms, Node ${process.version}; x: times as long as our method.`);
    console.log(
      "  cars  variables  least-cost   MB  check       HiGHS           x   MB         jlp           x    MB  equal  gap",
    );
  }
  for (const cars of counts) {
    const line: Line = {
      cars,
      own: measured("least-cost", cars) as Own,
      highs: cars <= MOST_CARS.highs ? (measured("highs", cars) as Solver) : null,
      jlp: cars <= MOST_CARS["javascript-lp-solver"] ? (measured("javascript-lp-solver", cars) as Solver) : null,
    };
    lines.push(line);
    if (!values.json) console.log(text(line));
  }
  const ok = lines.every(isRight);
  if (values.json) console.log(JSON.stringify({ benchmark: "optimiser", node: process.version, ok, lines }, null, 2));
  return ok;
}

function measured(who: string, cars: number): Measured {
  const answer = execFileSync(process.execPath, [CHILD, who, String(cars)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(answer) as Measured;
}

const isRight = ({ own, highs, jlp }: Line) =>
  own.gap === "0" && own.violations === 0 && (highs?.objectiveEqual ?? true) && (jlp?.objectiveEqual ?? true);

function text(line: Line): string {
  const { cars, own, highs, jlp } = line;
  const ms = (value: number) => (value < 100 ? value.toFixed(2) : value.toFixed(0));
  const other = (solver: Solver | null, width: number) =>
    solver === null
      ? "-".padStart(width)
      : `${ms(solver.ms).padStart(10)}  ${(solver.ms / own.ms).toFixed(0).padStart(9)}x  ${String(solver.peakMb).padStart(4)}`;
  return [
    String(cars).padStart(6),
    String(own.variables).padStart(9),
    ms(own.ms).padStart(10),
    String(own.peakMb).padStart(3),
    ms(own.checkMs).padStart(5),
    other(highs, 28),
    other(jlp, 28),
    (isRight(line) ? "yes" : "NO").padStart(5),
    own.gap.padStart(3),
  ].join("  ");
}
