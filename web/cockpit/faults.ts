/** Where in a form a fault of the API stands. */
import { ApiProblem } from "../api.ts";

/** Faults stand where they were typed: the API's pointers become the names of the form's fields. */
export function atFields(
  problem: ApiProblem | null,
  fields: readonly (readonly [RegExp, string])[],
): ApiProblem | null {
  if (!problem) return null;
  const faults = problem.faults.map((fault) => {
    const field = fields.find(([pattern]) => pattern.test(fault.pointer.replace(/^#\//, "")));
    return field ? { ...fault, pointer: `#/${field[1]}` } : fault;
  });
  return new ApiProblem(problem.type, problem.status, problem.message, faults);
}

/** Of a group that stands alone in the request. */
export const MEMBER_FIELDS = [
  [/^groups\/0\/evses\/\d+\/id$/, "ids"],
  [/^groups\/0\/evses\/\d+\/maxPowerW$/, "kw"],
  [/^groups\/0\/evses/, "ids"],
  [/^groups\/0\/pvs/, "pvKw"],
] as const;
