const off = {
  peephole: false,
  inliner: false,
  jumpdestRemover: false,
  orderLiterals: false,
  deduplicate: false,
  cse: false,
  constantOptimizer: false,
};

/**
 * "quick" takes a third of the time of "production": nothing is optimised but the stack, without which viaIR finds no room for all
 * variables. "production" finds more changes that make no difference. "counting" is for code that counts what it does: "quick"
 * would need more gas for it than a transaction may have, and "production" finds no room on the stack.
 */
export const OPTIMIZER = {
  quick: {
    enabled: true,
    runs: 1,
    details: { ...off, yul: true, yulDetails: { stackAllocation: true, optimizerSteps: "u" } },
  },
  counting: {
    enabled: true,
    runs: 1,
    details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: "ul" } },
  },
  production: { enabled: true, runs: 1_000 },
} as const;

export type Effort = keyof typeof OPTIMIZER;
