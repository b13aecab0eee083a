"""The configuration file ``pnyx.toml``: read once, checked whole, frozen.

Paths are relative to the file. A value may be written ``"${NAME}"`` to come from the environment, so that URLs with API
keys and other secrets need not stand in the file. Unknown keys are errors: a misspelled limit is no limit.
"""

from __future__ import annotations

import os
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, field_validator, model_validator

from pnyx_agents.amounts import ETHER_DECIMALS, GWEI_DECIMALS, Amount, smallest_units
from pnyx_contracts.errors import UsageError
from pnyx_contracts.types import Address, Value
from pnyx_policies.checks import builtin_checks
from pnyx_policies.configuration import Sealed, require_sealed_together
from pnyx_policies.decision import Mode
from pnyx_policies.ruleset import Ruleset
from pnyx_policies.rulesets import shipped_ruleset, shipped_rulesets
from pnyx_tools.costs import Caps
from pnyx_tools.database import is_postgres, require_hidden_password
from pnyx_tools.model import ModelSettings
from pnyx_tools.notify.quiet import Manners, QuietHours, parse_zone
from pnyx_tools.signer.settings import Limits
from pnyx_tools.signer.tls import TlsFiles, TlsPlace

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SOCKET = "socket"

_NAME = re.compile("^[a-z0-9][a-z0-9-]{0,40}$", re.ASCII)


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError(f"expected up to 41 lower case letters, digits and dashes, got {value[:60]!r}")
    return value


Name = Annotated[str, AfterValidator(_name)]


def _one_or_more(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    return (value,) if isinstance(value, str) else value


AS_SOON_AS_ALLOWED = "as soon as allowed"
_BEFORE_THE_END = re.compile(r"([1-9]\d{0,3}) (minute|hour|day)s? before the end", re.ASCII)
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


def _before_the_end(value: Any, otherwise: str = "") -> int:  # noqa: ANN401 - any TOML value
    match = _BEFORE_THE_END.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f'expected {otherwise}for example "6 hours before the end", got {value!r}')
    return int(match[1]) * _SECONDS[match[2]]


def _timing(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    if value is None or value == AS_SOON_AS_ALLOWED:
        return None
    return _before_the_end(value, f'"{AS_SOON_AS_ALLOWED}" or, ')


Timing = Annotated[int | None, BeforeValidator(_timing)]
BeforeTheEnd = Annotated[int, BeforeValidator(_before_the_end)]
"""Seconds; written as ``"30 minutes before the end"``."""

Endpoints = Annotated[tuple[str, ...], BeforeValidator(_one_or_more), Field(min_length=1)]
"""URLs of JSON-RPC endpoints of one chain; one alone may be written as a string."""


class AgentSettings(Value):
    """``[agent]``"""

    name: Name
    mode: Mode = Mode.OBSERVE
    data: str = "data"
    """Folder for the journal, the workflow database, the salt key, the whole bundles."""
    delay_seconds: int = Field(default=0, ge=0)
    """Autonomous mode: how long people can still reject a decided vote before it is cast."""
    vote: Timing = None
    """When a decided vote is cast: as soon as allowed (None), or so many seconds before the vote closes."""
    approvals_end: BeforeTheEnd = Field(default=30 * 60, validate_default=False)
    """The wait for people ends so many seconds before the vote does, and what became of it is recorded."""


class ChainSettings(Value):
    """``[chain]``"""

    rpc: Endpoints
    """The first one is asked while it is well; a second one must show the same before anything counts as final."""
    websocket: str | None = None
    """An endpoint that announces new blocks: a hint to look at once."""
    quorum: int = Field(default=1, ge=1)
    """So many of them must say the same where a decision rests on it."""
    chain_id: int = Field(gt=0)
    confirmations: int | None = Field(default=None, ge=0)
    """How deep a block must be before it counts; None follows the node's ``finalized`` tag."""
    poll_seconds: float = Field(default=12, gt=0)

    @model_validator(mode="after")
    def _require_enough_endpoints(self) -> Self:
        if self.quorum > len(self.rpc):
            raise ValueError(f"quorum is {self.quorum}: rpc must name at least as many endpoints")
        if len(set(self.rpc)) < len(self.rpc):
            raise ValueError("rpc names an endpoint twice: it would agree with itself")
        return self


class GovernorSettings(Value):
    """``[[governor]]``"""

    address: Address
    kind: str | None = None
    """Adapter name, when detection should not decide."""
    start_block: int = Field(ge=0)
    """Proposals created before this block are none of the agent's business."""
    treasury_assets: tuple[Address, ...] = ()
    """Tokens whose balance counts as treasury beside those that the calls touch."""


class PolicySettings(Value):
    """``[policy]``"""

    ruleset: str = "guardian"
    """Name of a shipped ruleset or path of a TOML file."""
    checks: dict[str, str] = Field(default_factory=dict)
    """Plugin checks to run beside the built-in ones, each with the version that is declared: the signer must know it
    and loads no plugin."""


class LogSettings(Value):
    """``[log]``"""

    address: Address
    writer: Address | None = None
    """The gate, or None for the signer's own account (a plain key)."""
    atomic: bool = False
    """The signer's own account runs `AtomicAccount` (EIP-7702): no vote without that, never a second transaction."""
    factory: Address | None = None
    start_block: int = Field(default=0, ge=0)
    """Block of the registration: where reading the log begins."""

    @model_validator(mode="after")
    def _require_one_writer(self) -> Self:
        if self.atomic and self.writer:
            raise ValueError("writer and atomic exclude each other: an atomic writer is the signer's own account")
        return self


class SafeSettings(Value):
    """``[safe]``: the voting power is a Safe's, and its owners cast the votes."""

    address: Address
    """The Safe. Declared."""
    service: str | None = None
    """URL of Safe's transaction service for the chain, where votes are proposed in the name of the signer's key."""
    service_key: str | None = None
    """Its API key."""

    @field_validator("service")
    @classmethod
    def _require_url(cls, url: str | None) -> str | None:
        if url is not None and urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"expected an http(s) URL, got {public_url(url)}")
        return url


