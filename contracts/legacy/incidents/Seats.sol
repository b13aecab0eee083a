// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

// Swerve, March 2023: the pools' owner is an agent that does what votes say. Yam, July 2022: a contract proposes and
// votes, and what it asks for is the seat that decides about the reserves.

contract Pool {
    address public owner;
    address public future_owner;

    constructor(address owner_) {
        owner = owner_;
    }

    function transferOwnership(address owner_) external {
        require(msg.sender == owner, "Pool: not the owner");
        owner = owner_;
    }

    function commit_transfer_ownership(address owner_) external {
        require(msg.sender == owner, "Pool: not the owner");
        future_owner = owner_;
    }

    /// @dev A name that nobody would look for.
    function tidyUp(address owner_) external {
        require(msg.sender == owner, "Pool: not the owner");
        owner = owner_;
    }
}

contract Agent {
    address public immutable voting;

    constructor(address voting_) {
        voting = voting_;
    }

    function execute(address target, uint256 value, bytes calldata data) external returns (bytes memory) {
        require(msg.sender == voting, "Agent: not the vote");
        (bool success, bytes memory answer) = target.call{value: value}(data);
        require(success, "Agent: the call failed");
        return answer;
    }
}

contract Reserves {
    address public gov;
    address public pendingGov;

    event NewPendingGov(address oldPendingGov, address newPendingGov);

    constructor(address gov_) {
        gov = gov_;
    }

    function _setPendingGov(address pendingGov_) external {
        require(msg.sender == gov, "Reserves: not the governor");
        emit NewPendingGov(pendingGov, pendingGov_);
        pendingGov = pendingGov_;
    }

    function _acceptGov() external {
        require(msg.sender == pendingGov, "Reserves: not the pending governor");
        (gov, pendingGov) = (pendingGov, address(0));
    }
}

interface IProposable {
    function propose(address[] memory, uint256[] memory, bytes[] memory, string memory)
        external
        returns (uint256);
    function castVote(uint256 proposal, uint8 support) external returns (uint256);
}

/// @dev Whoever looks for the proposer finds a contract.
contract ProposingContract {
    IProposable private immutable _governor;

    constructor(IProposable governor) {
        _governor = governor;
    }

    function propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) external returns (uint256) {
        return _governor.propose(targets, values, calldatas, description);
    }

    function vote(uint256 proposal) external {
        _governor.castVote(proposal, 1);
    }
}
