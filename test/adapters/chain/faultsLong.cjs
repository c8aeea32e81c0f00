/** npm run test:faults : 150 records on each of 20 seeds, on anvil with PostgreSQL and on the embedded default. */
process.env.FAULT_SEEDS ??= "20";
process.env.FAULT_RECORDS ??= "150";
