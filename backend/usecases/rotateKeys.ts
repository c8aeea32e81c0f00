/**
 * Wraps all wallets under the newest key-encryption key (KEK), a few in each transaction: killed at any time, it goes on
 * where it was. The service may run meanwhile, once it was started with both keys. Only when nothing is left under an
 * old version can that one be taken out of the configuration.
 */
import type { SealedWallet, SealKeeper, Store } from "./ports.ts";

export type Rotation = {
  readonly version: number;
  /** Wallets that were wrapped anew now. */
  readonly rewrapped: number;
  /** Wallets that do not open under the key that they say: they are as they were. */
  readonly damaged: readonly string[];
  /** Wallets that are under the newest key at the end. */
  readonly underNewest: number;
};

const PER_TRANSACTION = 100;

/** Throws before anything is changed when a KEK is missing that wallets are wrapped under. */
export async function rotateKeys(
  { store, seals }: { readonly store: Store; readonly seals: SealKeeper },
  onProgress: (rewrapped: number) => void = () => undefined,
): Promise<Rotation> {
  await requireKeks(store, seals);
  const damaged: string[] = [];
  let rewrapped = 0;
  for (let after = ""; ; ) {
    const batch = await store.wallets.notUnder(seals.newest, after, PER_TRANSACTION);
    const last = batch.at(-1);
    if (last === undefined) break;
    after = last.walletId;
    const opened = batch.flatMap((wallet) => wrapped(wallet, seals, damaged));
    await store.transaction(async (inStep) => {
      for (const [wallet, next] of opened) if (await inStep.wallets.rewrap(wallet, next)) rewrapped++;
    });
    onProgress(rewrapped);
  }
  const versions = await store.wallets.kekVersions();
  const underNewest = versions.find(({ version }) => version === seals.newest)?.wallets ?? 0;
  return { version: seals.newest, rewrapped, damaged, underNewest };
}

async function requireKeks(store: Store, seals: SealKeeper): Promise<void> {
  const versions = (await store.wallets.kekVersions()).map(({ version }) => version);
  const missing = versions.filter((version) => !seals.has(version));
  const ahead = versions.filter((version) => version > seals.newest);
  if (missing.length > 0)
    throw new Error(
      `Wallets are wrapped under key-encryption key ${missing.join(", ")}, which is not configured. Put it into WALLET_KEKS beside the newest.`,
    );
  if (ahead.length > 0)
    throw new Error(`Wallets are under version ${ahead.join(", ")} already, newer than ${seals.newest}.`);
}

/** One damaged wallet does not hold up the others. */
function wrapped(
  wallet: SealedWallet,
  seals: SealKeeper,
  damaged: string[],
): readonly (readonly [SealedWallet, SealedWallet])[] {
  try {
    return [[wallet, seals.rewrap(wallet)]];
  } catch {
    damaged.push(wallet.walletId);
    return [];
  }
}
