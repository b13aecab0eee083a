"""What ``pnyx pause`` and ``pnyx resume`` have in common: a person's signed order to the signer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pnyx_agents.cli import wallet
from pnyx_agents.settings import Settings
from pnyx_contracts.errors import PnyxError, UnreachableError, UsageError
from pnyx_contracts.types import to_hex
from pnyx_policies.suspension import Action, Order
from pnyx_policies.text import visible
from pnyx_tools.signer.client import Suspendable
from pnyx_tools.signer.protocol import Standing

MOST_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a person's order comes from: signed here with a `keystore`, a file that was signed so, or a wallet's
    `signature` over the file `typed_data`. Without the signature that file, and with `to` that one, is only written.
    """

    keystore: Path | None = None
    password_file: Path | None = None
    file: Path | None = None
    to: Path | None = None
    typed_data: Path | None = None
    signature: str | None = None

    def require_one(self) -> None:
        """Raises `UsageError`."""
        if self.keystore is not None and self.file is not None:
            raise UsageError("--keystore and --from exclude each other: one signs an order, the other has one")
        if self.typed_data is not None and (self.keystore is not None or self.file is not None):
            raise UsageError("--typed-data is for a wallet elsewhere: leave --keystore and --from out")
        if self.to is not None and self.keystore is None:
            raise UsageError("--to needs --keystore: an order that nobody signed is none")
        if self.signature is not None and self.typed_data is None:
            raise UsageError("--signature needs --typed-data, the file that was signed")

    @property
    def makes_one(self) -> bool:
        """Whether an order is made here, signed or not."""
        return self.keystore is not None or (self.typed_data is not None and self.signature is None)

    @property
    def is_handed_over(self) -> bool:
        """An order, if there is one: otherwise it is only written into a file."""
        return self.to is None and (self.typed_data is None or self.signature is not None)

    def order(self, settings: Settings, action: Action, number: int, why: str) -> Order | None:
        """None where no person gives one. `number` and `why` are for one that is made here. Raises `UsageError`."""
        if self.file is not None:
            return read(self.file, action)
        if self.typed_data is not None and self.signature is not None:
            return _signed_elsewhere(settings, action, self.typed_data, self.signature)
        if not self.makes_one:
            return None
        if settings.log is None:
            raise UsageError("there is no [log], so there is nothing to suspend", hint="pnyx deploy")
        made = _order(settings, action, _writer(settings), number, why)
        return made if self.keystore is None else _signed(settings, made, self.keystore, self.password_file)

    def write(self, order: Order) -> str:
        """Into the file; what to do with it."""
        command = f"pnyx {_COMMANDS[order.action]}"
        if self.to is not None:
            write(order, self.to)
            return f"The order is in {self.to}: {command} --from {self.to}, where the signer can be reached."
        assert self.typed_data is not None
        wallet.write(order.typed_data, self.typed_data)
        return wallet.what_next(self.typed_data, command)


def _order(settings: Settings, action: Action, writer: str, number: int, why: str) -> Order:
    assert settings.log is not None
    try:
        return Order(
            action=action, chain_id=settings.chain.chain_id, log=settings.log.address, writer=writer, number=number,
            why=why,
        )  # fmt: skip
    except ValidationError as error:
        raise UsageError(f"this is no order: {error.errors()[0]['msg']}", hint="shorten the reason") from None


def _signed(settings: Settings, order: Order, keystore: Path, password_file: Path | None) -> Order:
    """By a person's own key. Raises `UsageError` for a key whose order would not count."""
    from pnyx_agents.cli.word import open_approver

    account = open_approver(settings, keystore, password_file)
    signature = account.sign_typed_data(full_message=order.typed_data).signature
    return order.model_copy(update={"signature": to_hex(bytes(signature))})


def _signed_elsewhere(settings: Settings, action: Action, path: Path, signature: str) -> Order:
    if settings.log is None or settings.signer is None:
        raise UsageError("there is no [log], so there is nothing to suspend", hint="pnyx deploy")
    message = wallet.read(path)
    try:
        writer, number, why = str(message["writer"]), int(message["number"]), str(message["why"])
    except (ValueError, TypeError, KeyError):
        raise UsageError(f"{path} holds no order", hint=f"pnyx {_COMMANDS[action]} --typed-data FILE") from None
    order = _order(settings, action, writer, number, why)
    person, spelled = wallet.signature_over(order.digest, signature)
    if person not in settings.signer.approvers:
        raise UsageError(
            f"this is the signature of {person}, who is not among the approvers, or one over something else than an "
            f"order to {action.value} in {path}",
            hint="sign that file with the key of an address in [signer] approvers",
        )
    return order.model_copy(update={"signature": spelled})


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
