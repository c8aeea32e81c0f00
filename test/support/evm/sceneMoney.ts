/** Settlement and the tokens: money in and out, bills, disputes, flexibility, signatures, the stop and the end. */
import { id as hash, MaxUint256, Signature, type Wallet, ZeroAddress } from "ethers";
import {
  aLine,
  anIntent,
  CPO,
  EURO,
  FAR,
  type Line,
  leafOf,
  OFFER,
  proofOf,
  signAs,
  TARIFF,
  TERMS,
} from "../settlement.ts";
import { ZERO } from "../slotLedger.ts";
import { DAY } from "./deploymentOf.ts";
import type { Contract, Stage } from "./stage.ts";
import { CHAIN_ID } from "./trace.ts";

const TERM = 30 * DAY;
type Kind = Parameters<typeof signAs>[2];

/** Calls of one contract by one person. */
const by = ({ does, refused }: Stage, who: string, contract: Contract = "Settlement") => ({
  does: (verb: string, ...args: unknown[]) => does(who, contract, verb, args),
  not: (error: string, verb: string, ...args: unknown[]) => refused(error, who, contract, verb, args),
});
const sign = (stage: Stage, who: string, kind: Kind, intent: object, domain: object = {}) =>
  signAs(stage.people[who] as never, stage.addressOf("Settlement"), kind, intent, domain);

async function permit(stage: Stage, who: string, token: "TestEuro" | "FlexToken", name: string, part: object) {
  const owner = stage.people[who] as Wallet;
  const types = [
    ["owner", "address"],
    ["spender", "address"],
    ["value", "uint256"],
    ["nonce", "uint256"],
    ["deadline", "uint256"],
  ].map(([name, type]) => ({ name: name as string, type: type as string }));
  const domain = { name, version: "1", chainId: CHAIN_ID, verifyingContract: stage.addressOf(token) };
  const value = { owner: owner.address, nonce: 0, deadline: MaxUint256, ...part };
  return Signature.from(await owner.signTypedData(domain, { Permit: types }, value));
}

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

