/** Settlement: money in and out, drivers, payees, tariffs, withdrawals by signature. */
import { id as hash, MaxUint256, ZeroAddress } from "ethers";
import { CPO, EURO, FAR, TARIFF, TERMS } from "../settlement.ts";
import { ZERO } from "../slotLedger.ts";
import { by, permit, sign } from "./calls.ts";
import { DAY } from "./deploymentOf.ts";
import type { Stage } from "./stage.ts";

export async function money(stage: Stage): Promise<void> {
  const { people, addressOf, wait } = stage;
  const [faucet, registrar, anna] = [by(stage, "faucet"), by(stage, "registrar"), by(stage, "anna")];
  const euro = by(stage, "faucet", "TestEuro");
  const addressOfEach = (...names: string[]) => names.map((name) => people[name]!.address);
  const [a, b, c] = addressOfEach("anna", "ben", "carl") as [string, string, string];
  const settlement = addressOf("Settlement");

  await by(stage, "stranger", "TestEuro").not("AccessManagedUnauthorized", "mint", a, 1);
  await euro.does("mint", people.faucet!.address, 1_000_000n * EURO);
  await euro.does("mint", a, 20n * EURO);
  await faucet.not("ERC20InsufficientAllowance", "deposit", a, EURO);
  await euro.does("approve", settlement, MaxUint256);
  await faucet.not("ZeroAddress", "deposit", ZeroAddress, EURO);

  await by(stage, "stranger").not("AccessManagedUnauthorized", "registerDrivers", [a], [hash("consent")]);
  await registrar.not("LengthMismatch", "registerDrivers", [a], []);
  await registrar.not("ZeroAddress", "registerDrivers", [ZeroAddress], [hash("consent")]);
  await registrar.not("MissingConsent", "registerDrivers", [a], [ZERO]);
  await registrar.does("registerDrivers", [a, b, c], [hash("consent 0"), hash("consent 1"), hash("consent 2")]);
  await registrar.not("AlreadyRegistered", "registerDrivers", [b], [hash("consent")]);

  await registrar.not("UnknownCpo", "setPayee", 0, a);
  await registrar.not("ZeroAddress", "setPayee", CPO, ZeroAddress);
  await registrar.does("setPayee", CPO, people.nextPayee!.address);
  await by(stage, "stranger").does("payeeOf", CPO);
  wait(2 * DAY);
  await by(stage, "stranger").does("payeeOf", CPO);
  const terms = { ...TERMS, from: stage.now() + 2 * DAY };
  await registrar.not("UnknownCpo", "setTariff", TARIFF, { ...terms, cpo: 99 });
  await registrar.not("TariffTooSoon", "setTariff", TARIFF, { ...terms, from: stage.now() });
  await registrar.does("setTariff", TARIFF, terms);
  await registrar.not("TariffExists", "setTariff", TARIFF, terms);

  for (const driver of [a, b]) await faucet.does("deposit", driver, 100n * EURO);
  await faucet.does("deposit", people.nextPayee!.address, 50n * EURO);
  const { v, r, s } = await permit(stage, "anna", "TestEuro", "Test Euro", { spender: settlement, value: 10n * EURO });
  await anna.does("depositWithPermit", a, 10n * EURO, MaxUint256, v, r, s);
  await anna.not("ERC20InsufficientAllowance", "depositWithPermit", a, 10n * EURO, MaxUint256, v, r, s);

  await anna.not("WithdrawalNotReady", "withdraw", EURO, a);
  await anna.does("requestWithdraw", 5n * EURO);
  const request = { owner: b, amount: 3n * EURO, nonce: 0, deadline: FAR };
  const stranger = by(stage, "stranger");
  await stranger.not(
    "IntentRefused",
    "requestWithdrawBySig",
    request,
    await sign(stage, "carl", "RequestIntent", request),
  );
  await stranger.does("requestWithdrawBySig", request, await sign(stage, "ben", "RequestIntent", request));
  await anna.not("WithdrawalNotReady", "withdraw", EURO, a);
  wait(2 * DAY);
  await anna.not("ZeroAddress", "withdraw", EURO, ZeroAddress);
  await anna.does("withdraw", 2n * EURO, people.stranger!.address);
  await anna.not("WithdrawalNotReady", "withdraw", 4n * EURO, a);
  const take = { owner: b, to: b, amount: 3n * EURO, nonce: 1, deadline: FAR };
  const taken = await sign(stage, "ben", "WithdrawIntent", take);
  // Another chain, another contract, another nonce, too late, cut, and not the signer's.
  for (const domain of [{ chainId: 1 }, { verifyingContract: addressOf("FlexToken") }])
    await stranger.not(
      "IntentRefused",
      "withdrawBySig",
      take,
      await sign(stage, "ben", "WithdrawIntent", take, domain),
    );
  await stranger.not("IntentRefused", "withdrawBySig", { ...take, nonce: 2 }, taken);
  await stranger.not("IntentRefused", "withdrawBySig", { ...take, deadline: 1 }, taken);
  await stranger.not("IntentRefused", "withdrawBySig", take, taken.slice(0, -2));
  await stranger.does("withdrawBySig", take, taken);
  await stranger.not("IntentRefused", "withdrawBySig", take, taken);
  await by(stage, "nextPayee").not("InsufficientBalance", "withdraw", 51n * EURO, a);
  await by(stage, "nextPayee").does("withdraw", EURO, people.nextPayee!.address);
  for (const [verb, ...args] of [["withdrawalOf", a], ["accountOf", b], ["tariffOf", TARIFF], ["held"]] as const)
    await stranger.does(verb, ...args);
}
