// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Kinds of entries in the decision log
/// @notice 1 to 7 are an agent's decisions, 16 and 17 changes of its configuration, 18 and 19 the succession of its
/// key, 32 to 37 the administration of its vote gate. Every other number is reserved and refused.
library EntryKind {
    /// @dev A vote. Through a gate it stands in the same transaction as the vote itself.
    uint8 internal constant VOTE = 1;
    /// @dev The agent does not vote on this proposal, and the record says why.
    uint8 internal constant SKIP = 2;
    /// @dev The decision waits for people.
    uint8 internal constant HOLD = 3;
    /// @dev A decision that casts no vote by itself (observe and propose modes).
    uint8 internal constant DECISION = 4;
    /// @dev The proposal ended before the agent's decision mattered.
    uint8 internal constant VOID = 5;
    /// @dev The deadline passed without a decision.
    uint8 internal constant MISSED = 6;
    /// @dev Corrects an earlier entry; entries are never deleted.
    uint8 internal constant CORRECTION = 7;

    uint8 internal constant CONFIG_ANNOUNCED = 16;
    uint8 internal constant CONFIG_ACTIVATED = 17;

    /// @dev The last entry of a writer, which names its successor.
    uint8 internal constant SUCCEEDED = 18;
    /// @dev The first entry of a successor, which names its predecessor and binds the predecessor's last head.
    uint8 internal constant SUCCEEDS = 19;

    uint8 internal constant SIGNER_ANNOUNCED = 32;
    uint8 internal constant SIGNER_ACTIVATED = 33;
    uint8 internal constant GOVERNOR_ANNOUNCED = 34;
    uint8 internal constant GOVERNOR_ACTIVATED = 35;
    uint8 internal constant PAUSED = 36;
    uint8 internal constant UNPAUSED = 37;
}

/// @title Verdicts of remarks
/// @notice What somebody says about an entry. Every other number is reserved and refused.
library Verdict {
    /// @dev The entry was checked, and nothing differs.
    uint8 internal constant CHECKED = 1;
    /// @dev Something that was checked differs.
    uint8 internal constant DIFFERS = 2;
    /// @dev The evidence is withheld: a challenge to publish it.
    uint8 internal constant WITHHELD = 3;
    /// @dev An answer to earlier remarks.
    uint8 internal constant ANSWER = 4;
}

/// @title The decision log
/// @notice An append-only sequence of entries per writer. Each writer owns one storage slot with a running hash (the
/// head) over its registration and all of its entries, so nobody can drop, alter or reorder one unseen: whoever has the
/// events recomputes the head and compares it with the state.
///
/// The log proves who declared what, when, in which order, and that nothing is missing. It does not prove that a
/// declaration is true.
interface IDecisionLog {
    /// @notice What a writer decides by, and about which governors.
    /// @param configHash keccak256 of the canonical configuration (model, prompt templates, ruleset, code version, mode)
    /// @param governors the governors whose proposals this writer undertakes to decide
    /// @param evidenceUri where the evidence bundles lie
    struct Configuration {
        bytes32 configHash;
        address[] governors;
        string evidenceUri;
    }

    /// @notice A writer joined the log; its configuration is that of epoch 0.
    /// @param genesis the full 32 bytes of which the first 24 are the writer's initial head; binds chain, log, writer
    /// and everything else in this event except `startBlock`
    event Registered(
        address indexed writer,
        address indexed operator,
        uint32 noticeSeconds,
        uint64 startBlock,
        bytes32 genesis,
        bytes32 configHash,
        address[] governors,
        string evidenceUri
    );

    /// @notice One entry. Everything in it, and nothing else, goes into the writer's head.
    /// @param seq number of this entry, from 1, without gaps
    /// @param epoch number of the configuration in force; an activation is the last entry of the old epoch
    /// @param time timestamp of the block, in seconds
    event Entry(
        address indexed writer,
        bytes32 indexed subject,
        uint8 indexed kind,
        uint40 seq,
        uint16 epoch,
        uint48 time,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    );

    /// @notice A configuration may become active from `activeAt` on. It replaces any that was still waiting.
    /// @param epoch the epoch that its activation will start
    event ConfigurationAnnounced(
        address indexed writer,
        uint16 epoch,
        uint48 activeAt,
        bytes32 configHash,
        address[] governors,
        string evidenceUri
    );

    /// @notice The announced configuration is in force.
    /// @param epoch the epoch that starts with it
    event ConfigurationActivated(address indexed writer, uint16 epoch, bytes32 configHash);

    /// @notice Somebody, who may be anybody, says something about an entry. The state of the log does not change, and no
    /// head binds it: a remark is worth as much as the account that made it.
    /// @param verdict 1 checked, 2 differs, 3 evidence withheld, 4 answer
    /// @param hash keccak256 of the document at `uri`; zero when there is none
    event Remarked(
        address indexed from,
        address indexed writer,
        uint40 indexed seq,
        uint8 verdict,
        bytes32 hash,
        string uri
    );

