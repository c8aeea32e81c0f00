/** Source text as the AlgorithmRegistry stores it: Brotli, in chunks that fit into the code of one address each. */
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { hashText } from "./commitments.ts";
import type { Hex } from "./rpc.ts";

/** 24,576 bytes of contract code (EIP-170) without the STOP before the data. */
const MAX_CHUNK_BYTES = 24_575;

/** The chunks of a text, in order. */
export function chunksOf(text: string): Hex[] {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  const bytes = brotliCompressSync(Buffer.from(text, "utf8"), { params });
  const count = Math.ceil(bytes.length / MAX_CHUNK_BYTES);
  return Array.from({ length: count }, (_, i): Hex => {
    return `0x${bytes.subarray(i * MAX_CHUNK_BYTES, (i + 1) * MAX_CHUNK_BYTES).toString("hex")}`;
  });
}

/**
 * The text behind `AlgorithmRegistry.codeOf`. Throws unless it is the one whose hash the version names: the contract cannot
 * decompress, so the reader checks.
 */
export function textOf(code: Hex, compressed: Hex): string {
  const text = brotliDecompressSync(Buffer.from(compressed.slice(2), "hex")).toString("utf8");
  if (hashText(text) !== code)
    throw new Error(
      `The code stored on chain has the hash ${hashText(text)}, the version names ${code}: do not run it.`,
    );
  return text;
}
