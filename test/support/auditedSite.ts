/** What the audit says of a site of world.ts: everything but what it reads from the chain, which is not there. */
import type { Tariff } from "../../backend/domain/assets.ts";
import { auditBill } from "../../backend/usecases/auditBills.ts";
import { auditEveryPlan } from "../../backend/usecases/auditEveryPlan.ts";
import { auditEvidence } from "../../backend/usecases/auditEvidence.ts";
import { readFacts } from "../../backend/usecases/auditFacts.ts";
import { createFindings, type Difference } from "../../backend/usecases/auditFindings.ts";
import { auditPromises } from "../../backend/usecases/auditPromises.ts";
import { auditRefusals } from "../../backend/usecases/auditRefusals.ts";
import type { ChainEye, World } from "../../backend/usecases/ports.ts";

export async function auditedSite({ store, ledger, settings }: World): Promise<readonly Difference[]> {
  const findings = createFindings();
  const facts = await readFacts(store, settings.market, () => undefined);
  const chain = {
    checker: "0x",
    check: async () => ({ kind: "broken", rule: "none", at: 0 }),
    algorithm: async () => null,
    assets: async () => [],
  } as unknown as ChainEye;
  const parts = { store, ledger, chain, facts, runs: [], findings, contractJudges: "recorded runs" } as const;
  const { hashes } = await auditEveryPlan(parts, () => undefined);
  for (const own of facts.sessions) {
    const group = facts.groups.find((one) => one.group.id === own.session.groupId)!;
    const tariff = (await store.sites.tariff(own.session.tariffId)) as Tariff;
    auditEvidence(own, ledger, findings);
    auditPromises(own, group, findings);
    auditBill(own, { facts, group, tariff, plans: hashes, ledger, findings });
  }
  await auditRefusals(facts.groups, null, findings);
  const isChain = ({ what, text }: Difference) => what === "checker contract" || text.includes("published on chain");
  return findings.differences.filter((one) => !isChain(one));
}
