"""What a writer has declared on chain, and what it may declare next."""

from __future__ import annotations

from dataclasses import dataclass

from pnyx_contracts.decision_log import (
    ACTIVATED_TOPIC,
    ANNOUNCED_TOPIC,
    REGISTERED_TOPIC,
    decode_configuration_announced,
    decode_registered,
)
from pnyx_contracts.entry import ConfigurationAnnounced, Declaration
from pnyx_contracts.errors import RefusedError
from pnyx_contracts.types import to_hex
from pnyx_tools.reader import ChainReader


@dataclass(frozen=True, slots=True)
class Standing:
    """`active` is in force; `pending` is announced and not active yet."""

    active: Declaration
    operator: str
    pending: ConfigurationAnnounced | None


def standing(reader: ChainReader, log: str, writer: str, from_block: int = 0) -> Standing | None:
    """None when `writer` has not registered since `from_block`."""
    topics: list[list[bytes] | bytes] = [
        [REGISTERED_TOPIC, ANNOUNCED_TOPIC, ACTIVATED_TOPIC],
        bytes(12) + bytes.fromhex(writer[2:]),
    ]
    active: Declaration | None = None
    operator, pending = "", None
    for event in reader.logs(from_block, reader.block().number, topics, [log]):
        if event.topics[0] == REGISTERED_TOPIC:
            registered = decode_registered(event)
            active, operator = registered.declaration, registered.operator
        elif event.topics[0] == ANNOUNCED_TOPIC:
            pending = decode_configuration_announced(event)
        elif pending is not None:
            active, pending = pending.declaration, None
    return Standing(active, operator, pending) if active is not None else None


def require_in_force(reader: ChainReader, log: str, writer: str, config_hash: bytes, from_block: int) -> None:
    """Nothing is decided under a configuration that is not the one in force on chain: members would see it differ.

    Raises `RefusedError`.
    """
    found = standing(reader, log, writer, from_block)
    if found is None:
        raise RefusedError(
            f"{writer} was not registered in the log {log} in block {from_block} or later",
            hint="pnyx deploy; or, where it is registered, [log] start_block is too late",
        )
    if found.active.config_hash != config_hash:
        raise RefusedError(
            f"this configuration ({to_hex(config_hash)}) is not the one in force on chain "
            f"({to_hex(found.active.config_hash)}): a change of model, prompt, rules, checks, mode or version is "
            "announced before it counts",
            hint="undo the change, or announce it with `pnyx deploy` and run the old one until the notice is over",
        )
