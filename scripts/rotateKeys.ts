/**
 * npm run rotate: wraps all drivers' wallets under the newest key of WALLET_KEKS. With the environment of the service
 * (DATABASE_URL, WALLET_KEKS with the old keys and the new one). May be killed and run again.
 * Exit code 0: every wallet is under the newest key; 1: some do not open; 2: it could not be done.
 */
import { randomBytes } from "node:crypto";
import { createSeals } from "../backend/adapters/chain/seals.ts";
import { openDatabase } from "../backend/adapters/store/database.ts";
import { createStore } from "../backend/adapters/store/store.ts";
import { readConfig } from "../backend/config.ts";
import { rotateKeys } from "../backend/usecases/rotateKeys.ts";

try {
  const { databaseUrl, walletKeks } = readConfig();
  if (databaseUrl === null || walletKeks === null)
    throw new Error("Set DATABASE_URL and WALLET_KEKS as for the service: a database in memory keeps no wallets.");
  const database = await openDatabase({ url: databaseUrl, migrate: false });
  const seals = createSeals({
    keks: walletKeks,
    kekVersion: Math.max(...Object.keys(walletKeks).map(Number)),
    random: (bytes) => new Uint8Array(randomBytes(bytes)),
  });
  try {
    const { version, rewrapped, damaged, underNewest } = await rotateKeys(
      { store: createStore(database.db), seals },
      (done) => process.stderr.isTTY && process.stderr.write(`\r${done} wallets`),
    );
    console.log(`${rewrapped} wallets wrapped anew; ${underNewest} are under version ${version}.`);
    if (damaged.length > 0) {
      console.error(`These wallets do not open and stay as they were; keep their key: ${damaged.join(", ")}`);
      process.exitCode = 1;
    } else
      console.log(
        "Older versions can be taken out of WALLET_KEKS once no service runs that was started with them alone.",
      );
  } finally {
    await database.close();
  }
} catch (error) {
  console.error(`The keys were not rotated. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
