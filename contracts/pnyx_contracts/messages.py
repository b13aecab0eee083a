"""Calls that send messages to other chains: what runs there, on which chain, by whom.

Where the bridge calls the target with the very bytes of the message, those are calldata and decoded like any other.
Where the receiver reads them in a way of its own (Polygon's FxPortal, LayerZero, Wormhole, Axelar, CCIP, Hyperlane,
ERC-7786), they are a payload: no calldata, and never named as a call. A payload that is, byte for byte, what a
well-known bridge executor takes shows the calls that such an executor would make; that the receiver is one, nothing
here proves, so the message itself stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from eth_utils.address import is_hex_address, to_checksum_address

from pnyx_contracts import chains
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.executions import execution
from pnyx_contracts.frames import Arguments, Content, Frame, Wrapper, batch, signed, text_of
from pnyx_contracts.strict_abi import Tuple, parse_parameters
from pnyx_contracts.types import ZERO_ADDRESS

_Where = Callable[[Frame, Arguments], "tuple[int | None, str]"]
"""The chain that a message goes to, if it is known, and in words."""


def _bridge(family: str) -> _Where:
    """The contract that takes the message tells the chain."""
    return lambda outer, _args: _beyond(outer.chain_id, outer.target, family)


def _beyond(chain_id: int | None, bridge: str, family: str) -> tuple[int | None, str]:
    found = None if chain_id is None else chains.BRIDGES.get((chain_id, bridge))
    return found, family if found is None else chains.in_words(found)


def _chain_id(argument: str) -> _Where:
    """The call names the chain itself."""

    def where(_outer: Frame, args: Arguments) -> tuple[int | None, str]:
        chain_id: int = args[argument]
        if not 0 < chain_id <= chains.LARGEST_ID:
            raise DecodingError(f"no chain has the id {chain_id}")
        return chain_id, chains.in_words(chain_id)

    return where


def _numbered(argument: str, called: str, table: Mapping[int, int]) -> _Where:
    """The protocol has a number of its own for each chain."""

    def where(_outer: Frame, args: Arguments) -> tuple[int | None, str]:
        found = table.get(args[argument])
        words = chains.in_words(found) if found is not None else "a chain that we do not know"
        return found, f"{words}, {called} {args[argument]}"

    return where


def _axelar_chain(_outer: Frame, args: Arguments) -> tuple[int | None, str]:
    name = text_of(args["destinationChain"])
    found = chains.AXELAR.get(name.lower())
    return found, chains.in_words(found) if found is not None else "a chain that we do not know"


# --- messages that are calls -----------------------------------------------------------------------------------------


def _message(where: _Where, target: str, data: str, value: str | None = None, *, aliased: bool = False) -> Wrapper:
    """The bridge calls there. `value` names the argument with the wei that arrive; None for the call's own. `aliased`:
    the sender has another address there, see `alias`.
    """

    def unwrap(outer: Frame, args: Arguments) -> Content:
        chain_id, words = where(outer, args)
        amount = outer.value_wei if value is None else args[value]
        caller = alias(outer.caller) if aliased and outer.caller and not outer.delegatecall else None
        inner = Frame(args[target], amount, args[data], caller, other_chain=True, chain_id=chain_id)
        return Content((inner,), _note(words, aliased=aliased))

    return unwrap


def _note(words: str, *, aliased: bool = False) -> str:
    name = "in the name of this call's sender"
    shifted = f", whose address there is shifted by 0x{chains.ALIAS_OFFSET:040x}" if aliased else ""
    return f"a message to {words}: what is inside runs there, {name}{shifted}"


def alias(address: str) -> str:
    """What a contract's address becomes as the sender of a message from L1 (Arbitrum, OP stack, ZKsync)."""
    return to_checksum_address(((int(address, 16) + chains.ALIAS_OFFSET) % 2**160).to_bytes(20, "big"))


_RETRYABLE = _message(_bridge("an Arbitrum chain"), "to", "data", "l2CallValue", aliased=True)
_DEPOSIT = _message(_bridge("an OP stack chain"), "to", "data", "value", aliased=True)


def _retryable(outer: Frame, args: Arguments) -> Content:
    if args["to"] == ZERO_ADDRESS:
        raise DecodingError("it creates a contract on the other chain, whose code is not read")
    return _RETRYABLE(outer, args)


def _op_deposit(outer: Frame, args: Arguments) -> Content:
    if args["isCreation"]:
        raise DecodingError("it creates a contract on the OP stack chain, whose code is not read")
    return _DEPOSIT(outer, args)


