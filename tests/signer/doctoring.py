"""What a daemon that was taken over does to a dossier before it asks."""

from __future__ import annotations

from typing import Any

import pytest

from pnyx_contracts.errors import PnyxError, RefusedError
from pnyx_policies.checks import CheckView, builtin_checks, run_checks
from pnyx_policies.decide import decide
from pnyx_policies.dossier import Dossier
from pnyx_policies.outline import OUTLINE
from pnyx_policies.ruleset import Ruleset

from .parliament import RULES, Parliament, outlined

WORD = b"\x77" * 32
GENEROUS = """\
name = "generous"
version = "1"

[[rule]]
id = "anything"
because = "Whatever."
when = ["calls.count > 0"]
then = "for"
"""


def changed(value: Any, path: str, new: Any) -> Any:
    """`value` with the field at a dotted path replaced; a number indexes a tuple; a function maps the old value."""
    name, _, rest = path.partition(".")
    if name.isdigit():
        items = list(value)
        items[int(name)] = changed(items[int(name)], rest, new) if rest else _new(items[int(name)], new)
        return tuple(items)
    old = getattr(value, name)
    return value.model_copy(update={name: changed(old, rest, new) if rest else _new(old, new)})


def _new(old: Any, new: Any) -> Any:
    return new(old) if callable(new) else new


def judged_again(dossier: Dossier, ruleset: str = RULES) -> Dossier:
    """A thorough liar: outline, checks and decision fit the facts that it invented."""
    if [o.analyst for o in dossier.opinions] == [OUTLINE]:
        dossier = dossier.model_copy(update={"opinions": outlined(dossier.facts)})
    reports = run_checks(builtin_checks(), CheckView(dossier.facts, dossier.opinions))
    judged = decide(Ruleset.parse(ruleset, "liar"), dossier.facts, reports, dossier.opinions)
    return dossier.model_copy(
        update={"checks": reports, "decision": judged.decision, "rules": judged.rules, "ruleset": ruleset}
    )


def declare(parliament: Parliament, **parts: Any) -> None:
    """Another declared configuration, for signer and daemon alike."""
    configuration = parliament.settings.configuration.model_copy(update=parts)
    parliament.settings = parliament.settings.model_copy(update={"configuration": configuration})


def refuses(parliament: Parliament, request: Any, reason: str, kind: type[PnyxError] = RefusedError) -> None:
    signer = parliament.signer()
    with pytest.raises(kind, match=reason):
        signer.sign(request)
    assert signer.signed == []
