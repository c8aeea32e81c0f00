/** AssetRegistry and AlgorithmRegistry: every verb, every refusal. */
import { encodeBytes32String, id as hash, keccak256, toUtf8Bytes } from "ethers";
import { chunksOf } from "../../../backend/adapters/chain/codeChunks.ts";
import { CPO } from "../settlement.ts";
import { GROUP, ZERO } from "../slotLedger.ts";
import { CODE, DAY, HOUR, SPEC } from "./deploymentOf.ts";
import type { Stage } from "./stage.ts";

const KIND = { none: 0, chargePoint: 1, inverter: 2, battery: 3 };
const STATE = { none: 0, planned: 1, active: 2, faulted: 3, retired: 4 };
const SLOT = 1_958_400;

const aGroup = (part: object = {}) => ({ cpo: CPO, capacity: 44_000, parent: 0, fromSlot: SLOT, ...part });
const anAsset = (index: number, part: object = {}) => ({
  kind: KIND.chargePoint,
  state: STATE.active,
  connector: 2,
  phases: 3,
  group: GROUP,
  index,
  fromSlot: SLOT,
  ratedPower: 11_000,
  minPower: 1_400,
  capacity: 0,
  metadata: hash(`document ${index}`),
  ...part,
});
const ids = [0, 1, 2, 3].map((i) => hash(`asset ${i}`));

export async function assets({ does, refused }: Stage): Promise<void> {
  const registry = (verb: string, ...args: unknown[]) => does("registrar", "AssetRegistry", verb, args);
  const not = (error: string, verb: string, ...args: unknown[]) =>
    refused(error, "registrar", "AssetRegistry", verb, args);

  await refused("AccessManagedUnauthorized", "stranger", "AssetRegistry", "setGroup", [GROUP, aGroup()]);
  await not("UnknownGroup", "setGroup", 0, aGroup());
  await not("InvalidGroup", "setGroup", GROUP, aGroup({ cpo: 0 }));
  await not("UnknownGroup", "setGroup", GROUP, aGroup({ parent: 99 }));
  // A feeder over three levels: 1 > 2 > 3 > 7.
  for (const [group, parent] of [
    [1, 0],
    [2, 1],
    [3, 2],
    [GROUP, 3],
  ] as const)
    await registry("setGroup", group, aGroup({ parent }));
  await not("TooDeep", "setGroup", 8, aGroup({ parent: GROUP }));
  await not("ParentFixed", "setGroup", 2, aGroup({ parent: 0 }));
  await not("SlotBeforeLast", "setGroup", GROUP, aGroup({ parent: 3, fromSlot: SLOT - 1 }));
  await registry("setGroup", GROUP, aGroup({ parent: 2, capacity: 22_000, fromSlot: SLOT + 4 }));

  await not("LengthMismatch", "register", ids, []);
  await not("InvalidAsset", "register", [ids[0]], [anAsset(0, { kind: KIND.none })]);
  await not("UnknownGroup", "register", [ids[0]], [anAsset(0, { group: 99 })]);
  await not("WrongIndex", "register", [ids[0]], [anAsset(1)]);
  await registry("register", ids, [
    ...[0, 1].map((i) => anAsset(i)),
    anAsset(2, { kind: KIND.inverter, state: STATE.planned }),
    anAsset(3, { kind: KIND.battery, capacity: 100_000 }),
  ]);
  await not("AlreadyRegistered", "register", [ids[0]], [anAsset(4)]);

  await not("UnknownAsset", "setState", [hash("nobody's")], STATE.faulted, SLOT);
  await not("InvalidState", "setState", [ids[0]], STATE.planned, SLOT);
  await not("SlotBeforeLast", "setState", [ids[0]], STATE.faulted, SLOT - 1);
  await registry("setState", [ids[0], ids[2]], STATE.faulted, SLOT + 1);
  await registry("setState", [ids[0]], STATE.retired, SLOT + 2);
  await not("AlreadyRetired", "setState", [ids[0]], STATE.active, SLOT + 3);

  for (const [verb, ...args] of [
    ["assetOf", ids[3]],
    ["assetOf", hash("nobody's")],
    ["groupOf", GROUP],
    ["countOf", GROUP],
    ["memberOf", GROUP, 2],
    ["memberOf", GROUP, 4],
    ["idOf", CPO, ZERO, "DE*ABC*E1"],
    ["MAX_DEPTH"],
  ] as const)
    await does("stranger", "AssetRegistry", verb, args);
}

export async function algorithms({ does, refused, now, wait, addressOf, manifest }: Stage): Promise<void> {
  const registry = (verb: string, ...args: unknown[]) => does("publisher", "AlgorithmRegistry", verb, args);
  const not = (error: string, verb: string, ...args: unknown[]) =>
    refused(error, "publisher", "AlgorithmRegistry", verb, args);
  // The largest chunk that an address can hold, and the rest.
  const code = hash("a long method");
  const chunks = [`0x${"5e".repeat(24_575)}`, `0x${"5f".repeat(33)}`];
  const spec = (part: object = {}) => ({
    ...SPEC,
    method: encodeBytes32String("least-laxity/1"),
    code,
    checker: addressOf("ScheduleChecker"),
    encoding: 1,
    activeFrom: now() + DAY + HOUR,
    ...part,
  });

  await refused("AccessManagedUnauthorized", "stranger", "AlgorithmRegistry", "storeCode", [code, chunks[0]]);
  await not("InvalidChunk", "storeCode", code, "0x");
  await not("InvalidChunk", "storeCode", code, `0x${"5e".repeat(24_576)}`);
  await not("CodeMissing", "publish", spec());
  for (const chunk of chunks) await registry("storeCode", code, chunk);
  await not("InvalidSpec", "publish", spec({ voll: SPEC.extra - 1 }));
  await not("ActiveTooSoon", "publish", spec({ activeFrom: now() }));
  const published = spec();
  const [version] = await registry("publish", published);
  await not("AlreadyPublished", "publish", published);
  await not("CodeSealed", "storeCode", code, chunks[1]);
  await registry("publish", spec({ code: ZERO, uri: "" }));

  await not("NotActive", "requireActive", version);
  await not("UnknownVersion", "requireActive", hash("no version"));
  await not("UnknownVersion", "specOf", hash("no version"));
  wait(2 * DAY);
  for (const [verb, ...args] of [
    ["requireActive", version],
    ["requireActive", manifest.algorithms["least-cost/1"]],
    ["specOf", version],
    ["codeOf", code],
    ["activationDelay"],
  ] as const)
    await does("stranger", "AlgorithmRegistry", verb, args);
  const [stored] = await does("stranger", "AlgorithmRegistry", "codeOf", [keccak256(toUtf8Bytes(CODE))]);
  if (stored !== chunksOf(CODE)[0]) throw new Error("The code on chain is not the one that was stored.");
}
