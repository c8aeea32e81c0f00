// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title Play money with 6 decimals for local and test networks.
/// @notice Promises: it cannot be deployed on a network with real money.
interface ITestEuro is IERC20 {
    /// @notice This chain is not on the list of local and test networks.
    error NotATestNetwork(uint256 chainId);

    /// @notice Creates `amount` micro-euro for `to`.
    function mint(address to, uint256 amount) external;
}
