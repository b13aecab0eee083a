"""Checks made of checks. Nothing to ask is not a pass: an empty combination always finds something."""

from __future__ import annotations

from pnyx_policies.checks.protocol import Check, CheckSkipped, CheckView
from pnyx_policies.finding import Finding, Severity


def all_of(name: str, *checks: Check) -> Check:
    """Quiet only if every member is quiet."""
    return _Combination(name, "all_of", checks)


def any_of(name: str, *checks: Check) -> Check:
    """Quiet as soon as one member is quiet. A member that is skipped is not quiet."""
    return _Combination(name, "any_of", checks)


class _Combination:
    def __init__(self, name: str, kind: str, checks: tuple[Check, ...]) -> None:
        self.name = name
        self.version = f"{kind}({','.join(f'{c.name}@{c.version}' for c in checks)})"
        self._one_is_enough = kind == "any_of"
        self._checks = checks

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        if not self._checks:
            return (Finding(check=self.name, severity=Severity.HIGH, title="This check is empty: nothing was checked"),)
        found: list[Finding] = []
        skipped: list[str] = []
        for check in self._checks:
            try:
                findings = check.run(view)
            except CheckSkipped as reason:
                skipped.append(f"{check.name} was skipped: {reason}")
                continue
            if self._one_is_enough and not findings:
                return ()
            found += (f.model_copy(update={"check": self.name}) for f in findings)
        if skipped and not found:
            raise CheckSkipped("; ".join(skipped))
        found += (Finding(check=self.name, severity=Severity.HIGH, title=words) for words in skipped)
        return tuple(found)
