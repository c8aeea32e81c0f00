/** What a person should know about. */
import type { Incident, IncidentStore } from "../../usecases/ports.ts";
import type { Db } from "./schema.ts";
import { fromDate, toDate } from "./values.ts";

export const incidentStore = (db: Db): IncidentStore => ({
  /** The same incident reported twice is one. */
  async add(incident) {
    await db
      .insertInto("incident")
      .values({
        id: incident.id,
        at: toDate(incident.at),
        group_id: incident.groupId,
        kind: incident.kind,
        text: incident.text,
      })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
  },
  async since(at) {
    const rows = await db
      .selectFrom("incident")
      .selectAll()
      .where("at", ">=", toDate(at))
      .orderBy("at")
      .orderBy("no")
      .execute();
    return rows.map(
      (row): Incident => ({
        id: row.id,
        at: fromDate(row.at),
        groupId: row.group_id,
        kind: row.kind,
        text: row.text,
      }),
    );
  },
});
