// The decision log on chain: its kinds, events and hashes (docs/record-format.md, section 4).
import { concat, escapedText, fromHex, toHex } from "./bytes.js";
import { decode, encode, encodeCall } from "./abi.js";
import { VerifierError, isError } from "./errors.js";
import { checksum, keccakHex, tag } from "./hash.js";

/** @typedef {import("./wire.js").Log} Log */

/** What an entry says. Numbers are those of the contract. */
export const KINDS = /** @type {const} */ ({
  VOTE: 1, SKIP: 2, HOLD: 3, DECISION: 4, VOID: 5, MISSED: 6, CORRECTION: 7, CONFIG_ANNOUNCED: 16, CONFIG_ACTIVATED: 17,
  SUCCEEDED: 18, SUCCEEDS: 19, SIGNER_ANNOUNCED: 32, SIGNER_ACTIVATED: 33, GOVERNOR_ANNOUNCED: 34,
  GOVERNOR_ACTIVATED: 35, PAUSED: 36, UNPAUSED: 37,
}); // prettier-ignore
/** @typedef {keyof typeof KINDS} Kind */

/** @type {Map<bigint, Kind>} */
const KIND_OF = new Map(Object.entries(KINDS).map(([name, number]) => [BigInt(number), /** @type {Kind} */ (name)]));

/** A proposal that has such an entry was answered for. @param {Kind} kind */
export const isTerminal = (kind) => ["VOTE", "SKIP", "HOLD", "DECISION", "MISSED"].includes(kind);

/** Kinds whose record root is that of a bundle of their own. @param {Kind} kind */
export const hasBundle = (kind) => isTerminal(kind) || kind === "CORRECTION";

/** Administration of a gate. @param {Kind} kind */
export const isOfGate = (kind) => KINDS[kind] >= KINDS.SIGNER_ANNOUNCED;

/** @typedef {{ blockNumber: number, transactionHash: string, logIndex: number }} Place */
/**
 * @typedef {{ configHash: string, governors: string[], evidenceUri: string }} Declaration
 * @typedef {{ event: "entry", writer: string, subject: string, kind: Kind, seq: number, epoch: number, time: number,
 *   promptHash: string, recordRoot: string, action: string } & Place} Entry
 * @typedef {{ event: "registered", writer: string, operator: string, noticeSeconds: number, startBlock: number,
 *   genesis: string, declaration: Declaration, subject: string } & Place} Registered
 * @typedef {{ event: "announced", writer: string, epoch: number, activeAt: number, declaration: Declaration,
 *   subject: string } & Place} Announced
 * @typedef {{ event: "activated", writer: string, epoch: number, configHash: string } & Place} Activated
 * @typedef {{ from: string, writer: string, seq: number, verdict: string, hash: string, uri: string } & Place} Remark
 * @typedef {{ head: string, seq: number, epoch: number, registered: boolean, closed: boolean }} WriterState
 * @typedef {{ chainId: number, governor: string, proposalId: string }} ProposalKey
 */

// --- hashes

const GENESIS_TAG = tag("pnyx.DecisionLog.genesis.v1");
export const SUCCESSION = tag("pnyx.DecisionLog.succession.v1");
const HEAD_BYTES = 24;

/** What an entry about a proposal is about. @param {ProposalKey} key */
export const subjectOf = ({ chainId, governor, proposalId }) =>
  keccakHex(encode(["uint256", "address", "uint256"], [chainId, governor, proposalId]));

/** `chain:governor:id`. @param {ProposalKey} key */
export const nameOf = ({ chainId, governor, proposalId }) => `${chainId}:${governor}:${proposalId}`;

/** The action of a vote, by the governor's own number. @param {number} support */
export const voteAction = (support) => toHex(encode(["uint8"], [support]));

/** What binds a declaration. @param {string} configHash @param {string[]} governors @param {Uint8Array} evidenceUri as it stands in the event */
export const declaredHash = (configHash, governors, evidenceUri) =>
  keccakHex(encode(["(bytes32,address[],bytes)"], [[configHash, governors, evidenceUri]]));

/**
 * Every head of a writer descends from its genesis.
 * @param {number} chainId @param {string} log @param {{ writer: string, operator: string, noticeSeconds: number, subject: string }} registered
 */
