"""The contract on a real node and our fold agree, whatever is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pnyx_contracts import decision_log
from pnyx_contracts.artifacts import artifact
from pnyx_contracts.entry import Declaration, Entry, EntryKind
from pnyx_contracts.errors import PnyxError
from pnyx_tools.testing.anvil import Anvil, find_anvil
from pnyx_tools.testing.deploy import deploy_factory, deploy_log

DAY = 86_400
GOVERNOR = "0x1111111111111111111111111111111111111111"
DECLARATION = Declaration(config_hash=b"\x01" * 32, governors=(GOVERNOR,), evidence_uri="https://example.org")

words = st.binary(min_size=32, max_size=32)
hashes = words.filter(any)
BY_THE_LOG = {EntryKind.CONFIG_ANNOUNCED, EntryKind.CONFIG_ACTIVATED, EntryKind.SUCCEEDED, EntryKind.SUCCEEDS}
recordable = [kind for kind in EntryKind if kind not in BY_THE_LOG]
notes = st.tuples(st.sampled_from(recordable), words, hashes, hashes, words)
declarations = st.builds(
    Declaration,
    config_hash=hashes,
    governors=st.lists(st.binary(min_size=20, max_size=20), max_size=3).map(tuple),
    evidence_uri=st.text(max_size=40),
)
few = settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


@dataclass(frozen=True)
class Chain:
    node: Anvil
    log: str

    @property
    def writer(self) -> str:
        return self.node.accounts[1]

    @property
    def operator(self) -> str:
        return self.node.accounts[2]

    def seq(self, writer: str) -> int:
        return self.node.rpc.read(decision_log.read_state(self.log, writer)).seq

    def entries(self, writer: str) -> list[Entry]:
        topics = [decision_log.ENTRY_TOPIC, bytes(12) + bytes.fromhex(writer[2:])]
        head = self.node.rpc.block().number
        return [decision_log.decode_entry(log) for log in self.node.rpc.logs(0, head, topics, [self.log])]

    def genesis(self, writer: str, operator: str, notice_seconds: int) -> bytes:
        """Of a writer that registered with `DECLARATION`."""
        declared = decision_log.declaration_subject(DECLARATION)
        chain_id = self.node.rpc.chain_id()
        return decision_log.genesis(chain_id, self.log, writer, operator, notice_seconds, declared)

    def require_fold_equals_state(self, writer: str, operator: str, notice_seconds: int = DAY) -> list[Entry]:
        entries = self.entries(writer)
        head = decision_log.initial_head(self.genesis(writer, operator, notice_seconds))
        for entry in entries:
            head = decision_log.fold(head, entry)
        state = self.node.rpc.read(decision_log.read_state(self.log, writer))
        assert state.registered
        assert state.head == head
        assert [entry.seq for entry in entries] == list(range(1, state.seq + 1))
        return entries


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    try:
        find_anvil()
    except PnyxError as error:
        pytest.skip(error.message)
    with Anvil() as node:
        yield Chain(node, deploy_log(node))


@pytest.fixture
def registered(chain: Chain) -> Iterator[Chain]:
    snapshot = chain.node.snapshot()
    chain.node.send(chain.log, decision_log.encode_register(chain.operator, DAY, DECLARATION), sender=chain.writer)
    yield chain
    chain.node.revert(snapshot)


def test_a_registration_is_read_as_it_was_sent(registered: Chain) -> None:
    head = registered.node.rpc.block()
    (log,) = registered.node.rpc.logs(0, head.number, [decision_log.REGISTERED_TOPIC], [registered.log])
    event = decision_log.decode_registered(log)
    assert (event.writer, event.operator, event.notice_seconds) == (registered.writer, registered.operator, DAY)
    assert event.declaration == DECLARATION
    assert event.start_block == event.block_number == head.number
    assert event.subject == decision_log.declaration_subject(DECLARATION)
    assert event.genesis == registered.genesis(registered.writer, registered.operator, DAY)
    assert registered.node.rpc.read(decision_log.read_operator(registered.log, registered.writer)) == (
        registered.operator,
        DAY,
    )
    registered.require_fold_equals_state(registered.writer, registered.operator)


@few
@given(st.lists(notes, min_size=1, max_size=5))
def test_the_fold_over_any_entries_is_the_head_on_chain(registered: Chain, written: list[tuple]) -> None:
    before = registered.seq(registered.writer)
    for number, note in enumerate(written, start=before + 1):
        registered.node.send(registered.log, decision_log.encode_record(number, *note), sender=registered.writer)
    entries = registered.require_fold_equals_state(registered.writer, registered.operator)
    found = [(e.kind, e.subject, e.prompt_hash, e.record_root, e.action) for e in entries[before:]]
    assert found == written


@few
@given(declarations, st.binary(min_size=1, max_size=40), st.integers(DAY, 2**32 - 1))
def test_the_first_head_binds_any_declaration_also_one_that_is_no_text(
    chain: Chain, declared: Declaration, uri: bytes, notice: int
) -> None:
    node = chain.node
    snapshot = node.snapshot()
    marked = declared.model_copy(update={"evidence_uri": "?" * len(uri)})
    register = decision_log.encode_register(chain.operator, notice, marked)
    padding = bytes(-len(uri) % 32)
    node.send(chain.log, register.removesuffix(b"?" * len(uri) + padding) + uri + padding, sender=chain.writer)
    (log,) = node.rpc.logs(0, node.rpc.block().number, [decision_log.REGISTERED_TOPIC], [chain.log])
    state = node.rpc.read(decision_log.read_state(chain.log, chain.writer))
    node.revert(snapshot)

    event = decision_log.decode_registered(log)
    assert event.declaration.evidence_uri == uri.decode(errors="backslashreplace")
    place = (node.rpc.chain_id(), chain.log, chain.writer)
    assert event.genesis == decision_log.genesis(*place, chain.operator, notice, event.subject)
    assert state.head == decision_log.initial_head(event.genesis)


def test_a_retry_reverts(registered: Chain) -> None:
    note = decision_log.encode_record(1, EntryKind.SKIP, bytes(32), b"\x01" * 32, b"\x02" * 32, bytes(32))
    registered.node.send(registered.log, note, sender=registered.writer)
    with pytest.raises(PnyxError):
        registered.node.send(registered.log, note, sender=registered.writer)
    assert len(registered.require_fold_equals_state(registered.writer, registered.operator)) == 1


@few
@given(declarations)
def test_a_change_of_configuration_is_two_entries_with_our_subject(registered: Chain, declared: Declaration) -> None:
    rpc = registered.node.rpc
    before = registered.seq(registered.writer)
    epoch = rpc.read(decision_log.read_state(registered.log, registered.writer)).epoch
    start = rpc.block().number + 1
    announce = decision_log.encode_announce(registered.writer, before + 1, declared)
    registered.node.send(registered.log, announce, sender=registered.operator)
    registered.node.increase_time(DAY)
    activate = decision_log.encode_activate(registered.writer, before + 2)
    registered.node.send(registered.log, activate, sender=registered.node.accounts[5])

    entries = registered.require_fold_equals_state(registered.writer, registered.operator)[before:]
    assert [e.kind for e in entries] == [EntryKind.CONFIG_ANNOUNCED, EntryKind.CONFIG_ACTIVATED]
    assert (
        {e.subject for e in entries} == {e.record_root for e in entries} == {decision_log.declaration_subject(declared)}
    )
    assert {e.epoch for e in entries} == {epoch}
    end = rpc.block().number
    (announced,) = rpc.logs(start, end, [decision_log.ANNOUNCED_TOPIC], [registered.log])
    event = decision_log.decode_configuration_announced(announced)
    assert event.declaration == declared
    assert event.subject == decision_log.declaration_subject(declared)
    assert event.epoch == epoch + 1
    assert int.from_bytes(entries[0].action, "big") == event.active_at
    (activated,) = rpc.logs(start, end, [decision_log.ACTIVATED_TOPIC], [registered.log])
    assert decision_log.decode_configuration_activated(activated).epoch == epoch + 1
    assert rpc.read(decision_log.read_state(registered.log, registered.writer)).epoch == epoch + 1


def test_a_gate_registers_notes_and_administers_itself(chain: Chain) -> None:
    node, rpc = chain.node, chain.node.rpc
    operator, guardian, signer, anybody = node.accounts[2:6]
    factory = deploy_factory(node, chain.log)
    receipt = node.send(
        factory, decision_log.encode_create_gate(operator, guardian, signer, DAY, 2 * DAY, DECLARATION), sender=anybody
    )
    block = int(receipt["blockNumber"], 16)
    (created,) = rpc.logs(block, block, [decision_log.GATE_CREATED_TOPIC], [factory])
    event = decision_log.decode_gate_created(created)
    assert (event.operator, event.guardian, event.signer) == (operator, guardian, signer)
    gate = event.gate

    assert rpc.read(decision_log.read_is_gate(factory, gate))
    assert not rpc.read(decision_log.read_is_gate(factory, factory))
    assert rpc.read(decision_log.read_factory_log(factory)) == chain.log
    accounts = {"log": chain.log, "factory": factory, "operator": operator, "guardian": guardian, "signer": signer}
    assert {name: rpc.read(decision_log.read_gate_account(gate, name)) for name in accounts} == accounts
    assert rpc.read(decision_log.read_governor_allowed(gate, GOVERNOR))
    assert not rpc.read(decision_log.read_governor_allowed(gate, anybody))

    immutables = artifact("VoteGate").immutables_of(rpc.code(gate))
    assert immutables is not None
    assert "0x" + immutables["guardian"][-20:].hex() == guardian.lower()
    assert int.from_bytes(immutables["delaySeconds"], "big") == DAY
    assert artifact("VoteGate").immutables_of(rpc.code(factory)) is None

    note = decision_log.encode_gate_note(1, EntryKind.HOLD, bytes(32), b"\x01" * 32, b"\x02" * 32, bytes(32))
    node.send(gate, note, sender=signer)
    node.send(gate, _selector("VoteGate", "pauseVotes"), sender=guardian)
    assert rpc.read(decision_log.read_votes_paused(gate))
    entries = chain.require_fold_equals_state(gate, operator, 2 * DAY)
    assert [entry.kind for entry in entries] == [EntryKind.HOLD, EntryKind.PAUSED]
    assert entries[1].subject == decision_log.administration_subject(guardian, True)
    assert entries[1].prompt_hash == decision_log.ADMINISTRATION


def _selector(contract: str, function: str) -> bytes:
    from eth_hash.auto import keccak

    assert any(item.get("name") == function and not item["inputs"] for item in artifact(contract).abi)
    return keccak(f"{function}()".encode())[:4]
