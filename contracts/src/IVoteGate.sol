// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IDecisionLog} from "./IDecisionLog.sol";

/// @title The vote gate
/// @notice Holds the voting power that members delegate to an agent, and has one way to use it: an entry in the
/// decision log and the vote in one transaction. Everything else it could do with that power is left out on purpose:
/// no ERC-1271 signatures (a governor would accept a signed vote without an entry), no generic call, no delegatecall,
/// no upgrade, no proposals, no tokens, no ether.
///
/// Four parties: the *signer* (a hot key) votes and notes; the *operator* replaces the signer and the governors, each
/// change announced, delayed and logged; the *guardian* (usually the DAO's timelock) pauses votes at once, never notes;
/// *anybody* activates a change whose delay is over.
///
/// Every administrative change is also an entry: subject and record root are keccak256(abi.encode(account, flag)), prompt
/// hash is `ADMINISTRATION`, action is `activeAt` (zero for pauses). Account and flag are, for kinds 32 and 33, the
/// signer and true; for 34 and 35, the governor and whether it is allowed; for 36 and 37, the guardian and whether votes
/// are paused.
interface IVoteGate {
    /// @notice The signer may be replaced from `activeAt` on.
    event SignerChangeAnnounced(address indexed signer, uint48 activeAt);
    /// @notice The signer is now this one.
    event SignerChanged(address indexed signer);
    /// @notice The allowlist may be changed from `activeAt` on.
    event GovernorChangeAnnounced(address indexed governor, bool allowed, uint48 activeAt);
    /// @notice Votes in this governor are now allowed, or not.
    event GovernorChanged(address indexed governor, bool allowed);
    /// @notice No votes until they are unpaused; notes go on.
    event VotesPaused(address indexed by);
    /// @notice Votes are possible again.
    event VotesUnpaused(address indexed by);

    /// @notice Only the signer votes and notes.
    error VoteGateNotSigner(address caller);
    /// @notice Only the operator announces changes.
    error VoteGateNotOperator(address caller);
    /// @notice Only the guardian pauses and unpauses.
    error VoteGateNotGuardian(address caller);
    /// @notice The guardian has paused votes.
    error VoteGateVotesPaused();
    /// @notice Votes were not paused.
    error VoteGateVotesNotPaused();
    /// @notice The governor is not on the allowlist.
    error VoteGateGovernorNotAllowed(address governor);
    /// @notice As many governors as a gate can have are allowed already.
    error VoteGateTooManyGovernors(uint256 maximum);
    /// @notice The governor counted nothing; the ballot is kept for a time when there is power behind it.
    error VoteGateNoWeight(address governor, uint256 proposalId);
    /// @notice `note` writes every decision but a vote, and no administration.
    error VoteGateKindNotAllowed(uint8 kind);
    /// @notice An account must not be zero.
    error VoteGateZeroAccount();
    /// @notice The delay for changes is below `MIN_DELAY`.
    error VoteGateDelayTooShort(uint32 delaySeconds, uint32 minimum);
    /// @notice No change of this account was announced.
    error VoteGateNothingAnnounced();
    /// @notice The delay is not over before `activeAt`.
    error VoteGateDelayNotOver(uint48 activeAt);

    /// @notice Writes a VOTE entry and casts the vote it speaks of; both or neither. Signer only.
    /// @param expectedSeq the number that the entry will get
    /// @param governor an allowed governor (OpenZeppelin's `castVoteWithReason`)
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
    ) external returns (uint256 weight);

    /// @notice Writes an entry of a kind from 2 to 7; possible even while votes are paused. Signer only.
    function note(
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    ) external;

    /// @notice Announces a new signer; replaces an announcement that still waits. Operator only.
    function announceSigner(address newSigner) external;

    /// @notice Puts the announced signer in force once the delay is over. Open to everybody.
    function activateSigner() external;

    /// @notice Announces that votes in a governor become allowed, or stop being so; replaces an announcement about the
    /// same governor that still waits. Operator only.
    function announceGovernor(address governor, bool allowed) external;

    /// @notice Puts the announced change of a governor in force once the delay is over. Open to everybody.
    function activateGovernor(address governor) external;

    /// @notice Stops votes at once. Guardian only.
    function pauseVotes() external;

    /// @notice Lets votes go on. Guardian only.
    function unpauseVotes() external;

    /// @notice The log that every entry of this gate goes to.
    function log() external view returns (IDecisionLog);

    /// @notice Who deployed this gate; a gate is genuine when that is a genuine factory which confirms it.
    function factory() external view returns (address);

    function operator() external view returns (address);

    function guardian() external view returns (address);

    /// @notice Time between the announcement of a change and its activation, in seconds.
    function delaySeconds() external view returns (uint32);

    function signer() external view returns (address);

    function votesPaused() external view returns (bool);

    function governorAllowed(address governor) external view returns (bool);

    /// @notice The signer that waits for its activation; zeros when there is none.
    function pendingSigner() external view returns (address account, uint48 activeAt);

    /// @notice The change of a governor that waits for its activation; zeros when there is none.
    function pendingGovernor(address governor) external view returns (bool allowed, uint48 activeAt);
}
