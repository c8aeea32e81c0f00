// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Line} from "../interfaces/ISettlement.sol";

/// @notice Leaves and root of a batch's Merkle tree, as ISettlement describes them.
library BillTree {
    /// @dev 3 words before the line, and the line's 8.
    uint256 private constant LEAF = 352;
    uint256 private constant LINE = 256;

    /// @notice Leaf of a line. Hashed twice, so that no inner node of a tree can pass as a leaf (OpenZeppelin's
    /// StandardMerkleTree).
    function leafOf(bytes32 domain, uint32 cpo, uint32 seq, Line calldata line) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(domain, cpo, seq, line))));
    }

    /// @notice `leafOf` at a third of its price: the line's words are copied as they are. Right only for a line whose every
    /// field has been read, which is when the compiler refuses dirty bits.
    function leafOfRead(
        bytes32 domain,
        uint32 cpo,
        uint32 seq,
        Line calldata line
    ) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, domain)
            mstore(add(free, 32), cpo)
            mstore(add(free, 64), seq)
            calldatacopy(add(free, 96), line, LINE)
            mstore(0, keccak256(free, LEAF))
            leaf := keccak256(0, 32)
        }
    }

    /// @notice Root over at least one leaf. Overwrites `nodes` level by level from the left; the last of an odd level moves
    /// up as it is.
    function rootOf(bytes32[] memory nodes) internal pure returns (bytes32 root) {
        assembly ("memory-safe") {
            let first := add(nodes, 32)
            let count := mload(nodes)
            for {} gt(count, 1) {} {
                let to := first
                let last := add(first, mul(32, sub(count, 1)))
                let from := first
                for {} lt(from, last) {
                    from := add(from, 64)
                } {
                    let left := mload(from)
                    let right := mload(add(from, 32))
                    // Sorted pairs: the smaller one goes to word 0.
                    let swapped := mul(32, gt(left, right))
                    mstore(swapped, left)
                    mstore(sub(32, swapped), right)
                    mstore(to, keccak256(0, 64))
                    to := add(to, 32)
                }
                if eq(from, last) {
                    mstore(to, mload(last))
                    to := add(to, 32)
                }
                count := shr(5, sub(to, first))
            }
            root := mload(first)
        }
    }
}
