/**
 * The service's API as the pages use it. Shapes are those of the API's own schemas, imported as types; errors are its problem
 * documents, shown in the words of the chosen language (parts/Words.tsx).
 */
import { startTransition, useEffect, useRef, useState, useSyncExternalStore } from "react";

export type Fault = { readonly pointer: string; readonly detail: string };

/** A refusal or failure of the API. `type` is the name of the problem, "network" without an answer. */
export class ApiProblem extends Error {
  readonly type: string;
  readonly status: number;
  readonly faults: readonly Fault[];
  constructor(type: string, status: number, detail: string, faults: readonly Fault[] = []) {
    super(detail);
    this.type = type;
    this.status = status;
    this.faults = faults;
  }
  /** What is wrong with one member of the body. */
  at(member: string): string | null {
    return this.faults.find(({ pointer }) => pointer === `#/${member}`)?.detail ?? null;
  }
}

type Method = "GET" | "POST" | "PUT" | "DELETE";

/** Asks; throws an ApiProblem. */
export async function ask<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await fetch(path, {
    method,
    credentials: "same-origin",
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiProblem("network", 0, "");
  });
  if (response.status === 204) return undefined as T;
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const answer = isJson ? await response.json() : null;
  if (response.ok && isJson) return answer as T;
  const {
    type = "",
    detail = "",
    errors = [],
  } = (answer ?? {}) as { type?: string; detail?: string; errors?: Fault[] };
  throw new ApiProblem(nameOf(type), response.status, detail, errors);
}

/** "/docs#closed" is the problem "closed". */
export const nameOf = (type: string) => type.split("#").at(-1) || "failed";

export type Loaded<T> = {
  /** Loads anew, whatever is here: also what is asked for while the first answer is on its way. */
  again(): void;
} & (
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly problem: ApiProblem }
  | { readonly kind: "here"; readonly data: T; readonly stale: boolean }
);

/** Loads once, and again when `path` changes or somebody asks. What was here stays while it is loaded again. */
export function useLoaded<T>(path: string | null): Loaded<T> {
  const [round, setRound] = useState(0);
  const [seen, setSeen] = useState<{ path: string; data?: T; problem?: ApiProblem } | null>(null);
  const again = () => setRound((last) => last + 1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a round is a wish to load again
  useEffect(() => {
    if (path === null) return;
    let gone = false;
    ask<T>("GET", path).then(
      (data) => gone || setSeen({ path, data }),
      (problem: ApiProblem) => gone || setSeen({ path, problem }),
    );
    return () => {
      gone = true;
    };
  }, [path, round]);
  if (path === null || seen?.path !== path) return { kind: "loading", again };
  if (seen.problem) return { kind: "failed", problem: seen.problem, again };
  return { kind: "here", data: seen.data as T, stale: false, again };
}

/** A picture that the service sends anew whenever something happens; `stale` while the line is down. */
export function useLive<T>(path: string | null, event: string): Loaded<T> {
  const [round, setRound] = useState(0);
  const [seen, setSeen] = useState<{ path: string; data?: T; problem?: ApiProblem; stale: boolean } | null>(null);
  const again = () => setRound((last) => last + 1);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a round is a wish to connect again
  useEffect(() => {
    if (path === null) return;
    const source = new EventSource(path);
    source.addEventListener(event, ({ data }) =>
      // Drawn in small pieces: with a thousand charge points the page goes on answering meanwhile.
      startTransition(() => setSeen({ path, data: JSON.parse(data), stale: false })),
    );
    source.onerror = () => {
      setSeen((last) => (last?.path === path && last.data !== undefined ? { ...last, stale: true } : last));
      // The stream says nothing of why: a plain question does.
      if (source.readyState === EventSource.CLOSED)
        ask<T>("GET", path.replace(/\/events$/, "")).then(
          (data) => setSeen({ path, data, stale: true }),
          (problem: ApiProblem) => setSeen({ path, problem, stale: true }),
        );
    };
    return () => source.close();
  }, [path, event, round]);
  if (path === null || seen?.path !== path) return { kind: "loading", again };
  if (seen.problem) return { kind: "failed", problem: seen.problem, again };
  return { kind: "here", data: seen.data as T, stale: seen.stale, again };
}

const watchOnline = (changed: () => void) => {
  for (const what of ["online", "offline"]) addEventListener(what, changed);
  return () => {
    for (const what of ["online", "offline"]) removeEventListener(what, changed);
  };
};
export const useOnline = () => useSyncExternalStore(watchOnline, () => navigator.onLine);

/** Something asked on a tap: busy while it runs, its problem until the next tap. */
export function useAction<Args extends unknown[]>(work: (...args: Args) => Promise<void>) {
  const [busy, setBusy] = useState(false);
  // Known at once, also between two taps that no drawing lies between.
  const running = useRef(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const run = async (...args: Args) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    setProblem(null);
    try {
      await work(...args);
    } catch (error) {
      if (!(error instanceof ApiProblem)) throw error;
      setProblem(error);
    } finally {
      running.current = false;
      setBusy(false);
    }
  };
  return { run, busy, problem };
}
