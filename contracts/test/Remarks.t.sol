// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {DecisionLog} from "../src/DecisionLog.sol";
import {EntryKind, IDecisionLog} from "../src/IDecisionLog.sol";
import {Harness, Vm} from "./Harness.sol";

contract RemarksTest is Harness {
    address private constant WRITER = address(0xA11CE);
    DecisionLog private log;

    function setUp() public {
        log = new DecisionLog();
        vm.prank(WRITER);
        log.register(address(0x09E4A704), NOTICE, configurationOf("first", listOf(address(0x60))));
        for (uint40 seq = 1; seq <= 3; ++seq) {
            vm.prank(WRITER);
            log.record(seq, EntryKind.SKIP, "subject", PROMPT, ROOT, 0);
        }
    }

    function testFuzz_anybodySaysAnythingAboutAnEntry(
        address from,
        uint40 seq,
        uint8 verdict,
        bytes32 hash,
        bytes memory uri
    ) public {
        seq = 1 + seq % 3;
        verdict = 1 + verdict % 4;
        vm.recordLogs();
        vm.prank(from);
        log.remark(WRITER, seq, verdict, hash, string(uri));
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(logs.length, 1);
        vm.assertEq(logs[0].topics[0], IDecisionLog.Remarked.selector);
        vm.assertEq(logs[0].topics[1], wordOf(from));
        vm.assertEq(logs[0].topics[2], wordOf(WRITER));
        vm.assertEq(uint256(logs[0].topics[3]), seq);
        vm.assertEq(keccak256(logs[0].data), keccak256(abi.encode(verdict, hash, uri)));
    }

    function testFuzz_aRemarkWritesNoState(address from, bytes32 hash, bytes memory uri) public {
        vm.record();
        vm.prank(from);
        log.remark(WRITER, 1, 1, hash, string(uri));
        (, bytes32[] memory writes) = vm.accesses(address(log));
        vm.assertEq(writes.length, 0);
    }

    function test_everyVerdictOneByOne() public {
        for (uint256 verdict = 0; verdict < 256; ++verdict) {
            (bool accepted, bytes memory error) =
                address(log).call(abi.encodeCall(log.remark, (WRITER, 1, uint8(verdict), ROOT, "")));
            vm.assertEq(accepted, verdict >= 1 && verdict <= 4);
            if (!accepted) {
                bytes memory expected = abi.encodeWithSelector(
                    IDecisionLog.DecisionLogVerdictNotAllowed.selector, uint8(verdict)
                );
                vm.assertEq(keccak256(error), keccak256(expected));
            }
        }
    }

    function testFuzz_theEntryExists(address writer, uint40 seq) public {
        bool exists = writer == WRITER && seq >= 1 && seq <= 3;
        if (!exists) refuse(writer, seq);
        log.remark(writer, seq, 1, ROOT, "");
    }

    function test_theFirstAndTheLastEntryAndNoneBeyond() public {
        log.remark(WRITER, 1, 1, ROOT, "");
        log.remark(WRITER, 3, 1, ROOT, "");
        refuse(WRITER, 0);
        log.remark(WRITER, 0, 1, ROOT, "");
        refuse(WRITER, 4);
        log.remark(WRITER, 4, 1, ROOT, "");
    }

    function refuse(address writer, uint40 seq) private {
        vm.expectRevert(abi.encodeWithSelector(IDecisionLog.DecisionLogNoSuchEntry.selector, writer, seq));
    }
}
