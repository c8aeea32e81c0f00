/** A deployment that is killed after any step, before or after the step's transaction was sent, ends as if it had not been. */
import { expect } from "chai";
import { deployContracts, localDeployment } from "../../../backend/adapters/chain/deployment.ts";
import { type EmbeddedChain, startEmbeddedChain } from "../../../backend/adapters/chain/embedded.ts";
import type { Hex, Rpc } from "../../../backend/adapters/chain/rpc.ts";
import { ARTIFACTS, KEYS } from "./deployed.ts";

const { deployer, registry } = KEYS;
const nobody = { guardian: [], operator: [], biller: [], registrar: [], publisher: [], pauser: [], faucet: [] };
const config = localDeployment(nobody, {
  admin: registry.address,
  payees: [{ cpo: 1, payee: registry.address }],
});
const GENESIS_AT = 1_700_000_000;
/** Eight contracts, one payee, the wiring. */
const STEPS = 10;

describe("A deployment that is cut off", () => {
  const chains: EmbeddedChain[] = [];
  after(() => Promise.all(chains.map((chain) => chain.close())));
  const freshChain = async () => {
    const chain = await startEmbeddedChain({ funded: [deployer.address], genesisAt: GENESIS_AT });
    chains.push(chain);
    return chain.rpc;
  };
  const whole = async (rpc: Rpc) => deployContracts(rpc, deployer, ARTIFACTS, config);

  it("goes on with the same transactions and ends in the same contracts", async () => {
    const wanted = await whole(await freshChain());
    for (const sent of [false, true])
      for (let step = 1; step <= STEPS; step++) {
        const rpc = await freshChain();
        const journal = memory();
        const cut = deployContracts(rpc, deployer, ARTIFACTS, config, journal.dyingAt(step, sent ? rpc : null));
        expect(await refusalOf(cut), `step ${step}`).to.equal("killed");
        expect(journal.raws).to.have.length(step);
        const manifest = await deployContracts(rpc, deployer, ARTIFACTS, config, journal.living());
        expect(addressesOf(manifest), `killed at step ${step}, ${sent ? "sent" : "not sent"}`).to.deep.equal(
          addressesOf(wanted),
        );
        expect(journal.raws, "transactions in all").to.have.length(STEPS);
      }
  });

  it("answers the same manifest when everything was mined already", async () => {
    const rpc = await freshChain();
    const journal = memory();
    const first = await deployContracts(rpc, deployer, ARTIFACTS, config, journal.living());
    expect(await deployContracts(rpc, deployer, ARTIFACTS, config, journal.living())).to.deep.equal(first);
  });

  it("refuses to go on with another configuration", async () => {
    const rpc = await freshChain();
    const journal = memory();
    await refusalOf(deployContracts(rpc, deployer, ARTIFACTS, config, journal.dyingAt(9, null)));
    const other = { ...config, payees: [{ cpo: 2, payee: registry.address }] };
    expect(await refusalOf(deployContracts(rpc, deployer, ARTIFACTS, other, journal.living()))).to.match(
      /Settlement.setPayee was begun with .*fresh chain and a fresh database/,
    );
  });
});

/** A journal that outlives its process. */
function memory() {
  const raws: Hex[] = [];
  const living = () => ({ kept: [...raws], keep: async (raw: Hex) => void raws.push(raw) });
  return {
    raws,
    living,
    /** The process dies once the step's bytes are kept; `rpc`: after they were sent. */
    dyingAt: (step: number, rpc: Rpc | null) => ({
      kept: [],
      async keep(raw: Hex) {
        raws.push(raw);
        if (raws.length < step) return;
        await rpc?.ask([{ method: "eth_sendRawTransaction", params: [raw] }]);
        throw new Error("killed");
      },
    }),
  };
}

const addressesOf = ({ contracts }: { contracts: object }) =>
  Object.entries(contracts).map(([name, { address }]) => [name, address]);

const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: Error) => error.message,
  );
