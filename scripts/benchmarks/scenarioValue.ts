/** The figures of one scenario: every algorithm through the real use cases, and perfect foresight beside them. */
import { ALGORITHM_NAMES, type AlgorithmChoice } from "../../backend/domain/algorithms.ts";
import { watt } from "../../backend/domain/units.ts";
import { appliedLimit } from "../../backend/flexibility/allowance.ts";
import { costOf, equalShare, type Outcome, perfectForesight, uncontrolled } from "../../backend/replay/baselines.ts";
import type { Scenario } from "../../backend/replay/scenario.ts";
import type { Settings, Store } from "../../backend/usecases/ports.ts";
import { type Figures, jain, percent, round } from "./figures.ts";
import { runScenario } from "./scenarioRun.ts";

/** Every algorithm with its default parameters. */
export const CHOICES: readonly AlgorithmChoice[] = ALGORITHM_NAMES.map((name) => ({ name, parameters: {} }));

export async function scenarioFigures(
  scenario: Scenario,
  choice: AlgorithmChoice,
  settings: Partial<Settings> = {},
): Promise<Figures> {
  const wanted = uncontrolled(scenario).delivered;
  return runScenario(scenario, { algorithm: choice, settings }, async ({ report, store, run }) => {
    const got = new Map((await store.bills.all()).map((one) => [one.sessionId, one.energyWh * 3600]));
    const cost = costOf(scenario, run.state.tally.carWs);
    const foresight = costOf(scenario, perfectForesight(scenario, inWh(got)).carWs);
    const { shortWhBy, made, kept, late, short, promisedWh } = report.promises;
    return {
      ...common(scenario.name, nameOf(choice), cost, got, wanted),
      aboveForesightPercent: round(100 * (perKwh(cost) / perKwh(foresight) - 1), 2),
      limitViolations: report.limits.violations,
      promises: {
        made,
        kept,
        late,
        short,
        promisedKwh: promisedWh / 1000,
        ourFaultKwh: (shortWhBy.operator + shortWhBy.system) / 1000,
      },
      setPointsPerSession: await setPointsPerSession(scenario, store),
    };
  });
}

/** The rule alone, followed to the second by cars whose room is known: what a report compares with. */
export function equalShareFigures(scenario: Scenario): Figures {
  return ideal(scenario, "equal share, ideal", equalShare(scenario), null);
}

/** The least cost with everything known, for all that the cars could have taken. */
export function foresightFigures(scenario: Scenario): Figures {
  return ideal(scenario, "perfect foresight", perfectForesight(scenario, inWh(uncontrolled(scenario).delivered)), 0);
}

function ideal(scenario: Scenario, name: string, outcome: Outcome, aboveForesightPercent: number | null): Figures {
  const cost = costOf(scenario, outcome.carWs);
  return {
    ...common(scenario.name, name, cost, outcome.delivered, uncontrolled(scenario).delivered),
    aboveForesightPercent,
    limitViolations: cost.violations,
    promises: null,
    setPointsPerSession: null,
  };
}

const nameOf = ({ name, parameters }: AlgorithmChoice) =>
  [name, ...Object.entries(parameters).map(([key, value]) => `${key}=${value}`)].join(" ");

const inWh = (ws: ReadonlyMap<string, number>) => new Map([...ws].map(([id, value]) => [id, Math.floor(value / 3600)]));

const perKwh = (cost: ReturnType<typeof costOf>) => Number(cost.importMicroEur) / Math.max(1, cost.deliveredWh);

function common(
  site: string,
  algorithm: string,
  cost: ReturnType<typeof costOf>,
  got: ReadonlyMap<string, number>,
  wanted: ReadonlyMap<string, number>,
) {
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const shares = [...wanted].filter(([, ws]) => ws > 0).map(([id, ws]) => (got.get(id) ?? 0) / ws);
  return {
    site,
    algorithm,
    deliveredKwh: round(cost.deliveredWh / 1000, 3),
    unmetPercent: percent(sum(wanted.values()) - sum(got.values()), sum(wanted.values())),
    centPerKwh: round(perKwh(cost) / 10, 4),
    fairness: round(jain(shares), 4),
  };
}

/** Changes of the limit in force between plug-in and plug-out, over all sessions. */
async function setPointsPerSession(scenario: Scenario, store: Store): Promise<number> {
  let changes = 0;
  for (const session of scenario.sessions) {
    const limit = appliedLimit(await store.profiles.ofSession(session.id), session.plugIn, watt(0));
    for (const [i, period] of limit.entries())
      if (i > 0 && period.from < session.plugOut && period.limitW !== limit[i - 1]?.limitW) changes++;
  }
  return round(changes / Math.max(1, scenario.sessions.length), 2);
}
