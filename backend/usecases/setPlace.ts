/** Where an EVSE stands, for the plan of its site. */
import type { Place } from "../domain/assets.ts";
import type { World } from "./ports.ts";
import { type Refused, refused } from "./refused.ts";

export async function setPlace(
  { store }: Pick<World, "store">,
  wish: { readonly evseId: string; readonly place: Place },
): Promise<{ readonly kind: "set" } | Refused<"unknown-evse">> {
  if (!(await store.sites.evse(wish.evseId)))
    return refused("unknown-evse", `EVSE ${wish.evseId} is not registered. Register it in its group first.`);
  await store.sites.setPlace(wish.evseId, wish.place);
  return { kind: "set" };
}
