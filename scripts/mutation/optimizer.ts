/** "quick" compiles in half the time of "production", which finds more changes that make no difference. */
export const OPTIMIZER = {
  // Only what viaIR needs to find room on the stack.
  quick: {
    enabled: true,
    runs: 1,
    details: { yul: true, yulDetails: { stackAllocation: true, optimizerSteps: "ul" } },
  },
  production: { enabled: true, runs: 1_000 },
} as const;

export type Effort = keyof typeof OPTIMIZER;