def _linea(outer: Frame, args: Arguments) -> Content:
    """The fee is part of the value that is sent along."""
    if args["fee"] > outer.value_wei:
        raise DecodingError("its fee is more than the value that is sent along, which reverts")
    inner = {**args, "value": outer.value_wei - args["fee"]}
    return _message(_bridge("the other side of Linea's bridge"), "to", "calldata_", "value")(outer, inner)


def _zksync_direct(outer: Frame, args: Arguments) -> Content:
    chain_id, _, target, value, data, *_ = args["request"]
    inner = {"chainId": chain_id, "to": target, "value": value, "data": data}
    return _message(_chain_id("chainId"), "to", "data", "value", aliased=True)(outer, inner)


RETRYABLE_MAGIC = "0xa723C008e76E379c55599D2E4d93879BeaFDa79C"
"""An L1ArbitrumTimelock that should call this address creates a retryable ticket from the bytes instead."""
_MAGIC = Tuple(
    parse_parameters(
        "(address inbox, address target, uint256 value, uint256 gasLimit, uint256 maxFeePerGas, bytes data)"
    )
)


def arbitrum_ticket(timelock: Frame, data: bytes) -> Frame:
    """The call on the Arbitrum chain that the timelock's magic call becomes. Raises `DecodingError`."""
    (inbox, target, value, _, _, calldata), end = _MAGIC.decode(data, 0)
    if end != len(data):
        raise DecodingError("bytes follow the retryable ticket that it holds")
    chain_id, words = _beyond(timelock.chain_id, inbox, "an Arbitrum chain")
    caller = alias(timelock.target)
    note = f"not called here: the timelock sends a retryable ticket to {words} by the inbox {inbox}"
    return Frame(target, value, calldata, caller, other_chain=True, chain_id=chain_id, note=note)


def _uniswap_wormhole(outer: Frame, args: Arguments) -> Content:
    chain_id, words = _numbered("receiverChainId", "Wormhole chain", chains.WORMHOLE)(outer, args)
    receiver = Frame(args["messageReceiver"], 0, b"", other_chain=True, chain_id=chain_id)
    frames = batch(receiver, args["targets"], args["values"], args["datas"])
    return Content(frames, f"a message to {words}: what is inside runs there, called by its receiver")


# --- messages that their receivers read ------------------------------------------------------------------------------


def _payload(where: _Where, receiver: Callable[[Arguments], str], data: str, value: str = "") -> Wrapper:
    def unwrap(outer: Frame, args: Arguments) -> Content:
        chain_id, words = where(outer, args)
        amount = args[value] if value else 0
        inner = Frame(receiver(args), amount, args[data], other_chain=True, chain_id=chain_id, is_payload=True)
        return Content((inner,), f"a message to {words}: its receiver there decides what it means")

    return unwrap


def _plain(argument: str) -> Callable[[Arguments], str]:
    return lambda args: str(args[argument])


def _word(argument: str) -> Callable[[Arguments], str]:
    """An address in 32 bytes."""
    return lambda args: _address(args[argument])


def _address(word: bytes) -> str:
    if len(word) != 32 or any(word[:12]):
        raise DecodingError(f"its receiver 0x{word.hex()[:64]} is no address in 32 bytes")
    return to_checksum_address(word[12:])


def _axelar_receiver(args: Arguments) -> str:
    text = text_of(args["contractAddress"])
    if not is_hex_address(text):
        raise DecodingError("its receiver is no address of the EVM")
    return to_checksum_address(text)


def _layerzero(outer: Frame, args: Arguments) -> Content:
    eid, receiver, message, _, _ = args["params"]
    inner = {"eid": eid, "receiver": receiver, "message": message}
    where = _numbered("eid", "LayerZero endpoint", chains.LAYERZERO)
    return _payload(where, _word("receiver"), "message")(outer, inner)


def _ccip(outer: Frame, args: Arguments) -> Content:
    receiver, data, tokens, _, _ = args["message"]
    inner = {"selector": args["destinationChainSelector"], "receiver": receiver, "data": data}
    content = _payload(_numbered("selector", "CCIP selector", chains.CCIP), _word("receiver"), "data")(outer, inner)
    along = f"; amounts of tokens that go with it: {len(tokens)}" if tokens else ""
    return Content(content.frames, content.note + along)


