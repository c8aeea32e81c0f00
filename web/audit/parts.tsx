/** Small shapes of the explorer: a verdict, a link to a transaction, and what is read from the chain. */
import { type ReactNode, useEffect, useState } from "react";
import { Loading } from "../parts/states.tsx";
import { InEnglish } from "../parts/Words.tsx";
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

/** What went wrong: our words, and what the node, the browser or the reader of the chain says of it. */
export type Trouble = { readonly words: string; readonly own?: string };

export function Trouble({ trouble: { words, own } }: { readonly trouble: Trouble }) {
  return (
    <p className="notice bad" role="alert">
      {words} {own !== undefined && <InEnglish>{own}</InEnglish>}
    </p>
  );
}

/** Reads once per `key`; what goes wrong is shown in the node's words. */
export function Read<T>(props: {
  readonly what: () => Promise<T>;
  readonly name: string;
  readonly children: (data: T) => ReactNode;
}) {
  const { t } = useTexts();
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
  if (seen.problem !== undefined) return <Trouble trouble={{ words: t.audit.unread, own: seen.problem }} />;
  return props.children(seen.data as T);
}
