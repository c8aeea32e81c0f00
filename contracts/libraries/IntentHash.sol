// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ClaimIntent, DisputeIntent, RedeemIntent, RequestIntent, WithdrawIntent} from "../interfaces/ISettlement.sol";

/// @notice EIP-712 struct hashes of everything that Settlement lets people sign.
library IntentHash {
    bytes32 private constant REDEEM = keccak256(
        "RedeemIntent(address driver,uint32 cpo,uint64 wh,uint64 minPayout,uint48 nonce,uint40 deadline)"
    );
    bytes32 private constant REQUEST = keccak256(
        "RequestIntent(address owner,uint112 amount,uint48 nonce,uint40 deadline)"
    );
    bytes32 private constant WITHDRAW = keccak256(
        "WithdrawIntent(address owner,address to,uint112 amount,uint48 nonce,uint40 deadline)"
    );
    bytes32 private constant CLAIM = keccak256("ClaimIntent(address owner,address to,uint48 nonce,uint40 deadline)");
    bytes32 private constant DISPUTE = keccak256(
        "DisputeIntent(address driver,uint32 cpo,uint32 number,uint48 nonce,uint40 deadline)"
    );

    function structHash(RedeemIntent calldata intent) internal pure returns (bytes32) {
        return keccak256(abi.encode(REDEEM, intent));
    }

    function structHash(RequestIntent calldata intent) internal pure returns (bytes32) {
        return keccak256(abi.encode(REQUEST, intent));
    }

    function structHash(WithdrawIntent calldata intent) internal pure returns (bytes32) {
        return keccak256(abi.encode(WITHDRAW, intent));
    }

    function structHash(ClaimIntent calldata intent) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLAIM, intent));
    }

    function structHash(DisputeIntent calldata intent) internal pure returns (bytes32) {
        return keccak256(abi.encode(DISPUTE, intent));
    }
}
