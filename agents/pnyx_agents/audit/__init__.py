"""Writes the report about a period: ``report.json``, ``report.html``, and two feeds for each agent."""

from pnyx_agents.audit.folder import FORMAT, publish

__all__ = ["FORMAT", "publish"]
