// The record format in another language: recomputes every vector with ethers and nothing of ours.
// Usage: node verify_vectors.mjs VECTORS. Prints {"checked": n, "differs": [places]}.
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../contracts/package.json", import.meta.url));
const { AbiCoder, TypedDataEncoder, concat, dataSlice, getBytes, keccak256, recoverAddress, toBeHex, toUtf8Bytes } =
  require("ethers");

const POSITIONS = [
  "header", "proposal", "calls", "state", "simulation", "context", "prompt", "attempts", "opinions", "checks", "ruleset",
  "rules", "decision", "approval", "software", "reserved",
];
const LISTS = ["attempts", "rules"];
const ANSWER = [
  ["verdict", "string", "verdict"], ["vote", "string", "vote"], ["decision", "string", "decision"],
  ["governor", "address", "governor"], ["proposalId", "uint256", "proposal_id"], ["writer", "address", "writer"],
  ["expiresAt", "uint256", "expires_at"], ["comment", "string", "comment"], ["reviewDigest", "bytes32", "review_digest"],
  ["rulesetHash", "bytes32", "ruleset_hash"], ["configHash", "bytes32", "config_hash"],
];

const tag = (text) => keccak256(toUtf8Bytes(text));
const SCHEMA = tag("pnyx.record.v1");
const abi = (types, values) => AbiCoder.defaultAbiCoder().encode(types, values);
const uint = (bytes, number) => toBeHex(number, bytes);

// RFC 8785: sort() orders strings by UTF-16 units, and JSON.stringify writes strings and safe integers as the RFC wants.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`);
    return `{${members.join(",")}}`;
  }
  return JSON.stringify(value);
}
const valueHash = (value) => keccak256(toUtf8Bytes(canonical(value)));

function tree(hashes) {
  if (hashes.length === 0) return `0x${"00".repeat(32)}`;
  if (hashes.length === 1) return hashes[0];
  let split = 1;
  while (split * 2 < hashes.length) split *= 2;
  return keccak256(concat(["0x01", tree(hashes.slice(0, split)), tree(hashes.slice(split))]));
}

const leaf = (position, salt, hash) => keccak256(concat(["0x00", SCHEMA, uint(1, position), salt, hash]));
const item = (position, index, salt, value) =>
  keccak256(concat(["0x02", SCHEMA, uint(1, position), uint(4, index), salt, valueHash(value)]));
const list = (position, items) =>
  keccak256(concat(["0x03", SCHEMA, uint(1, position), uint(4, items.length), tree(items)]));
const attempt = (opinion, number, request, response) =>
  keccak256(concat(["0x04", uint(4, opinion), uint(4, number), request, response ?? tag("pnyx.prompt.no-response.v1")]));
const promptHash = (salt, attempts) =>
  keccak256(concat([tag("pnyx.prompt.v1"), salt, attempts.length ? tree(attempts) : tag("pnyx.prompt.none.v1")]));

function hkdf(key, info) {
  const extracted = createHmac("sha256", Buffer.alloc(32)).update(getBytes(key)).digest();
  return `0x${createHmac("sha256", extracted).update(getBytes(info)).update(Buffer.from([1])).digest("hex")}`;
}

let checked = 0;
const differs = [];
function same(place, expected, found) {
  checked += 1;
  if (expected !== found) differs.push(`${place}: ${expected} is not ${found}`);
}

const vectors = JSON.parse(readFileSync(process.argv[2], "utf8"));

for (const [text, hash] of Object.entries(vectors.constants)) same(`constants.${text}`, hash, tag(text));

for (const { json, canonical: expected, hash } of vectors.canonical) {
  same(`canonical ${json}`, expected, canonical(JSON.parse(json)));
  same(`hash ${json}`, hash, valueHash(JSON.parse(json)));
}
for (const { position, salt, value, absent, leaf: expected } of vectors.leaves) {
  same(`leaf ${position}`, expected, leaf(position, salt, absent ? tag("pnyx.record.absent.v1") : valueHash(value)));
}
for (const { leaves, root } of vectors.trees) same(`tree of ${leaves.length}`, root, tree(leaves));