def _tls_url(value: str) -> str:
    TlsPlace.parse(value)
    return value


TlsUrl = Annotated[str, AfterValidator(_tls_url)]


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
    rpc: Annotated[tuple[str, ...], BeforeValidator(_one_or_more)] = ()
    """The signer's own endpoints: better others than the daemon's. None uses ``chain.rpc``."""
    rpc_quorum: int = Field(default=1, ge=1)
    """So many of them must say the same."""
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


class SendingSettings(Value):
    """``[sending]``: how signed transactions get to the chain."""

    relays: tuple[str, ...] = ()
    """Private relays that get them before everybody does."""
    public_after_blocks: int = Field(default=10, ge=1)
    """Not mined for so many blocks, they go to the public endpoint as well."""
    replace_after_seconds: float = Field(default=90, gt=0)
    """Not mined for so long, they are replaced by dearer ones; sooner when a deadline is near."""


class EvidenceSettings(Value):
    """``[evidence]``"""

    folder: str = "evidence"
    """What is published: serve it at the URI that the registration names."""
    mirrors: tuple[str, ...] = ()
    """Other places that get a copy of every file in the folder: folders, or URLs of whatever fsspec knows."""
    options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Settings of the file systems behind `mirrors`, by scheme."""
    sealed: Sealed = ()
    """Fields that published bundles withhold; declared."""

    @field_validator("sealed")
    @classmethod
    def _require_secrets(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        require_sealed_together(names)
        return names


class PluginSettings(Value):
    """``[plugins]``: what does not come with Pnyx runs only when named here."""

    governors: tuple[str, ...] = ()
    tools: dict[str, str] = Field(default_factory=dict)
    """Plugin context tools to run beside the built-in ones, each with the version that is declared."""
    notifiers: dict[str, dict[str, Any]] = Field(default={"log": {}})


class PersonSettings(Value):
    """``[notifications.people."0x..."]``, or only the list of URLs."""

    urls: tuple[str | dict[str, Any], ...] = Field(min_length=1)
    """As those of the notifier ``apprise``."""
    quiet: str | None = None
    timezone: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _take_a_list(cls, given: Any) -> Any:  # noqa: ANN401 - any TOML value
        return {"urls": given} if isinstance(given, list) else given

    @field_validator("quiet")
    @classmethod
    def _require_hours(cls, hours: str | None) -> str | None:
        return _quiet_hours(hours)

    @field_validator("timezone")
    @classmethod
    def _require_zone(cls, name: str | None) -> str | None:
        if name is not None:
            parse_zone(name)
        return name


class NotificationSettings(Value):
    """``[notifications]``: when people are told."""

    digest_seconds: float = Field(default=60, ge=0)
    """What happens within this time is told in one message."""
    reminder_hours: tuple[float, ...] = (72, 24, 6, 1)
    """Before the wait for people ends, who has not answered a held proposal is reminded."""
    alert_hours: float = Field(default=1, ge=0)
    """A proposal that is still undecided so shortly before its deadline is an alert."""
    gas_votes: int = Field(default=10, ge=0)
    """When the key's gas money pays for fewer votes than this, people hear of it."""
    behind_minutes: float | None = Field(default=None, gt=0)
    """A last block that is older is an alert; None: older than twenty blocks take, and than five minutes."""
    failures: int = Field(default=5, ge=1)
    """After so many in a row of one place, the others hear of it."""
    quiet: str | None = None
    """``22:00-07:00``: nothing but alerts, and what cannot wait until the morning."""
    quiet_margin_hours: float = Field(default=1, ge=0)
    """A vote that ends less than this after the quiet hours cannot wait."""
    timezone: str = "UTC"
    page: str = ""
    """Where members read the decisions; a link in each message."""
    people: dict[Address, PersonSettings] = Field(default_factory=dict)
    """Approvers who are told in person what waits for them."""

    @field_validator("quiet")
    @classmethod
    def _require_hours(cls, hours: str | None) -> str | None:
        return _quiet_hours(hours)

    @field_validator("timezone")
    @classmethod
    def _require_zone(cls, name: str) -> str:
        parse_zone(name)
        return name

    @field_validator("reminder_hours")
    @classmethod
    def _require_some_time(cls, hours: tuple[float, ...]) -> tuple[float, ...]:
        if any(each <= 0 for each in hours):
            raise ValueError("expected hours before the deadline, each more than 0")
        return hours

    def manners(self, person: Address | None = None) -> Manners:
        """How everybody, or one of the people, wants to be told."""
        own = self.people[person] if person else None
        hours = self.quiet if own is None or own.quiet is None else own.quiet
        timezone = (own.timezone if own else None) or self.timezone
        return Manners(
            digest_seconds=self.digest_seconds,
            quiet=QuietHours.parse(hours, timezone) if hours else None,
            margin_seconds=self.quiet_margin_hours * 3600,
        )


