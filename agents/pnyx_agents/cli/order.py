"""What ``pnyx pause`` and ``pnyx resume`` have in common: a person's signed order to the signer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from pnyx_agents.settings import Settings
from pnyx_contracts.errors import PnyxError, UnreachableError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_policies.suspension import Action, Order
from pnyx_policies.text import visible
from pnyx_tools.signer.client import Suspendable
from pnyx_tools.signer.protocol import Standing

MOST_BYTES = 10_000


def sign(
    settings: Settings, action: Action, number: int, why: str, keystore: Path, password_file: Path | None
) -> Order:
    """By a person's own key. Raises `UsageError` for a key whose order would not count."""
    from pnyx_agents.cli.word import open_approver

    if settings.log is None:
        raise UsageError("there is no [log], so there is nothing to suspend", hint="pnyx deploy")
    account = open_approver(settings, keystore, password_file)
    try:
        order = Order(
            action=action, chain_id=settings.chain.chain_id, log=settings.log.address, writer=_writer(settings),
            number=number, why=why,
        )  # fmt: skip
    except ValidationError as error:
        raise UsageError(f"this is no order: {error.errors()[0]['msg']}", hint="shorten the reason") from None
    signature = account.sign_typed_data(full_message=order.typed_data).signature
    return order.model_copy(update={"signature": to_hex(bytes(signature))})


def write(order: Order, path: Path) -> None:
    try:
        path.write_text(order.model_dump_json(indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"the order cannot be written to {path}: {error.strerror}") from None


def read(path: Path, action: Action) -> Order:
    """What somebody signed elsewhere. Raises `UsageError`."""
    try:
        with path.open("rb") as file:
            order = Order.model_validate_json(file.read(MOST_BYTES))
    except OSError as error:
        raise UsageError(f"the order {path} cannot be read: {error.strerror}") from None
    except ValidationError:
        raise UsageError(f"{path} holds no order", hint="pnyx pause --keystore FILE --to FILE makes one") from None
    if order.action is not action:
        raise UsageError(f"{path} holds an order to {order.action.value}", hint=f"pnyx {_COMMANDS[order.action]}")
    return order


_COMMANDS = {Action.SUSPEND: "pause", Action.RESUME: "resume"}


def signer_of(settings: Settings) -> Suspendable | None:
    """None where there is no signer, or one of another kind that nobody can stop."""
    from pnyx_agents.assembly import signer

    port = signer(settings) if settings.signer is not None else None
    return port if isinstance(port, Suspendable) else None


def require_signer(settings: Settings) -> Suspendable:
    signer = signer_of(settings)
    if signer is None:
        raise UsageError("there is no signer here that could be suspended", hint="[signer] says how it is reached")
    return signer


def what_holds(settings: Settings) -> Iterator[str]:
    """What the signer and the chain say, a line each. Does not fail: who does not answer is told."""
    try:
        signer = signer_of(settings)
        standing = signer.standing() if signer is not None else None
    except UnreachableError as error:
        yield f"Whether the signer is suspended is not known: {error.message}"
        return
    except PnyxError as error:
        yield f"The signer cannot be asked: {error.message}"
        return
    if standing is not None:
        yield from in_words(standing)


def in_words(standing: Standing) -> Iterator[str]:
    """Empty when nothing holds votes. The words of people and contracts write nothing to the terminal."""
    suspension = standing.suspension
    if suspension is not None:
        resumed = len(suspension.resumed_by)
        yield (
            f"THE SIGNER IS SUSPENDED (number {suspension.number}): {visible(str(suspension))}. "
            f"`pnyx resume --keystore FILE` lets it go on: {resumed} of {standing.approvals} people said so."
        )
    if standing.on_chain:
        yield f"THE CHAIN HOLDS ALL VOTES: {visible(standing.on_chain)}"


def _writer(settings: Settings) -> str:
    """The gate, or the account of the signer's key, which the signer names."""
    from pnyx_agents.assembly import signer

    assert settings.log is not None
    return settings.log.writer or signer(settings).identity().writer
