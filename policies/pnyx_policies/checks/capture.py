"""capture: How little does it take to win this vote?"""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import AssetPrice, AssetPrices, Gain, GroundRules, VotingPower
from pnyx_policies.context.voting_power import BASIS_POINTS
from pnyx_policies.facts import Facts
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.vote_cost import prize

SMALL_QUORUM_BPS = 100
MAJORITY_BPS = 5_000


class Capture:
    """Medium: somebody gained, shortly before power counted, enough to meet the quorum alone; these actions take more
    than the votes of the quorum cost. Low: one account alone meets it, a quorum below 1% of the supply, a treasury that
    holds more voting tokens than the quorum, or other assets that are worth more than its votes cost, quorum missed by
    the last votes. Check K9, incidents I-6 (Compound 289), I-9 (Swerve), I-15 (Atlantis).

    What votes cost is known where the operator declares prices, at a unit of power for a smallest unit of the token.
    Who buys so many raises the price, and who borrows them pays less; a thin pool says little. Assets without a
    declared price, and what others than the executor hold, count nothing. Several accounts of one person count as
    several.
    """

    name = "capture"
    version = "2"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        power, rules = view.context(VotingPower), view.context(GroundRules)
        if not rules.quorum:
            return ()
        return (
            *self._gained(power, rules.quorum),
            *self._alone(power, rules.quorum),
            *self._small(rules, rules.quorum),
            *self._worth(view.facts, rules.quorum),
            *self._turnout(power, rules.quorum),
            *self._cost(view, power, rules.quorum),
        )

    def _gained(self, power: VotingPower, quorum: int) -> Iterator[Finding]:
        if not power.supply_before:
            return  # the whole DAO is new
        for gain in power.gains:
            if gain.gained >= quorum:
                yield self._gain(power, gain, quorum)

    def _gain(self, power: VotingPower, gain: Gain, quorum: int) -> Finding:
        return Finding(
            check=self.name,
            severity=Severity.MEDIUM,
            title=f"{gain.delegate} gained {_percent(gain.gained, quorum)} of the quorum shortly before power counted",
            detail=(
                f"{gain.gained} units in blocks {power.gains_from_block} to {power.gains_to_block}, "
                f"{gain.power} in all; the quorum is {quorum}."
            ),
            evidence=(gain.delegate,),
        )

    def _alone(self, power: VotingPower, quorum: int) -> Iterator[Finding]:
        for voter in power.largest[:1]:
            if voter.weight >= quorum and power.largest_share_bps > MAJORITY_BPS:
                share = _percent(power.largest_share_bps, BASIS_POINTS)
                yield self._low(
                    f"One account has cast {share} of all votes, and {_percent(voter.weight, quorum)} of the quorum",
                    f"{voter.weight} of {power.weight_cast} units by {power.voters} voters.",
                    voter.voter,
                )

    def _small(self, rules: GroundRules, quorum: int) -> Iterator[Finding]:
        if rules.supply and quorum * BASIS_POINTS < rules.supply * SMALL_QUORUM_BPS:
            bps = quorum * BASIS_POINTS // rules.supply
            words = f"{bps // 100}.{bps % 100:02}% of the supply"
            yield self._low(f"The quorum is {words}", f"{quorum} of {rules.supply} units.")

    def _worth(self, facts: Facts, quorum: int) -> Iterator[Finding]:
        token = facts.governor.profile.token
        held = next((h.balance for h in facts.treasury if h.asset == token and token is not None), 0)
        if held > quorum:
            title = f"The treasury holds {_percent(held, quorum)} of the quorum in voting tokens alone"
            yield self._low(title, f"{held} units; the quorum is {quorum}.", token or "")

    def _turnout(self, power: VotingPower, quorum: int) -> Iterator[Finding]:
        missed = [turnout for turnout in power.earlier if turnout.weight_cast < quorum]
        if len(power.earlier) > 2 and len(missed) * 2 > len(power.earlier):
            most = max(turnout.weight_cast for turnout in power.earlier)
            title = f"{len(missed)} of the last {len(power.earlier)} votes did not bring what the quorum asks for"
            yield self._low(title, f"The best brought {most} units; the quorum is {quorum}.")

    def _cost(self, view: CheckView, power: VotingPower, quorum: int) -> Iterator[Finding]:
        """Quiet where the tool did not run: the skipped step says so."""
        prices, token = view.context_if_known(AssetPrices), view.facts.governor.profile.token
        if prices is None or not prices.prices:
            return
        votes = prices.of(token) if token else None
        cost = votes.worth(quorum) if votes else None
        if votes is None or cost is None:
            why = votes.why_not if votes else "no price of it is declared"
            yield self._low("What the votes of the quorum cost is not known", f"Of the voting token: {why}.")
            return
        gain = prize(view.facts, prices)
        if gain.unpriced:
            title = f"What {len(gain.unpriced)} of the declared assets are worth is not known"
            yield self._low(title, "", *(asset for asset in gain.unpriced if asset))
        terms = f"{quorum} units, at the declared price; buying so many raises it.{_outvoting(power, votes)}"
        if gain.taken > cost:
            title = f"The actions take {gain.taken:,} from the treasury; the votes of the quorum cost {cost:,}"
            yield Finding(check=self.name, severity=Severity.MEDIUM, title=title, detail=terms)
        elif gain.treasury > cost:
            yield self._low(f"The votes of the quorum cost {cost:,}; the treasury has {gain.treasury:,}", terms)

    def _low(self, title: str, detail: str, *evidence: str) -> Finding:
        return Finding(check=self.name, severity=Severity.LOW, title=title, detail=detail, evidence=evidence)


def _outvoting(power: VotingPower, votes: AssetPrice) -> str:
    """What it would take beside the quorum: as much as was cast in the best attended of the last votes."""
    most = max((turnout.weight_cast for turnout in power.earlier), default=0)
    cost = votes.worth(most)
    return "" if not cost else f" As many as the best attended of the last votes saw cost {cost:,}."


def _percent(part: int, whole: int) -> str:
    return f"{part * 100 // whole}%"
