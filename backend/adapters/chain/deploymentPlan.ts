/**
 * What is deployed and how it is wired, as data: the embedded start and Hardhat Ignition both carry out this one plan.
 * At its end the deployer has no role left, unless it is the admin itself.
 */
import { Interface, ZeroHash } from "ethers";
import type { Artifacts, ContractName } from "./artifacts.ts";
import { chunksOf } from "./codeChunks.ts";
import { hashText } from "./commitments.ts";
import type { Hex } from "./rpc.ts";

/**
 * Role numbers of the AccessManager. The arbiter decides disputes and is neither CPO nor biller. The governor is the admin
 * again, where a guardian can stop it: what is the admin role's own, a guardian cannot cancel.
 */
export const ROLES = {
  admin: 0n,
  guardian: 1n,
  operator: 2n,
  biller: 3n,
  registrar: 4n,
  arbiter: 5n,
  minter: 6n,
  publisher: 7n,
  pauser: 8n,
  faucet: 9n,
  governor: 10n,
} as const;

/** Which role may call what. */
export const PERMISSIONS = [
  { role: "operator", contract: "SlotLedger", functions: ["record"] },
  { role: "biller", contract: "Settlement", functions: ["post", "pay"] },
  { role: "arbiter", contract: "Settlement", functions: ["dispute", "resolve"] },
  { role: "registrar", contract: "AssetRegistry", functions: ["register", "setState", "setGroup"] },
  { role: "registrar", contract: "Settlement", functions: ["registerDrivers", "setPayee", "setTariff", "setOffer"] },
  { role: "publisher", contract: "AlgorithmRegistry", functions: ["storeCode", "publish"] },
  { role: "pauser", contract: "SlotLedger", functions: ["pause"] },
  { role: "pauser", contract: "Settlement", functions: ["pause"] },
  { role: "minter", contract: "FlexToken", functions: ["mint", "burn"] },
  { role: "faucet", contract: "TestEuro", functions: ["mint"] },
  { role: "governor", contract: "SlotLedger", functions: ["unpause"] },
  { role: "governor", contract: "Settlement", functions: ["unpause", "retire"] },
] as const satisfies readonly { role: keyof typeof ROLES; contract: ContractName; functions: readonly string[] }[];

/**
 * The AccessManager opens these to the admin role alone, whatever role they carry; the governor's lets a guardian cancel them.
 * Not `revokeRole`: otherwise a guardian could make itself irremovable.
 */
export const CANCELLABLE = [
  ...["labelRole", "grantRole", "setRoleAdmin", "setRoleGuardian", "setGrantDelay"],
  ...["setTargetFunctionRole", "setTargetClosed", "setTargetAdminDelay", "updateAuthority"],
] as const;

/** Who holds a role; several addresses may. The governor is the admin, the minter is always Settlement; without an arbiter disputes expire. */
export type RoleHolders = Readonly<
  Record<Exclude<keyof typeof ROLES, "admin" | "governor" | "minter" | "arbiter">, readonly Hex[]>
> & {
  readonly arbiter?: readonly Hex[];
};

export type AlgorithmSpec = {
  /** Name and version of the method, at most 31 ASCII characters: "least-cost/1". */
  readonly method: string;
  readonly sourceHash: Hex;
  /** Text of the method that is stored on chain, compressed; none when left out. */
  readonly code?: string;
  /** Instant from which runs may name it, epoch seconds; the registry's delay must have passed by then. */
  readonly activeFrom: number;
  readonly maxScale: number;
  readonly voll: number;
  readonly extra: number;
  readonly maxEarly: number;
  readonly uri: string;
};

/** Seconds before something that was announced takes effect; 0 on local networks only. */
export type Delays = {
  /** Every action of the admin is visible for so long before it can be executed. */
  readonly adminDelayS: number;
  /** A batch's lines can be disputed for so long, then its money is the CPO's. */
  readonly windowS: number;
  readonly tariffNoticeS: number;
  readonly withdrawNoticeS: number;
  readonly payeeNoticeS: number;
  /** A published method can be named by runs after so long. */
  readonly activationDelayS: number;
};

