"""The agent itself: its name and mode, its rules, what runs in it beside what comes with Pnyx."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pnyx_agents.settings.kinds import BeforeTheEnd, Name, Timing, WebUrl
from pnyx_contracts.types import Value
from pnyx_policies.decision import Mode


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


class PolicySettings(Value):
    """``[policy]``"""

    ruleset: str = "guardian"
    """Name of a shipped ruleset or path of a TOML file."""
    checks: dict[str, str] = Field(default_factory=dict)
    """Plugin checks to run beside the built-in ones, each with the version that is declared: the signer must know it
    and loads no plugin."""


class DecodingSettings(Value):
    """``[decoding]``"""

    abis: str | None = None
    """Folder of ABIs by address, see `pnyx_tools.interfaces`. What it says is declared."""
    sourcify: WebUrl | None = None
    """Where `pnyx abi` asks, in Sourcify's way (API v2). No review does."""
    etherscan: WebUrl | None = None
    """The same in Etherscan's way (API v2)."""
    etherscan_key: str = Field(default="", repr=False)


class PluginSettings(Value):
    """``[plugins]``: what does not come with Pnyx runs only when named here."""

    governors: tuple[str, ...] = ()
    tools: dict[str, str] = Field(default_factory=dict)
    """Plugin context tools to run beside the built-in ones, each with the version that is declared."""
    notifiers: dict[str, dict[str, Any]] = Field(default={"log": {}})
