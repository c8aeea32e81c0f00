/** What a receipt says beyond its sum, computed from its own figures. */
import type { Receipt as Contents, ReceiptInterval } from "../../backend/settlement/receipt.ts";

const WH_PER_KWH = 1000;

/** Value of energy, micro-euro: Wh times micro-euro per kWh. */
const worth = (intervals: readonly ReceiptInterval[], wh: (of: ReceiptInterval) => number) =>
  intervals.reduce((sum, one) => sum + (wh(one) * one.value) / WH_PER_KWH, 0);

/** What the energy was worth when it was charged, against charging at once; micro-euro. */
export function worths({ flex: { intervals } }: Contents): { readonly metered: number; readonly atOnce: number } {
  return {
    metered: worth(intervals, ({ meteredWh }) => meteredWh),
    atOnce: worth(intervals, ({ baselineWh }) => baselineWh),
  };
}

/** Whether the receipt is the one that the chain has: leaf = keccak(keccak(salt, keccak(text))). */
export async function isGenuine({
  receipt,
  salt,
  detailHash,
}: {
  receipt: string;
  salt: string;
  detailHash: string;
}): Promise<boolean> {
  const { concat, keccak256, toUtf8Bytes } = await import("ethers");
  return keccak256(keccak256(concat([salt, keccak256(toUtf8Bytes(receipt))]))) === detailHash;
}
