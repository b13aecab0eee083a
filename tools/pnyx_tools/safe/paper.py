"""What the owners of a Safe get to see before they sign: a file for their wallet, and the same in words. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pnyx_contracts.safe import SafeTx, domain_separator
from pnyx_contracts.types import to_hex
from pnyx_tools.safe.reading import Safe

_BUILDER_VERSION: Final = "1.18.0"


@dataclass(frozen=True, slots=True)
class Act:
    """One call that a Safe should make, and what it does."""

    what: str
    to: str
    data: bytes


def builder_file(chain_id: int, safe: str, acts: Sequence[Act], created_at: int) -> dict[str, Any]:
    """For the app "Transaction Builder" of Safe{Wallet}: import it there, look, propose. Format 1.0 of its files.

    `created_at`: seconds since the epoch. Several acts become one transaction of the Safe.
    """
    return {
        "version": "1.0",
        "chainId": str(chain_id),
        "createdAt": created_at * 1000,
        "meta": {
            "name": acts[0].what if len(acts) == 1 else f"{len(acts)} acts of Pnyx",
            "description": "; ".join(act.what for act in acts),
            "txBuilderVersion": _BUILDER_VERSION,
            "createdFromSafeAddress": safe,
            "createdFromOwnerAddress": "",
        },
        "transactions": [
            {"to": act.to, "value": "0", "data": to_hex(act.data), "contractMethod": None, "contractInputsValues": None}
            for act in acts
        ],
    }


def explanation(transaction: SafeTx, safe: Safe, about: Sequence[tuple[str, str]]) -> str:
    """Everything that a wallet shows of the transaction, field by field, below what it is about."""
    place = f"Safe {safe.address}, version {safe.version}, chain {transaction.chain_id}"
    signers = f"{safe.threshold} of its {len(safe.owners)} owners sign; it executes number {safe.nonce} next"
    fields = [(name, _shown(value)) for name, value in transaction.fields.items()]
    hashes = [
        ("safeTxHash", to_hex(transaction.hash)),
        ("domain hash", to_hex(domain_separator(transaction.chain_id, safe.address))),
        ("message hash", to_hex(transaction.message_hash)),
    ]
    return "\n\n".join(
        [
            _table(about),
            "\n".join([place, signers, *(f"Careful: {caution}" for caution in safe.cautions)]),
            "What a wallet shows before it signs:\n" + _table(fields),
            _table(hashes),
        ]
    )


def _shown(value: object) -> str:
    return to_hex(value) if isinstance(value, bytes) else str(value)


def _table(rows: Sequence[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:{width}}  {value}" for name, value in rows)
