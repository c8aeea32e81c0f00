/**
 * Keys of machines: a CPO's back end or a HEMS. A key is 32 random bytes behind a short public prefix; it is shown once
 * and kept only as its SHA-256 (32 random bytes need no slow hash), found by its prefix.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { Kysely } from "kysely";
import type { MachineKey } from "../../http/accountsPort.ts";
import type { AccountTables, MachineKeyTable } from "./accountTables.ts";

export type NewKey = Pick<MachineKey, "name" | "cpoId" | "purpose"> & {
  readonly locationId?: string | null;
  readonly groupId?: string | null;
};

export type Random = (bytes: number) => Uint8Array;

const FORM = /^oli_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;
const hashOf = (secret: string) => createHash("sha256").update(secret).digest();

export function machineKeys(db: Kysely<AccountTables>, random: Random, now: () => number) {
  const live = () => db.selectFrom("machine_key").selectAll().where("revoked_at", "is", null);
  return {
    /** The one time that the token is known. */
    async create(wish: NewKey): Promise<{ readonly key: MachineKey; readonly token: string }> {
      const prefix = Buffer.from(random(6)).toString("hex");
      const secret = Buffer.from(random(32)).toString("base64url");
      const row: MachineKeyTable = {
        id: `key-${prefix}`,
        prefix,
        secret_hash: hashOf(secret).toString("hex"),
        name: wish.name,
        cpo_id: wish.cpoId,
        purpose: wish.purpose,
        location_id: wish.locationId ?? null,
        group_id: wish.groupId ?? null,
        created_at: new Date(now() * 1000),
        revoked_at: null,
      };
      await db.insertInto("machine_key").values(row).execute();
      return { key: keyOf(row), token: `oli_${prefix}_${secret}` };
    },

    /** Whose token this is; null for a wrong, malformed or revoked one. */
    async find(token: string): Promise<MachineKey | null> {
      const [, prefix, secret] = FORM.exec(token) ?? [];
      if (prefix === undefined || secret === undefined) return null;
      const row = await live().where("prefix", "=", prefix).executeTakeFirst();
      if (!row) return null;
      return timingSafeEqual(hashOf(secret), Buffer.from(row.secret_hash, "hex")) ? keyOf(row) : null;
    },

    async ofCpo(cpoId: string | null): Promise<readonly MachineKey[]> {
      return (
        await live().where("cpo_id", "is not distinct from", cpoId).orderBy("created_at").orderBy("id").execute()
      ).map(keyOf);
    },

    /** False when the CPO has no such key in use. */
    async revoke(cpoId: string | null, id: string): Promise<boolean> {
      const { numUpdatedRows } = await db
        .updateTable("machine_key")
        .set({ revoked_at: new Date(now() * 1000) })
        .where("cpo_id", "is not distinct from", cpoId)
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .executeTakeFirstOrThrow();
      return numUpdatedRows > 0n;
    },
  };
}

const keyOf = (row: MachineKeyTable): MachineKey => ({
  id: row.id,
  prefix: row.prefix,
  name: row.name,
  cpoId: row.cpo_id,
  purpose: row.purpose,
  locationId: row.location_id,
  groupId: row.group_id,
  createdAt: Math.floor(row.created_at.getTime() / 1000),
});
