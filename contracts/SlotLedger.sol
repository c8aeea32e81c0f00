// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IAlgorithmRegistry, Spec, Version} from "./interfaces/IAlgorithmRegistry.sol";
import {IScheduleChecker} from "./interfaces/IScheduleChecker.sol";
import {Head, ISlotLedger, Run, Verdict} from "./interfaces/ISlotLedger.sol";

/// @notice See ISlotLedger.
contract SlotLedger is ISlotLedger, AccessManaged, Pausable {
    /* CONSTANTS */

    uint256 private constant SLOT_S = 900;
    uint256 private constant ROW = 12;
    uint8 private constant SOUND = 255;
    /// @dev Where a word that begins two bytes before a row has indices, and where two ascending pairs leave their carry.
    uint256 private constant INDICES = 0x0000ffff00000000000000000000ffff00000000000000000000ffff00000000;
    uint256 private constant ASCENDING = (1 << 240) | (1 << 144);

    /* IMMUTABLES */

    /// @inheritdoc ISlotLedger
    IAlgorithmRegistry public immutable algorithms;

    /* STORAGE */

    mapping(uint32 group => Head) private _head;
    mapping(uint32 group => mapping(uint32 slot => Verdict)) private _verdict;

    /* CONSTRUCTOR */

    constructor(address authority, IAlgorithmRegistry algorithms_) AccessManaged(authority) {
        algorithms = algorithms_;
    }

    /* RECORD */

    /// @inheritdoc ISlotLedger
    function record(Run[] calldata runs) external restricted whenNotPaused {
        uint256 latest = block.timestamp / SLOT_S + 1;
        Version checked;
        for (uint256 i = 0; i < runs.length; ++i) {
            Run calldata run = runs[i];
            if (i == 0 || Version.unwrap(run.algorithm) != Version.unwrap(checked)) {
                checked = run.algorithm;
                algorithms.requireActive(checked);
            }
            _record(run, latest);
        }
    }

    function _record(Run calldata run, uint256 latest) private {
        (uint32 group, uint32 slot) = (run.group, run.slot);
        Head memory head = _head[group];
        require(slot > head.slot, OutOfOrder(group, slot, head.slot));
        require(slot <= latest, SlotInFuture(group, slot, latest));
        require(_wellFormed(run.rows), RowsMalformed(group, slot));

        _head[group] = Head(slot, _extend(head.chain, linkOf(run)));
        if (head.slot != 0 && slot > head.slot + 1) emit Skipped(group, head.slot + 1, slot - 1);
        emit SlotRecorded(group, slot, run);
    }

    /* PROOF */

    /// @inheritdoc ISlotLedger
    function proves(bytes28 before, Run calldata run, bytes32[] calldata later) public view returns (bool) {
        bytes28 chain = _extend(before, linkOf(run));
        for (uint256 i = 0; i < later.length; ++i) chain = _extend(chain, later[i]);
        return chain == _head[run.group].chain;
    }

    /// @inheritdoc ISlotLedger
    function provesWithin(
        bytes28 before,
        Run calldata tenant,
        bytes32[] calldata later,
        Run calldata run,
        bytes32[] calldata proof
    ) external view returns (bool) {
        bool sameSlot = run.slot == tenant.slot;
        return sameSlot && proves(before, tenant, later) && MerkleProof.verifyCalldata(proof, tenant.root, linkOf(run));
    }

    /// @inheritdoc ISlotLedger
    function confirm(
        bytes28 before,
        Run calldata run,
        bytes32[] calldata later,
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) external {
        (uint32 group, uint32 slot) = (run.group, run.slot);
        require(run.rows.length != 0, ProofPrivate(group, slot));
        require(_verdict[group][slot] == Verdict.None, AlreadyJudged(group, slot));
        require(proves(before, run, later), UnknownRun(group, slot));
        require(keccak256(p) == run.problem, WrongBytes());
        require(_planHash(p, x, y, w) == run.plan, WrongBytes());

        (bool sound, uint8 rule, uint256 where) = _judge(run, p, x, y, w);
        _verdict[group][slot] = sound ? Verdict.Confirmed : Verdict.Refuted;
        if (sound) emit RunConfirmed(group, slot);
        else emit RunRefuted(group, slot, rule, where);
    }

    /// @dev Only `Broken` refutes. A checker that fails in another way (too little gas given by the caller, above all)
    /// must never look like a refutation.
    function _judge(
        Run calldata run,
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) private view returns (bool sound, uint8 rule, uint256 where) {
        Spec memory spec = algorithms.specOf(run.algorithm);
        try spec.checker.check(p, x, y, w) returns (int128 cost, int128 bound) {
            uint256 value = (uint256(uint128(cost)) << 128) | uint128(bound);
            return (bytes32(value) == run.value && _headerFits(run, spec, p), SOUND, 0);
        } catch (bytes memory reason) {
            require(reason.length == 68 && bytes4(reason) == IScheduleChecker.Broken.selector, CheckerFailed());
            assembly ("memory-safe") {
                rule := mload(add(reason, 36))
                where := mload(add(reason, 68))
            }
        }
    }

    /// @dev Group, slot and registered parameters in the problem's header, which the checker found well-formed. A plan made
    /// in the lead time before the slot that it commands still names the slot in which it was made.
    function _headerFits(Run calldata run, Spec memory spec, bytes calldata p) private pure returns (bool) {
        uint256 header = uint256(bytes32(p[32:64]));
        uint256 madeIn = uint32(header >> 184);
        return
            uint32(header >> 216) == run.group &&
            madeIn <= run.slot &&
            madeIn + 1 >= run.slot &&
            uint16(header >> 96) <= spec.maxScale &&
            uint32(header >> 64) <= spec.maxEarly &&
            uint32(header >> 32) == spec.voll &&
            uint32(header) == spec.extra;
    }

    /// @dev The salt is the beginning of p, zero-padded where p is shorter (such bytes are refuted by the checker).
    function _planHash(
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) private pure returns (bytes32) {
        return keccak256(abi.encode(bytes32(p), keccak256(x), keccak256(y), keccak256(w)));
    }

    /* PAUSE */

    /// @inheritdoc ISlotLedger
    function pause() external restricted {
        _pause();
    }

    /// @inheritdoc ISlotLedger
    function unpause() external restricted {
        _unpause();
    }

    /* STORAGE VIEW */

    /// @inheritdoc ISlotLedger
    function headOf(uint32 group) external view returns (Head memory) {
        return _head[group];
    }

    /// @inheritdoc ISlotLedger
    function verdictOf(uint32 group, uint32 slot) external view returns (Verdict) {
        return _verdict[group][slot];
    }

    /* HASH CHAIN */

    /// @inheritdoc ISlotLedger
    function linkOf(Run calldata run) public pure returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    run.group,
                    run.slot,
                    run.algorithm,
                    run.problem,
                    run.plan,
                    run.value,
                    run.earlier,
                    run.root,
                    keccak256(run.rows)
                )
            );
    }

    function _extend(bytes28 chain, bytes32 link) private pure returns (bytes28) {
        return bytes28(Hashes.efficientKeccak256(chain, link));
    }

    /// @dev Whole rows, in strictly ascending order of their index. A word that begins two bytes before a row holds the
    /// indices of three rows, each below 16 free bits: with `INDICES` every pair of neighbours is compared by one addition and
    /// one subtraction, since next + 0xffff - index reaches bit 16 exactly when next > index. Offsets stay below the calldata's
    /// length, and a selector precedes them: nothing overflows.
    function _wellFormed(bytes calldata rows) private pure returns (bool ok) {
        if (rows.length % ROW != 0) return false;
        assembly ("memory-safe") {
            let at := sub(rows.offset, 2)
            let last := add(at, sub(rows.length, ROW))
            let all := ASCENDING
            for {} iszero(gt(add(at, 96), last)) {
                at := add(at, 96)
            } {
                // Written out: a function would be called, at 15 gas per row.
                let m := and(calldataload(at), INDICES)
                all := and(all, sub(add(shl(96, m), INDICES), m))
                m := and(calldataload(add(at, 24)), INDICES)
                all := and(all, sub(add(shl(96, m), INDICES), m))
                m := and(calldataload(add(at, 48)), INDICES)
                all := and(all, sub(add(shl(96, m), INDICES), m))
                m := and(calldataload(add(at, 72)), INDICES)
                all := and(all, sub(add(shl(96, m), INDICES), m))
            }
            ok := eq(all, ASCENDING)
            for {} lt(at, last) {
                at := add(at, ROW)
            } {
                let m := and(calldataload(at), INDICES)
                ok := and(ok, shr(240, sub(add(shl(96, m), INDICES), m)))
            }
        }
    }
}
