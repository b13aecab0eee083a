// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDecisionLog} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";

/// @dev Counts every ballot as one, once.
contract SimpleGovernor {
    mapping(uint256 proposalId => mapping(address voter => bool)) public hasVoted;
    uint256 public weight = 1;

    event VoteCast(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason);

    error AlreadyVoted();

    function setWeight(uint256 newWeight) external {
        weight = newWeight;
    }

    function castVoteWithReason(uint256 proposalId, uint8 support, string calldata reason)
        external
        virtual
        returns (uint256)
    {
        require(!hasVoted[proposalId][msg.sender], AlreadyVoted());
        hasVoted[proposalId][msg.sender] = true;
        emit VoteCast(msg.sender, proposalId, support, weight, reason);
        return weight;
    }
}

/// @dev Accepts the call and says nothing, like a governor without return value or an account without code.
contract SilentGovernor {
    fallback() external {}
}

/// @dev Calls back with whatever it was told, in the middle of a vote, and remembers whether that went through.
contract HostileGovernor is SimpleGovernor {
    address public target;
    bytes public attack;
    bool public succeeded;
    uint40 public seqSeen;

    function prepare(address target_, bytes calldata attack_) external {
        target = target_;
        attack = attack_;
    }

    function castVoteWithReason(uint256, uint8, string calldata) external override returns (uint256) {
        IDecisionLog log = VoteGate(msg.sender).log();
        (, seqSeen,,) = log.stateOf(msg.sender);
        (succeeded,) = target.call(attack);
        return 1;
    }
}
