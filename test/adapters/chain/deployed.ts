/** The real contracts on an embedded chain, with one key per lane, as a service has them. */

import { type ChainReader, createChainReader } from "../../../backend/adapters/chain/chainReader.ts";
import { bindContracts, type Contracts } from "../../../backend/adapters/chain/contracts.ts";
import {
  deployContracts,
  loadArtifacts,
  localDeployment,
  type Manifest,
} from "../../../backend/adapters/chain/deployment.ts";
import { createEffect } from "../../../backend/adapters/chain/effect.ts";
import { type EmbeddedChain, startEmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import { createLedger } from "../../../backend/adapters/chain/ledger.ts";
import { type Db, enqueue } from "../../../backend/adapters/chain/outbox.ts";
import { LOCAL_POLICY } from "../../../backend/adapters/chain/outboxRow.ts";
import { localSigner, type Signer } from "../../../backend/adapters/chain/signer.ts";
import { type Alarm, createWriter, type Progress } from "../../../backend/adapters/chain/writer.ts";
import { METHOD_NAMES } from "../../../backend/domain/algorithms.ts";
import type { ChainCall, Lane, Ledger } from "../../../backend/usecases/ports.ts";
import { WEIGHTS } from "../../support/problems.ts";
import { freshDatabase, key } from "./bench.ts";

export const ARTIFACTS = loadArtifacts();
export const KEYS: Readonly<Record<Lane | "deployer", Signer>> = {
  deployer: localSigner(key(1)),
  registry: localSigner(key(2)),
  treasury: localSigner(key(3)),
  slots: localSigner(key(4)),
  billing: localSigner(key(5)),
  arbiter: localSigner(key(6)),
};

export { WEIGHTS };
export const CPO = 3;

export type Deployed = {
  readonly chain: EmbeddedChain;
  readonly manifest: Manifest;
  readonly contracts: Contracts;
  readonly ledger: Ledger;
  readonly reader: ChainReader;
  readonly db: Db;
  readonly alarms: Alarm[];
  /** Enqueues the calls and carries them to the chain. */
  write(...calls: ChainCall[]): Promise<Progress>;
};

/** `windowS` seconds for disputes, which the slots lane decides beside the arbiter. */
export async function aDeployment(windowS = 0, withdrawNoticeS = 0): Promise<Deployed> {
  const funded = Object.values(KEYS).map(({ address }) => address);
  const chain = await startEmbeddedChain({ funded });
  const algorithm = {
    sourceHash: key(7),
    activeFrom: 0,
    maxScale: 65_535,
    voll: WEIGHTS.voll,
    extra: WEIGHTS.extra,
    maxEarly: 4_000_000_000,
    uri: "https://example.org",
  };
  const holders = {
    guardian: [],
    operator: [KEYS.slots.address],
    biller: [KEYS.billing.address],
    registrar: [KEYS.registry.address],
    arbiter: [KEYS.arbiter.address, KEYS.slots.address],
    publisher: [],
    pauser: [],
    faucet: [KEYS.treasury.address],
  };
  const algorithms = METHOD_NAMES.map((name) => ({ ...algorithm, method: `${name}/1` }));
  const config = localDeployment(holders, { admin: KEYS.deployer.address, algorithms, windowS, withdrawNoticeS });
  const manifest = await deployContracts(chain.rpc, KEYS.deployer, ARTIFACTS, config);
  const contracts = bindContracts(manifest, ARTIFACTS);
  const reader = createChainReader(chain.rpc, contracts);
  const db = await freshDatabase();
  const alarms: Alarm[] = [];
  const writer = createWriter({
    db,
    database: "pglite",
    rpc: chain.rpc,
    signers: KEYS,
    policy: LOCAL_POLICY,
    addressOf: contracts.addressOf,
    decodeRevert: contracts.decodeRevert,
    effect: createEffect(chain.rpc, contracts, LOCAL_POLICY.depth),
    now: () => 1_800_000_000,
    alarm: (alarm) => alarms.push(alarm),
  });
  const write = async (...calls: ChainCall[]) => {
    await enqueue(db, calls);
    return writer.drain();
  };
  return { chain, manifest, contracts, ledger: createLedger(contracts), reader, db, alarms, write };
}
