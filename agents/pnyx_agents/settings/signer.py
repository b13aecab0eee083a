"""The signer: how it is reached, where its key is, whose word counts there, what it may spend."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pnyx_agents.amounts import ETHER_DECIMALS, GWEI_DECIMALS, Amount, smallest_units
from pnyx_agents.settings.chain import OtherChainSettings, demand_one_each
from pnyx_agents.settings.kinds import TlsUrl, Urls, WebUrl
from pnyx_contracts.types import Address, Value
from pnyx_tools.signer.settings import Limits

SOCKET = "socket"


class TlsSettings(Value):
    """``[signer] tls``: PEM files of this side."""

    ca: str
    certificate: str
    key: str
    peers: tuple[str, ...] = ()
    """Common names or SHA-256 fingerprints of the certificates that the signer answers."""


class KmsSettings(Value):
    """``[signer] key``: in AWS KMS."""

    kind: Literal["aws-kms"]
    key_id: str
    """Id, ARN or alias."""
    region: str | None = None
    endpoint_url: str | None = None


class Web3SignerSettings(Value):
    """``[signer] key``: in Web3Signer."""

    kind: Literal["web3signer"]
    url: str
    address: Address
    tls: TlsSettings | None = None
    """For mutual TLS."""


class SignerSettings(Value):
    """``[signer]``: how the daemon reaches the signer. With a `keystore`, `pnyx run` starts it as a child process."""

    kind: str = SOCKET
    """Name of a signer plugin; ``socket`` is ours."""
    socket: str = "signer/signer.sock"
    rpc: Urls = ()
    """The signer's own endpoints: better others than the daemon's. None uses ``chain.rpc``."""
    rpc_quorum: int = Field(default=1, ge=1)
    """So many of them must say the same."""
    fork: WebUrl | None = None
    """The signer's own ``chain.fork``. None uses that one."""
    other: tuple[OtherChainSettings, ...] = ()
    """The signer's own ``chain.other``. None uses those."""
    users: tuple[str | int, ...] = ()
    """Users that the signer answers on its socket beside its own, by name or number."""
    listen: TlsUrl | None = None
    """``tls://address:port``: the signer answers there instead of on the socket. Needs `tls` with `peers`."""
    connect: TlsUrl | None = None
    """``tls://host:port`` of a signer on another machine. Needs `tls`."""
    tls: TlsSettings | None = None
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of the signer plugin that `kind` names."""
    keystore: str | None = None
    password_file: str | None = None
    key: Annotated[KmsSettings | Web3SignerSettings, Field(discriminator="kind")] | None = None
    """A key that stays in a service, instead of a keystore."""
    unsafe_key_from_environment: str | None = None
    ruleset: str | None = None
    """The signer's own ruleset; None uses the policy's. It is read when the signer starts, never sent by the daemon."""
    approvers: tuple[Address, ...] = ()
    """Whose signed word counts; declared. Without any, the operator's word can confirm a decided vote or reject it."""
    approvals: int = Field(default=1, ge=1)
    """So many of the approvers must approve a vote; one alone can reject it. Declared."""
    unsafe_unsigned_approvals: bool = False
    """Without approvers, True lets the operator's unsigned word give any vote; declared. The daemon's machine alone
    then decides such votes."""
    suspension: Address | None = None
    """A contract whose ``paused()`` stops votes, beside a gate's own pause."""
    require_locked_memory: bool = False
    """True: a signer whose memory could be written to swap does not start."""
    max_fee_gwei: Amount = Decimal(200)
    """Per gas."""
    max_gas: int = Field(default=1_000_000, gt=0)
    max_spend_per_vote_ether: Amount = Decimal("0.05")
    max_spend_per_day_ether: Amount = Decimal("0.1")
    """What signed transactions may cost at most (gas limit times fee cap)."""

    @model_validator(mode="after")
    def _require_one_way_to_approve(self) -> Self:
        if self.approvers and self.unsafe_unsigned_approvals:
            raise ValueError("approvers and unsafe_unsigned_approvals exclude each other: with approvers, people sign")
        return self

    @model_validator(mode="after")
    def _require_enough_approvers(self) -> Self:
        if len(set(self.approvers)) < len(self.approvers):
            raise ValueError("approvers names an address twice: a person counts once")
        if self.approvals > max(1, len(self.approvers)):
            raise ValueError(
                f"approvals is {self.approvals}: approvers must list at least as many people, and lists "
                f"{len(self.approvers)}"
            )
        return self

    @model_validator(mode="after")
    def _require_one_key(self) -> Self:
        if self.key is not None and (self.keystore or self.unsafe_key_from_environment):
            raise ValueError("key and keystore exclude each other: a signer has one key")
        return self

    @model_validator(mode="after")
    def _require_certificates(self) -> Self:
        if self.listen and self.connect:
            raise ValueError("listen and connect exclude each other: one is the signer's side, the other the daemon's")
        if (self.listen or self.connect) and self.tls is None:
            raise ValueError(
                "tls:// needs certificates: tls = { ca, certificate, key }; `pnyx certificates` makes them"
            )
        if self.listen and self.tls is not None and not self.tls.peers:
            raise ValueError('listen needs tls.peers, the certificates that are answered: peers = ["daemon"]')
        if self.connect and self.has_key:
            raise ValueError("a key here and a signer elsewhere (connect) exclude each other")
        return self

    @model_validator(mode="after")
    def _require_other_chains(self) -> Self:
        demand_one_each(self.other)
        return self

    @model_validator(mode="after")
    def _require_enough_endpoints(self) -> Self:
        if self.rpc_quorum > max(1, len(self.rpc)):
            raise ValueError(f"rpc_quorum is {self.rpc_quorum}: rpc must name at least as many endpoints")
        if len(set(self.rpc)) < len(self.rpc):
            raise ValueError("rpc names an endpoint twice: it would agree with itself")
        return self

    @property
    def has_key(self) -> bool:
        return any((self.keystore, self.unsafe_key_from_environment, self.key))

    @property
    def limits(self) -> Limits:
        """For the signer, and for whoever asks it to sign."""
        return Limits(
            max_gas=self.max_gas,
            max_fee_per_gas=smallest_units(self.max_fee_gwei, GWEI_DECIMALS),
            max_spend_wei=smallest_units(self.max_spend_per_vote_ether, ETHER_DECIMALS),
            daily_wei=smallest_units(self.max_spend_per_day_ether, ETHER_DECIMALS),
        )

    @property
    def is_child(self) -> bool:
        """Whether `pnyx run` starts the signer itself, because it is told where the key is."""
        return self.kind == SOCKET and self.has_key and self.listen is None

    @property
    def is_apart(self) -> bool:
        """Whether this is the file of a signer that runs apart: only such a one has peers to answer."""
        return self.has_key and (self.listen is not None or bool(self.users))
