// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScheduleChecker} from "./IScheduleChecker.sol";

/// @notice keccak256(abi.encode(spec)) of a published specification.
type Version is bytes32;

/// @notice What a version of a scheduling method is. Runs refer to it; auditors hold a run's header against it.
/// @param method Its name, such as "least-cost/1" in ASCII.
/// @param sourceHash Hash of the method's source code.
/// @param checker The rule by which its schedules are judged.
/// @param encoding Version of the problem bytes that its runs commit to.
/// @param activeFrom Instant from which runs may name it.
/// @param maxScale Upper limit of a run's `scale`.
/// @param voll Value of promised energy, micro-euro per kWh; the same in every run.
/// @param extra Value of best-effort energy, micro-euro per kWh; the same in every run.
/// @param maxEarly Upper limit of a run's early weight (`weight` in the header).
/// @param uri Where people find the source.
struct Spec {
    bytes32 method;
    bytes32 sourceHash;
    IScheduleChecker checker;
    uint8 encoding;
    uint40 activeFrom;
    uint16 maxScale;
    uint32 voll;
    uint32 extra;
    uint32 maxEarly;
    string uri;
}

/// @title Which scheduling methods exist, by what rule each is judged and with which parameters.
/// @notice Promises: a published version never changes, and it is known `activationDelay` before any run can name it. The
/// rule (checker) is on chain, the search for a schedule is not; only the hash of its source code is.
interface IAlgorithmRegistry {
    /// @notice A version exists; `spec` is all of it.
    event Published(Version indexed version, Spec spec);

    /// @notice This specification is published already.
    error AlreadyPublished(Version version);

    /// @notice Nothing is published under this version.
    error UnknownVersion(Version version);

    /// @notice Runs may name the version only from `activeFrom` on.
    error NotActive(Version version, uint40 activeFrom);

    /// @notice The activation must be announced `activationDelay` ahead: not before `earliest`.
    error ActiveTooSoon(uint40 activeFrom, uint256 earliest);

    /// @notice A version needs a checker with code, and voll >= extra.
    error InvalidSpec();

    /// @notice Seconds between publication and first use, at least; 0 on local networks only.
    function activationDelay() external view returns (uint40);

    /// @notice Publishes a version for ever.
    function publish(Spec calldata spec) external returns (Version version);

    /// @notice All of a version. Reverts with `UnknownVersion`.
    function specOf(Version version) external view returns (Spec memory);

    /// @notice Reverts with `UnknownVersion` or `NotActive` unless runs may name the version now.
    function requireActive(Version version) external view;
}
