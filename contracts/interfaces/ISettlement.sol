// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IFlexToken} from "./IFlexToken.sol";

/// @notice What belongs to one address (a driver or a CPO's payee). One word.
/// @param available Micro-euro, can be billed and withdrawn.
/// @param flex Wh of earned flexibility that is not claimed as tokens yet.
/// @param flexDebt Wh that a resolved dispute took back after they had been claimed; the next flexibility earned pays it.
/// @param nonce Number of signed intents used so far.
/// @param isDriver Whether the address is a registered driver.
struct Account {
    uint112 available;
    uint64 flex;
    uint32 flexDebt;
    uint40 nonce;
    bool isDriver;
}

/// @notice One charging session's bill.
/// @param number The session's number, unique per CPO.
/// @param driver Who pays.
/// @param amount Micro-euro, net of promise compensation; rounded once, down, off chain.
/// @param credit Micro-euro of compensation above the bill, paid by the CPO; 0 unless `amount` is 0.
/// @param wh Metered energy.
/// @param flex Wh of flexibility earned, at most `wh`.
/// @param tariff Number of the tariff that the driver accepted.
/// @param detail Salted hash of the receipt: meter record, slots, promise, baseline.
struct Line {
    uint32 number;
    address driver;
    uint64 amount;
    uint64 credit;
    uint32 wh;
    uint32 flex;
    uint32 tariff;
    bytes32 detail;
}

/// @notice The most that a line may cost: amount * 1000 <= wh * maxPerKwh + maxFixed * 1000. One word.
/// @param cpo Whose tariff it is.
/// @param maxPerKwh Micro-euro per kWh.
/// @param maxFixed Micro-euro.
/// @param from Instant from which lines may name it.
struct Tariff {
    uint32 cpo;
    uint64 maxPerKwh;
    uint64 maxFixed;
    uint40 from;
}

/// @notice One posted batch of lines.
/// @param root Merkle root over its lines, see `ISettlement`.
/// @param pot Micro-euro that its drivers paid; the CPO's after the window.
/// @param postedAt Block time of `post`; 0 = no such batch.
/// @param count Number of lines.
/// @param finalised Whether the pot has gone to the CPO.
struct Batch {
    bytes32 root;
    uint112 pot;
    uint40 postedAt;
    uint32 count;
    bool finalised;
}

/// @notice What is left unpaid of a session that was billed in batch `seq`. One word.
struct Debt {
    address driver;
    uint64 amount;
    uint32 seq;
}

enum DisputeState {
    None,
    Open,
    Resolved
}

/// @notice A disputed line; a line can be disputed once, ever.
/// @param driver Whose bill it is.
/// @param openedAt Block time of `dispute`.
/// @param state Open until `resolve` or `expire`.
/// @param amount Micro-euro billed; what of it was paid is in no pot until the dispute ends.
/// @param wh Energy of the line.
/// @param flex Flexibility of the line.
struct Dispute {
    address driver;
    uint40 openedAt;
    DisputeState state;
    uint64 amount;
    uint32 wh;
    uint32 flex;
}

/// @notice What a driver announced to take out. One word.
struct Withdrawal {
    uint112 amount;
    uint40 readyAt;
}

/// @notice A redemption that the owner of FLEX signs (EIP-712) and anyone may send: drivers need no gas.
/// @param nonce Must be `accountOf(driver).nonce`; each number works once.
/// @param deadline Last instant at which it may be executed.
struct RedeemIntent {
    address driver;
    uint32 cpo;
    uint64 wh;
    uint64 minPayout;
    uint48 nonce;
    uint40 deadline;
}

/// @notice `requestWithdraw`, signed by the owner.
struct RequestIntent {
    address owner;
    uint112 amount;
    uint48 nonce;
    uint40 deadline;
}

/// @notice `withdraw`, signed by the owner.
struct WithdrawIntent {
    address owner;
    address to;
    uint112 amount;
    uint48 nonce;
    uint40 deadline;
}

/// @notice `claimFlex`, signed by the owner.
struct ClaimIntent {
    address owner;
    address to;
    uint48 nonce;
    uint40 deadline;
}

/// @notice `dispute` of the session with this number, signed by its driver.
struct DisputeIntent {
    address driver;
    uint32 cpo;
    uint32 number;
    uint48 nonce;
    uint40 deadline;
}

