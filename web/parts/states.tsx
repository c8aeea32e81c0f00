/** What a page shows when it has nothing yet, or something went wrong. */
import type { ReactNode } from "react";
import { type ApiProblem, type Loaded, useOnline } from "../api.ts";
import { useTexts } from "../texts/index.tsx";
import { WordsOf } from "./Words.tsx";

export function Loading() {
  const { t } = useTexts();
  return (
    <div className="skeleton" role="status">
      <span className="hidden">{t.state.loading}</span>
    </div>
  );
}

export function Failed({ problem, retry }: { readonly problem: ApiProblem; readonly retry?: () => void }) {
  const { t } = useTexts();
  return (
    <div className="notice bad row spread" role="alert">
      <span>
        <WordsOf problem={problem} />
      </span>
      {retry && (
        <button type="button" onClick={retry}>
          {t.state.retry}
        </button>
      )}
    </div>
  );
}

/** One of the three states of what is loaded. */
export function Show<T>({ what, children }: { readonly what: Loaded<T>; readonly children: (data: T) => ReactNode }) {
  const { t } = useTexts();
  if (what.kind === "loading") return <Loading />;
  if (what.kind === "failed") return <Failed problem={what.problem} retry={what.again} />;
  return (
    <>
      {what.stale && (
        <div className="notice warn" role="status">
          {t.state.stale}
        </div>
      )}
      {children(what.data)}
    </>
  );
}

export function Offline() {
  const { t } = useTexts();
  return useOnline() ? null : (
    <div className="notice warn" role="status">
      {t.state.offline}
    </div>
  );
}

/** The problem of an action, unless a field says it already. */
export function Fault({
  problem,
  fields = [],
}: {
  readonly problem: ApiProblem | null;
  readonly fields?: readonly string[];
}) {
  if (!problem || fields.some((field) => problem.at(field) !== null)) return null;
  return (
    <div className="notice bad" role="alert">
      <WordsOf problem={problem} />
    </div>
  );
}

/** What was sent holds now. */
export function Saved() {
  const { t } = useTexts();
  return (
    <p className="notice good" role="status">
      {t.state.saved}
    </p>
  );
}
