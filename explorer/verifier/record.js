// The record tree and the prompt hash: docs/record-format.md, sections 2 and 3.
import { ZERO_WORD, concat, fromHex, uint } from "./bytes.js";
import { valueHash } from "./canonical.js";
import { keccakHex, tag } from "./hash.js";

/** @typedef {import("./canonical.js").Json} Json */

export const POSITIONS = /** @type {const} */ ([
  "header", "proposal", "calls", "state", "simulation", "context", "prompt", "attempts", "opinions", "checks",
  "ruleset", "rules", "decision", "people", "software", "reserved",
]); // prettier-ignore
export const RESERVED = "reserved";

/** Names of the fields: all positions but the last, which is absent. @type {readonly string[]} */
export const FIELDS = POSITIONS.slice(0, -1);

/** Fields that have a tree of their own, so that one item can be disclosed alone. */
export const LISTS = ["attempts", "rules"];

const SCHEMA = tag("pnyx.record.v1");
export const ABSENT = tag("pnyx.record.absent.v1");
const PROMPT_TAG = tag("pnyx.prompt.v1");
const NO_PROMPT = tag("pnyx.prompt.none.v1");
const NO_RESPONSE = tag("pnyx.prompt.no-response.v1");
const EMPTY_TREE = ZERO_WORD;

/** @param {number} prefix @param {...(string | Uint8Array)} parts */
const hashed = (prefix, ...parts) =>
  keccakHex(concat(uint(prefix, 1), ...parts.map((part) => (typeof part === "string" ? fromHex(part) : part))));

/** @param {number} position @param {string} salt @param {string} hash */
export const leafHash = (position, salt, hash) => hashed(0, SCHEMA, uint(position, 1), salt, hash);

/** @param {number} position @param {number} index @param {string} salt @param {string} hash */
export const itemHash = (position, index, salt, hash) =>
  hashed(2, SCHEMA, uint(position, 1), uint(index, 4), salt, hash);

/** @param {number} position @param {string[]} items */
export const listHash = (position, items) =>
  hashed(3, SCHEMA, uint(position, 1), uint(items.length, 4), treeRoot(items));

/** RFC 6962, section 2.1, over leaves that are hashed already. @param {string[]} leaves @returns {string} */
export function treeRoot(leaves) {
  if (leaves.length === 0) return EMPTY_TREE;
  if (leaves.length === 1) return leaves[0];
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return hashed(1, treeRoot(leaves.slice(0, split)), treeRoot(leaves.slice(split)));
}

/** @param {number} opinion @param {number} number @param {string} request @param {string | null} response */
export const attemptHash = (opinion, number, request, response) =>
  hashed(4, uint(opinion, 4), uint(number, 4), request, response ?? NO_RESPONSE);

/** @param {string} salt @param {string[]} attempts */
export const promptHash = (salt, attempts) =>
  keccakHex(concat(fromHex(PROMPT_TAG), fromHex(salt), fromHex(attempts.length ? treeRoot(attempts) : NO_PROMPT)));

/** @param {string} name */
export const positionOf = (name) => /** @type {readonly string[]} */ (POSITIONS).indexOf(name);

/**
 * The leaf of a field that is disclosed whole.
 * @param {string} name @param {Json} value @param {string} salt @param {string[]} itemSalts one for each item of a list
 */
export function fieldLeaf(name, value, salt, itemSalts) {
  const position = positionOf(name);
  if (!LISTS.includes(name)) return leafHash(position, salt, valueHash(value));
  const items = /** @type {Json[]} */ (value).map((item, index) =>
    itemHash(position, index, itemSalts[index], valueHash(item)),
  );
  return leafHash(position, salt, listHash(position, items));
}
