/**
 * Live updates by server-sent events: the whole picture once, again soon after something happened (at most once per
 * `pauseMs`), a heartbeat so that proxies and clients notice a dead line, and an end when the client goes or the service stops.
 */
import type { Response } from "express";

export type Updates = { subscribe(topic: string, listener: (data: unknown) => void): () => void };

/** Topics `session:<id>` and `group:<id>`, within this process. */
export function createUpdates(): Updates & { publish(topic: string, data: unknown): void } {
  const listeners = new Map<string, Set<(data: unknown) => void>>();
  return {
    publish(topic, data) {
      for (const listener of [...(listeners.get(topic) ?? [])]) listener(data);
    },
    subscribe(topic, listener) {
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(listener));
      return () => {
        all.delete(listener);
        if (all.size === 0 && listeners.get(topic) === all) listeners.delete(topic);
      };
    },
  };
}

export type LiveFeed = {
  readonly event: string;
  readonly topics: readonly string[];
  /** The picture now; null ends the stream. */
  readonly picture: () => Promise<unknown>;
};

export type FeedTimes = { readonly heartbeatMs: number; readonly pauseMs: number; readonly longestMs: number };
/** With the making and drawing of a large picture, what happened is on the screen within a second. */
export const FEED_TIMES: FeedTimes = { heartbeatMs: 15_000, pauseMs: 500, longestMs: 3_600_000 };
/** What belongs together happens within so long. */
const GATHER_MS = 50;

export type Feeds = {
  send(response: Response, feed: LiveFeed): Promise<void>;
  /** Ends every stream, and waits for the pictures in hand; clients come back when there is a service again. */
  close(): Promise<void>;
  readonly open: () => number;
};

export function createFeeds(updates: Updates, times: FeedTimes, failed: (error: unknown) => void): Feeds {
  const ends = new Set<() => void>();
  const inHand = new Set<Promise<unknown>>();

  async function send(response: Response, feed: LiveFeed): Promise<void> {
    let timer: NodeJS.Timeout | null = null;
    let running = false;
    let again = false;
    let gone = false;
    let refreshedAt = Number.NEGATIVE_INFINITY;

    const write = (picture: unknown) => response.write(`event: ${feed.event}\ndata: ${JSON.stringify(picture)}\n\n`);
    const refresh = async () => {
      timer = null;
      if (running) {
        again = true;
        return;
      }
      running = true;
      refreshedAt = performance.now();
      try {
        const picture = await feed.picture();
        if (picture === null) end();
        else if (ends.has(end)) write(picture);
      } catch (error) {
        failed(error);
        end();
      }
      running = false;
      if (again) {
        again = false;
        happened();
      }
    };
    const happened = () => {
      if (gone) return;
      const waitMs = Math.max(Math.min(GATHER_MS, times.pauseMs), refreshedAt + times.pauseMs - performance.now());
      timer ??= setTimeout(() => {
        const work = refresh().finally(() => inHand.delete(work));
        inHand.add(work);
      }, waitMs);
    };

    // Subscribed before the first look, so that nothing falls in between.
    const stops = feed.topics.map((topic) => updates.subscribe(topic, happened));
    let first: unknown;
    try {
      first = await feed.picture();
    } catch (error) {
      for (const stop of stops) stop();
      if (timer) clearTimeout(timer);
      throw error;
    }
    response.status(200).set({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    response.flushHeaders();
    const heartbeat = setInterval(() => response.write(": still here\n\n"), times.heartbeatMs);
    const longest = setTimeout(() => end(), times.longestMs);
    function end(): void {
      if (!ends.delete(end)) return;
      gone = true;
      for (const stop of stops) stop();
      clearInterval(heartbeat);
      clearTimeout(longest);
      if (timer) clearTimeout(timer);
      timer = null;
      response.end();
    }
    ends.add(end);
    response.on("close", end);
    if (response.destroyed) return end();
    response.write("retry: 3000\n\n");
    write(first);
  }

  return {
    send,
    async close() {
      for (const end of [...ends]) end();
      await Promise.all(inHand);
    },
    open: () => ends.size,
  };
}
