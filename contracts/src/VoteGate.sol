// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EntryKind, IDecisionLog} from "./IDecisionLog.sol";
import {IVotable} from "./IVotable.sol";
import {IVoteGate} from "./IVoteGate.sol";

/// @title VoteGate
/// @notice See {IVoteGate}. Made by a {VoteGateFactory}; registers itself in the log while it is made.
contract VoteGate is IVoteGate {
    struct PendingSigner {
        address account;
        uint48 activeAt;
    }

    struct PendingGovernor {
        bool allowed;
        uint48 activeAt;
    }

    /// @notice The shortest delay for changes of the signer and of the governors, in seconds.
    uint32 public constant MIN_DELAY = 1 days;

    /// @notice The most governors that a gate allows at once: a pause has to reach all of them in one transaction.
    uint256 public constant MAX_GOVERNORS = 16;

    /// @notice The prompt hash of administrative entries: no model was asked.
    bytes32 public constant ADMINISTRATION = keccak256("pnyx.VoteGate.administration.v1");

    IDecisionLog public immutable log;
    address public immutable factory;
    address public immutable operator;
    address public immutable guardian;
    uint32 public immutable delaySeconds;

    /// @dev Who may vote in a governor at this moment: the signer, or nobody. It follows from signer, pause and allowlist
    /// and is written again whenever one of them changes, so that a vote reads one slot and not two.
    mapping(address governor => address) private _voters;

    address public signer;
    bool public votesPaused;
    mapping(address governor => bool) public governorAllowed;
    address[] private _governors;

    PendingSigner public pendingSigner;
    mapping(address governor => PendingGovernor) public pendingGovernor;

    modifier onlySigner() {
        require(msg.sender == signer, VoteGateNotSigner(msg.sender));
        _;
    }

    modifier onlyOperator() {
        require(msg.sender == operator, VoteGateNotOperator(msg.sender));
        _;
    }

    modifier onlyGuardian() {
        require(msg.sender == guardian, VoteGateNotGuardian(msg.sender));
        _;
    }

    /// @param configuration what the gate registers with; its governors are the first allowlist
    constructor(
        IDecisionLog log_,
        address operator_,
        address guardian_,
        address signer_,
        uint32 delaySeconds_,
        uint32 noticeSeconds,
        IDecisionLog.Configuration memory configuration
    ) {
        require(
            operator_ != address(0) && guardian_ != address(0) && signer_ != address(0), VoteGateZeroAccount()
        );
        require(delaySeconds_ >= MIN_DELAY, VoteGateDelayTooShort(delaySeconds_, MIN_DELAY));
        log = log_;
        factory = msg.sender;
        operator = operator_;
        guardian = guardian_;
        delaySeconds = delaySeconds_;

        signer = signer_;
        emit SignerChanged(signer_);
        for (uint256 i = 0; i < configuration.governors.length; ++i) {
            _setGovernor(configuration.governors[i], true);
        }
        log_.register(operator_, noticeSeconds, configuration);
    }

    /// @inheritdoc IVoteGate
    /// @dev The entry comes first, so that it has the lower log index, and so that a governor that calls back finds it
    /// written. Nothing of the gate's own state changes here: there is nothing for such a call to disturb.
    function vote(
        uint40 expectedSeq,
        address governor,
        uint256 proposalId,
        uint8 support,
        bytes32 promptHash,
        bytes32 recordRoot,
        string calldata reason
    ) external returns (uint256 weight) {
        if (msg.sender != _voters[governor]) _refuse(governor);

        log.record(
            expectedSeq,
            EntryKind.VOTE,
            keccak256(abi.encode(block.chainid, governor, proposalId)),
            promptHash,
            recordRoot,
            bytes32(uint256(support))
        );
        weight = IVotable(governor).castVoteWithReason(proposalId, support, reason);
        require(weight != 0, VoteGateNoWeight(governor, proposalId));
    }

    /// @inheritdoc IVoteGate
    function note(
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    ) external onlySigner {
        require(kind != EntryKind.VOTE && kind < EntryKind.CONFIG_ANNOUNCED, VoteGateKindNotAllowed(kind));
        log.record(expectedSeq, kind, subject, promptHash, recordRoot, action);
    }

    /// @inheritdoc IVoteGate
    function announceSigner(address newSigner) external onlyOperator {
        require(newSigner != address(0), VoteGateZeroAccount());
        uint48 activeAt = _afterDelay();
        pendingSigner = PendingSigner({account: newSigner, activeAt: activeAt});
        emit SignerChangeAnnounced(newSigner, activeAt);
        _enter(EntryKind.SIGNER_ANNOUNCED, newSigner, true, activeAt);
    }

    /// @inheritdoc IVoteGate
    function activateSigner() external {
        PendingSigner memory pending = pendingSigner;
        _requireOver(pending.activeAt);
        delete pendingSigner;
        signer = pending.account;
        _updateVoters();
        emit SignerChanged(pending.account);
        _enter(EntryKind.SIGNER_ACTIVATED, pending.account, true, pending.activeAt);
    }

    /// @inheritdoc IVoteGate
    function announceGovernor(address governor, bool allowed) external onlyOperator {
        require(governor != address(0), VoteGateZeroAccount());
        uint48 activeAt = _afterDelay();
        pendingGovernor[governor] = PendingGovernor({allowed: allowed, activeAt: activeAt});
        emit GovernorChangeAnnounced(governor, allowed, activeAt);
        _enter(EntryKind.GOVERNOR_ANNOUNCED, governor, allowed, activeAt);
    }

    /// @inheritdoc IVoteGate
    function activateGovernor(address governor) external {
        PendingGovernor memory pending = pendingGovernor[governor];
        _requireOver(pending.activeAt);
        delete pendingGovernor[governor];
        _setGovernor(governor, pending.allowed);
        _enter(EntryKind.GOVERNOR_ACTIVATED, governor, pending.allowed, pending.activeAt);
    }

    /// @inheritdoc IVoteGate
    function pauseVotes() external onlyGuardian {
        require(!votesPaused, VoteGateVotesPaused());
        votesPaused = true;
        _updateVoters();
        emit VotesPaused(msg.sender);
        _enter(EntryKind.PAUSED, msg.sender, true, 0);
    }

    /// @inheritdoc IVoteGate
    function unpauseVotes() external onlyGuardian {
        require(votesPaused, VoteGateVotesNotPaused());
        votesPaused = false;
        _updateVoters();
        emit VotesUnpaused(msg.sender);
        _enter(EntryKind.UNPAUSED, msg.sender, false, 0);
    }

    function _setGovernor(address governor, bool allowed) private {
        require(governor != address(0), VoteGateZeroAccount());
        if (allowed && !governorAllowed[governor]) {
            require(_governors.length < MAX_GOVERNORS, VoteGateTooManyGovernors(MAX_GOVERNORS));
            _governors.push(governor);
        } else if (!allowed && governorAllowed[governor]) {
            _removeGovernor(governor);
        }
        governorAllowed[governor] = allowed;
        _updateVoter(governor);
        emit GovernorChanged(governor, allowed);
    }

    function _removeGovernor(address governor) private {
        uint256 last = _governors.length - 1;
        for (uint256 i = 0; i < last; ++i) {
            if (_governors[i] == governor) {
                _governors[i] = _governors[last];
                break;
            }
        }
        _governors.pop();
    }

    function _updateVoters() private {
        uint256 count = _governors.length;
        for (uint256 i = 0; i < count; ++i) {
            _updateVoter(_governors[i]);
        }
    }

    function _updateVoter(address governor) private {
        _voters[governor] = governorAllowed[governor] && !votesPaused ? signer : address(0);
    }

    /// @dev Says why the caller may not vote in the governor.
    function _refuse(address governor) private view {
        require(msg.sender == signer, VoteGateNotSigner(msg.sender));
        require(!votesPaused, VoteGateVotesPaused());
        revert VoteGateGovernorNotAllowed(governor);
    }

    /// @dev Administration must not fail because the signer was quicker: it takes whatever number comes next.
    function _enter(uint8 kind, address account, bool flag, uint48 activeAt) private {
        (, uint40 seq,,) = log.stateOf(address(this));
        bytes32 subject = keccak256(abi.encode(account, flag));
        log.record(seq + 1, kind, subject, ADMINISTRATION, subject, bytes32(uint256(activeAt)));
    }

    function _afterDelay() private view returns (uint48) {
        return uint48(block.timestamp) + delaySeconds;
    }

    function _requireOver(uint48 activeAt) private view {
        require(activeAt != 0, VoteGateNothingAnnounced());
        require(block.timestamp >= activeAt, VoteGateDelayNotOver(activeAt));
    }
}
