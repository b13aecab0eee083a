"""power-loss: who loses a role, ownership, a seat?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.beside import places
from pnyx_policies.checks.everywhere import everywhere
from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.checks.text_against_calls import unused_addresses
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.language import is_foreign
from pnyx_policies.losses import SEATS, Loss, losses
from pnyx_policies.powers import friends


class PowerLoss:
    """Critical when the text does not speak of it: a guardian who is gone stops nothing any more, and what nobody owns
    nobody can mend. High when the DAO itself, or whoever sat there, loses power, when the text does not name who loses,
    names a seat and not that it goes, or names who follows, to whom no call gives anything; medium when somebody else
    loses, and the text says so, or the DAO gets power there by the same actions.

    Not seen: power that ends by a limit of time, or by a contract that forgets it without an event.
    """

    name = "power-loss"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return everywhere(view, self._findings)

    def _findings(self, view: CheckView) -> Iterator[Finding]:
        return (self._finding(view, loss) for loss in losses(view.facts))

    def _finding(self, view: CheckView, loss: Loss) -> Finding:
        severity, told = self._told(view, loss)
        return Finding(
            check=self.name,
            severity=severity,
            title=f"{loss.function} takes power over {loss.contract} from {self._whom(view, loss)}",
            detail=f"{f'{loss.detail}; ' if loss.detail else ''}the text {told}.",
            calls=loss.paths,
            evidence=tuple(a for a in (loss.contract, loss.loser) if a),
        )

    def _told(self, view: CheckView, loss: Loss) -> tuple[Severity, str]:
        claims = claims_of(view.facts)
        is_own = loss.loser is None or loss.loser in friends(view.facts)
        if loss.to_the_dao and not is_own:
            return Severity.MEDIUM, "need not speak of it: the DAO gets power there"
        if not loss.is_spoken_of(claims):
            if loss.is_touched_on(claims) or (is_own and claims.names_word(*SEATS)):
                return Severity.HIGH, "speaks of such a seat, and not that it is taken away"
            if is_foreign(claims.shown):
                return Severity.HIGH, "is not in English, so nobody here can tell whether it speaks of it"
            return Severity.CRITICAL, "does not speak of it"
        if is_own:
            return Severity.HIGH, "speaks of it"
        if self._names_heir(view, loss):
            return Severity.HIGH, "speaks of it, and beside it of somebody with whom no call has to do"
        if loss.loser in claims.addresses or loss.loser in view.facts.known_addresses:
            return Severity.MEDIUM, "speaks of it"
        return Severity.HIGH, "speaks of it, and does not name who loses"

    def _names_heir(self, view: CheckView, loss: Loss) -> bool:
        """ "Moves from 0x... to 0x...", and it only goes."""
        idle, loser = frozenset(unused_addresses(view.facts)), frozenset({loss.loser or ""})
        beside = places(claims_of(view.facts).shown, idle | loser, frozenset())
        return any(place.addresses & idle and place.addresses & loser for place in beside)

    def _whom(self, view: CheckView, loss: Loss) -> str:
        if loss.loser is None:
            return "whoever has it, and nobody has it then"
        return f"the DAO itself ({loss.loser})" if loss.loser in friends(view.facts) else loss.loser
