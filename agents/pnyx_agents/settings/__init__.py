"""The configuration file ``pnyx.toml``: read once, checked whole, frozen.

Paths are relative to the file. A value may be written ``"${NAME}"`` to come from the environment, so that URLs with API
keys and other secrets need not stand in the file. Unknown keys are errors: a misspelled limit is no limit.
"""

from pnyx_agents.settings.agent import AgentSettings, PluginSettings, PolicySettings
from pnyx_agents.settings.chain import ChainSettings, GovernorSettings, LogSettings
from pnyx_agents.settings.loading import load_settings, parse_settings
from pnyx_agents.settings.service import MetricsSettings, WorkSettings
from pnyx_agents.settings.signer import SOCKET, KmsSettings, SignerSettings, Web3SignerSettings
from pnyx_agents.settings.whole import Settings

__all__ = [
    "SOCKET",
    "AgentSettings",
    "ChainSettings",
    "GovernorSettings",
    "KmsSettings",
    "LogSettings",
    "MetricsSettings",
    "PluginSettings",
    "PolicySettings",
    "Settings",
    "SignerSettings",
    "Web3SignerSettings",
    "WorkSettings",
    "load_settings",
    "parse_settings",
]
