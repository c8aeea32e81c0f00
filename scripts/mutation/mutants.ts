/** Small mistakes, one at a time, in Solidity source: pure text, so that it can be tested without a compiler. */

export type Mutant = {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  /** The line before and after, trimmed. */
  readonly before: string;
  readonly after: string;
  /** The whole changed file. */
  readonly source: string;
};

type Operator = { readonly find: RegExp; readonly put: string };

/** Comparisons shift by one or turn round, sums lose their sign, constants move by one, checks and events disappear. */
const OPERATORS: readonly Operator[] = [
  { find: / <= /g, put: " < " },
  { find: / < /g, put: " <= " },
  { find: / >= /g, put: " > " },
  { find: / > /g, put: " >= " },
  { find: / == /g, put: " != " },
  { find: / != /g, put: " == " },
  { find: / && /g, put: " || " },
  { find: / \|\| /g, put: " && " },
  { find: / \+ /g, put: " - " },
  { find: / - /g, put: " + " },
  { find: / \* /g, put: " + " },
  { find: / \+= /g, put: " -= " },
  { find: / -= /g, put: " += " },
  { find: /\b1000\b/g, put: "1001" },
  { find: /\bgt\(/g, put: "lt(" },
  { find: /\blt\(/g, put: "gt(" },
  { find: /\bsgt\(/g, put: "slt(" },
  { find: /^\s*require\(.*\);$/g, put: "" },
  { find: /^\s*emit .*\);$/g, put: "" },
  { find: /^\s*_useIntent\(.*\);$/g, put: "" },
  { find: / restricted(?=[ {])/g, put: "" },
  { find: / whenNotPaused(?=[ {])/g, put: "" },
  { find: / nonReentrant(?=[ {])/g, put: "" },
  { find: /\? ([^:?]+) : ([^;]+);/g, put: "? $2 : $1;" },
];

/** Every mutant of a source. Comments, imports and declarations of the file's head are left alone. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const lines = source.split("\n");
  const found: Mutant[] = [];
  lines.forEach((line, i) => {
    const code = line.replace(/\/\/.*$/, "").trimEnd();
    if (/^\s*(\*|\/\*|import\b|pragma\b|$)/.test(code)) return;
    for (const { find, put } of OPERATORS)
      for (const match of code.matchAll(find)) {
        const text = put.replace("$1", match[1] ?? "").replace("$2", match[2] ?? "");
        const changed = code.slice(0, match.index) + text + code.slice(match.index + match[0].length);
        if (changed === code) continue;
        const mutated = lines.with(i, changed).join("\n");
        found.push({ file, line: i + 1, before: code.trim(), after: changed.trim() || "(removed)", source: mutated });
      }
  });
  return found;
}
