/** Every address of the API, in the order in which it is described. */
import { accountRoutes } from "./accountRoutes.ts";
import { arbiterRoutes } from "./arbiter.ts";
import { auditRoutes } from "./audit.ts";
import { cpoRoutes } from "./cpo.ts";
import type { Deps } from "./deps.ts";
import { driverRoutes } from "./driver.ts";
import { gridRoutes } from "./grid.ts";
import { machineRoutes } from "./machines.ts";
import { marketRoutes } from "./market.ts";
import { priorityRoutes } from "./priorities.ts";
import { publicRoutes } from "./public.ts";
import type { Route } from "./route.ts";

export function allRoutes(deps: Deps): readonly Route[] {
  const routes: Route[] = [
    ...accountRoutes(deps),
    ...driverRoutes(deps),
    ...cpoRoutes(deps),
    ...priorityRoutes(deps),
    ...machineRoutes(deps),
    ...gridRoutes(deps),
    ...marketRoutes(deps),
    ...arbiterRoutes(deps),
    ...auditRoutes(deps),
    ...publicRoutes(deps, () => routes),
  ];
  return routes;
}
