"""Probes: what their readings mean to the check, to rules, and where nothing was read."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pnyx_policies.checks import CheckSkipped, CheckView, PostState
from pnyx_policies.facts import Facts, ProbeAnswer, ProbeReading, SimulationStatus
from pnyx_policies.fields import Situation, catalogue
from pnyx_policies.finding import Severity
from pnyx_policies.probes import Each, Expectation, Probe, members
from pnyx_tools.testing.facts import address_of, call_of, facts_for, not_simulated, proposal_of, simulated

ORACLE = address_of("oracle")
SILENT = ProbeAnswer(error="reverts without a reason")


def says(*words: int) -> ProbeAnswer:
    return ProbeAnswer(data=b"".join(word.to_bytes(32, "big") for word in words))


def probe(expect: str, most_move: int | None = None, word: int = 0) -> Probe:
    return Probe(
        name="price", contract=ORACLE, calldata=bytes(4), expect=Expectation(expect), most_move=most_move, word=word
    )


def facts_with(declared: Probe, before: ProbeAnswer, after: ProbeAnswer) -> Facts:
    reading = ProbeReading(name="price", before=before, after=after)
    simulation = simulated().model_copy(update={"readings": (reading,)})
    facts = facts_for(proposal_of([call_of(ORACLE, value_wei=1)], "Pay."), simulation=simulation)
    return facts.model_copy(update={"probes": (declared,)})


ANSWERS, UNCHANGED, NEAR, SECOND = probe("answers"), probe("unchanged"), probe("near", 500), probe("near", 500, 1)


@pytest.mark.parametrize(
    ("declared", "before", "after", "severity"),
    [
        (ANSWERS, says(1), says(2), None),
        (ANSWERS, says(1), SILENT, Severity.HIGH),
        (ANSWERS, SILENT, SILENT, Severity.LOW),
        (ANSWERS, SILENT, says(1), None),
        (UNCHANGED, says(7), says(7), None),
        (UNCHANGED, says(7), says(8), Severity.HIGH),
        (UNCHANGED, SILENT, says(8), Severity.LOW),
        (NEAR, says(10_000), says(10_500), None),
        (NEAR, says(10_000), says(9_500), None),
        (NEAR, says(10_000), says(10_501), Severity.HIGH),
        (NEAR, says(10_000), says(9_499), Severity.HIGH),
        (NEAR, says(0), says(0), None),
        (NEAR, says(0), says(1), Severity.HIGH),
        (SECOND, says(1, 100), says(9, 100), None),
        (SECOND, says(1, 100), says(1, 200), Severity.HIGH),
        (SECOND, says(1), says(1), Severity.LOW),
        (SECOND, says(1, 1), says(1), Severity.HIGH),
    ],
)
def test_what_a_reading_means(
    declared: Probe, before: ProbeAnswer, after: ProbeAnswer, severity: Severity | None
) -> None:
    facts = facts_with(declared, before, after)
    found = PostState().run(CheckView(facts))
    assert [f.severity for f in found] == ([] if severity is None else [severity])
    assert broken(facts) == (severity is Severity.HIGH)


def broken(facts: Facts) -> object:
    return catalogue([])["probes.broken"].look(Situation(facts, (), (), frozenset())).value


MEMBER = bytes(12) + bytes.fromhex(ORACLE[2:])
PRICES = Probe(
    name="price", contract=ORACLE, calldata=bytes(36), each=Each(contract=ORACLE, calldata=bytes(4), argument=0)
)


def test_each_member_of_a_list_that_breaks_is_named() -> None:
    kept, broken_one, number = (bytes(31) + b"\7", MEMBER, b"\1" * 32)
    readings = [
        ProbeReading(name="price", member=member, before=says(1), after=says(1) if member == kept else SILENT)
        for member in (kept, broken_one, number)
    ]
    facts = facts_with(PRICES, says(1), says(1))
    simulation = facts.simulation.model_copy(update={"readings": tuple(readings)})
    facts = facts.model_copy(update={"simulation": simulation})
    first, second = PostState().run(CheckView(facts))
    assert first.detail.startswith(f"For {ORACLE}: It answered before")
    assert second.detail.startswith(f"For 0x{number.hex()}: It answered before")
    assert broken(facts) == 1, "one probe, however many members"


def test_a_list_that_cannot_be_read_is_no_break() -> None:
    gone = ProbeAnswer(error="its list is empty")
    (finding,) = PostState().run(CheckView(facts_with(PRICES, gone, gone)))
    assert (finding.severity, finding.detail) == (Severity.LOW, "It did not answer before either: its list is empty.")


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=5), st.binary(max_size=40))
def test_a_list_is_read_as_it_is_encoded(words: list[bytes], more: bytes) -> None:
    data = encode(["bytes32[]"], [words])
    assert members(data) == tuple(words)
    if more:
        assert members(data + more) is None
        assert members(data[: -len(more)]) is None


def test_the_member_needs_its_place_in_the_call() -> None:
    each = Each(contract=ORACLE, calldata=bytes(4), argument=1)
    with pytest.raises(ValidationError, match="no argument 1"):
        Probe(name="price", contract=ORACLE, calldata=bytes(36), each=each)
    assert Probe(name="price", contract=ORACLE, calldata=bytes(68), each=each).calldata_for(MEMBER)[36:] == MEMBER


def test_what_was_not_read_is_not_known() -> None:
    facts = facts_with(ANSWERS, says(1), says(1))
    for simulation in (not_simulated(), simulated()):
        unread = facts.model_copy(update={"simulation": simulation})
        with pytest.raises(CheckSkipped, match="could not be read"):
            PostState().run(CheckView(unread))
        assert broken(unread) is None
    flooded = facts.simulation.model_copy(update={"status": SimulationStatus.SKIPPED})
    with pytest.raises(CheckSkipped):
        PostState().run(CheckView(facts.model_copy(update={"simulation": flooded})))


def test_without_probes_a_node_that_cannot_simulate_changes_nothing() -> None:
    facts = facts_for(proposal_of([call_of(ORACLE, value_wei=1)], "Pay."), simulation=not_simulated())
    assert PostState().run(CheckView(facts)) == ()
    assert broken(facts) == 0


def test_a_limit_goes_with_near_and_only_with_it() -> None:
    for expect, most_move in (("near", None), ("answers", 5)):
        with pytest.raises(ValidationError, match="most_move"):
            probe(expect, most_move)
