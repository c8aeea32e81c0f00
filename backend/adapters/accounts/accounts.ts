/**
 * People and machines that may use the API. Drivers register themselves; staff of a CPO, auditors and arbiters are made
 * by the operator; machines carry a key. better-auth keeps passwords (scrypt), sessions, rate limit and its origin check.
 */
import { betterAuth } from "better-auth";
import type { Kysely } from "kysely";
import type { Account, Client, Confirmed, Login, MachineKey, SignedIn } from "../../http/accountsPort.ts";
import type { AccountTables } from "./accountTables.ts";
import { type AuthSettings, authOptions, BASE_PATH, CLIENT_ADDRESS } from "./authOptions.ts";
import { machineKeys, type NewKey, type Random } from "./machineKeys.ts";

export type NewAccount = {
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly kind: Account["kind"];
  readonly cpoId?: string | null;
};

export type AccountsOptions = AuthSettings & {
  /** `database.db.withTables<AccountTables>()`. */
  readonly db: Kysely<AccountTables>;
  readonly random: Random;
  /** Epoch seconds. */
  readonly now: () => number;
};

export type Accounts = ReturnType<typeof createAccounts>;

export function createAccounts({ db, random, now, ...settings }: AccountsOptions) {
  if (settings.secret.length < 32)
    throw new Error(
      "The secret that signs cookies has fewer than 32 characters. Give AUTH_SECRET 32 random ones or more.",
    );
  const auth = betterAuth(authOptions(db, settings));
  const keys = machineKeys(db, random, now);

  /** Through better-auth's own front door, so that its rate limit counts. Its origin check is fed with what http checked. */
  const call = (path: string, client: Client, body?: unknown) =>
    auth.handler(
      new Request(new URL(BASE_PATH + path, settings.publicUrl), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          origin: new URL(settings.publicUrl).origin,
          [CLIENT_ADDRESS]: client.address,
          ...(client.cookie === undefined ? {} : { cookie: client.cookie }),
        },
        body: JSON.stringify(body ?? {}),
      }),
    );

  async function enter(path: string, client: Client, body: unknown): Promise<SignedIn> {
    const response = await call(path, client, body);
    if (response.status === 429) {
      const retryAfterS = Number(response.headers.get("x-retry-after") ?? 60);
      const text = `Too many attempts from this address. Try again in ${retryAfterS} s.`;
      return { kind: "refused", reason: "too-many-requests", text, retryAfterS };
    }
    const said = (await response.json()) as { user?: unknown; code?: string };
    if (response.ok && said.user)
      return { kind: "signed-in", account: accountOf(said.user), cookies: response.headers.getSetCookie() };
    switch (said.code) {
      case "USER_ALREADY_EXISTS":
      case "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL":
        return {
          kind: "refused",
          reason: "email-taken",
          text: "There is an account with this e-mail. Sign in instead.",
        };
      case "INVALID_EMAIL_OR_PASSWORD":
        return { kind: "refused", reason: "wrong-credentials", text: "No account has this e-mail and password." };
      default:
        throw new Error(
          `better-auth answered ${response.status} ${said.code} to ${path}; expected a user or a refusal.`,
        );
    }
  }

  /** The account with this e-mail; made with this password when there is none. An existing one is left as it is. */
  async function addAccount(wish: NewAccount): Promise<{ readonly account: Account; readonly isNew: boolean }> {
    const { internalAdapter } = await auth.$context;
    const email = wish.email.toLowerCase();
    const known = await internalAdapter.findUserByEmail(email, { includeAccounts: true });
    if (known) {
      const account = accountOf(known.user);
      if (account.kind !== wish.kind || account.cpoId !== (wish.cpoId ?? null))
        throw new Error(`${email} is already an account of another kind or CPO. Use another e-mail.`);
      // Without a password: who made it was cut short.
      const isNew = known.accounts.length === 0;
      if (isNew) await setPassword(account.id, wish.password);
      return { account, isNew };
    }
    const user = await internalAdapter.createUser(
      { email, name: wish.name, emailVerified: false, kind: wish.kind, cpoId: wish.cpoId ?? null },
      { method: "email-password" },
    );
    await setPassword(user.id, wish.password);
    return { account: accountOf(user), isNew: true };
  }
  const ensureAccount = async (wish: NewAccount): Promise<Account> => (await addAccount(wish)).account;

  async function setPassword(userId: string, plain: string): Promise<void> {
    const { internalAdapter, password } = await auth.$context;
    const hash = await password.hash(plain);
    const known = await internalAdapter.findAccounts(userId);
    if (known.length > 0) return internalAdapter.updatePassword(userId, hash);
    await internalAdapter.linkAccount({ userId, providerId: "credential", accountId: userId, password: hash });
  }

  /** Everybody who is no driver. */
  async function operators(): Promise<readonly Account[]> {
    const rows = db.selectFrom("account_user").select(["id", "email", "name", "kind", "cpo_id as cpoId"]);
    return rows.where("kind", "!=", "driver").orderBy("kind").orderBy("email").execute();
  }

  /** Where an account is signed in, oldest first. */
  async function loginsOf(accountId: string): Promise<readonly Login[]> {
    const rows = await db
      .selectFrom("account_session")
      .select(["created_at", "expires_at", "ip_address", "user_agent"])
      .where("user_id", "=", accountId)
      .orderBy("created_at")
      .execute();
    return rows.map((row) => ({
      since: Math.floor(row.created_at.getTime() / 1000),
      until: Math.floor(row.expires_at.getTime() / 1000),
      address: row.ip_address,
      browser: row.user_agent,
    }));
  }

  async function whoIs(cookie: string | undefined): Promise<Account | null> {
    if (cookie === undefined) return null;
    const found = await auth.api.getSession({ headers: new Headers({ cookie }) });
    return found ? accountOf(found.user) : null;
  }

  /** Signs in once more, under the same limit of attempts, and ends that session at once. */
  async function confirm(password: string, client: Client): Promise<Confirmed> {
    const account = await whoIs(client.cookie);
    if (!account)
      return { kind: "refused", reason: "wrong-credentials", text: "The session has ended. Sign in again." };
    const who = { email: account.email, password };
    const entered = await enter("/sign-in/email", { ...client, cookie: undefined }, who);
    if (entered.kind === "refused")
      return entered.reason === "wrong-credentials"
        ? { ...entered, text: "The password is not this account's." }
        : entered;
    const cookie = entered.cookies.map((one) => one.split(";")[0]).join("; ");
    await call("/sign-out", { ...client, cookie });
    return { kind: "confirmed", account };
  }

  return {
    signUp: (who: { email: string; password: string; name: string }, client: Client) =>
      enter("/sign-up/email", { ...client, cookie: undefined }, who),
    signIn: (who: { email: string; password: string }, client: Client) =>
      enter("/sign-in/email", { ...client, cookie: undefined }, who),
    /** Ends the session of the cookie; answers the cookies that clear it. */
    async signOut(client: Client): Promise<readonly string[]> {
      return (await call("/sign-out", client)).headers.getSetCookie();
    },
    /** Whose session the cookie names, or null. */
    whoIs,
    loginsOf,
    confirm,
    async remove(accountId: string): Promise<void> {
      const { internalAdapter } = await auth.$context;
      await internalAdapter.deleteUser(accountId);
    },
    addAccount,
    ensureAccount,
    ensureStaff: (staff: Omit<NewAccount, "kind" | "cpoId"> & { readonly cpoId: string }) =>
      ensureAccount({ ...staff, kind: "staff" }),
    operators,
    /** Gives an account another password and signs out whoever is signed in with the old one. */
    async replacePassword(accountId: string, password: string): Promise<void> {
      const { internalAdapter } = await auth.$context;
      await setPassword(accountId, password);
      await internalAdapter.deleteUserSessions(accountId);
    },

    keyOf: (token: string): Promise<MachineKey | null> => keys.find(token),
    createKey: (wish: NewKey) => keys.create(wish),
    /** Null: of auditors. */
    keysOf: (cpoId: string | null) => keys.ofCpo(cpoId),
    revokeKey: (cpoId: string | null, id: string) => keys.revoke(cpoId, id),
  };
}

function accountOf(user: unknown): Account {
  const { id, email, name, kind, cpoId } = user as Account;
  return { id, email, name, kind, cpoId: cpoId ?? null };
}
