// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ITestEuro} from "./interfaces/ITestEuro.sol";

/// @notice See ITestEuro.
contract TestEuro is ITestEuro, ERC20, ERC20Permit, AccessManaged {
    constructor(address authority) ERC20("Test Euro", "tEUR") ERC20Permit("Test Euro") AccessManaged(authority) {
        require(_isTestNetwork(block.chainid), NotATestNetwork(block.chainid));
    }

    /// @inheritdoc ITestEuro
    function mint(address to, uint256 amount) external restricted {
        _mint(to, amount);
    }

    /// @notice 6: one base unit is 1 micro-euro.
    function decimals() public pure override returns (uint8) {
        return 6;
    }

    function _isTestNetwork(uint256 id) private pure returns (bool) {
        return
            id == 31_337 || // Hardhat, anvil
            id == 1_337 || // other local chains
            id == 11_155_111 || // Sepolia
            id == 560_048 || // Hoodi
            id == 84_532 || // Base Sepolia
            id == 421_614 || // Arbitrum Sepolia
            id == 11_155_420 || // OP Sepolia
            id == 80_002 || // Polygon Amoy
            id == 73_799; // Energy Web Volta
    }
}
