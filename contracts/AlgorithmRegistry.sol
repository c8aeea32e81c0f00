// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAlgorithmRegistry, Spec, Version} from "./interfaces/IAlgorithmRegistry.sol";

/// @notice See IAlgorithmRegistry.
contract AlgorithmRegistry is IAlgorithmRegistry, AccessManaged {
    /* IMMUTABLES */

    /// @inheritdoc IAlgorithmRegistry
    uint40 public immutable activationDelay;

    /* STORAGE */

    mapping(Version version => Spec) private _spec;

    /* CONSTRUCTOR */

    constructor(address authority, uint40 activationDelay_) AccessManaged(authority) {
        activationDelay = activationDelay_;
    }

    /* PUBLICATION */

    /// @inheritdoc IAlgorithmRegistry
    function publish(Spec calldata spec) external restricted returns (Version version) {
        version = Version.wrap(keccak256(abi.encode(spec)));
        uint256 earliest = block.timestamp + activationDelay;
        require(!_exists(version), AlreadyPublished(version));
        require(address(spec.checker).code.length != 0 && spec.voll >= spec.extra, InvalidSpec());
        // Without a delay (local networks) the past is allowed, so that a version can be the same on every such chain.
        require(activationDelay == 0 || spec.activeFrom >= earliest, ActiveTooSoon(spec.activeFrom, earliest));

        _spec[version] = spec;
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
        require(_exists(version), UnknownVersion(version));
        uint40 activeFrom = _spec[version].activeFrom;
        require(block.timestamp >= activeFrom, NotActive(version, activeFrom));
    }

    function _exists(Version version) private view returns (bool) {
        return address(_spec[version].checker) != address(0);
    }
}