    /// @notice The writer has not registered.
    error DecisionLogNotRegistered(address writer);
    /// @notice A writer registers once and for all.
    error DecisionLogAlreadyRegistered(address writer);
    /// @notice A configuration could otherwise never be changed.
    error DecisionLogZeroOperator();
    /// @notice The notice for changes of configuration is below `MIN_NOTICE`.
    error DecisionLogNoticeTooShort(uint32 noticeSeconds, uint32 minimum);
    /// @notice The caller gave `expected`, but the next entry has the number `actual`: another entry came first, or
    /// this one was written already.
    error DecisionLogUnexpectedSeq(uint40 expected, uint40 actual);
    /// @notice The kind is reserved, or written only by the log itself.
    error DecisionLogKindNotAllowed(uint8 kind);
    /// @notice A prompt hash, record root or configuration hash is zero.
    error DecisionLogZeroHash();
    /// @notice The writer has a successor; its last entry stands.
    error DecisionLogClosed(address writer);
    /// @notice A successor starts with its predecessor's last head, but this writer has `entries` already.
    error DecisionLogSuccessorNotNew(address writer, uint40 entries);
    /// @notice The writer has no entry of this number.
    error DecisionLogNoSuchEntry(address writer, uint40 seq);
    /// @notice The verdict is reserved.
    error DecisionLogVerdictNotAllowed(uint8 verdict);
    /// @notice Only the writer's operator announces configurations and names a successor.
    error DecisionLogNotOperator(address writer, address caller);
    /// @notice No configuration is waiting.
    error DecisionLogNothingAnnounced(address writer);
    /// @notice The notice is not over before `activeAt`.
    error DecisionLogNoticeNotOver(address writer, uint48 activeAt);

    /// @notice Makes the caller a writer, once.
    /// @param operator who may announce changes of the configuration
    /// @param noticeSeconds time between the announcement of a configuration and its activation
    function register(address operator, uint32 noticeSeconds, Configuration calldata configuration) external;

    /// @notice Appends an entry of the caller.
    /// @param expectedSeq the number that this entry will get (entries so far, plus one); makes retries harmless
    /// @param kind one of 1 to 7, or 32 to 37
    /// @param subject what the entry is about; of a proposal keccak256(abi.encode(chainid, governor, proposalId))
    /// @param promptHash binds every request to, and response of, the model; not zero
    /// @param recordRoot root of the decision record; not zero
    /// @param action what was done; of a vote bytes32(uint256(support))
    /// @return head the writer's new head, 24 bytes followed by zeros
    function record(
        uint40 expectedSeq,
        uint8 kind,
        bytes32 subject,
        bytes32 promptHash,
        bytes32 recordRoot,
        bytes32 action
    ) external returns (bytes32 head);

    /// @notice Announces a configuration of `writer`, as an entry. Operator only.
    function announce(address writer, uint40 expectedSeq, Configuration calldata configuration) external;

    /// @notice Puts the announced configuration in force once its notice is over, as an entry. Open to everybody.
    function activate(address writer, uint40 expectedSeq) external;

    /// @notice Ends the entries of a writer and starts those of its successor, in one step: the last entry of the old one
    /// (SUCCEEDED) names the new one, and the first entry of the new one (SUCCEEDS) binds the old one's last head. The old
    /// writer is closed for ever. Only for the account that is operator of both.
    /// @dev Voting power does not move: members delegate to the new writer themselves.
    /// @param expectedSeq the number that the last entry of `oldWriter` will get
    /// @param newWriter registered, and without any entry
    function succeed(address oldWriter, uint40 expectedSeq, address newWriter) external;

    /// @notice Says something about an entry that exists; an event and nothing more. Open to everybody.
    /// @param verdict 1 checked, 2 differs, 3 evidence withheld, 4 answer
    /// @param hash keccak256 of the document at `uri`; zero when there is none
    function remark(address writer, uint40 seq, uint8 verdict, bytes32 hash, string calldata uri) external;

    /// @notice The state of a writer. `flags` bit 0: registered; bit 1: closed; the other bits are zero.
    function stateOf(address writer)
        external
        view
        returns (bytes24 head, uint40 seq, uint16 epoch, uint8 flags);

    /// @notice The operator of a writer and its notice; zeros for an unknown writer.
    function operatorOf(address writer) external view returns (address operator, uint32 noticeSeconds);

    /// @notice The configuration that waits for its activation; zeros when there is none.
    /// @param subject keccak256(abi.encode(configuration))
    function pendingOf(address writer)
        external
        view
        returns (bytes32 subject, bytes32 configHash, uint48 activeAt);
}
