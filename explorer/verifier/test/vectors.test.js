// The vectors of the record format: what they open opens, what they refuse is refused, every hash is the same.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { encode } from "../abi.js";
import { answerDigest } from "../approval.js";
import { openBundle, withheldIn } from "../bundle.js";
import { concat, fromHex, toHex, utf8 } from "../bytes.js";
import { canonical, parseJson, valueHash } from "../canonical.js";
import { mergeDisclosure, openDisclosure } from "../disclosure.js";
import { VerifierError } from "../errors.js";
import { keccakHex, recoverAddress, tag } from "../hash.js";
import { KINDS, declaredHash, fold, genesisOf, initialHead, subjectOf, successionSubject, voteAction } from "../log.js";
import { ABSENT, attemptHash, itemHash, leafHash, listHash, promptHash, treeRoot } from "../record.js";

const file = process.env.PNYX_VECTORS ?? new URL("../../../contracts/pnyx_contracts/vectors/record.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8"));

/** @param {string} text */
const parsed = (text) => parseJson(utf8(text), "$");

test("constants", () => {
  for (const [text, hash] of Object.entries(vectors.constants)) assert.equal(tag(text), hash);
});

test("canonical JSON", () => {
  assert.ok(vectors.canonical.length > 5);
  for (const { json, canonical: expected, hash } of vectors.canonical) {
    assert.equal(canonical(parsed(json)), expected);
    assert.equal(valueHash(parsed(json)), hash);
  }
});

test("texts that can be read in two ways are refused", () => {
  assert.ok(vectors.refused.length > 5);
  for (const text of vectors.refused) assert.throws(() => parsed(text), { code: "malformed" }, text.slice(0, 40));
});

test("leaves, trees, lists, prompt hashes", () => {
  for (const { position, salt, value, absent, leaf } of vectors.leaves) {
    assert.equal(leafHash(position, salt, absent ? ABSENT : valueHash(value)), leaf);
  }
  for (const { leaves, root } of vectors.trees) assert.equal(treeRoot(leaves), root);
  for (const { position, items, hash } of vectors.lists) {
    const hashes = items.map((/** @type {any} */ { salt, value }, /** @type {number} */ index) => itemHash(position, index, salt, valueHash(value)));
    assert.deepEqual(hashes, items.map((/** @type {any} */ item) => item.hash));
    assert.equal(listHash(position, hashes), hash);
  }
  for (const { salt, attempts, prompt_hash } of vectors.prompts) {
    const hashes = attempts.map((/** @type {any} */ { opinion, number, request, response }) =>
      attemptHash(opinion, number, tag(request), response === null ? null : tag(response)),
    );
    assert.deepEqual(hashes, attempts.map((/** @type {any} */ attempt) => attempt.hash));
    assert.equal(promptHash(salt, hashes), prompt_hash);
  }
});

test("salts, which a verifier derives none of", () => {
  const hmac = (/** @type {Uint8Array} */ key, /** @type {Uint8Array} */ data) => createHmac("sha256", key).update(data).digest();
  const hkdf = (/** @type {string} */ key, /** @type {Uint8Array} */ info) =>
    toHex(hmac(hmac(new Uint8Array(32), fromHex(key)), concat(info, Uint8Array.of(1))));
  const { master_key, subject, nonce, record_key, salts } = vectors.salts;
  assert.equal(hkdf(master_key, concat(utf8("pnyx.record.v1"), fromHex(subject), fromHex(nonce))), record_key);
  for (const { label, salt } of salts) assert.equal(hkdf(record_key, utf8(`pnyx.salt.v1/${label}`)), salt);
});

test("subjects, actions, declarations, administration", () => {
  const { chain_id: chainId, governor, proposal_id: proposalId, subject } = vectors.subject;
  assert.equal(subjectOf({ chainId, governor, proposalId }), subject);
  for (const { support, action } of vectors.actions) assert.equal(voteAction(support), action);
  assert.equal(declared(vectors.declaration), vectors.declaration.subject);
  for (const { account, flag, subject: expected } of vectors.administration) {
    assert.equal(keccakHex(encode(["address", "bool"], [account, flag])), expected);
  }
});

/** @param {any} declaration */
const declared = ({ config_hash, governors, evidence_uri }) => declaredHash(config_hash, governors, utf8(evidence_uri));

