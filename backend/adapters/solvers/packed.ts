/** A linear program in typed arrays: it goes to a thread without being copied, and HiGHS takes it as it is. */
import type { LinearProgram } from "../../optimisation/model/program.ts";

export type PackedProgram = {
  readonly cost: Float64Array<ArrayBuffer>;
  readonly lower: Float64Array<ArrayBuffer>;
  readonly upper: Float64Array<ArrayBuffer>;
  /** 1 for whole-number columns; null when there are none. */
  readonly integer: Int32Array<ArrayBuffer> | null;
  readonly rowLower: Float64Array<ArrayBuffer>;
  readonly rowUpper: Float64Array<ArrayBuffer>;
  /** Terms of row r: from starts[r] to starts[r + 1]. */
  readonly starts: Int32Array<ArrayBuffer>;
  readonly indices: Int32Array<ArrayBuffer>;
  readonly coefficients: Float64Array<ArrayBuffer>;
};

export function pack({ columns, rows }: LinearProgram): PackedProgram {
  const starts = new Int32Array(rows.length + 1);
  for (const [r, { terms }] of rows.entries()) starts[r + 1] = starts[r]! + terms.length;
  const indices = new Int32Array(starts[rows.length]!);
  const coefficients = new Float64Array(starts[rows.length]!);
  let next = 0;
  for (const { terms } of rows) {
    for (const { column, coefficient } of terms) {
      indices[next] = column;
      coefficients[next++] = coefficient;
    }
  }
  return {
    cost: Float64Array.from(columns, ({ cost }) => cost),
    lower: Float64Array.from(columns, ({ lower }) => lower),
    upper: Float64Array.from(columns, ({ upper }) => upper),
    integer: columns.some(({ integer }) => integer)
      ? Int32Array.from(columns, ({ integer }) => (integer ? 1 : 0))
      : null,
    rowLower: Float64Array.from(rows, ({ lower }) => lower),
    rowUpper: Float64Array.from(rows, ({ upper }) => upper),
    starts,
    indices,
    coefficients,
  };
}

/** What moves to the other thread instead of being copied. */
export const buffersOf = (packed: PackedProgram): ArrayBuffer[] =>
  Object.values(packed).flatMap((array) => (array === null ? [] : [array.buffer]));
