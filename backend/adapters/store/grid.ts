/** What grid operators, traders and energy managers said: capacity profiles, with those that are forgotten. */
import type { Selectable } from "kysely";
import { type CapacityProfile, capacityPieces } from "../../domain/capacity.ts";
import { type EpochSecond, epochSecond, watt } from "../../domain/units.ts";
import type { GridStore, GroupLimit } from "../../usecases/ports.ts";
import type { Database, Db } from "./schema.ts";
import { fromDate, toDate } from "./values.ts";

export const gridStore = (db: Db): GridStore => ({
  async addCapacity(profile) {
    await db
      .insertInto("capacity_profile")
      .values({
        id: profile.id,
        group_id: profile.groupId,
        given_at: toDate(profile.givenAt),
        given_by: profile.givenBy,
        periods: JSON.stringify(profile.periods.map(({ from, until, limitW }) => [from, until, limitW])),
      })
      .execute();
  },
  async capacities(groupId, limit) {
    const rows = await db
      .selectFrom("capacity_profile")
      .selectAll()
      .where("group_id", "=", groupId)
      .orderBy("no", "desc")
      .limit(limit)
      .execute();
    return rows.map(toCapacity);
  },
});

/** The minutes of capacity profiles as limits that end after `after`, each for as long as its profile was in force. */
export async function capacityLimits(db: Db, groupId: string, after: EpochSecond): Promise<GroupLimit[]> {
  const rows = await db
    .selectFrom("capacity_profile")
    .selectAll()
    .where("group_id", "=", groupId)
    .where("no", ">=", (eb) =>
      eb
        .selectFrom("capacity_profile as earlier")
        .select((one) => one.fn.coalesce(one.fn.max("earlier.no"), one.lit(0)).as("no"))
        .where("earlier.group_id", "=", groupId)
        .where("earlier.given_at", "<=", toDate(after)),
    )
    .orderBy("no")
    .execute();
  return capacityPieces(rows.map(toCapacity))
    .filter((piece) => piece.until > after)
    .map(({ profileId, from, until, limitW, announcedAt }) => ({
      id: `${profileId}:${from}`,
      groupId,
      kind: "capacity",
      limitW,
      from,
      until,
      announcedAt,
    }));
}

const toCapacity = (row: Selectable<Database["capacity_profile"]>): CapacityProfile => ({
  id: row.id,
  groupId: row.group_id,
  givenAt: fromDate(row.given_at),
  givenBy: row.given_by,
  periods: row.periods.map(([from, until, limitW]) => ({
    from: epochSecond(from),
    until: epochSecond(until),
    limitW: watt(limitW),
  })),
});
