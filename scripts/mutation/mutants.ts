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

/** `put` may name the groups of `find` by $1 and $2. */
type Operator = { readonly find: RegExp; readonly put: string };
const literal = (text: string) => text.replace(/[+|]/g, "\\$&");
const swap = (one: string, other: string): Operator[] => [
  { find: new RegExp(` ${literal(one)} `, "g"), put: ` ${other} ` },
  { find: new RegExp(` ${literal(other)} `, "g"), put: ` ${one} ` },
];
const swapCall = (one: string, other: string): Operator[] => [
  { find: new RegExp(`\\b${one}\\(`, "g"), put: `${other}(` },
  { find: new RegExp(`\\b${other}\\(`, "g"), put: `${one}(` },
];

/** In words: what a comparison, a sum, a constant, a condition, a check, a statement can be mistaken for. */
const OPERATORS: readonly Operator[] = [
  ...swap("<=", "<"),
  ...swap(">=", ">"),
  ...swap("==", "!="),
  ...swap("&&", "||"),
  ...swap("+", "-"),
  ...swap("+=", "-="),
  { find: / \* /g, put: " + " },
  { find: /\b1000\b/g, put: "1001" },
  { find: / (>>|<<) (\d+)/g, put: " $1 ($2 + 1)" },
  { find: /\? ([^:?]+) : ([^;]+);/g, put: "? $2 : $1;" },
  // A type in a text that people sign.
  { find: /(?<=".*)\buint(\d+) (?=\w+[,)].*")/g, put: "int$1 " },
  // Yul.
  ...swapCall("gt", "lt"),
  ...swapCall("sgt", "slt"),
  ...swapCall("add", "sub"),
  ...swapCall("mul", "div"),
  ...swapCall("shl", "shr"),
  { find: /\bif [a-z]+\(.*\) \{/g, put: "if 1 {" },
  { find: /\bif [a-z]+\(.*\) \{/g, put: "if 0 {" },
  // A condition that is always or never so.
  { find: /\bif \((?:[^()]|\([^()]*\))*\)/g, put: "if (true)" },
  { find: /\bif \((?:[^()]|\([^()]*\))*\)/g, put: "if (false)" },
  // Whole lines: a check, an event, an assignment, a call, a count.
  { find: /^\s*(require\(|emit ).*\);$/g, put: "" },
  { find: /^\s*[\w.[\]]+ [+-]?= .*;$/g, put: "" },
  { find: /^\s*(?!require\b)[\w.[\]]+\(.*\);$/g, put: "" },
  { find: /^\s*(\+\+|--).*;$/g, put: "" },
  // Who may call, and when.
  { find: / (restricted|whenNotPaused|nonReentrant)(?=[ {])/g, put: "" },
];

/** Every mutant of a source. Comments, imports and declarations of the file's head are left alone. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const lines = source.split("\n");
  const found = new Map<string, Mutant>();
  lines.forEach((line, i) => {
    const code = line.replace(/\/\/.*$/, "").trimEnd();
    if (/^\s*(\*|\/\*|import\b|using\b|pragma\b|$)/.test(code)) return;
    for (const { find, put } of OPERATORS)
      for (const match of code.matchAll(find)) {
        const text = put.replace("$1", match[1] ?? "").replace("$2", match[2] ?? "");
        const changed = code.slice(0, match.index) + text + code.slice(match.index + match[0].length);
        if (changed.trim() === code.trim()) continue;
        const mutated = lines.with(i, changed).join("\n");
        found.set(mutated, {
          file,
          line: i + 1,
          before: code.trim(),
          after: changed.trim() || "(removed)",
          source: mutated,
        });
      }
  });
  return [...found.values()];
}
