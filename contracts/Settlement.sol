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
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IFlexToken} from "./interfaces/IFlexToken.sol";
import {
    Account,
    Batch,
    Debt,
    ISettlement,
    Line,
    Payee,
    RedeemIntent,
    Refusal,
    Tariff,
    Withdrawal
} from "./interfaces/ISettlement.sol";

/// @notice See ISettlement.
contract Settlement is ISettlement, AccessManaged, Pausable, ReentrancyGuard, EIP712 {
    using BitMaps for BitMaps.BitMap;
    using SafeERC20 for IERC20;

    /* CONSTANTS */

    bytes32 private constant REDEEM_TYPEHASH = keccak256(
        "RedeemIntent(address driver,uint32 cpo,uint64 wh,uint64 minPayout,uint48 nonce,uint40 deadline)"
    );

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
    mapping(uint32 cpo => Payee) private _payee;
    mapping(uint32 tariff => Tariff) private _tariff;
    /// @inheritdoc ISettlement
    mapping(uint32 cpo => uint32) public lastSeq;
    mapping(uint32 cpo => mapping(uint32 seq => Batch)) private _batch;
    mapping(uint32 cpo => BitMaps.BitMap) private _billed;
    mapping(uint32 cpo => mapping(uint32 number => Debt)) private _debt;
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
        uint40 readyAt = uint40(block.timestamp) + withdrawNotice;
        _withdrawal[msg.sender] = Withdrawal(amount, readyAt);
        emit WithdrawalRequested(msg.sender, amount, readyAt);
    }

    /// @inheritdoc ISettlement
    function withdraw(uint112 amount, address to) external nonReentrant {
        require(to != address(0), ZeroAddress());
        if (_account[msg.sender].isDriver) {
            Withdrawal memory announced = _withdrawal[msg.sender];
            bool ready = amount <= announced.amount && block.timestamp >= announced.readyAt;
            require(ready, WithdrawalNotReady(announced.amount, announced.readyAt));
            _withdrawal[msg.sender].amount = announced.amount - amount;
        }

        _take(msg.sender, amount);
        held -= amount;
        emit Withdrawn(msg.sender, to, amount);

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
            _payee[cpo].payee = payee;
        } else {
            from += payeeNotice;
            _payee[cpo] = Payee(current, payee, from);
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
        uint32 expected = lastSeq[cpo] + 1;
        require(!retired, Retired());
        require(payee != address(0), UnknownCpo(cpo));
        require(seq == expected, OutOfOrder(cpo, seq, expected));
        require(lines.length != 0, EmptyBatch());

        lastSeq[cpo] = seq;
        uint112 pot = 0;
        bytes32 domain = _domainSeparatorV4();
        bytes32[] memory leaves = new bytes32[](lines.length);
        for (uint256 i = 0; i < lines.length; ++i) {
            pot += _bill(cpo, payee, lines[i]);
            leaves[i] = _leaf(domain, cpo, seq, lines[i]);
        }
        bytes32 root = _root(leaves);
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
        require(amount <= debt.amount, MoreThanOwed(number, debt.amount));

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

    /// @dev Books one line. What the driver pays goes to the pot, what is missing becomes a debt: no line blocks the others.
    function _bill(uint32 cpo, address payee, Line calldata line) private returns (uint112 paid) {
        (uint32 number, address driver, uint64 amount) = (line.number, line.driver, line.amount);
        _checkLine(cpo, line);
        Account memory account = _account[driver];
        require(account.isDriver, UnknownDriver(driver));
        require(!_billed[cpo].get(number), AlreadyBilled(number));

        _billed[cpo].set(number);
        paid = account.available < amount ? account.available : amount;
        account.available -= paid;
        account.flex += line.flex;
        _account[driver] = account;
        emit Billed(cpo, number, driver, amount, line.credit, line.flex);

        if (paid < amount) {
            uint64 missing = amount - uint64(paid);
            _debt[cpo][number] = Debt(driver, missing);
            emit Shortfall(cpo, number, driver, missing);
        }
        if (line.credit != 0) _credit(cpo, payee, line);
    }

    /// @dev Cap: amount <= wh * maxPerKwh / 1000 + maxFixed, without a division.
    function _checkLine(uint32 cpo, Line calldata line) private view {
        Tariff memory tariff = _tariff[line.tariff];
        bool usable = tariff.cpo == cpo && block.timestamp >= tariff.from;
        uint256 cap = uint256(line.wh) * tariff.maxPerKwh + uint256(tariff.maxFixed) * 1000;
        bool creditAllowed = line.credit == 0 || (line.amount == 0 && line.credit <= maxCredit);
        require(usable, WrongTariff(line.number, line.tariff));
        require(uint256(line.amount) * 1000 <= cap, AboveTariff(line.number));
        require(line.flex <= line.wh, FlexAboveEnergy(line.number));
        require(creditAllowed, CreditNotAllowed(line.number));
    }

    function _credit(uint32 cpo, address payee, Line calldata line) private {
        uint112 available = _account[payee].available;
        uint64 given = available < line.credit ? uint64(available) : line.credit;

        _account[payee].available -= given;
        _account[line.driver].available += given;
        if (given < line.credit) emit CreditShort(cpo, line.number, line.driver, line.credit - given);
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
        uint64 wh = _account[msg.sender].flex;
        require(wh != 0, NothingToClaim(msg.sender));

        _account[msg.sender].flex = 0;
        emit FlexClaimed(msg.sender, to, wh);

        flexToken.mint(to, wh);
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
        if (block.timestamp > intent.deadline) return Refusal.Expired;
        if (intent.nonce != _account[intent.driver].nonce) return Refusal.WrongNonce;

        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(REDEEM_TYPEHASH, intent)));
        (address signer, ECDSA.RecoverError failure, ) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure != ECDSA.RecoverError.NoError || signer != intent.driver) return Refusal.BadSignature;

        return _refusal(intent.driver, intent.cpo, intent.wh, intent.minPayout);
    }

    /// @dev wh * micro-euro per kWh / 1000, rounded down: many small redemptions never pay more than one large one.
    function _payoutDown(uint64 wh, uint64 price) private pure returns (uint256) {
        return (uint256(wh) * price) / 1000;
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
        Payee storage payee = _payee[cpo];
        (address next, uint40 from) = (payee.next, payee.from);
        return next != address(0) && block.timestamp >= from ? next : payee.payee;
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
        return _leaf(_domainSeparatorV4(), cpo, seq, line);
    }

    /// @dev Hashed twice, so that no inner node of a tree can pass as a leaf (OpenZeppelin's StandardMerkleTree).
    function _leaf(bytes32 domain, uint32 cpo, uint32 seq, Line calldata line) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(domain, cpo, seq, line))));
    }

    /// @dev Overwrites `nodes` level by level from the left; the last of an odd level moves up as it is.
    function _root(bytes32[] memory nodes) private pure returns (bytes32) {
        uint256 count = nodes.length;
        while (count > 1) {
            uint256 next = 0;
            for (uint256 i = 0; i + 1 < count; i += 2) {
                nodes[next++] = Hashes.commutativeKeccak256(nodes[i], nodes[i + 1]);
            }
            if (count % 2 == 1) nodes[next++] = nodes[count - 1];
            count = next;
        }
        return nodes[0];
    }
}
