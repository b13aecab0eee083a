// The record format in another language: recomputes every vector with ethers and nothing of ours.
// Usage: node verify_vectors.mjs RECORD_VECTORS BUNDLE. Prints {"checked": n, "differs": [places]}.
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
{
  const { chain_id, log, writer, operator, notice_seconds, declaration, genesis, head, entries } = vectors.writer;
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

const text = readFileSync(process.argv[3], "utf8");
const bundle = JSON.parse(text);
same("bundle is canonical", text, canonical(bundle));
const leaves = POSITIONS.map((name, position) => {
  const salt = bundle.salts[name];
  if (salt === undefined) return bundle.leaves[position];
  if (!(name in bundle.fields)) return leaf(position, salt, tag("pnyx.record.absent.v1"));
  const value = bundle.fields[name];
  if (!LISTS.includes(name)) return leaf(position, salt, valueHash(value));
  const items = value.map((entry, index) => item(position, index, bundle.item_salts[name][index], entry));
  return leaf(position, salt, list(position, items));
});
POSITIONS.forEach((name, position) => same(`bundle leaf ${name}`, bundle.leaves[position], leaves[position]));
same("bundle record root", bundle.record_root, tree(leaves));
const attempts = bundle.fields.attempts.map((a) => attempt(a.opinion, a.number, a.request_hash, a.response_hash));
same("bundle prompt hash", bundle.prompt_hash, promptHash(bundle.prompt_salt, attempts));
for (const [hash, body] of Object.entries(bundle.bodies)) {
  const bytes = "text" in body ? toUtf8Bytes(body.text) : Buffer.from(body.base64, "base64");
  same(`bundle body ${hash}`, hash, keccak256(bytes));
}

console.log(JSON.stringify({ checked, differs }));
