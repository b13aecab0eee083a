"""price-source: Can somebody set or move the price that a market goes by?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pnyx_policies.checks.protocol import CheckView
from pnyx_policies.context import AccountKind, PricePool, PriceSetter, PriceSource, PriceSources
from pnyx_policies.facts import Facts, Holding
from pnyx_policies.finding import Finding, Severity
from pnyx_policies.powers import friends

STALE_SECONDS: Final = 2 * 86_400
"""Feeds tell their price once a day or more often, also where it does not move."""
_LEAST_WITHOUT_DECIMALS: Final = 2
"""A feed without decimals that says no or yes is none of a price: rollups tell so whether their sequencer is up."""
_MOVED: Final = {
    False: (Severity.HIGH, "is that of a pool at this moment", "one trade moves it, also with borrowed tokens"),
    None: (Severity.MEDIUM, "is read from a pool of Curve's", "whether one trade moves it is not known"),
    True: (Severity.LOW, "follows the past of a pool", "a trade that lasts moves it"),
}
"""By whether the pool's past is read."""
_SHOWN: Final = 4


class PriceSourceCheck:
    """Of each contract that the calls name and that gives a price, and of the oracle by which a market begins to lend.
    Critical: anybody can set the price. High: whoever has one key can; or it is what a pool holds at this moment, which
    one trade with borrowed tokens moves; or it is no price. Medium: another contract than the DAO's can set it; it was
    told more than two days ago; it is read from a pool of Curve's, and nobody knows whether one trade moves it; there
    was too much to look at all of it. Low: it follows a pool's past, so it takes a trade that lasts; a contract that
    the operator knows can set it. Check K13, after I-20 (Sonne).

    That a price can be set is tried, by well-known functions and from well-known seats, before the actions: an oracle
    that only the actions fill is judged by the feeds that they name. Not seen: functions of other names, signed prices
    that anybody may bring, roles, what an owner can do in two steps, how long an average is, pools of
    other kinds (Balancer's, Uniswap's version 4), and balances that stand for a price.
    """

    name = "price-source"
    version = "1"

    def run(self, view: CheckView) -> tuple[Finding, ...]:
        found = view.context(PriceSources)
        return tuple(self._findings(view.facts, found))

    def _findings(self, facts: Facts, found: PriceSources) -> Iterator[Finding]:
        for source in found.sources:
            for setter in source.setters:
                yield from self._set(facts, source, setter)
            for pool in source.pools:
                yield self._moved(source, pool)
            yield from self._told(facts, source)
        left_out = found.left_out + sum(source.left_out for source in found.sources)
        if left_out:
            title = f"{left_out} more contracts were not looked at: they may give prices, or set them"
            yield Finding(check=self.name, severity=Severity.MEDIUM, title=title)

    def _set(self, facts: Facts, source: PriceSource, setter: PriceSetter) -> Iterator[Finding]:
        if setter.by in friends(facts):
            return
        severity, who = _who(facts, setter)
        where = "" if setter.contract == source.source else f" of {setter.contract}"
        yield self._finding(
            source,
            severity,
            f"{who} can set the price that {source.source} gives",
            f"After {setter.signature}{where}, {_asked(source)} did not answer as before.",
            *([setter.contract] if where else []),
            *([setter.by] if setter.by else []),
        )

    def _moved(self, source: PriceSource, pool: PricePool) -> Finding:
        severity, rests_on, how = _MOVED[pool.reads_past]
        title = f"The price that {source.source} gives {rests_on}"
        holds = " and ".join(map(_amount, pool.holds)) or "an unknown amount"
        return self._finding(source, severity, title, f"The pool {pool.pool} holds {holds}: {how}.", pool.pool)

    def _told(self, facts: Facts, source: PriceSource) -> Iterator[Finding]:
        if source.decimals == 0 and source.answer < _LEAST_WITHOUT_DECIMALS:
            return
        if not source.answer:
            yield self._finding(source, Severity.HIGH, f"{source.source} gives no price: zero, or less", "")
        elif source.updated_at is not None and facts.block.timestamp - source.updated_at > STALE_SECONDS:
            days = (facts.block.timestamp - source.updated_at) // 86_400
            title = f"The price that {source.source} gives is {days} days old"
            yield self._finding(source, Severity.MEDIUM, title, "")

    def _finding(self, source: PriceSource, severity: Severity, title: str, detail: str, *evidence: str) -> Finding:
        return Finding(
            check=self.name,
            severity=severity,
            title=title,
            detail=detail,
            calls=(source.path,),
            evidence=(source.source, *evidence),
        )


def _who(facts: Facts, setter: PriceSetter) -> tuple[Severity, str]:
    if setter.by is None:
        return Severity.CRITICAL, "Anybody"
    if setter.kind is not AccountKind.CONTRACT:
        return Severity.HIGH, f"Whoever has the key of {setter.by}"
    return Severity.LOW if setter.by in facts.known_addresses else Severity.MEDIUM, f"The contract {setter.by}"


def _asked(source: PriceSource) -> str:
    return source.signature if source.asset is None else f"{source.signature} for {source.asset}"


def _amount(holding: Holding) -> str:
    if holding.decimals is None:
        return f"{holding.balance} units of {holding.asset}"
    whole, rest = divmod(holding.balance, 10**holding.decimals)
    digits = f"{rest:0{holding.decimals}d}"[:_SHOWN] if holding.decimals else ""
    return f"{whole:,}{f'.{digits}' if digits.strip('0') else ''} of {holding.asset}"
