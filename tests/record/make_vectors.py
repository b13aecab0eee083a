"""Writes the test vectors of the record format: ``python tests/record/make_vectors.py``.

They ship as `pnyx_contracts/vectors/record.json`: every hash taken apart, whole and published bundles, disclosures, and
files that must be refused.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_hash.auto import keccak
from eth_keys.datatypes import PrivateKey

import pnyx_contracts
from pnyx_contracts import decision_log, record
from pnyx_contracts.canonical import canonical_bytes
from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value, in_json, to_hex
from pnyx_policies.approval import Answer
from pnyx_policies.bundle import Bundle, ChangedBundleError, SwappedBundleError, open_bundle, seal, withhold
from pnyx_policies.disclosure import ChangedDisclosureError, Disclosure, disclose, open_disclosure, parse_parts
from pnyx_policies.dossier import NOBODY, Dossier, Software
from pnyx_tools.testing.sample_record import (
    AGENT,
    BODIES,
    GOVERNOR,
    KEY,
    LOG,
    REQUEST,
    RULESET,
    SALT_KEY,
    TOKEN,
    sample_bundle,
    sample_dossier,
)

FILE = Path(pnyx_contracts.__file__).parent / "vectors" / "record.json"

SUCCESSOR = "0x8888888888888888888888888888888888888888"
OPERATOR = "0x6666666666666666666666666666666666666666"

DECLARATION = Declaration(
    config_hash=keccak(b"configuration"), governors=(GOVERNOR, TOKEN), evidence_uri="https://example.org/caf\u00e9"
)
NOTICE_SECONDS = 604_800


def record_vectors() -> dict[str, Any]:
    """``record.json``: every hash of the format, from the constants up."""
    return {
        "format": "pnyx.vectors.v1",
        "constants": _constants(),
        "canonical": _canonical(),
        "refused": REFUSED,
        "leaves": _leaves(),
        "trees": [_tree(count) for count in (0, 1, 2, 3, 4, 5, 7, 16)],
        "lists": [_list(record.POSITIONS.index("rules"), count) for count in (0, 1, 3)],
        "prompts": [_prompt(count) for count in (0, 1, 2, 3)],
        "salts": _salts(),
        "subject": {**_key(), "subject": to_hex(decision_log.subject(KEY))},
        "actions": [{"support": s, "action": to_hex(decision_log.vote_action(s))} for s in (0, 1, 2, 255)],
        "declaration": _declaration(),
        "administration": [
            {"account": OPERATOR, "flag": flag, "subject": to_hex(decision_log.administration_subject(OPERATOR, flag))}
            for flag in (False, True)
        ],
        "approval": _approval(),
        **_writers(),
        "bundles": _bundles(),
        "disclosures": _disclosures(),
    }


REFUSED = [
    '{"a":1,"a":2}',
    "1.0",
    "1e3",
    "9007199254740992",
    "-9007199254740992",
    "NaN",
    "Infinity",
    '"\\ud800"',
    '{"\\udfff":1}',
    "[1,]",
    "",
]
"""Texts that no record may hold."""


def _constants() -> dict[str, str]:
    return {
        text: to_hex(keccak(text.encode()))
        for text in (
            "pnyx.record.v1",
            "pnyx.record.absent.v1",
            "pnyx.prompt.v1",
            "pnyx.prompt.none.v1",
            "pnyx.prompt.no-response.v1",
            "pnyx.DecisionLog.genesis.v1",
            "pnyx.DecisionLog.succession.v1",
            "pnyx.VoteGate.administration.v1",
        )
    }


def _canonical() -> list[dict[str, str]]:
    texts = [
        "null",
        "true",
        "-0",
        "9007199254740991",
        '""',
        '"\\u0000\\u001f\\"\\\\\\/\\b\\f\\n\\r\\t\\u007f"',
        '"caf\\u00e9 \\ud83d\\ude00 \\u202e"',
        '{"\\ue000":1,"\\ud83d\\ude00":2,"a":3,"A":4,"":5}',
        '[ {"b": [], "a": {}} , "1" ]',
    ]
    values = [json.loads(text) for text in texts]
    return [
        {"json": text, "canonical": canonical_bytes(value).decode(), "hash": to_hex(record.value_hash(value))}
        for text, value in zip(texts, values, strict=True)
    ]


def _salt(label: str) -> bytes:
    return keccak(label.encode())


def _leaves() -> list[dict[str, Any]]:
    values = {"header": {"agent": "sample"}, "ruleset": RULESET, "people": None}
    leaves: list[dict[str, Any]] = []
    for name, value in values.items():
        position, salt, digest = record.POSITIONS.index(name), _salt(name), record.value_hash(value)
        leaf = to_hex(record.leaf_hash(position, salt, digest))
        leaves.append({"position": position, "salt": to_hex(salt), "value": value, "leaf": leaf})
    for name in ("people", "reserved"):
        position, salt = record.POSITIONS.index(name), _salt(name)
        leaf = to_hex(record.leaf_hash(position, salt, record.ABSENT))
        leaves.append({"position": position, "salt": to_hex(salt), "absent": True, "leaf": leaf})
    return leaves


def _tree(count: int) -> dict[str, Any]:
    leaves = [_salt(f"tree {index}") for index in range(count)]
    return {"leaves": [to_hex(leaf) for leaf in leaves], "root": to_hex(record.tree_root(leaves))}


def _list(position: int, count: int) -> dict[str, Any]:
    values = [{"rule": f"rule {index}"} for index in range(count)]
    salts = [_salt(f"item {index}") for index in range(count)]
    hashes = [
        record.item_hash(position, index, salt, record.value_hash(value))
        for index, (value, salt) in enumerate(zip(values, salts, strict=True))
    ]
    items = [
        {"salt": to_hex(salt), "value": value, "hash": to_hex(digest)}
        for value, salt, digest in zip(values, salts, hashes, strict=True)
    ]
    return {"position": position, "items": items, "hash": to_hex(record.list_hash(position, hashes))}


def _prompt(count: int) -> dict[str, Any]:
    salt = _salt("prompt")
    attempts = []
    hashes = []
    for index in range(count):
        request, response = f"request {index}", None if index == 1 else f"response {index}"
        opinion, number = divmod(index, 2)
        response_hash = None if response is None else keccak(response.encode())
        hashes.append(record.attempt_hash(opinion, number, keccak(request.encode()), response_hash))
        attempts.append(
            {"opinion": opinion, "number": number, "request": request, "response": response, "hash": to_hex(hashes[-1])}
        )
    return {"salt": to_hex(salt), "attempts": attempts, "prompt_hash": to_hex(record.prompt_hash(salt, hashes))}


def _salts() -> dict[str, Any]:
    nonce = keccak(b"content")
    key = record.record_key(SALT_KEY, decision_log.subject(KEY), nonce)
    labels: list[tuple[str | int, ...]] = [("header",), ("rules",), ("rules", 3), ("prompt-hash",)]
    return {
        "master_key": to_hex(SALT_KEY),
        "subject": to_hex(decision_log.subject(KEY)),
        "nonce": to_hex(nonce),
        "record_key": to_hex(key),
        "salts": [
            {"label": "/".join(map(str, label)), "salt": to_hex(record.derive_salt(key, *label))} for label in labels
        ],
    }


def _key() -> dict[str, Any]:
    return {"chain_id": KEY.chain_id, "governor": KEY.governor, "proposal_id": str(KEY.proposal_id)}


def _declaration() -> dict[str, Any]:
    return _json(DECLARATION) | {"subject": to_hex(decision_log.declaration_subject(DECLARATION))}


def _approval() -> dict[str, Any]:
    answer = Answer(
        chain_id=KEY.chain_id,
        log=LOG,
        writer=AGENT,
        governor=GOVERNOR,
        proposal_id=KEY.proposal_id,
        verdict="approve",
        vote="for",
        decision="hold",
        expires_at=1_800_000_000,
        comment="Looks right, caf\u00e9.",
        review_digest=keccak(b"review"),
        ruleset_hash=keccak(b"ruleset"),
        config_hash=keccak(b"configuration"),
    )
    digest = answer.digest
    signature = PrivateKey(_salt("approver")).sign_msg_hash(digest)
    return _json(answer) | {
        "digest": to_hex(digest),
        "signature": to_hex(signature.to_bytes()[:64] + bytes([signature.v + 27])),
        "signer": str(signature.recover_public_key_from_msg_hash(digest).to_checksum_address()),
    }


def _writers() -> dict[str, Any]:
    """A writer from its registration to its succession, and the first entries of its successor."""
    subject = decision_log.succession_subject(AGENT, SUCCESSOR)
    kinds = [EntryKind.VOTE, EntryKind.SKIP, EntryKind.CONFIG_ACTIVATED, EntryKind.CORRECTION]
    entries = [_entry(AGENT, seq, kind) for seq, kind in enumerate(kinds, start=1)]
    entries.append(_succession(AGENT, 5, EntryKind.SUCCEEDED, subject, decision_log.succession_action(SUCCESSOR)))
    writer = _writer(AGENT, entries)
    last = decision_log.succession_root(bytes.fromhex(writer["entries"][-1]["head"][2:]))
    first = _succession(SUCCESSOR, 1, EntryKind.SUCCEEDS, last, decision_log.succession_action(AGENT))
    successor = _writer(SUCCESSOR, [first, _entry(SUCCESSOR, 2, EntryKind.HOLD)])
    both = {"old_writer": AGENT, "new_writer": SUCCESSOR, "subject": to_hex(subject)}
    return {"writer": writer, "successor": successor, "succession": both}


def _entry(writer: str, seq: int, kind: EntryKind, **words: bytes) -> Entry:
    usual = {
        "subject": decision_log.subject(KEY),
        "prompt_hash": _salt(f"prompt {seq}"),
        "record_root": _salt(f"root {seq}"),
        "action": decision_log.vote_action(1) if kind is EntryKind.VOTE else bytes(32),
    }
    return Entry(
        writer=writer, kind=kind, seq=seq, epoch=int(seq > 3), time=1_700_000_000 + seq, block_number=seq,
        transaction_hash=_salt(f"transaction {seq}"), log_index=0, **(usual | words),
    )  # fmt: skip


def _succession(writer: str, seq: int, kind: EntryKind, record_root: bytes, action: bytes) -> Entry:
    return _entry(
        writer, seq, kind, subject=decision_log.succession_subject(AGENT, SUCCESSOR),
        prompt_hash=decision_log.SUCCESSION, record_root=record_root, action=action,
    )  # fmt: skip


def _writer(writer: str, entries: Sequence[Entry]) -> dict[str, Any]:
    declared = decision_log.declaration_subject(DECLARATION)
    genesis = decision_log.genesis(KEY.chain_id, LOG, writer, OPERATOR, NOTICE_SECONDS, declared)
    head = decision_log.initial_head(genesis)
    start = to_hex(head)
    told = []
    for entry in entries:
        head = decision_log.fold(head, entry)
        shown = ("seq", "epoch", "kind", "time", "subject", "prompt_hash", "record_root", "action")
        told.append({name: in_json(entry)[name] for name in shown} | {"head": to_hex(head)})
    return {
        "chain_id": KEY.chain_id,
        "log": LOG,
        "writer": writer,
        "operator": OPERATOR,
        "notice_seconds": NOTICE_SECONDS,
        "declaration": _json(DECLARATION),
        "genesis": to_hex(genesis),
        "head": start,
        "entries": told,
    }


# Bundles


SEALED = ("attempts", "opinions", "rules", "ruleset")
ANOTHER = "0x" + "ab" * 32


def _bundles() -> dict[str, Any]:
    """Files as texts. `opens` are those that open under `record_root`."""
    whole = sample_bundle()
    return {
        "record_root": to_hex(whole.record_root),
        "opens": [
            {"name": "everything public", "withheld": [], "text": whole.to_bytes().decode()},
            {
                "name": "sealed fields",
                "withheld": sorted(SEALED),
                "text": withhold(whole, SEALED).to_bytes().decode(),
            },
        ],
        "refused": [_refused_bundle(whole, name, text) for name, text in _bad_bundles(withhold(whole, SEALED))],
    }


def _bad_bundles(bundle: Bundle) -> list[tuple[str, str]]:
    """Each is one change of a bundle, whose text is the shorter for its sealed fields."""
    text = bundle.to_bytes().decode()
    another = seal(
        sample_dossier().model_copy(update={"software": Software(pnyx="0.2.0", python="3.12")}), BODIES, SALT_KEY
    )
    changes: list[tuple[str, tuple[Any, ...], Any]] = [
        ("another value", ("fields", "decision", "outcome"), "against"),
        ("another salt", ("salts", "checks"), ANOTHER),
        ("another leaf", ("leaves", 9), ANOTHER),
        ("another leaf of a withheld field", ("leaves", 8), ANOTHER),
        ("another root", ("record_root",), ANOTHER),
        ("something at the reserved position", ("leaves", 15), ANOTHER),
        ("a body of no attempt", ("bodies", to_hex(keccak(b"stranger"))), {"text": "stranger"}),
        ("a member that is none", ("surprise",), None),
        ("a field that is none", ("fields", "reserved"), None),
        ("a field without its salt", ("fields", "opinions"), []),
        ("an address without checksum", ("fields", "header", "log"), "0x" + "ab" * 20),
        ("a number as text", ("fields", "header", "chain_id"), "31337"),
        ("an integer as a boolean", ("fields", "header", "chain_id"), True),
        ("another format", ("format",), "pnyx.bundle.v2"),
    ]
    return [
        ("another record", withhold(another, SEALED).to_bytes().decode()),
        ("a space at the end", text + " "),
        ("a duplicate key", text[:-1] + ',"salts":{}}'),
        ("nothing", ""),
        *((name, _changed(bundle, path, value)) for name, path, value in changes),
    ]


ONLY_TYPES_TELL = {"an address without checksum", "a number as text", "an integer as a boolean"}
"""A reader that does not know the types of fields finds these changed, at the places under ``untyped``."""


def _refused_bundle(whole: Bundle, name: str, text: str) -> dict[str, Any]:
    try:
        Bundle.parse(text.encode())
        open_bundle(whole.record_root, text.encode())
    except DecodingError:
        untyped = {"untyped": ["fields.header", "record_root"]} if name in ONLY_TYPES_TELL else {}
        return {"name": name, "code": "malformed", **untyped, "text": text}
    except SwappedBundleError:
        return {"name": name, "code": "swapped", "text": text}
    except ChangedBundleError as error:
        return {"name": name, "code": "changed", "where": list(error.where), "text": text}
    raise AssertionError(f"{name}: nothing is wrong with it")


# Disclosures


def _disclosures() -> dict[str, Any]:
    bundle = sample_bundle()
    choices = (
        "opinions", "rules[1]", "attempts[0]", "attempts[2],rules[0],ruleset", "attempts,rules",
        ",".join(Dossier.model_fields),
    )  # fmt: skip
    return {
        "record_root": to_hex(bundle.record_root),
        "opens": [_taken_apart(disclose(bundle, parse_parts(parts))) for parts in choices],
        "refused": [_refused_disclosure(name, text) for name, text in _bad_disclosures(bundle)],
    }


def _taken_apart(disclosure: Disclosure) -> dict[str, Any]:
    """The file as text, and each hash behind it for those who only have hashes."""
    position = record.POSITIONS.index
    leaves = disclosure.leaves
    return {
        "opens": list(disclosure.opened),
        "leaves": [to_hex(leaf) for leaf in leaves],
        "fields": [
            {
                "position": position(name),
                "salt": to_hex(disclosure.salts[name]),
                "value_hash": to_hex(_value_hash(disclosure, name)),
                "leaf": to_hex(leaves[position(name)]),
            }
            for name in disclosure.fields
        ],
        "lists": [
            {
                "position": position(name),
                "salt": to_hex(items.salt),
                "items": [to_hex(digest) for digest in items.hashes],
                "hash": to_hex(record.list_hash(position(name), items.hashes)),
                "leaf": to_hex(leaves[position(name)]),
            }
            for name, items in disclosure.items.items()
        ],
        "items": [
            {
                "position": position(name),
                "index": int(index),
                "salt": to_hex(item.salt),
                "value_hash": to_hex(record.value_hash(item.value)),
                "hash": to_hex(items.hashes[int(index)]),
            }
            for name, items in disclosure.items.items()
            for index, item in items.open.items()
        ],
        "text": disclosure.to_bytes().decode(),
    }


def _value_hash(disclosure: Disclosure, name: str) -> bytes:
    """What stands in the leaf: the hash of the value, or of the whole list."""
    value, position = disclosure.fields[name], record.POSITIONS.index(name)
    if name not in record.LIST_POSITIONS:
        return record.value_hash(value)
    assert isinstance(value, list)
    salts = disclosure.item_salts[name]
    hashes = [record.item_hash(position, j, salts[j], record.value_hash(item)) for j, item in enumerate(value)]
    return record.list_hash(position, hashes)


def _bad_disclosures(bundle: Bundle) -> list[tuple[str, str]]:
    good = disclose(bundle, parse_parts("people,attempts[1],opinions,rules[0]"))
    text = good.to_bytes().decode()
    changes: list[tuple[str, tuple[Any, ...], Any]] = [
        ("another value", ("fields", "people"), _json(NOBODY)),
        ("another salt", ("salts", "opinions"), ANOTHER),
        ("another item", ("items", "rules", "open", "0", "value", "matched"), False),
        ("another salt of an item", ("items", "rules", "open", "0", "salt"), ANOTHER),
        ("another salt of a list", ("items", "rules", "salt"), ANOTHER),
        ("another hash of a closed item", ("items", "rules", "hashes", 1), ANOTHER),
        ("another hash of an opened item", ("items", "rules", "hashes", 0), ANOTHER),
        ("a list with more items", ("items", "rules", "hashes"), [*map(to_hex, good.items["rules"].hashes), ANOTHER]),
        ("another leaf of an opened field", ("leaves", 8), ANOTHER),
        ("another leaf of a closed field", ("leaves", 0), ANOTHER),
        ("another root", ("record_root",), ANOTHER),
        ("another body", ("bodies", to_hex(REQUEST)), {"text": "doctored"}),
        ("no body", ("bodies",), {}),
        ("an item that is not there", ("items", "rules", "open", "2"), {"salt": ANOTHER, "value": {}}),
        ("an index with a zero in front", ("items", "rules", "open", "00"), {"salt": ANOTHER, "value": {}}),
        ("a prompt salt without all attempts", ("prompt_salt",), ANOTHER),
        ("a salt of no field", ("salts", "rules"), ANOTHER),
        ("a field that is none", ("fields", "reserved"), None),
        ("an item of no list", ("items", "checks"), {"salt": ANOTHER, "hashes": [], "open": {}}),
        ("another format", ("format",), "pnyx.disclosure.v2"),
        ("a member that is none", ("surprise",), None),
    ]
    return [
        ("a space at the end", text + " "),
        ("a duplicate key", text[:-1] + ',"salts":{}}'),
        *((name, _changed(good, path, value)) for name, path, value in changes),
    ]


def _refused_disclosure(name: str, text: str) -> dict[str, Any]:
    try:
        open_disclosure(text.encode())
    except DecodingError:
        return {"name": name, "code": "malformed", "text": text}
    except ChangedDisclosureError as error:
        return {"name": name, "code": "changed", "where": list(error.where), "text": text}
    raise AssertionError(f"{name}: nothing is wrong with it")


def _changed(document: Bundle | Disclosure, path: tuple[Any, ...], value: Any) -> str:
    """The file with one other value, in canonical form."""
    whole: Any = document.model_dump(mode="json")
    parent = whole
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = value
    return canonical_bytes(whole).decode()


def _json(value: Value) -> dict[str, Any]:
    return value.model_dump(mode="json")


def file() -> bytes:
    """The vectors as they ship."""
    return (json.dumps(record_vectors(), indent=1, ensure_ascii=True) + "\n").encode()


if __name__ == "__main__":
    FILE.write_bytes(file())
