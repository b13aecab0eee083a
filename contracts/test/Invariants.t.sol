// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {VoteGateFactory} from "../src/VoteGateFactory.sol";
import {SimpleGovernor} from "./Governors.sol";
import {Harness, Vm} from "./Harness.sol";

/// @dev Lets arbitrary people do arbitrary things to one log, two plain writers and a gate, and keeps its own books
/// from the events alone. For each act it says beforehand whether it must succeed, and checks that.
contract Handler is Harness {
    struct Book {
        bytes24 head;
        uint40 seq;
        uint16 epoch;
        uint256 votes;
        uint256 entriesOfVotes;
    }

    DecisionLog public immutable log;
    VoteGate public immutable gate;
    SimpleGovernor[3] public governors;
    address[6] private people; // signer, next signer, operator, guardian, two plain writers
    address private constant OPERATOR = address(0x09E4A704);
    address private constant GUARDIAN = address(0x60A4D1A4);

    mapping(address writer => Book) public books;
    uint256 private proposals;

    constructor() {
        vm.warp(1_800_000_000);
        people = [address(0x516E4), address(0x516E42), OPERATOR, GUARDIAN, address(0xA11CE), address(0xB0B)];
        log = new DecisionLog();
        governors = [new SimpleGovernor(), new SimpleGovernor(), new SimpleGovernor()];
        IDecisionLog.Configuration memory configuration =
            configurationOf("first", listOf(address(governors[0])));
        VoteGateFactory factory = new VoteGateFactory(log);
        gate = VoteGate(factory.create(OPERATOR, GUARDIAN, people[0], DELAY, NOTICE, configuration));
        books[address(gate)].head =
            bytes24(genesisOf(address(log), address(gate), OPERATOR, NOTICE, configuration));
        for (uint256 i = 4; i < 6; ++i) {
            vm.prank(people[i]);
            log.register(OPERATOR, NOTICE, configuration);
            books[people[i]].head =
                bytes24(genesisOf(address(log), people[i], OPERATOR, NOTICE, configuration));
        }
    }

    // --- acts

    function wait(uint8 time) external {
        vm.warp(block.timestamp + (uint256(time) % 10) * 1 days);
    }

    function record(uint8 who, uint8 kind, uint8 slip, bytes32 subject, bytes32 hash) external {
        address person = usually(people[4 + who % 2], who);
        kind %= 40;
        bool allowed = (kind >= 1 && kind <= 7) || (kind >= 32 && kind <= 37);
        bool expected = (person == people[4] || person == people[5]) && isNext(slip) && allowed && hash != 0;
        bytes memory data =
            abi.encodeCall(log.record, (seqOf(person, slip), kind, subject, hash, hash, subject));
        act(person, address(log), data, expected);
    }

    function vote(uint8 who, uint8 which, uint8 slip, uint8 support) external {
        address person = usually(gate.signer(), who);
        address governor = address(governors[which % 3]);
        bool expected =
            person == gate.signer() && !gate.votesPaused() && gate.governorAllowed(governor) && isNext(slip);
        bytes memory data = abi.encodeCall(
            gate.vote, (seqOf(address(gate), slip), governor, ++proposals, support, PROMPT, ROOT, "")
        );
        act(person, address(gate), data, expected);
    }

    function note(uint8 who, uint8 kind, uint8 slip) external {
        address person = usually(gate.signer(), who);
        kind %= 20;
        bool expected = person == gate.signer() && kind >= 2 && kind <= 7 && isNext(slip);
        bytes memory data = abi.encodeCall(
            gate.note, (seqOf(address(gate), slip), kind, bytes32(++proposals), PROMPT, ROOT, bytes32(0))
        );
        act(person, address(gate), data, expected);
    }

    function pause(uint8 who, bool paused) external {
        address person = usually(GUARDIAN, who);
        bool expected = person == GUARDIAN && gate.votesPaused() != paused;
        bytes memory data =
            paused ? abi.encodeCall(gate.pauseVotes, ()) : abi.encodeCall(gate.unpauseVotes, ());
        act(person, address(gate), data, expected);
    }

    function announceSigner(uint8 who, uint8 next) external {
        bytes memory data = abi.encodeCall(gate.announceSigner, (people[next % 2]));
        address person = usually(OPERATOR, who);
        act(person, address(gate), data, person == OPERATOR);
    }

    function activateSigner(uint8 who) external {
        (, uint48 activeAt) = gate.pendingSigner();
        act(people[who % 6], address(gate), abi.encodeCall(gate.activateSigner, ()), isOver(activeAt));
    }

    function announceGovernor(uint8 who, uint8 which, bool allowed) external {
        bytes memory data = abi.encodeCall(gate.announceGovernor, (address(governors[which % 3]), allowed));
        address person = usually(OPERATOR, who);
        act(person, address(gate), data, person == OPERATOR);
    }

    function activateGovernor(uint8 who, uint8 which) external {
        address governor = address(governors[which % 3]);
        (, uint48 activeAt) = gate.pendingGovernor(governor);
        bytes memory data = abi.encodeCall(gate.activateGovernor, (governor));
        act(people[who % 6], address(gate), data, isOver(activeAt));
    }

    function announce(uint8 who, uint8 which, uint8 slip, bytes32 configHash) external {
        address writer = writerOf(which);
        bytes memory data = abi.encodeCall(
            log.announce,
            (writer, seqOf(writer, slip), configurationOf(configHash, listOf(address(governors[0]))))
        );
        address person = usually(OPERATOR, who);
        act(person, address(log), data, person == OPERATOR && isNext(slip) && configHash != 0);
    }

    function activate(uint8 who, uint8 which, uint8 slip) external {
        address writer = writerOf(which);
        (,, uint48 activeAt) = log.pendingOf(writer);
        bytes memory data = abi.encodeCall(log.activate, (writer, seqOf(writer, slip)));
        act(people[who % 6], address(log), data, isOver(activeAt) && isNext(slip));
    }

    // --- books

    /// @dev Whatever happens is read back from the events, and nothing else.
    function act(address person, address target, bytes memory data, bool expected) private {
        vm.recordLogs();
        vm.prank(person);
        (bool succeeded,) = target.call(data);
        vm.assertEq(succeeded, expected);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            enter(logs, i);
        }
    }

    function enter(Vm.Log[] memory logs, uint256 i) private {
        address writer = address(uint160(uint256(logs[i].topics[1])));
        Book storage book = books[writer];
        if (isEntry(logs[i])) {
            book.head = foldOf(book.head, logs[i]);
            (uint40 seq, uint16 epoch,) = abi.decode(logs[i].data, (uint40, uint16, uint48));
            vm.assertEq(seq, ++book.seq);
            vm.assertEq(epoch, book.epoch);
            if (uint256(logs[i].topics[3]) == EntryKind.VOTE && writer == address(gate)) {
                ++book.entriesOfVotes;
            }
        } else if (logs[i].topics[0] == IDecisionLog.ConfigurationActivated.selector) {
            ++book.epoch;
        } else if (logs[i].topics[0] == SimpleGovernor.VoteCast.selector) {
            ++book.votes;
            assertSameAsEntry(logs[i], logs[i - 1]);
        }
    }

    function assertSameAsEntry(Vm.Log memory cast, Vm.Log memory entry) private view {
        (uint256 proposalId, uint8 support,,) = abi.decode(cast.data, (uint256, uint8, uint256, string));
        (,,,,, bytes32 action) = abi.decode(entry.data, (uint40, uint16, uint48, bytes32, bytes32, bytes32));
        vm.assertEq(uint256(entry.topics[3]), EntryKind.VOTE);
        vm.assertEq(entry.topics[1], cast.topics[1]);
        vm.assertEq(entry.topics[2], subjectOf(cast.emitter, proposalId));
        vm.assertEq(action, bytes32(uint256(support)));
    }

    function writerOf(uint8 which) public view returns (address) {
        return which % 3 == 0 ? address(gate) : people[3 + which % 3];
    }

    /// @dev Mostly the person whose turn it is, now and then anybody.
    function usually(address right, uint8 who) private view returns (address) {
        return who < 192 ? right : people[who % 6];
    }

    function isOver(uint48 activeAt) private view returns (bool) {
        return activeAt != 0 && block.timestamp >= activeAt;
    }

    /// @dev Now and then the caller is mistaken about the number.
    function isNext(uint8 slip) private pure returns (bool) {
        return slip < 224;
    }

    function seqOf(address writer, uint8 slip) private view returns (uint40) {
        uint40 next = books[writer].seq + 1;
        return isNext(slip) ? next : (slip % 2 == 0 ? next - 1 : next + 1);
    }
}

