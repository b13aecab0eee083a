// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.0;

import {Governor, IGovernor} from "@openzeppelin/contracts-v4.3/governance/Governor.sol";
import {TimelockController} from "@openzeppelin/contracts-v4.3/governance/TimelockController.sol";
import {
    GovernorCountingSimple
} from "@openzeppelin/contracts-v4.3/governance/extensions/GovernorCountingSimple.sol";
import {
    GovernorProposalThreshold
} from "@openzeppelin/contracts-v4.3/governance/extensions/GovernorProposalThreshold.sol";
import {
    GovernorTimelockControl
} from "@openzeppelin/contracts-v4.3/governance/extensions/GovernorTimelockControl.sol";
import {GovernorVotes} from "@openzeppelin/contracts-v4.3/governance/extensions/GovernorVotes.sol";
import {
    GovernorVotesQuorumFraction
} from "@openzeppelin/contracts-v4.3/governance/extensions/GovernorVotesQuorumFraction.sol";
import {ERC20Votes} from "@openzeppelin/contracts-v4.3/token/ERC20/extensions/ERC20Votes.sol";

/// @dev The oldest governor that Pnyx follows, as ENS has it: no clock(), and active already in the block of its
/// snapshot, when nobody's voting power is known yet.
contract Governor43Block is
    GovernorCountingSimple,
    GovernorProposalThreshold,
    GovernorVotes,
    GovernorVotesQuorumFraction,
    GovernorTimelockControl
{
    uint256 private immutable _delay;
    uint256 private immutable _period;
    uint256 private immutable _threshold;

    constructor(
        ERC20Votes token,
        TimelockController timelock,
        uint256 delay,
        uint256 period,
        uint256 threshold,
        uint256 quorumFraction
    )
        Governor("Governor43Block")
        GovernorVotes(token)
        GovernorVotesQuorumFraction(quorumFraction)
        GovernorTimelockControl(timelock)
    {
        _delay = delay;
        _period = period;
        _threshold = threshold;
    }

    function votingDelay() public view virtual override returns (uint256) {
        return _delay;
    }

    function votingPeriod() public view virtual override returns (uint256) {
        return _period;
    }

    function proposalThreshold() public view override returns (uint256) {
        return _threshold;
    }

    function quorum(uint256 blockNumber)
        public
        view
        virtual
        override(IGovernor, GovernorVotesQuorumFraction)
        returns (uint256)
    {
        return super.quorum(blockNumber);
    }

    function getVotes(address account, uint256 blockNumber)
        public
        view
        virtual
        override(IGovernor, GovernorVotes)
        returns (uint256)
    {
        return super.getVotes(account, blockNumber);
    }

    function state(uint256 proposalId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (ProposalState)
    {
        return super.state(proposalId);
    }

    function propose(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        string memory description
    ) public override(Governor, GovernorProposalThreshold, IGovernor) returns (uint256) {
        return super.propose(targets, values, calldatas, description);
    }

    function supportsInterface(bytes4 interfaceId)
        public
        view
        override(Governor, GovernorTimelockControl)
        returns (bool)
    {
        return super.supportsInterface(interfaceId);
    }

    function _execute(
        uint256 proposalId,
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) {
        super._execute(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(
        address[] memory targets,
        uint256[] memory values,
        bytes[] memory calldatas,
        bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockControl) returns (uint256) {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }

    function _executor() internal view override(Governor, GovernorTimelockControl) returns (address) {
        return super._executor();
    }
}
