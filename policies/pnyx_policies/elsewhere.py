"""A proposal as it is seen from the other chains that its messages run on.

What checks know how to judge, they judge there too: `seen_elsewhere` gives facts of the same shape in which another
chain is home. There the calls are the messages, the executor is whoever stands for the DAO, the treasury is what he
has, and nothing else is known: at an address that is somebody's at home, somebody else may live there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.chains import in_words
from pnyx_contracts.decoded import DecodedCall
from pnyx_contracts.deliveries import messages
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.governors import GovernorProfile
from pnyx_contracts.messages import alias
from pnyx_policies.context.other_chains import FarRun, OtherChains
from pnyx_policies.context.reading import read_context
from pnyx_policies.facts import Facts, Simulation

ANOTHER_CHAIN: Final = "another chain"


@dataclass(frozen=True, slots=True)
class Place:
    """Facts as they are seen from another chain."""

    facts: Facts
    run: FarRun

    @property
    def chain(self) -> str:
        """``chain 10 (OP Mainnet)``"""
        return chain_in_words(self.run.chain_id)


def chain_in_words(chain_id: int | None) -> str:
    return ANOTHER_CHAIN if chain_id is None else in_words(chain_id)


def at_home(facts: Facts) -> Facts:
    """Without the calls that were simulated on another chain: those are seen there."""
    seen = frozenset(path for run in far_runs(facts) if not run.why_unknown for path in run.paths)
    return facts.model_copy(update={"calls": _without(facts.calls, seen)}) if seen else facts


def seen_elsewhere(facts: Facts) -> Iterator[Place]:
    """The other chains on which it was seen what messages do."""
    return (
        Place(_there(facts, run, run.simulation), run)
        for run in far_runs(facts)
        if run.simulation is not None and not run.why_unknown
    )


def far_runs(facts: Facts) -> tuple[FarRun, ...]:
    """One or more for each message: what the tool saw, or why nothing was seen."""
    sent = {message.path: message for _, message in messages(facts.calls)}
    if not sent:
        return ()
    try:
        told = read_context(OtherChains, facts.context, facts.skipped).runs
    except DecodingError as error:
        return (FarRun(paths=tuple(sent), why_not=error.message),)
    runs = tuple(run for run in told if _is_of(run, sent))
    if missing := tuple(path for path in sent if all(path not in run.paths for run in runs)):
        return (*runs, FarRun(paths=missing, why_not="the context tool other_chains says nothing of it"))
    return runs


def unseen_as(told: Facts, own: Facts) -> Facts:
    """Own facts, without what messages do where `told` says that it was not seen."""
    unseen = {run.paths: run for run in far_runs(told) if run.why_unknown}
    runs = tuple(unseen.get(run.paths, run) for run in far_runs(own))
    result = OtherChains(runs=runs).model_dump(mode="json")
    context = tuple(
        one.model_copy(update={"result": result}) if one.tool == OtherChains.TOOL else one for one in own.context
    )
    return own.model_copy(update={"context": context}) if unseen else own


def _is_of(run: FarRun, sent: Mapping[str, DecodedCall]) -> bool:
    """Whether it is about messages of this proposal: a stranger's record may say anything."""
    return all(path in sent and sent[path].chain_id == run.chain_id for path in run.paths)


def _without(calls: Iterable[DecodedCall], paths: frozenset[str]) -> tuple[DecodedCall, ...]:
    return tuple(
        call.model_copy(update={"inner": _without(call.inner, paths)}) for call in calls if call.path not in paths
    )


def _there(facts: Facts, run: FarRun, simulation: Simulation) -> Facts:
    sent = {message.path: message for _, message in messages(facts.calls)}
    key = facts.proposal.key.model_copy(update={"chain_id": run.chain_id})
    return facts.model_copy(
        update={
            "block": run.block,
            "proposal": facts.proposal.model_copy(update={"key": key}),
            "governor": facts.governor.model_copy(update={"profile": _profile_of(facts.governor.profile, run)}),
            "calls": tuple(as_seen_there(sent[path]) for path in run.paths),
            "simulation": simulation.model_copy(update={"executor": run.account}),
            "treasury": run.treasury,
            "targets": (),
            "earlier_code": (),
            "context": (),
            "known_addresses": {},
            "probes": (),
            "prices": (),
        }
    )


def _profile_of(profile: GovernorProfile, run: FarRun) -> GovernorProfile:
    """Governor and timelock are their aliases there: at their own addresses somebody else may live."""
    return profile.model_copy(
        update={
            "address": alias(profile.address),
            "timelock": None if profile.timelock is None else alias(profile.timelock),
            "token": None,
            "chain_id": run.chain_id,
        }
    )


def as_seen_there(message: DecodedCall) -> DecodedCall:
    """A call of a chain is none of another one, seen from there."""
    return _landed(message, message.chain_id)


def _landed(call: DecodedCall, chain_id: int | None) -> DecodedCall:
    if not call.other_chain or call.chain_id != chain_id:
        return call
    inner = tuple(_landed(one, chain_id) for one in call.inner)
    return call.model_copy(update={"other_chain": False, "chain_id": None, "inner": inner})
