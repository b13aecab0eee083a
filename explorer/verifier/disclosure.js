// A disclosure opens sealed parts of one record later: docs/record-format.md. It is checked against the leaves, which the
// record root binds; whether that root stands in an entry is for the chain to say.
import { parseCanonical, isObject, valueHash } from "./canonical.js";
import { bodiesOf, readBodies, readFields, requireMembers } from "./bundle.js";
import { VerifierError } from "./errors.js";
import { keccakHex } from "./hash.js";
import { LISTS, POSITIONS, fieldLeaf, itemHash, leafHash, listHash, positionOf, treeRoot } from "./record.js";
import { SHAPES, bytes32, dictionary, list, object, text } from "./shapes.js";

/** @typedef {import("./canonical.js").Json} Json */
/** @typedef {import("./bundle.js").Bundle} Bundle */

/**
 * Single items of a list: its leaf's salt, the hashes of all items, and those that are opened, by their
 * place: `value` is what was hashed, `read` the same with what may be left out filled in.
 * @typedef {{ salt: string, hashes: string[], open: { [index: string]: { salt: string, value: Json, read: any } } }} OpenedItems
 */
/**
 * @typedef {object} Disclosure
 * @property {string} recordRoot
 * @property {string[]} leaves
 * @property {{ [name: string]: Json }} raw what was hashed
 * @property {{ [name: string]: any }} fields the same, with what may be left out filled in
 * @property {{ [name: string]: string }} salts
 * @property {{ [name: string]: string[] }} itemSalts
 * @property {{ [name: string]: OpenedItems }} items
 * @property {string | null} promptSalt
 * @property {Map<string, Uint8Array>} bodies
 */

export const FORMAT = "pnyx.disclosure.v1";
const MEMBERS = [
  "format", "record_root", "leaves", "fields", "salts", "item_salts", "items", "prompt_salt", "bodies",
]; // prettier-ignore
const WHERE = "disclosure";

/** @type {import("./shapes.js").Shape} */
const anything = (value) => value;
const openedItems = object({
  salt: bytes32,
  hashes: list(bytes32),
  open: dictionary(text, object({ salt: bytes32, value: anything })),
});

/**
 * A disclosure from a stranger's bytes. Throws `malformed` for what is none, and `changed` where it does not open the
 * leaves that it names.
 * @param {Uint8Array} bytes @returns {Disclosure}
 */
export function openDisclosure(bytes) {
  const file = parseCanonical(bytes, WHERE);
  if (!isObject(file)) malformed(WHERE, "expected an object");
  requireMembers(file, MEMBERS, WHERE);
  if (file.format !== FORMAT) malformed(`${WHERE}.format`, `expected ${FORMAT}`);
  const disclosure = {
    recordRoot: bytes32(file.record_root, `${WHERE}.record_root`),
    leaves: list(bytes32, POSITIONS.length)(file.leaves, `${WHERE}.leaves`),
    ...readFields(file.fields),
    salts: dictionary(text, bytes32)(file.salts, `${WHERE}.salts`),
    itemSalts: dictionary(text, list(bytes32))(file.item_salts, `${WHERE}.item_salts`),
    items: dictionary(text, openedItems)(file.items, `${WHERE}.items`),
    promptSalt: file.prompt_salt === null ? null : bytes32(file.prompt_salt, `${WHERE}.prompt_salt`),
    bodies: readBodies(file.bodies, `${WHERE}.bodies`),
  };
  requirePartsThatFit(disclosure);
  const where = [...differencesIn(disclosure)].join("; ");
  if (where) throw new VerifierError("changed", `not what was sealed: it differs at ${where}`, { where });
  return disclosure;
}

/** @param {string} where @param {string} why @returns {never} */
function malformed(where, why) {
  throw new VerifierError("malformed", `${where}: ${why}`, { where });
}

/** @param {Disclosure} disclosure */
function requirePartsThatFit(disclosure) {
  const { leaves, raw, salts, itemSalts, items, promptSalt, bodies } = disclosure;
  if (leaves.length !== POSITIONS.length) malformed(`${WHERE}.leaves`, `expected ${POSITIONS.length}`);
  if (Object.keys(raw).length + Object.keys(items).length === 0) malformed(WHERE, "opens nothing");
  requireNames(`${WHERE}.salts`, salts, Object.keys(raw));
  requireNames(`${WHERE}.item_salts`, itemSalts, LISTS.filter((name) => Object.hasOwn(raw, name)));
  for (const [name, itsSalts] of Object.entries(itemSalts)) {
    if (itsSalts.length !== /** @type {Json[]} */ (raw[name]).length) malformed(`${WHERE}.item_salts.${name}`, "expected one for each item");
  }
  for (const [name, opened] of Object.entries(items)) requireItems(`${WHERE}.items.${name}`, name, opened, raw);
  if ((promptSalt !== null) !== Object.hasOwn(raw, "attempts")) malformed(`${WHERE}.prompt_salt`, "expected with all attempts");
  requireNames(`${WHERE}.bodies`, Object.fromEntries(bodies), [...namedBodies(disclosure)]);
}