for (const { position, items, hash } of vectors.lists) {
  const hashes = items.map(({ salt, value }, index) => item(position, index, salt, value));
  items.forEach((entry, index) => same(`item ${index}`, entry.hash, hashes[index]));
  same(`list of ${items.length}`, hash, list(position, hashes));
}
for (const { salt, attempts, prompt_hash } of vectors.prompts) {
  const hashes = attempts.map(({ opinion, number, request, response }) =>
    attempt(opinion, number, tag(request), response === null ? null : tag(response)));
  attempts.forEach((entry, index) => same(`attempt ${index}`, entry.hash, hashes[index]));
  same(`prompt hash of ${attempts.length}`, prompt_hash, promptHash(salt, hashes));
}

const { salts } = vectors;
const recordKey = hkdf(salts.master_key, concat([toUtf8Bytes("pnyx.record.v1"), salts.subject, salts.nonce]));
same("record key", salts.record_key, recordKey);
for (const { label, salt } of salts.salts) same(`salt ${label}`, salt, hkdf(recordKey, toUtf8Bytes(`pnyx.salt.v1/${label}`)));

const subject = ({ chain_id, governor, proposal_id }) =>
  keccak256(abi(["uint256", "address", "uint256"], [chain_id, governor, proposal_id]));
same("subject", vectors.subject.subject, subject(vectors.subject));
for (const { support, action } of vectors.actions) same(`action ${support}`, action, uint(32, support));
const declared = ({ config_hash, governors, evidence_uri }) =>
  keccak256(abi(["tuple(bytes32,address[],string)"], [[config_hash, governors, evidence_uri]]));
same("declaration", vectors.declaration.subject, declared(vectors.declaration));
for (const { account, flag, subject: expected } of vectors.administration) {
  same(`administration ${flag}`, expected, keccak256(abi(["address", "bool"], [account, flag])));
}
{
  const a = vectors.approval;
  const domain = { name: "Pnyx", version: "1", chainId: a.chain_id, verifyingContract: a.log };
  const types = { Answer: ANSWER.map(([name, type]) => ({ name, type })) };
  const message = Object.fromEntries(ANSWER.map(([name, , member]) => [name, a[member]]));
  same("approval", a.digest, TypedDataEncoder.hash(domain, types, message));
  same("approver", a.signer, recoverAddress(a.digest, a.signature));
}
function checkWriter({ chain_id, log, writer, operator, notice_seconds, declaration, genesis, head, entries }) {
  const registration = [writer, operator, notice_seconds, declared(declaration)];
  const words = [tag("pnyx.DecisionLog.genesis.v1"), chain_id, log, ...registration];
  const first = keccak256(abi(["bytes32", "uint256", "address", "address", "address", "uint32", "bytes32"], words));
  same("genesis", genesis, first);
  let running = dataSlice(first, 0, 24);
  same("initial head", head, running);
  const types = ["bytes24", "uint40", "uint16", "uint8", "uint48", "bytes32", "bytes32", "bytes32", "bytes32"];
  for (const e of entries) {
    const fields = [running, e.seq, e.epoch, e.kind, e.time, e.subject, e.prompt_hash, e.record_root, e.action];
    running = dataSlice(keccak256(abi(types, fields)), 0, 24);
    same(`head after ${e.seq}`, e.head, running);
  }
}
checkWriter(vectors.writer);
checkWriter(vectors.successor);
{
  const { old_writer, new_writer, subject: both } = vectors.succession;
  const [last, first] = [vectors.writer.entries.at(-1), vectors.successor.entries[0]];
  same("succession", both, keccak256(abi(["address", "address"], [old_writer, new_writer])));
  const said = (entry) => [entry.kind, entry.subject, entry.prompt_hash, entry.record_root, entry.action].join();
  const promptHash = tag("pnyx.DecisionLog.succession.v1");
  same("last entry", said(last), [18, both, promptHash, both, abi(["address"], [new_writer])].join());
  same("first entry", said(first), [19, both, promptHash, `${last.head}${"00".repeat(8)}`, abi(["address"], [old_writer])].join());
}