def _publish(outer: Frame, args: Arguments) -> Content:
    """Wormhole's core: the payload names its receiver, or nobody does."""
    payload = Frame(outer.target, 0, args["payload"], other_chain=True, is_payload=True)
    content = read_payload(payload)
    first = content.frames[0] if content is not None and content.frames else payload
    if first.caller in {None, outer.target}:
        raise DecodingError("its payload names no receiver that we can read")
    inner = replace(payload, target=first.caller, chain_id=first.chain_id)
    return Content((inner,), "a message by Wormhole: its receiver there decides what it means")


def _relay(_outer: Frame, args: Arguments) -> Content:
    """OpenZeppelin's GovernorCrosschain: its gateway takes the mode and the execution as one payload."""
    return _to_interoperable(args["executor"], args["mode"] + args["executionCalldata"])


def _erc7786(_outer: Frame, args: Arguments) -> Content:
    return _to_interoperable(args["recipient"], args["payload"])


def _to_interoperable(recipient: bytes, payload: bytes) -> Content:
    chain_id, receiver = _interoperable(recipient)
    words = chains.in_words(chain_id) if chain_id is not None else "a chain that it does not name"
    inner = Frame(receiver, 0, payload, other_chain=True, chain_id=chain_id, is_payload=True)
    return Content((inner,), f"a message to {words}: its receiver there decides what it means")


def _interoperable(raw: bytes) -> tuple[int | None, str]:
    """Chain and account of an ERC-7930 address, version 1, of the EVM. Raises `DecodingError`."""
    size = raw[4] if len(raw) > 4 else 0
    reference, account = raw[5 : 5 + size], raw[6 + size :]
    chain_id = int.from_bytes(reference, "big")
    is_plain = raw[:4] == bytes((0, 1, 0, 0)) and raw[5 + size : 6 + size] == bytes((20,)) and len(account) == 20
    if not is_plain or reference[:1] == b"\0" or chain_id > chains.LARGEST_ID:
        raise DecodingError("its receiver is no account of the EVM in an interoperable address (ERC-7930)")
    return chain_id or None, to_checksum_address(account)


# --- what well-known receivers take ----------------------------------------------------------------------------------


def _of_compound(frame: Frame, args: Arguments) -> tuple[Frame, ...]:
    return batch(frame, args["targets"], args["values"], signed(args["signatures"], args["calldatas"]))


def _of_aave(frame: Frame, args: Arguments) -> tuple[Frame, ...]:
    datas = signed(args["signatures"], args["calldatas"])
    return batch(frame, args["targets"], args["values"], datas, args["withDelegatecalls"])


def _of_uniswap(frame: Frame, args: Arguments) -> tuple[Frame, ...]:
    return batch(frame, args["targets"], args["values"], args["datas"])


def _of_wormhole(frame: Frame, args: Arguments) -> tuple[Frame, ...]:
    chain_id = chains.WORMHOLE.get(args["receiverChainId"])
    receiver = Frame(args["messageReceiver"], 0, b"", other_chain=True, chain_id=chain_id or frame.chain_id)
    return _of_uniswap(receiver, args)


_SIGNED = "address[] targets, uint256[] values, string[] signatures, bytes[] calldatas"
_UNISWAP = "address[] targets, uint256[] values, bytes[] datas, address messageReceiver, uint16 receiverChainId"
_READINGS: tuple[tuple[str, Tuple, Callable[[Frame, Arguments], tuple[Frame, ...]]], ...] = tuple(
    (whose, Tuple(parse_parameters(f"({parameters})")), read)
    for whose, parameters, read in (
        ("a Compound bridge receiver", _SIGNED, _of_compound),
        ("an Aave bridge executor", f"{_SIGNED}, bool[] withDelegatecalls", _of_aave),
        ("Uniswap's proxy on Polygon", "address[] targets, bytes[] datas, uint256[] values", _of_uniswap),
        ("a Uniswap Wormhole receiver", _UNISWAP, _of_wormhole),
        ("a Uniswap Wormhole receiver", f"bytes32 version, {_UNISWAP}", _of_wormhole),
    )
)


def read_payload(frame: Frame) -> Content | None:
    """The calls that the one well-known receiver which takes exactly these bytes would make; None where none does."""
    found = tuple(_fitting(frame))
    return found[0] if len(found) == 1 else None


