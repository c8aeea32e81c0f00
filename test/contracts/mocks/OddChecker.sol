// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @notice A checker that never ends as a checker should: every way must leave a run unjudged.
contract OddChecker {
    uint256 public immutable way;

    error Broken(uint8 rule, uint256 where);
    error Other(uint256 rule, uint256 where);

    constructor(uint256 way_) {
        way = way_;
    }

    function check(
        bytes calldata,
        bytes calldata,
        bytes calldata,
        bytes calldata
    ) external view returns (int128, int128) {
        if (way == 0) {
            assembly ("memory-safe") {
                invalid() // takes all gas, as running out of it does
            }
        }
        if (way == 1) revert("a sentence");
        if (way == 2) assert(false);
        if (way == 3) revert Other(1, 2);
        if (way == 4) {
            bytes memory cut = abi.encodeWithSelector(Broken.selector, 1);
            assembly ("memory-safe") {
                revert(add(cut, 32), mload(cut))
            }
        }
        assembly ("memory-safe") {
            revert(0, 0)
        }
    }
}