def _quiet_hours(hours: str | None) -> str | None:
    """Raises ValueError."""
    if hours:
        QuietHours.parse(hours, "UTC")
    return hours


class DatabaseSettings(Value):
    """``[database]``: PostgreSQL, for several workers. Without it, SQLite in the data folder, for one process."""

    url: str

    @field_validator("url")
    @classmethod
    def _require_postgres(cls, url: str) -> str:
        if not is_postgres(url):
            raise ValueError("expected postgresql://user@host:5432/database; without [database] the agent uses SQLite")
        require_hidden_password(url)
        return url


class WorkSettings(Value):
    """``[work]``: how much at once, and how several workers share it."""

    reviews_at_once: int = Field(default=4, ge=1)
    """Proposals that one process looks at, or shows to models, at the same time."""
    reviews_in_all: int | None = Field(default=None, ge=1)
    """The same, over all workers."""
    tasks_per_minute: int | None = Field(default=None, ge=1)
    """Facts of a proposal to gather, or opinions to ask for, begun within a minute by all workers together."""
    lease_seconds: float = Field(default=30, ge=2)
    """A worker that is silent for so long is given up; the others do its work."""


Count = Annotated[int, Field(ge=1)]


class CostSettings(Value):
    """``[costs]``: how much may be spent on models. None: no cap."""

    tokens_per_proposal: Count | None = None
    """Of requests and answers together."""
    tokens_per_day: Count | None = None
    """Of any 24 hours."""
    money_per_proposal: Amount | None = None
    money_per_day: Amount | None = None
    currency: str = Field(default="USD", pattern="^[A-Za-z]{1,12}$")
    """That of the prices of all models."""

    @property
    def caps(self) -> Caps:
        return Caps(**dict(self))


