// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScheduleChecker} from "./IScheduleChecker.sol";

/// @notice keccak256(abi.encode(spec)) of a published specification.
type Version is bytes32;

/// @notice What a version of a scheduling method is. Runs refer to it; auditors hold a run's header against it.
/// @param method Its name, such as "least-cost/1" in ASCII.
/// @param sourceHash Hash of the method's source code.
/// @param code keccak256 of the text whose compressed chunks are stored here (`codeOf`), 0 when none is.
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
    bytes32 code;
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
/// rule (checker) is on chain. The search for a schedule runs elsewhere: the hash of its source code is here, and of the exact
/// method also the text itself, which anyone can fetch from the chain alone and run again.
///
/// Code: UTF-8 text, compressed by Brotli (RFC 7932), cut into chunks of up to 24,575 bytes, each the code of an address of its
/// own behind a STOP byte. The contract cannot decompress: the reader checks keccak256 of the text against `code`. Chunks
/// cannot be added any more once a version names them.
interface IAlgorithmRegistry {
    /// @notice A version exists; `spec` is all of it.
    event Published(Version indexed version, Spec spec);

    /// @notice A chunk of compressed code was stored at the address `pointer`.
    event CodeStored(bytes32 indexed code, uint256 indexed index, address pointer);

    /// @notice A chunk has 1 to 24,575 bytes, and the caller gives the gas to store them.
    error InvalidChunk(uint256 length);

    /// @notice A version names this code: it is complete.
    error CodeSealed(bytes32 code);

    /// @notice No chunk of the code that the version names is stored.
    error CodeMissing(bytes32 code);

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

    /// @notice Stores the next chunk of the compressed text whose hash is `code`.
    function storeCode(bytes32 code, bytes calldata chunk) external returns (address pointer);

    /// @notice All chunks of a code, joined; empty when none is stored.
    function codeOf(bytes32 code) external view returns (bytes memory compressed);

    /// @notice Publishes a version for ever.
    function publish(Spec calldata spec) external returns (Version version);

    /// @notice All of a version. Reverts with `UnknownVersion`.
    function specOf(Version version) external view returns (Spec memory);

    /// @notice Reverts with `UnknownVersion` or `NotActive` unless runs may name the version now.
    function requireActive(Version version) external view;
}
