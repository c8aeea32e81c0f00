/**
 * npm run bench -- NAME [options of that benchmark] : measures, and exits with 1 when a result is wrong.
 * Each module exports `run(args)`: the options after the name, true when every result was right.
 */
type Benchmark = { readonly run: (args: readonly string[]) => Promise<boolean> };

const BENCHMARKS: Readonly<Record<string, () => Promise<Benchmark>>> = {
  optimiser: () => import("./benchmarks/optimiser.ts"),
  v2g: () => import("./benchmarks/v2g.ts"),
  admission: () => import("./benchmarks/admission.ts"),
  value: () => import("./benchmarks/value.ts"),
  forecast: () => import("./benchmarks/forecast.ts"),
  repair: () => import("./benchmarks/repair.ts"),
  chain: () => import("./benchmarks/chain.ts"),
  web: () => import("./benchmarks/web.ts"),
};

const [name = "optimiser", ...args] = process.argv.slice(2);
const load = BENCHMARKS[name];
if (load === undefined) {
  console.error(`There is no benchmark "${name}". Use: npm run bench -- ${Object.keys(BENCHMARKS).join(" | ")}`);
  process.exit(2);
}
const ok = await (await load()).run(args);
process.exit(ok ? 0 : 1);