enum Refusal {
    None,
    Expired,
    WrongNonce,
    BadSignature,
    NotEnoughFlex,
    PayoutTooLow,
    PotTooSmall
}

/// @title Bills of charging sessions, prepaid balances, and flexibility earned and redeemed.
/// @notice Promises:
/// - Each session of a CPO is billed once, in a dense sequence of batches; a repeated batch reverts.
/// - No line costs more than the tariff that it names allows, and a tariff never changes.
/// - `post` computes the Merkle root from the very lines that it books, so a receipt's proof can never say more than was billed.
/// - A driver without enough money never blocks a batch: the rest is a recorded debt.
/// - A driver can dispute a line within the window, by its Merkle proof and once. What was paid for it leaves the pot until
///   the arbiter splits it; without a decision within `DISPUTE_TERM` it goes back to the driver. Other lines are not delayed.
/// - Money only moves by additions that cancel: held == sum of available + open pots + disputed payments + FLEX pots at all
///   times, and the contract owns at least `held` euros. Euros sent here without `deposit` belong to nobody.
/// - No role can take anyone's money out: what roles move goes from a driver to a CPO within a tariff, or from a CPO to a
///   driver. `pause` and `retire` stop new batches only; withdrawing, disputing, resolving, finalising and redeeming stay open
///   for ever.
/// - Drivers need no gas: what they may do they may also sign (EIP-712: this chain, this contract, one nonce, a deadline).
///
/// Leaf of a line: keccak256(bytes.concat(keccak256(abi.encode(domain, cpo, seq, number, driver, amount, credit, wh, flex,
/// tariff, detail)))), domain = EIP-712 domain separator of this contract. Tree: neighbours are hashed as sorted pairs, level
/// by level from the left; the last of an odd level moves up as it is. OpenZeppelin's MerkleProof verifies it.
interface ISettlement {
    /// @notice `amount` was deposited for `to` by `from`.
    event Deposited(address indexed from, address indexed to, uint256 amount);

    /// @notice A driver announced to take out `amount`, possible from `readyAt` on.
    event WithdrawalRequested(address indexed owner, uint256 amount, uint40 readyAt);

    /// @notice `amount` left the contract.
    event Withdrawn(address indexed owner, address indexed to, uint256 amount);

    /// @notice A driver can be billed from now on; `consent` is the salted hash of what was agreed.
    event DriverRegistered(address indexed driver, bytes32 consent);

    /// @notice `payee` receives the money of `cpo` from `from` on.
    event PayeeSet(uint32 indexed cpo, address indexed payee, uint40 from);

    /// @notice A tariff exists; it never changes.
    event TariffSet(uint32 indexed tariff, Tariff terms);

    /// @notice A batch was booked: its drivers paid `pot` in total.
    event Posted(uint32 indexed cpo, uint32 indexed seq, bytes32 root, uint256 pot, uint256 count);

    /// @notice A session was billed: `amount` is due, `credit` was to be paid by the CPO, `flex` Wh were earned.
    event Billed(
        uint32 indexed cpo,
        uint32 indexed number,
        address indexed driver,
        uint64 amount,
        uint64 credit,
        uint32 flex
    );

    /// @notice `missing` of the billed amount was not covered by the driver's balance; it is owed.
    event Shortfall(uint32 indexed cpo, uint32 indexed number, address indexed driver, uint64 missing);

    /// @notice `missing` of the credit was not covered by the CPO's balance; it stays for `pay`.
    event CreditShort(uint32 indexed cpo, uint32 indexed number, address indexed driver, uint64 missing);

    /// @notice A line is disputed; `paid`, what the driver had paid for it, left the batch's pot.
    event Disputed(
        uint32 indexed cpo,
        uint32 indexed number,
        address indexed driver,
        uint32 seq,
        uint64 amount,
        uint64 paid
    );

    /// @notice A dispute ended: the bill was lowered by `refund`, of which `back` went to the driver's balance and the rest
    /// off the debt; what else had been paid went to the CPO. `flexDelta` Wh of flexibility were given or taken back.
    event Resolved(
        uint32 indexed cpo,
        uint32 indexed number,
        address indexed driver,
        address payee,
        uint64 refund,
        uint64 back,
        uint64 toCpo,
        int64 flexDelta
    );

    /// @notice A batch's pot went to the CPO.
    event Finalised(uint32 indexed cpo, uint32 indexed seq, address indexed payee, uint256 paid);

