/** What the API needs of the accounts; adapters/accounts provides it, main.ts hands it over. */
export type Account = {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly kind: "driver" | "staff" | "auditor" | "arbiter";
  /** The CPO of staff, null for everybody else. */
  readonly cpoId: string | null;
};

export type Client = { readonly address: string; readonly cookie: string | undefined };

/** s since 1970; `address` and `browser`: what the request said of itself. */
export type Login = {
  readonly since: number;
  readonly until: number;
  readonly address: string | null;
  readonly browser: string | null;
};

export type SignedIn =
  | { readonly kind: "signed-in"; readonly account: Account; readonly cookies: readonly string[] }
  | { readonly kind: "refused"; readonly reason: "email-taken" | "wrong-credentials"; readonly text: string }
  | {
      readonly kind: "refused";
      readonly reason: "too-many-requests";
      readonly text: string;
      readonly retryAfterS: number;
    };

export type Confirmed =
  | { readonly kind: "confirmed"; readonly account: Account }
  | Extract<SignedIn, { readonly kind: "refused" }>;

export type MachineKey = {
  readonly id: string;
  readonly prefix: string;
  readonly name: string;
  /** Null for a key of an auditor or the market, which belongs to no CPO. */
  readonly cpoId: string | null;
  readonly purpose: "cpo" | "hems" | "audit" | "market";
  /** Null: not bound any further. */
  readonly locationId: string | null;
  readonly groupId: string | null;
  /** s since 1970 */
  readonly createdAt: number;
};

export type Accounts = {
  signUp(who: { email: string; password: string; name: string }, client: Client): Promise<SignedIn>;
  signIn(who: { email: string; password: string }, client: Client): Promise<SignedIn>;
  /** The cookies that clear the session's. */
  signOut(client: Client): Promise<readonly string[]>;
  /** Asks for the password of the cookie's account again; counts like an attempt to sign in. */
  confirm(password: string, client: Client): Promise<Confirmed>;
  whoIs(cookie: string | undefined): Promise<Account | null>;
  /** Where an account is signed in, oldest first; s since 1970. */
  loginsOf(accountId: string): Promise<readonly Login[]>;
  /** Deletes a driver's account with its password and sessions; without effect when it is gone already. */
  remove(accountId: string): Promise<void>;
  keyOf(token: string): Promise<MachineKey | null>;
  createKey(
    wish: Pick<MachineKey, "name" | "cpoId" | "purpose" | "locationId" | "groupId">,
  ): Promise<{ readonly key: MachineKey; readonly token: string }>;
  keysOf(cpoId: string): Promise<readonly MachineKey[]>;
  revokeKey(cpoId: string, id: string): Promise<boolean>;
};
