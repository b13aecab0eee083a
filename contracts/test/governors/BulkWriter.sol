// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EntryKind, IDecisionLog} from "../../src/IDecisionLog.sol";

/// @dev Writes many entries in one transaction, and emits a governor's event for each of its votes: so that the
/// check of a long log can be measured. It is its own governor.
contract BulkWriter {
    IDecisionLog private immutable LOG;

    event VoteCast(address indexed voter, uint256 proposalId, uint8 support, uint256 weight, string reason);

    constructor(IDecisionLog log) {
        LOG = log;
        address[] memory governors = new address[](1);
        governors[0] = address(this);
        log.register(msg.sender, 1 days, IDecisionLog.Configuration(keccak256("bulk"), governors, ""));
    }

    function note(uint40 first, uint40 count) external {
        for (uint40 seq = first; seq < first + count; ++seq) {
            bytes32 word = keccak256(abi.encode(seq));
            LOG.record(seq, EntryKind.DECISION, word, ~word, word, 0);
        }
    }

    function vote(uint40 first, uint40 count) external {
        for (uint40 seq = first; seq < first + count; ++seq) {
            bytes32 word = keccak256(abi.encode(seq));
            bytes32 subject = keccak256(abi.encode(block.chainid, address(this), uint256(seq)));
            LOG.record(seq, EntryKind.VOTE, subject, ~word, word, bytes32(uint256(1)));
            emit VoteCast(address(this), seq, 1, 1, "");
        }
    }
}
