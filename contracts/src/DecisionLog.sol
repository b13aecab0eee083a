// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {EntryKind, IDecisionLog, Verdict} from "./IDecisionLog.sol";

/// @title DecisionLog
/// @notice See {IDecisionLog}. No owner, no proxy, no way to change or delete an entry.
contract DecisionLog is IDecisionLog {
    struct Operator {
        address account;
        uint32 noticeSeconds;
    }

    struct Pending {
        bytes32 subject;
        bytes32 configHash;
        uint48 activeAt;
    }

    /// @notice The shortest notice for changes of configuration, in seconds.
    uint32 public constant MIN_NOTICE = 1 days;

    /// @dev The prompt hash of the two entries of a succession: no model was asked.
    bytes32 private constant SUCCESSION = keccak256("pnyx.DecisionLog.succession.v1");

    bytes32 private constant GENESIS_TAG = keccak256("pnyx.DecisionLog.genesis.v1");

    /// @dev Flags. A writer writes while it is registered and nothing else.
    uint256 private constant REGISTERED = 1;
    uint256 private constant CLOSED = 2;
    uint256 private constant EPOCH_SHIFT = 8;
    uint256 private constant SEQ_SHIFT = 24;

    /// @dev Bit n is set when a writer may record the kind n.
    uint256 private constant RECORDABLE_KINDS = (1 << EntryKind.VOTE) | (1 << EntryKind.SKIP)
        | (1 << EntryKind.HOLD) | (1 << EntryKind.DECISION) | (1 << EntryKind.VOID) | (1 << EntryKind.MISSED)
        | (1 << EntryKind.CORRECTION) | (1 << EntryKind.SIGNER_ANNOUNCED) | (1 << EntryKind.SIGNER_ACTIVATED)
        | (1 << EntryKind.GOVERNOR_ANNOUNCED) | (1 << EntryKind.GOVERNOR_ACTIVATED) | (1 << EntryKind.PAUSED)
        | (1 << EntryKind.UNPAUSED);

    /// @dev Everything that `record` touches, in one word: head (192 bits), seq (40), epoch (16), flags (8). Packed by
    /// hand: a struct of the same shape costs 1,400 gas more per entry.
    mapping(address writer => uint256) private _states;
    mapping(address writer => Operator) private _operators;
    mapping(address writer => Pending) private _pending;

    /// @inheritdoc IDecisionLog
    function register(address operator, uint32 noticeSeconds, Configuration calldata configuration) external {
        require(_states[msg.sender] == 0, DecisionLogAlreadyRegistered(msg.sender));
        require(operator != address(0), DecisionLogZeroOperator());
        require(noticeSeconds >= MIN_NOTICE, DecisionLogNoticeTooShort(noticeSeconds, MIN_NOTICE));
        require(configuration.configHash != 0, DecisionLogZeroHash());

        bytes32 genesis = keccak256(
            abi.encode(
                GENESIS_TAG,
                block.chainid,
                address(this),
                msg.sender,
                operator,
                noticeSeconds,
                keccak256(abi.encode(configuration))
            )
        );
        _states[msg.sender] = uint256(bytes32(bytes24(genesis))) | REGISTERED;
        _operators[msg.sender] = Operator({account: operator, noticeSeconds: noticeSeconds});

        emit Registered(
            msg.sender,
            operator,
            noticeSeconds,
            uint64(block.number),
            genesis,
            configuration.configHash,
            configuration.governors,
            configuration.evidenceUri
        );
    }

    /// @inheritdoc IDecisionLog
    function record(
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    ) external returns (bytes32 head) {
        require((RECORDABLE_KINDS >> kind) & 1 == 1, DecisionLogKindNotAllowed(kind));
        require(promptHash != 0 && recordRoot != 0, DecisionLogZeroHash());
        return _append(msg.sender, expectedSeq, kind, subject, promptHash, recordRoot, action);
    }

    /// @inheritdoc IDecisionLog
    /// @dev The entry: subject and record root are keccak256(abi.encode(configuration)), prompt hash is the
    /// configuration hash, action is `activeAt`.
    function announce(address writer, uint40 expectedSeq, Configuration calldata configuration) external {
        Operator memory operator = _operators[writer];
        require(msg.sender == operator.account, DecisionLogNotOperator(writer, msg.sender));
        bytes32 configHash = configuration.configHash;
        require(configHash != 0, DecisionLogZeroHash());

        bytes32 subject = keccak256(abi.encode(configuration));
        uint48 activeAt = uint48(block.timestamp) + operator.noticeSeconds;
        _pending[writer] = Pending({subject: subject, configHash: configHash, activeAt: activeAt});

        emit ConfigurationAnnounced(
            writer,
            _epochOf(_states[writer]) + 1,
            activeAt,
            configHash,
            configuration.governors,
            configuration.evidenceUri
        );
        _append(
            writer,
            expectedSeq,
            EntryKind.CONFIG_ANNOUNCED,
            subject,
            configHash,
            subject,
            bytes32(uint256(activeAt))
        );
    }

    /// @inheritdoc IDecisionLog
    /// @dev The entry has the words of the announcement, and is the last one of the old epoch.
    function activate(address writer, uint40 expectedSeq) external {
        uint256 state = _states[writer];
        if (uint8(state) != REGISTERED) _refuse(writer, state);
        Pending memory pending = _pending[writer];
        require(pending.activeAt != 0, DecisionLogNothingAnnounced(writer));
        require(block.timestamp >= pending.activeAt, DecisionLogNoticeNotOver(writer, pending.activeAt));
        delete _pending[writer];

        _append(
            writer,
            expectedSeq,
            EntryKind.CONFIG_ACTIVATED,
            pending.subject,
            pending.configHash,
            pending.subject,
            bytes32(uint256(pending.activeAt))
        );
        uint16 epoch = _epochOf(_states[writer]) + 1;
        _states[writer] += 1 << EPOCH_SHIFT;
        emit ConfigurationActivated(writer, epoch, pending.configHash);
    }

    /// @inheritdoc IDecisionLog
    /// @dev Both entries: subject is keccak256(abi.encode(oldWriter, newWriter)), prompt hash is `SUCCESSION`. The record
    /// root is the subject in the old chain, and the old chain's last head in the new one; the action is the other writer.
    function succeed(address oldWriter, uint40 expectedSeq, address newWriter) external {
        require(msg.sender == _operators[oldWriter].account, DecisionLogNotOperator(oldWriter, msg.sender));
        require(msg.sender == _operators[newWriter].account, DecisionLogNotOperator(newWriter, msg.sender));

        bytes32 subject = keccak256(abi.encode(oldWriter, newWriter));
        bytes32 lastHead = _append(
            oldWriter, expectedSeq, EntryKind.SUCCEEDED, subject, SUCCESSION, subject, _wordOf(newWriter)
        );
        _states[oldWriter] |= CLOSED;

        // Asked only now, so that no writer succeeds itself: the old one has an entry by now.
        uint40 entries = _seqOf(_states[newWriter]);
        require(entries == 0, DecisionLogSuccessorNotNew(newWriter, entries));
        _append(newWriter, 1, EntryKind.SUCCEEDS, subject, SUCCESSION, lastHead, _wordOf(oldWriter));
    }

    /// @inheritdoc IDecisionLog
    function remark(address writer, uint40 seq, uint8 verdict, bytes32 hash, string calldata uri) external {
        require(
            verdict >= Verdict.CHECKED && verdict <= Verdict.ANSWER, DecisionLogVerdictNotAllowed(verdict)
        );
        require(seq != 0 && seq <= _seqOf(_states[writer]), DecisionLogNoSuchEntry(writer, seq));
        emit Remarked(msg.sender, writer, seq, verdict, hash, uri);
    }

    /// @inheritdoc IDecisionLog
    function stateOf(address writer)
        external
        view
        returns (bytes24 head, uint40 seq, uint16 epoch, uint8 flags)
    {
        uint256 state = _states[writer];
        return (bytes24(bytes32(state)), _seqOf(state), _epochOf(state), uint8(state));
    }

    /// @inheritdoc IDecisionLog
    function operatorOf(address writer) external view returns (address operator, uint32 noticeSeconds) {
        Operator memory known = _operators[writer];
        return (known.account, known.noticeSeconds);
    }

    /// @inheritdoc IDecisionLog
    function pendingOf(address writer)
        external
        view
        returns (bytes32 subject, bytes32 configHash, uint48 activeAt)
    {
        Pending memory pending = _pending[writer];
        return (pending.subject, pending.configHash, pending.activeAt);
    }

    /// @dev Appends one entry: the new head binds the old one and every word of the event.
    function _append(
        address writer,
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    ) private returns (bytes32) {
        uint256 state = _states[writer];
        if (uint8(state) != REGISTERED) _refuse(writer, state);
        uint40 seq = uint40(state >> SEQ_SHIFT) + 1;
        require(expectedSeq == seq, DecisionLogUnexpectedSeq(expectedSeq, seq));
        uint16 epoch = _epochOf(state);

        bytes24 head = bytes24(
            keccak256(
                abi.encode(
                    bytes24(bytes32(state)),
                    seq,
                    epoch,
                    kind,
                    uint48(block.timestamp),
                    subject,
                    promptHash,
                    recordRoot,
                    action
                )
            )
        );
        _states[writer] = uint256(bytes32(head)) | (uint256(seq) << SEQ_SHIFT) | uint24(state);

        emit Entry(writer, subject, kind, seq, epoch, uint48(block.timestamp), promptHash, recordRoot, action);
        return head;
    }

    /// @dev Says why the writer may not write.
    function _refuse(address writer, uint256 state) private pure {
        require(state != 0, DecisionLogNotRegistered(writer));
        revert DecisionLogClosed(writer);
    }

    function _seqOf(uint256 state) private pure returns (uint40) {
        return uint40(state >> SEQ_SHIFT);
    }

    function _epochOf(uint256 state) private pure returns (uint16) {
        return uint16(state >> EPOCH_SHIFT);
    }

    function _wordOf(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
