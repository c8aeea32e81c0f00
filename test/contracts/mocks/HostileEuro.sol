// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @notice A token that may take a fee, block a receiver, or call back in the middle of a transfer.
contract HostileEuro is ERC20("Hostile Euro", "hEUR") {
    uint256 public fee;
    address public blocked;
    address public target;
    bytes public callData;
    bool public calledBack;
    bytes public answer;

    error Blocked(address to);

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function setFee(uint256 fee_) external {
        fee = fee_;
    }

    function setBlocked(address blocked_) external {
        blocked = blocked_;
    }

    function setCallback(address target_, bytes calldata callData_) external {
        (target, callData) = (target_, callData_);
    }

    function _update(address from, address to, uint256 value) internal override {
        require(to != blocked || to == address(0), Blocked(to));
        super._update(from, to, value);
        if (fee != 0 && from != address(0)) super._update(to, address(0), fee);
        if (target != address(0)) {
            (calledBack, answer) = target.call(callData);
        }
    }
}
