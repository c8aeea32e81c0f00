/**
 * The chain writer: carries the outbox to the chain, each call once, in order, through crashes, lost answers, dropped
 * mempools and reorganisations. It remembers nothing itself but counters for alarms: nonce, signed bytes and hash are
 * stored in one transaction before anything is sent, and only receipts in standing blocks move a row on.
 *
 * outboxRow.ts decides, lanePass.ts carries out, lanes.ts gives nonces, outbox.ts stores, laneView.ts reads the chain.
 */
import type { Lane } from "../../usecases/ports.ts";
import { type PassConfig, passLane } from "./lanePass.ts";
import { createLanes, type LaneConfig } from "./lanes.ts";
import { readOpenRows } from "./outbox.ts";
import { type Hex, RpcRefused, RpcUnavailable } from "./rpc.ts";

export type { Alarm } from "./lanes.ts";

export type WriterConfig = LaneConfig &
  PassConfig & {
    /** How long `drain` waits for a chain that mines by itself; 0 for the embedded one, which mines at once. */
    readonly patienceMs?: number;
  };

/** What one pass did. `open` counts rows that are neither final nor given up, parked ones included. */
export type Progress = {
  readonly sent: number;
  readonly final: number;
  readonly parked: number;
  readonly open: number;
  readonly reachable: boolean;
};

export type LaneStatus = {
  readonly lane: Lane;
  readonly address: Hex;
  readonly state: "open" | "blocked";
  readonly reason: string | null;
  readonly nextNonce: number;
  /** Rows by state: queued, signed, mined, blocked. */
  readonly rows: Readonly<Record<string, number>>;
};

export type WriterStatus = {
  readonly open: number;
  readonly parked: number;
  /** Epoch seconds at which the oldest open row was enqueued. */
  readonly oldestAt: number | null;
  readonly lanes: readonly LaneStatus[];
};

export type Writer = {
  /** One round over all lanes. Does not throw when the chain is away. */
  pass(): Promise<Progress>;
  /** Passes until nothing is open, or nothing moves any more. */
  drain(): Promise<Progress>;
  status(): Promise<WriterStatus>;
  /** Lets a parked row try again at the next pass. */
  retry(key: string): Promise<void>;
  /** Gives a call up: it leaves the queue, or its nonce is used for an empty transfer. */
  cancel(key: string): Promise<void>;
  /** Once the cause of a foreign transaction is known: its victims get new nonces and the lane goes on. */
  reopenLane(lane: Lane): Promise<void>;
};

const POLL_MS = 200;

export function createWriter(config: WriterConfig): Writer {
  const { db, alarm } = config;
  const lanes = createLanes(config);

  async function round(parkedToo: boolean): Promise<Progress & { readonly moved: number }> {
    const total = { sent: 0, final: 0, moved: 0 };
    let reachable = true;
    const before = await readOpenRows(db);
    for (const lane of lanes.order) {
      const rows = before.byLane.get(lane);
      if (rows === undefined) continue;
      const options = {
        parkedToo,
        anyInFlight: config.database === "postgres" || rows.signed !== undefined || rows.mined !== undefined,
      };
      try {
        const done = await lanes.exclusively(lane, (own) => passLane(config, lanes, own, lane, options));
        total.sent += done?.sent ?? 0;
        total.final += done?.final ?? 0;
        total.moved += done?.moved ?? 0;
      } catch (error) {
        if (!(error instanceof RpcUnavailable || error instanceof RpcRefused)) throw error;
        reachable = false;
        alarm({ kind: "unreachable", lane, key: null, text: error.message });
      }
    }
    const { open, parked } = before.open === 0 ? before : await readOpenRows(db);
    return { ...total, open, parked, reachable };
  }

  async function drain(): Promise<Progress> {
    const patienceMs = config.patienceMs ?? 0;
    let idleMs = 0;
    let parkedToo = false;
    for (;;) {
      const done = await round(parkedToo);
      if (done.open === 0) return done;
      if (done.moved > 0) {
        idleMs = 0;
        parkedToo = false;
      } else if (done.parked > 0 && !parkedToo) {
        // What a parked call waited for may have come with another lane.
        parkedToo = true;
      } else if (done.open === done.parked || idleMs >= patienceMs) {
        return done;
      } else {
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        idleMs += POLL_MS;
      }
    }
  }

  async function status(): Promise<WriterStatus> {
    const { open, parked, oldestAt, byLane } = await readOpenRows(db);
    const rows = await db.selectFrom("lane").selectAll().orderBy("name").execute();
    const states = rows.map(({ name, address, state, reason, next_nonce }) => ({
      lane: name as Lane,
      address: address as Hex,
      state,
      reason,
      nextNonce: Number(next_nonce),
      rows: byLane.get(name) ?? {},
    }));
    return { open, parked, oldestAt, lanes: states };
  }

  return {
    pass: () => round(false),
    drain,
    status,
    async retry(key) {
      await db
        .updateTable("outbox")
        .set({ retry_at: new Date(0) })
        .where("key", "=", key)
        .where("state", "=", "blocked")
        .execute();
    },
    async cancel(key) {
      const given = db.updateTable("outbox").set({ cancelled: true }).where("key", "=", key);
      await given.where("state", "not in", ["final", "reverted"]).execute();
    },
    reopenLane: lanes.reopen,
  };
}
