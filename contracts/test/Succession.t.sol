// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {VoteGateFactory} from "../src/VoteGateFactory.sol";
import {SimpleGovernor} from "./Governors.sol";
import {Harness, Vm} from "./Harness.sol";

contract SuccessionTest is Harness {
    address private constant OLD = address(0xA11CE);
    address private constant NEW = address(0xB0B);
    address private constant OPERATOR = address(0x09E4A704);
    address private constant STRANGER = address(0xBAD);
    bytes32 private constant SUCCESSION = keccak256("pnyx.DecisionLog.succession.v1");

    DecisionLog private log;

    function setUp() public {
        vm.warp(1_800_000_000);
        log = new DecisionLog();
        register(OLD, OPERATOR);
        register(NEW, OPERATOR);
    }

    function register(address writer, address operator) private {
        IDecisionLog.Configuration memory configuration = configurationOf("first", listOf(address(0x60)));
        vm.prank(writer);
        log.register(operator, NOTICE, configuration);
    }

    function record(address writer, uint40 seq) private {
        vm.prank(writer);
        log.record(seq, EntryKind.SKIP, "subject", PROMPT, ROOT, 0);
    }

    function announce(address writer, uint40 seq) private {
        vm.prank(OPERATOR);
        log.announce(writer, seq, configurationOf("second", new address[](0)));
    }

    function succeed(address oldWriter, uint40 seq, address newWriter) private {
        vm.prank(OPERATOR);
        log.succeed(oldWriter, seq, newWriter);
    }

    function refuseSuccession(address oldWriter, uint40 seq, address newWriter, bytes memory error) private {
        vm.expectRevert(error);
        succeed(oldWriter, seq, newWriter);
    }

    function headOf(address writer) private view returns (bytes24 head) {
        (head,,,) = log.stateOf(writer);
    }

    function flagsOf(address writer) private view returns (uint8 flags) {
        (,,, flags) = log.stateOf(writer);
    }

    function closed(address writer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDecisionLog.DecisionLogClosed.selector, writer);
    }

    function notOperator(address writer, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IDecisionLog.DecisionLogNotOperator.selector, writer, caller);
    }

    // --- what it writes

    function testFuzz_bothChainsNameEachOther(uint8 before) public {
        before %= 4;
        for (uint40 seq = 1; seq <= before; ++seq) {
            record(OLD, seq);
        }
        (bytes24 oldHead, bytes24 newHead) = (headOf(OLD), headOf(NEW));

        vm.recordLogs();
        succeed(OLD, before + 1, NEW);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 2);

        bytes24 last = foldOf(oldHead, logs[0]);
        bytes32 subject = keccak256(abi.encode(OLD, NEW));
        assertEntry(logs[0], OLD, EntryKind.SUCCEEDED, subject, before + 1, subject, wordOf(NEW));
        assertEntry(logs[1], NEW, EntryKind.SUCCEEDS, subject, 1, bytes32(last), wordOf(OLD));
        assertState(OLD, last, before + 1, 3);
        assertState(NEW, foldOf(newHead, logs[1]), 1, 1);
    }

    function assertEntry(
        Vm.Log memory entry,
        address writer,
        uint8 kind,
        bytes32 subject,
        uint40 seq,
        bytes32 root,
        bytes32 action
    ) private view {
        vm.assertEq(entry.topics[0], IDecisionLog.Entry.selector);
        vm.assertEq(entry.topics[1], wordOf(writer));
        vm.assertEq(entry.topics[2], subject);
        vm.assertEq(uint256(entry.topics[3]), kind);
        bytes memory data = abi.encode(seq, uint16(0), uint48(block.timestamp), SUCCESSION, root, action);
        vm.assertEq(keccak256(entry.data), keccak256(data));
    }

    function assertState(address writer, bytes24 head, uint40 seq, uint8 flags) private view {
        uint256 word = uint256(bytes32(head)) | (uint256(seq) << 24) | flags;
        vm.assertEq(vm.load(address(log), slotOf(writer)), bytes32(word));
        (bytes24 actualHead, uint40 actualSeq, uint16 epoch, uint8 actualFlags) = log.stateOf(writer);
        vm.assertEq(bytes32(actualHead), bytes32(head));
        vm.assertEq(actualSeq, seq);
        vm.assertEq(epoch, 0);
        vm.assertEq(actualFlags, flags);
    }

    /// @dev The epoch of the old chain stays what it was; its flag does not spill into it.
    function test_aLaterEpochIsKept() public {
        announce(OLD, 1);
        vm.warp(block.timestamp + NOTICE);
        log.activate(OLD, 2);
        succeed(OLD, 3, NEW);
        (, uint40 seq, uint16 epoch, uint8 flags) = log.stateOf(OLD);
        vm.assertEq(seq, 3);
        vm.assertEq(epoch, 1);
        vm.assertEq(flags, 3);
    }

    function test_theNewWriterGoesOn() public {
        succeed(OLD, 1, NEW);
        record(NEW, 2);
        announce(NEW, 3);
        vm.warp(block.timestamp + NOTICE);
        log.activate(NEW, 4);
        vm.assertEq(flagsOf(NEW), 1);
    }

    function test_aSuccessorCanBeSucceeded() public {
        address third = address(0xC);
        register(third, OPERATOR);
        succeed(OLD, 1, NEW);
        succeed(NEW, 2, third);
        vm.assertEq(flagsOf(NEW), 3);
        vm.assertEq(flagsOf(third), 1);
    }

    // --- who may

    function testFuzz_onlyTheOperator(address caller) public {
        vm.assume(caller != OPERATOR);
        vm.expectRevert(notOperator(OLD, caller));
        vm.prank(caller);
        log.succeed(OLD, 1, NEW);
    }

    function testFuzz_onlyTheOperatorOfBoth(address other) public {
        vm.assume(other != OPERATOR && other != address(0));
        address foreign = address(0xF0);
        register(foreign, other);
        refuseSuccession(OLD, 1, foreign, notOperator(foreign, OPERATOR));
        refuseSuccession(foreign, 1, OLD, notOperator(foreign, OPERATOR));
        vm.expectRevert(notOperator(OLD, other));
        vm.prank(other);
        log.succeed(OLD, 1, foreign);
    }

    function test_bothAreRegistered() public {
        refuseSuccession(OLD, 1, STRANGER, notOperator(STRANGER, OPERATOR));
        refuseSuccession(STRANGER, 1, NEW, notOperator(STRANGER, OPERATOR));
        vm.expectRevert(notOperator(STRANGER, OLD));
        vm.prank(OLD);
        log.succeed(STRANGER, 1, STRANGER);
    }

    function test_theSuccessorIsNew() public {
        record(NEW, 1);
        bytes memory error =
            abi.encodeWithSelector(IDecisionLog.DecisionLogSuccessorNotNew.selector, NEW, uint40(1));
        refuseSuccession(OLD, 1, NEW, error);
        vm.assertEq(flagsOf(OLD), 1);
    }

    function test_nobodySucceedsItself() public {
        bytes memory error =
            abi.encodeWithSelector(IDecisionLog.DecisionLogSuccessorNotNew.selector, OLD, uint40(1));
        refuseSuccession(OLD, 1, OLD, error);
        vm.assertEq(flagsOf(OLD), 1);
    }

    function testFuzz_onlyTheNextNumberIsAccepted(uint40 seq) public {
        vm.assume(seq != 2);
        record(OLD, 1);
        bytes memory error =
            abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, seq, uint40(2));
        refuseSuccession(OLD, seq, NEW, error);
    }

    // --- closed is closed

    function test_aClosedWriterWritesNothing() public {
        announce(OLD, 1);
        succeed(OLD, 2, NEW);
        bytes24 head = headOf(OLD);
        vm.warp(block.timestamp + NOTICE);
        register(STRANGER, OPERATOR);

        vm.expectRevert(closed(OLD));
        record(OLD, 3);
        vm.expectRevert(closed(OLD));
        announce(OLD, 3);
        vm.expectRevert(closed(OLD));
        log.activate(OLD, 3);
        refuseSuccession(OLD, 3, STRANGER, closed(OLD));
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogAlreadyRegistered.selector, OLD));
        register(OLD, OPERATOR);
        vm.assertEq(bytes32(headOf(OLD)), bytes32(head));
    }

    /// @dev The first answer is the one that matters: not that the notice is not over, or that nothing waits.
    function test_aClosedWriterSaysSoFirst() public {
        announce(OLD, 1);
        succeed(OLD, 2, NEW);
        vm.expectRevert(closed(OLD));
        log.activate(OLD, 3);
    }

    function test_aClosedWriterSucceedsNobody() public {
        succeed(OLD, 1, NEW);
        bytes memory error =
            abi.encodeWithSelector(IDecisionLog.DecisionLogSuccessorNotNew.selector, OLD, uint40(1));
        refuseSuccession(NEW, 2, OLD, error);
    }

    function test_aClosedGateNeverVotesNorNotes() public {
        SimpleGovernor governor = new SimpleGovernor();
        VoteGateFactory factory = new VoteGateFactory(log);
        VoteGate gate = VoteGate(
            factory.create(
                OPERATOR,
                address(0x60A4D1A4),
                address(this),
                DELAY,
                NOTICE,
                configurationOf("first", listOf(address(governor)))
            )
        );
        succeed(address(gate), 1, NEW);
        vm.expectRevert(closed(address(gate)));
        gate.vote(2, address(governor), 77, 1, PROMPT, ROOT, "");
        vm.expectRevert(closed(address(gate)));
        gate.note(2, EntryKind.SKIP, "subject", PROMPT, ROOT, 0);
        vm.assertEq(governor.hasVoted(77, address(gate)), false);
    }
}
