/** Accounts: drivers register themselves and get a wallet with it; everybody signs in and out. */
import { z } from "zod";
import { CONSENT } from "../domain/consent.ts";
import type { Account, Client, SignedIn } from "./accountsPort.ts";
import * as out from "./answers.ts";
import type { Deps } from "./deps.ts";
import { Problem } from "./problems.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

/** The driver's id follows from the account's, so that a registration that was cut short is completed at the next call. */
export const driverOf = (deps: Pick<Deps, "usecases">, account: Account) =>
  deps.usecases.registerDriver({
    id: `driver-${account.id}`,
    accountId: account.id,
    name: account.name,
    consentText: CONSENT,
  });

export function accountRoutes(deps: Deps): readonly Route[] {
  const { accounts } = deps;
  const me = async (account: Account) =>
    out.accountOut(account, account.kind === "driver" ? await driverOf(deps, account) : null);
  return [
    route({
      method: "post",
      path: "/account/sign-up",
      tag: "Accounts",
      summary: "Register as a driver",
      description: `Makes an account and a wallet, and signs in (session cookie). \`consent\` agrees to: "${CONSENT}"`,
      who: [],
      body: schemas.signUp,
      answers: { 201: { description: "Registered and signed in", schema: out.account } },
      async handle({ body: { email, password, name }, client }) {
        const entered = signedIn(await accounts.signUp({ email, password, name }, client));
        return { status: 201, body: await me(entered.account), cookies: entered.cookies };
      },
    }),
    route({
      method: "post",
      path: "/account/sign-in",
      tag: "Accounts",
      summary: "Sign in with e-mail and password",
      who: [],
      body: schemas.signIn,
      answers: { 200: { description: "Signed in (session cookie)", schema: out.account } },
      async handle({ body, client }) {
        const entered = signedIn(await accounts.signIn(body, client));
        return { status: 200, body: await me(entered.account), cookies: entered.cookies };
      },
    }),
    route({
      method: "post",
      path: "/account/sign-out",
      tag: "Accounts",
      summary: "Sign out",
      who: ["driver", "staff", "auditor", "arbiter"],
      answers: { 204: { description: "Signed out" } },
      async handle({ client }) {
        return { status: 204, cookies: await accounts.signOut(client) };
      },
    }),
    route({
      method: "get",
      path: "/account/here",
      tag: "Accounts",
      summary: "Who is signed in here, if anybody",
      description: "For a page that does not know yet: being nobody is no error.",
      who: [],
      answers: {
        200: { description: "The account, or null", schema: z.object({ account: out.account.nullable() }) },
      },
      async handle({ client }) {
        const account = await accounts.whoIs(client.cookie);
        return { status: 200, body: { account: account && (await me(account)) } };
      },
    }),
    route({
      method: "get",
      path: "/account",
      tag: "Accounts",
      summary: "Who am I?",
      who: ["driver", "staff", "auditor", "arbiter"],
      answers: { 200: { description: "The account of the session", schema: out.account } },
      async handle({ client }) {
        const account = await accounts.whoIs(client.cookie);
        if (!account) throw new Problem("unauthenticated", "The session has ended. Sign in again.");
        return { status: 200, body: await me(account) };
      },
    }),
  ];
}

function signedIn(answer: SignedIn): SignedIn & { kind: "signed-in" } {
  if (answer.kind === "signed-in") return answer;
  throw turnedAway(answer);
}

/** Whoever wants money, a key or an end says the password again. */
export async function confirmed(
  { accounts }: Pick<Deps, "accounts">,
  password: string,
  client: Client,
): Promise<Account> {
  const answer = await accounts.confirm(password, client);
  if (answer.kind === "confirmed") return answer.account;
  throw turnedAway(answer);
}

function turnedAway(answer: Extract<SignedIn, { kind: "refused" }>): Problem {
  return new Problem(answer.reason, answer.text, {
    ...(answer.reason === "email-taken" ? { faults: [{ pointer: "#/email", detail: answer.text }] } : {}),
    ...("retryAfterS" in answer ? { headers: { "retry-after": String(answer.retryAfterS) } } : {}),
  });
}