// Files. What is read in two ways, or has a form of its own, is malformed: it is not its own canonical form.
const sorted = (object) => Object.keys(object).sort().join();
const names = (object) => Object.keys(object);
const isHash = (text) => typeof text === "string" && /^0x[0-9a-f]{64}$/.test(text);
const FIELDS = POSITIONS.slice(0, -1);

function requireForm(condition, what) {
  if (!condition) throw Object.assign(new Error(what), { code: "malformed" });
}

function parse(text, format, members) {
  let document;
  try {
    document = JSON.parse(text);
  } catch (error) {
    requireForm(false, error.message);
  }
  requireForm(canonical(document) === text, "not canonical");
  requireForm(sorted(document) === members.split(" ").sort().join(), "members");
  requireForm(document.format === format, "format");
  requireForm(names(document.fields).every((name) => FIELDS.includes(name)), "fields");
  requireForm(document.leaves.length === 16 && document.leaves.every(isHash) && isHash(document.record_root), "leaves");
  const lists = names(document.fields).filter((name) => LISTS.includes(name)).sort();
  requireForm(sorted(document.item_salts) === lists.join(), "item_salts");
  for (const name of lists) requireForm(document.item_salts[name].length === document.fields[name].length, "item_salts");
  return document;
}

function wholeLeaf(document, name) {
  const position = POSITIONS.indexOf(name);
  const salt = document.salts[name];
  if (!(name in document.fields)) return leaf(position, salt, tag("pnyx.record.absent.v1"));
  const value = document.fields[name];
  if (!LISTS.includes(name)) return leaf(position, salt, valueHash(value));
  const items = value.map((entry, index) => item(position, index, document.item_salts[name][index], entry));
  return leaf(position, salt, list(position, items));
}

const bytesOf = (body) => ("text" in body ? toUtf8Bytes(body.text) : Buffer.from(body.base64, "base64"));
const bound = (attempts) => attempts.flatMap((a) => [a.request_hash, a.response_hash]).filter((hash) => hash !== null);

function changed(where) {
  return Object.assign(new Error(where.join("; ")), { code: "changed", where });
}

function openBundle(root, text) {
  const bundle = parse(text, "pnyx.bundle.v1",
    "format record_root leaves fields salts item_salts prompt_hash prompt_salt bodies");
  requireForm(sorted(bundle.salts) === [...names(bundle.fields), "reserved"].sort().join(), "salts");
  const leaves = POSITIONS.map((name, i) => (name in bundle.salts ? wholeLeaf(bundle, name) : bundle.leaves[i]));
  const where = POSITIONS.filter((_, i) => leaves[i] !== bundle.leaves[i]).map((name) => `fields.${name}`);
  if (tree(leaves) !== bundle.record_root) where.push("record_root");
  const attempts = bundle.fields.attempts ?? [];
  if ("attempts" in bundle.fields && bundle.prompt_salt !== null) {
    const hashes = attempts.map((a) => attempt(a.opinion, a.number, a.request_hash, a.response_hash));
    if (promptHash(bundle.prompt_salt, hashes) !== bundle.prompt_hash) where.push("prompt_hash");
  }
  for (const [hash, body] of Object.entries(bundle.bodies)) {
    if (!bound(attempts).includes(hash) || keccak256(bytesOf(body)) !== hash) where.push(`bodies.${hash}`);
  }
  if (where.length === 0 && bundle.record_root !== root) throw Object.assign(new Error("swapped"), { code: "swapped" });
  if (where.length > 0) throw changed(where);
  return bundle;
}

