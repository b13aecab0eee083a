// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AtomicAccount} from "../src/AtomicAccount.sol";
import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {IVoteGate} from "../src/IVoteGate.sol";
import {HostileGovernor, SilentGovernor, SimpleGovernor} from "./Governors.sol";
import {Harness, Vm} from "./Harness.sol";

/// @dev The account of a key runs the code of {AtomicAccount}. Here the code is put there; tests on a node delegate to it
/// by a transaction of EIP-7702.
contract AtomicAccountTest is Harness {
    address private constant OPERATOR = address(0x09E4A704);
    address private constant STRANGER = address(0xBAD);
    uint256 private constant PROPOSAL = 77;

    DecisionLog private log;
    SimpleGovernor private governor;
    AtomicAccount private implementation;
    AtomicAccount private account;

    function setUp() public {
        vm.warp(1_800_000_000);
        log = new DecisionLog();
        governor = new SimpleGovernor();
        implementation = new AtomicAccount(log);
        account = AtomicAccount(payable(vm.addr(0xA11CE)));
        vm.prank(address(account));
        log.register(OPERATOR, NOTICE, configurationOf("first", listOf(address(governor))));
        vm.etch(address(account), address(implementation).code);
    }

    function voteAs(address caller, address governor_) private returns (uint256) {
        vm.prank(caller);
        return account.vote(1, governor_, PROPOSAL, 1, PROMPT, ROOT, "because");
    }

    function voteRefused(address governor_, bytes memory error) private {
        vm.expectRevert(error);
        voteAs(address(account), governor_);
        (, uint40 seq,,) = log.stateOf(address(account));
        vm.assertEq(seq, 0);
    }

    function test_itIsTheSameCallAsThatOfAGate() public view {
        vm.assertEq(bytes32(account.vote.selector), bytes32(IVoteGate.vote.selector));
    }

    function test_anAccountNeedsALog() public {
        vm.expectRevert(abi.encodeWithSelector(AtomicAccount.AtomicAccountNoLog.selector, STRANGER));
        new AtomicAccount(IDecisionLog(STRANGER));
    }

    function testFuzz_theEntryComesBeforeTheVoteAndSaysTheSame(
        uint256 proposalId,
        uint8 support,
        uint96 weight,
        bytes32 prompt,
        bytes32 root,
        string memory reason
    ) public {
        vm.assume(weight != 0 && prompt != 0 && root != 0);
        governor.setWeight(weight);
        vm.recordLogs();
        vm.prank(address(account));
        uint256 counted = account.vote(1, address(governor), proposalId, support, prompt, root, reason);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(counted, weight);
        vm.assertEq(logs.length, 2);

        vm.assertEq(logs[0].emitter, address(log));
        vm.assertEq(logs[0].topics[1], wordOf(address(account)));
        vm.assertEq(logs[0].topics[2], subjectOf(address(governor), proposalId));
        vm.assertEq(uint256(logs[0].topics[3]), EntryKind.VOTE);
        bytes memory entry = abi.encode(
            uint40(1), uint16(0), uint48(block.timestamp), prompt, root, bytes32(uint256(support))
        );
        vm.assertEq(keccak256(logs[0].data), keccak256(entry));

        vm.assertEq(logs[1].emitter, address(governor));
        vm.assertEq(logs[1].topics[1], wordOf(address(account)));
        bytes memory vote = abi.encode(proposalId, support, uint256(weight), reason);
        vm.assertEq(keccak256(logs[1].data), keccak256(vote));
    }

    function testFuzz_onlyTheAccountItselfVotes(address caller) public {
        vm.assume(caller != address(account));
        vm.expectRevert(abi.encodeWithSelector(AtomicAccount.AtomicAccountNotSelf.selector, caller));
        voteAs(caller, address(governor));
    }

    /// @dev The code at its own address is nobody's account.
    function testFuzz_theCodeItselfNeverVotes(address caller) public {
        vm.assume(caller != address(implementation));
        vm.expectRevert(abi.encodeWithSelector(AtomicAccount.AtomicAccountNotSelf.selector, caller));
        vm.prank(caller);
        implementation.vote(1, address(governor), PROPOSAL, 1, PROMPT, ROOT, "");
    }

    function test_noEntryWhenTheGovernorRefuses() public {
        vm.prank(address(account));
        governor.castVoteWithReason(PROPOSAL, 0, "");
        voteRefused(address(governor), abi.encodeWithSelector(SimpleGovernor.AlreadyVoted.selector));
    }

    function test_noVoteWhenTheLogRefuses() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, uint40(2), uint40(1))
        );
        vm.prank(address(account));
        account.vote(2, address(governor), PROPOSAL, 1, PROMPT, ROOT, "");
        vm.assertEq(governor.hasVoted(PROPOSAL, address(account)), false);
    }

    function test_aVoteWithoutWeightKeepsTheBallot() public {
        governor.setWeight(0);
        voteRefused(
            address(governor),
            abi.encodeWithSelector(AtomicAccount.AtomicAccountNoWeight.selector, address(governor), PROPOSAL)
        );
        vm.assertEq(governor.hasVoted(PROPOSAL, address(account)), false);
    }

    function test_aSilentGovernorIsRefused() public {
        voteRefused(address(new SilentGovernor()), "");
        voteRefused(STRANGER, "");
    }

    /// @dev Neither the account nor the log passes for a governor, so nothing calls the account in its own name.
    function test_itIsNoGovernorItself() public {
        voteRefused(address(account), "");
        voteRefused(address(log), "");
    }

    function test_aGovernorThatCallsBackIsRefused() public {
        HostileGovernor hostile = new HostileGovernor();
        bytes memory attack =
            abi.encodeCall(account.vote, (2, address(governor), PROPOSAL, 0, PROMPT, ROOT, ""));
        hostile.prepare(address(account), attack);
        voteAs(address(account), address(hostile));
        vm.assertEq(hostile.succeeded(), false);
        vm.assertEq(hostile.seqSeen(), 1); // the entry was there before the governor was called
        vm.assertEq(governor.hasVoted(PROPOSAL, address(account)), false);
    }

    function testFuzz_itTakesEther(uint96 amount) public {
        vm.deal(address(this), amount);
        (bool accepted,) = address(account).call{value: amount}("");
        vm.assertEq(accepted, true);
        vm.assertEq(address(account).balance, amount);
    }

    function testFuzz_thereIsNoOtherWayIn(bytes calldata data, bool itself) public {
        vm.assume(data.length > 0);
        vm.assume(
            data.length < 4
                || (bytes4(data[:4]) != account.vote.selector && bytes4(data[:4]) != account.log.selector)
        );
        vm.prank(itself ? address(account) : STRANGER);
        (bool accepted,) = address(account).call(data);
        vm.assertEq(accepted, false);
    }

    function test_aVoteTakesNoEther() public {
        vm.deal(address(account), 1);
        vm.prank(address(account));
        (bool accepted,) = address(account).call{value: 1}(
            abi.encodeCall(account.vote, (1, address(governor), PROPOSAL, 1, PROMPT, ROOT, ""))
        );
        vm.assertEq(accepted, false);
    }
}
