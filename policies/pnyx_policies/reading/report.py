"""The whole report of one review, in the order in which a delegate reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import ClockMode
from pnyx_policies.audit.title import title_of
from pnyx_policies.context import GroundRules, read_context
from pnyx_policies.dossier import NO_AGENT, Dossier
from pnyx_policies.facts import Facts
from pnyx_policies.reading import doing, judging, telling
from pnyx_policies.reading.amounts import span
from pnyx_policies.reading.blocks import Block, Line, Report, Section, code, line, paragraph, strong, warn
from pnyx_policies.reading.elsewhere import simulated_there
from pnyx_policies.reading.lead import lead
from pnyx_policies.reading.looked_up import looked_up
from pnyx_policies.reading.unknown import unknown

FACTS: Final = ("calls", "state", "simulation", "context")
"""What the facts are made of, beside the proposal itself."""

Write = Callable[[Dossier], Iterator[Block]]


def _of_facts(write: Callable[[Facts], Iterator[Block]]) -> Write:
    return lambda dossier: write(dossier.facts)


def _simulated(facts: Facts) -> Iterator[Block]:
    yield from doing.simulated(facts)
    yield from simulated_there(facts)


SECTIONS: Final[tuple[tuple[str, tuple[str, ...], Write], ...]] = (
    ("What it does: money", FACTS, _of_facts(doing.money)),
    ("What it does: power", FACTS, _of_facts(doing.power)),
    ("What it does: code", FACTS, _of_facts(doing.what_runs)),
    ("What it does: in the simulation", FACTS, _of_facts(_simulated)),
    ("Every call, decoded", FACTS, _of_facts(doing.calls)),
    ("The text against the calls", FACTS, _of_facts(telling.telling)),
    ("Findings", ("checks",), judging.findings),
    ("What could not be known", (*FACTS, "checks", "opinions"), unknown),
    ("Opinions", ("opinions",), judging.opinions),
    ("Decision", (), judging.decision),
    ("Rules", ("rules",), judging.rules),
    ("What was looked up beside the calls", FACTS, _of_facts(looked_up)),
    ("The proposal's own words (nobody vouches for them)", FACTS, _of_facts(telling.own_words)),
)
"""Title, the fields of the record that it needs, and who writes it."""


def report_of(dossier: Dossier, end: tuple[Line, ...] = ()) -> Report:
    """Pure: the same dossier gives the same report. What the record at hand withholds is said in its place."""
    facts = dossier.facts if not _withheld(dossier, FACTS) else None
    return Report(
        title=line(title_of(dossier.proposal.text) or "A proposal without a title"),
        lead=lead(dossier, facts),
        about=tuple(_about(dossier, facts)),
        sections=tuple(Section(title, _blocks(dossier, needs, write)) for title, needs, write in SECTIONS),
        end=end,
    )


def _blocks(dossier: Dossier, needs: tuple[str, ...], write: Write) -> tuple[Block, ...]:
    if missing := _withheld(dossier, needs):
        return (paragraph(warn(f"Withheld from this record: {', '.join(missing)}.")),)
    return tuple(write(dossier))


def _withheld(dossier: Dossier, needs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in needs if name not in dossier.model_fields_set)


def _about(dossier: Dossier, facts: Facts | None) -> Iterator[Line]:
    key, proposal = dossier.proposal.key, dossier.proposal
    yield line("Proposal ", code(str(key.proposal_id)))
    name = f" ({facts.governor.profile.name})" if facts else ""
    yield line("of governor ", code(key.governor), f"{name} on chain {key.chain_id}")
    yield line("proposed by ", code(proposal.proposer), f" in block {proposal.created_block:,}")
    if facts is not None:
        governor = facts.governor
        ends = moment(governor.profile.clock_mode, governor.deadline) + _from_now(facts)
        yield line(f"{governor.state.name.lower()}, voting ends at {ends}; read at block {facts.block.number:,}")
    if dossier.header.agent != NO_AGENT:
        yield line("reviewed by ", strong(dossier.header.agent))


def _from_now(facts: Facts) -> str:
    """How long until the end of the vote, at the pace of the last blocks."""
    governor = facts.governor
    try:
        pace = read_context(GroundRules, facts.context, facts.skipped).milliseconds_per_tick
    except DecodingError:
        return ""
    seconds = (governor.deadline - governor.now) * pace // 1_000
    return f", in about {span(seconds)}" if seconds > 0 else ""


def moment(clock: ClockMode, at: int) -> str:
    """A timepoint as the governor counts."""
    if clock is ClockMode.BLOCK:
        return f"block {at:,}"
    try:
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
    except (OverflowError, ValueError, OSError):  # a governor may say anything
        return str(at)
