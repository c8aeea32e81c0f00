/**
 * npm run bench -- admission [--json] [--cars 100,1000] [--requests 2000] : milliseconds of one answer while so many cars
 * hold promises at the limit. `kept`: by a flow that is kept between requests; `fresh`: with the flow of all promises laid
 * anew, as after the horizon has moved. Wrong when both do not answer alike, or a promise no longer fits.
 */
import { parseArgs } from "node:util";
import { watt, wattHour } from "../../backend/domain/units.ts";
import {
  type AdmissionAnswer,
  admit,
  type EnergyRequest,
  openAdmission,
  slack,
} from "../../backend/optimisation/admission.ts";
import type { Car, GroupProblem } from "../../backend/optimisation/problem.ts";
import { randomFrom, realisticProblem } from "../../test/support/problems.ts";

const CAR_COUNTS = [100, 1_000];
const REQUESTS = 2_000;
const FRESH_REQUESTS = 200;

type Spread = { readonly median: number; readonly p99: number; readonly max: number };
type Line = {
  readonly cars: number;
  /** Requests that did not fit as wished while the promises were made. */
  readonly refusedWhileLoading: number;
  readonly loadingMs: Spread;
  readonly requests: number;
  readonly answers: Readonly<Record<AdmissionAnswer["kind"], number>>;
  readonly keptMs: Spread;
  readonly freshMs: Spread;
  readonly slackMs: number;
  readonly right: boolean;
};

/** True when every answer was right. */
export async function run(args: readonly string[]): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean", default: false }, cars: { type: "string" }, requests: { type: "string" } },
  });
  const counts = values.cars ? values.cars.split(",").map(Number) : CAR_COUNTS;
  line(50, 200); // warm
  const lines = counts.map((cars) => line(cars, Number(values.requests ?? REQUESTS)));
  const ok = lines.every(({ right }) => right);
  if (values.json) console.log(JSON.stringify({ benchmark: "admission", node: process.version, ok, lines }, null, 2));
  else for (const each of lines) console.log(text(each));
  return ok;
}

function line(count: number, requests: number): Line {
  // A site for twice as many: requests come until so many cars hold a promise, so that the limit is reached.
  const { cars, ...site } = realisticProblem(3 * count, 1);
  const scarce = {
    ...site,
    intervals: site.intervals.map((i) => ({
      ...i,
      limitWh: wattHour(Math.floor(i.limitWh * 0.2)),
      demandWh: wattHour(Math.floor(i.demandWh * 0.2)),
      productionWh: wattHour(Math.floor(i.productionWh * 0.2)),
    })),
  };
  const empty: GroupProblem = { ...scarce, cars: [] };
  const admission = openAdmission(empty);
  const held: Car[] = [];
  const loading: number[] = [];
  let refusedWhileLoading = 0;
  for (const car of cars) {
    if (held.length === count) break;
    const start = performance.now();
    const answer = admission.accept(car.session, requestOf(car));
    loading.push(performance.now() - start);
    if (answer.kind === "accepted")
      held.push({ ...car, moreWh: wattHour(0), needWh: wattHour(car.needWh + car.moreWh) });
    else refusedWhileLoading++;
  }

  const asked = askedOf(requests);
  const answers = { accepted: 0, counter: 0, refused: 0 };
  const kept: number[] = [];
  const given: AdmissionAnswer[] = [];
  for (const request of asked) {
    const start = performance.now();
    const answer = admission.ask(request);
    kept.push(performance.now() - start);
    answers[answer.kind]++;
    given.push(answer);
  }
  const full: GroupProblem = { ...empty, cars: held };
  const fresh: number[] = [];
  let alike = true;
  for (const [k, request] of asked.slice(0, FRESH_REQUESTS).entries()) {
    const start = performance.now();
    const answer = admit(full, request);
    fresh.push(performance.now() - start);
    alike &&= outcome(answer) === outcome(given[k]!);
  }
  const start = performance.now();
  const margins = slack(full, 20_000);
  const slackMs = performance.now() - start;
  return {
    cars: held.length,
    refusedWhileLoading,
    loadingMs: spread(loading),
    requests,
    answers,
    keptMs: spread(kept),
    freshMs: spread(fresh),
    slackMs,
    right: alike && margins.every((wh) => wh >= 0),
  };
}

const requestOf = ({ needWh, moreWh, powerW, from, to }: Car): EnergyRequest => ({
  energyWh: wattHour(needWh + moreWh),
  powerW,
  from,
  to,
});

/** Wishes of new cars: 4 to 40 kWh within two to twelve hours, every fourth with a first part. */
function askedOf(count: number): EnergyRequest[] {
  const random = randomFrom(11);
  const int = (low: number, high: number) => low + Math.floor(random() * (high - low + 1));
  return Array.from({ length: count }, (_, k) => {
    const from = int(0, 80);
    const to = Math.min(96, from + int(8, 48));
    const energyWh = int(4_000, 40_000);
    const first = { wh: wattHour(Math.floor(energyWh / 4)), to: from + Math.ceil((to - from) / 3) };
    return { energyWh: wattHour(energyWh), powerW: watt(11_040), from, to, ...(k % 4 === 0 ? { first } : {}) };
  });
}

/** What must not depend on how the flow was laid: everything but who is named in the witness. */
const outcome = (answer: AdmissionAnswer) =>
  JSON.stringify(answer.kind === "accepted" ? answer : { ...answer, witness: answer.witness.intervals });

function spread(times: number[]): Spread {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0;
  return { median: at(0.5), p99: at(0.99), max: at(1) };
}

function text({
  cars,
  refusedWhileLoading,
  loadingMs,
  requests,
  answers,
  keptMs,
  freshMs,
  slackMs,
  right,
}: Line): string {
  const ms = ({ median, p99, max }: Spread) => `${median.toFixed(3)} / ${p99.toFixed(2)} / ${max.toFixed(2)}`;
  return [
    `${cars} cars with promises, ${refusedWhileLoading} refused while loading (median / p99 / max ms: ${ms(loadingMs)})`,
    `  ${requests} requests: ${answers.accepted} accepted, ${answers.counter} counter-offers, ${answers.refused} refused`,
    `  kept flow ${ms(keptMs)} ms; flow laid anew ${ms(freshMs)} ms; slack of all promises ${slackMs.toFixed(1)} ms`,
    right ? "  both answer alike, every promise fits" : "  WRONG",
  ].join("\n");
}