export async function bills(stage: Stage): Promise<void> {
  const { people, addressOf, encode, wait } = stage;
  const [biller, arbiter, stranger] = [by(stage, "biller"), by(stage, "arbiter"), by(stage, "stranger")];
  const anna = by(stage, "anna");
  const settlement = addressOf("Settlement");
  const line = (who: string, number: number, part: Partial<Line> = {}) => aLine(people[who]!, { number, ...part });
  const lines = [
    line("anna", 1),
    line("ben", 2, { wh: 20_000, flex: 5_000 }),
    // Carl has no money: a debt.
    line("carl", 3),
    line("anna", 4, { amount: 0n, credit: EURO, flex: 0 }),
    line("ben", 5, { amount: 2n * EURO }),
  ];
  const leaves = lines.map((one) => leafOf(settlement, 1, one));
  const proof = (i: number) => proofOf(leaves, i);

  await stranger.not("AccessManagedUnauthorized", "post", CPO, 1, lines);
  await biller.not("UnknownCpo", "post", 99, 1, lines);
  await biller.not("OutOfOrder", "post", CPO, 2, lines);
  await biller.not("EmptyBatch", "post", CPO, 1, []);
  for (const [error, part] of [
    ["WrongTariff", { tariff: 99 }],
    ["AboveTariff", { amount: 4_500_001n }],
    ["FlexAboveEnergy", { flex: 10_001 }],
    ["CreditNotAllowed", { credit: 1n }],
    ["CreditNotAllowed", { amount: 0n, credit: 10_000_001n }],
    ["UnknownDriver", { driver: people.stranger!.address }],
  ] as const)
    await biller.not(error, "post", CPO, 1, [line("anna", 1, part)]);
  await biller.not("AlreadyBilled", "post", CPO, 1, [lines[0], lines[0]]);
  await biller.does("post", CPO, 1, lines);
  await biller.not("OutOfOrder", "post", CPO, 1, lines);
  // More credit than the CPO has.
  const poor = Array.from({ length: 6 }, (_, i) => line("carl", 10 + i, { amount: 0n, credit: 10n * EURO, flex: 0 }));
  await biller.does("post", CPO, 2, poor);

  await arbiter.not("NotDisputed", "resolve", CPO, 1, 0, 0);
  await anna.not("UnknownBatch", "dispute", CPO, 9, lines[0], proof(0));
  await anna.not("InvalidProof", "dispute", CPO, 1, { ...lines[0], amount: EURO }, proof(0));
  await stranger.not("AccessManagedUnauthorized", "dispute", CPO, 1, lines[0], proof(0));
  await anna.does("dispute", CPO, 1, lines[0], proof(0));
  await anna.not("AlreadyDisputed", "dispute", CPO, 1, lines[0], proof(0));
  await arbiter.does("dispute", CPO, 1, lines[2], proof(2));
  const intent = (number: number, nonce: number) => {
    const driver = people.ben!.address;
    return { driver, cpo: CPO, number, nonce, deadline: FAR };
  };
  const mine = intent(2, 2);
  const signed = await sign(stage, "ben", "DisputeIntent", mine);
  await stranger.not("IntentRefused", "disputeBySig", 1, lines[0], proof(0), mine, signed);
  await stranger.does("disputeBySig", 1, lines[1], proof(1), mine, signed);
  await stranger.not("IntentRefused", "disputeBySig", 1, lines[1], proof(1), mine, signed);
  await anna.does("claimFlex", people.anna!.address);

  await stranger.not("AccessManagedUnauthorized", "resolve", CPO, 1, 0, 0);
  await arbiter.not("RefundTooHigh", "resolve", CPO, 1, 3n * EURO + 1n, 0);
  await arbiter.not("FlexAboveEnergy", "resolve", CPO, 1, 0, 8_001);
  // Half back, and the flexibility that was claimed already becomes a debt.
  await arbiter.does("resolve", CPO, 1, 1_500_000n, -2_000);
  await arbiter.not("NotDisputed", "resolve", CPO, 1, 0, 0);
  await stranger.not("NotFinal", "settleOwed", CPO, 3, EURO);
  await stranger.not("WindowOpen", "finalise", CPO, 1);
  wait(3 * DAY);
  await by(stage, "ben").not("WindowClosed", "dispute", CPO, 1, lines[4], proof(4));
  await stranger.not("UnknownBatch", "finalise", CPO, 9);
  await stranger.does("finalise", CPO, 1);
  await stranger.not("AlreadyFinalised", "finalise", CPO, 1);
  await stranger.not("DisputeOpen", "settleOwed", CPO, 3, EURO);
  await arbiter.does("resolve", CPO, 3, EURO, 500);
  await stranger.not("MoreThanOwed", "settleOwed", CPO, 3, 2n * EURO + 1n);
  await stranger.does("settleOwed", CPO, 3, EURO);
  await stranger.not("DisputeOpen", "expire", CPO, 2);
  wait(TERM);
  await stranger.not("NotDisputed", "expire", CPO, 5);
  await stranger.does("expire", CPO, 2);
  // Earned again: the debt of flexibility is paid first.
  await biller.does("post", CPO, 3, [line("anna", 20, { flex: 3_000 })]);

  await biller.not("UnknownDriver", "pay", CPO, people.stranger!.address, EURO, hash("order 1"));
  await biller.does("pay", CPO, people.anna!.address, EURO, hash("order 1"));
  await biller.not("AlreadyPaid", "pay", CPO, people.anna!.address, EURO, hash("order 1"));
  await biller.not("InsufficientBalance", "pay", CPO, people.anna!.address, 1_000n * EURO, hash("order 2"));

  await biller.not("AccessManagedUnauthorized", "pause");
  await by(stage, "pauser").does("pause");
  await biller.not("EnforcedPause", "post", CPO, 4, [line("anna", 21)]);
  const admin = by(stage, "admin", "AccessManager");
  await admin.does("schedule", settlement, encode("Settlement", "unpause", []), 0);
  wait(2 * DAY);
  await by(stage, "admin").does("unpause");
  await by(stage, "stranger").not("AccessManagedUnauthorized", "unpause");

  for (const [verb, ...args] of [
    ["batchOf", CPO, 1],
    ["lastSeq", CPO],
    ["isBilled", CPO, 3],
    ["isBilled", CPO, 300],
    ["debtOf", CPO, 3],
    ["disputeOf", CPO, 2],
    ["isPaid", CPO, hash("order 1")],
    ["leafOf", CPO, 1, lines[0]],
    ...["euro", "flexToken", "window", "tariffNotice", "withdrawNotice", "payeeNotice", "maxCredit"].map((one) => [
      one,
    ]),
    ...["DISPUTE_TERM", "paused", "retired", "eip712Domain", "held"].map((one) => [one]),
  ] as [string, ...unknown[]][])
    await stranger.does(verb, ...args);
}

