// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Account} from "../interfaces/ISettlement.sol";

/// @notice An account as the one word that it is in storage, read and written once; the compiler would write a packed struct
/// field by field. Layout, from the lowest bit: available 112 | flex 64 | flexDebt 32 | nonce 40 | isDriver 8.
library AccountWord {
    /// @notice The account's word.
    function read(Account storage account) internal view returns (uint256 word) {
        assembly ("memory-safe") {
            word := sload(account.slot)
        }
    }

    /// @notice Replaces available `money` and flexibility; nonce and isDriver stay as they are in `word`.
    function write(Account storage account, uint256 word, uint112 money, uint64 flex, uint32 flexDebt) internal {
        assembly ("memory-safe") {
            let kept := shl(208, shr(208, word))
            sstore(account.slot, or(or(kept, money), or(shl(112, flex), shl(176, flexDebt))))
        }
    }

    /// @notice Micro-euro.
    function available(uint256 word) internal pure returns (uint112) {
        return uint112(word);
    }

    /// @notice Whether the word belongs to a registered driver.
    function isDriver(uint256 word) internal pure returns (bool) {
        return word >> 248 != 0;
    }

    /// @notice Flexibility and debt after `wh` were earned: the debt is paid first.
    function earn(uint256 word, uint32 wh) internal pure returns (uint64 flex, uint32 flexDebt) {
        flex = uint64(word >> 112);
        flexDebt = uint32(word >> 176);
        if (flexDebt == 0) return (flex + wh, 0);
        uint32 repaid = wh < flexDebt ? wh : flexDebt;
        return (flex + wh - repaid, flexDebt - repaid);
    }

    /// @notice Flexibility and debt after `wh` were taken back: what was claimed already becomes debt.
    function forfeit(uint256 word, uint32 wh) internal pure returns (uint64 flex, uint32 flexDebt) {
        flex = uint64(word >> 112);
        flexDebt = uint32(word >> 176);
        if (wh <= flex) return (flex - wh, flexDebt);
        return (0, flexDebt + (wh - uint32(flex)));
    }
}
