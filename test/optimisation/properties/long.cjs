/** npm run test:long : every property at least 10,000 times, from a seed of its own that is printed. */
process.env.PROPERTY_RUNS ??= "10000";
process.env.PROPERTY_SEED ??= String(Date.now() % 2 ** 31);
// Contracts: 10,000 schedules and certificates (four of them per case), and 1,000 walks of 128 calls.
process.env.CHECKER_CASES ??= "2500";
process.env.SETTLEMENT_SEQUENCES ??= "1000";
process.env.SETTLEMENT_STEPS ??= "128";
console.log(
  `Properties: ${process.env.PROPERTY_RUNS} runs each, PROPERTY_SEED=${process.env.PROPERTY_SEED} (set it to repeat this run).`,
);
