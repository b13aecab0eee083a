"""Since when code lies at its address, and who put it there.

1. Which code to look at: what did not lie there a week before the proposal, and what can destroy itself where that
   makes room for other code (`destroyed_code`). Of most proposals that is none, and nothing more is asked.
2. The block from which on it lies there, by bisection: needs the state of old blocks.
3. Who made it: by the receipts of that block, or the trace of a transaction that may have (`debug_traceTransaction`).
4. Where a contract made it at an address that depends on how often that contract made others, and that contract could
   go away and come back, the same once more for that contract.

A node that lacks old states, or traces where they are needed, gives no result: half a result would be another one than
that of whoever checks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pnyx_contracts.addresses import delegate_of
from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.governors import GovernorAdapter, GovernorProfile
from pnyx_contracts.types import BlockRef, Proposal, to_hex
from pnyx_policies.context.code_origin import MAX_CODES, MAX_STEPS, CodeOrigin, CodeOrigins, How, Made
from pnyx_policies.facts import LONG_BEFORE_BLOCKS, NO_CODE, Grade, TargetFacts
from pnyx_tools.code import read_targets, running_addresses
from pnyx_tools.context.asking import require_state
from pnyx_tools.context.destroyed_code import MAX_TARGETS, makes_room
from pnyx_tools.context.receipts import MOST_TRACES, receipts_of, steps_of
from pnyx_tools.opcodes import reachable_opcodes
from pnyx_tools.pinned import CodeOf, ask_ahead
from pnyx_tools.reader import ChainReader

CREATION_GAS: Final = 32_000
GAS_PER_BYTE: Final = 200
"""Of code that is put down. A transaction that used less cannot have made it; refunds give back half at most."""

_HOW: Final = {"CREATE": How.CREATE, "CREATE2": How.CREATE2}


class CodeOriginTool:
    """Code that was put there for this proposal, and code that can come back as other code, shows here."""

    name = CodeOrigins.TOOL
    version = CodeOrigins.VERSION
    grade = Grade.RE_READ
    description = "Who made young code that the calls run, or code that can come back as other code, and when."

    def run(
        self,
        reader: ChainReader,
        adapter: GovernorAdapter,  # noqa: ARG002 - the protocol's
        profile: GovernorProfile,
        proposal: Proposal,
        block: BlockRef,
    ) -> CodeOrigins:
        at = to_hex(block.hash)
        running = running_addresses(decode_calls(proposal.calls, proposal.key.chain_id))
        every = list(_codes(read_targets(reader, running[:MAX_TARGETS], at)))
        long_before = proposal.created_block - LONG_BEFORE_BLOCKS
        old = _old(reader, profile.address, every, long_before) if long_before > 0 else None
        young = [code for code in every if old is not None and code.address not in old]
        lasting = [code for code in every if code not in young and code.can_destroy_itself]
        suspects = [*young, *(lasting if lasting and makes_room(reader, block) else [])]
        shown = suspects[:MAX_CODES]
        lowest = {code.address: long_before if code in young else 0 for code in shown}
        first = first_blocks(reader, lowest, block.number)
        search = _Search(reader, at)
        return CodeOrigins(
            young_from=long_before if old is not None else None,
            codes=tuple(
                CodeOrigin(
                    address=code.address,
                    proxy=code.proxy,
                    can_destroy_itself=code.can_destroy_itself,
                    made=tuple(search.makers(code.address, first[code.address])),
                )
                for code in shown
            ),
            left_out=len(suspects) - len(shown),
        )


@dataclass(frozen=True, slots=True)
class _Code:
    address: str
    proxy: str | None
    can_destroy_itself: bool


def _codes(targets: Iterable[TargetFacts]) -> Iterator[_Code]:
    """That of each target, and that which a proxy runs; each address once."""
    seen: set[str] = set()
    for target in targets:
        own = [_Code(target.address, None, target.can_destroy_itself)] if target.has_code else []
        if target.implementation is not None and target.implementation_code_hash != NO_CODE:
            own.append(_Code(target.implementation, target.address, "SELFDESTRUCT" in target.implementation_opcodes))
        yield from (code for code in own if code.address not in seen)
        seen.update(code.address for code in own)


def _old(reader: ChainReader, governor: str, codes: Iterable[_Code], block: int) -> set[str]:
    """Those of which there was code in `block`."""
    addresses = [governor, *(code.address for code in codes)]
    ask_ahead(reader, [CodeOf(address, block) for address in addresses])
    require_state(reader, governor, block)
    return {address for address in addresses if reader.code(address, block)}


def first_blocks(reader: ChainReader, lowest: Mapping[str, int], highest: int) -> dict[str, int]:
    """By address, a block in the end of which there is code, and none in the block before; `lowest` where there is code
    already. All of them have code at `highest`.
    """
    low, high = dict(lowest), dict.fromkeys(lowest, highest)
    while open_ := {a: (low[a] + high[a]) // 2 for a in lowest if low[a] < high[a]}:
        ask_ahead(reader, [CodeOf(address, middle) for address, middle in open_.items()])
        for address, middle in open_.items():
            if reader.code(address, middle):
                high[address] = middle
            else:
                low[address] = middle + 1
    return high


@dataclass(frozen=True, slots=True)
class _Search:
    """For who made contracts. `at` is the pinned block."""

    reader: ChainReader
    at: str

    def makers(self, contract: str, block: int) -> Iterator[Made]:
        for _ in range(MAX_STEPS):
            made = self._made(contract, block)
            yield made
            if made.how is not How.CREATE or made.maker is None or not made.maker_can_vanish:
                return
            contract, block = made.maker, self._first_block(made.maker, block)

    def _first_block(self, contract: str, until: int) -> int:
        """`until` too where it came and went in that block."""
        if not self.reader.code(contract, until):
            return until
        return first_blocks(self.reader, {contract: 0}, until)[contract]

    def _made(self, contract: str, block: int) -> Made:
        if block == 0:
            return Made(contract=contract, block=0, how=How.GENESIS)
        receipts = receipts_of(self.reader, block)
        for receipt in receipts:
            if receipt.created == contract:
                return Made(
                    contract=contract, block=block, how=How.TRANSACTION, maker=receipt.sender,
                    transaction=receipt.transaction,
                )  # fmt: skip
        least = CREATION_GAS + GAS_PER_BYTE * len(self.reader.code(contract, block))
        may = [receipt for receipt in receipts if 2 * receipt.gas_used >= least]
        for receipt in sorted(may, key=lambda r: contract not in r.told)[:MOST_TRACES]:
            found = self._traced(contract, receipt.transaction)
            if found is not None:
                how, maker = found
                return Made(
                    contract=contract, block=block, how=how, maker=maker, transaction=receipt.transaction,
                    maker_can_vanish=self._can_vanish(maker, block),
                )  # fmt: skip
        return Made(contract=contract, block=block, how=How.UNKNOWN)

    def _traced(self, contract: str, transaction: bytes) -> tuple[How, str] | None:
        """How, and by whom; the last time, where it was made more than once."""
        steps = reversed(steps_of(self.reader, transaction))
        return next(((_HOW[s.kind], s.sender) for s in steps if s.kind in _HOW and s.receiver == contract), None)

    def _can_vanish(self, maker: str, block: int) -> bool:
        then = self.reader.code(maker, block)
        if delegate_of(then):
            return False  # a key's account
        return "SELFDESTRUCT" in reachable_opcodes(then) or not self.reader.code(maker, self.at)
