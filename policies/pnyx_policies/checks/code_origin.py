"""code-origin: Where does the code come from that the calls run, and can it come back as other code?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import CodeOrigin, CodeOrigins, DestroyedCode, How, Made
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity

_BY = {
    How.TRANSACTION: "by a transaction",
    How.CREATE: "as a contract's next one",
    How.CREATE2: "by CREATE2",
}


class CodeOriginCheck:
    """Code that can destroy itself, on a chain where that makes room for other code: critical when a contract made it
    that can itself be made again, as in incident I-2 (Tornado Cash), since whoever is made again may make anything.
    High when it was made by CREATE2, as the same constructor may put down other code; or when nobody knows who made it.
    Low where the code that runs is younger than a week before the proposal: who made it, and how. Check K2.

    Where the node has no old states, or cannot trace what made the code, age is not judged; the check says that it
    cannot tell only where code may come back. Not seen: what code calls by DELEGATECALL elsewhere, and proxies, which
    can change everywhere.
    """

    name = "code-origin"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        makes_room = self._makes_room(view)
        origins = view.context(CodeOrigins) if makes_room else view.context_if_known(CodeOrigins)
        return tuple(self._findings(view.facts, origins, makes_room)) if origins else ()

    def _makes_room(self, view: CheckView) -> bool:
        can_go = any(target.can_destroy_itself for target in view.facts.targets)
        return can_go and view.context(DestroyedCode).makes_room is not False

    def _findings(self, facts: Facts, origins: CodeOrigins, makes_room: bool) -> Iterator[Finding]:
        for code in origins.codes:
            if makes_room and code.can_destroy_itself and code.can_be_made_again is not False:
                yield self._comes_back(facts, code)
            if origins.young_from is not None and code.block > origins.young_from:
                yield self._young(facts, code)
        if origins.left_out:
            title = f"{origins.left_out} more codes are young, or can be destroyed, and were not looked at"
            yield Finding(check=self.name, severity=Severity.MEDIUM, title=title)

    def _comes_back(self, facts: Facts, code: CodeOrigin) -> Finding:
        if code.can_be_made_again is None:
            severity, why = Severity.HIGH, "Nobody knows whether who made it could make other code there."
        elif len(code.made) > 1:
            severity, why = Severity.CRITICAL, "Who made it can be made again, too, and then make any code there."
        else:
            severity, why = Severity.HIGH, "The same constructor may put down other code next time."
        title = "can destroy itself, and then be other code"
        return self._finding(facts, code, severity, title, f"{why} {_told(code.made)}")

    def _young(self, facts: Facts, code: CodeOrigin) -> Finding:
        age = facts.proposal.created_block - code.block
        when = f"{age} blocks before the proposal" if age >= 0 else f"{-age} blocks after the proposal"
        return self._finding(facts, code, Severity.LOW, f"was put there {when}", _told(code.made))

    def _finding(self, facts: Facts, code: CodeOrigin, severity: Severity, what: str, detail: str) -> Finding:
        whose = f"The code of {code.address}" + (f", which {code.proxy} runs," if code.proxy else "")
        makers = [made.maker for made in code.made if made.maker is not None]
        return Finding(
            check=self.name,
            severity=severity,
            title=f"{whose} {what}",
            detail=detail,
            calls=tuple(_paths(facts, {code.address, code.proxy})),
            evidence=tuple(dict.fromkeys((code.address, *makers))),
        )


def _told(made: tuple[Made, ...]) -> str:
    return " ".join(_one(step) for step in made)


def _one(made: Made) -> str:
    by = f"by {made.maker} {_BY[made.how]}" if made.maker and made.how in _BY else "nobody knows by whom"
    return f"{made.contract} was made in block {made.block}, {by}."


def _paths(facts: Facts, addresses: set[str | None]) -> Iterator[str]:
    """Of the calls that run the code, or put it in place."""
    for call in facts.every_call():
        if not call.other_chain and addresses & {call.target, call.caller, *(a.value for a in call.arguments)}:
            yield call.path
