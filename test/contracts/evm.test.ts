/**
 * Three EVMs, two of them written independently, under three forks: the code that is deployed does the same on each. Hardhat's
 * chain, which the service embeds, records; the others repeat transaction by transaction.
 */
import { expect } from "chai";
import { id as hash, Interface, type InterfaceAbi, keccak256, Transaction, toBeHex } from "ethers";
import { type ContractName, loadArtifacts } from "../../backend/adapters/chain/deployment.ts";
import type { Hex } from "../../backend/adapters/chain/rpc.ts";
import { ethereumJs } from "../support/evm/ethereumjs.ts";
import { anvil, edr } from "../support/evm/nodes.ts";
import { SCENES } from "../support/evm/scenes.ts";
import { type Recording, record } from "../support/evm/stage.ts";
import {
  differences,
  type Evm,
  FORKS,
  type Fork,
  type Life,
  lifeOf,
  type Outcome,
  play,
  type Slots,
} from "../support/evm/trace.ts";

/** Verbs that no caller can make fail. */
const NEVER_FAILS = ["Settlement.requestWithdraw"];
/** Errors that no call of this deployment can bring about, by the part of their code that could throw them. */
const OUT_OF_REACH = {
  "needs another euro token":
    /^Settlement\.(WrongAmountReceived|SafeERC20FailedOperation|ReentrancyGuardReentrantCall)$/,
  "needs 65,535 assets in a group": /^AssetRegistry\.GroupFull$/,
  "needs a network with real money": /^TestEuro\.NotATestNetwork$/,
  "of the constructor": /\.(AccessManagerInvalidInitialAdmin|InvalidShortString|StringTooLong)$/,
  "needs a contract that plays a managed one":
    /^AccessManager\.(AccessManagerUnauthorizedConsume|AddressEmptyCode|FailedCall)$/,
  "declared by OpenZeppelin, thrown by nothing here":
    /\.(AccessManagedRequiredDelay|InsufficientBalance|SafeCastOverflowedUintDowncast|ECDSAInvalidSignatureLength|ERC20InvalidApprover|ERC20InvalidSender|InvalidAccountNonce)$/,
};
/** The domain never changes. */
const NEVER_EMITTED = /\.EIP712DomainChanged$/;

const TIMESTAMP = 0x42;
/** What would see more of a block, which anvil chooses in part by itself, and what osaka has added. */
const OTHERWISE = {
  ...{ BLOCKHASH: 0x40, COINBASE: 0x41, NUMBER: 0x43, PREVRANDAO: 0x44, GASLIMIT: 0x45, BASEFEE: 0x48 },
  ...{ BLOBHASH: 0x49, BLOBBASEFEE: 0x4a, CLZ: 0x1e },
};

/** Opcodes of a contract's code, without what PUSH instructions push and the compiler's metadata at the end. */
function instructionsOf(code: Hex): Set<number> {
  const bytes = Buffer.from(code.slice(2), "hex");
  const end = bytes.length - 2 - bytes.readUInt16BE(bytes.length - 2);
  const found = new Set<number>();
  for (let i = 0; i < end; i++) {
    const opcode = bytes.readUInt8(i);
    found.add(opcode);
    if (opcode >= 0x60 && opcode <= 0x7f) i += opcode - 0x5f;
  }
  return found;
}

