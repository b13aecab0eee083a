"""power-loss: who loses a role, ownership, a seat?"""

from __future__ import annotations

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.claims import claims_of
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.losses import Loss, losses
from pnyx_policies.powers import friends


class PowerLoss:
    """Critical when the text does not speak of it: a guardian who is gone stops nothing any more, and what nobody owns
    nobody can mend. High when the DAO itself, or whoever sat there, loses power, or when the text does not name who
    loses; medium when somebody else does, and the text says so.

    Not seen: power that ends by a limit of time, or by a contract that forgets it without an event.
    """

    name = "power-loss"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        return tuple(self._finding(view, loss) for loss in losses(view.facts))

    def _finding(self, view: CheckView, loss: Loss) -> Finding:
        claims = claims_of(view.facts)
        spoken = loss.is_spoken_of(claims)
        is_own = loss.loser is None or loss.loser in friends(view.facts)
        named = is_own or loss.loser in claims.addresses or loss.loser in view.facts.known_addresses
        told = "the text speaks of it" if spoken else "the text does not speak of it"
        unnamed = "" if named else ", and does not name who loses" if spoken else ""
        return Finding(
            check=self.name,
            severity=Severity.CRITICAL if not spoken else Severity.HIGH if is_own or not named else Severity.MEDIUM,
            title=f"{loss.function} takes power over {loss.contract} from {self._whom(view, loss)}",
            detail=f"{f'{loss.detail}; ' if loss.detail else ''}{told}{unnamed}.",
            calls=loss.paths,
            evidence=tuple(a for a in (loss.contract, loss.loser) if a),
        )

    def _whom(self, view: CheckView, loss: Loss) -> str:
        if loss.loser is None:
            return "whoever has it, and nobody has it then"
        return f"the DAO itself ({loss.loser})" if loss.loser in friends(view.facts) else loss.loser
