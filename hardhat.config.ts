/** Compiler and local chain for contracts/. The compiler is the `solc` package: nothing is downloaded. */
import { fileURLToPath } from "node:url";
import hardhatEthers from "@nomicfoundation/hardhat-ethers";
import hardhatEthersChaiMatchers from "@nomicfoundation/hardhat-ethers-chai-matchers";
import hardhatMocha from "@nomicfoundation/hardhat-mocha";
import hardhatNetworkHelpers from "@nomicfoundation/hardhat-network-helpers";
import { defineConfig } from "hardhat/config";

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

export default defineConfig({
  plugins: [hardhatEthers, hardhatMocha, hardhatEthersChaiMatchers, hardhatNetworkHelpers],
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
  },
  paths: {
    sources: { solidity: ["contracts", "test/contracts/mocks"] },
    tests: { mocha: "test/contracts" },
  },
});
