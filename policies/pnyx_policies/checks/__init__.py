"""Checks: facts and opinions in, findings out. One small file per check."""

from pnyx_policies.checks.protocol import Check, CheckReport, CheckSkipped, CheckView

__all__ = ["Check", "CheckReport", "CheckSkipped", "CheckView"]
