"""What the signer refused, and why: kept in its memory file, so that it outlasts log files and daemons.

Rows are only ever added. Each kind of `Again` keeps its newest `KEPT`: a node that lags for a week, and is asked about
every second, cannot push out the refusals that matter.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import Value, to_hex
from pnyx_policies.bundle import Bundle, recompute
from pnyx_tools.signer.protocol import Again, Asked, BundleRequest, Refusal, SignSafeTx, name_of

KEPT: Final = 10_000

TABLE: Final = """
CREATE TABLE IF NOT EXISTS refusal (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, request TEXT NOT NULL, proposal TEXT NOT NULL,
    record_root TEXT NOT NULL, reason TEXT NOT NULL, again TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS refusal_by_kind ON refusal (again, id);
CREATE TRIGGER IF NOT EXISTS refusals_stay BEFORE UPDATE ON refusal
BEGIN SELECT RAISE(ABORT, 'a refusal is never rewritten'); END;
"""


_ALL: Final = "SELECT at, request, proposal, record_root, reason, again FROM refusal ORDER BY id"


class Refused(Value):
    """One refusal. Proposal and record root are what the refused bundle said of itself, empty when it said nothing."""

    at: int
    """Seconds since the epoch."""
    request: str
    """``sign-vote``, ``sign-entry SKIP`` ..."""
    proposal: str
    record_root: str
    reason: str
    again: Again
    """Whether the same request may be right another time."""

    @classmethod
    def of(cls, request: Asked | None, refusal: Refusal, now: int) -> Refused:
        """`request` is None for what was no request at all."""
        proposal, root = _claims(request.bundle) if isinstance(request, BundleRequest | SignSafeTx) else ("", "")
        what = name_of(request) if request is not None else "unreadable"
        return cls(
            at=now, request=what, proposal=proposal, record_root=root, reason=refusal.reason, again=refusal.again
        )


def _claims(text: str) -> tuple[str, str]:
    try:
        bundle = Bundle.parse(text.encode())
        return str(bundle.dossier.proposal.key), to_hex(recompute(bundle).record_root)
    except PnyxError:
        return "", ""


def add_refusal(connection: sqlite3.Connection, refused: Refused) -> None:
    """Within the transaction of whoever calls."""
    row = refused.model_dump(mode="json")
    connection.execute(
        "INSERT INTO refusal (at, request, proposal, record_root, reason, again)"
        " VALUES (:at, :request, :proposal, :record_root, :reason, :again)",
        row,
    )
    connection.execute(
        "DELETE FROM refusal WHERE again = :again AND id <="
        " (SELECT id FROM refusal WHERE again = :again ORDER BY id DESC LIMIT 1 OFFSET :kept)",
        {"again": row["again"], "kept": KEPT},
    )


def read_refusals(memory: Path) -> list[Refused]:
    """All that are kept, the oldest first, also while the signer runs. Raises `UsageError`."""
    if not memory.exists():
        raise UsageError(f"there is no signer's memory at {memory}", hint="the signer makes it when it first starts")
    try:
        with closing(sqlite3.connect(f"{memory.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(_ALL)
            return [Refused.model_validate(dict(row)) for row in rows]
    except sqlite3.Error as error:
        raise UsageError(f"the signer's memory {memory} cannot be read: {error}") from None
