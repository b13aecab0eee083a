// OpenZeppelin Governor, 4.3 to 5.x: the one dialect that is known here. Only what the contract itself answers decides
// whether it is one; others emit the very same events.
import { decode, encode, encodeCall, selector } from "./abi.js";
import { ZERO_WORD, concat, escapedText, fromHex, toHex } from "./bytes.js";
import { VerifierError, isError } from "./errors.js";
import { checksum, keccak, keccakHex, tag } from "./hash.js";
import { readOf } from "./log.js";

/** @typedef {import("./wire.js").Log} Log */
/** @typedef {import("./wire.js").BlockId} BlockId */
/** @template T @typedef {import("./log.js").Read<T>} Read */

/**
 * @typedef {{ address: string, clockMode: "blocknumber" | "timestamp", canVote: boolean, cannotVoteBecause: string }} Governor
 * @typedef {{ governor: Governor, whyNot: "" } | { governor: null, whyNot: string }} Governed what an address is, or why it is no governor
 */

const KIND = "openzeppelin";

/** `GovernorCountingSimple.VoteType`. @type {{ [vote: string]: number }} */
export const SUPPORT = { against: 0, for: 1, abstain: 2 };

/** By the numbers of `IGovernor.ProposalState`. */
export const STATES = ["pending", "active", "canceled", "defeated", "succeeded", "queued", "expired", "executed"];
/** @param {string} state */
export const isOpen = (state) => state === "pending" || state === "active";

export const CREATED_TOPIC = tag("ProposalCreated(uint256,address,address[],uint256[],string[],bytes[],uint256,uint256,string)");
const VOTE_TOPIC = tag("VoteCast(address,uint256,uint8,uint256,string)");
const VOTE_WITH_PARAMS_TOPIC = tag("VoteCastWithParams(address,uint256,uint8,uint256,string,bytes)");
export const VOTE_TOPICS = [VOTE_TOPIC, VOTE_WITH_PARAMS_TOPIC];

// --- what is it?

/** `IGovernor` of 4.3, of 4.6 with params, of 5.0, of 5.3 with `getProposalId`. */
const INTERFACES = ["0xbf26d897", "0x79dd796f", "0x65455a86", "0xcdbdfcee"];
/** ERC-165: never supported. Whoever says yes says yes to everything. */
const NO_INTERFACE = "0xffffffff";

const NO_CONTENT = encode(["address[]", "uint256[]", "bytes[]", "bytes32"], [[], [], [], ZERO_WORD]);
const ID_OF_NOTHING = BigInt(toHex(keccak(NO_CONTENT)));

/** @param {string} signature @param {unknown[]} [values] */
const call = (signature, values = []) => toHex(encodeCall(signature, values));
/** @param {string} signature */
const withNoContent = (signature) => toHex(concat(fromHex(selector(signature)), NO_CONTENT));

const QUESTIONS = {
  noInterface: call("supportsInterface(bytes4)", [NO_INTERFACE]),
  ...Object.fromEntries(INTERFACES.map((id) => [id, call("supportsInterface(bytes4)", [id])])),
  countingMode: call("COUNTING_MODE()"),
  clockMode: call("CLOCK_MODE()"),
  clock: call("clock()"),
  hashOfNothing: withNoContent("hashProposal(address[],uint256[],bytes[],bytes32)"),
  idOfNothing: withNoContent("getProposalId(address[],uint256[],bytes[],bytes32)"),
};

/**
 * What the contract at an address is, by its own answers.
 * @param {import("./rpc.js").Rpc} rpc @param {string} address @param {BlockId} block @returns {Promise<Governed>}
 */
