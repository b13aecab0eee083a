// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {Governor43Block, TimelockController, ERC20Votes} from "../Governor43.sol";

// Beanstalk, April 2022: votes count what one had, and beside them is a path for emergencies that counts what one has.

abstract contract WithEmergency is Governor43Block {
    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    ) Governor43Block(token, timelock, delay, period, threshold, quorumFraction) {}

    /// @dev At once, for who has two thirds of all tokens by `powerOf`.
    function emergencyCommit(uint32) external {
        require(
            powerOf(msg.sender) * 3 > token.getPastTotalSupply(block.number - 1) * 2, "WithEmergency: too few"
        );
        (bool ok,) = msg.sender.call("");
        require(ok, "WithEmergency: it reverts");
    }

    function powerOf(address account) public view virtual returns (uint256);
}

contract LiveEmergencyGovernor is WithEmergency {
    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    ) WithEmergency(token, timelock, delay, period, threshold, quorumFraction) {}

    function powerOf(address account) public view override returns (uint256) {
        return token.balanceOf(account);
    }
}

contract SteadyEmergencyGovernor is WithEmergency {
    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    ) WithEmergency(token, timelock, delay, period, threshold, quorumFraction) {}

    function powerOf(address account) public view override returns (uint256) {
        return token.getPastVotes(account, block.number - 1);
    }
}
