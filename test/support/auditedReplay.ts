/**
 * One short replay per algorithm and privacy with everything real, for all audit tests of a run. Changes to its database happen in a transaction
 * that is rolled back after the audit; its chain is looked at once and remembered.
 */
import { expect } from "chai";
import { sql } from "kysely";
import { createChainEye } from "../../backend/adapters/chain/chainEye.ts";
import type { Db } from "../../backend/adapters/store/schema.ts";
import { createStore } from "../../backend/adapters/store/store.ts";
import { auditSystem } from "../../backend/auditSystem.ts";
import { chainTotals } from "../../backend/chainTotals.ts";
import { DEFAULT_SETTINGS, derivedRandom, openSystem, type System } from "../../backend/compose.ts";
import type { AlgorithmName } from "../../backend/domain/algorithms.ts";
import { replayScenario } from "../../backend/replay/replayScenario.ts";
import { readScenario } from "../../backend/replay/scenario.ts";
import { type AuditParts, type AuditReport, audit } from "../../backend/usecases/audit.ts";
import type { ChainEye, Privacy, RunRecord } from "../../backend/usecases/ports.ts";
import { inTwoGroups, SAMPLE, shortened } from "./replays.ts";

/** Until then the sample has a fault under a promise, a car that draws less, an early leaver and one who opts out. */
export const HOURS = 15;

export type AuditedReplay = {
  readonly system: System;
  readonly eye: ChainEye;
  /** What the replay's own audit said. */
  readonly honest: AuditReport;
  rows<T>(query: string): Promise<T[]>;
  /** What the audit says after the statements, each of which must change one row. */
  auditAfter(statements: readonly string[], parts?: Partial<AuditParts>): Promise<AuditReport>;
};

const made = new Map<string, Promise<AuditedReplay>>();
export function auditedReplay(
  algorithm: AlgorithmName = "least-cost",
  privacy: Privacy = "rows",
  groups: 1 | 2 = 1,
): Promise<AuditedReplay> {
  const key = `${algorithm} ${privacy} ${groups}`;
  const replay = made.get(key) ?? make(algorithm, privacy, groups);
  made.set(key, replay);
  return replay;
}

// Root hook: what a run shares stops with it.
if (typeof after === "function")
  after(async () => {
    for (const replay of made.values()) await (await replay).system.close();
  });

async function make(algorithm: AlgorithmName, privacy: Privacy, groups: 1 | 2): Promise<AuditedReplay> {
  const system = await openSystem({ random: derivedRandom("audit test"), privacy });
  const { database, ledger } = system;
  const market = DEFAULT_SETTINGS.market;
  let honest: AuditReport | undefined;
  await replayScenario(system, {
    scenario: readScenario(groups === 2 ? inTwoGroups(shortened(SAMPLE, HOURS)) : shortened(SAMPLE, HOURS)),
    settings: DEFAULT_SETTINGS,
    algorithm: { name: algorithm, parameters: {} },
    version: "test",
    totals: () => chainTotals(system),
    audit: async () => {
      honest = await auditSystem(system, { market });
      return honest;
    },
  });
  const eye = remembering(await createChainEye(system.rpc, system.manifest, system.contracts, system.artifacts));
  const auditOf = (db: Db, parts: Partial<AuditParts>) =>
    audit({ store: createStore(db), ledger, chain: eye, market, ...parts });

  async function auditAfter(statements: readonly string[], parts: Partial<AuditParts> = {}): Promise<AuditReport> {
    let report: AuditReport | undefined;
    const undo = new Error("undo");
    const work = database.db.transaction().execute(async (trx) => {
      await sql`set local session_replication_role = replica`.execute(trx);
      for (const statement of statements) {
        const { numAffectedRows } = await sql.raw(statement).execute(trx);
        expect(numAffectedRows, statement).to.equal(1n);
      }
      report = await auditOf(trx, parts);
      throw undo;
    });
    await work.catch((error) => {
      if (error !== undo) throw error;
    });
    return report!;
  }
  const rows = async <T>(query: string) => (await sql.raw<T>(query).execute(database.db)).rows;
  return { system, eye, honest: honest!, rows, auditAfter };
}

export type TenantRuns = Awaited<ReturnType<typeof tenantRuns>>;

/** Two groups of one CPO under one root: all runs as the chain shows them; a slot in the middle with the groups' own runs in it. */
export async function tenantRuns() {
  const replay = await auditedReplay("least-cost", "tenant-root", 2);
  const runs: readonly RunRecord[] = await replay.eye.runs();
  const { slot } = runs[Math.floor(runs.length / 2)]!;
  const members = await replay.system.store.plans.sealedRuns("cpo", slot, slot + 1);
  return { replay, runs, slot, members };
}

/** Some difference is about the thing, and says so in these words. Several plans that share one hash are named together. */
export function expectNamed(report: AuditReport, thing: string, words: RegExp | string = "", what = ""): void {
  const matches = (text: string) => (typeof words === "string" ? text.includes(words) : words.test(text));
  const found = report.differences.some(({ where, text }) => where.split(", ").includes(thing) && matches(text));
  const others = report.differences.slice(0, 12).map(({ where, text }) => `${where}: ${text}`);
  expect(found, `${what} ${thing} ${words} among\n${others.join("\n") || "no difference"}\n`).to.equal(true);
}

/** Asks the chain once for everything: it does not change while these tests run. */
function remembering(eye: ChainEye): ChainEye {
  const known = new Map<string, unknown>();
  const remembered =
    (name: string, verb: (...args: unknown[]) => unknown) =>
    (...args: unknown[]) => {
      const key = JSON.stringify([name, ...args], (_, value) => (typeof value === "bigint" ? `${value}n` : value));
      if (!known.has(key)) known.set(key, verb(...args));
      return known.get(key);
    };
  return Object.fromEntries(
    Object.entries(eye).map(([name, value]) => [
      name,
      typeof value === "function" ? remembered(name, value as (...args: unknown[]) => unknown) : value,
    ]),
  ) as ChainEye;
}
