/** What the API says, in the language of the page: our words for its codes; its own English below where it alone knows more. */
import type { ReactNode } from "react";
import type { ProblemName } from "../../backend/http/problems.ts";
import type { ApiProblem } from "../api.ts";
import { useTexts } from "../texts/index.tsx";

/** A sentence that there is in English only: small beside what the page says in another language. */
export function InEnglish({ children }: { readonly children: ReactNode }) {
  const { language } = useTexts();
  return (
    <span lang="en" className={language === "en" ? undefined : "own"}>
      {children}
    </span>
  );
}

/** A problem of the API by its name, or what is wrong with one member of the body. */
export function Words({ type, detail }: { readonly type: string; readonly detail: string }) {
  const { t } = useTexts();
  if (type === "network") return t.state.network;
  const words = t.api?.problems[type as ProblemName];
  if (detail === "") return words ?? t.state.failed;
  return (
    <>
      {words ?? (t.api ? t.state.failed : null)} <InEnglish>{detail}</InEnglish>
    </>
  );
}

export const WordsOf = ({ problem: { type, message } }: { readonly problem: ApiProblem }) => (
  <Words type={type} detail={message} />
);
