// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EntryKind, IDecisionLog} from "./IDecisionLog.sol";
import {IVotable} from "./IVotable.sol";

/// @title AtomicAccount
/// @notice Code that the account of a plain key delegates itself to (EIP-7702), so that an entry and its vote are one
/// transaction. The key orders the vote by a transaction from the account to itself.
///
/// This is convenience, not enforcement: the key remains a key. It can vote without an entry by a plain transaction, and
/// can delegate its account to other code or to none. Whoever wants it to be impossible takes a {VoteGate}.
///
/// Everything else that an account could do is left out: no ERC-1271 signatures, no generic call, no batch. Other
/// entries go from the key to the log directly.
contract AtomicAccount {
    /// @notice The log that every account with this code writes to.
    IDecisionLog public immutable log;

    /// @notice Only the account itself orders its votes.
    error AtomicAccountNotSelf(address caller);
    /// @notice The governor counted nothing; the ballot is kept for a time when there is power behind it.
    error AtomicAccountNoWeight(address governor, uint256 proposalId);
    /// @notice There is no contract at the address of the log.
    error AtomicAccountNoLog(address log);

    constructor(IDecisionLog log_) {
        require(address(log_).code.length != 0, AtomicAccountNoLog(address(log_)));
        log = log_;
    }

    /// @notice The account needs money for gas.
    receive() external payable {}

    /// @notice Writes a VOTE entry of this account and casts the vote it speaks of; both or neither. The same call as that
    /// of a vote gate.
    /// @dev The entry comes first, so that it has the lower log index. A governor that calls back comes with its own
    /// address and is refused.
    /// @param expectedSeq the number that the entry will get
    /// @param governor a governor (OpenZeppelin's `castVoteWithReason`)
    /// @param support the governor's own number for against, for, abstain
    /// @param promptHash binds every request to, and response of, the model
    /// @param recordRoot root of the decision record
    /// @param reason shown by the governor; may be empty
    /// @return weight the voting power that the governor counted, in the token's smallest unit; never zero
    function vote(
        uint40 expectedSeq,
        address governor,
        uint256 proposalId,
        uint8 support,
        bytes32 promptHash,
        bytes32 recordRoot,
        string calldata reason
    ) external returns (uint256 weight) {
        require(msg.sender == address(this), AtomicAccountNotSelf(msg.sender));

        log.record(
            expectedSeq,
            EntryKind.VOTE,
            keccak256(abi.encode(block.chainid, governor, proposalId)),
            promptHash,
            recordRoot,
            bytes32(uint256(support))
        );
        weight = IVotable(governor).castVoteWithReason(proposalId, support, reason);
        require(weight != 0, AtomicAccountNoWeight(governor, proposalId));
    }
}
