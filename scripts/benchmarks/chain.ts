/**
 * npm run bench -- chain [--json] [--parts writer,gas,verify] [--records 1000] : the way to the chain, on anvil. Records per
 * second through the writer; gas per slot and per session for 10, 150 and 10,000 charge points; the audit of a day of 150.
 * Wrong: a record that is missing, a call above the cap of a transaction, a difference in the audit, or an audit that takes
 * longer than a minute.
 */
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { request } from "../../backend/adapters/chain/rpc.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import { epochSecond, microEur, microEurPerKwh } from "../../backend/domain/units.ts";
import type { BillLine, ChainCall, RunRecord } from "../../backend/usecases/ports.ts";
import { startAnvil } from "../../test/support/anvil.ts";
import { verifyDay } from "./chainDay.ts";
import { round } from "./figures.ts";

const CHARGE_POINTS = [10, 150, 10_000];
/** As many rows as a plan has cars at most; larger sites are several groups. */
const LARGEST_GROUP = 400;
const GAS_CAP = 16_777_216;
const LONGEST_VERIFY_S = 60;
/** Long past: records may be as late as they like. */
const FIRST_SLOT = 1_900_000;
const PARTS = ["writer", "gas", "verify"];

export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      parts: { type: "string", default: PARTS.join() },
      records: { type: "string", default: "1000" },
    },
  });
  const parts = values.parts.split(",");
  const unknown = parts.find((part) => !PARTS.includes(part));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}". Use ${PARTS.join(", ")}.`);
  const result = {
    benchmark: "chain",
    node: process.version,
    /** Of the last minute, when it began: figures of a busy machine are not the machine's. */
    load: round(loadavg()[0] as number, 1),
    writer: parts.includes("writer") ? await onAnvil((system) => writerSpeed(system, Number(values.records))) : null,
    gas: parts.includes("gas") ? await onAnvil(gasFigures) : null,
    verify: parts.includes("verify") ? await verifyDay() : null,
  };
  const ok =
    result.writer?.complete !== false &&
    (result.gas?.every(({ fits }) => fits) ?? true) &&
    (result.verify === null || (result.verify.differences === 0 && result.verify.seconds <= LONGEST_VERIFY_S));
  console.log(values.json ? JSON.stringify({ ...result, ok }, null, 2) : text(result));
  return ok;
}

/** A system on a chain of its own, spoken to over HTTP, that mines each transaction at once. */
async function onAnvil<T>(work: (system: System) => Promise<T>): Promise<T> {
  const anvil = await startAnvil({ mines: true, funded: [], accounts: 10 });
  if (anvil === null)
    throw new Error("anvil does not run here. Install the package @foundry-rs/anvil for this platform.");
  const system = await openSystem({ chainRpcUrls: [anvil.url], random: derivedRandom("chain benchmark") });
  try {
    return await work(system);
  } finally {
    await system.close();
    await anvil.stop();
  }
}

/* ------------------------------------------------------------------------------------------------------ writer */

/** Records of a group of ten in one stream, enqueued beforehand: simulated, signed, sent, looked for and noted as final. */
async function writerSpeed({ store, ledger, writer, reader }: System, records: number) {
  const calls = Array.from({ length: records }, (_, i) => ledger.record([aRun(ledger, 1, FIRST_SLOT + i, 10)]));
  await store.transaction(async (inStep) => {
    for (const call of calls) await inStep.outbox.enqueue(call);
  });
  const began = performance.now();
  const { open } = await writer.drain();
  const seconds = (performance.now() - began) / 1000;
  const slots = (await reader.runs(1)).map(({ slot }) => slot - FIRST_SLOT);
  const complete = open === 0 && slots.length === records && slots.every((slot, i) => slot === i);
  return { records, seconds: round(seconds, 2), recordsPerSecond: round(records / seconds, 1), complete };
}

type Ledger = System["ledger"];

/** A run whose commitments are as random as real ones: zero bytes are cheaper. */
function aRun(ledger: Ledger, group: number, slot: number, assets: number): RunRecord {
  const word = (name: string): Hex => ledger.hashText(`${name} ${group} ${slot}`);
  const rows = Array.from({ length: assets }, (_, index) => ({
    ...{ index, limitW: 7_360 + 10 * (index % 300), powerW: 6_900 + 20 * (index % 200), status: 2, flags: 0 },
    registerWh: 1_234_567 + 40_000 * index + 1_700 * (slot % 1000),
  }));
  return {
    ...{ group, slot, algorithm: ledger.versions["least-cost"] },
    ...{
      problem: word("problem"),
      plan: word("plan"),
      value: word("value"),
      earlier: word("earlier"),
      root: word("root"),
    },
    rows: assets === 0 ? "0x" : ledger.packRows(rows),
  };
}

/* --------------------------------------------------------------------------------------------------------- gas */

/** What one layout of `chargePoints` costs per slot, or what a session's bill costs, when neither is the first of its kind. */
type GasLine = {
  readonly chargePoints: number;
  readonly what: string;
  readonly transactions: number;
  readonly gas: number;
  readonly gasPerDay: number | null;
  /** Below the cap of a transaction. */
  readonly fits: boolean;
};

