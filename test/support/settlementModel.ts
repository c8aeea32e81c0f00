/**
 * Settlement a second time, with bigint maps and no code of the contract: what each call must do, or by which error it must
 * be refused. The random sequences compare it with the chain after every call.
 */
import type { Line } from "./settlement.ts";

export class Refused extends Error {}
const refuse = (error: string): never => {
  throw new Refused(error);
};

const least = (...values: readonly bigint[]) => values.reduce((a: bigint, b: bigint) => (b < a ? b : a));

type Account = { available: bigint; flex: bigint; flexDebt: bigint; isDriver: boolean };
type Batch = { pot: bigint; postedAt: number; finalised: boolean; lines: readonly Line[] };
type Dispute = { line: Line; openedAt: number; paid: bigint; open: boolean };
type Tariff = { cpo: number; maxPerKwh: bigint; maxFixed: bigint };

export type Model = ReturnType<typeof createModel>;

export function createModel(config: { windowS: number; withdrawNoticeS: number; maxCredit: bigint; termS: number }) {
  const accounts = new Map<string, Account>();
  const announced = new Map<string, { amount: bigint; readyAt: number }>();
  const wallets = new Map<string, bigint>();
  const tokens = new Map<string, bigint>();
  const payees = new Map<number, string>();
  const tariffs = new Map<number, Tariff>();
  const batches = new Map<string, Batch>();
  const billed = new Set<string>();
  const debts = new Map<string, { driver: string; amount: bigint; seq: number }>();
  const disputes = new Map<string, Dispute>();
  const paid = new Set<string>();
  const offers = new Map<number, { price: bigint; pot: bigint }>();
  const totals = { donated: 0n, flexPosted: 0n, flexRedeemed: 0n, flexCorrected: 0n };

  const account = (owner: string) => {
    const found = accounts.get(owner) ?? { available: 0n, flex: 0n, flexDebt: 0n, isDriver: false };
    accounts.set(owner, found);
    return found;
  };
  const offer = (cpo: number) => {
    const found = offers.get(cpo) ?? { price: 0n, pot: 0n };
    offers.set(cpo, found);
    return found;
  };
  const add = (map: Map<string, bigint>, key: string, amount: bigint) => map.set(key, (map.get(key) ?? 0n) + amount);
  const payee = (cpo: number) => payees.get(cpo) ?? refuse("UnknownCpo");
  const lastSeq = (cpo: number) => [...batches.keys()].filter((key) => key.startsWith(`${cpo}:`)).length;
  const take = (owner: string, amount: bigint) => {
    if (account(owner).available < amount) refuse("InsufficientBalance");
    account(owner).available -= amount;
  };

  /** A debt is a negative balance of FLEX that is shown as two numbers. */
  const addFlex = (owner: string, wh: bigint) => {
    const own = account(owner);
    const balance = own.flex - own.flexDebt + wh;
    // Both are never above 0 at once, except that a debt waits while nothing is earned.
    own.flex = balance > 0n ? balance : 0n;
    own.flexDebt = balance < 0n ? -balance : 0n;
  };
  const close = (key: string, dispute: Dispute, refund: bigint, delta: bigint) => {
    const debt = debts.get(key);
    const cancelled = least(refund, debt?.amount ?? 0n);
    if (debt !== undefined) debt.amount -= cancelled;
    const back = refund - cancelled;
    account(dispute.line.driver).available += back;
    account(payee(Number(key.split(":")[0]))).available += dispute.paid - back;
    addFlex(dispute.line.driver, delta);
    totals.flexCorrected += delta;
    dispute.open = false;
  };

  function checkLine(cpo: number, line: Line, seen: Set<string>): void {
    const tariff = tariffs.get(line.tariff);
    if (tariff?.cpo !== cpo) refuse("WrongTariff");
    else if (line.amount * 1_000n > BigInt(line.wh) * tariff.maxPerKwh + tariff.maxFixed * 1_000n)
      refuse("AboveTariff");
    if (line.flex > line.wh) refuse("FlexAboveEnergy");
    if (line.credit > 0n && (line.amount > 0n || line.credit > config.maxCredit)) refuse("CreditNotAllowed");
    if (!account(line.driver).isDriver) refuse("UnknownDriver");
    const key = `${cpo}:${line.number}`;
    if (billed.has(key) || seen.has(key)) refuse("AlreadyBilled");
    seen.add(key);
  }

  return {
    accounts,
    wallets,
    tokens,
    batches,
    debts,
    disputes,
    offers,
    billed,
    totals,
    registerDriver(driver: string) {
      account(driver).isDriver = true;
    },
    setPayee(cpo: number, owner: string) {
      payees.set(cpo, owner);
    },
    setTariff(number: number, tariff: Tariff) {
      tariffs.set(number, tariff);
    },
    mint(owner: string, amount: bigint) {
      add(wallets, owner, amount);
    },
    donate(from: string, amount: bigint) {
      add(wallets, from, -amount);
      totals.donated += amount;
    },
    deposit(from: string, to: string, amount: bigint) {
      if ((wallets.get(from) ?? 0n) < amount) refuse("ERC20InsufficientBalance");
      add(wallets, from, -amount);
      account(to).available += amount;
    },
    requestWithdraw(owner: string, amount: bigint, now: number) {
      announced.set(owner, { amount, readyAt: now + config.withdrawNoticeS });
    },
    withdraw(owner: string, amount: bigint, now: number) {
      const wish = announced.get(owner) ?? { amount: 0n, readyAt: 0 };
      if (account(owner).isDriver && (amount > wish.amount || now < wish.readyAt)) refuse("WithdrawalNotReady");
      take(owner, amount);
      if (account(owner).isDriver) wish.amount -= amount;
      add(wallets, owner, amount);
    },
    post(cpo: number, seq: number, lines: readonly Line[], now: number) {
      const credited = payee(cpo);
      if (seq !== lastSeq(cpo) + 1) refuse("OutOfOrder");
      if (lines.length === 0) refuse("EmptyBatch");
      const seen = new Set<string>();
      for (const line of lines) checkLine(cpo, line, seen);
      let pot = 0n;
      for (const line of lines) {
        const driver = account(line.driver);
        const pays = least(driver.available, line.amount);
        driver.available -= pays;
        pot += pays;
        if (pays < line.amount)
          debts.set(`${cpo}:${line.number}`, { driver: line.driver, amount: line.amount - pays, seq });
        const credit = least(account(credited).available, line.credit);
        account(credited).available -= credit;
        driver.available += credit;
        addFlex(line.driver, BigInt(line.flex));
        totals.flexPosted += BigInt(line.flex);
        billed.add(`${cpo}:${line.number}`);
      }
      batches.set(`${cpo}:${seq}`, { pot, postedAt: now, finalised: false, lines });
    },
    finalise(cpo: number, seq: number, now: number) {
      const batch = batches.get(`${cpo}:${seq}`) ?? refuse("UnknownBatch");
      if (batch.finalised) refuse("AlreadyFinalised");
      if (now < batch.postedAt + config.windowS) refuse("WindowOpen");
      batch.finalised = true;
      account(payee(cpo)).available += batch.pot;
    },
    settleOwed(cpo: number, number: number, amount: bigint) {
      const debt = debts.get(`${cpo}:${number}`) ?? { driver: "", amount: 0n, seq: 0 };
      if (amount > debt.amount) refuse("MoreThanOwed");
      if (batches.get(`${cpo}:${debt.seq}`)?.finalised !== true) refuse("NotFinal");
      if (disputes.get(`${cpo}:${number}`)?.open) refuse("DisputeOpen");
      take(debt.driver, amount);
      debt.amount -= amount;
      account(payee(cpo)).available += amount;
    },
    dispute(cpo: number, seq: number, line: Line, now: number) {
      const batch = batches.get(`${cpo}:${seq}`) ?? refuse("UnknownBatch");
      const key = `${cpo}:${line.number}`;
      if (now >= batch.postedAt + config.windowS) refuse("WindowClosed");
      if (!batch.lines.includes(line)) refuse("InvalidProof");
      if (disputes.has(key)) refuse("AlreadyDisputed");
      const paid = line.amount - (debts.get(key)?.amount ?? 0n);
      batch.pot -= paid;
      disputes.set(key, { line, openedAt: now, paid, open: true });
    },
    resolve(cpo: number, number: number, refund: bigint, delta: bigint) {
      const key = `${cpo}:${number}`;
      const dispute = disputes.get(key);
      if (!dispute?.open) return refuse("NotDisputed");
      if (refund > dispute.line.amount) refuse("RefundTooHigh");
      const flex = BigInt(dispute.line.flex) + delta;
      if (flex < 0n || flex > BigInt(dispute.line.wh)) refuse("FlexAboveEnergy");
      close(key, dispute, refund, delta);
    },
    expire(cpo: number, number: number, now: number) {
      const key = `${cpo}:${number}`;
      const dispute = disputes.get(key);
      if (!dispute?.open) return refuse("NotDisputed");
      if (now < dispute.openedAt + config.termS) refuse("DisputeOpen");
      close(key, dispute, dispute.line.amount, 0n);
    },
    pay(cpo: number, driver: string, amount: bigint, ref: string) {
      if (!account(driver).isDriver) refuse("UnknownDriver");
      if (paid.has(`${cpo}:${ref}`)) refuse("AlreadyPaid");
      take(payee(cpo), amount);
      account(driver).available += amount;
      paid.add(`${cpo}:${ref}`);
    },
    setOffer(cpo: number, price: bigint) {
      offer(cpo).price = price;
    },
    fundPot(from: string, cpo: number, amount: bigint) {
      payee(cpo);
      if ((wallets.get(from) ?? 0n) < amount) refuse("ERC20InsufficientBalance");
      add(wallets, from, -amount);
      offer(cpo).pot += amount;
    },
    reclaimPot(owner: string, cpo: number, amount: bigint) {
      if (payee(cpo) !== owner) refuse("NotPayee");
      if (amount > offer(cpo).pot) refuse("PotTooSmall");
      offer(cpo).pot -= amount;
      account(owner).available += amount;
    },
    claimFlex(owner: string, to: string) {
      const { flex } = account(owner);
      if (flex === 0n) refuse("NothingToClaim");
      account(owner).flex = 0n;
      add(tokens, to, flex);
    },
    redeem(owner: string, cpo: number, wh: bigint, minPayout: bigint) {
      const { price, pot } = offer(cpo);
      const payout = (wh * price) / 1_000n;
      const fromTokens = wh > account(owner).flex ? wh - account(owner).flex : 0n;
      if (fromTokens > (tokens.get(owner) ?? 0n) || payout < minPayout || payout > pot) refuse("RedemptionRefused");
      account(owner).flex -= wh - fromTokens;
      account(owner).available += payout;
      add(tokens, owner, -fromTokens);
      offer(cpo).pot -= payout;
      totals.flexRedeemed += wh;
    },
    /** Sum of all claims. */
    claims() {
      const open = [...batches.values()].filter(({ finalised }) => !finalised).map(({ pot }) => pot);
      const all = [
        ...[...accounts.values()].map(({ available }) => available),
        ...open,
        ...[...disputes.values()].filter(({ open }) => open).map(({ paid }) => paid),
        ...[...offers.values()].map(({ pot }) => pot),
      ];
      return all.reduce((sum, part) => sum + part, 0n);
    },
  };
}
