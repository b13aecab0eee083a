// The evidence bundle: docs/record-format.md, section 5. What it claims about itself is recomputed, never taken on trust.
import { fromHex, textOf, utf8 } from "./bytes.js";
import { canonical, firstDifference, isObject, parseJson } from "./canonical.js";
import { VerifierError } from "./errors.js";
import { keccakHex } from "./hash.js";
import { ABSENT, FIELDS, LISTS, POSITIONS, RESERVED, attemptHash, fieldLeaf, leafHash, positionOf, promptHash, treeRoot } from "./record.js"; // prettier-ignore
import { SHAPES, bytes32, dictionary, list, text } from "./shapes.js";

/** @typedef {import("./canonical.js").Json} Json */

export const FORMAT = "pnyx.bundle.v1";
export const MAX_FILE_BYTES = 16 * 2 ** 20;

/**
 * A bundle that was read: its form is right, its hashes are still to be recomputed. `raw` is what was hashed, `fields`
 * the same with what may be left out filled in.
 * @typedef {object} Bundle
 * @property {string} recordRoot
 * @property {string[]} leaves
 * @property {{ [name: string]: Json }} raw
 * @property {{ [name: string]: any }} fields
 * @property {{ [name: string]: string }} salts
 * @property {{ [name: string]: string[] }} itemSalts
 * @property {string} promptHash
 * @property {string | null} promptSalt
 * @property {Map<string, Uint8Array>} bodies requests and responses by their hash
 */

/**
 * What a bundle's content hashes to.
 * @typedef {object} Recomputed
 * @property {string} recordRoot
 * @property {string | null} promptHash null when what it is made of is withheld
 * @property {string[]} differences where the content contradicts what the bundle says about itself
 * @property {string[]} missingBodies hashes of requests and responses that are not there
 */

const MEMBERS = [
  "format", "record_root", "leaves", "fields", "salts", "item_salts", "prompt_hash", "prompt_salt", "bodies",
]; // prettier-ignore

/** @param {string} where @param {string} why @returns {never} */
function malformed(where, why) {
  throw new VerifierError("malformed", `${where}: ${why}`, { where });
}

/** A bundle from a stranger's bytes. Throws `malformed`. @param {Uint8Array} bytes @returns {Bundle} */
function parseBundle(bytes) {
  if (bytes.length > MAX_FILE_BYTES) malformed("bundle", `larger than ${MAX_FILE_BYTES} bytes`);
  const file = parseJson(bytes, "bundle");
  if (!isObject(file)) malformed("bundle", "expected an object");
  requireMembers(file, MEMBERS, "bundle");
  if (file.format !== FORMAT) malformed("bundle.format", `expected ${FORMAT}`);
  const bundle = {
    recordRoot: bytes32(file.record_root, "bundle.record_root"),
    leaves: list(bytes32, POSITIONS.length)(file.leaves, "bundle.leaves"),
    ...readFields(file.fields),
    salts: dictionary(text, bytes32)(file.salts, "bundle.salts"),
    itemSalts: dictionary(text, list(bytes32))(file.item_salts, "bundle.item_salts"),
    promptHash: bytes32(file.prompt_hash, "bundle.prompt_hash"),
    promptSalt: file.prompt_salt === null ? null : bytes32(file.prompt_salt, "bundle.prompt_salt"),
    bodies: readBodies(file.bodies, "bundle.bodies"),
  };
  requirePartsThatFit(bundle);
  if (canonical(file) !== textOf(bytes)) malformed("bundle", "not in its one canonical form (RFC 8785)");
  return bundle;
}

/** @param {{ [name: string]: any }} file @param {string[]} members @param {string} where */
export function requireMembers(file, members, where) {
  for (const name of members) if (!Object.hasOwn(file, name)) malformed(`${where}.${name}`, "missing");
  const stranger = Object.keys(file).find((name) => !members.includes(name));
  if (stranger !== undefined) malformed(`${where}.${stranger}`, "no member of this file");
}

/** @param {any} raw */
export function readFields(raw) {
  if (!isObject(raw)) malformed("fields", "expected an object");
  const fields = Object.create(null);
  for (const [name, value] of Object.entries(raw)) {
    if (!FIELDS.includes(name)) malformed("fields", `no position is called ${JSON.stringify(name.slice(0, 40))}`);
    fields[name] = SHAPES[name](value, `fields.${name}`);
  }
  return { raw: /** @type {{ [name: string]: Json }} */ (raw), fields };
}

/** @param {any} raw @param {string} where */
export function readBodies(raw, where) {
  /** @type {Map<string, Uint8Array>} */
  const bodies = new Map();
  for (const [digest, body] of Object.entries(dictionary(bytes32, (value) => value)(raw, where))) {
    bodies.set(digest, readBody(body, `${where}.${digest}`));
  }
  return bodies;
}

/** Text where the bytes are UTF-8, else base64: one form for each. @param {any} body @param {string} where */
function readBody(body, where) {
  const members = isObject(body) ? Object.entries(body) : [];
  const [[kind, value]] = members.length === 1 ? members : [["", ""]];
  if (kind === "text" && typeof value === "string") return utf8(value);
  if (kind !== "base64" || typeof value !== "string") malformed(where, 'expected {"text": ...} or {"base64": ...}');
  const bytes = fromBase64(/** @type {string} */ (value));
  if (bytes === null || textOf(bytes) !== null) malformed(where, "expected base64, of bytes that are not UTF-8");
  return /** @type {Uint8Array} */ (bytes);
}

