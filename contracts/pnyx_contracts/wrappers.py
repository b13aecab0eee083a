"""Calls that carry other calls: what runs inside, who makes it, with whose storage.

One small function per kind of wrapper, keyed by canonical signature. Each takes the wrapper call and its decoded
arguments and returns what is inside; it raises `DecodingError` when the content is malformed, and then the wrapper
itself counts as not decoded. Nothing here reads state, so where the real caller depends on state the note says so.
Messages to other chains are in `messages`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from eth_utils.address import to_checksum_address

from pnyx_contracts.errors import DecodingError
from pnyx_contracts.executions import execution
from pnyx_contracts.frames import (
    Arguments,
    Content,
    Frame,
    Wrapper,
    batch,
    compound_calldata,
    demand_same_length,
    signed,
    text_of,
)
from pnyx_contracts.messages import MESSAGES, RETRYABLE_MAGIC, arbitrum_ticket
from pnyx_contracts.types import ZERO_ADDRESS


def _single(target: str, data: str, value: str = "") -> Wrapper:
    """A wrapper whose arguments named so are one call, made by the wrapper contract."""

    def unwrap(outer: Frame, args: Arguments) -> Content:
        return Content((outer.call(args[target], args[value] if value else 0, args[data]),))

    return unwrap


def _batch(outer: Frame, args: Arguments, data: str) -> tuple[Frame, ...]:
    return batch(outer, args["targets"], args["values"], args[data])


def _with_operation(outer: Frame, args: Arguments, acts_as: str | None) -> Frame:
    """Safe's ``Enum.Operation``: 0 is a call, 1 a delegatecall, anything else reverts."""
    if args["operation"] == 0:
        return outer.call(args["to"], args["value"], args["data"], acts_as)
    if args["operation"] == 1:
        return outer.delegatecall_to(args["to"], args["data"], acts_as)
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
    return Content((outer.delegatecall_to(args["to"], args["data"], outer.acts_as),))


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
    frame = outer.call(args["target"], args["value"], args["data"])
    return Content((_by_timelock(outer, frame),), _delayed(args))


def _timelock_schedule_batch(outer: Frame, args: Arguments) -> Content:
    return Content(_timelock_execute_batch(outer, args).frames, _delayed(args))


def _timelock_execute(outer: Frame, args: Arguments) -> Content:
    return Content((_by_timelock(outer, outer.call(args["target"], args["value"], args["payload"])),))


def _by_timelock(outer: Frame, frame: Frame) -> Frame:
    """Arbitrum's timelock on L1 sends a message instead of one call."""
    return arbitrum_ticket(outer, frame.calldata) if frame.target == RETRYABLE_MAGIC else frame


def _delayed(args: Arguments) -> str:
    return f"only schedules: what is inside can run after {args['delay']} seconds"


def _timelock_execute_batch(outer: Frame, args: Arguments) -> Content:
    return Content(tuple(_by_timelock(outer, frame) for frame in _batch(outer, args, "payloads")))


def _governor_propose(outer: Frame, args: Arguments) -> Content:
    note = "opens another proposal: what is inside runs only if that one passes, from that governor's executor"
    return Content(_batch(outer, args, "calldatas"), note)


def _governor_act(outer: Frame, args: Arguments) -> Content:
    note = "acts on another proposal: what is inside runs from that governor's executor"
    return Content(_batch(outer, args, "calldatas"), note)


def _bravo_propose(outer: Frame, args: Arguments) -> Content:
    return _governor_propose(outer, {**args, "calldatas": signed(args["signatures"], args["calldatas"])})


def _compound_timelock(outer: Frame, args: Arguments) -> Content:
    """Compound's, and Aave's, whose calls can be delegatecalls."""
    data = compound_calldata(text_of(args["signature"]), args["data"])
    note = f"not before the time {args['eta']}" if "eta" in args else ""
    flags = [args.get("withDelegatecall", False)]
    return Content(batch(outer, [args["target"]], [args["value"]], [data], flags), note)


def _aave_executor(outer: Frame, args: Arguments) -> Content:
    datas = signed(args["signatures"], args["calldatas"])
    frames = batch(outer, args["targets"], args["values"], datas, args["withDelegatecalls"])
    return Content(frames, "an Aave bridge executor queues this: it can run after the executor's delay")