export const genesisOf = (chainId, log, { writer, operator, noticeSeconds, subject }) =>
  keccakHex(
    encode(
      ["bytes32", "uint256", "address", "address", "address", "uint32", "bytes32"],
      [GENESIS_TAG, chainId, log, writer, operator, noticeSeconds, subject],
    ),
  );

/** The head (24 bytes) before any entry. @param {string} genesis */
export const initialHead = (genesis) => genesis.slice(0, 2 + 2 * HEAD_BYTES);

/**
 * The head after an entry: of `abi(bytes24 head, uint40 seq, uint16 epoch, uint8 kind, uint48 time, bytes32 subject,
 * bytes32 promptHash, bytes32 recordRoot, bytes32 action)`, put together as text because a log has many entries.
 * @param {string} head
 * @param {Pick<Entry, "seq" | "epoch" | "kind" | "time" | "subject" | "promptHash" | "recordRoot" | "action">} entry
 */
export function fold(head, { seq, epoch, kind, time, subject, promptHash, recordRoot, action }) {
  const numbers = [seq, epoch, KINDS[kind], time].map((number) => number.toString(16).padStart(64, "0"));
  const hashes = [subject, promptHash, recordRoot, action].map((hash) => hash.slice(2));
  return initialHead(keccakHex(fromHex([head.padEnd(66, "0"), ...numbers, ...hashes].join(""))));
}

/** Subject of both entries of a succession. @param {string} old @param {string} successor */
export const successionSubject = (old, successor) => keccakHex(encode(["address", "address"], [old, successor]));

// --- events

export const TOPICS = {
  registered: tag("Registered(address,address,uint32,uint64,bytes32,bytes32,address[],string)"),
  entry: tag("Entry(address,bytes32,uint8,uint40,uint16,uint48,bytes32,bytes32,bytes32)"),
  announced: tag("ConfigurationAnnounced(address,uint16,uint48,bytes32,address[],string)"),
  activated: tag("ConfigurationActivated(address,uint16,bytes32)"),
  remarked: tag("Remarked(address,address,uint40,uint8,bytes32,string)"),
};

/** Those of a writer's history. */
export const HISTORY_TOPICS = [TOPICS.registered, TOPICS.entry, TOPICS.announced, TOPICS.activated];

/** What somebody says about an entry, by number. */
const REMARKS = ["", "checked", "differs", "withheld", "answer"];

/** @param {string} address @returns {string} */
export const topicOfAddress = (address) => toHex(encode(["address"], [address]));

/** @param {Log} log @returns {Entry | Registered | Announced | Activated} Throws `differs` for what the log cannot have emitted. */
export function decodeEvent(log) {
  switch (log.topics[0]) {
    case TOPICS.registered:
      return decodeRegistered(log);
    case TOPICS.entry:
      return decodeEntry(log);
    case TOPICS.announced:
      return decodeAnnounced(log);
    case TOPICS.activated:
      return decodeActivated(log);
    default:
      throw new VerifierError("differs", `${placeName(log)}: no event of the log`);
  }
}

/** @param {Log} log @returns {Registered} */
function decodeRegistered(log) {
  const [writer, operator] = indexed(log, "address", "address");
  const types = ["uint32", "uint64", "bytes32", "bytes32", "address[]", "bytes"];
  const [noticeSeconds, startBlock, genesis, ...declared] = data(log, types);
  return {
    event: "registered",
    writer: checksum(writer),
    operator: checksum(operator),
    noticeSeconds: Number(noticeSeconds),
    startBlock: Number(startBlock),
    genesis,
    ...declarationOf(declared),
    ...placeOf(log),
  };
}

/** @param {Log} log @returns {Entry} */
export function decodeEntry(log) {
  const [writer, subject, kind] = indexed(log, "address", "bytes32", "uint8");
  const types = ["uint40", "uint16", "uint48", "bytes32", "bytes32", "bytes32"];
  const [seq, epoch, time, promptHash, recordRoot, action] = data(log, types);
  const name = KIND_OF.get(kind);
  if (name === undefined) throw new VerifierError("differs", `${placeName(log)}: an entry of the unknown kind ${kind}`);
  return {
    event: "entry",
    writer: checksum(writer),
    subject,
    kind: name,
    seq: Number(seq),
    epoch: Number(epoch),
    time: Number(time),
    promptHash,
    recordRoot,
    action,
    ...placeOf(log),
  };
}

