/** Who is signed in: asked once, kept for all pages. */
import { createContext, type ReactNode, use, useCallback, useEffect, useMemo, useState } from "react";
import type { z } from "zod";
import type { account } from "../backend/http/answers.ts";
import { ApiProblem, ask } from "./api.ts";

export type Account = z.output<typeof account>;
type Who = {
  /** Undefined until it is known; null: nobody. */
  readonly account: Account | null | undefined;
  readonly problem: ApiProblem | null;
  enter(account: Account | null): void;
  signOut(): Promise<void>;
  again(): void;
};
const Context = createContext<Who | null>(null);

export function SignedIn({ children }: { readonly children: ReactNode }) {
  const [account, enter] = useState<Account | null | undefined>(undefined);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const again = useCallback(() => {
    setProblem(null);
    ask<{ account: Account | null }>("GET", "/account/here").then(({ account: found }) => enter(found), setProblem);
  }, []);
  useEffect(again, [again]);
  const value = useMemo(
    () => ({
      ...{ account, problem, enter, again },
      async signOut() {
        await ask("POST", "/account/sign-out").catch((error: unknown) => {
          if (!(error instanceof ApiProblem)) throw error;
        });
        enter(null);
      },
    }),
    [account, problem, again],
  );
  return <Context value={value}>{children}</Context>;
}

/** Whether the API lets this account change what a page shows: auditors read all of the cockpit and change nothing. */
export const useMayWrite = () => useAccount().account?.kind !== "auditor";

/** Forms and buttons that change something, for whoever may. */
export function Writers({ children }: { readonly children: ReactNode }) {
  return useMayWrite() ? children : null;
}

export function useAccount(): Who {
  const who = use(Context);
  if (!who) throw new Error("Pages stand inside <SignedIn>.");
  return who;
}
