// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IScheduleChecker} from "./interfaces/IScheduleChecker.sol";
import {IAlgorithmRegistry, Spec, Version} from "./interfaces/IAlgorithmRegistry.sol";

/// @notice See IAlgorithmRegistry.
contract AlgorithmRegistry is IAlgorithmRegistry, AccessManaged {
    /* CONSTANTS */

    /// @dev Contracts have at most 24,576 bytes (EIP-170), one of which is the STOP before the data.
    uint256 private constant MAX_CHUNK = 24_575;

    /* IMMUTABLES */

    /// @inheritdoc IAlgorithmRegistry
    uint40 public immutable activationDelay;

    /* STORAGE */

    mapping(Version version => Spec) private _spec;
    mapping(bytes32 code => address[]) private _chunks;
    mapping(bytes32 code => bool) private _sealed;

    /* CONSTRUCTOR */

    constructor(address authority, uint40 activationDelay_) AccessManaged(authority) {
        activationDelay = activationDelay_;
    }

    /* CODE */

    /// @inheritdoc IAlgorithmRegistry
    function storeCode(bytes32 code, bytes calldata chunk) external restricted returns (address pointer) {
        require(chunk.length != 0 && chunk.length <= MAX_CHUNK, InvalidChunk(chunk.length));
        require(!_sealed[code], CodeSealed(code));

        // 61 size | 80 DUP1 | 60 0a | 3d 0 | 39 CODECOPY | 3d 0 | f3 RETURN: 10 bytes that return all bytes after them, the
        // first of which is STOP, so that nobody can run the data.
        bytes memory creation = abi.encodePacked(hex"61", uint16(chunk.length + 1), hex"80600a3d393df300", chunk);
        assembly ("memory-safe") {
            pointer := create(0, add(creation, 32), mload(creation))
        }
        require(pointer != address(0), InvalidChunk(chunk.length));
        emit CodeStored(code, _chunks[code].length, pointer);
        _chunks[code].push(pointer);
    }

    /// @inheritdoc IAlgorithmRegistry
    function codeOf(bytes32 code) external view returns (bytes memory compressed) {
        address[] storage chunks = _chunks[code];
        for (uint256 i = 0; i < chunks.length; ++i) {
            address pointer = chunks[i];
            bytes memory chunk = new bytes(pointer.code.length - 1);
            assembly ("memory-safe") {
                extcodecopy(pointer, add(chunk, 32), 1, mload(chunk))
            }
            compressed = bytes.concat(compressed, chunk);
        }
    }

    /* PUBLICATION */

    /// @inheritdoc IAlgorithmRegistry
    function publish(Spec calldata spec) external restricted returns (Version version) {
        version = Version.wrap(keccak256(abi.encode(spec)));
        uint256 earliest = block.timestamp + activationDelay;
        require(!_exists(version), AlreadyPublished(version));
        require(address(spec.checker).code.length != 0 && spec.voll >= spec.extra, InvalidSpec());
        require(spec.code == 0 || _chunks[spec.code].length != 0, CodeMissing(spec.code));
        // Without a delay (local networks) the past is allowed, so that a version can be the same on every such chain.
        require(activationDelay == 0 || spec.activeFrom >= earliest, ActiveTooSoon(spec.activeFrom, earliest));

        _spec[version] = spec;
        if (spec.code != 0) _sealed[spec.code] = true;
        emit Published(version, spec);
    }

    /* STORAGE VIEW */

    /// @inheritdoc IAlgorithmRegistry
    function specOf(Version version) external view returns (Spec memory) {
        require(_exists(version), UnknownVersion(version));
        return _spec[version];
    }

    /// @inheritdoc IAlgorithmRegistry
    function requireActive(Version version) external view {
        Spec storage spec = _spec[version];
        (IScheduleChecker checker, uint40 activeFrom) = (spec.checker, spec.activeFrom);
        require(address(checker) != address(0), UnknownVersion(version));
        require(block.timestamp >= activeFrom, NotActive(version, activeFrom));
    }

    function _exists(Version version) private view returns (bool) {
        return address(_spec[version].checker) != address(0);
    }
}
