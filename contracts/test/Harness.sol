// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDecisionLog} from "../src/IDecisionLog.sol";

/// @dev The cheatcodes of forge that these tests use.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function accesses(address target) external returns (bytes32[] memory reads, bytes32[] memory writes);
    function addr(uint256 key) external pure returns (address);
    function assertEq(address left, address right) external pure;
    function assertEq(bool left, bool right) external pure;
    function assertEq(bytes32 left, bytes32 right) external pure;
    function assertEq(uint256 left, uint256 right) external pure;
    function assertTrue(bool condition, string calldata message) external pure;
    function assume(bool condition) external pure;
    function deal(address account, uint256 balance) external;
    function etch(address target, bytes calldata code) external;
    function expectRevert(bytes calldata revertData) external;
    function getRecordedLogs() external returns (Log[] memory);
    function load(address target, bytes32 slot) external view returns (bytes32 word);
    function prank(address sender) external;
    function record() external;
    function recordLogs() external;
    function roll(uint256 height) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function store(address target, bytes32 slot, bytes32 value) external;
    function warp(uint256 timestamp) external;
}

/// @dev What all tests share. Formulas are written here a second time, as the documentation states them.
abstract contract Harness {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);

    bytes32 internal constant PROMPT = keccak256("prompt");
    bytes32 internal constant ROOT = keccak256("record");
    uint32 internal constant NOTICE = 7 days;
    uint32 internal constant DELAY = 2 days;

    function configurationOf(bytes32 configHash, address[] memory governors)
        internal
        pure
        returns (IDecisionLog.Configuration memory)
    {
        return IDecisionLog.Configuration(configHash, governors, "https://example.org/evidence");
    }

    function listOf(address first) internal pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = first;
    }

    function wordOf(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev Where a log keeps the state of a writer. Others read this slot by eth_getProof: its place is a promise.
    function slotOf(address writer) internal pure returns (bytes32) {
        return keccak256(abi.encode(writer, uint256(0)));
    }

    function subjectOf(address governor, uint256 proposalId) internal view returns (bytes32) {
        return keccak256(abi.encode(block.chainid, governor, proposalId));
    }

    function genesisOf(
        address log,
        address writer,
        address operator,
        uint32 noticeSeconds,
        IDecisionLog.Configuration memory configuration
    ) internal view returns (bytes32) {
        bytes32 tag = keccak256("pnyx.DecisionLog.genesis.v1");
        bytes32 declared = keccak256(abi.encode(configuration));
        return keccak256(abi.encode(tag, block.chainid, log, writer, operator, noticeSeconds, declared));
    }

    /// @dev The head after one `Entry`, from the event alone.
    function foldOf(bytes24 head, Vm.Log memory entry) internal pure returns (bytes24) {
        (uint40 seq, uint16 epoch, uint48 time, bytes32 prompt, bytes32 root, bytes32 action) =
            abi.decode(entry.data, (uint40, uint16, uint48, bytes32, bytes32, bytes32));
        uint8 kind = uint8(uint256(entry.topics[3]));
        return
            bytes24(
                keccak256(abi.encode(head, seq, epoch, kind, time, entry.topics[2], prompt, root, action))
            );
    }

    function isEntry(Vm.Log memory entry) internal pure returns (bool) {
        return entry.topics[0] == IDecisionLog.Entry.selector;
    }
}
