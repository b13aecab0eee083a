// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AtomicAccount} from "../src/AtomicAccount.sol";
import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {VoteGateFactory} from "../src/VoteGateFactory.sol";
import {SimpleGovernor} from "./Governors.sol";
import {Harness, Vm} from "./Harness.sol";

/// @dev Lets arbitrary people do arbitrary things to one log: a gate, an atomic account, plain keys, and keys that join
/// later and may become successors. It keeps its own books from the events alone. For each act it says beforehand whether
/// it must succeed, and checks that.
contract Handler is Harness {
    struct Book {
        bytes24 head;
        uint40 seq;
        uint16 epoch;
        uint256 votes;
        uint256 entriesOfVotes;
        address operator;
        address predecessor;
        address successor;
        bytes32 inherited; // of a successor: the head of the predecessor that its first entry names
        uint48 announcedAt;
    }

    uint256 private constant MOST_WRITERS = 12;

    DecisionLog public immutable log;
    VoteGate public immutable gate;
    AtomicAccount public immutable account;
    SimpleGovernor[3] public governors;
    address private constant OPERATOR = address(0x09E4A704);
    address private constant OTHER_OPERATOR = address(0x09E4A705);
    address private constant GUARDIAN = address(0x60A4D1A4);
    address private constant STRANGER = address(0xBAD);
    address[2] private signers = [address(0x516E4), address(0x516E42)];

    address[] private writers;
    address[] private people;
    mapping(address writer => Book) private books;
    uint256 private proposals;

    constructor() {
        vm.warp(1_800_000_000);
        log = new DecisionLog();
        governors = [new SimpleGovernor(), new SimpleGovernor(), new SimpleGovernor()];
        people = [signers[0], signers[1], OPERATOR, OTHER_OPERATOR, GUARDIAN, STRANGER];

        VoteGateFactory factory = new VoteGateFactory(log);
        gate = VoteGate(factory.create(OPERATOR, GUARDIAN, signers[0], DELAY, NOTICE, firstConfiguration()));
        keepBook(address(gate), OPERATOR);

        account = AtomicAccount(payable(address(0xA70)));
        vm.etch(address(account), address(new AtomicAccount(log)).code);
        join(address(account), OPERATOR);
        join(address(0xA11CE), OPERATOR);
        join(address(0xB0B), OTHER_OPERATOR);
    }

    function firstConfiguration() private view returns (IDecisionLog.Configuration memory) {
        return configurationOf("first", listOf(address(governors[0])));
    }

    function join(address writer, address operator) private {
        vm.prank(writer);
        log.register(operator, NOTICE, firstConfiguration());
        keepBook(writer, operator);
        people.push(writer);
    }

    function keepBook(address writer, address operator) private {
        writers.push(writer);
        books[writer].operator = operator;
        books[writer].head = bytes24(genesisOf(address(log), writer, operator, NOTICE, firstConfiguration()));
    }

    function bookOf(address writer) external view returns (Book memory) {
        return books[writer];
    }

    function everyWriter() external view returns (address[] memory) {
        return writers;
    }

    // --- acts

    function wait(uint8 time) external {
        vm.warp(block.timestamp + (uint256(time) % 10) * 1 days);
    }

    function register(uint8 whose) external {
        if (writers.length == MOST_WRITERS) return;
        join(address(uint160(0xF000 + writers.length)), whose < 192 ? OPERATOR : OTHER_OPERATOR);
    }

    function record(uint8 which, uint8 who, uint8 kind, uint8 slip, bytes32 subject, bytes32 hash) external {
        address person = usually(writers[1 + which % (writers.length - 1)], who);
        kind %= 40;
        bool allowed = (kind >= 1 && kind <= 7) || (kind >= 32 && kind <= 37);
        bool expected = isOpen(person) && isNext(slip) && allowed && hash != 0;
        bytes memory data =
            abi.encodeCall(log.record, (seqOf(person, slip), kind, subject, hash, hash, subject));
        act(person, address(log), data, expected);
    }

    function vote(uint8 who, uint8 which, uint8 slip, uint8 support) external {
        address person = usually(gate.signer(), who);
        address governor = address(governors[which % 3]);
        bool expected = person == gate.signer() && !gate.votesPaused() && gate.governorAllowed(governor)
            && isOpen(address(gate)) && isNext(slip);
        bytes memory data = abi.encodeCall(
            gate.vote, (seqOf(address(gate), slip), governor, ++proposals, support, PROMPT, ROOT, "")
        );
        act(person, address(gate), data, expected);
    }

    function voteAtomically(uint8 who, uint8 which, uint8 slip, uint8 support, bool weightless) external {
        address person = usually(address(account), who);
        SimpleGovernor governor = governors[which % 3];
        bool expected = person == address(account) && isOpen(address(account)) && isNext(slip) && !weightless;
        bytes memory data = abi.encodeCall(
            account.vote,
            (seqOf(address(account), slip), address(governor), ++proposals, support, PROMPT, ROOT, "")
        );
        governor.setWeight(weightless ? 0 : 1);
        act(person, address(account), data, expected);
        governor.setWeight(1);
    }

    function note(uint8 who, uint8 kind, uint8 slip) external {
        address person = usually(gate.signer(), who);
        kind %= 20;
        bool expected =
            person == gate.signer() && kind >= 2 && kind <= 7 && isOpen(address(gate)) && isNext(slip);
        bytes memory data = abi.encodeCall(
            gate.note, (seqOf(address(gate), slip), kind, bytes32(++proposals), PROMPT, ROOT, bytes32(0))
        );
        act(person, address(gate), data, expected);
    }

    function pause(uint8 who, bool paused) external {
        address person = usually(GUARDIAN, who);
        bool expected = person == GUARDIAN && gate.votesPaused() != paused && isOpen(address(gate));
        bytes memory data =
            paused ? abi.encodeCall(gate.pauseVotes, ()) : abi.encodeCall(gate.unpauseVotes, ());
        act(person, address(gate), data, expected);
    }

    function announceSigner(uint8 who, uint8 next) external {
        bytes memory data = abi.encodeCall(gate.announceSigner, (signers[next % 2]));
        address person = usually(OPERATOR, who);
        act(person, address(gate), data, person == OPERATOR && isOpen(address(gate)));
    }

    function activateSigner(uint8 who) external {
        (, uint48 activeAt) = gate.pendingSigner();
        bytes memory data = abi.encodeCall(gate.activateSigner, ());
        act(anybody(who), address(gate), data, isOver(activeAt) && isOpen(address(gate)));
    }

    function announceGovernor(uint8 who, uint8 which, bool allowed) external {
        bytes memory data = abi.encodeCall(gate.announceGovernor, (address(governors[which % 3]), allowed));
        address person = usually(OPERATOR, who);
        act(person, address(gate), data, person == OPERATOR && isOpen(address(gate)));
    }

    function activateGovernor(uint8 who, uint8 which) external {
        address governor = address(governors[which % 3]);
        (, uint48 activeAt) = gate.pendingGovernor(governor);
        bytes memory data = abi.encodeCall(gate.activateGovernor, (governor));
        act(anybody(who), address(gate), data, isOver(activeAt) && isOpen(address(gate)));
    }

    function announce(uint8 who, uint8 which, uint8 slip, bytes32 configHash) external {
        address writer = anyWriter(which);
        bytes memory data = abi.encodeCall(
            log.announce,
            (writer, seqOf(writer, slip), configurationOf(configHash, listOf(address(governors[0]))))
        );
        address operator = books[writer].operator;
        address person = usually(operator, who);
        act(
            person,
            address(log),
            data,
            person == operator && isOpen(writer) && isNext(slip) && configHash != 0
        );
    }

    function activate(uint8 who, uint8 which, uint8 slip) external {
        address writer = anyWriter(which);
        (,, uint48 activeAt) = log.pendingOf(writer);
        bytes memory data = abi.encodeCall(log.activate, (writer, seqOf(writer, slip)));
        act(anybody(who), address(log), data, isOver(activeAt) && isOpen(writer) && isNext(slip));
    }

    /// @dev The gate is succeeded now and then; mostly it is a key that gives way to the one that joined last.
    function succeed(uint8 who, uint8 old, uint8 next, uint8 slip) external {
        address oldWriter = old < 8 ? address(gate) : writers[1 + old % (writers.length - 1)];
        address newWriter = next < 192 ? writers[writers.length - 1] : anyWriter(next);
        address operator = books[oldWriter].operator;
        address person = usually(operator, who);
        bool expected = person == operator && operator == books[newWriter].operator && isOpen(oldWriter)
            && isNext(slip) && books[newWriter].seq == 0 && oldWriter != newWriter;
        bytes memory data = abi.encodeCall(log.succeed, (oldWriter, seqOf(oldWriter, slip), newWriter));
        act(person, address(log), data, expected);
    }

    function remark(uint8 who, uint8 which, uint8 seq, uint8 verdict) external {
        address writer = anyWriter(which);
        verdict %= 6;
        seq %= 16;
        bool expected = verdict >= 1 && verdict <= 4 && seq >= 1 && seq <= books[writer].seq;
        vm.record();
        act(
            anybody(who),
            address(log),
            abi.encodeCall(log.remark, (writer, seq, verdict, ROOT, "https://example.org")),
            expected
        );
        (, bytes32[] memory writes) = vm.accesses(address(log));
        vm.assertEq(writes.length, 0);
    }

    // --- books

    /// @dev Whatever happens is read back from the events, and nothing else.
    function act(address person, address target, bytes memory data, bool expected) private {
        address signer = gate.signer();
        vm.recordLogs();
        vm.prank(person);
        (bool succeeded,) = target.call(data);
        vm.assertEq(succeeded, expected);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        if (!succeeded) return; // forge gives the events of a call that was taken back as well
        for (uint256 i = 0; i < logs.length; ++i) {
            if (isEntry(logs[i])) {
                enter(logs[i], person, signer);
            } else if (logs[i].topics[0] == IDecisionLog.ConfigurationActivated.selector) {
                ++books[writerOf(logs[i])].epoch;
            } else if (logs[i].topics[0] == SimpleGovernor.VoteCast.selector) {
                ++books[writerOf(logs[i])].votes;
                assertSameAsEntry(logs[i], logs[i - 1]);
            }
        }
    }

    function enter(Vm.Log memory entry, address person, address signer) private {
        address writer = writerOf(entry);
        uint256 kind = uint256(entry.topics[3]);
        Book storage book = books[writer];
        vm.assertTrue(mayWrite(person, writer, kind, signer), "somebody wrote for another");
        vm.assertTrue(book.successor == address(0), "a closed writer wrote");

        book.head = foldOf(book.head, entry);
        (uint40 seq, uint16 epoch, uint48 time,, bytes32 root, bytes32 action) =
            abi.decode(entry.data, (uint40, uint16, uint48, bytes32, bytes32, bytes32));
        vm.assertEq(seq, ++book.seq);
        vm.assertEq(epoch, book.epoch);
        if (kind == EntryKind.VOTE) ++book.entriesOfVotes;
        if (kind == EntryKind.CONFIG_ANNOUNCED) book.announcedAt = time;
        if (kind == EntryKind.CONFIG_ACTIVATED) vm.assertEq(time >= book.announcedAt + NOTICE, true);
        if (kind == EntryKind.SUCCEEDED) book.successor = address(uint160(uint256(action)));
        if (kind == EntryKind.SUCCEEDS) {
            vm.assertEq(seq, 1);
            book.predecessor = address(uint160(uint256(action)));
            book.inherited = root;
        }
    }

    /// @dev Who may cause an entry of this kind in the chain of this writer. 0: everybody.
    function mayWrite(address person, address writer, uint256 kind, address signer)
        private
        view
        returns (bool)
    {
        if (kind == EntryKind.CONFIG_ACTIVATED) return true;
        if (kind >= EntryKind.CONFIG_ANNOUNCED && kind <= EntryKind.SUCCEEDS) {
            return person == books[writer].operator;
        }
        if (writer != address(gate)) return person == writer;
        if (kind < EntryKind.CONFIG_ANNOUNCED) return person == signer;
        if (kind == EntryKind.PAUSED || kind == EntryKind.UNPAUSED) return person == GUARDIAN;
        if (kind == EntryKind.SIGNER_ANNOUNCED || kind == EntryKind.GOVERNOR_ANNOUNCED) {
            return person == OPERATOR;
        }
        return kind == EntryKind.SIGNER_ACTIVATED || kind == EntryKind.GOVERNOR_ACTIVATED;
    }

    function assertSameAsEntry(Vm.Log memory cast, Vm.Log memory entry) private view {
        (uint256 proposalId, uint8 support,,) = abi.decode(cast.data, (uint256, uint8, uint256, string));
        (,,,,, bytes32 action) = abi.decode(entry.data, (uint40, uint16, uint48, bytes32, bytes32, bytes32));
        vm.assertEq(uint256(entry.topics[3]), EntryKind.VOTE);
        vm.assertEq(entry.topics[1], cast.topics[1]);
        vm.assertEq(entry.topics[2], subjectOf(cast.emitter, proposalId));
        vm.assertEq(action, bytes32(uint256(support)));
    }

    function writerOf(Vm.Log memory event_) private pure returns (address) {
        return address(uint160(uint256(event_.topics[1])));
    }

    function anyWriter(uint8 which) private view returns (address) {
        return writers[which % writers.length];
    }

    function anybody(uint8 who) private view returns (address) {
        return people[who % people.length];
    }

    /// @dev Mostly the person whose turn it is, now and then anybody.
    function usually(address right, uint8 who) private view returns (address) {
        return who < 192 ? right : anybody(who);
    }

    function isOpen(address writer) private view returns (bool) {
        return books[writer].head != 0 && books[writer].successor == address(0);
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

/// @dev What holds after every act. What an invariant does itself is not kept.
contract InvariantsTest is Harness {
    address private constant STRANGER = address(0xBAD);

    Handler private handler;
    DecisionLog private log;
    VoteGate private gate;

    function setUp() public {
        handler = new Handler();
        log = handler.log();
        gate = handler.gate();
    }

    function targetContracts() external view returns (address[] memory) {
        return listOf(address(handler));
    }

    function invariant_theHeadIsTheFoldOfTheEvents() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            (bytes24 head,,,) = log.stateOf(writers[i]);
            vm.assertEq(bytes32(head), bytes32(handler.bookOf(writers[i]).head));
        }
    }

    function invariant_theSequenceCountsTheEntriesAndTheEpochTheActivations() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            (, uint40 seq, uint16 epoch,) = log.stateOf(writers[i]);
            vm.assertEq(seq, handler.bookOf(writers[i]).seq);
            vm.assertEq(epoch, handler.bookOf(writers[i]).epoch);
        }
    }

    /// @dev The word that others prove by eth_getProof is what `stateOf` says.
    function invariant_theSlotIsTheState() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            (bytes24 head, uint40 seq, uint16 epoch, uint8 flags) = log.stateOf(writers[i]);
            bytes memory word = abi.encodePacked(head, seq, epoch, flags);
            vm.assertEq(vm.load(address(log), slotOf(writers[i])), bytes32(word));
        }
    }

    function invariant_everyVoteOfAGateHasItsEntry() public view {
        Handler.Book memory book = handler.bookOf(address(gate));
        vm.assertEq(book.votes, book.entriesOfVotes);
    }

    /// @dev The key may also write VOTE entries by itself; votes without an entry do not pass through the code.
    function invariant_everyVoteOfAnAtomicAccountHasItsEntry() public view {
        Handler.Book memory book = handler.bookOf(address(handler.account()));
        vm.assertTrue(book.votes <= book.entriesOfVotes, "a vote without entry");
    }

    function invariant_aPauseStopsEveryVoteAndNeverANote() public {
        bool open = isOpen(address(gate));
        for (uint256 i = 0; i < 3; ++i) {
            address governor = address(handler.governors(i));
            bool may = gate.governorAllowed(governor) && !gate.votesPaused() && open;
            vm.assertEq(voteAs(gate.signer(), governor), may);
        }
        bytes memory note = abi.encodeCall(
            gate.note, (nextOf(gate), EntryKind.HOLD, bytes32(uint256(1)), PROMPT, ROOT, bytes32(0))
        );
        vm.prank(gate.signer());
        vm.assertEq(accepts(address(gate), note), open);
    }

    function invariant_onlyTheSignerVotesAndNotes() public {
        address[4] memory others = [STRANGER, gate.operator(), gate.guardian(), address(gate)];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.assertEq(voteAs(others[i], address(handler.governors(0))), false);
            bytes memory note = abi.encodeCall(
                gate.note, (nextOf(gate), EntryKind.HOLD, bytes32(uint256(1)), PROMPT, ROOT, bytes32(0))
            );
            vm.prank(others[i]);
            vm.assertEq(accepts(address(gate), note), false);
        }
    }

    function invariant_onlyTheAccountItselfVotesAtomically() public {
        address account = address(handler.account());
        (, uint40 seq,,) = log.stateOf(account);
        address governor = address(handler.governors(0));
        bytes memory vote = abi.encodeCall(gate.vote, (seq + 1, governor, 0, 1, PROMPT, ROOT, ""));
        vm.prank(STRANGER);
        vm.assertEq(accepts(account, vote), false);
        vm.prank(account);
        vm.assertEq(accepts(account, vote), isOpen(account));
    }

    function invariant_closedStaysClosed() public {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            Handler.Book memory book = handler.bookOf(writers[i]);
            (,,, uint8 flags) = log.stateOf(writers[i]);
            vm.assertEq(flags, book.successor == address(0) ? 1 : 3);
            bytes memory entry = abi.encodeCall(
                log.record, (book.seq + 1, EntryKind.HOLD, bytes32(uint256(1)), PROMPT, ROOT, bytes32(0))
            );
            vm.prank(writers[i]);
            vm.assertEq(accepts(address(log), entry), book.successor == address(0));
        }
    }

    function invariant_aSuccessorStartsWithTheLastHeadOfItsPredecessor() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            Handler.Book memory book = handler.bookOf(writers[i]);
            if (book.predecessor != address(0)) {
                (bytes24 last,,,) = log.stateOf(book.predecessor);
                vm.assertEq(book.inherited, bytes32(last));
            }
        }
    }

    function invariant_successorAndPredecessorNameEachOther() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            Handler.Book memory book = handler.bookOf(writers[i]);
            if (book.predecessor != address(0)) {
                vm.assertEq(handler.bookOf(book.predecessor).successor, writers[i]);
            }
            if (book.successor != address(0)) {
                vm.assertEq(handler.bookOf(book.successor).predecessor, writers[i]);
                vm.assertEq(handler.bookOf(book.successor).operator, book.operator);
            }
        }
    }

    function invariant_theOperatorIsTheOneOfTheRegistration() public view {
        address[] memory writers = handler.everyWriter();
        for (uint256 i = 0; i < writers.length; ++i) {
            (address operator, uint32 notice) = log.operatorOf(writers[i]);
            vm.assertEq(operator, handler.bookOf(writers[i]).operator);
            vm.assertEq(notice, NOTICE);
        }
    }

    function isOpen(address writer) private view returns (bool) {
        return handler.bookOf(writer).successor == address(0);
    }

    function nextOf(VoteGate gate_) private view returns (uint40) {
        (, uint40 seq,,) = log.stateOf(address(gate_));
        return seq + 1;
    }

    function voteAs(address caller, address governor) private returns (bool) {
        bytes memory vote =
            abi.encodeCall(gate.vote, (nextOf(gate), governor, type(uint256).max, 1, PROMPT, ROOT, ""));
        vm.prank(caller);
        return accepts(address(gate), vote);
    }

    function accepts(address target, bytes memory data) private returns (bool succeeded) {
        (succeeded,) = target.call(data);
    }
}