/** @param {Log} log @returns {Announced} */
function decodeAnnounced(log) {
  const [writer] = indexed(log, "address");
  const [epoch, activeAt, ...declared] = data(log, ["uint16", "uint48", "bytes32", "address[]", "bytes"]);
  return {
    event: "announced",
    writer: checksum(writer),
    epoch: Number(epoch),
    activeAt: Number(activeAt),
    ...declarationOf(declared),
    ...placeOf(log),
  };
}

/** @param {Log} log @returns {Activated} */
function decodeActivated(log) {
  const [writer] = indexed(log, "address");
  const [epoch, configHash] = data(log, ["uint16", "bytes32"]);
  return { event: "activated", writer: checksum(writer), epoch: Number(epoch), configHash, ...placeOf(log) };
}

/** @param {Log} log @returns {Remark} */
export function decodeRemark(log) {
  const [from, writer, seq] = indexed(log, "address", "address", "uint40");
  const [verdict, hash, uri] = data(log, ["uint8", "bytes32", "bytes"]);
  const said = REMARKS[Number(verdict)];
  if (!said) throw new VerifierError("differs", `${placeName(log)}: a remark of the unknown kind ${verdict}`);
  return {
    from: checksum(from),
    writer: checksum(writer),
    seq: Number(seq),
    verdict: said,
    hash,
    uri: escapedText(uri),
    ...placeOf(log),
  };
}

/** The indexed words of an event. @param {Log} log @param {...string} types @returns {any[]} */
function indexed(log, ...types) {
  if (log.topics.length !== types.length + 1) throw new VerifierError("differs", `${placeName(log)}: other topics`);
  return decoded(log, types, concat(...log.topics.slice(1).map(fromHex)));
}

/** @param {Log} log @param {string[]} types */
const data = (log, types) => decoded(log, types, log.data);

/** @param {Log} log @param {string[]} types @param {Uint8Array} bytes */
function decoded(log, types, bytes) {
  try {
    return decode(types, bytes);
  } catch (error) {
    if (!isError(error, "differs")) throw error;
    throw new VerifierError("differs", `${placeName(log)}: ${error.message}`);
  }
}

/** @param {any[]} words @returns {{ declaration: Declaration, subject: string }} */
function declarationOf([configHash, governors, evidenceUri]) {
  return {
    declaration: { configHash, governors: governors.map(checksum), evidenceUri: escapedText(evidenceUri) },
    subject: declaredHash(configHash, governors, evidenceUri),
  };
}

/** @param {Log} log @returns {Place} */
const placeOf = ({ blockNumber, transactionHash, logIndex }) => ({ blockNumber, transactionHash, logIndex });

/** @param {Log} log */
const placeName = (log) => `log ${log.logIndex} of ${log.transactionHash}`;

// --- reads

/**
 * One `eth_call`: where, what bytes, how to understand the answer (throws `differs`).
 * @template T @typedef {{ to: string, data: string, understand: (answer: Uint8Array) => T }} Read
 */

/** @template T @param {string} to @param {string} signature @param {unknown[]} values @param {string[]} types @param {(words: any[]) => T} understand @returns {Read<T>} */
export const readOf = (to, signature, values, types, understand) => ({
  to,
  data: toHex(encodeCall(signature, values)),
  understand: (answer) => understand(decode(types, answer)),
});

/** @param {string} log @param {string} writer @returns {Read<WriterState>} */
export const readState = (log, writer) =>
  readOf(log, "stateOf(address)", [writer], ["bytes24", "uint40", "uint16", "uint8"], ([head, seq, epoch, flags]) => ({
    head,
    seq: Number(seq),
    epoch: Number(epoch),
    registered: (flags & 1n) === 1n,
    closed: (flags & 2n) === 2n,
  }));

/** @param {string} gate @returns {Read<string>} */
export const readFactory = (gate) => readOf(gate, "factory()", [], ["address"], ([factory]) => checksum(factory));

/** @param {string} factory @param {string} gate @returns {Read<boolean>} */
export const readIsGate = (factory, gate) => readOf(factory, "isGate(address)", [gate], ["bool"], ([yes]) => yes);
