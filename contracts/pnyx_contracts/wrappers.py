"""Calls that carry other calls: what runs inside, who makes it, with whose storage.

One small function per kind of wrapper, keyed by canonical signature. Each takes the wrapper call and its decoded
arguments and returns what is inside; it raises `DecodingError` when the content is malformed, and then the wrapper
itself counts as not decoded. Nothing here reads state, so where the real caller depends on state the note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import ZERO_ADDRESS

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """One call about to be decoded. The fields mean what they mean in `DecodedCall`."""

    target: str
    value_wei: int
    calldata: bytes
    caller: str | None = None
    delegatecall: bool = False
    other_chain: bool = False
    note: str = ""

    @property
    def acts_as(self) -> str | None:
        """The account that makes the calls which this call's code makes."""
        return self.caller if self.delegatecall else self.target


@dataclass(frozen=True, slots=True)
class Content:
    """What a wrapper holds, in order of execution, and what a reader must know about it."""

    frames: tuple[Frame, ...]
    note: str = ""


Wrapper = Callable[[Frame, Arguments], Content]


def compound_calldata(signature: str, data: bytes) -> bytes:
    """What a Compound timelock really sends: with a signature string, `data` has no selector of its own."""
    return selector_of(signature) + data if signature else data


def _single(target: str, data: str, value: str = "") -> Wrapper:
    """A wrapper whose arguments named so are one call, made by the wrapper contract."""

    def unwrap(outer: Frame, args: Arguments) -> Content:
        return Content((_call(outer, args[target], args[value] if value else 0, args[data]),))

    return unwrap


def _call(outer: Frame, target: str, value_wei: int, data: bytes) -> Frame:
    return Frame(target, value_wei, data, caller=outer.acts_as, other_chain=outer.other_chain)


def _delegatecall(outer: Frame, storage: str | None, code: str, data: bytes) -> Frame:
    return Frame(code, 0, data, caller=storage, delegatecall=True, other_chain=outer.other_chain)


def _batch(outer: Frame, args: Arguments, data: str) -> tuple[Frame, ...]:
    targets, values, datas = args["targets"], args["values"], args[data]
    _demand_same_length(targets, values, datas)
    return tuple(_call(outer, t, v, d) for t, v, d in zip(targets, values, datas, strict=True))


def _demand_same_length(*lists: Sequence[object]) -> None:
    lengths = [len(items) for items in lists]
    if len(set(lengths)) > 1:
        raise DecodingError(f"its lists have different lengths {lengths}, which reverts")


def _with_operation(outer: Frame, args: Arguments, acts_as: str | None) -> Frame:
    """Safe's ``Enum.Operation``: 0 is a call, 1 a delegatecall, anything else reverts."""
    if args["operation"] == 0:
        return Frame(args["to"], args["value"], args["data"], caller=acts_as, other_chain=outer.other_chain)
    if args["operation"] == 1:
        return _delegatecall(outer, acts_as, args["to"], args["data"])
    raise DecodingError(f"operation {args['operation']} does not exist, which reverts")


def _safe(outer: Frame, args: Arguments) -> Content:
    note = ""
    if args["safeTxGas"] or args["gasPrice"]:
        note = "the Safe pays a refund for gas, or goes on when the call inside fails (safeTxGas or gasPrice is set)"
    return Content((_with_operation(outer, args, outer.acts_as),), note)


def _module(outer: Frame, args: Arguments) -> Content:
    note = "the Safe goes on when the call inside fails: it only returns false"
    return Content((_with_operation(outer, args, outer.acts_as),), note)


def _zodiac_role(outer: Frame, args: Arguments) -> Content:
    note = "a Zodiac modifier: the account behind it (its target) makes the call inside, if the role allows it"
    return Content((_with_operation(outer, args, outer.acts_as),), note)


def _safe_setup(outer: Frame, args: Arguments) -> Content:
    if args["to"] == ZERO_ADDRESS:
        return Content(())
    return Content((_delegatecall(outer, outer.acts_as, args["to"], args["data"]),))


def _multi_send(outer: Frame, args: Arguments) -> Content:
    """Packed: operation (1 byte), to (20), value (32), length (32), data; one after another."""
    packed: bytes = args["transactions"]
    frames: list[Frame] = []
    at = 0
    while at < len(packed):
        header, at = packed[at : at + 85], at + 85
        length = int.from_bytes(header[53:], "big")
        if len(header) < 85 or at + length > len(packed):
            raise DecodingError(f"its packed transaction {len(frames)} does not end where its bytes end")
        fields = {
            "operation": header[0],
            "to": to_checksum_address(header[1:21]),
            "value": int.from_bytes(header[21:53], "big"),
            "data": packed[at : at + length],
        }
        frames.append(_with_operation(outer, fields, outer.acts_as))
        at += length
    return Content(tuple(frames))