class MetricsSettings(Value):
    """``[metrics]``"""

    port: int = Field(ge=1, le=65535)
    host: str = "127.0.0.1"


class TelemetrySettings(Value):
    """``[telemetry]``: traces over OTLP/HTTP."""

    endpoint: str
    """URL of the collector, without the path ``/v1/traces``."""
    headers: dict[str, str] = Field(default_factory=dict)
    """Sent with each batch: what the collector wants to know the sender by."""

    @field_validator("endpoint")
    @classmethod
    def _require_url(cls, url: str) -> str:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"expected an http(s) URL such as http://collector:4318, got {public_url(url)}")
        return url.rstrip("/")


class Settings(Value):
    """A whole ``pnyx.toml``."""

    agent: AgentSettings
    chain: ChainSettings
    governor: tuple[GovernorSettings, ...] = Field(min_length=1)
    policy: PolicySettings = PolicySettings()
    model: tuple[ModelSettings, ...] = ()
    """``[[model]]``: the committee. None at all means the outline analyst: no language model."""
    log: LogSettings | None = None
    signer: SignerSettings | None = None
    safe: SafeSettings | None = None
    sending: SendingSettings = SendingSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    plugins: PluginSettings = PluginSettings()
    notifications: NotificationSettings = NotificationSettings()
    costs: CostSettings = CostSettings()
    metrics: MetricsSettings | None = None
    telemetry: TelemetrySettings | None = None
    database: DatabaseSettings | None = None
    work: WorkSettings = WorkSettings()
    addresses: dict[Address, str] = Field(default_factory=dict)
    """Names of addresses that the DAO knows: checks treat them as friends, people read them."""
    folder: Path
    """Where the file lies; relative paths start here."""

    @model_validator(mode="after")
    def _require_people_who_approve(self) -> Self:
        approvers = self.signer.approvers if self.signer else ()
        for address in self.notifications.people:
            if address not in approvers:
                raise ValueError(
                    f"notifications.people: {address} is not among signer.approvers, so nothing waits there"
                )
        return self

    @model_validator(mode="after")
    def _require_prices_for_caps(self) -> Self:
        """A cap on money that is not known would be none."""
        capped = self.costs.money_per_proposal is not None or self.costs.money_per_day is not None
        unpriced = next((model.model for model in self.model if model.rate is None), None)
        if capped and unpriced is not None:
            raise ValueError(
                f"costs: a cap on money needs the price of every model, and {unpriced!r} has none: give it "
                "input_per_million and output_per_million, or cap tokens"
            )
        return self

    @model_validator(mode="after")
    def _require_what_workers_share(self) -> Self:
        if self.database is not None and self.signer is not None and self.signer.is_child:
            raise ValueError(
                "database: workers share one signer, a process of its own (`pnyx signer`); here [signer] names a key, "
                "and not where that signer is (connect, or only socket)"
            )
        if self.database is None and (self.work.reviews_in_all or self.work.tasks_per_minute):
            raise ValueError("work: reviews_in_all and tasks_per_minute are for several workers, which need [database]")
        return self

    @model_validator(mode="after")
    def _require_owners_who_approve(self) -> Self:
        if self.safe is None:
            return self
        if self.agent.mode is Mode.AUTONOMOUS:
            raise ValueError("[safe]: its owners approve each vote, so the mode is 'propose' (or 'observe')")
        if self.log is not None and (self.log.writer is not None or self.log.atomic):
            raise ValueError("[safe] and a gate, or an atomic account, exclude each other: who has the power votes")
        return self

    def require_means(self) -> None:
        """What the mode needs must be there. `pnyx deploy` runs before there is a log, so a file without one is no
        error.
        """
        if self.agent.mode is not Mode.OBSERVE and (self.log is None or self.signer is None):
            raise UsageError(
                f"mode {self.agent.mode.value!r} needs [log] and [signer]: no vote without a record",
                hint="pnyx deploy puts a log on the chain and prints the lines",
            )
        if self.signer is not None and self.log is None:
            raise UsageError("[signer] without [log]: there is nothing to sign for", hint="pnyx deploy")

    def tls_files(self, tls: TlsSettings) -> TlsFiles:
        return TlsFiles(ca=self.path(tls.ca), certificate=self.path(tls.certificate), key=self.path(tls.key))

    def path(self, relative: str) -> Path:
        return (self.folder / relative).resolve()

    @property
    def data(self) -> Path:
        return self.path(self.agent.data)

    @property
    def published(self) -> Path:
        """The evidence folder."""
        return self.path(self.evidence.folder)

    def ruleset(self) -> Ruleset:
        return self._load_ruleset(self.policy.ruleset)

    def signer_ruleset(self) -> Ruleset:
        """The signer's own, see `SignerSettings.ruleset`."""
        own = self.signer.ruleset if self.signer else None
        return self._load_ruleset(own or self.policy.ruleset)

    def ruleset_files(self) -> set[Path]:
        """The rulesets that are files, and not shipped."""
        named = {self.policy.ruleset, self.signer.ruleset if self.signer else None}
        return {self.path(name) for name in named if name is not None and name not in shipped_rulesets()}

    def _load_ruleset(self, name_or_path: str) -> Ruleset:
        """A shipped ruleset by name, or a TOML file. Its rules may speak of the checks that run, and of no others."""
        checks = [*(check.name for check in builtin_checks()), *self.policy.checks]
        if name_or_path in shipped_rulesets():
            return Ruleset.parse(shipped_ruleset(name_or_path), f"shipped:{name_or_path}", checks)
        path = self.path(name_or_path)
        try:
            return Ruleset.parse(path.read_text(encoding="utf-8"), str(path), checks)
        except FileNotFoundError:
            raise UsageError(
                f"no ruleset {name_or_path!r}: none is shipped with that name, and there is no file {path}",
                hint=f"shipped are: {', '.join(shipped_rulesets())}",
            ) from None
        except OSError as error:
            raise UsageError(f"the ruleset {path} cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise UsageError(f"the ruleset {path} is no text in UTF-8") from None


def load_settings(path: Path) -> Settings:
    """Read and check one file. Raises `UsageError` that names every wrong line at once."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UsageError(f"there is no configuration at {path}", hint="pnyx init writes a commented one") from None
    except OSError as error:
        raise UsageError(f"the configuration {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the configuration {path} is no text in UTF-8") from None
    return parse_settings(text, path)


def parse_settings(text: str, path: Path) -> Settings:
    """Check the text of a file that lies, or will lie, at `path`. Raises `UsageError`."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path} is no valid TOML: {error}", hint='strings need quotes: name = "value"') from None
    try:
        return Settings.model_validate({**_from_environment(raw, str(path)), "folder": path.resolve().parent})
    except ValidationError as error:
        problems = "\n".join(f"  {_place(e['loc'])}: {_words(e)}" for e in error.errors())
        hint = "docs/configuration.md has every setting"
        raise UsageError(f"{path} has {error.error_count()} problem(s):\n{problems}", hint=hint) from None


def public_url(url: str) -> str:
    """A URL without user, path and query: those carry API keys."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}"


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


_WORDS = {
    "extra_forbidden": "there is no such setting",
    "missing": "is missing",
    "model_type": "expected a table",
    "tuple_type": "expected a list; tables of a list have double brackets, as in [[governor]]",
    "too_short": "expected at least one",
}


def _words(error: ErrorDetails) -> str:
    """What is wrong, for a person who does not know our types."""
    return _WORDS.get(error["type"], error["msg"].removeprefix("Value error, "))


_VARIABLE = re.compile(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$")


def _from_environment(value: Any, source: str) -> Any:  # noqa: ANN401 - any TOML value
    if isinstance(value, dict):
        return {key: _from_environment(item, source) for key, item in value.items()}
    if isinstance(value, list):
        return [_from_environment(item, source) for item in value]
    if isinstance(value, str) and (match := _VARIABLE.match(value)):
        name = match.group(1)
        if name not in os.environ:
            raise UsageError(f"{source} refers to the environment variable {name}, which is not set")
        return os.environ[name]
    return value
