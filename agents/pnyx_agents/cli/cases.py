"""Finding one proposal among those that the journal knows."""

from __future__ import annotations

from pnyx_agents.settings import Settings
from pnyx_contracts.errors import UsageError
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


def _id(case: Case) -> str:
    return case.proposal.rpartition(":")[2]