test("a person's word", () => {
  const a = vectors.approval;
  const header = { chain_id: a.chain_id, log: a.log, writer: a.writer, config_hash: a.config_hash };
  const decision = { outcome: a.decision, review_digest: a.review_digest, ruleset_hash: a.ruleset_hash };
  const proposal = { key: { governor: a.governor, proposal_id: String(a.proposal_id) } };
  const word = { verdict: a.verdict, vote: a.vote === "none" ? null : a.vote, comment: a.comment, expires_at: a.expires_at };
  assert.equal(answerDigest({ header, decision, proposal }, word), a.digest);
  assert.equal(recoverAddress(a.digest, a.signature), a.signer);
});

for (const name of ["writer", "successor"]) {
  test(`the heads of the ${name}`, () => {
    const { chain_id, log, writer, operator, notice_seconds: noticeSeconds, declaration, genesis, head, entries } = vectors[name];
    const registered = { writer, operator, noticeSeconds, subject: declared(declaration) };
    assert.equal(genesisOf(chain_id, log, registered), genesis);
    assert.equal(initialHead(genesis), head);
    let running = head;
    for (const { prompt_hash: promptHash, record_root: recordRoot, kind, ...entry } of entries) {
      const name = /** @type {any} */ (Object.keys(KINDS)).find((/** @type {keyof typeof KINDS} */ one) => KINDS[one] === kind);
      running = fold(running, { ...entry, kind: name, promptHash, recordRoot });
      assert.equal(running, entry.head);
    }
  });
}

test("succession", () => {
  const { old_writer, new_writer, subject } = vectors.succession;
  assert.equal(successionSubject(old_writer, new_writer), subject);
  const [last, first] = [vectors.writer.entries.at(-1), vectors.successor.entries[0]];
  const words = (/** @type {any} */ { kind, subject, prompt_hash, record_root, action }) => [kind, subject, prompt_hash, record_root, action];
  const promptHash = tag("pnyx.DecisionLog.succession.v1");
  const word = (/** @type {string} */ address) => encode(["address"], [address]);
  assert.deepEqual(words(last), [KINDS.SUCCEEDED, subject, promptHash, subject, toHex(word(new_writer))]);
  assert.deepEqual(words(first), [KINDS.SUCCEEDS, subject, promptHash, last.head.padEnd(66, "0"), toHex(word(old_writer))]);
});

test("bundles that open, and what they withhold", () => {
  for (const { text, withheld } of vectors.bundles.opens) {
    const { bundle } = openBundle(vectors.bundles.record_root, utf8(text));
    assert.deepEqual(withheldIn(bundle).sort(), withheld);
  }
});

test("disclosures that open complete what the sealed bundle withholds", () => {
  const { record_root, opens } = vectors.disclosures;
  const published = vectors.bundles.opens.map((/** @type {any} */ { text }) => openBundle(vectors.bundles.record_root, utf8(text)).bundle);
  for (const { text, opens: names, leaves, fields, lists, items } of opens) {
    const disclosure = openDisclosure(utf8(text));
    assert.equal(disclosure.recordRoot, record_root);
    assert.equal(treeRoot(leaves), record_root);
    for (const { position, salt, value_hash, leaf } of fields) assert.equal(leafHash(position, salt, value_hash), leaf);
    for (const { position, salt, items: hashes, hash, leaf } of lists) {
      assert.equal(listHash(position, hashes), hash);
      assert.equal(leafHash(position, salt, hash), leaf);
    }
    for (const { position, index, salt, value_hash, hash } of items) {
      assert.equal(itemHash(position, index, salt, value_hash), hash);
    }
    if (record_root !== vectors.bundles.record_root) continue;
    for (const bundle of published) {
      const still = withheldIn(mergeDisclosure(bundle, disclosure));
      assert.deepEqual(still, withheldIn(bundle).filter((name) => !names.includes(name)));
    }
  }
});

for (const [name, open] of /** @type {const} */ ([
  ["bundles", (/** @type {Uint8Array} */ bytes) => openBundle(vectors.bundles.record_root, bytes)],
  ["disclosures", openDisclosure],
])) {
  for (const { name: what, code, where, text } of vectors[name].refused) {
    test(`${name} that are refused: ${what}`, () => {
      assert.throws(
        () => open(utf8(text)),
        (error) => {
          assert.ok(error instanceof VerifierError);
          assert.equal(error.code, code);
          if (where) assert.equal(error.where, where.join("; "));
          return true;
        },
      );
    });
  }
}