def _upgrade_and_call(outer: Frame, args: Arguments) -> Content:
    """EIP-1967: the proxy delegatecalls its new implementation; with empty data only the implementation changes."""
    if not args["data"]:
        return Content(())
    proxy = args.get("proxy", outer.acts_as)
    code = args.get("newImplementation") or args["implementation"]
    return Content((outer.delegatecall_to(code, args["data"], proxy),))


def _diamond_cut(outer: Frame, args: Arguments) -> Content:
    """EIP-2535: after the cut the diamond delegatecalls `init`, unless it is zero."""
    if args["init"] == ZERO_ADDRESS:
        return Content(())
    return Content((outer.delegatecall_to(args["init"], args["data"], outer.acts_as),))


def _multicall(outer: Frame, args: Arguments) -> Content:
    """The contract calls itself by delegatecall, so each call looks as if made directly."""
    return Content(tuple(replace(outer, value_wei=0, calldata=data, note="") for data in args["data"]))


def _ens_register(outer: Frame, args: Arguments) -> Content:
    """An ENS registrar controller sets the records of the new name in its resolver."""
    return Content(tuple(outer.call(args["resolver"], 0, data) for data in args["data"]))


def _ens_register_struct(outer: Frame, args: Arguments) -> Content:
    _, _, _, _, resolver, data, _, _ = args["registration"]
    return _ens_register(outer, {"resolver": resolver, "data": data})


def _execute_either(outer: Frame, args: Arguments) -> Content:
    """``execute(address,bytes)`` means two things; the stronger one is shown."""
    note = "an Arbitrum UpgradeExecutor delegatecalls what is inside, an OpenZeppelin AccessManager only calls it"
    return Content((outer.delegatecall_to(args["target"], args["data"], outer.acts_as),), note)


def _actions(name: str, note: str = "") -> Wrapper:
    """A list of (target, value, data) that the wrapper contract calls one after another."""
    return lambda outer, args: Content(tuple(outer.call(*action) for action in args[name]), note)


def _aragon_dao(outer: Frame, args: Arguments) -> Content:
    note = "some actions may fail without reverting the others" if args["allowFailureMap"] else ""
    return _actions("actions", note)(outer, args)


_SCRIPT_HEADER = (1).to_bytes(4, "big")


def _evm_script(argument: str, note: str) -> Wrapper:
    """Aragon's EVM script of spec id 1 (CallsScript): target (20 bytes), length (4), data; one after another."""

    def unwrap(outer: Frame, args: Arguments) -> Content:
        script: bytes = args[argument]
        if script[:4] != _SCRIPT_HEADER:
            raise DecodingError(f"its script is none of spec id 1, it begins with 0x{script[:4].hex()}")
        frames: list[Frame] = []
        at = 4
        while at < len(script):
            header, at = script[at : at + 24], at + 24
            length = int.from_bytes(header[20:], "big")
            if len(header) < 24 or at + length > len(script):
                raise DecodingError(f"call {len(frames)} of its script does not end where the script ends")
            frames.append(outer.call(to_checksum_address(header[:20]), 0, script[at : at + length]))
            at += length
        return Content(tuple(frames), note)

    return unwrap


def _multicall3(outer: Frame, args: Arguments) -> Content:
    """(target, may fail, value, data), where the middle two may be missing."""
    parts = [(call[0], call[2] if len(call) == 4 else 0, call[-1]) for call in args["calls"]]
    fails = any(call[1] is True for call in args["calls"]) or args.get("requireSuccess") is False
    note = "some calls inside may fail without reverting the others" if fails else ""
    return Content(tuple(outer.call(*part) for part in parts), note)


def _erc7579(outer: Frame, args: Arguments) -> Content:
    return execution(outer, args["mode"], args["executionCalldata"])


def _lists(target: str, data: str) -> Wrapper:
    """Calls without coin, in two lists."""
    return lambda outer, args: Content(batch(outer, args[target], [0] * len(args[target]), args[data]))


def _azorius(outer: Frame, args: Arguments) -> Content:
    note = "an Azorius module: the account behind it (its target) makes the calls inside"
    lists = [args[name] for name in ("targets", "values", "data", "operations")]
    demand_same_length(*lists)
    actions = (dict(zip(("to", "value", "data", "operation"), a, strict=True)) for a in zip(*lists, strict=True))
    return Content(tuple(_with_operation(outer, action, outer.acts_as) for action in actions), note)


def _remark(note: str) -> Wrapper:
    """Carries nothing, but a reader must know something about it."""
    return lambda _outer, _args: Content((), note)


