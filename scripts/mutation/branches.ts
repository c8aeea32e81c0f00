/**
 * Counts branches of Solidity. Hardhat counts statements and lines only, so each condition is wrapped in a call that reports
 * its value the way Hardhat's own marks report a statement. Yul has no marks: its branches are for the mutants to judge.
 */
import { createRequire } from "node:module";

type Solc = { compile(input: string, callbacks: { import(path: string): { contents: string } }): string };
const solc = createRequire(import.meta.url)("solc") as Solc;

/** One condition; it was seen false under the mark `index * 2`, true under the next. Positions in bytes. */
export type Condition = {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly start: number;
  readonly end: number;
};
type Node = { readonly nodeType?: string; readonly src?: string; readonly [key: string]: unknown };

/** Far from Hardhat's marks, which are hashes. */
const FIRST_MARK = 0xb4a7c4n << 128n;
/** Mark under which a condition's value arrives, as Hardhat stores it. */
export const markOf = (index: number, value: boolean): string =>
  (FIRST_MARK + BigInt(2 * index + (value ? 1 : 0))).toString(16).padStart(64, "0");

export const HELPER_FILE = "contracts/BranchCount.sol";
/** A library that sends a mark to Hardhat's coverage address; pure in name, so that pure functions can be counted. */
export const HELPER = `// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

library BranchCount {
    function _send(uint256 mark) private view {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, mark)
            pop(staticcall(gas(), 0xc0bEc0BEc0BeC0bEC0beC0bEC0bEC0beC0beC0BE, free, 32, 0, 0))
        }
    }

    function _pure(function(uint256) internal view given) private pure returns (function(uint256) pure same) {
        assembly {
            same := given
        }
    }

    function seen(uint256 mark, bool value) internal pure returns (bool) {
        _pure(_send)(value ? mark + 1 : mark);
        return value;
    }
}
`;

/** Every condition of the files: of if, require, loops and choices, and each operand of && and ||. Outer ones come first. */
export function conditionsOf(files: readonly string[], read: (path: string) => string): Condition[] {
  const input = {
    language: "Solidity",
    sources: Object.fromEntries(files.map((file) => [file, { content: read(file) }])),
    settings: { outputSelection: { "*": { "": ["ast"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: (path) => ({ contents: read(path) }) })) as {
    readonly sources: Readonly<Record<string, { readonly ast: Node }>>;
  };
  return files.flatMap((file) => {
    const source = Buffer.from(read(file));
    return conditionNodes(output.sources[file]?.ast ?? {}).map((node) => {
      const [start = 0, length = 0] = (node.src ?? "").split(":").map(Number);
      const line = source.subarray(0, start).toString().split("\n").length;
      return { file, line, text: source.subarray(start, start + length).toString(), start, end: start + length };
    });
  });
}

function conditionNodes(node: Node): Node[] {
  const own: unknown[] = [];
  if (["IfStatement", "Conditional", "ForStatement", "WhileStatement"].includes(node.nodeType ?? ""))
    own.push(node.condition);
  if (node.nodeType === "FunctionCall" && (node.expression as { name?: string }).name === "require")
    own.push((node.arguments as unknown[])[0]);
  if (node.nodeType === "BinaryOperation" && ["&&", "||"].includes(node.operator as string))
    own.push(node.leftExpression, node.rightExpression);
  const below = Object.values(node)
    .flat()
    .filter((one): one is Node => typeof one === "object" && one !== null);
  return [
    ...own.filter((one): one is Node => typeof one === "object" && one !== null),
    ...below.flatMap(conditionNodes),
  ];
}

/** The source of one file with its conditions wrapped; marks follow their places in `all`, the conditions of all files. */
export function marked(file: string, source: string, all: readonly Condition[]): string {
  const own = all.map((one, index) => ({ ...one, index })).filter((one) => one.file === file);
  const inner = own.toSorted((a, b) => a.end - a.start - (b.end - b.start));
  const inserts = [
    // At one place inner conditions close before outer ones, and outer ones open before inner ones.
    ...inner.map(({ end }) => ({ at: end, text: ")" })),
    ...inner.toReversed().map(({ start, index }) => ({
      at: start,
      text: `BranchCount.seen(0x${markOf(index, false)}, `,
    })),
  ].sort((a, b) => a.at - b.at);
  const bytes = Buffer.from(source);
  let from = 0;
  let text = "";
  for (const insert of inserts) {
    text += bytes.subarray(from, insert.at).toString() + insert.text;
    from = insert.at;
  }
  const up = "../".repeat(file.split("/").length - 2) || "./";
  return `${text}${bytes.subarray(from).toString()}\nimport {BranchCount} from "${up}BranchCount.sol";\n`;
}