export type DeploymentConfig = Delays & {
  readonly admin: Hex;
  readonly holders: RoleHolders;
  /** An existing 6-decimals euro token; null deploys TestEuro (local and test networks only). */
  readonly euro: Hex | null;
  /** Most compensation above a bill, micro-euro per line. */
  readonly maxCreditMicroEur: bigint;
  readonly algorithms: readonly AlgorithmSpec[];
  /** CPOs that exist from the start and who receives their money. */
  readonly payees: readonly { readonly cpo: number; readonly payee: Hex }[];
};

export const NO_DELAYS: Delays = {
  adminDelayS: 0,
  windowS: 0,
  tariffNoticeS: 0,
  withdrawNoticeS: 0,
  payeeNoticeS: 0,
  activationDelayS: 0,
};

/** Everything without a delay, for local chains: one address per role, TestEuro, EUR 10 of compensation at most. */
export const localDeployment = (
  holders: RoleHolders,
  rest: Partial<DeploymentConfig> & Pick<DeploymentConfig, "admin">,
): DeploymentConfig => ({
  ...NO_DELAYS,
  euro: null,
  maxCreditMicroEur: 10_000_000n,
  algorithms: [],
  payees: [],
  ...rest,
  holders,
});

/** A call of a contract: a step, or calldata among another call's arguments. */
export type Call = { readonly contract: ContractName; readonly verb: string; readonly args: readonly Value[] };
/** An argument: plain, or known only once contracts before it are deployed. */
export type Value =
  | string
  | number
  | bigint
  | { readonly addressOf: ContractName }
  | { readonly calldataOf: Call }
  | readonly Value[]
  | { readonly [field: string]: Value };
export type Step =
  | { readonly kind: "deploy"; readonly contract: ContractName; readonly args: readonly Value[] }
  | ({ readonly kind: "call" } & Call);

/** All steps in order. Throws when a method's name does not fit into the registry. */
export function deploymentPlan(config: DeploymentConfig, deployer: Hex, artifacts: Artifacts): Step[] {
  const authority = { addressOf: "AccessManager" } as const;
  const euro = config.euro ?? ({ addressOf: "TestEuro" } as const);
  const notices = [config.windowS, config.tariffNoticeS, config.withdrawNoticeS, config.payeeNoticeS];
  return [
    deploy("AccessManager", deployer),
    deploy("AssetRegistry", authority),
    deploy("ScheduleChecker"),
    deploy("AlgorithmRegistry", authority, config.activationDelayS),
    deploy("SlotLedger", authority, { addressOf: "AlgorithmRegistry" }),
    deploy("FlexToken", authority),
    ...(config.euro === null ? [deploy("TestEuro", authority)] : []),
    deploy("Settlement", authority, euro, { addressOf: "FlexToken" }, notices, config.maxCreditMicroEur),
    // Until functions have roles of their own, they are the admin's: the deployer may still call them.
    ...publication(config.algorithms),
    ...config.payees.map(({ cpo, payee }) => call("Settlement", "setPayee", cpo, payee)),
    call("AccessManager", "multicall", wiring(config, deployer, artifacts)),
  ];
}

/** Each text once, before the methods that name it. */
function publication(algorithms: readonly AlgorithmSpec[]): Step[] {
  const stored = new Set<string>();
  return algorithms.flatMap((algorithm) => {
    const spec = specOf(algorithm, { addressOf: "ScheduleChecker" });
    const isNew = algorithm.code !== undefined && !stored.has(spec.code);
    stored.add(spec.code);
    const chunks = isNew ? chunksOf(algorithm.code) : [];
    return [
      ...chunks.map((chunk) => call("AlgorithmRegistry", "storeCode", spec.code, chunk)),
      call("AlgorithmRegistry", "publish", spec),
    ];
  });
}

