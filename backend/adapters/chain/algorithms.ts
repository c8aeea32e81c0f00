/** What is registered on chain about the scheduling methods: name, hash of the source code, parameters. */
import { readdirSync, readFileSync } from "node:fs";
import { keccak256, toUtf8Bytes } from "ethers";
import { METHOD_NAMES } from "../../domain/algorithms.ts";
import type { AlgorithmSpec } from "./deployment.ts";
import type { Hex } from "./rpc.ts";

/** `voll` and `extra` hold for every run; a run's `scale` and early weight stay within the maxima. */
export type RegisteredWeights = Pick<AlgorithmSpec, "maxScale" | "voll" | "extra" | "maxEarly">;

/** Specifications of all methods, for `DeploymentConfig.algorithms`. */
export function algorithmSpecs(weights: RegisteredWeights, activeFrom = 0): AlgorithmSpec[] {
  const shared = { ...weights, sourceHash: sourceHash(), activeFrom, uri: "" };
  return METHOD_NAMES.map((name) => ({
    ...shared,
    method: `${name}/1`,
    ...(name === "least-cost" ? { code: leastCostText() } : {}),
  }));
}

/** The exact method is one file that stands alone: its text is stored on chain, and running it again gives the same plan. */
export function leastCostText(): string {
  return readFileSync(new URL("../../optimisation/leastCost.ts", import.meta.url), "utf8").replaceAll("\r\n", "\n");
}

/** keccak256 over "path\n" and content of every source file under the folder, by path; line ends count as \n. */
export const sourceHash = (folder?: URL): Hex => hashOf(sourceText(folder));

const hashOf = (text: string) => keccak256(toUtf8Bytes(text)) as Hex;

/** What a specification names by hash: the source of all methods (`sourceHash`) and the text of the exact one (`code`). */
export const sourceTexts = (): ReadonlyMap<string, string> =>
  new Map([sourceText(), leastCostText()].map((text) => [hashOf(text), text]));

function sourceText(folder: URL = new URL("../../optimisation/", import.meta.url)): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => name.replaceAll("\\", "/"))
    .sort();
  if (names.length === 0) throw new Error(`There is no source code in ${folder.pathname}.`);
  const texts = names.map((name) => `${name}\n${readFileSync(new URL(name, folder), "utf8").replaceAll("\r\n", "\n")}`);
  return texts.join("");
}
