"""Is what the calls ask for so already? Then the vote only ratifies it.

A call that sets one value is asked about by the getter of its name: `setVotingDelay(uint48)` by `votingDelay()`. Roles
are asked about by `hasRole`. What several calls of the proposal set is left out: an earlier one may change it first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.decoded import DecodedCall, made_here
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile, Read
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.already_so import MAX_ASKED, AlreadySo, So
from pnyx_policies.facts import Grade
from pnyx_tools.context.asking import ask_all, number_of
from pnyx_tools.reader import ChainReader

_SETTER: Final = re.compile(r"_?(?:set|update|change)([A-Z]\w*)\((?:address|bool|bytes32|u?int\d+)\)")
_GETTERS: Final = {
    "transferOwnership(address)": "owner",
    "updateDelay(uint256)": "getMinDelay",
    "upgradeTo(address)": "implementation",
}
"""Where the name does not tell."""
_HAS_ROLE: Final = "hasRole(bytes32,address)"
_ROLES: Final = {"grantRole(bytes32,address)": 1, "revokeRole(bytes32,address)": 0}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What a call asks for: that a question has this answer afterwards."""

    call: DecodedCall
    question: str
    arguments: tuple[bytes | str, ...]
    wanted: int

    @property
    def about(self) -> tuple[object, ...]:
        return self.call.target, self.question, self.arguments

    @property
    def read(self) -> Read[int]:
        return number_of(self.call.target, self.question, *self.arguments)


class AlreadySoTool:
    """Asks contracts for the state that the calls would bring about."""

    name = AlreadySo.TOOL
    version = AlreadySo.VERSION
    grade = Grade.RE_READ
    description = "Calls that set, give or take what is already set, given or taken."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,  # noqa: ARG002 - the protocol's
        proposal: Proposal,
        block: BlockRef,
    ) -> AlreadySo:
        wishes = list(_wishes(made_here(decode_calls(proposal.calls, proposal.key.chain_id))))
        times = Counter(wish.about for wish in wishes)
        alone = [wish for wish in wishes if times[wish.about] == 1]
        asked = alone[:MAX_ASKED]
        answers = ask_all(reader, [wish.read for wish in asked], to_hex(block.hash))
        return AlreadySo(
            so=tuple(
                So(path=wish.call.path, contract=wish.call.target, question=wish.question)
                for wish, answer in zip(asked, answers, strict=True)
                if answer == wish.wanted
            ),
            left_out=len(alone) - len(asked),
        )


def _wishes(calls: Iterable[DecodedCall]) -> Iterator[_Wish]:
    for call in calls:
        signature = call.signature or ""
        if call.delegatecall:  # it sets what is its caller's
            continue
        if signature in _ROLES:
            role, account = (argument.value for argument in call.arguments)
            yield _Wish(call, _HAS_ROLE, (bytes.fromhex(role.removeprefix("0x")), account), _ROLES[signature])
        elif getter := _getter(signature):
            yield _Wish(call, f"{getter}()", (), int.from_bytes(call.calldata[4:36], "big"))


def _getter(signature: str) -> str | None:
    found = _SETTER.fullmatch(signature)
    return _GETTERS.get(signature) or (found[1][0].lower() + found[1][1:] if found else None)
