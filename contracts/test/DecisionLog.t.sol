// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {Harness, Vm} from "./Harness.sol";

contract DecisionLogTest is Harness {
    DecisionLog private log;
    address private constant WRITER = address(0xA11CE);
    address private constant OPERATOR = address(0x09E4A704);
    address private constant STRANGER = address(0xBAD);
    bytes32 private constant SUBJECT = keccak256("subject");

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.roll(2 ** 40); // a block number of more than 32 bits is not cut
        log = new DecisionLog();
        register(WRITER);
    }

    function register(address writer) private {
        IDecisionLog.Configuration memory configuration = someConfiguration("first");
        vm.prank(writer);
        log.register(OPERATOR, NOTICE, configuration);
    }

    function someConfiguration(bytes32 configHash) private pure returns (IDecisionLog.Configuration memory) {
        return configurationOf(configHash, listOf(address(0x60)));
    }

    function record(uint40 seq, uint8 kind) private returns (bytes32) {
        vm.prank(WRITER);
        return log.record(seq, kind, SUBJECT, PROMPT, ROOT, bytes32(uint256(1)));
    }

    function announce(uint40 seq, bytes32 configHash) private {
        IDecisionLog.Configuration memory configuration = someConfiguration(configHash);
        vm.prank(OPERATOR);
        log.announce(WRITER, seq, configuration);
    }

    function assertState(bytes24 head, uint40 seq, uint16 epoch) private view {
        (bytes24 actualHead, uint40 actualSeq, uint16 actualEpoch, uint8 flags) = log.stateOf(WRITER);
        vm.assertEq(bytes32(actualHead), bytes32(head));
        vm.assertEq(actualSeq, seq);
        vm.assertEq(actualEpoch, epoch);
        vm.assertEq(flags, 1);
    }

    /// @dev The head of `WRITER` after `setUp`.
    function firstHead() private view returns (bytes24) {
        return bytes24(genesisOf(address(log), WRITER, OPERATOR, NOTICE, someConfiguration("first")));
    }

    // --- registration

    function test_registrationSaysEverythingAndStartsTheHead() public {
        vm.recordLogs();
        register(STRANGER);
        Vm.Log memory event_ = vm.getRecordedLogs()[0];
        IDecisionLog.Configuration memory configuration = someConfiguration("first");
        bytes32 genesis = genesisOf(address(log), STRANGER, OPERATOR, NOTICE, configuration);

        vm.assertEq(event_.topics[0], IDecisionLog.Registered.selector);
        vm.assertEq(event_.topics[1], bytes32(uint256(uint160(STRANGER))));
        vm.assertEq(event_.topics[2], bytes32(uint256(uint160(OPERATOR))));
        bytes memory expected = abi.encode(
            NOTICE,
            uint64(2 ** 40),
            genesis,
            configuration.configHash,
            configuration.governors,
            configuration.evidenceUri
        );
        vm.assertEq(keccak256(event_.data), keccak256(expected));

        (bytes24 actual, uint40 seq, uint16 epoch, uint8 flags) = log.stateOf(STRANGER);
        vm.assertEq(bytes32(actual), bytes32(bytes24(genesis)));
        vm.assertEq(uint256(seq) + epoch, 0);
        vm.assertEq(flags, 1);
        (address operator, uint32 notice) = log.operatorOf(STRANGER);
        vm.assertEq(operator, OPERATOR);
        vm.assertEq(notice, NOTICE);
    }

    /// @dev The string may be any bytes: what is not UTF-8 is bound as well.
    function testFuzz_theFirstHeadBindsTheRegistration(
        address operator,
        uint32 notice,
        bytes32 configHash,
        address[] memory governors,
        bytes memory evidenceUri
    ) public {
        vm.assume(operator != address(0) && notice >= log.MIN_NOTICE() && configHash != 0);
        IDecisionLog.Configuration memory configuration =
            IDecisionLog.Configuration(configHash, governors, string(evidenceUri));
        vm.prank(STRANGER);
        log.register(operator, notice, configuration);
        (bytes24 head,,,) = log.stateOf(STRANGER);
        bytes32 genesis = genesisOf(address(log), STRANGER, operator, notice, configuration);
        vm.assertEq(bytes32(head), bytes32(bytes24(genesis)));
    }

    function test_aWriterRegistersOnce() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogAlreadyRegistered.selector, WRITER));
        register(WRITER);
    }

    function test_registrationNeedsAnOperator() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogZeroOperator.selector));
        log.register(address(0), NOTICE, someConfiguration("first"));
    }

    function test_registrationNeedsAConfiguration() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogZeroHash.selector));
        log.register(OPERATOR, NOTICE, someConfiguration(0));
    }

    function test_theMinimumIsADayAndIsEnough() public {
        vm.assertEq(log.MIN_NOTICE(), 86_400);
        log.register(OPERATOR, 86_400, someConfiguration("first"));
    }

    function testFuzz_noticeHasAMinimum(uint32 notice) public {
        uint32 minimum = log.MIN_NOTICE();
        if (notice < minimum) {
            vm.expectRevert(
                abi.encodeWithSelector(IDecisionLog.DecisionLogNoticeTooShort.selector, notice, minimum)
            );
        }
        log.register(OPERATOR, notice, someConfiguration("first"));
    }

    // --- entries

    function testFuzz_headIsTheFormula(
        bytes24 head,
        uint16 epoch,
        uint40 seq,
        uint48 time,
        bytes32 subject,
        bytes32 prompt,
        bytes32 root,
        bytes32 action
    ) public {
        vm.assume(prompt != 0 && root != 0 && seq != type(uint40).max);
        vm.warp(time);
        storeState(head, seq, epoch);

        vm.recordLogs();
        vm.prank(WRITER);
        bytes32 returned = log.record(seq + 1, EntryKind.SKIP, subject, prompt, root, action);

        bytes24 expected = bytes24(
            keccak256(abi.encode(head, seq + 1, epoch, EntryKind.SKIP, time, subject, prompt, root, action))
        );
        vm.assertEq(returned, bytes32(expected));
        assertState(expected, seq + 1, epoch);
        vm.assertEq(bytes32(foldOf(head, vm.getRecordedLogs()[0])), bytes32(expected));
    }

    /// @dev The layout of the slot is a promise as well as its place.
    function storeState(bytes24 head, uint40 seq, uint16 epoch) private {
        uint256 word = uint256(bytes32(head)) | (uint256(seq) << 24) | (uint256(epoch) << 8) | 1;
        vm.store(address(log), slotOf(WRITER), bytes32(word));
    }

    function test_theEventSaysWhatWasRecorded() public {
        vm.recordLogs();
        record(1, EntryKind.VOTE);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics[0], IDecisionLog.Entry.selector);
        vm.assertEq(logs[0].topics[1], bytes32(uint256(uint160(WRITER))));
        vm.assertEq(logs[0].topics[2], SUBJECT);
        vm.assertEq(uint256(logs[0].topics[3]), EntryKind.VOTE);
        bytes memory expected =
            abi.encode(uint40(1), uint16(0), uint48(block.timestamp), PROMPT, ROOT, bytes32(uint256(1)));
        vm.assertEq(keccak256(logs[0].data), keccak256(expected));
    }

    function testFuzz_onlyTheNextNumberIsAccepted(uint40 seq) public {
        record(1, EntryKind.SKIP);
        if (seq != 2) {
            vm.expectRevert(
                abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, seq, uint40(2))
            );
        }
        record(seq, EntryKind.SKIP);
    }

    function test_theLastNumberIsTheLast() public {
        storeState(bytes24(ROOT), type(uint40).max, 0);
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        record(0, EntryKind.SKIP);
    }

    function testFuzz_onlyKnownKinds(uint8 kind) public {
        bool known = (kind >= 1 && kind <= 7) || (kind >= 32 && kind <= 37);
        if (!known) {
            vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogKindNotAllowed.selector, kind));
        }
        record(1, kind);
    }

    function test_everyKindOneByOne() public {
        for (uint256 kind = 0; kind < 256; ++kind) {
            bytes memory call_ =
                abi.encodeCall(log.record, (nextSeq(), uint8(kind), SUBJECT, PROMPT, ROOT, bytes32(0)));
            vm.prank(WRITER);
            (bool accepted,) = address(log).call(call_);
            vm.assertEq(accepted, (kind >= 1 && kind <= 7) || (kind >= 32 && kind <= 37));
        }
    }

    function nextSeq() private view returns (uint40) {
        (, uint40 seq,,) = log.stateOf(WRITER);
        return seq + 1;
    }

    function test_hashesAreNotZero() public {
        bytes memory error = abi.encodeWithSelector(IDecisionLog.DecisionLogZeroHash.selector);
        vm.expectRevert(error);
        vm.prank(WRITER);
        log.record(1, EntryKind.VOTE, SUBJECT, 0, ROOT, 0);
        vm.expectRevert(error);
        vm.prank(WRITER);
        log.record(1, EntryKind.VOTE, SUBJECT, PROMPT, 0, 0);
    }

    function testFuzz_nobodyWritesForAnother(address stranger) public {
        vm.assume(stranger != WRITER);
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogNotRegistered.selector, stranger));
        vm.prank(stranger);
        log.record(1, EntryKind.VOTE, SUBJECT, PROMPT, ROOT, 0);
        assertState(firstHead(), 0, 0);
    }

    function test_sameEntriesOfTwoWritersHaveDifferentHeads() public {
        register(STRANGER);
        bytes32 head = record(1, EntryKind.SKIP);
        vm.prank(STRANGER);
        bytes32 other = log.record(1, EntryKind.SKIP, SUBJECT, PROMPT, ROOT, bytes32(uint256(1)));
        vm.assertTrue(head != other, "the genesis separates writers");
    }

    // --- configuration

    function test_anAnnouncementIsAnEntry() public {
        vm.recordLogs();
        announce(1, "second");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        IDecisionLog.Configuration memory configuration = someConfiguration("second");
        bytes32 subject = keccak256(abi.encode(configuration));
        uint48 activeAt = uint48(block.timestamp) + NOTICE;

        vm.assertEq(logs[0].topics[0], IDecisionLog.ConfigurationAnnounced.selector);
        bytes memory expected = abi.encode(
            uint16(1), activeAt, configuration.configHash, configuration.governors, configuration.evidenceUri
        );
        vm.assertEq(keccak256(logs[0].data), keccak256(expected));

        vm.assertEq(logs[1].topics[2], subject);
        vm.assertEq(uint256(logs[1].topics[3]), EntryKind.CONFIG_ANNOUNCED);
        bytes memory entry = abi.encode(
            uint40(1),
            uint16(0),
            uint48(block.timestamp),
            configuration.configHash,
            subject,
            bytes32(uint256(activeAt))
        );
        vm.assertEq(keccak256(logs[1].data), keccak256(entry));
        assertState(foldOf(firstHead(), logs[1]), 1, 0);

        (bytes32 pendingSubject, bytes32 configHash, uint48 pendingActiveAt) = log.pendingOf(WRITER);
        vm.assertEq(pendingSubject, subject);
        vm.assertEq(configHash, "second");
        vm.assertEq(pendingActiveAt, activeAt);
    }

    function testFuzz_onlyTheOperatorAnnounces(address caller) public {
        vm.assume(caller != OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogNotOperator.selector, WRITER, caller));
        vm.prank(caller);
        log.announce(WRITER, 1, someConfiguration("second"));
    }

    function test_anAnnouncedConfigurationHasAHash() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogZeroHash.selector));
        announce(1, 0);
    }

    function testFuzz_noticeIsRespected(uint32 wait) public {
        announce(1, "second");
        uint48 activeAt = uint48(block.timestamp) + NOTICE;
        vm.warp(block.timestamp + wait);
        if (wait < NOTICE) {
            vm.expectRevert(
                abi.encodeWithSelector(IDecisionLog.DecisionLogNoticeNotOver.selector, WRITER, activeAt)
            );
        }
        vm.prank(STRANGER);
        log.activate(WRITER, 2);
    }

    function test_anActivationIsTheLastEntryOfItsEpoch() public {
        announce(1, "second");
        (bytes24 head,,,) = log.stateOf(WRITER);
        (bytes32 subject,, uint48 activeAt) = log.pendingOf(WRITER);
        vm.warp(activeAt);

        vm.recordLogs();
        log.activate(WRITER, 2);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs[0].topics[2], subject);
        vm.assertEq(uint256(logs[0].topics[3]), EntryKind.CONFIG_ACTIVATED);
        bytes memory entry = abi.encode(
            uint40(2), uint16(0), uint48(activeAt), bytes32("second"), subject, bytes32(uint256(activeAt))
        );
        vm.assertEq(keccak256(logs[0].data), keccak256(entry));
        vm.assertEq(logs[1].topics[0], IDecisionLog.ConfigurationActivated.selector);
        vm.assertEq(keccak256(logs[1].data), keccak256(abi.encode(uint16(1), bytes32("second"))));
        assertState(foldOf(head, logs[0]), 2, 1);

        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogNothingAnnounced.selector, WRITER));
        log.activate(WRITER, 3);
    }

    function test_everyActivationStartsTheNextEpoch() public {
        for (uint16 epoch = 0; epoch < 4; ++epoch) {
            announce(2 * epoch + 1, "another");
            (bytes24 head,,,) = log.stateOf(WRITER);
            vm.warp(block.timestamp + NOTICE);
            vm.recordLogs();
            log.activate(WRITER, 2 * epoch + 2);
            assertState(foldOf(head, vm.getRecordedLogs()[0]), 2 * epoch + 2, epoch + 1);
        }
    }

    function test_nothingIsActivatedForAStranger() public {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogNotRegistered.selector, STRANGER));
        log.activate(STRANGER, 1);
    }

    function test_aNewAnnouncementReplacesTheOldOneAndItsNotice() public {
        announce(1, "second");
        vm.warp(block.timestamp + NOTICE);
        announce(2, "third");
        uint48 activeAt = uint48(block.timestamp) + NOTICE;
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionLog.DecisionLogNoticeNotOver.selector, WRITER, activeAt)
        );
        log.activate(WRITER, 3);
        vm.warp(activeAt);
        vm.recordLogs();
        log.activate(WRITER, 3);
        vm.assertEq(
            keccak256(vm.getRecordedLogs()[1].data), keccak256(abi.encode(uint16(1), bytes32("third")))
        );
    }

    function test_administrationKeepsToTheSequence() public {
        bytes memory error =
            abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, uint40(2), uint40(1));
        vm.expectRevert(error);
        announce(2, "second");
        announce(1, "second");
        vm.warp(block.timestamp + NOTICE);
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, uint40(1), uint40(2))
        );
        log.activate(WRITER, 1);
    }

    function test_anUnknownWriterIsEmpty() public view {
        (bytes24 head, uint40 seq, uint16 epoch, uint8 flags) = log.stateOf(STRANGER);
        vm.assertEq(bytes32(head), 0);
        vm.assertEq(uint256(seq) + epoch + flags, 0);
    }
}