describe("the contracts on every EVM", function () {
  this.timeout(240_000);
  const artifacts = loadArtifacts();
  let recording: Recording;
  let addresses: readonly Hex[];
  let slots: Slots;
  /** What Hardhat's chain made of it, by fork, and what the first witness did. */
  const lives = new Map<Fork, Life>();
  let witnessed: Life;

  const live = async (evm: Evm): Promise<Life> => {
    try {
      return await lifeOf(evm, await play(evm, recording.steps), addresses, slots);
    } finally {
      await evm.close();
    }
  };

  before(async () => {
    recording = await record("osaka", SCENES);
    const { funded, manifest, outcomes, steps } = recording;
    const deployed = Object.values(manifest.contracts).map(({ address }) => address);
    // Pieces of code are on addresses of their own, which only an event names.
    const pointers = outcomes.flatMap(({ logs }) =>
      logs.flatMap(({ topics, data }) => (topics[0] === CODE_STORED ? [`0x${data.slice(-40)}` as Hex] : [])),
    );
    addresses = [...new Set([...funded, ...deployed, ...pointers].map((address) => address.toLowerCase() as Hex))];
    const witness = await ethereumJs("osaka", funded);
    const repeated = await play(witness, steps);
    slots = witness.written;
    lives.set("osaka", await lifeOf(recording.node, outcomes, addresses, slots));
    witnessed = await lifeOf(witness, repeated, addresses, slots);
    await recording.node.close();
    for (const fork of ["cancun", "prague"] as const) lives.set(fork, await live(await edr(fork, funded)));
  });

  const CODE_STORED = new Interface(artifacts.AlgorithmRegistry.abi).getEvent("CodeStored")!.topicHash;

  describe("the recording", () => {
    const members = (type: "function" | "event" | "error", of: (member: any) => boolean = () => true) =>
      (Object.entries(artifacts) as [ContractName, { abi: InterfaceAbi }][]).flatMap(([name, { abi }]) =>
        new Interface(abi).fragments
          .filter((one) => one.type === type && of(one))
          .map((one) => `${name}.${(one as unknown as { name: string }).name}`),
      );
    const changes = ({ stateMutability }: { stateMutability: string }) => !["view", "pure"].includes(stateMutability);
    const missing = (wanted: readonly string[], seen: ReadonlySet<string>) => wanted.filter((one) => !seen.has(one));

    it("deploys what the manifest says, byte for byte what the compiler gives", () => {
      for (const [name, { tx }] of Object.entries(recording.manifest.contracts)) {
        const { raw } = recording.steps.find((step) => keccak256(step.raw) === tx)!;
        const { to, data } = Transaction.from(raw);
        expect(to, name).to.equal(null);
        expect(data.startsWith(artifacts[name as ContractName].bytecode), name).to.equal(true);
      }
    });

    it("reads of a block its time alone, and no instruction is newer than cancun", () => {
      for (const [name, { address }] of Object.entries(recording.manifest.contracts)) {
        const used = instructionsOf(lives.get("osaka")!.accounts.get(address.toLowerCase() as Hex)!.code);
        expect(used.has(TIMESTAMP) || !/Settlement|SlotLedger|AlgorithmRegistry/.test(name), name).to.equal(true);
        for (const [instruction, opcode] of Object.entries(OTHERWISE))
          expect(used.has(opcode), `${instruction} in ${name}`).to.equal(false);
      }
    });

    it("has every function of every contract succeed", () => {
      expect(missing(members("function"), recording.done)).to.deep.equal([]);
    });

    it("has every function that changes state fail", () => {
      expect(missing(members("function", changes), recording.failed)).to.deep.equal(NEVER_FAILS);
    });

    it("has every event, and every error that can be brought about", () => {
      const silent = missing(members("event"), recording.events);
      expect(silent.filter((one) => !NEVER_EMITTED.test(one))).to.deep.equal([]);
      const untold = missing(members("error"), recording.errors);
      const reasons = Object.values(OUT_OF_REACH);
      expect(untold.filter((one) => !reasons.some((reason) => reason.test(one)))).to.deep.equal([]);
    });
  });

  describe("returns, reverts, logs and stores the same, for the same gas under the same fork", () => {
    for (const fork of FORKS)
      for (const [name, make] of Object.entries({ EthereumJS: ethereumJs, anvil }))
        it(`${name}, ${fork}`, async function () {
          const known = name === witnessed.name && fork === witnessed.fork;
          const evm = known ? null : await make(fork, recording.funded);
          if (!known && evm === null) return this.skip();
          const other = evm === null ? witnessed : await live(evm);
          expect(differences(lives.get(fork)!, other, recording.steps)).to.deep.equal([]);
          expect(differences(lives.get("osaka")!, other, recording.steps)).to.deep.equal([]);
        });

    it("of a fork only the gas is different: calldata costs more since Prague", () => {
      const gas = (fork: Fork) => lives.get(fork)!.outcomes.reduce((sum, one) => sum + Number(one.gas), 0);
      expect(differences(lives.get("cancun")!, lives.get("prague")!, recording.steps)).to.deep.equal([]);
      expect(gas("prague")).to.be.above(gas("cancun"));
      expect(gas("osaka")).to.equal(gas("prague"));
    });
  });

  describe("sees", () => {
    /** The life once more, with something changed on the way. */
    async function tampered(change: (evm: Evm, before: number) => Promise<void>): Promise<string[]> {
      const { funded, steps } = recording;
      const evm = await edr("prague", funded);
      const outcomes = await play(evm, steps, (i) => change(evm, i));
      await change(evm, steps.length);
      const life = await lifeOf(evm, outcomes, addresses, slots);
      await evm.close();
      return differences(lives.get("prague")!, life, steps);
    }
    const settlement = () => recording.manifest.contracts.Settlement.address.toLowerCase() as Hex;
    const lastWord = () =>
      [...slots]
        .filter((key) => key.startsWith(settlement()))
        .at(-1)!
        .split(" ")[1] as Hex;
    const plusOne = (word: Hex) => toBeHex(BigInt(word) ^ 1n, 32) as Hex;

    it("nothing where nothing was changed", async () => {
      expect(await tampered(async () => {})).to.deep.equal([]);
    });

    it("one byte of code, even when it was put back at the end", async () => {
      const { code } = lives.get("prague")!.accounts.get(settlement())!;
      // PUSH3 2,592,000: the thirty days of a dispute become a second longer.
      const other = code.replace("62278d00", "62278d01") as Hex;
      expect(other).to.not.equal(code);
      const first = recording.steps.findIndex(({ what }) => what !== "deployment");
      const found = await tampered(async (evm, before) => {
        if (before === first) await evm.setCode(settlement(), other);
        if (before === recording.steps.length) await evm.setCode(settlement(), code);
      });
      expect(found).to.not.deep.equal([]);
      expect(found.join()).to.match(/Settlement\.(DISPUTE_TERM|expire|settleOwed): (data|success)/);
    });

    it("one byte of code that nobody runs", async () => {
      const { code } = lives.get("prague")!.accounts.get(settlement())!;
      const other = `${code.slice(0, -2)}${code.endsWith("00") ? "01" : "00"}` as Hex;
      const found = await tampered(async (evm, before) => {
        if (before === recording.steps.length) await evm.setCode(settlement(), other);
      });
      expect(found).to.have.length(1);
      expect(found[0]).to.match(new RegExp(`^${settlement()}: code is `));
    });

    it("one storage word, also one that no EVM ever wrote", async () => {
      for (const slot of [lastWord(), hash("a slot of nobody") as Hex]) {
        const found = await tampered(async (evm, before) => {
          if (before === recording.steps.length)
            await evm.setWord(settlement(), slot, plusOne(await evm.word(settlement(), slot)));
        });
        expect(found.map((one) => one.replace(/ is .*/, ""))).to.deep.equal([
          `${settlement()}: storage root`,
          ...(slot === lastWord() ? [`${settlement()} ${slot}: storage word`] : []),
        ]);
      }
    });

    it("one unit of gas, one bit of a log", () => {
      const [life, { steps }] = [lives.get("prague")!, recording];
      const last = steps.length - 1;
      const logged = life.outcomes.findIndex(({ logs }) => logs.length > 0);
      const changed = (at: number, part: (one: Outcome) => Partial<Outcome>): Life => ({
        ...life,
        outcomes: life.outcomes.map((one, i) => (i === at ? { ...one, ...part(one) } : one)),
      });
      const dearer = changed(last, ({ gas }) => ({ gas: gas + 1n }));
      const other = changed(logged, ({ logs }) => ({
        logs: logs.map((log) => ({ ...log, data: `${log.data}00` as Hex })),
      }));
      expect(differences(life, dearer, steps)).to.have.length(1);
      expect(differences(life, other, steps)).to.have.length(1);
    });
  });
});