export async function detect(rpc, address, block) {
  const code = toHex(await rpc.code(address, block));
  if (code === "0x") return unknown(`there is no contract at ${address}`);
  if (code.startsWith("0xef0100")) return unknown(`${address} is a person's account (EIP-7702), not a governor`);
  const reads = Object.values(QUESTIONS).map((data) => ({ to: address, data, understand: (/** @type {Uint8Array} */ answer) => answer }));
  const given = await rpc.readAll(reads, block);
  /** @type {Answers} */
  const answers = {};
  for (const [index, name] of Object.keys(QUESTIONS).entries()) answers[name] = orNull(given[index], "reverted");
  return recognise(address, answers);
}

/** @param {string} whyNot @returns {Governed} */
const unknown = (whyNot) => ({ governor: null, whyNot });

/** By question; null where the call reverted. @typedef {{ [question: string]: Uint8Array | null }} Answers */

/** @param {string} address @param {Answers} answers @returns {Governed} */
function recognise(address, answers) {
  const says = (/** @type {string} */ question) => numberIn(answers[question]) === 1n;
  const countingMode = textIn(answers.countingMode);
  if (says("noInterface") || !INTERFACES.some(says) || countingMode === null) {
    return unknown(`${address} is no governor that is known here (known kinds: ${KIND})`);
  }
  const clockMode = clockModeIn(answers);
  if (clockMode === null) return unknown(`${address} has a clock that is not known here`);
  const cannotVoteBecause = whyNotCounted(countingMode) || whyNotHashed(answers);
  return { governor: { address, clockMode, canVote: !cannotVoteBecause, cannotVoteBecause }, whyNot: "" };
}

/** ERC-6372; a governor older than 4.9 has no clock and counts blocks. @param {Answers} answers */
function clockModeIn(answers) {
  const mode = textIn(answers.clockMode);
  if (mode === null && !answers.clockMode?.length && !answers.clock?.length) return "blocknumber";
  const fields = new URLSearchParams(mode ?? "");
  if (fields.get("mode") === "timestamp") return "timestamp";
  return fields.get("mode") === "blocknumber" && (fields.get("from") ?? "default") === "default" ? "blocknumber" : null;
}

/** Empty when votes are counted as GovernorCountingSimple does. @param {string} countingMode */
function whyNotCounted(countingMode) {
  const fields = new URLSearchParams(countingMode);
  const isSimple = fields.size === 2 && fields.get("support") === "bravo" && fields.get("quorum") === "for,abstain";
  return isSimple ? "" : `it counts votes as ${JSON.stringify(countingMode)}`;
}

/** Empty when ids are hashes of the content: a counter cannot answer with the hash. @param {Answers} answers */
function whyNotHashed(answers) {
  const asked = numberIn(answers[INTERFACES[3]]) === 1n ? ["hashOfNothing", "idOfNothing"] : ["hashOfNothing"];
  const hashed = asked.every((question) => numberIn(answers[question]) === ID_OF_NOTHING);
  return hashed ? "" : "its proposal ids are numbered, so an id does not prove what is voted on";
}

/** @param {Uint8Array | null} answer @returns {string | null} */
const textIn = (answer) => {
  const value = only("bytes", answer);
  return value === null ? null : escapedText(value.subarray(0, 200));
};

/** @param {Uint8Array | null} answer @returns {bigint | null} */
const numberIn = (answer) => only("uint256", answer);

/** @param {string} type @param {Uint8Array | null} answer */
function only(type, answer) {
  if (!answer?.length) return null;
  return orNull(() => decode([type], answer)[0], "differs");
}

/** @template T @param {() => T} get @param {import("./errors.js").ErrorCode} code @returns {T | null} */
function orNull(get, code) {
  try {
    return get();
  } catch (error) {
    if (isError(error, code)) return null;
    throw error;
  }
}

// --- events

const CREATED = ["uint256", "address", "address[]", "uint256[]", "bytes[]", "bytes[]", "uint256", "uint256", "bytes"];
const VOTE = ["uint256", "uint8", "uint256", "bytes"];

/**
 * A proposal as its creation event tells it, in the form of the record's field `proposal`.
 * @param {number} chainId @param {Log} log
 */