/** Calls on the AccessManager, in one transaction: functions get roles, roles get holders, the deployer leaves. */
function wiring(config: DeploymentConfig, deployer: Hex, artifacts: Artifacts): Value[] {
  const manage = (verb: string, ...args: Value[]): Value => ({ calldataOf: { contract: "AccessManager", verb, args } });
  const present = PERMISSIONS.filter(({ contract }) => contract !== "TestEuro" || config.euro === null);
  const opened = [...present, { role: "governor", contract: "AccessManager", functions: CANCELLABLE } as const];
  const functions = opened.map(({ role, contract, functions }) => {
    const abi = new Interface(artifacts[contract].abi);
    const selectors = functions.map((name) => abi.getFunction(name)?.selector as Hex);
    return manage("setTargetFunctionRole", { addressOf: contract }, selectors, ROLES[role]);
  });
  const labels = Object.entries(ROLES).filter(([role]) => role !== "admin");
  const holders: Readonly<Record<string, readonly Value[]>> = {
    ...config.holders,
    minter: [{ addressOf: "Settlement" }],
  };
  const grants = Object.entries(holders).flatMap(([role, list]) =>
    list.map((holder) => manage("grantRole", ROLES[role as keyof typeof ROLES], holder, 0)),
  );
  const keepsAdmin = BigInt(config.admin) === BigInt(deployer);
  return [
    ...functions,
    ...labels.map(([role, id]) => manage("labelRole", id, role.toUpperCase())),
    ...labels.filter(([role]) => role !== "guardian").map(([, id]) => manage("setRoleGuardian", id, ROLES.guardian)),
    ...grants,
    manage("grantRole", ROLES.governor, config.admin, config.adminDelayS),
    manage("grantRole", ROLES.admin, config.admin, config.adminDelayS),
    ...(keepsAdmin ? [] : [manage("renounceRole", ROLES.admin, deployer)]),
  ];
}

/** The specification as the contract takes it. */
export function specOf<Checker extends Value>({ method, code, ...spec }: AlgorithmSpec, checker: Checker) {
  const name = Buffer.from(method, "ascii");
  if (name.length > 31 || name.toString("ascii") !== method)
    throw new RangeError(`"${method}" is no method name: at most 31 ASCII characters.`);
  const padded = `0x${Buffer.concat([name, Buffer.alloc(32 - name.length)]).toString("hex")}`;
  return { ...spec, method: padded, code: code === undefined ? ZeroHash : hashText(code), checker, encoding: 1 };
}

const deploy = (contract: ContractName, ...args: Value[]): Step => ({ kind: "deploy", contract, args });
const call = (contract: ContractName, verb: string, ...args: Value[]): Step => ({ kind: "call", contract, verb, args });

/** How somebody who carries out the plan says what was unknown when it was made. */
export type Known<T> = { address(contract: ContractName): T; calldata(call: Call): T };
export type Resolved<T> = string | number | bigint | T | Resolved<T>[] | { [field: string]: Resolved<T> };

/** Arguments with addresses and calldata put in. */
export const resolveAll = <T>(values: readonly Value[], known: Known<T>): Resolved<T>[] =>
  values.map((value) => resolve(value, known));

function resolve<T>(value: Value, known: Known<T>): Resolved<T> {
  if (typeof value !== "object") return value;
  if (isList(value)) return resolveAll(value, known);
  if (isAddress(value)) return known.address(value.addressOf);
  if (isCalldata(value)) return known.calldata(value.calldataOf);
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, resolve(one, known)]));
}

type Compound = Extract<Value, object>;
const isList = (value: Compound): value is readonly Value[] => Array.isArray(value);
const isAddress = (value: object): value is { readonly addressOf: ContractName } => "addressOf" in value;
const isCalldata = (value: object): value is { readonly calldataOf: Call } => "calldataOf" in value;