function openDisclosure(text) {
  const file = parse(text, "pnyx.disclosure.v1",
    "format record_root leaves fields salts item_salts items prompt_salt bodies");
  requireForm(sorted(file.salts) === sorted(file.fields), "salts");
  requireForm(names(file.fields).length + names(file.items).length > 0, "opens nothing");
  for (const [name, { hashes, open }] of Object.entries(file.items)) {
    requireForm(LISTS.includes(name) && !(name in file.fields) && names(open).length > 0, "items");
    requireForm(names(open).every((index) => /^(0|[1-9]\d{0,9})$/.test(index) && Number(index) < hashes.length), "index");
  }
  requireForm((file.prompt_salt !== null) === "attempts" in file.fields, "prompt_salt");
  const opened = Object.values(file.items.attempts?.open ?? {}).map(({ value }) => value);
  const expected = new Set(bound([...(file.fields.attempts ?? []), ...opened]));
  requireForm(sorted(file.bodies) === [...expected].sort().join(), "bodies");
  const where = names(file.fields)
    .filter((name) => wholeLeaf(file, name) !== file.leaves[POSITIONS.indexOf(name)]).map((name) => `fields.${name}`);
  for (const [name, { salt, hashes, open }] of Object.entries(file.items)) {
    const position = POSITIONS.indexOf(name);
    for (const [index, one] of Object.entries(open)) {
      const found = item(position, Number(index), one.salt, one.value);
      if (found !== hashes[index]) where.push(`items.${name}.open.${index}`);
    }
    if (leaf(position, salt, list(position, hashes)) !== file.leaves[position]) where.push(`items.${name}`);
  }
  if (tree(file.leaves) !== file.record_root) where.push("record_root");
  for (const [hash, body] of Object.entries(file.bodies)) if (keccak256(bytesOf(body)) !== hash) where.push(`bodies.${hash}`);
  if (where.length > 0) throw changed(where);
  return file;
}

function outcome(open) {
  try {
    open();
    return "opens";
  } catch (error) {
    if (error.code === undefined) throw error;
    return [error.code, ...(error.where ?? [])].join(" ");
  }
}

// This reader knows no types: what only they tell differs in its hash, as `untyped` says.
const expectedOutcome = ({ code, where, untyped }) =>
  [untyped ? "changed" : code, ...(untyped ?? where ?? [])].join(" ");

const { bundles, disclosures } = vectors;
for (const { name, text, withheld } of bundles.opens) {
  same(`bundle: ${name}`, "opens", outcome(() => openBundle(bundles.record_root, text)));
  same(`bundle: ${name} withholds`, withheld.join(), FIELDS.filter((f) => !(f in JSON.parse(text).fields)).sort().join());
}
for (const one of bundles.refused) {
  same(`bundle: ${one.name}`, expectedOutcome(one), outcome(() => openBundle(bundles.record_root, one.text)));
}
for (const { opens, leaves, fields, lists, items, text } of disclosures.opens) {
  const place = `disclosure of ${opens}`;
  same(place, "opens", outcome(() => openDisclosure(text)));
  same(`${place}: root`, disclosures.record_root, tree(leaves));
  for (const f of fields) same(`${place}: field ${f.position}`, f.leaf, leaf(f.position, f.salt, f.value_hash));
  for (const l of lists) {
    same(`${place}: list ${l.position}`, l.hash, list(l.position, l.items));
    same(`${place}: leaf ${l.position}`, l.leaf, leaf(l.position, l.salt, l.hash));
  }
  for (const { position, index, salt, value_hash, hash } of items) {
    const words = ["0x02", SCHEMA, uint(1, position), uint(4, index), salt, value_hash];
    same(`${place}: item ${index}`, hash, keccak256(concat(words)));
  }
}
for (const one of disclosures.refused) {
  same(`disclosure: ${one.name}`, expectedOutcome(one), outcome(() => openDisclosure(one.text)));
}

console.log(JSON.stringify({ checked, differs }));
