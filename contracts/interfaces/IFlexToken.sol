// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title FLEX: flexibility that was delivered. 1 FLEX = 1 kWh of load moved, 3 decimals, 1 base unit = 1 Wh.
/// @notice Promises: only Settlement mints (what drivers earned and claim) and burns (what they redeem). FLEX has no peg: what
/// a CPO pays for it is that CPO's posted, changeable offer.
interface IFlexToken is IERC20 {
    /// @notice Creates `wh` base units for `to`. Settlement only.
    function mint(address to, uint256 wh) external;

    /// @notice Destroys `wh` base units of `from`, who asked Settlement for it. Settlement only.
    function burn(address from, uint256 wh) external;
}