def _timelock_schedule(outer: Frame, args: Arguments) -> Content:
    frame = _call(outer, args["target"], args["value"], args["data"])
    return Content((frame,), _delayed(args))


def _timelock_schedule_batch(outer: Frame, args: Arguments) -> Content:
    return Content(_batch(outer, args, "payloads"), _delayed(args))


def _delayed(args: Arguments) -> str:
    return f"only schedules: what is inside can run after {args['delay']} seconds"


def _timelock_execute_batch(outer: Frame, args: Arguments) -> Content:
    return Content(_batch(outer, args, "payloads"))


def _governor_propose(outer: Frame, args: Arguments) -> Content:
    note = "opens another proposal: what is inside runs only if that one passes, from that governor's executor"
    return Content(_batch(outer, args, "calldatas"), note)


def _governor_act(outer: Frame, args: Arguments) -> Content:
    note = "acts on another proposal: what is inside runs from that governor's executor"
    return Content(_batch(outer, args, "calldatas"), note)


def _bravo_propose(outer: Frame, args: Arguments) -> Content:
    _demand_same_length(args["targets"], args["values"], args["signatures"], args["calldatas"])
    datas = [compound_calldata(_text(s), d) for s, d in zip(args["signatures"], args["calldatas"], strict=True)]
    return _governor_propose(outer, {**args, "calldatas": datas})


def _compound_timelock(outer: Frame, args: Arguments) -> Content:
    data = compound_calldata(_text(args["signature"]), args["data"])
    return Content((_call(outer, args["target"], args["value"], data),), f"not before the time {args['eta']}")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise DecodingError("a function signature inside is not UTF-8") from None


def _upgrade_and_call(outer: Frame, args: Arguments) -> Content:
    """EIP-1967: the proxy delegatecalls its new implementation; with empty data only the implementation changes."""
    if not args["data"]:
        return Content(())
    proxy = args.get("proxy", outer.acts_as)
    return Content(
        (_delegatecall(outer, proxy, args.get("newImplementation") or args["implementation"], args["data"]),)
    )


def _diamond_cut(outer: Frame, args: Arguments) -> Content:
    """EIP-2535: after the cut the diamond delegatecalls `init`, unless it is zero."""
    if args["init"] == ZERO_ADDRESS:
        return Content(())
    return Content((_delegatecall(outer, outer.acts_as, args["init"], args["data"]),))


def _multicall(outer: Frame, args: Arguments) -> Content:
    """The contract calls itself by delegatecall, so each call looks as if made directly."""
    inner = [Frame(outer.target, 0, d, outer.caller, outer.delegatecall, outer.other_chain) for d in args["data"]]
    return Content(tuple(inner))


def _ens_register(outer: Frame, args: Arguments) -> Content:
    """An ENS registrar controller sets the records of the new name in its resolver."""
    return Content(tuple(_call(outer, args["resolver"], 0, data) for data in args["data"]))


def _ens_register_struct(outer: Frame, args: Arguments) -> Content:
    _, _, _, _, resolver, data, _, _ = args["registration"]
    return _ens_register(outer, {"resolver": resolver, "data": data})


def _execute_either(outer: Frame, args: Arguments) -> Content:
    """``execute(address,bytes)`` means two things; the stronger one is shown."""
    note = "an Arbitrum UpgradeExecutor delegatecalls what is inside, an OpenZeppelin AccessManager only calls it"
    return Content((_delegatecall(outer, outer.acts_as, args["target"], args["data"]),), note)


def _aragon_dao(outer: Frame, args: Arguments) -> Content:
    note = "some actions may fail without reverting the others" if args["allowFailureMap"] else ""
    return Content(tuple(_call(outer, *action) for action in args["actions"]), note)


def _message(chain: str, target: str, data: str, value: str | None = None) -> Wrapper:
    """A message to another chain. `value` names the argument with the wei that arrive; None for the call's own."""

    def unwrap(outer: Frame, args: Arguments) -> Content:
        amount = outer.value_wei if value is None else args[value]
        inner = Frame(args[target], amount, args[data], other_chain=True)
        return Content((inner,), f"a message to {chain}: what is inside runs there, in the name of this call's sender")

    return unwrap


