/**
 * npm run deploy -- --network NAME --roles FILE     deploys, and writes deployments/<chainId>.json
 * npm run deploy -- --network NAME --verify         shows the sources of what is deployed to Sourcify
 *
 * Networks are in hardhat.config.ts. CHAIN_RPC_URL names the endpoint and DEPLOYER_KEY the key, in the environment or
 * in Hardhat's keystore (`npx hardhat keystore set DEPLOYER_KEY`). The deployer keeps no role. FILE is JSON:
 *   { "admin": "0x..", "guardian": ["0x.."], "operator": ["0x.."], "biller": ["0x.."], "registrar": ["0x.."],
 *     "arbiter": ["0x.."], "publisher": ["0x.."], "pauser": ["0x.."], "faucet": ["0x.."],
 *     "euro": null or "0x..", "payees": [{ "cpo": 1, "payee": "0x.." }], "delays": { "windowS": 259200 } }
 * Who is cut off starts the same command again: it goes on where it stopped. --folder FOLDER is another place than
 * deployments/.
 */
import { deployCommand } from "./deployment/command.ts";

deployCommand(process.argv.slice(2), console.log).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
