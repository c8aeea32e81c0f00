/** Health in the text format of Prometheus (exposition format 0.0.4), for whoever watches many services. */
import type { Health } from "../usecases/health.ts";

type Labels = Readonly<Record<string, string>>;
type Metric = {
  readonly name: string;
  readonly help: string;
  readonly values: readonly { readonly labels?: Labels; readonly value: number | null }[];
};

/** What is not known has no line. */
export const metricsText = (health: Health): string =>
  metricsOf(health)
    .map(({ name, help, values }) => {
      const lines = values.flatMap(({ labels, value }) =>
        value === null ? [] : [`${name}${braced(labels)} ${value}`],
      );
      return lines.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${lines.join("\n")}\n`;
    })
    .join("");

function metricsOf({ ok, database, chain, outbox, reconciliation, incidents, groups }: Health): Metric[] {
  const one = (name: string, help: string, value: number | null): Metric => ({ name, help, values: [{ value }] });
  return [
    one("oli_up", "1 when the service is well.", Number(ok)),
    one("oli_database_up", "1 when the database answers.", Number(database.ok)),
    one("oli_chain_up", "1 when a node of the chain answers.", Number(chain.ok)),
    one("oli_chain_block", "Latest block.", chain.block),
    one("oli_outbox_open", "Records that the chain has not confirmed.", outbox.open),
    one("oli_outbox_oldest_age_seconds", "Age of the oldest of them.", outbox.oldestAgeS),
    one("oli_reconciliation_age_seconds", "Since database and chain were compared.", reconciliation?.ageS ?? null),
    one(
      "oli_reconciliation_differences",
      "Totals on which database and chain differ.",
      reconciliation?.differences ?? null,
    ),
    {
      name: "oli_incidents",
      help: "Incidents of the last 24 hours.",
      values: Object.entries(incidents).map(([kind, value]) => ({ labels: { kind }, value })),
    },
    {
      name: "oli_group_last_cycle_age_seconds",
      help: "Since a group was planned last.",
      values: groups.map(({ id, lastCycleAgeS }) => ({ labels: { group: id }, value: lastCycleAgeS })),
    },
  ];
}

const braced = (labels: Labels = {}) => {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
};
const escaped = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
