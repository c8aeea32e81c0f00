/** How better-auth is set up: e-mail and password, cookies, rate limit, and our names for its tables. */
import type { BetterAuthOptions } from "better-auth";
import type { Kysely } from "kysely";
import type { AccountTables } from "./accountTables.ts";

export type AuthSettings = {
  /** Signs cookies; at least 32 random characters. */
  readonly secret: string;
  /** Where people reach the service; https makes cookies secure. */
  readonly publicUrl: string;
  /** Requests to sign in or up per minute and address. */
  readonly signInsPerMinute?: number;
};

/** Only our own code sets it, from the connection; what a client sends under this name is not passed on. */
export const CLIENT_ADDRESS = "x-client-address";
export const BASE_PATH = "/accounts";
const DAY_S = 86_400;

export function authOptions(db: Kysely<AccountTables>, settings: AuthSettings) {
  const perMinute = { window: 60, max: settings.signInsPerMinute ?? 10 };
  const origin = new URL(settings.publicUrl).origin;
  return {
    appName: "Oli Move",
    baseURL: origin,
    basePath: BASE_PATH,
    secret: settings.secret,
    trustedOrigins: [origin],
    // Kysely is handed over open: better-auth works in the service's own database.
    database: { db, type: "postgres", transaction: true },
    emailAndPassword: { enabled: true, minPasswordLength: 10, maxPasswordLength: 128 },
    user: {
      modelName: "account_user",
      fields: { emailVerified: "email_verified", createdAt: "created_at", updatedAt: "updated_at" },
      additionalFields: {
        // Never taken from a request: staff and auditors are made by the operator.
        kind: { type: "string", input: false, required: true, defaultValue: "driver" },
        cpoId: { type: "string", input: false, required: false, fieldName: "cpo_id" },
      },
    },
    session: {
      modelName: "account_session",
      expiresIn: 14 * DAY_S,
      updateAge: DAY_S,
      fields: {
        expiresAt: "expires_at",
        createdAt: "created_at",
        updatedAt: "updated_at",
        ipAddress: "ip_address",
        userAgent: "user_agent",
        userId: "user_id",
      },
    },
    account: {
      modelName: "account_credential",
      fields: {
        accountId: "account_id",
        providerId: "provider_id",
        userId: "user_id",
        accessToken: "access_token",
        refreshToken: "refresh_token",
        idToken: "id_token",
        accessTokenExpiresAt: "access_token_expires_at",
        refreshTokenExpiresAt: "refresh_token_expires_at",
        createdAt: "created_at",
        updatedAt: "updated_at",
      },
    },
    verification: {
      modelName: "account_verification",
      fields: { expiresAt: "expires_at", createdAt: "created_at", updatedAt: "updated_at" },
    },
    rateLimit: {
      enabled: true,
      storage: "database",
      modelName: "account_rate_limit",
      fields: { lastRequest: "last_request" },
      customRules: { "/sign-in/email": perMinute, "/sign-up/email": perMinute },
    },
    advanced: {
      cookiePrefix: "oli-move",
      useSecureCookies: origin.startsWith("https:"),
      defaultCookieAttributes: { httpOnly: true, sameSite: "lax", path: "/" },
      ipAddress: { ipAddressHeaders: [CLIENT_ADDRESS] },
    },
    logger: { disabled: true },
    telemetry: { enabled: false },
  } satisfies BetterAuthOptions;
}