/** @param {string} where @param {string} name @param {OpenedItems} opened @param {{ [name: string]: Json }} raw */
function requireItems(where, name, { hashes, open }, raw) {
  if (!LISTS.includes(name) || Object.hasOwn(raw, name)) malformed(where, "not a list that is opened item by item");
  if (Object.keys(open).length === 0) malformed(`${where}.open`, "opens nothing");
  for (const [index, item] of Object.entries(open)) {
    if (!/^(?:0|[1-9][0-9]{0,9})$/.test(index) || Number(index) >= hashes.length) malformed(`${where}.open`, `no item ${index}`);
    [item.read] = SHAPES[name]([item.value], `items.${name}.open.${index}`); // read as a list of one
  }
}

/** Requests and responses of the opened attempts. @param {Disclosure} disclosure @returns {Set<string>} */
function namedBodies({ fields, items }) {
  const opened = Object.values(items.attempts?.open ?? {}).map(({ read }) => read);
  return new Set([...(fields.attempts ?? []), ...opened].flatMap(bodiesOf));
}

/** @param {string} where @param {object} parts @param {string[]} names */
function requireNames(where, parts, names) {
  const found = Object.keys(parts);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(parts, name))) {
    malformed(where, `expected one for each of ${names.join(", ") || "no field"}`);
  }
}

/** Where a disclosure does not open what it names. @param {Disclosure} disclosure @returns {Generator<string>} */
function* differencesIn({ recordRoot, leaves, raw, salts, itemSalts, items, bodies }) {
  for (const [name, value] of Object.entries(raw)) {
    if (fieldLeaf(name, value, salts[name], itemSalts[name] ?? []) !== leaves[positionOf(name)]) yield `fields.${name}`;
  }
  for (const [name, { salt, hashes, open }] of Object.entries(items)) {
    const position = positionOf(name);
    for (const [index, item] of Object.entries(open)) {
      const found = itemHash(position, Number(index), item.salt, valueHash(item.value));
      if (found !== hashes[Number(index)]) yield `items.${name}.open.${index}`;
    }
    if (leafHash(position, salt, listHash(position, hashes)) !== leaves[position]) yield `items.${name}`;
  }
  if (treeRoot(leaves) !== recordRoot) yield "record_root";
  for (const [digest, body] of bodies) if (keccakHex(body) !== digest) yield `bodies.${digest}`;
}

/**
 * The published bundle, completed with what a disclosure opens whole; single items complete nothing. Both hold by
 * themselves already. Throws `swapped` when they are not of one record.
 * @param {Bundle} bundle @param {Disclosure} disclosure @returns {Bundle}
 */
export function mergeDisclosure(bundle, disclosure) {
  const { recordRoot, leaves, raw, fields, salts, itemSalts, promptSalt, bodies } = disclosure;
  if (bundle.recordRoot !== recordRoot || bundle.leaves.join() !== leaves.join()) {
    throw new VerifierError("swapped", `a disclosure of another record: ${recordRoot}`, { where: "record_root", found: recordRoot });
  }
  return {
    ...bundle,
    raw: joined(raw, bundle.raw),
    fields: joined(fields, bundle.fields),
    salts: joined(salts, bundle.salts),
    itemSalts: joined(itemSalts, bundle.itemSalts),
    promptSalt: bundle.promptSalt ?? promptSalt,
    bodies: Object.hasOwn(raw, "attempts") ? new Map([...bodies, ...bundle.bodies]) : bundle.bodies,
  };
}

/** `opinions`, `rules[3]`: in the order of the record. @param {Disclosure} disclosure @returns {string[]} */
export const openedIn = ({ raw, items }) =>
  POSITIONS.flatMap((name) => {
    if (Object.hasOwn(raw, name)) return [name];
    const indices = Object.keys(items[name]?.open ?? {}).sort((one, other) => Number(one) - Number(other));
    return indices.map((index) => `${name}[${index}]`);
  });

/** @template T @param {{ [name: string]: T }} one @param {{ [name: string]: T }} other @returns {{ [name: string]: T }} */
const joined = (one, other) => Object.assign(Object.create(null), one, other);