contract InvariantsTest is Harness {
    Handler private handler;

    function setUp() public {
        handler = new Handler();
    }

    function targetContracts() external view returns (address[] memory) {
        return listOf(address(handler));
    }

    function invariant_headIsTheFoldAndTheSequenceHasNoGap() public view {
        for (uint8 i = 0; i < 3; ++i) {
            address writer = handler.writerOf(i);
            (bytes24 head, uint40 seq, uint16 epoch,,) = handler.books(writer);
            (bytes24 actualHead, uint40 actualSeq, uint16 actualEpoch, uint8 flags) =
                handler.log().stateOf(writer);
            vm.assertEq(bytes32(actualHead), bytes32(head));
            vm.assertEq(actualSeq, seq);
            vm.assertEq(actualEpoch, epoch);
            vm.assertEq(flags, 1);
        }
    }

    function invariant_everyVoteHasItsEntry() public view {
        (,,, uint256 votes, uint256 entries) = handler.books(address(handler.gate()));
        vm.assertEq(votes, entries);
    }

    /// @dev Tried out after every act; what an invariant does itself is not kept.
    function invariant_aPauseStopsEveryVoteAndNeverANote() public {
        VoteGate gate = handler.gate();
        for (uint256 i = 0; i < 3; ++i) {
            address governor = address(handler.governors(i));
            bytes memory vote =
                abi.encodeCall(gate.vote, (nextOf(gate), governor, type(uint256).max, 1, PROMPT, ROOT, ""));
            vm.assertEq(bySigner(gate, vote), gate.governorAllowed(governor) && !gate.votesPaused());
        }
        bytes memory note = abi.encodeCall(
            gate.note, (nextOf(gate), EntryKind.HOLD, bytes32(uint256(1)), PROMPT, ROOT, bytes32(0))
        );
        vm.assertEq(bySigner(gate, note), true);
    }

    function nextOf(VoteGate gate) private view returns (uint40) {
        (, uint40 seq,,) = gate.log().stateOf(address(gate));
        return seq + 1;
    }

    function bySigner(VoteGate gate, bytes memory data) private returns (bool succeeded) {
        vm.prank(gate.signer());
        (succeeded,) = address(gate).call(data);
    }
}