async function gasFigures(system: System): Promise<GasLine[]> {
  const { ledger } = system;
  let group = 0;
  /** Gas of the second record of a fresh group with so many rows. */
  const recordOf = async (rows: number) => {
    group++;
    await write(system, ledger.record([aRun(ledger, group, FIRST_SLOT, rows)]));
    return gasOf(system, ledger.record([aRun(ledger, group, FIRST_SLOT + 1, rows)]));
  };
  const perSlot = (chargePoints: number, what: string, each: number, transactions: number): GasLine => ({
    ...{ chargePoints, what, transactions, gas: each * transactions, gasPerDay: 96 * each * transactions },
    fits: each < GAS_CAP,
  });
  const tenant = await recordOf(0);
  const ten = await recordOf(10);
  const lines: GasLine[] = [];
  for (const chargePoints of CHARGE_POINTS) {
    const groups = Math.ceil(chargePoints / LARGEST_GROUP);
    const rows = chargePoints / groups;
    const largest = await recordOf(rows);
    lines.push(
      perSlot(chargePoints, `slot, rows, groups of ${rows}`, largest, groups),
      ...(rows === 10 ? [] : [perSlot(chargePoints, "slot, rows, groups of 10", ten, chargePoints / 10)]),
      perSlot(chargePoints, "slot, one root for the tenant", tenant, 1),
    );
  }
  const bills = await billGas(system);
  for (const chargePoints of CHARGE_POINTS) {
    const count = Math.min(chargePoints, DEFAULT_SETTINGS.billingLines);
    const gas = bills.get(count) as number;
    const each = { transactions: chargePoints / count, gas: Math.round(gas / count), gasPerDay: null };
    lines.push({ chargePoints, what: `session, batches of ${count}`, ...each, fits: gas < GAS_CAP });
  }
  return lines;
}

/** Gas of a CPO's second batch, by its number of lines, each of another driver. */
async function billGas(system: System): Promise<ReadonlyMap<number, number>> {
  const { ledger, treasury } = system;
  const counts = [...new Set(CHARGE_POINTS.map((count) => Math.min(count, DEFAULT_SETTINGS.billingLines)))];
  const drivers = Array.from(
    { length: Math.max(...counts) },
    (_, i) => `0x${ledger.hashText(`driver ${i}`).slice(26)}` as Hex,
  );
  await write(
    system,
    ledger.mintTestEuro(treasury, microEur(10n ** 12n), "mint"),
    ledger.approveDeposits(),
    ...drivers.flatMap((driver) => [
      ledger.registerDrivers([{ driver, consent: ledger.hashText(driver) }]),
      ledger.deposit(driver, microEur(10n ** 9n), `deposit:${driver}`),
    ]),
  );
  const found = new Map<number, number>();
  for (const [i, count] of counts.entries()) {
    const cpo = i + 1;
    const terms = { maxPerKwh: microEurPerKwh(600_000), maxFixed: microEur(0n), fromAt: epochSecond(0) };
    await write(system, ledger.setPayee({ cpo, payee: treasury }), ledger.setTariff({ tariff: cpo, cpo, ...terms }));
    const batch = (seq: number) =>
      ledger.post({
        cpo,
        seq,
        lines: drivers.slice(0, count).map((driver, n) => aLine(ledger, driver, cpo, 1000 * seq + n)),
      });
    await write(system, batch(1));
    found.set(count, await gasOf(system, batch(2)));
  }
  return found;
}

const aLine = (ledger: Ledger, driver: Hex, tariff: number, number: number): BillLine => ({
  ...{ number, driver, tariff, amount: 4_321_000n, credit: 0n, wh: 12_345, flex: 4_321 },
  detail: ledger.hashText(`receipt ${number}`),
});

async function write({ store, writer }: System, ...calls: readonly ChainCall[]): Promise<void> {
  for (const call of calls) await store.outbox.enqueue(call);
  const { open, parked } = await writer.drain();
  if (open > 0) throw new Error(`${open} calls did not reach the chain, ${parked} of them would revert.`);
}

async function gasOf(system: System, call: ChainCall): Promise<number> {
  await write(system, call);
  const { tx_hash } = await system.database.db
    .selectFrom("outbox")
    .select("tx_hash")
    .where("key", "=", call.key)
    .executeTakeFirstOrThrow();
  return Number((await request<{ gasUsed: Hex }>(system.rpc, "eth_getTransactionReceipt", tx_hash)).gasUsed);
}

/* ------------------------------------------------------------------------------------------------------ output */

function text({
  writer,
  gas,
  verify,
}: {
  readonly writer: Awaited<ReturnType<typeof writerSpeed>> | null;
  readonly gas: readonly GasLine[] | null;
  readonly verify: Awaited<ReturnType<typeof verifyDay>> | null;
}): string {
  const lines: string[] = [];
  if (writer)
    lines.push(
      `${writer.records} records in ${writer.seconds} s: ${writer.recordsPerSecond} per second${writer.complete ? "" : ", INCOMPLETE"}`,
    );
  for (const { chargePoints, what, transactions, gas: used, gasPerDay } of gas ?? [])
    lines.push(
      [
        String(chargePoints).padStart(6),
        what.padEnd(32),
        `${transactions} tx`.padStart(8),
        `${used.toLocaleString("en")} gas`.padStart(16),
        gasPerDay === null ? "" : `${(gasPerDay / 1e6).toFixed(1)} M a day`.padStart(16),
      ].join("  "),
    );
  if (verify)
    lines.push(
      `${verify.chargePoints} charge points, ${verify.sessions} sessions, ${verify.runs} runs, ${verify.plans} plans: verified in ${verify.seconds} s (${verify.cpuSeconds} s of CPU), ${verify.differences} differences (replayed in ${verify.replaySeconds} s)`,
    );
  return lines.join("\n");
}