export async function flexibility(stage: Stage): Promise<void> {
  const { people } = stage;
  const [registrar, faucet, stranger] = [by(stage, "registrar"), by(stage, "faucet"), by(stage, "stranger")];
  const [anna, ben, payee] = [by(stage, "anna"), by(stage, "ben"), by(stage, "nextPayee")];
  const flex = (who: string) => by(stage, who, "FlexToken");
  const [a, b] = [people.anna!.address, people.ben!.address];

  await stranger.not("AccessManagedUnauthorized", "setOffer", CPO, OFFER);
  await registrar.does("setOffer", CPO, OFFER);
  await faucet.not("UnknownCpo", "fundPot", 99, EURO);
  await faucet.does("fundPot", CPO, 10n * EURO);
  await stranger.not("NotPayee", "reclaimPot", CPO, EURO);
  await payee.not("PotTooSmall", "reclaimPot", CPO, 11n * EURO);
  await payee.does("reclaimPot", CPO, 9n * EURO);

  await ben.not("RedemptionRefused", "redeem", CPO, 1_000_000, 0);
  await ben.not("RedemptionRefused", "redeem", CPO, 1_000, OFFER + 1n);
  await ben.does("redeem", CPO, 500, 0);
  await anna.does("claimFlex", b);
  await anna.not("NothingToClaim", "claimFlex", a);
  const claim = { owner: b, to: b, nonce: 3, deadline: FAR };
  const claimed = await sign(stage, "ben", "ClaimIntent", claim);
  await stranger.not("IntentRefused", "claimFlexBySig", { ...claim, to: a }, claimed);
  await stranger.does("claimFlexBySig", claim, claimed);

  const redeems = [4, 5, 6].map((nonce) => anIntent(people.ben!, { nonce, wh: 1_500n }));
  const signatures = [];
  for (const one of redeems) signatures.push(await sign(stage, "ben", "RedeemIntent", one));
  await stranger.not("RedemptionRefused", "redeemBySig", redeems[1], signatures[1]);
  await stranger.does("redeemBySig", redeems[0], signatures[0]);
  await stranger.not("LengthMismatch", "redeemBatch", redeems, []);
  // The second works, the third is out of turn, the last is signed for another.
  await stranger.does(
    "redeemBatch",
    [redeems[1], redeems[0], redeems[2]],
    [...signatures.slice(1, 2), ...signatures.slice(0, 1), signatures[0]],
  );

  await flex("stranger").not("AccessManagedUnauthorized", "mint", a, 1);
  await flex("ben").not("AccessManagedUnauthorized", "burn", b, 1);
  for (const [token, name, value] of [
    ["FlexToken", "Oli Move FLEX", 40n],
    ["TestEuro", "Test Euro", EURO],
  ] as const) {
    const [holder, other] = token === "FlexToken" ? ["ben", "anna"] : ["faucet", "anna"];
    const [owner, spender] = [by(stage, holder!, token), by(stage, other!, token)];
    const [from, to] = [people[holder!]!.address, people[other!]!.address];
    await owner.does("transfer", to, value);
    await owner.not("ERC20InvalidReceiver", "transfer", ZeroAddress, value);
    await owner.not("ERC20InsufficientBalance", "transfer", to, 10n ** 30n);
    await owner.not("ERC20InvalidSpender", "approve", ZeroAddress, value);
    await owner.does("approve", to, value);
    await spender.does("transferFrom", from, to, value);
    await spender.not("ERC20InsufficientAllowance", "transferFrom", from, to, 10n ** 30n);
    const part = { spender: to, value };
    const { v, r, s } = await permit(stage, holder!, token, name, part);
    await spender.not("ERC2612ExpiredSignature", "permit", from, to, value, 1, v, r, s);
    await spender.not("ERC2612InvalidSigner", "permit", from, to, value + 1n, MaxUint256, v, r, s);
    await spender.not("ECDSAInvalidSignature", "permit", from, to, value, MaxUint256, v, ZERO, s);
    await spender.not("ECDSAInvalidSignatureS", "permit", from, to, value, MaxUint256, v, r, `0x${"f".repeat(64)}`);
    await spender.does("permit", from, to, value, MaxUint256, v, r, s);
    for (const [verb, ...args] of [
      ["balanceOf", to],
      ["allowance", from, to],
      ["nonces", from],
      ...["DOMAIN_SEPARATOR", "decimals", "name", "symbol", "totalSupply", "eip712Domain"].map((one) => [one]),
    ] as [string, ...unknown[]][])
      await by(stage, "stranger", token).does(verb, ...args);
  }
  await stranger.does("offerOf", CPO);
  await stranger.does("accountOf", b);
}
