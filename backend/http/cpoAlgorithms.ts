/** How a group's power is shared out: what there is to choose from, and the CPO's choice. */
import { z } from "zod";
import { ALGORITHM_NAMES, type AlgorithmChoice } from "../domain/algorithms.ts";
import { listAlgorithms } from "../usecases/setGroupAlgorithm.ts";
import type { Deps } from "./deps.ts";
import { ownGroup } from "./ownership.ts";
import { granted } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export const algorithmChoice = z
  .object({ name: z.enum(ALGORITHM_NAMES), parameters: z.record(z.string(), z.int()) })
  .meta({ id: "AlgorithmChoice", description: "Parameters that are not named have the algorithm's default" });
export const algorithmChoiceOut = ({ name, parameters }: AlgorithmChoice): z.output<typeof algorithmChoice> => ({
  name,
  parameters: { ...parameters },
});

export const algorithm = z
  .object({
    name: z.enum(ALGORITHM_NAMES),
    about: z.string(),
    withinLimit: z.boolean().meta({ description: "False: it may plan more than the group's limit" }),
    parameters: z.array(
      z.object({
        name: z.string(),
        about: z.string(),
        unit: z.string(),
        default: z.int(),
        min: z.int(),
        max: z.int(),
      }),
    ),
  })
  .meta({ id: "Algorithm" });

export function cpoAlgorithms(deps: Deps): readonly Route[] {
  const tag = "CPO" as const;
  return [
    route({
      method: "get",
      path: "/cpo/algorithms",
      tag,
      summary: "Algorithms to choose from, with their parameters",
      who: ["staff", "auditor"],
      answers: { 200: { description: "Algorithms", schema: z.object({ algorithms: z.array(algorithm) }) } },
      async handle() {
        const algorithms = listAlgorithms().map((one) => ({ ...one, parameters: [...one.parameters] }));
        return { status: 200, body: { algorithms } };
      },
    }),
    route({
      method: "put",
      path: "/cpo/groups/{groupId}/algorithm",
      tag,
      summary: "Choose how a group's power is shared out",
      description:
        "The next plan is made that way. Parameters that are left out have the algorithm's default, also when they were set before. Promises are made by the same exact admission under every algorithm.",
      who: ["staff"],
      params: schemas.ofGroup,
      body: schemas.algorithm,
      answers: { 200: { description: "The choice", schema: algorithmChoice } },
      async handle({ caller, params, body }) {
        const { id } = await ownGroup(deps, caller, params.groupId);
        const said = granted(await deps.usecases.setGroupAlgorithm({ groupId: id, ...body }), body);
        return { status: 200, body: algorithmChoiceOut(said.choice) };
      },
    }),
  ];
}
