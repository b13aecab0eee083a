"""What a block hash that the member trusts makes independent of the node's word: steps 1, 3 and 5."""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_contracts.entry import WriterState
from pnyx_contracts.keccak import keccak
from pnyx_contracts.types import BlockRef, to_hex
from pnyx_policies.verify.verdict import About, Step, Verdict
from pnyx_tools.reader import ChainReader, MethodMissingError, RpcError
from pnyx_tools.verifier.proof import ProofError, ProvenState, proven_state


class Trusted:
    """One block, and the log in it."""

    def __init__(self, reader: ChainReader, log: str, block_hash: bytes) -> None:
        self._reader = reader
        self._log = log
        self._hash = block_hash
        self._state: ProvenState | None = None

    def check_log(self, code: bytes, block: BlockRef) -> Iterator[Verdict]:
        """First: the header, and the code of the log. A problem, or not proven, when the node cannot prove them."""
        about = About()
        try:
            state = proven_state(self._reader, self._hash)
            proven = state.account(self._log)
        except ProofError as error:
            yield about.differs(Step.LOG_CODE, "proof", reason=error.message)
        except (RpcError, MethodMissingError) as error:
            yield about.not_proven(Step.LOG_CODE, f"the node gives no proof: {error.message}")
        else:
            if state.number != block.number:
                yield about.differs(Step.LOG_CODE, "proof", expected=state.number, seen=block.number)
            elif proven.code_hash != keccak(code):
                yield about.differs(Step.LOG_CODE, "proof", expected=proven.code_hash, seen=keccak(code))
            else:
                self._state = state
                yield about.matches(Step.LOG_CODE, reason=f"its code is proven against block {to_hex(self._hash)}")

    def check_writer(self, writer: str, told: WriterState, code: bytes) -> Iterator[Verdict]:
        """Then, for each writer: `told` is the state that the node told, `code` the writer's code."""
        about = About(writer)
        if self._state is None:
            return
        try:
            _, state = self._state.writer_state(self._log, writer)
            code_hash = self._state.account(writer).code_hash
        except ProofError as error:
            yield about.differs(Step.ENTRIES, "proof", reason=error.message)
        except (RpcError, MethodMissingError) as error:
            yield about.not_proven(Step.ENTRIES, f"the node gives no proof: {error.message}")
        else:
            if state != told:
                yield about.differs(Step.ENTRIES, "proof", expected=state, seen=told)
            else:
                reason = "head and number are proven by the block hash: steps 2 to 4 rest on no node's word"
                yield about.matches(Step.ENTRIES, reason=reason)
            if code_hash != keccak(code):
                yield about.differs(Step.WRITER, "proof", expected=code_hash, seen=keccak(code))
            else:
                yield about.matches(Step.WRITER, reason="its code is proven by the block hash")
