// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {VoteGateFactory} from "../src/VoteGateFactory.sol";
import {Harness, Vm} from "./Harness.sol";
import {Governor4Timestamp} from "./governors/Governor4.sol";
import {Governor5Block} from "./governors/Governor5.sol";
import {Timelock4} from "./governors/Timelock4.sol";
import {Timelock5} from "./governors/Timelock5.sol";
import {VotesTokenBlock, VotesTokenTimestamp} from "./governors/VotesToken.sol";
import {IGovernor} from "@openzeppelin/contracts/governance/IGovernor.sol";
import {IVotes as IVotes4} from "@openzeppelin/contracts-v4/governance/utils/IVotes.sol";

/// @dev What all governors of OpenZeppelin share.
interface IProposals {
    function propose(address[] memory, uint256[] memory, bytes[] memory, string memory)
        external
        returns (uint256);
    function proposalVotes(uint256) external view returns (uint256, uint256, uint256);
    function hasVoted(uint256, address) external view returns (bool);
}

/// @dev A gate with delegated power in governors that we did not write.
contract OpenZeppelinTest is Harness {
    address private constant OPERATOR = address(0x09E4A704);
    address private constant GUARDIAN = address(0x60A4D1A4);
    uint256 private constant SIGNER_KEY = 0x516E4;
    uint256 private constant POWER = 1_000e18;

    DecisionLog private log;
    VoteGateFactory private factory;
    VotesTokenBlock private token;
    Governor5Block private governor;
    VoteGate private gate;
    address private signer;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.roll(1_000);
        signer = vm.addr(SIGNER_KEY);
        log = new DecisionLog();
        factory = new VoteGateFactory(log);
        token = new VotesTokenBlock(address(this), POWER);
        Timelock5 timelock = new Timelock5(1 days, new address[](0), new address[](0), address(this));
        governor = new Governor5Block(token, timelock, 1, 100, 0, 4);
        gate = createGate(address(governor));
        token.delegate(address(gate));
        vm.roll(1_001);
    }

    function createGate(address governor_) private returns (VoteGate) {
        return VoteGate(
            factory.create(
                OPERATOR, GUARDIAN, signer, DELAY, NOTICE, configurationOf("first", listOf(governor_))
            )
        );
    }

    function openProposal(address governor_) private returns (uint256 proposalId) {
        proposalId =
            IProposals(governor_).propose(listOf(address(this)), new uint256[](1), new bytes[](1), "Nothing");
        vm.roll(block.number + 10);
        vm.warp(block.timestamp + 10);
    }

    function voteIn(address governor_, uint256 proposalId, uint8 support) private returns (uint256) {
        vm.prank(signer);
        return gate.vote(1, governor_, proposalId, support, PROMPT, ROOT, "because");
    }

    function testFuzz_aVoteCountsWithItsWholePower(uint8 support) public {
        support %= 3;
        uint256 proposalId = openProposal(address(governor));
        vm.recordLogs();
        vm.assertEq(voteIn(address(governor), proposalId, support), POWER);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[0].topics[2], subjectOf(address(governor), proposalId));
        vm.assertEq(uint256(logs[0].topics[3]), EntryKind.VOTE);
        vm.assertEq(logs[1].topics[0], IGovernor.VoteCast.selector);
        (uint256 against, uint256 inFavour, uint256 abstain) = governor.proposalVotes(proposalId);
        vm.assertEq([against, inFavour, abstain][support], POWER);
        vm.assertEq(against + inFavour + abstain, POWER);
    }

    function test_aVoteInTheOlderGovernor() public {
        VotesTokenTimestamp other = new VotesTokenTimestamp(address(this), POWER);
        Timelock4 timelock = new Timelock4(1 days, new address[](0), new address[](0), address(this));
        Governor4Timestamp older = new Governor4Timestamp(IVotes4(address(other)), timelock, 1, 100, 0, 4);
        gate = createGate(address(older));
        other.delegate(address(gate));
        vm.warp(block.timestamp + 1);
        uint256 proposalId = openProposal(address(older));
        vm.assertEq(voteIn(address(older), proposalId, 0), POWER);
        vm.assertEq(IProposals(address(older)).hasVoted(proposalId, address(gate)), true);
    }

    function testFuzz_anUnknownSupportLeavesNoEntry(uint8 support) public {
        vm.assume(support > 2);
        uint256 proposalId = openProposal(address(governor));
        vm.expectRevert(abi.encodeWithSelector(IGovernor.GovernorInvalidVoteType.selector));
        voteIn(address(governor), proposalId, support);
        (, uint40 seq,,) = log.stateOf(address(gate));
        vm.assertEq(seq, 0);
    }

    /// @dev A governor asks a contract voter by ERC-1271 whether a signature is good. A gate never answers.
    function testFuzz_noVoteBySignature(bytes calldata signature) public {
        refuseSignature(openProposal(address(governor)), signature);
    }

    function test_noVoteByTheSignersSignature() public {
        uint256 proposalId = openProposal(address(governor));
        bytes32 ballot = keccak256("Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)");
        bytes32 message = keccak256(abi.encode(ballot, proposalId, uint8(1), address(gate), uint256(0)));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", domainOf(address(governor)), message));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(SIGNER_KEY, digest);
        refuseSignature(proposalId, abi.encodePacked(r, s, v));
    }

    function domainOf(address governor_) private view returns (bytes32) {
        bytes32 domain =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 name = keccak256("Governor5Block");
        return keccak256(abi.encode(domain, name, keccak256("1"), block.chainid, governor_));
    }

    function refuseSignature(uint256 proposalId, bytes memory signature) private {
        bytes memory error =
            abi.encodeWithSelector(IGovernor.GovernorInvalidSignature.selector, address(gate));
        vm.expectRevert(error);
        governor.castVoteBySig(proposalId, 1, address(gate), signature);
        vm.assertEq(governor.hasVoted(proposalId, address(gate)), false);
    }
}
