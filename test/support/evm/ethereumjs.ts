/** EthereumJS as an EVM: written in JavaScript by other people than EDR and anvil, which share theirs (revm). */
import { createBlock } from "@ethereumjs/block";
import { createCustomCommon, Mainnet } from "@ethereumjs/common";
import { MerkleStateManager } from "@ethereumjs/statemanager";
import { createTxFromRLP } from "@ethereumjs/tx";
import {
  Account,
  type Address,
  bytesToHex,
  createAddressFromString,
  hexToBytes,
  setLengthLeft,
  unpadBytes,
} from "@ethereumjs/util";
import { createVM, runTx } from "@ethereumjs/vm";
import type { Hex } from "../../../backend/adapters/chain/rpc.ts";
import { BLOCK_GAS, CHAIN_ID, COINBASE, type Evm, type Fork, type Slots } from "./trace.ts";

/** State in a Merkle tree, which knows keys by their hash only: what was written is remembered beside it. */
class RememberingState extends MerkleStateManager {
  readonly written = new Set<string>();
  override putStorage(address: Address, key: Uint8Array, value: Uint8Array): Promise<void> {
    this.written.add(`${address.toString()} ${bytesToHex(key)}`);
    return super.putStorage(address, key, value);
  }
}

/** Root over the storage words of one account; words that are 0 are not in the tree. */
export async function storageRootOf(words: Readonly<Record<Hex, Hex>>): Promise<Hex> {
  const state = new MerkleStateManager();
  const address = createAddressFromString(COINBASE);
  await state.putAccount(address, new Account());
  for (const [slot, word] of Object.entries(words))
    await state.putStorage(address, setLengthLeft(hexToBytes(slot as Hex), 32), unpadBytes(hexToBytes(word)));
  await state.flush();
  return bytesToHex((await state.getAccount(address))?.storageRoot ?? new Uint8Array());
}

export type EthereumJs = Evm & { readonly written: Slots };

export async function ethereumJs(fork: Fork, funded: readonly Hex[]): Promise<EthereumJs> {
  const common = createCustomCommon({ chainId: CHAIN_ID }, Mainnet, { hardfork: fork });
  const state = new RememberingState({ common });
  const vm = await createVM({ common, stateManager: state });
  for (const address of funded) await state.putAccount(createAddressFromString(address), new Account(0n, 10n ** 24n));
  const at = (address: Hex) => createAddressFromString(address);

  return {
    name: "EthereumJS",
    fork,
    written: state.written,
    async run({ raw, block }) {
      const { number, at: timestamp, baseFee, prevRandao } = block;
      const header = { number, timestamp, baseFeePerGas: baseFee, mixHash: prevRandao };
      const result = await runTx(vm, {
        tx: createTxFromRLP(hexToBytes(raw), { common }),
        block: createBlock({ header: { ...header, coinbase: COINBASE, gasLimit: BLOCK_GAS } }, { common }),
      });
      return {
        ok: result.execResult.exceptionError === undefined,
        gas: result.totalGasSpent,
        output: bytesToHex(result.execResult.returnValue),
        logs: result.receipt.logs.map(([address, topics, data]) => ({
          address: bytesToHex(address),
          topics: topics.map((topic) => bytesToHex(topic)),
          data: bytesToHex(data),
        })),
      };
    },
    async account(address) {
      await state.flush();
      const account = (await state.getAccount(at(address))) ?? new Account();
      const { nonce, balance, storageRoot } = account;
      return {
        nonce,
        balance,
        storageRoot: bytesToHex(storageRoot),
        code: bytesToHex(await state.getCode(at(address))),
      };
    },
    word: async (address, slot) => bytesToHex(setLengthLeft(await state.getStorage(at(address), hexToBytes(slot)), 32)),
    setCode: (address, code) => state.putCode(at(address), hexToBytes(code)),
    setWord: (address, slot, word) => state.putStorage(at(address), hexToBytes(slot), unpadBytes(hexToBytes(word))),
    close: async () => {},
  };
}
