"""The whole file, and what must hold between its sections."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from pnyx_agents.settings.agent import AgentSettings, DecodingSettings, PluginSettings, PolicySettings
from pnyx_agents.settings.chain import ChainSettings, GovernorSettings, LogSettings, SafeSettings, SendingSettings
from pnyx_agents.settings.people import NotificationSettings
from pnyx_agents.settings.price import PriceSettings
from pnyx_agents.settings.probe import ProbeSettings
from pnyx_agents.settings.service import (
    CostSettings,
    DatabaseSettings,
    EvidenceSettings,
    MetricsSettings,
    TelemetrySettings,
    WorkSettings,
)
from pnyx_agents.settings.signer import SignerSettings, TlsSettings
from pnyx_contracts.errors import UsageError
from pnyx_contracts.interfaces import Interfaces
from pnyx_contracts.types import Address, Value
from pnyx_policies.asset_prices import MAX_PRICES
from pnyx_policies.checks import builtin_checks
from pnyx_policies.decision import Mode
from pnyx_policies.probes import MAX_PROBES
from pnyx_policies.ruleset import Ruleset
from pnyx_tools.interfaces import interface_files, read_interfaces
from pnyx_tools.model import ModelSettings
from pnyx_tools.rulebook import files_of, read_ruleset
from pnyx_tools.signer.tls import TlsFiles


def _each_once(value: Any) -> Any:  # noqa: ANN401 - any TOML value
    """Capitals in an address are its checksum, and make no other address of it."""
    spelled = [key.lower() for key in value] if isinstance(value, dict) else []
    if twice := next((key for key in spelled if spelled.count(key) > 1), None):
        raise ValueError(f"{twice} has two names")
    return value


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
    decoding: DecodingSettings = DecodingSettings()
    plugins: PluginSettings = PluginSettings()
    notifications: NotificationSettings = NotificationSettings()
    costs: CostSettings = CostSettings()
    metrics: MetricsSettings | None = None
    telemetry: TelemetrySettings | None = None
    database: DatabaseSettings | None = None
    work: WorkSettings = WorkSettings()
    probe: tuple[ProbeSettings, ...] = Field(default=(), max_length=MAX_PROBES)
    """``[[probe]]``: what must hold after each execution."""
    price: tuple[PriceSettings, ...] = Field(default=(), max_length=MAX_PRICES)
    """``[[price]]``: what assets cost."""
    addresses: Annotated[dict[Address, str], BeforeValidator(_each_once)] = Field(default_factory=dict)
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
    def _require_governors_apart(self) -> Self:
        addresses = [governor.address for governor in self.governor]
        if twice := next((address for address in addresses if addresses.count(address) > 1), None):
            raise ValueError(f"governor: {twice} is named twice")
        return self

    @model_validator(mode="after")
    def _require_probes_apart(self) -> Self:
        """A reading is found again by its name."""
        names = [probe.name for probe in self.probe]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"probe: two are called {twice!r}")
        return self

    @model_validator(mode="after")
    def _require_one_price_each(self) -> Self:
        assets = [price.asset for price in self.price]
        if twice := next((asset for asset in assets if assets.count(asset) > 1), ""):
            raise ValueError(f"price: {twice} has two prices")
        if assets.count(None) > 1:
            raise ValueError("price: the coin has two prices")
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

    def interfaces(self) -> Interfaces:
        """Of the contracts whose ABIs the operator keeps."""
        abis = self.decoding.abis
        return {} if abis is None else read_interfaces(self.path(abis), self.chain.chain_id)

    def interface_files(self) -> set[Path]:
        abis = self.decoding.abis
        return set() if abis is None else interface_files(self.path(abis), self.chain.chain_id)

    def ruleset(self) -> Ruleset:
        return self._load_ruleset(self.policy.ruleset)

    def signer_ruleset(self) -> Ruleset:
        """The signer's own, see `SignerSettings.ruleset`."""
        own = self.signer.ruleset if self.signer else None
        return self._load_ruleset(own or self.policy.ruleset)

    def ruleset_files(self) -> set[Path]:
        """The files that the rulesets are made of; none of those that ship."""
        named = {self.policy.ruleset, self.signer.ruleset if self.signer else None}
        return {file for name in named if name is not None for file in files_of(name, self.folder)}

    def _load_ruleset(self, name_or_path: str) -> Ruleset:
        """A shipped ruleset by name, or a TOML file. Its rules may speak of the checks that run, and of no others."""
        checks = [*(check.name for check in builtin_checks()), *self.policy.checks]
        return read_ruleset(name_or_path, self.folder, checks)
