"""Finding one proposal among those that the journal knows."""

from __future__ import annotations

from pnyx_agents.settings import Settings
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import to_hex
from pnyx_tools.journal import Case, Journal


def open_journal(settings: Settings) -> Journal:
    from pnyx_agents.assembly import paths

    return Journal(paths(settings).journal)


def find_case(journal: Journal, wanted: str) -> Case:
    """By ``chain:governor:id``, by the id, or by a beginning of the id that fits only one."""
    if not wanted.strip():
        raise UsageError("expected the id of a proposal, got nothing", hint="pnyx status lists them")
    cases = journal.cases()
    exact = [c for c in cases if wanted in {c.proposal, _id(c)}]
    matches = exact or [c for c in cases if _id(c).startswith(wanted)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        raise UsageError(f"no proposal {wanted!r} in the journal", hint="pnyx status lists them")
    raise UsageError(f"{wanted!r} fits {len(matches)} proposals", hint="give more digits, or chain:governor:id")


MAX_SEQ_DIGITS = 9
"""A number of more digits is a proposal's."""


def find_root(settings: Settings, wanted: str) -> str:
    """The record root of what a person names: a root, the number of an entry, or a proposal as `find_case` takes it. A
    short number is an entry's, unless it is the whole id of a proposal.
    """
    if wanted.startswith("0x"):
        return wanted
    journal = open_journal(settings)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= MAX_SEQ_DIGITS):
        return find_case(journal, wanted).record_root
    if any(_id(case) == wanted for case in journal.cases()):
        return find_case(journal, wanted).record_root
    return _root_of_entry(settings, int(wanted))


def _root_of_entry(settings: Settings, seq: int) -> str:
    """That of the entry with this number whose bundle is this agent's own."""
    from pnyx_agents.assembly import evidence
    from pnyx_contracts.decision_log import ENTRY_TOPIC, decode_entry
    from pnyx_tools.endpoints import Pool

    if settings.log is None:
        raise UsageError("there is no [log], so no entry has a number", hint="name the proposal or the record root")
    reader = Pool.of(settings.chain.rpc, settings.chain.chain_id)
    topics: list[bytes | list[bytes] | None] = [ENTRY_TOPIC]
    if settings.log.writer is not None:
        topics.append(bytes.fromhex(settings.log.writer[2:]).rjust(32, b"\0"))
    logs = reader.logs(settings.log.start_block, reader.block().number, topics, [settings.log.address])
    for entry in map(decode_entry, logs):
        if entry.seq == seq and evidence(settings).get_bundle(entry.record_root) is not None:
            return to_hex(entry.record_root)
    raise UsageError(f"this agent has the record of no entry {seq}", hint="pnyx log lists the entries")


def _id(case: Case) -> str:
    return case.proposal.rpartition(":")[2]
