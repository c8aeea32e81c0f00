/**
 * Compiler, local chain and deployment networks for contracts/. The compiler is the `solc` package: nothing is
 * downloaded.
 */
import { fileURLToPath } from "node:url";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatEthersChaiMatchers from "@nomicfoundation/hardhat-ethers-chai-matchers";
import hardhatIgnition from "@nomicfoundation/hardhat-ignition";
import hardhatKeystore from "@nomicfoundation/hardhat-keystore";
import hardhatMocha from "@nomicfoundation/hardhat-mocha";
import hardhatNetworkHelpers from "@nomicfoundation/hardhat-network-helpers";
import hardhatVerify from "@nomicfoundation/hardhat-verify";
import { configVariable, defineConfig } from "hardhat/config";

const compiler = (runs: number) => ({
  version: "0.8.37",
  path: fileURLToPath(new URL("node_modules/solc/soljson.js", import.meta.url)),
  settings: {
    optimizer: { enabled: true, runs },
    viaIR: true,
    // OpenZeppelin 5.7 needs mcopy (cancun); nothing newer, so that the same bytecode runs on every chain in use.
    evmVersion: "cancun",
  },
});

/** A network that `npm run deploy` knows. Endpoint and key come from the environment or from Hardhat's keystore. */
const over = (chainId: number, url = configVariable("CHAIN_RPC_URL")) => ({
  type: "http" as const,
  chainId,
  url,
  accounts: [configVariable("DEPLOYER_KEY")],
});

export default defineConfig({
  plugins: [
    hardhatEthers,
    hardhatMocha,
    hardhatEthersChaiMatchers,
    hardhatNetworkHelpers,
    hardhatIgnition,
    hardhatKeystore,
    hardhatVerify,
  ],
  solidity: {
    compilers: [compiler(1000)],
    // Settlement has the most code of all: with 200 it stays below the limit of 24,576 bytes.
    overrides: { "contracts/Settlement.sol": compiler(200) },
    npmFilesToBuild: ["@openzeppelin/contracts/access/manager/AccessManager.sol"],
  },
  networks: {
    // The same rules as the embedded chain and `anvil --hardfork osaka`: contract size and transaction gas are capped.
    default: {
      type: "edr-simulated",
      chainId: 31_337,
      hardfork: "osaka",
      allowUnlimitedContractSize: false,
    },
    local: over(31_337, configVariable("CHAIN_RPC_URL", { default: "http://127.0.0.1:8545" })),
    sepolia: over(11_155_111),
    // The rollup: its gas is counted as Ethereum counts it (Arbitrum adds the cost of data to gas), so that
    // test/contracts/gas.json holds there too.
    "base-sepolia": over(84_532),
    // Energy Web's test network, once it has the cancun rules: until then the probe refuses it.
    volta: over(73_799),
  },
  // Sourcify needs no key. SOURCIFY_URL names another one than the public one to `npm run deploy`, a consortium's for
  // instance.
  verify: {
    etherscan: { apiKey: configVariable("ETHERSCAN_API_KEY", { default: "" }) },
    blockscout: { enabled: false },
  },
  paths: {
    sources: { solidity: ["contracts", "test/contracts/mocks"] },
    tests: { mocha: "test/contracts" },
    // `hardhat ignition status|transactions ID` look into deployments/ID.
    ignition: ".",
  },
});
