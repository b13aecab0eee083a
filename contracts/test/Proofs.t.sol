// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {AtomicAccount} from "../src/AtomicAccount.sol";
import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {VoteGate} from "../src/VoteGate.sol";
import {Harness} from "./Harness.sol";

/// @dev What halmos adds to the cheatcodes.
interface Svm {
    function createAddress(string calldata name) external returns (address);
    function createBytes32(string calldata name) external returns (bytes32);
    function createCalldata(string calldata contractName) external returns (bytes memory);
    function enableSymbolicStorage(address target) external;
}

/// @dev Counts ballots, and the entries that stood in the log when each was cast.
contract CountingGovernor {
    uint256 public ballots;

    function castVoteWithReason(uint256, uint8, string calldata) external returns (uint256) {
        ++ballots;
        return 1;
    }
}

/// @dev Proofs for all inputs, by halmos (`python contracts/prove.py`). Those of the log start from any storage whatever:
/// they hold after every history. Those of a gate start from a new gate.
contract ProofsTest is Harness {
    Svm private constant svm = Svm(0xF3993A62377BCd56AE39D773740A5390411E8BC9);
    address private constant OPERATOR = address(0x09E4A704);
    address private constant GUARDIAN = address(0x60A4D1A4);
    address private constant SIGNER = address(0x516E4);

    struct State {
        bytes24 head;
        uint40 seq;
        uint16 epoch;
        uint8 flags;
    }

    DecisionLog private log;

    function setUp() public {
        log = new DecisionLog();
    }

    function stateOf(address writer) private view returns (State memory) {
        (bytes24 head, uint40 seq, uint16 epoch, uint8 flags) = log.stateOf(writer);
        return State(head, seq, epoch, flags);
    }

    function isSame(State memory one, State memory other) private pure returns (bool) {
        return one.head == other.head && one.seq == other.seq && one.epoch == other.epoch
            && one.flags == other.flags;
    }

    /// @dev Somebody calls the log with anything.
    function anythingToTheLog(address caller) private returns (bytes4 selector, bool succeeded) {
        bytes memory data = svm.createCalldata("DecisionLog");
        vm.prank(caller);
        (succeeded,) = address(log).call(data);
        return (bytes4(data), succeeded);
    }

    // --- the log, after any history

    function check_theHeadIsTheFold(
        address writer,
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 prompt,
        bytes32 root,
        bytes32 action
    ) public {
        svm.enableSymbolicStorage(address(log));
        State memory before = stateOf(writer);
        vm.prank(writer);
        bytes32 returned = log.record(expectedSeq, kind, subject, prompt, root, action);
        bytes memory words = abi.encode(
            before.head,
            before.seq + 1,
            before.epoch,
            kind,
            uint48(block.timestamp),
            subject,
            prompt,
            root,
            action
        );
        State memory expected =
            State(bytes24(keccak256(words)), before.seq + 1, before.epoch, before.flags);
        assert(isSame(stateOf(writer), expected));
        assert(returned == bytes32(expected.head));
        assert(expectedSeq == before.seq + 1);
        assert(before.flags == 1 && prompt != 0 && root != 0);
    }

    /// @dev Whatever anybody does, a number follows the number before, and a head changes only with its number.
    function check_theSequenceHasNoGap(address caller, address writer) public {
        svm.enableSymbolicStorage(address(log));
        State memory before = stateOf(writer);
        anythingToTheLog(caller);
        State memory after_ = stateOf(writer);
        if (before.flags != 0) {
            assert(after_.seq == before.seq || after_.seq == before.seq + 1);
            if (after_.seq == before.seq) assert(isSame(after_, before));
        }
    }

    /// @dev Only the writer itself, its operator, and an activation that the operator announced change its state.
    function check_nobodyWritesForAnother(address caller, address writer) public {
        svm.enableSymbolicStorage(address(log));
        (address operator,) = log.operatorOf(writer);
        vm.assume(caller != writer && caller != operator);
        State memory before = stateOf(writer);
        (bytes4 selector,) = anythingToTheLog(caller);
        if (selector != log.activate.selector) assert(isSame(stateOf(writer), before));
    }

    function check_closedNeverWrites(address caller, address writer) public {
        svm.enableSymbolicStorage(address(log));
        State memory before = stateOf(writer);
        vm.assume(before.flags & 2 != 0);
        anythingToTheLog(caller);
        assert(isSame(stateOf(writer), before));
    }

    function check_aSuccessionClosesAndCommits(
        address caller,
        address oldWriter,
        address newWriter,
        uint40 seq
    ) public {
        svm.enableSymbolicStorage(address(log));
        State memory newBefore = stateOf(newWriter);
        vm.prank(caller);
        log.succeed(oldWriter, seq, newWriter);
        State memory oldAfter = stateOf(oldWriter);
        bytes32 subject = keccak256(abi.encode(oldWriter, newWriter));
        bytes memory words = abi.encode(
            newBefore.head,
            uint40(1),
            newBefore.epoch,
            EntryKind.SUCCEEDS,
            uint48(block.timestamp),
            subject,
            keccak256("pnyx.DecisionLog.succession.v1"),
            bytes32(oldAfter.head),
            wordOf(oldWriter)
        );
        assert(oldAfter.flags == 3 && oldAfter.seq == seq && oldWriter != newWriter);
        assert(newBefore.seq == 0);
        assert(isSame(stateOf(newWriter), State(bytes24(keccak256(words)), 1, newBefore.epoch, 1)));
        (address operatorOfOld,) = log.operatorOf(oldWriter);
        (address operatorOfNew,) = log.operatorOf(newWriter);
        assert(operatorOfOld == caller && operatorOfNew == caller);
    }

    function check_aRemarkChangesNothing(
        address caller,
        address about,
        address writer,
        uint40 seq,
        uint8 verdict,
        bytes32 hash
    ) public {
        svm.enableSymbolicStorage(address(log));
        State memory before = stateOf(writer);
        State memory subject = stateOf(about);
        vm.prank(caller);
        log.remark(about, seq, verdict, hash, "https://example.org");
        assert(isSame(stateOf(writer), before));
        assert(seq >= 1 && seq <= subject.seq && verdict >= 1 && verdict <= 4);
    }

    // --- a gate

    function newGate(CountingGovernor governor) private returns (VoteGate) {
        return new VoteGate(
            log, OPERATOR, GUARDIAN, SIGNER, DELAY, NOTICE, configurationOf("first", listOf(address(governor)))
        );
    }

    /// @dev Whatever anybody tells a gate: as many new entries as new ballots, at least.
    function check_noVoteWithoutItsEntry(address caller) public {
        CountingGovernor governor = new CountingGovernor();
        VoteGate gate = newGate(governor);
        bytes memory data = svm.createCalldata("VoteGate");
        vm.prank(caller);
        (bool succeeded,) = address(gate).call(data);
        uint40 seq = stateOf(address(gate)).seq;
        assert(governor.ballots() <= seq);
        if (governor.ballots() != 0) assert(succeeded && caller == SIGNER && seq == 1);
    }

    /// @dev A pause, then anything by anybody but the guardian, and still no vote.
    function check_aPausedGateNeverVotes(address caller, address voter) public {
        CountingGovernor governor = new CountingGovernor();
        VoteGate gate = newGate(governor);
        vm.prank(GUARDIAN);
        gate.pauseVotes();
        vm.assume(caller != GUARDIAN);
        bytes memory data = svm.createCalldata("VoteGate");
        vm.prank(caller);
        (bool ignored,) = address(gate).call(data);
        ignored;
        bytes memory vote = svm.createCalldata("VoteGate");
        vm.assume(voter != GUARDIAN);
        vm.prank(voter);
        (ignored,) = address(gate).call(vote);
        assert(governor.ballots() == 0);
    }

    function check_aPausedGateAlwaysNotes(uint8 kind, bytes32 subject, bytes32 prompt, bytes32 root) public {
        VoteGate gate = newGate(new CountingGovernor());
        vm.prank(GUARDIAN);
        gate.pauseVotes();
        vm.assume(kind >= EntryKind.SKIP && kind <= EntryKind.CORRECTION && prompt != 0 && root != 0);
        vm.prank(SIGNER);
        (bool succeeded,) =
            address(gate).call(abi.encodeCall(gate.note, (2, kind, subject, prompt, root, bytes32(0))));
        assert(succeeded && stateOf(address(gate)).seq == 2);
    }

    // --- an atomic account

    function check_anAtomicAccountVotesByItselfAndWithItsEntry(
        address caller,
        uint40 seq,
        uint256 proposalId,
        uint8 support,
        bytes32 prompt,
        bytes32 root
    ) public {
        CountingGovernor governor = new CountingGovernor();
        address account = address(0xA70);
        vm.prank(account);
        log.register(OPERATOR, NOTICE, configurationOf("first", listOf(address(governor))));
        vm.etch(account, address(new AtomicAccount(log)).code);
        vm.prank(caller);
        (bool succeeded,) = account.call(
            abi.encodeCall(
                AtomicAccount.vote, (seq, address(governor), proposalId, support, prompt, root, "")
            )
        );
        assert(succeeded == (caller == account && seq == 1 && prompt != 0 && root != 0));
        assert(governor.ballots() == stateOf(account).seq);
        assert(governor.ballots() == (succeeded ? 1 : 0));
    }
}
