"""Writes the report about a period: ``report.json``, ``report.html``, and two feeds for each agent."""

from pnyx_agents.audit.folder import FORMAT, publish
from pnyx_agents.audit.links import Links

__all__ = ["FORMAT", "Links", "publish"]
