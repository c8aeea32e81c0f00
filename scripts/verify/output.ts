/** What was found, for people and for machines. */
import type { AuditReport } from "../../backend/usecases/audit.ts";
import type { BundleReport } from "../../backend/usecases/auditBundle.ts";

type Found = Pick<AuditReport, "differences" | "notes" | "table">;

/** Differences that are printed one by one; --json has all. */
const SHOWN = 40;

export function auditText(report: AuditReport, about: string): string {
  const gaps: string[] = [];
  for (const [algorithm, plans] of Map.groupBy(report.gaps, (one) => one.algorithm)) {
    const dearest = plans[0]!;
    const why = algorithm === "least-cost" ? "were repaired for least power" : `are by ${algorithm}`;
    gaps.push(
      `${plans.length} plans ${why}; the dearest, ${dearest.plan}, is at most ${dearest.microEur} micro-euro above the certified optimum, energy left out included`,
    );
  }
  const { runsChecked, plansChecked, billsChecked, leavesChecked, readingsChecked } = report;
  const seen = `${runsChecked} runs, ${plansChecked} plans, ${leavesChecked} leaves, ${billsChecked} bills and ${readingsChecked} readings`;
  return textOf({ ...report, notes: [...report.notes, ...gaps] }, `${about}: ${seen}`);
}

export function bundleText(report: BundleReport, about: string): string {
  const { sessionsChecked, billsChecked, leavesChecked } = report;
  return textOf(report, `${about}: ${sessionsChecked} sessions, ${billsChecked} bills and ${leavesChecked} leaves`);
}

/** Differences first, then how much was looked at, what a reader should know, and the verdict. */
function textOf({ differences, notes, table }: Found, seen: string): string {
  const lines = differences.slice(0, SHOWN).map(({ where, text }) => `DIFFERS  ${where}: ${text}`);
  if (differences.length > SHOWN) lines.push(`DIFFERS  ${differences.length - SHOWN} more; --json shows all`);
  if (lines.length > 0) lines.push("");
  const width = Math.max(5, ...table.map(({ check }) => check.length));
  const count = (n: number) => n.toLocaleString("en").padStart(12);
  lines.push(`${"check".padEnd(width)}${"looked at".padStart(12)}${"differences".padStart(12)}`);
  for (const { check, checked, differences: found } of table)
    lines.push(`${check.padEnd(width)}${count(checked)}${count(found)}`);
  lines.push("");
  for (const note of notes) lines.push(`Note: ${note}`);
  lines.push(`${seen}. ${differences.length === 0 ? "No difference." : `${differences.length} differences.`}`);
  return `${lines.join("\n")}\n`;
}

export const asJson = (report: AuditReport | BundleReport, about: string): string =>
  `${JSON.stringify({ about, ...report }, (_, value) => (typeof value === "bigint" ? String(value) : value), 2)}\n`;

export function showProgress(share: number, what: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${Math.floor(share * 100)} % ${what}`);
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
}