    /// @notice `amount` of a debt went from the driver's balance to the CPO; `left` is still owed.
    event DebtPaid(uint32 indexed cpo, uint32 indexed number, address indexed driver, uint64 amount, uint64 left);

    /// @notice A CPO paid a driver (refund, order payment) for the reason `ref`.
    event Paid(uint32 indexed cpo, address indexed driver, bytes32 indexed ref, uint64 amount);

    /// @notice A CPO's price for FLEX, micro-euro per kWh; 0 = it buys none.
    event OfferSet(uint32 indexed cpo, uint64 offer);

    /// @notice Money was put aside to redeem FLEX; the pot then holds `pot`.
    event PotFunded(uint32 indexed cpo, address indexed from, uint256 amount, uint256 pot);

    /// @notice The CPO took money back; the pot then holds `pot`.
    event PotReclaimed(uint32 indexed cpo, address indexed payee, uint256 amount, uint256 pot);

    /// @notice Earned flexibility became tokens.
    event FlexClaimed(address indexed owner, address indexed to, uint64 wh);

    /// @notice `wh` of FLEX were used up for `payout` micro-euro on the owner's balance; `fromTokens` of them were tokens.
    event Redeemed(uint32 indexed cpo, address indexed owner, uint64 wh, uint64 fromTokens, uint256 payout);

    /// @notice A signed redemption in a batch was left out; nothing changed for it.
    event RedemptionSkipped(address indexed driver, uint48 nonce, Refusal reason);

    /// @notice No batch will ever be posted here again.
    event RetiredForEver();

    /// @notice The zero address cannot own, receive or be billed.
    error ZeroAddress();

    /// @notice The euro contract delivered another amount than asked for (a fee on transfer, for instance).
    error WrongAmountReceived(uint256 received, uint256 amount);

    /// @notice `owner` has only `available`.
    error InsufficientBalance(address owner, uint256 available, uint256 wanted);

    /// @notice Drivers announce a withdrawal first; `announced` is possible from `readyAt` on.
    error WithdrawalNotReady(uint256 announced, uint40 readyAt);

    /// @notice The driver is registered already.
    error AlreadyRegistered(address driver);

    /// @notice The address is no registered driver.
    error UnknownDriver(address driver);

    /// @notice A consent hash cannot be 0.
    error MissingConsent(address driver);

    /// @notice The CPO has no payee, or its number is 0.
    error UnknownCpo(uint32 cpo);

    /// @notice The tariff exists and never changes.
    error TariffExists(uint32 tariff);

    /// @notice The tariff must be announced `tariffNotice` ahead: not usable before `earliest`.
    error TariffTooSoon(uint40 from, uint256 earliest);

    /// @notice The next batch of this CPO is `expected`.
    error OutOfOrder(uint32 cpo, uint32 seq, uint32 expected);

    /// @notice A batch has at least one line.
    error EmptyBatch();

    /// @notice The session was billed before.
    error AlreadyBilled(uint32 number);

    /// @notice The line's tariff is not this CPO's, or cannot be used yet.
    error WrongTariff(uint32 number, uint32 tariff);

    /// @notice The line costs more than its tariff allows.
    error AboveTariff(uint32 number);

    /// @notice More flexibility than energy.
    error FlexAboveEnergy(uint32 number);

    /// @notice A credit above `maxCredit`, or beside an amount.
    error CreditNotAllowed(uint32 number);

    /// @notice The contract is retired.
    error Retired();

    /// @notice There is no such batch.
    error UnknownBatch(uint32 cpo, uint32 seq);

    /// @notice The batch can be finalised from `until` on.
    error WindowOpen(uint32 cpo, uint32 seq, uint256 until);

    /// @notice The batch is finalised.
    error AlreadyFinalised(uint32 cpo, uint32 seq);

    /// @notice Only `owed` is owed for this session.
    error MoreThanOwed(uint32 number, uint64 owed);

    /// @notice The line can be disputed only before `until`.
    error WindowClosed(uint32 cpo, uint32 seq, uint256 until);

    /// @notice The line was disputed before; once is all.
    error AlreadyDisputed(uint32 number);

    /// @notice The dispute of the line is not decided; it ends at the latest at `until`.
    error DisputeOpen(uint32 number, uint256 until);

