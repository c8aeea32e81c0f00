/** One run for everything: contract tests use Hardhat's runtime from inside plain mocha. */
module.exports = {
  require: ["./test/support/strict.ts"],
  reporter: "./test/support/reporter.cjs",
  timeout: 120_000,
  slow: 5_000,
  forbidOnly: true,
  failZero: true,
  // Chains and databases in WebAssembly keep handles open after their tests; mocha's exit code is set before this.
  exit: true,
};