/** Null unless it is base64 with padding (RFC 4648), in its one spelling. @param {string} value */
function fromBase64(value) {
  try {
    const binary = atob(value);
    return btoa(binary) === value ? Uint8Array.from(binary, (character) => character.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

/** @param {Bundle} bundle */
function requirePartsThatFit({ leaves, raw, salts, itemSalts }) {
  if (leaves.length !== POSITIONS.length) malformed("bundle.leaves", `expected ${POSITIONS.length}`);
  const named = (/** @type {object} */ parts) => Object.keys(parts).sort();
  const expected = (/** @type {string} */ where, /** @type {object} */ parts, /** @type {string[]} */ names) => {
    if (firstDifference(named(parts), [...names].sort(), "") !== null) malformed(where, `expected one for each of ${names}`);
  };
  expected("bundle.salts", salts, [...Object.keys(raw), RESERVED]);
  const lists = LISTS.filter((name) => Object.hasOwn(raw, name));
  expected("bundle.item_salts", itemSalts, lists);
  for (const name of lists) {
    if (itemSalts[name].length !== /** @type {Json[]} */ (raw[name]).length) malformed(`bundle.item_salts.${name}`, "one for each item");
  }
}

/** Names of the fields that are not in the bundle. @param {Bundle} bundle */
export const withheldIn = (bundle) => FIELDS.filter((name) => !Object.hasOwn(bundle.fields, name));

/** Hashes everything that a bundle discloses; only for a withheld field is its claimed leaf taken. @param {Bundle} bundle @returns {Recomputed} */
export function recompute(bundle) {
  const leaves = POSITIONS.map((name, position) => leafIn(bundle, name, position));
  const recordRoot = treeRoot(leaves);
  const prompt = promptHashOf(bundle);
  const bound = new Set((bundle.fields.attempts ?? []).flatMap(bodiesOf));
  return {
    recordRoot,
    promptHash: prompt,
    differences: [...differencesIn(bundle, leaves, recordRoot, prompt, bound)],
    missingBodies: [...bound].filter((digest) => !bundle.bodies.has(digest)).sort(),
  };
}

/** @param {Bundle} bundle @param {string} name @param {number} position */
function leafIn({ raw, leaves, salts, itemSalts }, name, position) {
  if (Object.hasOwn(raw, name)) return fieldLeaf(name, raw[name], salts[name], itemSalts[name] ?? []);
  return name === RESERVED ? leafHash(positionOf(name), salts[name], ABSENT) : leaves[position];
}

/** @param {Bundle} bundle */
function promptHashOf({ fields, promptSalt }) {
  if (fields.attempts === undefined || promptSalt === null) return null;
  const hashes = fields.attempts.map((/** @type {any} */ attempt) =>
    attemptHash(attempt.opinion, attempt.number, attempt.request_hash, attempt.response_hash),
  );
  return promptHash(promptSalt, hashes);
}

/** @param {any} attempt @returns {string[]} */
export const bodiesOf = (attempt) =>
  attempt.response_hash === null ? [attempt.request_hash] : [attempt.request_hash, attempt.response_hash];

/**
 * @param {Bundle} bundle @param {string[]} leaves @param {string} root @param {string | null} prompt
 * @param {Set<string>} bound
 */
function* differencesIn(bundle, leaves, root, prompt, bound) {
  for (const [position, name] of POSITIONS.entries()) {
    if (leaves[position] !== bundle.leaves[position]) yield `fields.${name}`;
  }
  if (root !== bundle.recordRoot) yield "record_root";
  if (prompt !== null && prompt !== bundle.promptHash) yield "prompt_hash";
  for (const [digest, body] of bundle.bodies) {
    if (!bound.has(digest) || keccakHex(body) !== digest) yield `bodies.${digest}`;
  }
}

/**
 * The bundle of a record, from a stranger's bytes. Throws `malformed` for what is no bundle, `swapped` for a sound
 * bundle of another record, and `changed` for everything else that is not what was sealed under this root.
 * @param {string} recordRoot @param {Uint8Array} bytes @returns {{ bundle: Bundle, recomputed: Recomputed }}
 */
export function openBundle(recordRoot, bytes) {
  const bundle = parseBundle(bytes);
  const recomputed = recompute(bundle);
  const { differences, recordRoot: found } = recomputed;
  if (differences.length > 0) {
    const where = differences.join("; ");
    throw new VerifierError("changed", `changed after it was sealed: differs at ${where}`, { where });
  }
  if (found !== recordRoot) {
    throw new VerifierError("swapped", `swapped: this is the bundle of the record ${found}`, { where: "recordRoot", found });
  }
  return { bundle, recomputed };
}

/** The name of the file that hashes to this. @param {string} digest */
export const fileName = (digest) => `${toLowerDigits(digest)}.json`;

/** @param {string} digest */
function toLowerDigits(digest) {
  if (fromHex(digest).length !== 32) throw new VerifierError("usage", `expected 32 bytes of 0x hex, got ${digest}`);
  return digest.slice(2).toLowerCase();
}
