/** Whether a receipt is the one that the chain has. */

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
