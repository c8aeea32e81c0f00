/** Small shapes of the explorer: a verdict, a link to a transaction, and what is read from the chain. */
import { type ReactNode, useEffect, useState } from "react";
import { Loading } from "../parts/states.tsx";
import { useTexts } from "../texts/index.tsx";
import type { Hex } from "./chain.ts";

export type ShowTx = (hash: Hex) => void;

export function Tx({ hash, show }: { readonly hash: Hex; readonly show: ShowTx }) {
  const { t, f } = useTexts();
  return (
    <button type="button" className="plain mono link" onClick={() => show(hash)} title={hash}>
      <span className="hidden">{t.audit.transaction} </span>
      {f.short(hash)}
    </button>
  );
}

/** Green or red, and in words: colour alone says nothing. */
export function Verdict({ good, children }: { readonly good: boolean; readonly children: ReactNode }) {
  return (
    <span className={`chip ${good ? "good" : "bad"}`}>
      <span aria-hidden="true">{good ? "✓" : "✗"}</span> {children}
    </span>
  );
}

/** Reads once per `key`; what goes wrong is shown in the node's words. */
export function Read<T>(props: {
  readonly what: () => Promise<T>;
  readonly name: string;
  readonly children: (data: T) => ReactNode;
}) {
  const [seen, setSeen] = useState<{ name: string; data?: T; problem?: string } | null>(null);
  const { name, what } = props;
  // biome-ignore lint/correctness/useExhaustiveDependencies: the name stands for what is read
  useEffect(() => {
    let gone = false;
    what().then(
      (data) => gone || setSeen({ name, data }),
      (error: Error) => gone || setSeen({ name, problem: error.message }),
    );
    return () => {
      gone = true;
    };
  }, [name]);
  if (seen?.name !== name) return <Loading />;
  if (seen.problem !== undefined)
    return (
      <p className="notice bad" role="alert">
        {seen.problem}
      </p>
    );
  return props.children(seen.data as T);
}
