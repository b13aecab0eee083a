"""Hashes, calldata and events of the decision log, against the compiled ABI, `cast` and strangers' bytes."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from pnyx_contracts import decision_log as log
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.entry import Declaration, Entry, EntryKind, RemarkVerdict
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Log, ProposalKey

ROOT = Path(__file__).resolve().parents[2]

WRITER = "0x1111111111111111111111111111111111111111"
OTHER = "0x2222222222222222222222222222222222222222"
THIRD = "0x3333333333333333333333333333333333333333"
A, B, C, D = (bytes([n]) * 32 for n in (0xA1, 0xB2, 0xC3, 0xD4))

KEY = ProposalKey(chain_id=1, governor=OTHER, proposal_id=2**256 - 1)
DECLARATION = Declaration(config_hash=A, governors=(WRITER, OTHER), evidence_uri="https://example.org/café")
DECLARED = f"({'0x' + A.hex()},[{WRITER},{OTHER}],https://example.org/café)"

words = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(lambda b: "0x" + b.hex())
entries = st.builds(
    Entry,
    writer=addresses,
    subject=words,
    kind=st.sampled_from(EntryKind),
    seq=st.integers(1, 2**40 - 1),
    epoch=st.integers(0, 2**16 - 1),
    time=st.integers(0, 2**48 - 1),
    prompt_hash=words,
    record_root=words,
    action=words,
    block_number=st.integers(0, 2**40),
    transaction_hash=words,
    log_index=st.integers(0, 1000),
)


def abi_item(kind: str, contract: str, name: str) -> dict[str, Any]:
    (item,) = [item for item in artifact(contract).abi if item["type"] == kind and item["name"] == name]
    return item


def signature(item: dict[str, Any]) -> str:
    return f"{item['name']}({','.join(collapse_if_tuple(i) for i in item['inputs'])})"


# --- calldata -----------------------------------------------------------------------------------------------------

ENTRY_WORDS = ["7", "3", *("0x" + word.hex() for word in (A, B, C, D))]

CALLS = {
    ("DecisionLog", "register"): (log.encode_register(WRITER, 86_400, DECLARATION), [WRITER, "86400", DECLARED]),
    ("DecisionLog", "record"): (log.encode_record(7, EntryKind.HOLD, A, B, C, D), ENTRY_WORDS),
    ("DecisionLog", "announce"): (
        log.encode_announce(WRITER, 2**40 - 1, DECLARATION),
        [WRITER, str(2**40 - 1), DECLARED],
    ),
    ("DecisionLog", "activate"): (log.encode_activate(WRITER, 9), [WRITER, "9"]),
    ("DecisionLog", "succeed"): (log.encode_succeed(WRITER, 2**40 - 1, OTHER), [WRITER, str(2**40 - 1), OTHER]),
    ("DecisionLog", "remark"): (
        log.encode_remark(WRITER, 7, RemarkVerdict.WITHHELD, A, "https://example.org/é"),
        [WRITER, "7", "3", "0x" + A.hex(), "https://example.org/é"],
    ),
    ("AtomicAccount", "vote"): (
        log.encode_gate_vote(1, KEY, 255, A, B, "why: é"),
        ["1", OTHER, str(2**256 - 1), "255", "0x" + A.hex(), "0x" + B.hex(), "why: é"],
    ),
    ("VoteGate", "vote"): (
        log.encode_gate_vote(1, KEY, 255, A, B, "why: é"),
        ["1", OTHER, str(2**256 - 1), "255", "0x" + A.hex(), "0x" + B.hex(), "why: é"],
    ),
    ("VoteGate", "note"): (log.encode_gate_note(7, EntryKind.HOLD, A, B, C, D), ENTRY_WORDS),
    ("VoteGateFactory", "create"): (
        log.encode_create_gate(WRITER, OTHER, THIRD, 86_400, 172_800, DECLARATION),
        [WRITER, OTHER, THIRD, "86400", "172800", DECLARED],
    ),
    ("DecisionLog", "stateOf"): (log.read_state(THIRD, WRITER).data, [WRITER]),
    ("DecisionLog", "operatorOf"): (log.read_operator(THIRD, WRITER).data, [WRITER]),
    ("VoteGateFactory", "isGate"): (log.read_is_gate(THIRD, WRITER).data, [WRITER]),
    ("VoteGateFactory", "log"): (log.read_factory_log(THIRD).data, []),
    ("VoteGate", "log"): (log.read_gate_account(THIRD, "log").data, []),
    ("VoteGate", "factory"): (log.read_gate_account(THIRD, "factory").data, []),
    ("VoteGate", "operator"): (log.read_gate_account(THIRD, "operator").data, []),
    ("VoteGate", "guardian"): (log.read_gate_account(THIRD, "guardian").data, []),
    ("VoteGate", "signer"): (log.read_gate_account(THIRD, "signer").data, []),
    ("VoteGate", "votesPaused"): (log.read_votes_paused(THIRD).data, []),
    ("VoteGate", "governorAllowed"): (log.read_governor_allowed(THIRD, OTHER).data, [OTHER]),
}


@pytest.fixture(scope="module")
def cast() -> str:
    found = sorted(ROOT.glob("contracts/node_modules/@foundry-rs/cast-*/bin/cast*"))
    if not found:
        pytest.skip("needs cast: run `npm ci --ignore-scripts` in contracts/")
    return str(found[0])


@pytest.mark.parametrize("name", CALLS, ids=lambda name: ".".join(name))
def test_calldata_is_what_cast_makes_from_the_compiled_abi(cast: str, name: tuple[str, str]) -> None:
    ours, arguments = CALLS[name]
    command = [cast, "calldata", signature(abi_item("function", *name)), *arguments]
    theirs = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    assert "0x" + ours.hex() == theirs


def test_every_function_that_we_call_exists_and_every_write_is_covered() -> None:
    covered = {name for name in CALLS if name[0] == "DecisionLog"}
    views = {"MIN_NOTICE", "pendingOf"}
    functions = {("DecisionLog", i["name"]) for i in artifact("DecisionLog").abi if i["type"] == "function"}
    assert {name for name in functions if name[1] not in views} == covered


# --- reads --------------------------------------------------------------------------------------------------------


@given(st.binary(min_size=24, max_size=24), st.integers(0, 2**40 - 1), st.integers(0, 2**16 - 1), st.integers(0, 3))
def test_the_state_of_a_writer_is_read_as_the_abi_returns_it(head: bytes, seq: int, epoch: int, flags: int) -> None:
    outputs = [output["type"] for output in abi_item("function", "DecisionLog", "stateOf")["outputs"]]
    state = log.read_state(THIRD, WRITER).decode(encode(outputs, [head, seq, epoch, flags]))
    assert (state.head, state.seq, state.epoch) == (head, seq, epoch)
    assert (state.registered, state.closed) == (flags in {1, 3}, flags in {2, 3})


@given(st.binary(max_size=200))
def test_an_answer_of_any_bytes_is_read_or_refused(data: bytes) -> None:
    for read in (
        log.read_state(THIRD, WRITER),
        log.read_operator(THIRD, WRITER),
        log.read_is_gate(THIRD, WRITER),
        log.read_gate_account(THIRD, "signer"),
        log.read_votes_paused(THIRD),
    ):
        with suppress(DecodingError):
            read.decode(data)


# --- events -------------------------------------------------------------------------------------------------------

EVENTS = {
    ("DecisionLog", "Registered"): (log.REGISTERED_TOPIC, log.decode_registered),
    ("DecisionLog", "Entry"): (log.ENTRY_TOPIC, log.decode_entry),
    ("DecisionLog", "ConfigurationAnnounced"): (log.ANNOUNCED_TOPIC, log.decode_configuration_announced),
    ("DecisionLog", "ConfigurationActivated"): (log.ACTIVATED_TOPIC, log.decode_configuration_activated),
    ("DecisionLog", "Remarked"): (log.REMARKED_TOPIC, log.decode_remark),
    ("VoteGateFactory", "GateCreated"): (log.GATE_CREATED_TOPIC, log.decode_gate_created),
}

OURS = {
    "startBlock": "start_block",
    "noticeSeconds": "notice_seconds",
    "configHash": "config_hash",
    "evidenceUri": "evidence_uri",
    "activeAt": "active_at",
    "promptHash": "prompt_hash",
    "recordRoot": "record_root",
    "from": "author",
}


def emitted(item: dict[str, Any], values: dict[str, Any]) -> Log:
    """The log of an event, encoded by its ABI."""
    indexed = [i for i in item["inputs"] if i["indexed"]]
    rest = [i for i in item["inputs"] if not i["indexed"]]
    return Log(
        address=THIRD,
        topics=(keccak(signature(item).encode()), *(encode([i["type"]], [values[i["name"]]]) for i in indexed)),
        # As bytes: what a contract emits as a string need not be UTF-8.
        data=encode(
            ["bytes" if i["type"] == "string" else i["type"] for i in rest],
            [values[i["name"]] for i in rest],
        ),
        block_number=5,
        block_hash=A,
        transaction_hash=B,
        log_index=2,
    )


def sample_values(item: dict[str, Any]) -> dict[str, Any]:
    """Distinct values, so that an exchange of two words shows."""
    samples: dict[str, Any] = {}
    for number, i in enumerate(item["inputs"], start=1):
        samples[i["name"]] = {
            "address": "0x" + bytes([number]).hex() * 20,
            "address[]": [WRITER, OTHER],
            "bytes32": bytes([number]) * 32,
            "string": b"https://example.org/\xff\xfe",
        }.get(i["type"], number)
    return samples


@pytest.mark.parametrize("name", EVENTS, ids=lambda name: name[1])
def test_events_are_decoded_as_the_compiled_abi_names_them(name: tuple[str, str]) -> None:
    topic, decode = EVENTS[name]
    item = abi_item("event", *name)
    assert topic == keccak(signature(item).encode())
    values = sample_values(item)
    event = fields_of(decode(emitted(item, values)))
    flat = event | event.pop("declaration", {})
    for abi_name, value in values.items():
        found = flat[OURS.get(abi_name, abi_name)]
        if abi_name in {"evidenceUri", "uri"}:
            assert found == "https://example.org/\\xff\\xfe"
        elif abi_name == "governors":
            assert list(found) == value
        else:
            assert found == value, abi_name
    assert (flat["block_number"], flat["transaction_hash"], flat["log_index"]) == (5, B, 2)


def fields_of(event: Any) -> dict[str, Any]:
    return asdict(event) if isinstance(event, Entry) else event.model_dump()


@pytest.mark.parametrize("name", ["Registered", "ConfigurationAnnounced"])
@given(st.binary(max_size=80), st.lists(addresses, max_size=5), words)
def test_an_event_that_declares_has_the_subject_of_its_bytes(
    name: str, uri: bytes, governors: list[str], config_hash: bytes
) -> None:
    """Also where the string is no UTF-8: the subject comes from the bytes."""
    item = abi_item("event", "DecisionLog", name)
    values = sample_values(item) | {"evidenceUri": uri, "governors": governors, "configHash": config_hash}
    event = EVENTS["DecisionLog", name][1](emitted(item, values))
    assert event.subject == keccak(encode(["(bytes32,address[],bytes)"], [(config_hash, governors, uri)]))
    if uri.isascii():
        assert event.subject == log.declaration_subject(event.declaration)


def test_an_escaped_string_is_not_the_one_that_it_looks_like() -> None:
    item = abi_item("event", "DecisionLog", "Registered")
    strange, lookalike = (
        log.decode_registered(emitted(item, sample_values(item) | {"evidenceUri": uri}))
        for uri in (b"https://example.org/\xff", b"https://example.org/\\xff")
    )
    assert strange.declaration == lookalike.declaration
    assert strange.subject != lookalike.subject


@pytest.mark.parametrize("name", EVENTS, ids=lambda name: name[1])
@given(data=st.data())
def test_any_bytes_in_a_log_are_decoded_or_refused(name: tuple[str, str], data: st.DataObject) -> None:
    _, decode = EVENTS[name]
    item = abi_item("event", *name)
    honest = emitted(item, sample_values(item))
    tampered = bytearray(honest.data)
    for _ in range(data.draw(st.integers(0, 3))):
        tampered[data.draw(st.integers(0, len(tampered) - 1))] = data.draw(st.integers(0, 255))
    topics = data.draw(st.sampled_from([honest.topics, honest.topics[:1], (), (A, *honest.topics[1:])]))
    cut = data.draw(st.integers(0, len(tampered)))
    with suppress(DecodingError):
        decode(replace(honest, data=bytes(tampered[:cut]), topics=topics))


def test_an_entry_of_an_unknown_kind_is_refused() -> None:
    item = abi_item("event", "DecisionLog", "Entry")
    with pytest.raises(DecodingError, match="no Entry that the contract emits"):
        log.decode_entry(emitted(item, sample_values(item) | {"kind": 99}))


@given(st.integers(0, 255), st.binary(max_size=80))
def test_a_remark_has_one_of_four_verdicts_and_any_text(verdict: int, uri: bytes) -> None:
    item = abi_item("event", "DecisionLog", "Remarked")
    event = emitted(item, sample_values(item) | {"verdict": verdict, "uri": uri})
    if verdict in set(RemarkVerdict):
        remark = log.decode_remark(event)
        assert (remark.verdict, remark.uri) == (verdict, uri.decode(errors="backslashreplace"))
    else:
        with pytest.raises(DecodingError, match="no Remark that the contract emits"):
            log.decode_remark(event)


# --- heads --------------------------------------------------------------------------------------------------------


@given(entries, st.binary(min_size=24, max_size=24), st.data())
def test_the_head_binds_every_word_of_an_entry(entry: Entry, head: bytes, data: st.DataObject) -> None:
    other = data.draw(entries)
    bound = ("seq", "epoch", "kind", "time", "subject", "prompt_hash", "record_root", "action")
    folded = log.fold(head, entry)
    assert len(folded) == 24
    for name in bound:
        changed = replace(entry, **{name: getattr(other, name)})
        assert (log.fold(head, changed) == folded) == (getattr(entry, name) == getattr(other, name)), name
    assert log.fold(folded, entry) != folded


registrations = st.tuples(st.integers(1, 2**64), addresses, addresses, addresses, st.integers(0, 2**32 - 1), words)


@given(registrations, registrations, st.integers(0, 5))
def test_the_first_head_binds_every_word_of_a_registration(one: tuple, other: tuple, place: int) -> None:
    changed = (*one[:place], other[place], *one[place + 1 :])
    heads = {log.initial_head(log.genesis(*registration)) for registration in (one, changed)}
    assert len(heads) == (1 if one == changed else 2)


@given(st.integers(0, 255))
def test_the_action_of_a_vote_is_its_number(support: int) -> None:
    assert log.vote_action(support) == support.to_bytes(32, "big")


def test_the_subject_names_chain_governor_and_proposal() -> None:
    packed = (1).to_bytes(32, "big") + bytes(12) + bytes.fromhex(OTHER[2:]) + b"\xff" * 32
    assert log.subject(KEY) == keccak(packed)


@given(addresses, addresses, st.binary(min_size=24, max_size=24))
def test_the_words_of_a_succession_name_both_writers_and_the_last_head(old: str, new: str, head: bytes) -> None:
    packed = b"".join(bytes(12) + bytes.fromhex(writer[2:]) for writer in (old, new))
    assert log.succession_subject(old, new) == keccak(packed)
    assert log.succession_action(new) == packed[32:]
    assert log.succession_root(head) == head + bytes(8)
    assert (log.succession_subject(old, new) == log.succession_subject(new, old)) == (old == new)


def test_neither_entry_of_a_succession_answers_for_a_proposal() -> None:
    assert not any(kind.is_terminal for kind in (EntryKind.SUCCEEDED, EntryKind.SUCCEEDS))
