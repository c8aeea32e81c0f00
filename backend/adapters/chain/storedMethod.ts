/**
 * The exact method as a deployment published it: its text comes out of the AlgorithmRegistry and runs in a context of its
 * own, so that a plan is made again without this project's copy of it.
 */
import { stripTypeScriptTypes } from "node:module";
import { createContext, runInContext } from "node:vm";
import type { StoredMethod } from "../../usecases/ports.ts";
import { leastCostText } from "./algorithms.ts";
import { textOf } from "./codeChunks.ts";
import { hashText } from "./commitments.ts";
import type { Hex } from "./rpc.ts";

/** Throws when the chain has no text of this hash, and when the text reaches for anything outside of itself. */
export function storedMethod(code: Hex, compressed: Hex): StoredMethod {
  if (compressed === "0x") throw new Error(`No text with the hash ${code} is stored. Store it before publishing.`);
  return { isOurs: code === hashText(leastCostText()), run: runnable(textOf(code, compressed)) };
}

/**
 * Nothing of this process is within reach of the text: only strings go in and come out, it cannot make code of strings, and
 * no module is loaded for it. node:vm alone is no fence against malice, so a text that imports is not run at all.
 */
export function runnable(text: string): StoredMethod["run"] {
  if (/\bimport\s*([(/]|\.\s*[/a-z])/.test(text))
    throw new Error("The text of the exact method imports something when it runs: do not run it.");
  const context = createContext(Object.create(null), { codeGeneration: { strings: false, wasm: false } });
  const script = `${typesStripped(text).replaceAll(/^export /gm, "")}\n${ASKED}`;
  const answer = runInContext(script, context, { filename: "least-cost-on-chain.js" }) as (text: string) => unknown;
  return (problem) => {
    const { energyWh, y, w } = JSON.parse(String(answer(JSON.stringify(problem)))) as Answer;
    return { energyWh, certificate: { y: y.map(BigInt), w: w.map(BigInt) } };
  };
}

type Answer = { readonly energyWh: number[][]; readonly y: string[]; readonly w: string[] };

const ASKED = `(text) => {
  const { energyWh, certificate } = leastCost(JSON.parse(text));
  return JSON.stringify({ energyWh, y: certificate.y.map(String), w: certificate.w.map(String) });
}`;

/** Node does this to every file of this project; only asked for by name it warns that it may do otherwise one day. */
function typesStripped(text: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  try {
    return stripTypeScriptTypes(text);
  } finally {
    process.emitWarning = emitWarning;
  }
}
