// Values as they travel in JSON-RPC, in both directions. Nothing that a node says is trusted to have the right shape: what
// has another one throws a `TypeError`.
import { fromHex } from "./bytes.js";
import { VerifierError } from "./errors.js";
import { checksum } from "./hash.js";

/** @typedef {{ number: number, hash: string, timestamp: number }} Block */
/** @typedef {{ address: string, topics: string[], data: Uint8Array, blockNumber: number, transactionHash: string, logIndex: number }} Log */
/** A number, a hash of 32 bytes, or a tag. @typedef {number | string} BlockId */
/** As in `eth_getLogs`: null matches all, a list any of its members. @typedef {(string | string[] | null)[]} Topics */
/** @typedef {{ method: string, params: unknown[] }} Question */

/** @param {{ to?: string, data: string }} transaction @param {BlockId} block @returns {Question} */
export const callQuestion = (transaction, block) => ({ method: "eth_call", params: [transaction, blockParam(block)] });

/** @param {number} number */
export const hexOf = (number) => `0x${number.toString(16)}`;

/** @param {BlockId} block @returns {block is string} */
export const isHash = (block) => typeof block === "string" && /^0x[0-9a-f]{64}$/.test(block);

/** @param {BlockId} block */
export function blockParam(block) {
  if (typeof block === "number" && Number.isSafeInteger(block) && block >= 0) return hexOf(block);
  if (isHash(block)) return { blockHash: block }; // EIP-1898
  if (["latest", "safe", "finalized", "earliest"].includes(String(block))) return block;
  throw new VerifierError("usage", `expected a block number, a block hash or a tag, got ${String(block).slice(0, 80)}`);
}

/** @param {unknown} value @returns {string} */
export function hexQuantity(value) {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,64}$/.test(value)) throw new TypeError("expected a hex quantity");
  return value;
}

/** @param {unknown} value @returns {number} */
export function quantity(value) {
  const number = Number(hexQuantity(value));
  if (!Number.isSafeInteger(number)) throw new TypeError("a number beyond 2**53-1");
  return number;
}

/** @param {unknown} value @returns {Uint8Array} */
export function bytes(value) {
  if (typeof value !== "string") throw new TypeError("expected 0x hex bytes");
  return fromHex(value);
}

/** @param {unknown} value @returns {string} */
function word(value) {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{64}$/.test(value)) throw new TypeError("expected 32 bytes");
  return value.toLowerCase();
}

/** @param {unknown} value @returns {string} */
export function addressOf(value) {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{40}$/.test(value)) throw new TypeError("expected 20 bytes");
  return checksum(value);
}

/** @param {unknown} value @returns {any} */
function objectOf(value) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new TypeError("expected an object");
  return value;
}

/** @param {unknown} value @returns {Block | null} */
export function blockOf(value) {
  if (value === null) return null;
  const block = objectOf(value);
  return { number: quantity(block.number), hash: word(block.hash), timestamp: quantity(block.timestamp) };
}

/** @param {unknown} value @returns {Log[]} */
export function logsOf(value) {
  if (!Array.isArray(value)) throw new TypeError("expected a list of logs");
  return value.map(logOf);
}

/** @param {unknown} value @returns {Log} */
function logOf(value) {
  const log = objectOf(value);
  if (log.removed === true) throw new TypeError("a log that a reorganisation removed");
  if (!Array.isArray(log.topics) || log.topics.length > 4) throw new TypeError("expected a list of at most 4 topics");
  return {
    address: addressOf(log.address),
    topics: log.topics.map(word),
    data: bytes(log.data),
    blockNumber: quantity(log.blockNumber),
    transactionHash: word(log.transactionHash),
    logIndex: quantity(log.logIndex),
  };
}

/** @param {Topics} topics @param {string[] | null} addresses @returns {(log: Log) => boolean} */
export function matcher(topics, addresses) {
  const known = addresses && new Set(addresses.map((address) => address.toLowerCase()));
  const wanted = topics.map((topic) => (topic === null ? null : [topic].flat()));
  return (log) =>
    (known === null || known.has(log.address.toLowerCase())) &&
    wanted.every((any, index) => index < log.topics.length && (any === null || any.includes(log.topics[index])));
}
