// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {IFlexToken} from "./interfaces/IFlexToken.sol";

/// @notice See IFlexToken.
contract FlexToken is IFlexToken, ERC20, ERC20Permit, AccessManaged {
    constructor(
        address authority
    ) ERC20("Oli Move FLEX", "FLEX") ERC20Permit("Oli Move FLEX") AccessManaged(authority) {}

    /// @inheritdoc IFlexToken
    function mint(address to, uint256 wh) external restricted {
        _mint(to, wh);
    }

    /// @inheritdoc IFlexToken
    function burn(address from, uint256 wh) external restricted {
        _burn(from, wh);
    }

    /// @notice 3: one base unit is 1 Wh.
    function decimals() public pure override returns (uint8) {
        return 3;
    }
}