    /// @notice No dispute of the line is open.
    error NotDisputed(uint32 number);

    /// @notice The proof does not lead from this line to the batch's root.
    error InvalidProof();

    /// @notice More than was billed.
    error RefundTooHigh(uint32 number, uint64 refund, uint64 amount);

    /// @notice A debt is collected after its batch is final: until then the bill may be disputed.
    error NotFinal(uint32 cpo, uint32 seq);

    /// @notice A payment with this reason was made before.
    error AlreadyPaid(uint32 cpo, bytes32 ref);

    /// @notice Only the CPO's payee may do this.
    error NotPayee(uint32 cpo, address caller);

    /// @notice The pot holds only `pot`.
    error PotTooSmall(uint256 pot, uint256 wanted);

    /// @notice The redemption is not possible, for this reason.
    error RedemptionRefused(address driver, Refusal reason);

    /// @notice The signed intent is not accepted, for this reason.
    error IntentRefused(address owner, Refusal reason);

    /// @notice There is no flexibility to claim.
    error NothingToClaim(address owner);

    /// @notice The two lists differ in length.
    error LengthMismatch();

    /* What never changes */

    /// @notice The token that balances are held in (6 decimals).
    function euro() external view returns (IERC20);

    /// @notice The token that flexibility becomes when it is claimed.
    function flexToken() external view returns (IFlexToken);

    /// @notice Seconds between `post` and `finalise`.
    function window() external view returns (uint40);

    /// @notice Seconds between announcing a tariff and its first use.
    function tariffNotice() external view returns (uint40);

    /// @notice Seconds between a driver's `requestWithdraw` and `withdraw`; longer than the interval of posting.
    function withdrawNotice() external view returns (uint40);

    /// @notice Seconds between announcing another payee and its first payment.
    function payeeNotice() external view returns (uint40);

    /// @notice Most credit of one line, micro-euro.
    function maxCredit() external view returns (uint64);

    /// @notice Seconds after which an undecided dispute ends in the driver's favour.
    function DISPUTE_TERM() external view returns (uint40);

    /* Money in and out */

    /// @notice Takes `amount` micro-euro from the caller (who approved it) for the balance of `to`.
    function deposit(address to, uint112 amount) external;

