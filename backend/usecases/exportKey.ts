/** A driver takes the own key out, to use the account on chain without us. We keep our copy: sessions go on as before. */
import type { EpochSecond } from "../domain/units.ts";
import type { Hex, World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export type ExportedKey = {
  readonly kind: "exported";
  readonly address: Hex;
  /** 32 bytes of hex. Whoever holds it can spend what is on the account: for the driver's eyes only. */
  readonly privateKey: Hex;
  /** When the key was taken out before; the driver may know nothing of it. */
  readonly exportedBefore: EpochSecond | null;
};

/** Whoever calls this has made sure, just now, that it is the driver who asks. */
export async function exportKey(
  { store: whole, wallets, clock }: Pick<World, "store" | "wallets" | "clock">,
  { driverId }: { readonly driverId: string },
): Promise<ExportedKey | Refused<"unknown-driver">> {
  return whole.transaction(async (store) => {
    const wallet = await store.drivers.wallet(driverId);
    if (!wallet) return refused("unknown-driver", `Driver ${driverId} is not registered, or was erased.`);
    const exportedBefore = await store.wallets.noteExport(wallet.walletId, clock.now());
    const privateKey = await wallets.exportKey(wallet);
    return { kind: "exported", address: wallet.address, privateKey, exportedBefore };
  });
}
