// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IAlgorithmRegistry, Version} from "./IAlgorithmRegistry.sol";

/// @notice What one group decided for one slot, and what its meters said at the end of the slot before.
/// @param group Charging group.
/// @param slot Unix time / 900.
/// @param algorithm Version in the AlgorithmRegistry; 0 is unknown there and refused.
/// @param problem keccak256(p); p begins with a random 32-byte salt (IScheduleChecker).
/// @param plan keccak256(abi.encode(salt, keccak256(x), keccak256(y), keccak256(w))): the certificate is committed too.
/// @param value With rows: int128 cost | int128 bound, bound = type(int128).min for a plan that claims nothing. Without
/// rows: keccak256(abi.encode(salt, int256 cost, int256 bound)), since a cost of 0 would show an empty home.
/// @param earlier Hash chain of the plans made since the last record. It begins with 0 where rows are public, else with a hash
/// under the salt, since a 0 would show that nobody came or left.
/// @param root Merkle root of the salted leaves (promises, allocations); 0 if there are none.
/// @param rows 12 bytes per asset, big-endian: index u16 | limit u16 (10 W) | power i16 (20 W) | status u8 | flags u8 |
/// register u32 (Wh). `limit` is commanded for this slot; `power` and `register` were measured at the end of the slot
/// before. Empty where rows are not public.
struct Run {
    uint32 group;
    uint32 slot;
    Version algorithm;
    bytes32 problem;
    bytes32 plan;
    bytes32 value;
    bytes32 earlier;
    bytes32 root;
    bytes rows;
}

/// @notice The whole history of a group in one word.
/// @param slot Slot recorded last.
/// @param chain Hash chain over all its runs, see `ISlotLedger`.
struct Head {
    uint32 slot;
    bytes28 chain;
}

enum Verdict {
    None,
    Confirmed,
    Refuted
}

/// @title What every charging group decided, slot by slot, in a form that nobody can change afterwards.
/// @notice Promises: runs of a group are recorded in ascending order of slots, once each; the head's hash chain covers every
/// field of every run, so a missing, altered or reordered event is visible to anyone who replays the log:
///
///     link  = keccak256(abi.encode(group, slot, algorithm, problem, plan, value, earlier, root, keccak256(rows)))
///     chain = bytes28(keccak256(abi.encode(bytes28 chain before, link)))                      first: chain before = 0
///
/// Three privacy modes, chosen by the operator run by run:
///
///     rows          rows are public, cost and bound are in clear: for public sites on networks that may show them
///     root          no rows; everything is under salts, `root` alone leads to the leaves
///     tenant root   one run for all groups of a tenant: `group` is a number that has no assets, `root` the Merkle root over
///                   the links of the groups' own runs of that slot (in root mode), problem, plan and value commit to nothing
///                   (0). Not even the number of groups shows. `provesWithin` finds a group's run in it.
///
/// Anyone can have a run with public rows judged for ever by `confirm`. Energy needs and departures of people are only inside
/// the salted commitments.
interface ISlotLedger {
    /// @notice A run was recorded; it carries everything but the committed bytes.
    event SlotRecorded(uint32 indexed group, uint32 indexed slot, Run run);

    /// @notice No run exists for the slots from `from` to `to` (both included): an outage that has to be declared.
    event Skipped(uint32 indexed group, uint32 from, uint32 to);

    /// @notice The run's schedule is feasible and its cost and bound are as committed.
    event RunConfirmed(uint32 indexed group, uint32 indexed slot);

    /// @notice The run's own committed bytes are infeasible, of another group or slot, outside the registered parameters, or
    /// have another cost or bound than committed. `rule` and `where` are the checker's, or 255 when it found the bytes sound.
    event RunRefuted(uint32 indexed group, uint32 indexed slot, uint8 rule, uint256 where);

    /// @notice Slots of a group must ascend.
    error OutOfOrder(uint32 group, uint32 slot, uint32 last);

    /// @notice A slot can be recorded at most one slot ahead of the block's time.
    error SlotInFuture(uint32 group, uint32 slot, uint256 latest);

    /// @notice Rows are not a whole number of 12-byte rows with strictly ascending index.
    error RowsMalformed(uint32 group, uint32 slot);

    /// @notice The run is not part of the group's recorded history (with these links before and after it).
    error UnknownRun(uint32 group, uint32 slot);

    /// @notice The bytes are not the ones that the run committed to.
    error WrongBytes();

    /// @notice Proving this run in a transaction would publish needs and departures; ask the checker by `eth_call`.
    error ProofPrivate(uint32 group, uint32 slot);

    /// @notice The run was confirmed or refuted before; that is final.
    error AlreadyJudged(uint32 group, uint32 slot);

    /// @notice The checker ended without a verdict, most likely out of gas: nothing is judged.
    error CheckerFailed();

    /// @notice Where `algorithm` is looked up.
    function algorithms() external view returns (IAlgorithmRegistry);

    /// @notice Records runs of any groups, each one slot after its group's last or later.
    function record(Run[] calldata runs) external;

    /// @notice Stops `record`.
    function pause() external;

    /// @notice Resumes `record`.
    function unpause() external;

    /// @notice Whether `run` was recorded: the chain before it, its own link and the links after it end in the head.
    function proves(bytes28 before, Run calldata run, bytes32[] calldata later) external view returns (bool);

    /// @notice Whether `run`, which was never recorded by itself, is part of the recorded run `tenant` of the same slot.
    /// @dev `before` and `later` as in `proves`, for `tenant`. `proof`: siblings from the link of `run` to the root of `tenant`; a link hashes 288 bytes, so that no inner node
    /// can pass as one.
    function provesWithin(
        bytes28 before,
        Run calldata tenant,
        bytes32[] calldata later,
        Run calldata run,
        bytes32[] calldata proof
    ) external view returns (bool);

    /// @notice Judges a recorded run for ever by its own committed bytes. Anyone may call; a stranger's certificate counts
    /// for nothing, because only the committed one passes.
    function confirm(
        bytes28 before,
        Run calldata run,
        bytes32[] calldata later,
        bytes calldata p,
        bytes calldata x,
        bytes calldata y,
        bytes calldata w
    ) external;

    /// @notice Newest slot and hash chain of a group; slot 0 when it has no run.
    function headOf(uint32 group) external view returns (Head memory);

    /// @notice What `confirm` found.
    function verdictOf(uint32 group, uint32 slot) external view returns (Verdict);

    /// @notice Link of a run in its group's hash chain.
    function linkOf(Run calldata run) external pure returns (bytes32);
}