_EXECUTE_TRANSACTION = "address,uint256,bytes,uint8"
_ARRAYS = "address[],uint256[],bytes[]"
_SIGNED = "address[],uint256[],string[],bytes[]"
_VOTE = "an Aragon app: an Agent makes the calls inside at once, a voting app opens a vote on them"
_NEW_VOTE = "opens a vote: the calls inside run only if it passes"
_SUBMITTED = "opens a proposal of a dual governance: the calls inside run only if it is not stopped"

MAY_COUNT_AN_NFT = "an ERC-721 contract takes the amount as a token id"
_OR_NFT = _remark(MAY_COUNT_AN_NFT)

WRAPPERS: Mapping[str, Wrapper] = {
    # Tokens
    "approve(address,uint256)": _OR_NFT,
    "transferFrom(address,address,uint256)": _OR_NFT,
    # OpenZeppelin Governor, TimelockController, AccessManager
    "relay(address,uint256,bytes)": _single("target", "data", "value"),
    f"propose({_ARRAYS},string)": _governor_propose,
    f"queue({_ARRAYS},bytes32)": _governor_act,
    f"execute({_ARRAYS},bytes32)": _governor_act,
    "schedule(address,uint256,bytes,bytes32,bytes32,uint256)": _timelock_schedule,
    f"scheduleBatch({_ARRAYS},bytes32,bytes32,uint256)": _timelock_schedule_batch,
    "execute(address,uint256,bytes,bytes32,bytes32)": _timelock_execute,
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
    f"execTransactionWithRole({_EXECUTE_TRANSACTION},uint16,bool)": _zodiac_role,
    f"execTransactionWithRoleReturnData({_EXECUTE_TRANSACTION},uint16,bool)": _zodiac_role,
    f"executeNextTx({_EXECUTE_TRANSACTION})": _zodiac_role,
    f"executeProposal(uint32,{_ARRAYS},uint8[])": _azorius,
    "multiSend(bytes)": _multi_send,
    "setup(address[],uint256,address,bytes,address,address,uint256,address)": _safe_setup,
    # Compound
    "propose(address[],uint256[],string[],bytes[],string)": _bravo_propose,
    "queueTransaction(address,uint256,string,bytes,uint256)": _compound_timelock,
    "executeTransaction(address,uint256,string,bytes,uint256)": _compound_timelock,
    # Aragon
    "execute(address,uint256,bytes)": _single("target", "data", "value"),
    "execute(bytes32,(address,uint256,bytes)[],uint256)": _aragon_dao,
    "forward(bytes)": _evm_script("evmScript", _VOTE),
    "newVote(bytes,string)": _evm_script("executionScript", _NEW_VOTE),
    "newVote(bytes,string,bool,bool)": _evm_script("executionScript", _NEW_VOTE),
    "safeExecute(address,bytes)": _single("target", "data"),
    "submitProposal((address,uint96,bytes)[],string)": _actions("calls", _SUBMITTED),
    # Aave
    "queueTransaction(address,uint256,string,bytes,uint256,bool)": _compound_timelock,
    "executeTransaction(address,uint256,string,bytes,uint256,bool)": _compound_timelock,
    "executeTransaction(address,uint256,string,bytes,bool)": _compound_timelock,
    f"queue({_SIGNED},bool[])": _aave_executor,
    # Many calls at once, accounts
    "aggregate((address,bytes)[])": _multicall3,
    "blockAndAggregate((address,bytes)[])": _multicall3,
    "tryAggregate(bool,(address,bytes)[])": _multicall3,
    "tryBlockAndAggregate(bool,(address,bytes)[])": _multicall3,
    "aggregate3((address,bool,bytes)[])": _multicall3,
    "aggregate3Value((address,bool,uint256,bytes)[])": _multicall3,
    "multicall(uint256,bytes[])": _multicall,
    "multicall(bytes32,bytes[])": _multicall,
    "executeBatch((address,uint256,bytes)[])": _actions("calls"),
    "executeBatch(address[],bytes[])": _lists("dest", "func"),
    "execute(bytes32,bytes)": _erc7579,
    "executeFromExecutor(bytes32,bytes)": _erc7579,
    f"executeBatch({_ARRAYS})": lambda outer, args: Content(_batch(outer, args, "datas")),
    # On a chain that got a message
    "forward(address,bytes)": _single("target", "data"),
    **MESSAGES,
}