export function decodeCreated(chainId, log) {
  if (log.topics.length !== 1) refuse(log, "is no ProposalCreated: its topics differ");
  const words = decodeData(log, CREATED);
  const [id, proposer, targets, values, signatures, calldatas, voteStart, voteEnd, description] = words;
  const columns = [targets, values, signatures, calldatas];
  if (columns.some((column) => column.length !== targets.length)) refuse(log, "its columns differ in length");
  if (signatures.some((/** @type {Uint8Array} */ text) => text.length > 0)) refuse(log, "its signatures are not empty");
  return {
    key: { chain_id: chainId, governor: log.address, proposal_id: String(id) },
    proposer: checksum(proposer),
    calls: targets.map((/** @type {string} */ target, /** @type {number} */ index) => ({
      target: checksum(target),
      value_wei: String(values[index]),
      calldata: toHex(calldatas[index]),
      signature: "",
    })),
    description: toHex(description),
    vote_start: String(voteStart),
    vote_end: String(voteEnd),
    created_block: log.blockNumber,
    created_transaction: log.transactionHash,
  };
}
/** @typedef {ReturnType<typeof decodeCreated>} Proposal */

/** Throws `differs`. @param {Log} log */
export function decodeVote(log) {
  if (log.topics.length !== 2 || !/^0x0{24}/.test(log.topics[1])) refuse(log, "is no vote: its topics differ");
  const [id, support] = decodeData(log, log.topics[0] === VOTE_WITH_PARAMS_TOPIC ? [...VOTE, "bytes"] : VOTE);
  return { voter: checksum(`0x${log.topics[1].slice(26)}`), proposalId: String(id), support: Number(support) };
}

/** @param {Log} log @param {string[]} types */
function decodeData(log, types) {
  try {
    return decode(types, log.data);
  } catch (error) {
    if (isError(error, "differs")) refuse(log, `is malformed: ${error.message}`);
    throw error;
  }
}

/** @param {Log} log @param {string} why @returns {never} */
function refuse(log, why) {
  throw new VerifierError("differs", `log ${log.logIndex} of block ${log.blockNumber} of ${log.address} ${why}`);
}

/** The hash of the content; null for an id that is obviously counted. @param {Proposal} proposal */
export function computedId({ key, calls, description }) {
  if (BigInt(key.proposal_id) < 2n ** 64n) return null;
  const content = [
    calls.map((/** @type {any} */ one) => one.target),
    calls.map((/** @type {any} */ one) => one.value_wei),
    calls.map((/** @type {any} */ one) => fromHex(one.calldata)),
    keccakHex(fromHex(description)),
  ];
  return String(BigInt(keccakHex(encode(["address[]", "uint256[]", "bytes[]", "bytes32"], content))));
}

// --- state

/** @typedef {{ state: string, deadline: bigint, hasVoted: boolean }} Standing of a proposal, and of one account with it */

/** @param {{ address: string }} governor @param {string} id @returns {Read<string>} */
export const stateRead = ({ address }, id) =>
  readOf(address, "state(uint256)", [id], ["uint8"], ([number]) => stateOf(Number(number)));

/** Three reads: state, deadline, whether this account voted. @param {Governor} governor @param {string} id @param {string} voter @returns {Read<any>[]} */
export const standingReads = ({ address }, id, voter) => [
  stateRead({ address }, id),
  readOf(address, "proposalDeadline(uint256)", [id], ["uint256"], ([deadline]) => deadline),
  readOf(address, "hasVoted(uint256,address)", [id, voter], ["bool"], ([yes]) => yes),
];

/** @param {number} number */
function stateOf(number) {
  if (STATES[number] === undefined) throw new VerifierError("differs", `${number} is no proposal state`);
  return STATES[number];
}

/** ERC-6372. @param {Governor} governor @returns {Read<bigint>} */
export const readClock = ({ address }) => readOf(address, "clock()", [], ["uint256"], ([now]) => now);
