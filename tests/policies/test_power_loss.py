"""Power that is taken away or given up, and addresses that calls hand over: hidden, announced, known."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from tests.policies.safe_calls import safe_call

from pnyx_contracts.types import UINT256_MAX, ZERO_ADDRESS, Call
from pnyx_policies.checks import CheckView, PowerLoss, UnnamedAddress
from pnyx_policies.facts import Change
from pnyx_policies.finding import Finding, Severity
from pnyx_tools.testing.facts import (
    GOVERNOR,
    TIMELOCK,
    TOKEN,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

COUNCIL, MALLORY, VAULT, SAFE = map(address_of, ("council", "mallory", "vault", "safe"))
ROLE = bytes(32)
HARMLESS = "Improve our documentation and thank everybody who helped with it during this season."
MEDIUM, HIGH, CRITICAL = Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL
SENTINEL = "0x0000000000000000000000000000000000000001"


def found(check, text: str, *calls: Call, **facts) -> tuple[Finding, ...]:
    return check.run(CheckView(facts_for(proposal_of(calls, text), **facts)))


def worst(check, text: str, *calls: Call, **facts) -> Severity | None:
    return max((f.severity for f in found(check, text, *calls, **facts)), default=None)


# --- power-loss


@pytest.mark.parametrize(
    "call",
    [
        call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL),
        call_of(VAULT, "renounceOwnership()"),
        call_of(VAULT, "transferOwnership(address)", ZERO_ADDRESS),
        call_of(SAFE, "removeOwner(address,address,uint256)", SENTINEL, COUNCIL, 1),
        call_of(SAFE, "disableModule(address,address)", SENTINEL, COUNCIL),
        call_of(SAFE, "setGuard(address)", ZERO_ADDRESS),
        call_of(SAFE, "setController(address,bool)", COUNCIL, False),
    ],
)
def test_power_that_goes_without_a_word_is_critical(call):
    assert worst(PowerLoss(), HARMLESS, call) is CRITICAL
    assert worst(PowerLoss(), f"{HARMLESS} We remove old pages, too.", call) is CRITICAL


@pytest.mark.parametrize(
    ("call", "text", "severity"),
    [
        (call_of(VAULT, "renounceOwnership()"), "The DAO renounces the ownership of the vault for ever.", HIGH),
        (
            call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, GOVERNOR),
            "Revoke the proposer role of this governor: the DAO moves to another one.",
            HIGH,
        ),
        (
            call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL),
            f"Revoke the canceller role of the outgoing council {COUNCIL}.",
            MEDIUM,
        ),
        (
            call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL),
            "Revoke a role that is no longer used.",
            HIGH,
        ),
        (call_of(SAFE, "swapOwner(address,address,address)", SENTINEL, COUNCIL, MALLORY),
         f"Replace the signer {COUNCIL} by {MALLORY}.", MEDIUM),
    ],
)  # fmt: skip
def test_announced_losses_are_for_people_who_know_who_loses(call, text, severity):
    assert worst(PowerLoss(), text, call) is severity


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (call_of(VAULT, "renounceOwnership()"), "Housekeeping of ownership records."),
        (call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL), f"Thanks to our guardian {COUNCIL}."),
    ],
)
def test_a_word_for_the_seat_alone_is_for_people(call, text):
    (finding,) = found(PowerLoss(), text, call)
    assert finding.severity is HIGH
    assert finding.detail.endswith("the text speaks of such a seat, and not that it is taken away.")


@pytest.mark.parametrize(
    "says", ["no longer is", "ceases to be; the seat ends for", "loses the seat of", "was retired as"]
)
def test_people_say_it_in_many_words(says):
    call = call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL)
    assert worst(PowerLoss(), f"The council {COUNCIL} {says} a guardian.", call) is MEDIUM


def test_known_losers_need_no_address():
    call = call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL)
    assert worst(PowerLoss(), "Revoke the council's role.", call, known_addresses={COUNCIL: "council"}) is MEDIUM


def test_what_was_given_in_the_same_proposal_is_no_loss():
    """To register a name, a DAO makes itself a controller, and is none afterwards."""
    calls = [call_of(VAULT, "addController(address)", TIMELOCK), call_of(VAULT, "removeController(address)", TIMELOCK)]
    assert found(PowerLoss(), HARMLESS, *calls) == ()


def change(kind: str, contract: str, subject: str, detail: str) -> Change:
    return Change(kind=kind, contract=contract, subject=subject, detail=detail)


@pytest.mark.parametrize(
    "changes",
    [
        [
            change("admin-changed", VAULT, TIMELOCK, "is admin now"),
            change("admin-changed", VAULT, ZERO_ADDRESS, "may accept to be admin"),
        ],
        [change("admin-changed", VAULT, ZERO_ADDRESS, f"may accept to be admin, before: {TIMELOCK}")],
        [
            change("upgraded", VAULT, MALLORY, "runs this implementation now"),
            change("role-granted", VAULT, ZERO_ADDRESS, f"keeper() was {COUNCIL}"),
        ],
    ],
    ids=["an admin's seat is accepted", "an offer ends", "new code has no such seat"],
)
def test_offers_and_old_getters_are_no_losses(changes):
    accept = call_of(VAULT, "acceptAdmin()")
    text = f"Accept the admin's seat that the team offered to the DAO in {VAULT}."
    assert found(PowerLoss(), text, accept, simulation=simulated(changes=changes)) == ()


def test_what_the_dao_takes_over_is_worth_knowing():
    changes = [
        change("role-revoked", VAULT, COUNCIL, "role DEFAULT_ADMIN_ROLE, revoked by it"),
        change("role-granted", VAULT, TIMELOCK, "role DEFAULT_ADMIN_ROLE, granted by it"),
    ]
    accept = call_of(VAULT, "acceptDefaultAdminTransfer()")
    assert worst(PowerLoss(), HARMLESS, accept, simulation=simulated(changes=changes)) is MEDIUM
    assert worst(PowerLoss(), HARMLESS, accept, simulation=simulated(changes=changes[:1])) is CRITICAL


def test_a_name_without_an_owner_can_be_given_again():
    call = call_of(VAULT, "setSubnodeOwner(bytes32,bytes32,address)", ROLE, ROLE, ZERO_ADDRESS)
    told = Change(
        kind="ownership-transferred", contract=VAULT, subject=ZERO_ADDRESS, detail="owns the ENS name 0x00 now"
    )
    assert found(PowerLoss(), HARMLESS, call, simulation=simulated(changes=[told])) == ()


def test_losses_that_only_the_simulation_shows_are_found_and_no_loss_is_told_twice():
    changes = [
        Change(kind="role-revoked", contract=TIMELOCK, subject=COUNCIL, detail="role CANCELLER_ROLE"),
        Change(kind="role-granted", contract=VAULT, subject=ZERO_ADDRESS, detail=f"vetoer() was {COUNCIL}"),
    ]
    opaque = call_of(address_of("helper"), "execute()")
    assert [f.severity for f in found(PowerLoss(), HARMLESS, opaque, simulation=simulated(changes=changes))] == [
        CRITICAL,
        CRITICAL,
    ]
    calls = [
        call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL),
        call_of(VAULT, "setGuardian(address)", ZERO_ADDRESS),
    ]
    told = found(PowerLoss(), HARMLESS, *calls, simulation=simulated(changes=changes))
    assert [f.calls for f in told] == [("0",), ("1",)]


def test_who_follows_by_the_text_has_to_get_something():
    revoke = call_of(TIMELOCK, "revokeRole(bytes32,address)", ROLE, COUNCIL)
    grant = call_of(TIMELOCK, "grantRole(bytes32,address)", ROLE, SAFE)
    text = f"Rotate the canceller role: it is taken from {COUNCIL} and given to {SAFE}, of the same members."
    assert worst(PowerLoss(), text, revoke) is HIGH
    assert worst(PowerLoss(), text, revoke, grant) is MEDIUM
    kept = f"Revoke the canceller role of {COUNCIL}, whose keys are lost. The council {SAFE} has it, and keeps it."
    assert worst(PowerLoss(), kept, revoke) is MEDIUM


# --- unnamed-address


def handed(call: Call, text: str = HARMLESS, **facts) -> Severity | None:
    return worst(UnnamedAddress(), text, call, **facts)


UNKNOWN = Call(
    target=VAULT, value_wei=0, calldata=bytes.fromhex("12345678") + encode(["address", "uint256"], [MALLORY, 7])
)
KNOWN = call_of(VAULT, "createStream(address,uint256,address,uint256,uint256)", MALLORY, 5, TOKEN, 6, 7)


@pytest.mark.parametrize("call", [UNKNOWN, KNOWN])
def test_an_address_that_nobody_named_is_for_people(call):
    assert handed(call) is HIGH
    assert handed(call, f"Update the vault {VAULT} as announced.") is HIGH
    assert handed(call, f"Let {MALLORY} have what is due.") is None
    assert handed(call, "Let mallory.example.eth have what is due.") is MEDIUM
    assert handed(call, known_addresses={MALLORY: "Mallory"}) is None


def test_coin_beside_the_call_names_nobody():
    call = UNKNOWN.model_copy(update={"value_wei": 10**18})
    assert handed(call, f"Add 1 ETH to the pool of {VAULT}.") is HIGH
    assert handed(call, f"Add 1 ETH to the pool of {VAULT}, for {MALLORY}.") is None


def test_who_gets_the_gas_of_a_safe_refunded_is_named_too():
    for price, severity in ((0, None), (10**12, HIGH)):
        call = safe_call(VAULT, b"", 0, price, MALLORY)
        assert worst(UnnamedAddress(), f"Poke {VAULT} by our Safe {SAFE}.", call) is severity


def test_many_such_calls_are_one_finding():
    (finding,) = found(UnnamedAddress(), HARMLESS, UNKNOWN, KNOWN)
    assert finding.calls == ("0", "1")
    assert finding.title == f"The calls hand over {MALLORY} that the text does not name: 0x12345678, createStream"


@pytest.mark.parametrize(
    "argument",
    [TIMELOCK, GOVERNOR, TOKEN, ZERO_ADDRESS, SENTINEL, VAULT, "0x" + "ff" * 20],
    ids=["executor", "governor", "voting token", "nobody", "a sentinel", "what is called", "the largest number"],
)
def test_the_dao_what_is_called_and_numbers_are_no_strangers(argument):
    data = bytes.fromhex("12345678") + encode(["address"], [argument])
    assert handed(Call(target=VAULT, value_wei=0, calldata=data)) is None


@pytest.mark.parametrize("number", [0, 10**30, 2**128 - 1, 2**160, UINT256_MAX])
def test_numbers_in_undecoded_calldata_are_no_addresses(number):
    data = bytes.fromhex("12345678") + encode(["uint256"], [number])
    assert handed(Call(target=VAULT, value_wei=0, calldata=data)) is None


@pytest.mark.parametrize("depth", [0, 1])
def test_addresses_inside_bytes_are_found(depth):
    data = bytes.fromhex("12345678") + encode(["uint256", "address"], [7, MALLORY])
    for _ in range(depth):
        data = bytes.fromhex("87654321") + encode(["uint256", "bytes"], [7, data])
    assert handed(Call(target=VAULT, value_wei=0, calldata=data)) is HIGH
    relay = call_of(GOVERNOR, "upgradeTo(address,uint256,bytes)", GOVERNOR, 7, data)
    assert handed(relay) is HIGH


def test_assets_that_move_or_are_held_are_no_strangers():
    assert handed(UNKNOWN, treasury=[holding(MALLORY, 5)]) is None
    assert handed(UNKNOWN, simulation=simulated([moved(MALLORY, VAULT, 5)])) is None


@pytest.mark.parametrize(
    "call",
    [
        call_of(TOKEN, "transfer(address,uint256)", MALLORY, 5),
        call_of(TOKEN, "approve(address,uint256)", MALLORY, 5),
        call_of(VAULT, "transferOwnership(address)", MALLORY),
        call_of(VAULT, "revokeRole(bytes32,address)", ROLE, MALLORY),
    ],
)
def test_what_other_checks_compare_with_the_text_is_told_by_them(call):
    assert handed(call) is None
