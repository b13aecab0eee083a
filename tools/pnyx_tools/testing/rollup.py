"""An endpoint of a chain whose contracts see another block number than the endpoint gives, as on Arbitrum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.provider import Provider, Question

_BLOCK_PARAMETERS = {
    "eth_getBlockByNumber": 0,
    "eth_call": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_simulateV1": 1,
    "debug_traceCall": 1,
    "eth_getStorageAt": 2,
}
"""Place of the block among the parameters."""
_BLOCK_FIELDS = ("blockNumber", "number")
"""What answers call a block's number: logs, receipts, transactions; blocks."""


class Rollup(Provider):
    """``with Rollup(node, ahead) as rollup: Rpc(rollup.url)``: every block number is `ahead` higher than in `node`.

    `ahead` may be negative, for a young chain. Contracts see `node`'s numbers, which stand for those of the parent
    chain. Hashes and times are the node's; whoever sends to the node directly sends to the same chain.
    """

    def __init__(self, node: Anvil, ahead: int) -> None:
        super().__init__(node.url)
        self._ahead = ahead

    def _pass_on(self, request: Question | list[Question]) -> Any:  # noqa: ANN401 - JSON as the node gave it
        if isinstance(request, list):
            return [self._told(answer) for answer in super()._pass_on([self._to_node(q) for q in request])]
        return self._told(super()._pass_on(self._to_node(request)))

    def _told(self, answer: dict[str, Any]) -> dict[str, Any]:
        return answer | {"result": self._from_node(answer["result"])} if "result" in answer else answer

    def _to_node(self, question: Question) -> Question:
        parameters = list(question.get("params", ()))
        place = _BLOCK_PARAMETERS.get(question["method"])
        if place is not None and place < len(parameters):
            parameters[place] = self._shifted(parameters[place], -self._ahead)
        if question["method"] == "eth_getLogs":
            bounds = {k: self._shifted(parameters[0][k], -self._ahead) for k in ("fromBlock", "toBlock")}
            parameters[0] = parameters[0] | bounds
        if question["method"] == "eth_simulateV1":
            parameters[0] = parameters[0] | {
                "blockStateCalls": [self._block(b) for b in parameters[0]["blockStateCalls"]]
            }
        if question["method"] == "debug_traceCall":
            parameters[2] = self._block(parameters[2])
        return {**question, "params": parameters}

    def _block(self, block: Mapping[str, Any]) -> dict[str, Any]:
        """Of a simulation or a trace: its contracts go on to see the node's numbers."""
        overrides = block["blockOverrides"]
        return {**block, "blockOverrides": overrides | {"number": self._shifted(overrides["number"], -self._ahead)}}

    def _from_node(self, value: Any) -> Any:  # noqa: ANN401 - JSON as the node gave it
        if isinstance(value, list):
            return [self._from_node(item) for item in value]
        if not isinstance(value, dict):
            return value
        numbers = {name: self._shifted(value[name], self._ahead) for name in _BLOCK_FIELDS if name in value}
        if "logs" in value:
            numbers["logs"] = self._from_node(value["logs"])
        return value | numbers

    @staticmethod
    def _shifted(number: Any, by: int) -> Any:  # noqa: ANN401 - a tag, a hash or null stays what it is
        return hex(max(int(number, 16) + by, 0)) if isinstance(number, str) and number.startswith("0x") else number
