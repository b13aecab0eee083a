// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {Governor43Block, TimelockController, ERC20Votes} from "../Governor43.sol";

// Audius, July 2022: a governor whose initialiser anybody may call again. MakerDAO, October 2020: votes with what one
// holds right now, borrowed for one transaction.

contract ReinitialisedGovernor is Governor43Block {
    uint256 private _delayNow;
    uint256 private _periodNow;
    uint256 private _quorumNow;
    address public registry;
    address public guardian;

    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    ) Governor43Block(token, timelock, delay, period, threshold, quorumFraction) {
        (_delayNow, _periodNow, _quorumNow) = (delay, period, quorumFraction);
    }

    /// @dev As if nobody had ever called it.
    function initialize(
        address registry_,
        uint256 period,
        uint256 delay,
        uint256 quorumPercent,
        uint16 maxInProgress,
        address guardian_
    ) external {
        require(maxInProgress > 0, "ReinitialisedGovernor: no proposals in progress");
        (registry, guardian) = (registry_, guardian_);
        (_delayNow, _periodNow, _quorumNow) = (delay, period, quorumPercent);
    }

    function votingDelay() public view override returns (uint256) {
        return _delayNow;
    }

    function votingPeriod() public view override returns (uint256) {
        return _periodNow;
    }

    function quorum(uint256) public view override returns (uint256) {
        return token.totalSupply() * _quorumNow / 100;
    }
}

contract LiveGovernor is Governor43Block {
    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    ) Governor43Block(token, timelock, delay, period, threshold, quorumFraction) {}

    /// @dev What the account holds in this moment, whatever block is asked for.
    function getVotes(address account, uint256) public view override returns (uint256) {
        return token.balanceOf(account);
    }
}

contract FlashLender {
    ERC20Votes public immutable token;

    constructor(ERC20Votes token_) {
        token = token_;
    }

    function lend(uint256 amount, FlashVoter borrower) external {
        uint256 before = token.balanceOf(address(this));
        token.transfer(address(borrower), amount);
        borrower.onLoan(amount);
        require(token.balanceOf(address(this)) >= before, "FlashLender: not paid back");
    }
}

/// @dev Borrows, votes and pays back in one transaction.
contract FlashVoter {
    FlashLender private immutable _lender;
    Governor43Block private immutable _governor;
    uint256 private immutable _proposal;

    constructor(FlashLender lender, Governor43Block governor, uint256 proposal) {
        (_lender, _governor, _proposal) = (lender, governor, proposal);
    }

    function run(uint256 amount) external {
        _lender.lend(amount, this);
    }

    function onLoan(uint256 amount) external {
        _governor.castVote(_proposal, 1);
        _lender.token().transfer(msg.sender, amount);
    }
}

/// @dev Prices, for those who were let in.
contract Whitelist {
    address public immutable owner;
    mapping(address => uint256) public bud;

    constructor(address owner_) {
        owner = owner_;
    }

    function kiss(address reader) external {
        require(msg.sender == owner, "Whitelist: not the owner");
        bud[reader] = 1;
    }
}
