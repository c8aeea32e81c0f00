/** npm run test:long : every property at least 10,000 times, from a seed of its own that is printed. */
process.env.PROPERTY_RUNS ??= "10000";
process.env.PROPERTY_SEED ??= String(Date.now() % 2 ** 31);
console.log(
  `Properties: ${process.env.PROPERTY_RUNS} runs each, PROPERTY_SEED=${process.env.PROPERTY_SEED} (set it to repeat this run).`,
);