def _fitting(frame: Frame) -> Iterator[Content]:
    for whose, kinds, read in _READINGS:
        try:
            values, end = kinds.decode(frame.calldata, 0)
            if end == len(frame.calldata):
                args = {p.name: v for p, v in zip(kinds.fields, values, strict=True)}
                yield Content(read(frame, args), _would_do(whose))
        except DecodingError:
            continue
    try:
        content = execution(
            replace(frame, is_payload=False), frame.calldata[:32].ljust(32, b"\xff"), frame.calldata[32:]
        )
        yield Content(content.frames, "; ".join(filter(None, (_would_do("a CrosschainRemoteExecutor"), content.note))))
    except DecodingError:
        return


def _would_do(whose: str) -> str:
    return f"shown is what {whose} would do; nothing proves that this is one"


TICKET = "address,uint256,uint256,address,address,uint256,uint256,bytes"
_OP = _bridge("the other side of an OP stack bridge")
_SCROLL = _message(_bridge("the other side of Scroll's bridge"), "target", "message", "value")
_ARBITRUM = _bridge("an Arbitrum chain")
_ZKSYNC = _bridge("a ZKsync chain")
_WORMHOLE = _numbered("targetChain", "Wormhole chain", chains.WORMHOLE)
_RELAYED = _payload(_WORMHOLE, _plain("targetAddress"), "payload", "receiverValue")
_ACROSS_GNOSIS = _message(_bridge("the other side of an arbitrary message bridge"), "target", "data", "nothing")


def _gnosis(outer: Frame, args: Arguments) -> Content:
    return _ACROSS_GNOSIS(outer, {**args, "nothing": 0})


def _domain(_outer: Frame, args: Arguments) -> tuple[int | None, str]:
    return None, f"Hyperlane's domain {args['destinationDomain']}"


MESSAGES: Mapping[str, Wrapper] = {
    # Arbitrum
    "sendTxToL1(address,bytes)": _message(_bridge("L1 (Ethereum for Arbitrum One)"), "destination", "data"),
    f"createRetryableTicket({TICKET})": _retryable,
    f"unsafeCreateRetryableTicket({TICKET})": _retryable,
    "sendContractTransaction(uint256,uint256,address,uint256,bytes)": _message(
        _ARBITRUM, "to", "data", "value", aliased=True
    ),
    "sendUnsignedTransaction(uint256,uint256,uint256,address,uint256,bytes)": _message(
        _ARBITRUM, "to", "data", "value", aliased=True
    ),
    # OP stack
    "sendMessage(address,bytes,uint32)": _message(_OP, "target", "message"),
    "depositTransaction(address,uint256,uint64,bool,bytes)": _op_deposit,
    "initiateWithdrawal(address,uint256,bytes)": _message(_OP, "target", "data"),
    # ZKsync, Scroll, Linea, Gnosis
    "requestL2Transaction(address,uint256,bytes,uint256,uint256,bytes[],address)": _message(
        _ZKSYNC, "contractL2", "calldata_", "l2Value", aliased=True
    ),
    "requestL2TransactionDirect((uint256,uint256,address,uint256,bytes,uint256,uint256,bytes[],address))": (
        _zksync_direct
    ),
    "sendMessage(address,uint256,bytes,uint256)": _SCROLL,
    "sendMessage(address,uint256,bytes,uint256,address)": _SCROLL,
    "sendMessage(address,uint256,bytes)": _linea,
    "requireToPassMessage(address,bytes,uint256)": _gnosis,
    # Payloads
    "sendMessageToChild(address,bytes)": _payload(_bridge("a Polygon chain"), _plain("receiver"), "data"),
    "forwardMessage(uint256,address,uint256,bytes)": _payload(
        _chain_id("destinationChainId"), _plain("destination"), "message"
    ),
    "send((uint32,bytes32,bytes,bytes,bool),address)": _layerzero,
    "relayCrosschain(address,bytes,bytes32,bytes)": _relay,
    "sendMessage(bytes,bytes,bytes[])": _erc7786,
    "callContract(string,string,bytes)": _payload(_axelar_chain, _axelar_receiver, "payload"),
    "ccipSend(uint64,(bytes,bytes,(address,uint256)[],address,bytes))": _ccip,
    "dispatch(uint32,bytes32,bytes)": _payload(_domain, _word("recipientAddress"), "messageBody"),
    "sendPayloadToEvm(uint16,address,bytes,uint256,uint256)": _RELAYED,
    "sendPayloadToEvm(uint16,address,bytes,uint256,uint256,uint16,address)": _RELAYED,
    "publishMessage(uint32,bytes,uint8)": _publish,
    "sendMessage(address[],uint256[],bytes[],address,uint16)": _uniswap_wormhole,
}
"""By canonical signature, like `wrappers.WRAPPERS`."""
