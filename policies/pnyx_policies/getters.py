"""Functions that tell something and change nothing: those that we can name, and what they answer in words."""

from __future__ import annotations

from functools import cache
from typing import Final

from eth_utils.address import to_checksum_address

from pnyx_contracts.selectors import selector_of
from pnyx_contracts.types import to_hex
from pnyx_policies.probes import WORD_BYTES
from pnyx_policies.text import quote

OF_THE_CODE: Final = frozenset(
    {
        "DOMAIN_SEPARATOR()", "REVISION()", "UPGRADE_INTERFACE_VERSION()", "VERSION()", "comptrollerImplementation()",
        "contractVersion()", "eip712Domain()", "getImplementation()", "getRevision()", "getVersion()",
        "implementation()", "masterCopy()", "proxiableUUID()", "typeAndVersion()", "version()",
    }
)  # fmt: skip
"""They tell which code this is, or what follows from that: another answer is what an upgrade is for."""

SIGNATURES: Final = (
    # tokens
    "name()", "symbol()", "decimals()", "totalSupply()", "balanceOf(address)", "nonces(address)", "cap()", "asset()",
    "totalAssets()", "underlying()", "exchangeRateStored()", "totalBorrows()", "totalReserves()", "delegates(address)",
    "getVotes(address)", "getCurrentVotes(address)", "baseURI()", "maxSupply()",
    # who is in charge
    "owner()", "pendingOwner()", "admin()", "pendingAdmin()", "governance()", "governor()", "gov()", "guardian()",
    "manager()", "minter()", "operator()", "keeper()", "treasury()", "vault()", "timelock()", "controller()",
    "comptroller()", "registry()", "factory()", "router()", "token()", "oracle()", "priceOracle()", "feeRecipient()",
    "feeTo()", "beneficiary()", "authority()", "defaultAdmin()", "vetoer()", "beacon()",
    # settings
    "paused()", "fee()", "feeBps()", "maxFee()", "delay()", "getMinDelay()", "votingDelay()", "votingPeriod()",
    "proposalThreshold()", "quorumVotes()", "quorumNumerator()", "proposalCount()", "reserveFactorMantissa()",
    "interestRateModel()", "rewardRate()", "rewardToken()", "stakingToken()", "startTime()", "endTime()",
    "claimable(address)", "earned(address)",
)  # fmt: skip

_LARGEST_NUMBER: Final = 2**128
"""Amounts are smaller; addresses are larger, and shorter than 2**160."""


@cache
def getters() -> dict[bytes, str]:
    """By selector."""
    return {selector_of(signature): signature for signature in SIGNATURES}


def getter_name(selector: bytes) -> str:
    return getters().get(selector, to_hex(selector))


def is_address(answer: bytes) -> bool:
    return len(answer) == WORD_BYTES and _LARGEST_NUMBER <= int.from_bytes(answer, "big") < 2**160


def is_number(answer: bytes) -> bool:
    """Zero is anything."""
    return len(answer) == WORD_BYTES and 0 < int.from_bytes(answer, "big") < _LARGEST_NUMBER


def in_words(answer: bytes) -> str:
    """An answer as people read it."""
    if is_address(answer):
        return str(to_checksum_address(answer[-20:]))
    if len(answer) == WORD_BYTES and int.from_bytes(answer, "big") < _LARGEST_NUMBER:
        return f"{int.from_bytes(answer, 'big'):,}"
    text = _text(answer)
    return f'"{quote(text)}"' if text is not None else to_hex(answer[: 2 * WORD_BYTES])


def _text(answer: bytes) -> str | None:
    """What the ABI's encoding of one string says, None where it is none, or longer than what is there."""
    head, length = (int.from_bytes(answer[i : i + WORD_BYTES], "big") for i in (0, WORD_BYTES))
    content = answer[2 * WORD_BYTES :]
    if head != WORD_BYTES or length > len(content):
        return None
    try:
        return content[:length].decode()
    except UnicodeDecodeError:
        return None