def _remark(note: str) -> Wrapper:
    """Carries nothing, but a reader must know something about it."""
    return lambda _outer, _args: Content((), note)


def _op_deposit(outer: Frame, args: Arguments) -> Content:
    if args["isCreation"]:
        return Content((), "creates a contract on the OP stack chain: its code is not decoded")
    return _message("an OP stack chain", "to", "data", "value")(outer, args)


_EXECUTE_TRANSACTION = "address,uint256,bytes,uint8"
_ARRAYS = "address[],uint256[],bytes[]"
_RETRYABLE = "address,uint256,uint256,address,address,uint256,uint256,bytes"

_OR_TOKEN_ID = _remark("an ERC-721 contract takes the amount as a token id")

WRAPPERS: Mapping[str, Wrapper] = {
    # Tokens
    "approve(address,uint256)": _OR_TOKEN_ID,
    "transferFrom(address,address,uint256)": _OR_TOKEN_ID,
    # OpenZeppelin Governor, TimelockController, AccessManager
    "relay(address,uint256,bytes)": _single("target", "data", "value"),
    f"propose({_ARRAYS},string)": _governor_propose,
    f"queue({_ARRAYS},bytes32)": _governor_act,
    f"execute({_ARRAYS},bytes32)": _governor_act,
    "schedule(address,uint256,bytes,bytes32,bytes32,uint256)": _timelock_schedule,
    f"scheduleBatch({_ARRAYS},bytes32,bytes32,uint256)": _timelock_schedule_batch,
    "execute(address,uint256,bytes,bytes32,bytes32)": _single("target", "payload", "value"),
    f"executeBatch({_ARRAYS},bytes32,bytes32)": _timelock_execute_batch,
    "schedule(address,bytes,uint48)": _single("target", "data"),
    "execute(address,bytes)": _execute_either,
    "executeCall(address,bytes)": _single("target", "targetCallData"),
    # Proxies and the like
    "upgradeToAndCall(address,bytes)": _upgrade_and_call,
    "upgradeAndCall(address,address,bytes)": _upgrade_and_call,
    "diamondCut((address,uint8,bytes4[])[],address,bytes)": _diamond_cut,
    "multicall(bytes[])": _multicall,
    "multicallWithNodeCheck(bytes32,bytes[])": _multicall,
    # ENS
    "register(string,address,uint256,bytes32,address,bytes[],bool,uint16)": _ens_register,
    "register((string,address,uint256,bytes32,address,bytes[],uint8,bytes32))": _ens_register_struct,
    # Safe, MultiSend, Zodiac
    f"execTransaction({_EXECUTE_TRANSACTION},uint256,uint256,uint256,address,address,bytes)": _safe,
    f"execTransactionFromModule({_EXECUTE_TRANSACTION})": _module,
    f"execTransactionFromModuleReturnData({_EXECUTE_TRANSACTION})": _module,
    f"execTransactionWithRole({_EXECUTE_TRANSACTION},bytes32,bool)": _zodiac_role,
    f"execTransactionWithRoleReturnData({_EXECUTE_TRANSACTION},bytes32,bool)": _zodiac_role,
    "multiSend(bytes)": _multi_send,
    "setup(address[],uint256,address,bytes,address,address,uint256,address)": _safe_setup,
    # Compound
    "propose(address[],uint256[],string[],bytes[],string)": _bravo_propose,
    "queueTransaction(address,uint256,string,bytes,uint256)": _compound_timelock,
    "executeTransaction(address,uint256,string,bytes,uint256)": _compound_timelock,
    # Aragon
    "execute(address,uint256,bytes)": _single("target", "data", "value"),
    "execute(bytes32,(address,uint256,bytes)[],uint256)": _aragon_dao,
    # Other chains
    "sendTxToL1(address,bytes)": _message("L1 (Ethereum for Arbitrum One)", "destination", "data"),
    f"createRetryableTicket({_RETRYABLE})": _message("an Arbitrum chain", "to", "data", "l2CallValue"),
    f"unsafeCreateRetryableTicket({_RETRYABLE})": _message("an Arbitrum chain", "to", "data", "l2CallValue"),
    "sendMessage(address,bytes,uint32)": _message("the other side of an OP stack bridge", "target", "message"),
    "depositTransaction(address,uint256,uint64,bool,bytes)": _op_deposit,
}
