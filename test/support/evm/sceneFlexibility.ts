/** Settlement and the tokens: offers, pots, claims, redemptions, and all that an ERC-20 with permit can do. */
import { MaxUint256, ZeroAddress } from "ethers";
import { anIntent, CPO, EURO, FAR, OFFER } from "../settlement.ts";
import { ZERO } from "../slotLedger.ts";
import { by, permit, sign } from "./calls.ts";
import type { Stage } from "./stage.ts";

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
