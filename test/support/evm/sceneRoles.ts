/** AccessManager: who may do what, every change announced; at the end the contracts retire. */
import type { Wallet } from "ethers";
import { ROLES } from "../../../backend/adapters/chain/deployment.ts";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { DAY, HOUR } from "./deploymentOf.ts";
import type { Contract, Stage } from "./stage.ts";

const SPARE = 42n;
const OF_MANAGED = ["isConsumingScheduledOp", "authority"];
const MANAGED: readonly Contract[] = [
  "AssetRegistry",
  "AlgorithmRegistry",
  "SlotLedger",
  "FlexToken",
  "TestEuro",
  "Settlement",
];

export async function roles(stage: Stage): Promise<void> {
  const { does, refused, people, addressOf, encode, wait } = stage;
  const manage = (who: string, verb: string, ...args: unknown[]) => does(who, "AccessManager", verb, args);
  const not = (error: string, who: string, verb: string, ...args: unknown[]) =>
    refused(error, who, "AccessManager", verb, args);
  const address = (name: string) => (people[name] as Wallet).address;
  const manager = addressOf("AccessManager");
  const selector = (contract: Contract, verb: string, args: unknown[]) => encode(contract, verb, args).slice(0, 10);
  const register = selector("AssetRegistry", "register", [[], []]);

  /** What the admin does, each announced two days ahead. */
  const plans: [verb: string, ...args: unknown[]][] = [
    ["labelRole", SPARE, "SPARE"],
    ["setRoleAdmin", SPARE, ROLES.registrar],
    ["setRoleGuardian", SPARE, ROLES.guardian],
    ["setGrantDelay", SPARE, HOUR],
    ["setTargetAdminDelay", addressOf("FlexToken"), DAY],
    ["setTargetClosed", addressOf("TestEuro"), true],
    ["setTargetFunctionRole", addressOf("AssetRegistry"), [register], SPARE],
    ["grantRole", ROLES.operator, address("carl"), HOUR],
    ["revokeRole", ROLES.publisher, address("publisher")],
    ...MANAGED.map((contract): [string, Hex, Hex] => ["updateAuthority", addressOf(contract), manager]),
  ];
  await not(
    "AccessManagerUnauthorizedCall",
    "stranger",
    "schedule",
    manager,
    encode("AccessManager", "labelRole", [1, ""]),
    0,
  );
  for (const [verb, ...args] of plans) {
    await not("AccessManagerUnauthorizedAccount", "stranger", verb, ...args);
    await not("AccessManagerNotScheduled", "admin", verb, ...args);
    await manage("admin", "schedule", manager, encode("AccessManager", verb, args), 0);
  }
  const [verb, ...args] = plans[0]!;
  const first = encode("AccessManager", verb, args);
  await not("AccessManagerAlreadyScheduled", "admin", "schedule", manager, first, 0);
  await not("AccessManagerNotReady", "admin", verb, ...args);
  const retire = encode("Settlement", "retire", []);
  const resume = encode("SlotLedger", "unpause", []);
  for (const [contract, data] of [
    ["Settlement", retire],
    ["Settlement", encode("Settlement", "unpause", [])],
    ["SlotLedger", resume],
  ] as const)
    await manage("admin", "schedule", addressOf(contract), data, 0);
  await not("AccessManagerUnauthorizedCancel", "pauser", "cancel", address("admin"), addressOf("SlotLedger"), resume);
  await manage("guardian", "cancel", address("admin"), addressOf("SlotLedger"), resume);
  await not("AccessManagerNotScheduled", "admin", "cancel", address("admin"), addressOf("SlotLedger"), resume);
  await manage("admin", "schedule", addressOf("SlotLedger"), resume, 0);
  const impossible: [error: string, verb: string, ...args: unknown[]][] = [
    ["AccessManagerLockedRole", "labelRole", ROLES.admin, "BOSS"],
    ["AccessManagerLockedFunction", "setTargetFunctionRole", manager, ["0x7a9e5e4b"], SPARE],
    ...MANAGED.map((contract): [string, string, Hex, string] => [
      "AccessManagedInvalidAuthority",
      "updateAuthority",
      addressOf(contract),
      address("admin"),
    ]),
  ];
  for (const [, verb, ...args] of impossible)
    await manage("admin", "schedule", manager, encode("AccessManager", verb, args), 0);
  wait(2 * DAY);
  for (const [error, verb, ...args] of impossible) await not(error, "admin", verb, ...args);
  for (const contract of ["SlotLedger", "Settlement"] as const)
    await refused("ExpectedPause", "admin", contract, "unpause");
  for (const [verb, ...args] of plans) await manage("admin", verb, ...args);
  await not("AccessManagerUnauthorizedCall", "stranger", "execute", addressOf("Settlement"), retire);
  await refused("AccessManagedUnauthorized", "stranger", "Settlement", "retire");
  await manage("admin", "execute", addressOf("Settlement"), retire);
  await refused("Retired", "biller", "Settlement", "post", [3, 4, []]);

  // A closed target is closed to everybody; a slow operator announces, and the guardian may cancel.
  await refused("AccessManagedUnauthorized", "faucet", "TestEuro", "mint", [address("anna"), 1]);
  const record = encode("SlotLedger", "record", [[]]);
  await manage("carl", "schedule", addressOf("SlotLedger"), record, 0);
  await manage("guardian", "cancel", address("carl"), addressOf("SlotLedger"), record);
  await manage("carl", "schedule", addressOf("SlotLedger"), record, 0);
  wait(8 * DAY);
  await refused("AccessManagerExpired", "carl", "SlotLedger", "record", [[]]);
  await manage("registrar", "grantRole", SPARE, address("ben"), 0);
  await refused("AccessManagedUnauthorized", "ben", "AssetRegistry", "register", [[], []]);
  wait(HOUR);
  await does("ben", "AssetRegistry", "register", [[], []]);

  await not("AccessManagerBadConfirmation", "pauser", "renounceRole", ROLES.pauser, address("ben"));
  const leave = encode("AccessManager", "renounceRole", [ROLES.pauser, address("pauser")]);
  await manage("pauser", "multicall", [leave]);
  await manage("ben", "renounceRole", SPARE, address("ben"));
  await not("AccessManagerUnauthorizedAccount", "stranger", "multicall", [first]);
  for (const contract of MANAGED)
    await refused("AccessManagedUnauthorized", "admin", contract, "setAuthority", [manager]);
  const id = (await manage("stranger", "hashOperation", address("admin"), manager, first))[0];
  const mint = selector("TestEuro", "mint", [manager, 0]);

  const views: [verb: string, ...args: unknown[]][] = [
    ["getSchedule", id],
    ["getNonce", id],
    ["canCall", address("operator"), addressOf("SlotLedger"), record.slice(0, 10)],
    ["canCall", address("carl"), addressOf("SlotLedger"), record.slice(0, 10)],
    ["canCall", address("faucet"), addressOf("TestEuro"), mint],
    ["getAccess", ROLES.operator, address("carl")],
    ["hasRole", ROLES.operator, address("carl")],
    ["hasRole", ROLES.pauser, address("pauser")],
    ["getRoleAdmin", SPARE],
    ["getRoleGuardian", SPARE],
    ["getRoleGrantDelay", SPARE],
    ["getTargetAdminDelay", addressOf("FlexToken")],
    ["getTargetFunctionRole", addressOf("AssetRegistry"), register],
    ["isTargetClosed", addressOf("TestEuro")],
    ...["ADMIN_ROLE", "PUBLIC_ROLE", "expiration", "minSetback"].map((one): [string] => [one]),
  ];
  for (const [verb, ...args] of views) await manage("stranger", verb, ...args);
  for (const contract of MANAGED) for (const verb of OF_MANAGED) await does("stranger", contract, verb);
}
