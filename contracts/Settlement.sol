// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuard} from "@openzeppelin/contracts/utils/ReentrancyGuard.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IFlexToken} from "./interfaces/IFlexToken.sol";
import {
    Account,
    Batch,
    ClaimIntent,
    Debt,
    Dispute,
    DisputeIntent,
    DisputeState,
    ISettlement,
    Line,
    RedeemIntent,
    Refusal,
    RequestIntent,
    Tariff,
    WithdrawIntent,
    Withdrawal
} from "./interfaces/ISettlement.sol";
import {AccountWord} from "./libraries/AccountWord.sol";
import {BillTree} from "./libraries/BillTree.sol";
import {IntentHash} from "./libraries/IntentHash.sol";

/// @notice See ISettlement.
/// @dev EIP712 comes first because it has storage of its own: authority, paused and retired then share a word.
contract Settlement is ISettlement, EIP712, ReentrancyGuard, AccessManaged, Pausable {
    using AccountWord for Account;
    using AccountWord for uint256;
    using BitMaps for BitMaps.BitMap;
    using IntentHash for *;
    using SafeERC20 for IERC20;

    /* CONSTANTS */

    /// @inheritdoc ISettlement
    uint40 public constant DISPUTE_TERM = 30 days;

    /* IMMUTABLES */

    /// @inheritdoc ISettlement
    IERC20 public immutable euro;
    /// @inheritdoc ISettlement
    IFlexToken public immutable flexToken;
    /// @inheritdoc ISettlement
    uint40 public immutable window;
    /// @inheritdoc ISettlement
    uint40 public immutable tariffNotice;
    /// @inheritdoc ISettlement
    uint40 public immutable withdrawNotice;
    /// @inheritdoc ISettlement
    uint40 public immutable payeeNotice;
    /// @inheritdoc ISettlement
    uint64 public immutable maxCredit;

    /* STORAGE */

    /// @notice Number of the CPO's last batch, and who receives its money: `payee` until `from`, `next` afterwards
    /// (`from` 0 = no change was announced). `post` needs the first word only.
    struct Cpo {
        address payee;
        uint40 from;
        uint32 lastSeq;
        address next;
    }

    /// @notice A CPO's price for FLEX and the money put aside for it.
    struct Offer {
        uint64 price;
        uint112 pot;
    }

    /// @inheritdoc ISettlement
    bool public retired;
    /// @inheritdoc ISettlement
    uint256 public held;

    mapping(address owner => Account) private _account;
    mapping(address owner => Withdrawal) private _withdrawal;
    mapping(uint32 cpo => Cpo) private _cpo;
    mapping(uint32 tariff => Tariff) private _tariff;
    mapping(uint32 cpo => mapping(uint32 seq => Batch)) private _batch;
    mapping(uint32 cpo => BitMaps.BitMap) private _billed;
    mapping(uint32 cpo => mapping(uint32 number => Debt)) private _debt;
    mapping(uint32 cpo => mapping(uint32 number => Dispute)) private _dispute;
    mapping(uint32 cpo => mapping(bytes32 ref => bool)) private _paid;
    mapping(uint32 cpo => Offer) private _offer;

    /* CONSTRUCTOR */

    /// @param notices Seconds: window, tariffNotice, withdrawNotice, payeeNotice. 0 on local networks only.
    constructor(
        address authority,
        IERC20 euro_,
        IFlexToken flexToken_,
        uint40[4] memory notices,
        uint64 maxCredit_
    ) AccessManaged(authority) EIP712("Oli Move Settlement", "1") {
        euro = euro_;
        flexToken = flexToken_;
        (window, tariffNotice, withdrawNotice, payeeNotice) = (notices[0], notices[1], notices[2], notices[3]);
        maxCredit = maxCredit_;
    }

    /* MONEY IN AND OUT */

    /// @inheritdoc ISettlement
    function deposit(address to, uint112 amount) external nonReentrant {
        _deposit(to, amount);
    }

    /// @inheritdoc ISettlement
    function depositWithPermit(
        address to,
        uint112 amount,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant {
        // A permit copied from the mempool and used by a stranger sets the same allowance: what counts is the transfer.
        try IERC20Permit(address(euro)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(to, amount);
    }

    /// @inheritdoc ISettlement
    function requestWithdraw(uint112 amount) external {
        _requestWithdraw(msg.sender, amount);
    }

    /// @inheritdoc ISettlement
    function requestWithdrawBySig(RequestIntent calldata intent, bytes calldata signature) external {
        _useIntent(intent.owner, intent.nonce, intent.deadline, intent.structHash(), signature);
        _requestWithdraw(intent.owner, intent.amount);
    }

    /// @inheritdoc ISettlement
    function withdraw(uint112 amount, address to) external nonReentrant {
        _withdraw(msg.sender, amount, to);
    }

    /// @inheritdoc ISettlement
    function withdrawBySig(WithdrawIntent calldata intent, bytes calldata signature) external nonReentrant {
        _useIntent(intent.owner, intent.nonce, intent.deadline, intent.structHash(), signature);
        _withdraw(intent.owner, intent.amount, intent.to);
    }

    function _requestWithdraw(address owner, uint112 amount) private {
        uint40 readyAt = uint40(block.timestamp) + withdrawNotice;
        _withdrawal[owner] = Withdrawal(amount, readyAt);
        emit WithdrawalRequested(owner, amount, readyAt);
    }

    function _withdraw(address owner, uint112 amount, address to) private {
        require(to != address(0), ZeroAddress());
        if (_account[owner].isDriver) {
            Withdrawal memory announced = _withdrawal[owner];
            bool ready = amount <= announced.amount && block.timestamp >= announced.readyAt;
            require(ready, WithdrawalNotReady(announced.amount, announced.readyAt));
            _withdrawal[owner].amount = announced.amount - amount;
        }

        _take(owner, amount);
        held -= amount;
        emit Withdrawn(owner, to, amount);

        euro.safeTransfer(to, amount);
    }

    function _deposit(address to, uint112 amount) private {
        require(to != address(0), ZeroAddress());

        _receive(amount);
        _account[to].available += amount;
        emit Deposited(msg.sender, to, amount);
    }

    /// @dev What the euro contract says was sent is not believed: the balance counts.
    function _receive(uint112 amount) private {
        uint256 before = euro.balanceOf(address(this));
        euro.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = euro.balanceOf(address(this)) - before;
        require(received == amount, WrongAmountReceived(received, amount));
        held += amount;
    }

    function _take(address owner, uint256 amount) private {
        uint112 available = _account[owner].available;
        require(available >= amount, InsufficientBalance(owner, available, amount));
        _account[owner].available = available - uint112(amount);
    }

    /* REGISTERS */

    /// @inheritdoc ISettlement
    function registerDrivers(address[] calldata drivers, bytes32[] calldata consents) external restricted {
        require(drivers.length == consents.length, LengthMismatch());
        for (uint256 i = 0; i < drivers.length; ++i) {
            address driver = drivers[i];
            require(driver != address(0), ZeroAddress());
            require(consents[i] != 0, MissingConsent(driver));
            require(!_account[driver].isDriver, AlreadyRegistered(driver));

            _account[driver].isDriver = true;
            emit DriverRegistered(driver, consents[i]);
        }
    }

    /// @inheritdoc ISettlement
    function setPayee(uint32 cpo, address payee) external restricted {
        require(cpo != 0, UnknownCpo(cpo));
        require(payee != address(0), ZeroAddress());

        address current = payeeOf(cpo);
        uint40 from = uint40(block.timestamp);
        if (current == address(0)) {
            _cpo[cpo].payee = payee;
        } else {
            from += payeeNotice;
            _cpo[cpo] = Cpo(current, from, _cpo[cpo].lastSeq, payee);
        }
        emit PayeeSet(cpo, payee, from);
    }

    /// @inheritdoc ISettlement
    function setTariff(uint32 tariff, Tariff calldata terms) external restricted {
        uint256 earliest = block.timestamp + tariffNotice;
        require(_tariff[tariff].cpo == 0, TariffExists(tariff));
        require(payeeOf(terms.cpo) != address(0), UnknownCpo(terms.cpo));
        // Without a notice (local networks) the past is allowed: recorded sessions are billed by the tariff of their day.
        require(tariffNotice == 0 || terms.from >= earliest, TariffTooSoon(terms.from, earliest));

        _tariff[tariff] = terms;
        emit TariffSet(tariff, terms);
    }

    /* BILLS */

    /// @inheritdoc ISettlement
    function post(uint32 cpo, uint32 seq, Line[] calldata lines) external restricted whenNotPaused {
        address payee = payeeOf(cpo);
        uint32 expected = _cpo[cpo].lastSeq + 1;
        require(!retired, Retired());
        require(payee != address(0), UnknownCpo(cpo));
        require(seq == expected, OutOfOrder(cpo, seq, expected));
        require(lines.length != 0, EmptyBatch());

        _cpo[cpo].lastSeq = seq;
        uint112 pot = 0;
        bytes32 domain = _domainSeparatorV4();
        bytes32[] memory leaves = new bytes32[](lines.length);
        Tariff memory terms = _usableTariff(cpo, lines[0]);
        for (uint256 i = 0; i < lines.length; ++i) {
            Line calldata line = lines[i];
            // Most batches name one tariff only.
            if (i != 0 && line.tariff != lines[i - 1].tariff) terms = _usableTariff(cpo, line);
            pot += _bill(cpo, seq, payee, line, terms);
            leaves[i] = BillTree.leafOfRead(domain, cpo, seq, line);
        }
        bytes32 root = BillTree.rootOf(leaves);
        _batch[cpo][seq] = Batch(root, pot, uint40(block.timestamp), uint32(lines.length), false);
        emit Posted(cpo, seq, root, pot, lines.length);
    }

    /// @inheritdoc ISettlement
    function finalise(uint32 cpo, uint32 seq) external {
        Batch storage batch = _batch[cpo][seq];
        (uint112 pot, uint40 postedAt) = (batch.pot, batch.postedAt);
        uint256 until = uint256(postedAt) + window;
        require(postedAt != 0, UnknownBatch(cpo, seq));
        require(!batch.finalised, AlreadyFinalised(cpo, seq));
        require(block.timestamp >= until, WindowOpen(cpo, seq, until));

        address payee = payeeOf(cpo);
        batch.finalised = true;
        _account[payee].available += pot;
        emit Finalised(cpo, seq, payee, pot);
    }

    /// @inheritdoc ISettlement
    function settleOwed(uint32 cpo, uint32 number, uint64 amount) external {
        Debt memory debt = _debt[cpo][number];
        Dispute storage disputed = _dispute[cpo][number];
        require(amount <= debt.amount, MoreThanOwed(number, debt.amount));
        require(_batch[cpo][debt.seq].finalised, NotFinal(cpo, debt.seq));
        require(disputed.state != DisputeState.Open, DisputeOpen(number, disputed.openedAt + DISPUTE_TERM));

        _debt[cpo][number].amount = debt.amount - amount;
        _take(debt.driver, amount);
        _account[payeeOf(cpo)].available += amount;
        emit DebtPaid(cpo, number, debt.driver, amount, debt.amount - amount);
    }

    /// @inheritdoc ISettlement
    function pay(uint32 cpo, address driver, uint64 amount, bytes32 ref) external restricted {
        require(_account[driver].isDriver, UnknownDriver(driver));
        require(!_paid[cpo][ref], AlreadyPaid(cpo, ref));

        _paid[cpo][ref] = true;
        _take(payeeOf(cpo), amount);
        _account[driver].available += amount;
        emit Paid(cpo, driver, ref, amount);
    }

    /// @inheritdoc ISettlement
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc ISettlement
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc ISettlement
    function retire() external restricted {
        retired = true;
        emit RetiredForEver();
    }

    function _usableTariff(uint32 cpo, Line calldata line) private view returns (Tariff memory terms) {
        terms = _tariff[line.tariff];
        require(terms.cpo == cpo && block.timestamp >= terms.from, WrongTariff(line.number, line.tariff));
    }

    /// @dev Books one line. What the driver pays goes to the pot, what is missing becomes a debt: no line blocks the others.
    /// Reads every field of the line, which `BillTree.leafOfRead` relies on.
    function _bill(
        uint32 cpo,
        uint32 seq,
        address payee,
        Line calldata line,
        Tariff memory terms
    ) private returns (uint112 paid) {
        (uint32 number, address driver, uint64 amount, uint64 credit) = (
            line.number,
            line.driver,
            line.amount,
            line.credit
        );
        uint32 flex = line.flex;
        _checkLine(line, amount, credit, flex, terms);
        Account storage account = _account[driver];
        uint256 word = account.read();
        require(word.isDriver(), UnknownDriver(driver));
        require(!_billed[cpo].get(number), AlreadyBilled(number));

        _billed[cpo].set(number);
        uint112 available = word.available();
        paid = available < amount ? available : amount;
        (uint64 earned, uint32 flexDebt) = word.earn(flex);
        account.write(word, available - paid, earned, flexDebt);
        emit Billed(cpo, number, driver, amount, credit, flex);

        if (paid < amount) {
            uint64 missing = amount - uint64(paid);
            _debt[cpo][number] = Debt(driver, missing, seq);
            emit Shortfall(cpo, number, driver, missing);
        }
        if (credit != 0) _credit(cpo, payee, line);
    }

    /// @dev Cap: amount <= wh * maxPerKwh / 1000 + maxFixed, without a division.
    function _checkLine(
        Line calldata line,
        uint64 amount,
        uint64 credit,
        uint32 flex,
        Tariff memory terms
    ) private view {
        uint32 wh = line.wh;
        // No overflow: 2^32 * 2^64 + 2^64 * 1000 and 2^64 * 1000.
        unchecked {
            uint256 cap = uint256(wh) * terms.maxPerKwh + uint256(terms.maxFixed) * 1000;
            require(uint256(amount) * 1000 <= cap, AboveTariff(line.number));
        }
        require(flex <= wh, FlexAboveEnergy(line.number));
        require(credit == 0 || (amount == 0 && credit <= maxCredit), CreditNotAllowed(line.number));
    }

    function _credit(uint32 cpo, address payee, Line calldata line) private {
        uint112 available = _account[payee].available;
        uint64 given = available < line.credit ? uint64(available) : line.credit;

        _account[payee].available -= given;
        _account[line.driver].available += given;
        if (given < line.credit) emit CreditShort(cpo, line.number, line.driver, line.credit - given);
    }

    /* DISPUTES */

    /// @inheritdoc ISettlement
    function dispute(uint32 cpo, uint32 seq, Line calldata line, bytes32[] calldata proof) external {
        if (msg.sender != line.driver) _checkCanCall(msg.sender, msg.data);

        _openDispute(cpo, seq, line, proof);
    }

    /// @inheritdoc ISettlement
    function disputeBySig(
        uint32 seq,
        Line calldata line,
        bytes32[] calldata proof,
        DisputeIntent calldata intent,
        bytes calldata signature
    ) external {
        bool named = intent.driver == line.driver && intent.number == line.number;
        require(named, IntentRefused(intent.driver, Refusal.BadSignature));
        _useIntent(intent.driver, intent.nonce, intent.deadline, intent.structHash(), signature);

        _openDispute(intent.cpo, seq, line, proof);
    }

    /// @inheritdoc ISettlement
    function resolve(uint32 cpo, uint32 number, uint64 refund, int64 flexDelta) external restricted {
        Dispute memory disputed = _openDisputeOf(cpo, number);
        int256 flex = int256(uint256(disputed.flex)) + flexDelta;
        require(refund <= disputed.amount, RefundTooHigh(number, refund, disputed.amount));
        require(flex >= 0 && flex <= int256(uint256(disputed.wh)), FlexAboveEnergy(number));

        _close(cpo, number, disputed, refund, flexDelta);
    }

    /// @inheritdoc ISettlement
    function expire(uint32 cpo, uint32 number) external {
        Dispute memory disputed = _openDisputeOf(cpo, number);
        uint256 until = uint256(disputed.openedAt) + DISPUTE_TERM;
        require(block.timestamp >= until, DisputeOpen(number, until));

        _close(cpo, number, disputed, disputed.amount, 0);
    }

    /// @dev Nobody can pay a debt before its batch is final, so what is in the pot for the line is what is not owed.
    function _openDispute(uint32 cpo, uint32 seq, Line calldata line, bytes32[] calldata proof) private {
        (uint32 number, address driver, uint64 amount) = (line.number, line.driver, line.amount);
        Batch storage batch = _batch[cpo][seq];
        Dispute storage disputed = _dispute[cpo][number];
        uint256 until = uint256(batch.postedAt) + window;
        bytes32 leaf = BillTree.leafOf(_domainSeparatorV4(), cpo, seq, line);
        require(batch.postedAt != 0, UnknownBatch(cpo, seq));
        require(block.timestamp < until, WindowClosed(cpo, seq, until));
        require(MerkleProof.verifyCalldata(proof, batch.root, leaf), InvalidProof());
        require(disputed.state == DisputeState.None, AlreadyDisputed(number));

        uint64 paid = amount - _debt[cpo][number].amount;
        batch.pot -= paid;
        _dispute[cpo][number] = Dispute(driver, uint40(block.timestamp), DisputeState.Open, amount, line.wh, line.flex);
        emit Disputed(cpo, number, driver, seq, amount, paid);
    }

    function _openDisputeOf(uint32 cpo, uint32 number) private view returns (Dispute memory disputed) {
        disputed = _dispute[cpo][number];
        require(disputed.state == DisputeState.Open, NotDisputed(number));
    }

    function _close(uint32 cpo, uint32 number, Dispute memory disputed, uint64 refund, int64 flexDelta) private {
        address payee = payeeOf(cpo);
        uint64 owed = _debt[cpo][number].amount;
        uint64 cancelled = refund < owed ? refund : owed;
        uint64 back = refund - cancelled;
        uint64 toCpo = disputed.amount - owed - back;

        _dispute[cpo][number].state = DisputeState.Resolved;
        if (cancelled != 0) _debt[cpo][number].amount = owed - cancelled;
        _correct(disputed.driver, back, flexDelta);
        _account[payee].available += toCpo;
        emit Resolved(cpo, number, disputed.driver, payee, refund, back, toCpo, flexDelta);
    }

    /// @dev `resolve` has bounded |flexDelta| by a line's energy, so it fits uint32.
    function _correct(address driver, uint64 back, int64 flexDelta) private {
        Account storage account = _account[driver];
        uint256 word = account.read();
        (uint64 flex, uint32 flexDebt) = flexDelta < 0
            ? word.forfeit(uint32(uint64(-flexDelta)))
            : word.earn(uint32(uint64(flexDelta)));
        account.write(word, word.available() + back, flex, flexDebt);
    }

    /* FLEXIBILITY */

    /// @inheritdoc ISettlement
    function setOffer(uint32 cpo, uint64 offer) external restricted {
        _offer[cpo].price = offer;
        emit OfferSet(cpo, offer);
    }

    /// @inheritdoc ISettlement
    function fundPot(uint32 cpo, uint112 amount) external nonReentrant {
        require(payeeOf(cpo) != address(0), UnknownCpo(cpo));

        _receive(amount);
        uint112 pot = _offer[cpo].pot + amount;
        _offer[cpo].pot = pot;
        emit PotFunded(cpo, msg.sender, amount, pot);
    }

    /// @inheritdoc ISettlement
    function reclaimPot(uint32 cpo, uint112 amount) external {
        uint112 pot = _offer[cpo].pot;
        require(msg.sender == payeeOf(cpo), NotPayee(cpo, msg.sender));
        require(amount <= pot, PotTooSmall(pot, amount));

        _offer[cpo].pot = pot - amount;
        _account[msg.sender].available += amount;
        emit PotReclaimed(cpo, msg.sender, amount, pot - amount);
    }

    /// @inheritdoc ISettlement
    function claimFlex(address to) external nonReentrant {
        _claimFlex(msg.sender, to);
    }

    /// @inheritdoc ISettlement
    function claimFlexBySig(ClaimIntent calldata intent, bytes calldata signature) external nonReentrant {
        _useIntent(intent.owner, intent.nonce, intent.deadline, intent.structHash(), signature);
        _claimFlex(intent.owner, intent.to);
    }

    /// @inheritdoc ISettlement
    function redeem(uint32 cpo, uint64 wh, uint64 minPayout) external nonReentrant {
        Refusal refusal = _refusal(msg.sender, cpo, wh, minPayout);
        require(refusal == Refusal.None, RedemptionRefused(msg.sender, refusal));

        _redeem(msg.sender, cpo, wh);
    }

    /// @inheritdoc ISettlement
    function redeemBySig(RedeemIntent calldata intent, bytes calldata signature) external nonReentrant {
        Refusal refusal = _signedRefusal(intent, signature);
        require(refusal == Refusal.None, RedemptionRefused(intent.driver, refusal));

        ++_account[intent.driver].nonce;
        _redeem(intent.driver, intent.cpo, intent.wh);
    }

    /// @inheritdoc ISettlement
    function redeemBatch(RedeemIntent[] calldata intents, bytes[] calldata signatures) external nonReentrant {
        require(intents.length == signatures.length, LengthMismatch());
        for (uint256 i = 0; i < intents.length; ++i) {
            RedeemIntent calldata intent = intents[i];
            Refusal refusal = _signedRefusal(intent, signatures[i]);
            if (refusal == Refusal.None) {
                ++_account[intent.driver].nonce;
                _redeem(intent.driver, intent.cpo, intent.wh);
            } else {
                emit RedemptionSkipped(intent.driver, intent.nonce, refusal);
            }
        }
    }

    function _claimFlex(address owner, address to) private {
        uint64 wh = _account[owner].flex;
        require(wh != 0, NothingToClaim(owner));

        _account[owner].flex = 0;
        emit FlexClaimed(owner, to, wh);

        flexToken.mint(to, wh);
    }

    function _redeem(address owner, uint32 cpo, uint64 wh) private {
        uint112 payout = uint112(_payoutDown(wh, _offer[cpo].price));
        uint64 earned = _account[owner].flex;
        uint64 fromTokens = wh > earned ? wh - earned : 0;

        _offer[cpo].pot -= payout;
        _account[owner].flex = earned - (wh - fromTokens);
        _account[owner].available += payout;
        emit Redeemed(cpo, owner, wh, fromTokens, payout);

        if (fromTokens != 0) flexToken.burn(owner, fromTokens);
    }

    function _refusal(address owner, uint32 cpo, uint64 wh, uint64 minPayout) private view returns (Refusal) {
        Offer memory offer = _offer[cpo];
        uint256 payout = _payoutDown(wh, offer.price);
        uint256 earned = _account[owner].flex;
        if (wh > earned && wh - earned > flexToken.balanceOf(owner)) return Refusal.NotEnoughFlex;
        if (payout < minPayout) return Refusal.PayoutTooLow;
        if (payout > offer.pot) return Refusal.PotTooSmall;
        return Refusal.None;
    }

    function _signedRefusal(RedeemIntent calldata intent, bytes calldata signature) private view returns (Refusal) {
        Refusal refusal = _intentRefusal(intent.driver, intent.nonce, intent.deadline, intent.structHash(), signature);
        if (refusal != Refusal.None) return refusal;

        return _refusal(intent.driver, intent.cpo, intent.wh, intent.minPayout);
    }

    /// @dev wh * micro-euro per kWh / 1000, rounded down: many small redemptions never pay more than one large one.
    function _payoutDown(uint64 wh, uint64 price) private pure returns (uint256) {
        return (uint256(wh) * price) / 1000;
    }

    /* SIGNED INTENTS */

    /// @dev Each nonce works once: it is used up before anything else happens.
    function _useIntent(
        address owner,
        uint48 nonce,
        uint40 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) private {
        Refusal refusal = _intentRefusal(owner, nonce, deadline, structHash, signature);
        require(refusal == Refusal.None, IntentRefused(owner, refusal));

        ++_account[owner].nonce;
    }

    function _intentRefusal(
        address owner,
        uint48 nonce,
        uint40 deadline,
        bytes32 structHash,
        bytes calldata signature
    ) private view returns (Refusal) {
        if (block.timestamp > deadline) return Refusal.Expired;
        if (nonce != _account[owner].nonce) return Refusal.WrongNonce;

        bytes32 digest = _hashTypedDataV4(structHash);
        (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure != ECDSA.RecoverError.NoError || signer != owner) return Refusal.BadSignature;
        return Refusal.None;
    }

    /* STORAGE VIEW */

    /// @inheritdoc ISettlement
    function accountOf(address owner) external view returns (Account memory) {
        return _account[owner];
    }

    /// @inheritdoc ISettlement
    function withdrawalOf(address owner) external view returns (Withdrawal memory) {
        return _withdrawal[owner];
    }

    /// @inheritdoc ISettlement
    function payeeOf(uint32 cpo) public view returns (address) {
        Cpo storage own = _cpo[cpo];
        (address payee, uint40 from) = (own.payee, own.from);
        return from != 0 && block.timestamp >= from ? own.next : payee;
    }

    /// @inheritdoc ISettlement
    function tariffOf(uint32 tariff) external view returns (Tariff memory) {
        return _tariff[tariff];
    }

    /// @inheritdoc ISettlement
    function batchOf(uint32 cpo, uint32 seq) external view returns (Batch memory) {
        return _batch[cpo][seq];
    }

    /// @inheritdoc ISettlement
    function lastSeq(uint32 cpo) external view returns (uint32) {
        return _cpo[cpo].lastSeq;
    }

    /// @inheritdoc ISettlement
    function disputeOf(uint32 cpo, uint32 number) external view returns (Dispute memory) {
        return _dispute[cpo][number];
    }

    /// @inheritdoc ISettlement
    function isBilled(uint32 cpo, uint32 number) external view returns (bool) {
        return _billed[cpo].get(number);
    }

    /// @inheritdoc ISettlement
    function debtOf(uint32 cpo, uint32 number) external view returns (Debt memory) {
        return _debt[cpo][number];
    }

    /// @inheritdoc ISettlement
    function isPaid(uint32 cpo, bytes32 ref) external view returns (bool) {
        return _paid[cpo][ref];
    }

    /// @inheritdoc ISettlement
    function offerOf(uint32 cpo) external view returns (uint64 offer, uint112 pot) {
        return (_offer[cpo].price, _offer[cpo].pot);
    }

    /* MERKLE TREE */

    /// @inheritdoc ISettlement
    function leafOf(uint32 cpo, uint32 seq, Line calldata line) external view returns (bytes32) {
        return BillTree.leafOf(_domainSeparatorV4(), cpo, seq, line);
    }
}
