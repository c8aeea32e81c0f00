/**
 * Sources that are changed, the contract into which each is compiled, and its tests: those that notice most first, the random
 * ones last.
 */
const SETTLEMENT = {
  contract: "Settlement",
  tests: [
    "Settlement.bills",
    "Settlement.disputes",
    "Settlement.flexibility",
    "Settlement.batches",
    "Settlement.registers",
    "Settlement.intents",
    "Settlement.money",
    "Settlement.invariants",
  ],
} as const;

export const TARGETS: Readonly<Record<string, { readonly contract: string; readonly tests: readonly string[] }>> = {
  "AlgorithmRegistry.sol": { contract: "AlgorithmRegistry", tests: ["AlgorithmRegistry"] },
  "AssetRegistry.sol": { contract: "AssetRegistry", tests: ["AssetRegistry"] },
  "FlexToken.sol": { contract: "FlexToken", tests: ["tokens"] },
  "TestEuro.sol": { contract: "TestEuro", tests: ["tokens"] },
  "ScheduleChecker.sol": { contract: "ScheduleChecker", tests: ["ScheduleChecker"] },
  "SlotLedger.sol": { contract: "SlotLedger", tests: ["SlotLedger", "SlotLedger.confirm"] },
  "Settlement.sol": SETTLEMENT,
  "libraries/AccountWord.sol": SETTLEMENT,
  "libraries/BillTree.sol": SETTLEMENT,
  "libraries/IntentHash.sol": SETTLEMENT,
};
