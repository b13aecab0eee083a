"""Does the new code have the functions that the old one has? Who still calls one that is gone fails, or worse."""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.upgraded_functions import MAX_GONE, MAX_UPGRADES, UpgradedFunctions, Upgrades
from pnyx_policies.facts import Grade
from pnyx_policies.power_functions import PowerKind
from pnyx_policies.powers import shifts_of
from pnyx_tools.code import read_targets
from pnyx_tools.opcodes import selectors_in
from pnyx_tools.reader import BlockId, ChainReader


class UpgradedFunctionsTool:
    """Compares code that an upgrade puts in place with what the contract runs now."""

    name = Upgrades.TOOL
    version = Upgrades.VERSION
    grade = Grade.RE_READ
    description = "Functions that the new code of an upgrade has more than the old one, and those that it lacks."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> Upgrades:
        at = to_hex(block.hash)
        pairs = replacements(proposal)
        shown = pairs[:MAX_UPGRADES]
        targets = {t.address: t for t in read_targets(reader, [contract for contract, _ in shown], at)}
        return Upgrades(
            upgrades=tuple(
                _compared(reader, contract, before, after, at)
                for contract, after in shown
                if (before := targets[contract].implementation) is not None
            ),
            left_out=len(pairs) - len(shown),
        )


def replacements(proposal: Proposal) -> list[tuple[str, str]]:
    """Contracts whose code the calls replace, each with its new code."""
    every = made_here(decode_calls(proposal.calls, proposal.key.chain_id))
    return list(dict.fromkeys(pair for call in every for pair in _replaced(call)))


def _replaced(call: DecodedCall) -> Iterator[tuple[str, str]]:
    """An admin's function names the proxy."""
    for shift in shifts_of([call]):
        if shift.kind is PowerKind.CODE and shift.receiver is not None:
            yield call.argument("proxy") or shift.contract, shift.receiver


def _compared(reader: ChainReader, contract: str, before: str, after: str, at: BlockId) -> UpgradedFunctions:
    old, new = (selectors_in(reader.code(code, at)) for code in (before, after))
    gone = sorted(old - new) if new else []
    return UpgradedFunctions(
        contract=contract,
        before=before,
        after=after,
        functions=len(new),
        added=len(new - old),
        gone=tuple(gone[:MAX_GONE]),
        more_gone=len(gone[MAX_GONE:]),
    )