    /// @notice `deposit` with an ERC-2612 permit instead of an approval; a permit that somebody else used first does no harm.
    function depositWithPermit(address to, uint112 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;

    /// @notice Announces what a driver wants to take out; replaces an earlier announcement. The money can still be billed.
    function requestWithdraw(uint112 amount) external;

    /// @notice Pays out of the caller's balance to `to`. Drivers announce it first. Never paused.
    function withdraw(uint112 amount, address to) external;

    /// @notice `requestWithdraw` for the owner who signed the intent.
    function requestWithdrawBySig(RequestIntent calldata intent, bytes calldata signature) external;

    /// @notice `withdraw` for the owner who signed the intent.
    function withdrawBySig(WithdrawIntent calldata intent, bytes calldata signature) external;

    /* Registers */

    /// @notice Makes addresses billable; each needs the salted hash of the person's consent.
    function registerDrivers(address[] calldata drivers, bytes32[] calldata consents) external;

    /// @notice Sets who receives a CPO's money; a change takes effect `payeeNotice` later.
    function setPayee(uint32 cpo, address payee) external;

    /// @notice Publishes a tariff, once per number.
    function setTariff(uint32 tariff, Tariff calldata terms) external;

    /* Bills */

    /// @notice Books a batch: `seq` is one more than the CPO's last. All lines or none.
    function post(uint32 cpo, uint32 seq, Line[] calldata lines) external;

    /// @notice Pays a batch's pot to the CPO's payee; anyone, once the window is over.
    function finalise(uint32 cpo, uint32 seq) external;

    /// @notice Opens the dispute of a line within its batch's window: the driver, or the arbiter on the driver's behalf.
    /// @param proof Siblings from the line's leaf to the batch's root.
    function dispute(uint32 cpo, uint32 seq, Line calldata line, bytes32[] calldata proof) external;

    /// @notice `dispute` for the driver who signed the intent.
    function disputeBySig(
        uint32 seq,
        Line calldata line,
        bytes32[] calldata proof,
        DisputeIntent calldata intent,
        bytes calldata signature
    ) external;

    /// @notice Decides a dispute: lowers the bill by `refund` (debt first, the rest to the driver's balance) and corrects the
    /// flexibility by `flexDelta`, within 0 and the line's energy. Needs no proof, since data may have been erased by then.
    function resolve(uint32 cpo, uint32 number, uint64 refund, int64 flexDelta) external;

    /// @notice Ends a dispute that stayed undecided for `DISPUTE_TERM`: the whole bill is refunded; anyone.
    function expire(uint32 cpo, uint32 number) external;

    /// @notice Pays `amount` of a session's debt from the balance of the driver who owes it; anyone, once the batch is final
    /// and no dispute of the line is open.
    function settleOwed(uint32 cpo, uint32 number, uint64 amount) external;

    /// @notice Pays a driver from the CPO's own balance, once per `ref`.
    function pay(uint32 cpo, address driver, uint64 amount, bytes32 ref) external;

    /// @notice Stops `post`.
    function pause() external;

    /// @notice Resumes `post`.
    function unpause() external;

    /// @notice Stops `post` for ever; everything else stays open.
    function retire() external;

    /* Flexibility */

    /// @notice Sets a CPO's price for FLEX, micro-euro per kWh.
    function setOffer(uint32 cpo, uint64 offer) external;

    /// @notice Takes `amount` micro-euro from the caller (who approved it) to redeem FLEX at the CPO's offer.
    function fundPot(uint32 cpo, uint112 amount) external;

    /// @notice Takes money back from the pot to the balance of the CPO's payee, who alone may call. An offer is no promise.
    function reclaimPot(uint32 cpo, uint112 amount) external;

    /// @notice Turns the caller's earned flexibility into tokens of `to`.
    function claimFlex(address to) external;

    /// @notice `claimFlex` for the owner who signed the intent.
    function claimFlexBySig(ClaimIntent calldata intent, bytes calldata signature) external;

    /// @notice Redeems `wh` of the caller's FLEX: earned flexibility first, then tokens. The payout, wh * offer / 1000
    /// rounded down, goes to the caller's balance. FLEX is the same whoever's session earned it: the best offer drains first.
    function redeem(uint32 cpo, uint64 wh, uint64 minPayout) external;

    /// @notice `redeem` for the driver who signed the intent.
    function redeemBySig(RedeemIntent calldata intent, bytes calldata signature) external;

    /// @notice `redeemBySig` for many; one that is not possible is skipped with its reason and does not stop the others.
    function redeemBatch(RedeemIntent[] calldata intents, bytes[] calldata signatures) external;

    /* State */

    /// @notice Sum of all claims: balances, open pots, disputed payments, FLEX pots. Micro-euro.
    function held() external view returns (uint256);

    /// @notice Whether `retire` was called.
    function retired() external view returns (bool);

    /// @notice What belongs to an address.
    function accountOf(address owner) external view returns (Account memory);

    /// @notice What a driver announced to take out.
    function withdrawalOf(address owner) external view returns (Withdrawal memory);

    /// @notice Who receives the CPO's money now; 0 when the CPO is unknown.
    function payeeOf(uint32 cpo) external view returns (address);

    /// @notice A tariff; `cpo` 0 when there is none.
    function tariffOf(uint32 tariff) external view returns (Tariff memory);

    /// @notice A batch; `postedAt` 0 when there is none.
    function batchOf(uint32 cpo, uint32 seq) external view returns (Batch memory);

    /// @notice Number of the CPO's last batch.
    function lastSeq(uint32 cpo) external view returns (uint32);

    /// @notice Whether a session was billed.
    function isBilled(uint32 cpo, uint32 number) external view returns (bool);

    /// @notice What is left unpaid of a session.
    function debtOf(uint32 cpo, uint32 number) external view returns (Debt memory);

    /// @notice The dispute of a session's line.
    function disputeOf(uint32 cpo, uint32 number) external view returns (Dispute memory);

    /// @notice Whether a payment with this reason was made.
    function isPaid(uint32 cpo, bytes32 ref) external view returns (bool);

    /// @notice A CPO's price for FLEX (micro-euro per kWh) and the money put aside for it.
    function offerOf(uint32 cpo) external view returns (uint64 offer, uint112 pot);

    /// @notice Leaf of a line in the batch's tree.
    function leafOf(uint32 cpo, uint32 seq, Line calldata line) external view returns (bytes32);
}
