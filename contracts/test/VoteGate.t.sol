// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {IVoteGate} from "../src/IVoteGate.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {VoteGateFactory} from "../src/VoteGateFactory.sol";
import {HostileGovernor, SilentGovernor, SimpleGovernor} from "./Governors.sol";
import {Harness, Vm} from "./Harness.sol";

contract VoteGateTest is Harness {
    address private constant OPERATOR = address(0x09E4A704);
    address private constant GUARDIAN = address(0x60A4D1A4);
    address private constant SIGNER = address(0x516E4);
    address private constant NEXT_SIGNER = address(0x516E42);
    address private constant STRANGER = address(0xBAD);
    uint256 private constant PROPOSAL = 77;

    DecisionLog private log;
    VoteGateFactory private factory;
    SimpleGovernor private governor;
    VoteGate private gate;

    function setUp() public {
        vm.warp(1_800_000_000);
        log = new DecisionLog();
        factory = new VoteGateFactory(log);
        governor = new SimpleGovernor();
        gate = createGate(listOf(address(governor)));
    }

    function createGate(address[] memory governors) private returns (VoteGate) {
        IDecisionLog.Configuration memory configuration = configurationOf("first", governors);
        return VoteGate(factory.create(OPERATOR, GUARDIAN, SIGNER, DELAY, NOTICE, configuration));
    }

    function nextSeq() private view returns (uint40) {
        (, uint40 seq,,) = log.stateOf(address(gate));
        return seq + 1;
    }

    function voteAs(address caller, address governor_, uint256 proposalId) private returns (uint256) {
        uint40 seq = nextSeq();
        vm.prank(caller);
        return gate.vote(seq, governor_, proposalId, 1, PROMPT, ROOT, "because");
    }

    function voteRefused(address caller, address governor_, bytes memory error) private {
        uint40 seq = nextSeq();
        vm.expectRevert(error);
        vm.prank(caller);
        gate.vote(seq, governor_, PROPOSAL, 1, PROMPT, ROOT, "because");
    }

    function noteAs(address caller, uint8 kind) private {
        uint40 seq = nextSeq();
        vm.prank(caller);
        gate.note(seq, kind, subjectOf(address(governor), PROPOSAL), PROMPT, ROOT, 0);
    }

    function allow(address governor_, bool allowed) private {
        vm.prank(OPERATOR);
        gate.announceGovernor(governor_, allowed);
        (, uint48 activeAt) = gate.pendingGovernor(governor_);
        vm.warp(activeAt);
        gate.activateGovernor(governor_);
    }

    function pause() private {
        vm.prank(GUARDIAN);
        gate.pauseVotes();
    }

    // --- making a gate

    function test_theFactoryKnowsItsGates() public {
        vm.assertEq(factory.isGate(address(gate)), true);
        vm.assertEq(gate.factory(), address(factory));
        vm.assertEq(address(gate.log()), address(log));
        VoteGate foreign = new VoteGate(
            log, OPERATOR, GUARDIAN, SIGNER, DELAY, NOTICE, configurationOf("first", new address[](0))
        );
        vm.assertEq(factory.isGate(address(foreign)), false);
        vm.assertEq(foreign.factory(), address(this));
    }

    function test_theFactoryAndTheGateSayWhatWasMade() public {
        vm.recordLogs();
        address made = address(createGate(listOf(address(governor))));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 4);
        vm.assertEq(logs[0].topics[0], IVoteGate.SignerChanged.selector);
        vm.assertEq(logs[0].topics[1], wordOf(SIGNER));
        vm.assertEq(logs[1].topics[0], IVoteGate.GovernorChanged.selector);
        vm.assertEq(logs[1].topics[1], wordOf(address(governor)));
        vm.assertEq(keccak256(logs[1].data), keccak256(abi.encode(true)));
        vm.assertEq(logs[2].topics[0], IDecisionLog.Registered.selector);
        vm.assertEq(logs[3].emitter, address(factory));
        vm.assertEq(logs[3].topics[0], VoteGateFactory.GateCreated.selector);
        vm.assertEq(logs[3].topics[1], wordOf(made));
        vm.assertEq(logs[3].topics[2], wordOf(OPERATOR));
        vm.assertEq(logs[3].topics[3], wordOf(GUARDIAN));
        vm.assertEq(keccak256(logs[3].data), keccak256(abi.encode(SIGNER)));
    }

    function test_aGateIsRegisteredAndAllowsItsFirstGovernors() public view {
        (,,, uint8 flags) = log.stateOf(address(gate));
        vm.assertEq(flags, 1);
        (address operator, uint32 notice) = log.operatorOf(address(gate));
        vm.assertEq(operator, OPERATOR);
        vm.assertEq(notice, NOTICE);
        vm.assertEq(gate.operator(), OPERATOR);
        vm.assertEq(gate.guardian(), GUARDIAN);
        vm.assertEq(gate.signer(), SIGNER);
        vm.assertEq(gate.delaySeconds(), DELAY);
        vm.assertEq(gate.governorAllowed(address(governor)), true);
        vm.assertEq(gate.governorAllowed(address(log)), false);
        vm.assertEq(gate.votesPaused(), false);
    }

    function test_everyPartyIsNamed() public {
        IDecisionLog.Configuration memory configuration = configurationOf("first", new address[](0));
        bytes memory error = abi.encodeWithSelector(IVoteGate.VoteGateZeroAccount.selector);
        vm.expectRevert(error);
        factory.create(address(0), GUARDIAN, SIGNER, DELAY, NOTICE, configuration);
        vm.expectRevert(error);
        factory.create(OPERATOR, address(0), SIGNER, DELAY, NOTICE, configuration);
        vm.expectRevert(error);
        factory.create(OPERATOR, GUARDIAN, address(0), DELAY, NOTICE, configuration);
        vm.expectRevert(error);
        createGate(listOf(address(0)));
    }

    function test_theLimitsAreWhatTheDocumentsSay() public {
        vm.assertEq(gate.MIN_DELAY(), 86_400);
        factory.create(OPERATOR, GUARDIAN, SIGNER, 86_400, NOTICE, configurationOf("first", new address[](0)));
        vm.assertEq(gate.MAX_GOVERNORS(), 16);
        vm.assertEq(gate.ADMINISTRATION(), keccak256("pnyx.VoteGate.administration.v1"));
    }

    function testFuzz_theDelayHasAMinimum(uint32 delay) public {
        uint32 minimum = gate.MIN_DELAY();
        if (delay < minimum) {
            vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateDelayTooShort.selector, delay, minimum));
        }
        factory.create(OPERATOR, GUARDIAN, SIGNER, delay, NOTICE, configurationOf("first", new address[](0)));
    }

    function test_aFactoryNeedsALog() public {
        vm.expectRevert(abi.encodeWithSelector(VoteGateFactory.VoteGateFactoryNoLog.selector, STRANGER));
        new VoteGateFactory(IDecisionLog(STRANGER));
    }

    // --- voting

    function test_theEntryComesBeforeTheVoteAndSaysTheSame() public {
        vm.recordLogs();
        uint256 weight = voteAs(SIGNER, address(governor), PROPOSAL);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(weight, 1);
        vm.assertEq(logs.length, 2);

        vm.assertEq(logs[0].emitter, address(log));
        vm.assertEq(logs[0].topics[1], bytes32(uint256(uint160(address(gate)))));
        vm.assertEq(logs[0].topics[2], subjectOf(address(governor), PROPOSAL));
        vm.assertEq(uint256(logs[0].topics[3]), EntryKind.VOTE);
        bytes memory entry =
            abi.encode(uint40(1), uint16(0), uint48(block.timestamp), PROMPT, ROOT, bytes32(uint256(1)));
        vm.assertEq(keccak256(logs[0].data), keccak256(entry));

        vm.assertEq(logs[1].emitter, address(governor));
        vm.assertEq(logs[1].topics[1], bytes32(uint256(uint160(address(gate)))));
        vm.assertEq(keccak256(logs[1].data), keccak256(abi.encode(PROPOSAL, uint8(1), uint256(1), "because")));
    }

    function testFuzz_onlyTheSignerVotes(address caller) public {
        vm.assume(caller != SIGNER);
        voteRefused(
            caller, address(governor), abi.encodeWithSelector(IVoteGate.VoteGateNotSigner.selector, caller)
        );
    }

    function testFuzz_onlyAllowedGovernors(address other) public {
        vm.assume(other != address(governor));
        voteRefused(
            SIGNER, other, abi.encodeWithSelector(IVoteGate.VoteGateGovernorNotAllowed.selector, other)
        );
    }

    function test_noEntryWhenTheGovernorRefuses() public {
        voteAs(SIGNER, address(governor), PROPOSAL);
        (bytes24 head,,,) = log.stateOf(address(gate));
        voteRefused(SIGNER, address(governor), abi.encodeWithSelector(SimpleGovernor.AlreadyVoted.selector));
        (bytes24 after_,,,) = log.stateOf(address(gate));
        vm.assertEq(bytes32(after_), bytes32(head));
    }

    function test_noVoteWhenTheLogRefuses() public {
        vm.expectRevert(
            abi.encodeWithSelector(IDecisionLog.DecisionLogUnexpectedSeq.selector, uint40(2), uint40(1))
        );
        vm.prank(SIGNER);
        gate.vote(2, address(governor), PROPOSAL, 1, PROMPT, ROOT, "");
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogZeroHash.selector));
        vm.prank(SIGNER);
        gate.vote(1, address(governor), PROPOSAL, 1, PROMPT, 0, "");
        vm.assertEq(governor.hasVoted(PROPOSAL, address(gate)), false);
    }

    function test_aVoteWithoutWeightKeepsTheBallot() public {
        governor.setWeight(0);
        voteRefused(
            SIGNER,
            address(governor),
            abi.encodeWithSelector(IVoteGate.VoteGateNoWeight.selector, address(governor), PROPOSAL)
        );
        vm.assertEq(governor.hasVoted(PROPOSAL, address(gate)), false);
        governor.setWeight(5);
        vm.assertEq(voteAs(SIGNER, address(governor), PROPOSAL), 5);
    }

    function test_aSilentGovernorIsRefused() public {
        SilentGovernor silent = new SilentGovernor();
        allow(address(silent), true);
        voteRefused(SIGNER, address(silent), "");
        allow(STRANGER, true);
        voteRefused(SIGNER, STRANGER, "");
    }

    // --- a hostile governor, called in the middle of a vote

    function hostile(bytes memory attack, address target) private returns (HostileGovernor governor_) {
        governor_ = new HostileGovernor();
        allow(address(governor_), true);
        governor_.prepare(target, attack);
        uint40 seq = nextSeq();
        voteAs(SIGNER, address(governor_), PROPOSAL);
        vm.assertEq(governor_.seqSeen(), seq); // the entry was there before the governor was called
    }

    function test_aHostileGovernorCannotVoteAgain() public {
        uint40 seq = nextSeq() + 3;
        bytes memory attack =
            abi.encodeCall(gate.vote, (seq, address(governor), PROPOSAL, 0, PROMPT, ROOT, ""));
        vm.assertEq(hostile(attack, address(gate)).succeeded(), false);
        vm.assertEq(governor.hasVoted(PROPOSAL, address(gate)), false);
    }

    function test_aHostileGovernorCannotWrite() public {
        uint40 seq = nextSeq() + 3;
        bytes memory attack =
            abi.encodeCall(log.record, (seq, EntryKind.SKIP, bytes32(0), PROMPT, ROOT, bytes32(0)));
        vm.assertEq(hostile(attack, address(log)).succeeded(), false);
    }

    function test_aHostileGovernorThatIsTheSignerStillLeavesAnEntryForEachVote() public {
        HostileGovernor governor_ = new HostileGovernor();
        allow(address(governor_), true);
        vm.prank(OPERATOR);
        gate.announceSigner(address(governor_));
        vm.warp(block.timestamp + DELAY);
        gate.activateSigner();
        uint40 seq = nextSeq();
        governor_.prepare(
            address(gate),
            abi.encodeCall(gate.vote, (seq + 1, address(governor), PROPOSAL, 0, PROMPT, ROOT, ""))
        );

        vm.recordLogs();
        vm.prank(address(governor_));
        gate.vote(seq, address(governor_), PROPOSAL, 1, PROMPT, ROOT, "");
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(governor_.succeeded(), true);
        vm.assertEq(logs.length, 3);
        vm.assertEq(logs[0].topics[2], subjectOf(address(governor_), PROPOSAL));
        vm.assertEq(logs[1].topics[2], subjectOf(address(governor), PROPOSAL));
        vm.assertEq(logs[2].emitter, address(governor));
        vm.assertEq(uint256(nextSeq()), seq + 2);
    }

    function test_anActivationInTheMiddleOfAVoteComesAfterTheEntry() public {
        vm.prank(OPERATOR);
        gate.announceSigner(NEXT_SIGNER);
        vm.warp(block.timestamp + DELAY);
        HostileGovernor governor_ = hostile(abi.encodeCall(gate.activateSigner, ()), address(gate));
        vm.assertEq(governor_.succeeded(), true);
        vm.assertEq(uint256(nextSeq()), governor_.seqSeen() + 2);
        vm.assertEq(gate.signer(), NEXT_SIGNER);
    }

    // --- notes

    function test_notesAreAllKindsButVoteAndAdministration() public {
        for (uint256 kind = 0; kind < 256; ++kind) {
            uint40 seq = nextSeq();
            bytes memory call_ =
                abi.encodeCall(gate.note, (seq, uint8(kind), "subject", PROMPT, ROOT, bytes32(0)));
            vm.prank(SIGNER);
            (bool accepted, bytes memory error) = address(gate).call(call_);
            vm.assertEq(accepted, kind >= 2 && kind <= 7);
            if (!accepted) {
                bytes4 expected = kind == EntryKind.VOTE || kind >= 16
                    ? IVoteGate.VoteGateKindNotAllowed.selector
                    : IDecisionLog.DecisionLogKindNotAllowed.selector;
                vm.assertEq(bytes32(bytes4(error)), bytes32(expected));
            }
            vm.assertEq(uint256(nextSeq()), accepted ? seq + 1 : seq);
        }
    }

    function testFuzz_onlyTheSignerNotes(address caller) public {
        vm.assume(caller != SIGNER);
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateNotSigner.selector, caller));
        vm.prank(caller);
        gate.note(1, EntryKind.SKIP, "subject", PROMPT, ROOT, 0);
    }

    function test_theKindOfARefusedNoteIsNamed() public {
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateKindNotAllowed.selector, EntryKind.VOTE));
        vm.prank(SIGNER);
        gate.note(1, EntryKind.VOTE, "subject", PROMPT, ROOT, 0);
    }

    // --- pause

    function test_aPauseStopsVotesAtOnceAndNotesNever() public {
        pause();
        vm.assertEq(gate.votesPaused(), true);
        voteRefused(SIGNER, address(governor), abi.encodeWithSelector(IVoteGate.VoteGateVotesPaused.selector));
        noteAs(SIGNER, EntryKind.SKIP);

        vm.prank(GUARDIAN);
        gate.unpauseVotes();
        voteAs(SIGNER, address(governor), PROPOSAL);
    }

    function testFuzz_onlyTheGuardianPauses(address caller) public {
        vm.assume(caller != GUARDIAN);
        bytes memory error = abi.encodeWithSelector(IVoteGate.VoteGateNotGuardian.selector, caller);
        vm.expectRevert(error);
        vm.prank(caller);
        gate.pauseVotes();
        pause();
        vm.expectRevert(error);
        vm.prank(caller);
        gate.unpauseVotes();
    }

    function test_aPauseIsNotRepeated() public {
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateVotesNotPaused.selector));
        vm.prank(GUARDIAN);
        gate.unpauseVotes();
        pause();
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateVotesPaused.selector));
        pause();
    }

    function test_changesDuringAPauseTakeEffectWithoutEndingIt() public {
        SimpleGovernor second = new SimpleGovernor();
        pause();
        allow(address(second), true);
        vm.prank(OPERATOR);
        gate.announceSigner(NEXT_SIGNER);
        vm.warp(block.timestamp + DELAY);
        gate.activateSigner();
        bytes memory paused = abi.encodeWithSelector(IVoteGate.VoteGateVotesPaused.selector);
        voteRefused(NEXT_SIGNER, address(governor), paused);
        voteRefused(NEXT_SIGNER, address(second), paused);

        vm.prank(GUARDIAN);
        gate.unpauseVotes();
        voteAs(NEXT_SIGNER, address(governor), PROPOSAL);
        voteAs(NEXT_SIGNER, address(second), PROPOSAL);
        voteRefused(
            SIGNER, address(second), abi.encodeWithSelector(IVoteGate.VoteGateNotSigner.selector, SIGNER)
        );
    }

    // --- a new signer

    function testFuzz_aSignerChangesAfterTheDelay(uint32 wait) public {
        vm.prank(OPERATOR);
        gate.announceSigner(NEXT_SIGNER);
        uint48 activeAt = uint48(block.timestamp) + DELAY;
        vm.warp(block.timestamp + wait);
        bool over = wait >= DELAY;
        if (!over) {
            vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateDelayNotOver.selector, activeAt));
        }
        vm.prank(STRANGER);
        gate.activateSigner();
        vm.assertEq(gate.signer(), over ? NEXT_SIGNER : SIGNER);
        voteAs(over ? NEXT_SIGNER : SIGNER, address(governor), PROPOSAL);
        address other = over ? SIGNER : NEXT_SIGNER;
        voteRefused(
            other, address(governor), abi.encodeWithSelector(IVoteGate.VoteGateNotSigner.selector, other)
        );
    }

    function test_anAnnouncedSignerReplacesTheOneBefore() public {
        vm.prank(OPERATOR);
        gate.announceSigner(STRANGER);
        vm.warp(block.timestamp + DELAY);
        vm.prank(OPERATOR);
        gate.announceSigner(NEXT_SIGNER);
        vm.expectRevert(
            abi.encodeWithSelector(IVoteGate.VoteGateDelayNotOver.selector, uint48(block.timestamp) + DELAY)
        );
        gate.activateSigner();
        vm.warp(block.timestamp + DELAY);
        gate.activateSigner();
        vm.assertEq(gate.signer(), NEXT_SIGNER);
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateNothingAnnounced.selector));
        gate.activateSigner();
    }

    function testFuzz_onlyTheOperatorAnnounces(address caller) public {
        vm.assume(caller != OPERATOR);
        bytes memory error = abi.encodeWithSelector(IVoteGate.VoteGateNotOperator.selector, caller);
        vm.expectRevert(error);
        vm.prank(caller);
        gate.announceSigner(NEXT_SIGNER);
        vm.expectRevert(error);
        vm.prank(caller);
        gate.announceGovernor(STRANGER, true);
    }

    function test_zeroIsNotAnnounced() public {
        bytes memory error = abi.encodeWithSelector(IVoteGate.VoteGateZeroAccount.selector);
        vm.expectRevert(error);
        vm.prank(OPERATOR);
        gate.announceSigner(address(0));
        vm.expectRevert(error);
        vm.prank(OPERATOR);
        gate.announceGovernor(address(0), true);
    }

    // --- other governors

    function testFuzz_aGovernorChangesAfterTheDelay(uint32 wait, bool remove) public {
        address subject = remove ? address(governor) : address(new SimpleGovernor());
        vm.prank(OPERATOR);
        gate.announceGovernor(subject, !remove);
        uint48 activeAt = uint48(block.timestamp) + DELAY;
        vm.warp(block.timestamp + wait);
        bool over = wait >= DELAY;
        if (!over) {
            vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateDelayNotOver.selector, activeAt));
        }
        vm.prank(STRANGER);
        gate.activateGovernor(subject);
        bool allowed = over ? !remove : remove;
        vm.assertEq(gate.governorAllowed(subject), allowed);
        if (allowed) {
            voteAs(SIGNER, subject, PROPOSAL);
        } else {
            voteRefused(
                SIGNER,
                subject,
                abi.encodeWithSelector(IVoteGate.VoteGateGovernorNotAllowed.selector, subject)
            );
        }
    }

    function test_aGovernorChangesOncePerAnnouncement() public {
        allow(address(governor), false);
        (bool allowed, uint48 activeAt) = gate.pendingGovernor(address(governor));
        vm.assertEq(allowed, false);
        vm.assertEq(activeAt, 0);
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateNothingAnnounced.selector));
        gate.activateGovernor(address(governor));
    }

    function test_theAllowlistHasALimitAndRoomAgainAfterARemoval() public {
        uint256 maximum = gate.MAX_GOVERNORS();
        for (uint256 i = 1; i < maximum; ++i) {
            allow(address(uint160(0x1000 + i)), true);
        }
        vm.prank(OPERATOR);
        gate.announceGovernor(STRANGER, true);
        vm.warp(block.timestamp + DELAY);
        vm.expectRevert(abi.encodeWithSelector(IVoteGate.VoteGateTooManyGovernors.selector, maximum));
        gate.activateGovernor(STRANGER);

        allow(address(0x1001), true); // allowed already: takes no second place
        allow(address(0x1002), false);
        allow(address(0x1002), false); // not allowed already: frees no second place
        gate.activateGovernor(STRANGER);
        vm.assertEq(gate.governorAllowed(STRANGER), true);
    }

    function test_aFactoryRefusesMoreGovernorsThanTheLimit() public {
        address[] memory governors = new address[](gate.MAX_GOVERNORS() + 1);
        for (uint256 i = 0; i < governors.length; ++i) {
            governors[i] = address(uint160(0x1000 + i));
        }
        vm.expectRevert(
            abi.encodeWithSelector(IVoteGate.VoteGateTooManyGovernors.selector, governors.length - 1)
        );
        createGate(governors);
    }

    /// @dev Whatever the order of changes, a pause reaches every governor, and only allowed ones get votes.
    function testFuzz_aPauseReachesEveryGovernor(uint8[12] calldata steps) public {
        SimpleGovernor[4] memory governors =
            [governor, new SimpleGovernor(), new SimpleGovernor(), new SimpleGovernor()];
        for (uint256 i = 0; i < steps.length; ++i) {
            allow(address(governors[steps[i] % 4]), steps[i] >= 128);
        }
        pause();
        for (uint256 i = 0; i < 4; ++i) {
            voteRefused(
                SIGNER, address(governors[i]), abi.encodeWithSelector(IVoteGate.VoteGateVotesPaused.selector)
            );
        }
        vm.prank(GUARDIAN);
        gate.unpauseVotes();
        for (uint256 i = 0; i < 4; ++i) {
            if (gate.governorAllowed(address(governors[i]))) {
                voteAs(SIGNER, address(governors[i]), PROPOSAL);
            } else {
                voteRefused(
                    SIGNER,
                    address(governors[i]),
                    abi.encodeWithSelector(
                        IVoteGate.VoteGateGovernorNotAllowed.selector, address(governors[i])
                    )
                );
            }
        }
    }

    // --- administration is on the record

    /// @dev The last two events: one of the gate about the account, then the entry.
    function assertAdministration(
        bytes32 event_,
        bytes memory data,
        uint8 kind,
        address account,
        bool flag,
        uint48 activeAt
    ) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        assertGateEvent(logs[logs.length - 2], event_, account, data);
        assertEntry(logs[logs.length - 1], kind, account, flag, activeAt);
    }

    function assertGateEvent(Vm.Log memory own, bytes32 event_, address account, bytes memory data)
        private
        view
    {
        vm.assertEq(own.emitter, address(gate));
        vm.assertEq(own.topics[0], event_);
        vm.assertEq(own.topics[1], wordOf(account));
        vm.assertEq(keccak256(own.data), keccak256(data));
    }

    function assertEntry(Vm.Log memory entry, uint8 kind, address account, bool flag, uint48 activeAt)
        private
        view
    {
        bytes32 subject = keccak256(abi.encode(account, flag));
        vm.assertEq(entry.emitter, address(log));
        vm.assertEq(entry.topics[1], bytes32(uint256(uint160(address(gate)))));
        vm.assertEq(entry.topics[2], subject);
        vm.assertEq(uint256(entry.topics[3]), kind);
        (,,, bytes32 prompt, bytes32 root, bytes32 action) =
            abi.decode(entry.data, (uint40, uint16, uint48, bytes32, bytes32, bytes32));
        vm.assertEq(prompt, keccak256("pnyx.VoteGate.administration.v1"));
        vm.assertEq(root, subject);
        vm.assertEq(action, bytes32(uint256(activeAt)));
    }

    function test_everyAdministrativeChangeIsAnEntry() public {
        uint48 activeAt = uint48(block.timestamp) + DELAY;
        vm.recordLogs();

        vm.prank(OPERATOR);
        gate.announceSigner(NEXT_SIGNER);
        assertAdministration(
            IVoteGate.SignerChangeAnnounced.selector,
            abi.encode(activeAt),
            EntryKind.SIGNER_ANNOUNCED,
            NEXT_SIGNER,
            true,
            activeAt
        );
        vm.prank(OPERATOR);
        gate.announceGovernor(address(governor), false);
        assertAdministration(
            IVoteGate.GovernorChangeAnnounced.selector,
            abi.encode(false, activeAt),
            EntryKind.GOVERNOR_ANNOUNCED,
            address(governor),
            false,
            activeAt
        );

        vm.warp(activeAt);
        gate.activateSigner();
        assertAdministration(
            IVoteGate.SignerChanged.selector, "", EntryKind.SIGNER_ACTIVATED, NEXT_SIGNER, true, activeAt
        );
        gate.activateGovernor(address(governor));
        assertAdministration(
            IVoteGate.GovernorChanged.selector,
            abi.encode(false),
            EntryKind.GOVERNOR_ACTIVATED,
            address(governor),
            false,
            activeAt
        );

        pause();
        assertAdministration(IVoteGate.VotesPaused.selector, "", EntryKind.PAUSED, GUARDIAN, true, 0);
        vm.prank(GUARDIAN);
        gate.unpauseVotes();
        assertAdministration(IVoteGate.VotesUnpaused.selector, "", EntryKind.UNPAUSED, GUARDIAN, false, 0);
        vm.assertEq(uint256(nextSeq()), 7);
    }

    // --- what a gate is not

    function testFuzz_thereIsNoOtherWayIn(bytes calldata data) public {
        vm.assume(data.length < 4 || !isKnown(bytes4(data[:4])));
        (bool accepted,) = address(gate).call(data);
        vm.assertEq(accepted, false);
    }

    function isKnown(bytes4 selector) private view returns (bool) {
        return selector == gate.vote.selector || selector == gate.note.selector
            || selector == gate.announceSigner.selector || selector == gate.activateSigner.selector
            || selector == gate.announceGovernor.selector || selector == gate.activateGovernor.selector
            || selector == gate.pauseVotes.selector || selector == gate.unpauseVotes.selector
            || selector == gate.log.selector || selector == gate.factory.selector
            || selector == gate.operator.selector || selector == gate.guardian.selector
            || selector == gate.delaySeconds.selector || selector == gate.signer.selector
            || selector == gate.votesPaused.selector || selector == gate.governorAllowed.selector
            || selector == gate.pendingSigner.selector || selector == gate.pendingGovernor.selector
            || selector == gate.MIN_DELAY.selector || selector == gate.MAX_GOVERNORS.selector
            || selector == gate.ADMINISTRATION.selector;
    }

    function testFuzz_aGateTakesNoEther(uint96 amount) public {
        vm.assume(amount > 0);
        vm.deal(address(this), amount);
        (bool accepted,) = address(gate).call{value: amount}("");
        vm.assertEq(accepted, false);
    }
}
