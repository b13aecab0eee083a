"""What is numbered (ERC-721, ERC-1155), and what a call moves that counts otherwise than it says."""

from __future__ import annotations

import pytest

from pnyx_policies.checks import Allowance, CheckView, OthersMoney, SilentOutflow, TextAgainstCalls, TreasuryOutflow
from pnyx_policies.facts import Balance
from pnyx_policies.finding import Severity
from pnyx_policies.money import OutflowKind, outflows, unexplained_effects
from pnyx_tools.testing.facts import (
    GOVERNOR,
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    proposal_of,
    simulated,
)

ALICE, BOB, PASSES, VAULT, USDC, POOL = map(address_of, ("alice", "bob", "passes", "vault", "usd coin", "pool"))
NOBODY = f"0x{'0' * 40}"
LOW, MEDIUM, HIGH, CRITICAL = list(Severity)[1:]
SINGLE = "safeTransferFrom(address,address,uint256,uint256,bytes)"
SEVERAL = "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)"
NFT = "safeTransferFrom(address,address,uint256)"


def some(number, amount, to=ALICE):
    return call_of(PASSES, SINGLE, TIMELOCK, to, number, amount, b"")


def facts(calls, text="", movements=(), balances=(), **more):
    simulation = (
        simulated(movements).model_copy(update={"balances": tuple(balances)}) if movements or balances else None
    )
    return facts_for(proposal_of(calls, text), simulation=simulation, **more)


def worst(check, *args, **more):
    return max((f.severity for f in check.run(CheckView(facts(*args, **more)))), default=None)


def read(before, after, *, number=None, token=PASSES, holder=TIMELOCK):
    return Balance(holder=holder, token=token, token_id=number, before=before, after=after)


# --- against the text


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Send 40 of #2 of {PASSES} to {ALICE}.", None),
        (f"Send 40 passes (number 2) of {PASSES} to {ALICE}.", None),
        (f"Send 40 NFTs of {PASSES} with the id 2 to {ALICE}.", None),
        (f"Send 40 NFTs with the id 2 to {ALICE}.", LOW),  # of which contract?
        (f"Send 40 passes of {PASSES} to {ALICE}.", LOW),  # which ones?
        (f"Send 40 of #3 of {PASSES} to {ALICE}.", HIGH),
        (f"Send 4 of #2 of {PASSES} to {ALICE}, who asked for 40 of #3.", HIGH),
        (f"Send #40 of {PASSES} to {ALICE}.", HIGH),  # a number is no amount
        (f"Send 0.00004 of #2 of {PASSES} to {ALICE}.", HIGH),  # nobody says that it has decimals
        (f"Send 40 of #2 of {PASSES} to a friend.", HIGH),
        ("Send a pass to a friend.", CRITICAL),
    ],
)
def test_so_many_of_a_number_are_told_by_both(text, severity):
    assert worst(TextAgainstCalls(), [some(2, 40)], text) is severity


@pytest.mark.parametrize(
    ("amounts", "severity"), [((40, 20), None), ((20, 40), HIGH), ((40, 30), HIGH), ((0, 60), HIGH), ((41, 20), HIGH)]
)
def test_each_number_of_a_batch_is_told_by_itself(amounts, severity):
    text = f"Send 40 of #1 and 20 of #2 of {PASSES} to {ALICE}."
    assert (
        worst(TextAgainstCalls(), [call_of(PASSES, SEVERAL, TIMELOCK, ALICE, [1, 2], amounts, b"")], text) is severity
    )


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Send the NFTs #3 and #4 to {ALICE}.", None),
        (f"Send the NFTs #1, 3 and 4 to {ALICE}.", None),
        (f"Send the NFTs #2 to #5 to {ALICE}.", None),
        (f"Send two of our NFT collection {PASSES} to {ALICE}.", None),
        (f"Send the NFT #3 to {ALICE}.", HIGH),
        (f"Send our NFT to {ALICE}.", HIGH),
    ],
)
def test_several_nfts_are_not_told_as_one(text, severity):
    calls = [call_of(PASSES, NFT, TIMELOCK, ALICE, number) for number in (3, 4)]
    assert worst(TextAgainstCalls(), calls, text) is severity


def test_each_receiver_in_a_sentence_has_its_number():
    text = f"Send the NFT #3 to {ALICE} and the NFT #4 to {BOB}."
    for numbers, severity in (((3, 4), None), ((4, 3), HIGH)):
        calls = [call_of(PASSES, NFT, TIMELOCK, *each) for each in zip((ALICE, BOB), numbers, strict=True)]
        assert worst(TextAgainstCalls(), calls, text) is severity


# --- what moves


def test_calls_and_movements_of_what_is_numbered_are_one_thing():
    moves = [
        moved(PASSES, ALICE, 40, token_id=1),
        moved(PASSES, ALICE, 20, token_id=2),
        moved(PASSES, BOB, 1, token_id=7),
    ]
    calls = [
        call_of(PASSES, SEVERAL, TIMELOCK, ALICE, [1, 2], [40, 20], b""),
        call_of(PASSES, "transferFrom(address,address,uint256)", TIMELOCK, BOB, 7),
    ]
    seen = facts(calls, movements=moves)
    assert [(o.token_id, o.amount, o.path) for o in outflows(seen).items] == [(1, 40, "0"), (2, 20, "0"), (7, 1, "1")]
    assert unexplained_effects(seen) == 0


@pytest.mark.parametrize(
    ("signature", "arguments", "kind", "sender"),
    [
        ("transfer(address,uint256,uint256)", (ALICE, 3, 9), OutflowKind.TRANSFER, TIMELOCK),
        ("transferFrom(address,address,uint256,uint256)", (POOL, ALICE, 3, 9), OutflowKind.TRANSFER, POOL),
        ("approve(address,uint256,uint256)", (ALICE, 3, 9), OutflowKind.ALLOWANCE, TIMELOCK),
    ],
)
def test_erc_6909_has_a_number_before_the_amount(signature, arguments, kind, sender):
    (flow,) = outflows(facts([call_of(PASSES, signature, *arguments)])).items
    assert (flow.kind, flow.sender, flow.recipient, flow.token_id, flow.amount) == (kind, sender, ALICE, 3, 9)


def test_new_ones_of_several_numbers_are_minted():
    mint = call_of(PASSES, "mintBatch(address,uint256[],uint256[],bytes)", ALICE, [1, 2], [5, 6], b"")
    assert [(o.sender, o.token_id, o.amount) for o in outflows(facts([mint])).items] == [(NOBODY, 1, 5), (NOBODY, 2, 6)]


@pytest.mark.parametrize("signature", ["withdraw(uint256,address,address)", "redeem(uint256,address,address)"])
def test_what_a_vault_pays_is_one_payment_of_what_moves(signature):
    """And what goes back to the vault is paid for by it."""
    text = f"Take 200 USDC out of the vault {VAULT} and pay them to {ALICE}."
    call = call_of(VAULT, signature, 100 * 10**6, ALICE, TIMELOCK)
    moves = [moved(VAULT, NOBODY, 100 * 10**6), moved(USDC, ALICE, 200 * 10**6, sender=VAULT)]
    treasury = [holding(USDC, 10**12, decimals=6, symbol="USDC"), holding(VAULT, 10**12, decimals=6, symbol="vUSDC")]
    seen = facts([call], text, moves, treasury=treasury)
    assert {(o.asset, o.recipient) for o in outflows(seen).items} == {(VAULT, NOBODY), (USDC, ALICE)}
    assert TextAgainstCalls().run(CheckView(seen)) == ()
    assert worst(TextAgainstCalls(), [call], text.replace(ALICE, BOB), moves, treasury=treasury) is HIGH
    burns_only = moves[:1]
    assert worst(TextAgainstCalls(), [call], text, burns_only, treasury=treasury) is HIGH


@pytest.mark.parametrize(
    ("said", "severity"), [("100 shares", None), ("200 USDC", None), ("what we need", MEDIUM), ("10 shares", MEDIUM)]
)
def test_how_much_goes_back_to_a_vault_is_told_by_it_or_by_what_comes(said, severity):
    call = call_of(VAULT, "redeem(uint256,address,address)", 100 * 10**6, TIMELOCK, TIMELOCK)
    moves = [moved(VAULT, NOBODY, 100 * 10**6), moved(USDC, TIMELOCK, 200 * 10**6, sender=VAULT)]
    treasury = [holding(USDC, 10**12, decimals=6, symbol="USDC"), holding(VAULT, 10**12, decimals=6, symbol="vUSDC")]
    text = f"Redeem {said} out of the vault {VAULT} into the treasury."
    assert worst(TextAgainstCalls(), [call], text, moves, treasury=treasury) is severity


def test_who_takes_back_what_stands_for_something_pays_for_the_dao():
    """As Aave: the pool is called, and the contract of the shares pays."""
    call = call_of(POOL, "withdraw(address,uint256,address)", USDC, 2**256 - 1, BOB)
    moves = [moved(VAULT, NOBODY, 200), moved(USDC, BOB, 200, sender=VAULT)]
    assert (USDC, BOB, 200) in {
        (o.asset, o.recipient, o.amount) for o in outflows(facts([call], movements=moves)).items
    }


def test_what_others_pay_to_whom_a_call_says_is_a_payment():
    """As a position of Uniswap: a pool that nobody calls pays what is collected."""
    call = call_of(PASSES, "collect((uint256,address,uint128,uint128))", (1, BOB, 9, 9))
    text = f"Collect the fees of our position in {PASSES}."
    assert worst(TextAgainstCalls(), [call], text, [moved(USDC, BOB, 9, sender=POOL)]) is CRITICAL
    assert worst(TextAgainstCalls(), [call], text, [moved(USDC, TIMELOCK, 9, sender=POOL)]) is None


def test_who_only_passes_on_pays_nothing():
    """A router wraps the coin that it gets, in the contract that the call names."""
    coin = 10**18
    swap = call_of(
        POOL, "swapExactETHForTokens(uint256,address[],address,uint256)", 9, [VAULT, USDC], TIMELOCK, 9, value_wei=coin
    )
    moves = [
        moved(None, POOL, coin),
        moved(None, VAULT, coin, sender=POOL),
        moved(VAULT, BOB, coin, sender=POOL),
        moved(USDC, TIMELOCK, 9, sender=BOB),
    ]
    assert [(o.sender, o.recipient) for o in outflows(facts([swap], movements=moves)).items] == [(TIMELOCK, POOL)]


@pytest.mark.parametrize(("amounts", "severity"), [((9_000, 50), None), ((50, 9_000), HIGH)])
def test_who_pays_many_by_one_call_pays_each(amounts, severity):
    """By a contract that passes on what it gets."""
    paid = [amount * 10**6 for amount in amounts]
    text = f"By {POOL}, which may take the 9,050 USDC:\n\n- 9,000 USDC to {ALICE}\n- 50 USDC to {BOB}"
    calls = [
        call_of(USDC, "approve(address,uint256)", POOL, sum(paid)),
        call_of(POOL, "disperseToken(address,address[],uint256[])", USDC, [ALICE, BOB], paid),
    ]
    moves = [
        moved(USDC, POOL, sum(paid), kind="approval"),
        moved(USDC, POOL, sum(paid)),
        *(moved(USDC, to, amount, sender=POOL) for to, amount in zip((ALICE, BOB), paid, strict=True)),
    ]
    treasury = [holding(USDC, 10**12, decimals=6, symbol="USDC")]
    assert worst(TextAgainstCalls(), calls, text, moves, treasury=treasury) is severity
    assert worst(TextAgainstCalls(), calls, text.replace(BOB, POOL), moves, treasury=treasury) is HIGH
    unnamed = text.replace(f"By {POOL}, which may take the 9,050 USDC", "9,050 USDC in all")
    assert worst(TextAgainstCalls(), calls, unnamed, moves, treasury=treasury) is HIGH


def test_an_allowance_that_becomes_larger_is_one_allowance():
    call = call_of(USDC, "increaseAllowance(address,uint256)", ALICE, 50)
    (only,) = outflows(facts([call], movements=[moved(USDC, ALICE, 150, kind="approval")])).items
    assert (only.kind, only.amount, only.path, only.raised_by) == (OutflowKind.ALLOWANCE, 150, "0", 50)


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Let {ALICE} spend 50 USDC more.", MEDIUM),
        (f"Let {ALICE} spend 150 USDC in all.", MEDIUM),
        (f"Let {ALICE} spend 100 USDC.", HIGH),
    ],
)
def test_an_allowance_that_becomes_larger_is_told_by_how_much_or_by_all(text, severity):
    call = call_of(USDC, "increaseAllowance(address,uint256)", ALICE, 50 * 10**6)
    moves = [moved(USDC, ALICE, 150 * 10**6, kind="approval")]
    treasury = [holding(USDC, 10**12, decimals=6, symbol="USDC")]
    assert worst(Allowance(), [call], text, moves, treasury=treasury) is severity
    more = moved(USDC, ALICE, 9_000 * 10**6, kind="approval")
    for other in (call_of(USDC, "approve(address,uint256)", ALICE, 9_000 * 10**6), call_of(POOL, "run()")):
        assert worst(Allowance(), [other, call], text, [more, *moves], treasury=treasury) is HIGH


@pytest.mark.parametrize(
    ("signature", "arguments"),
    [
        ("setApprovalForAll(address,bool)", (ALICE, True)),
        ("authorizeOperator(address)", (ALICE,)),
        ("permit(address,address,uint256,uint256,bool,uint8,bytes32,bytes32)",
         (TIMELOCK, ALICE, 0, 0, True, 27, bytes(32), bytes(32))),
    ],
)  # fmt: skip
def test_who_may_take_everything_has_to_be_named(signature, arguments):
    call = call_of(PASSES, signature, *arguments)
    assert worst(Allowance(), [call], f"Maintenance of {PASSES}.") is CRITICAL
    assert worst(Allowance(), [call], f"{ALICE} may take everything of {PASSES}.") is HIGH
    assert worst(TreasuryOutflow(), [call]) is HIGH  # nobody knows how much everything is
    arguments = tuple(False if argument is True else argument for argument in arguments)
    if False in arguments:
        assert outflows(facts([call_of(PASSES, signature, *arguments)])).items == ()


def test_one_nft_that_somebody_may_take_is_told_by_its_number():
    call = call_of(PASSES, "approve(address,uint256)", ALICE, 7)
    moves, treasury = [moved(PASSES, ALICE, 1, kind="approval", token_id=7)], [holding(PASSES, 9, decimals=0)]
    for number, severity in ((7, MEDIUM), (8, HIGH)):
        text = f"{ALICE} manages our position #{number} of {PASSES}."
        assert worst(Allowance(), [call], text, moves, treasury=treasury) is severity


# --- how much of it


@pytest.mark.parametrize(("amount", "severity"), [(5, LOW), (25, MEDIUM), (26, HIGH)])
def test_each_number_is_measured_against_what_there_is_of_it(amount, severity):
    moves, balances = [moved(PASSES, ALICE, amount, token_id=2)], [read(100, 100 - amount, number=2)]
    assert worst(TreasuryOutflow(), [some(2, amount)], "", moves, balances) is severity


def test_a_few_of_one_number_do_not_hide_all_of_another():
    moves = [moved(PASSES, ALICE, 1, token_id=1), moved(PASSES, ALICE, 3, token_id=2)]
    balances = [read(1_000_000, 999_999, number=1), read(3, 0, number=2)]
    found = TreasuryOutflow().run(CheckView(facts([some(1, 1), some(2, 3)], "", moves, balances)))
    assert [f.severity for f in found] == [LOW, HIGH]


@pytest.mark.parametrize(("numbers", "severity"), [((7,), MEDIUM), ((7, 8), HIGH)])
def test_of_a_collection_each_is_one(numbers, severity):
    calls = [call_of(PASSES, NFT, TIMELOCK, ALICE, number) for number in numbers]
    assert worst(TreasuryOutflow(), calls, treasury=[holding(PASSES, 4, decimals=0)]) is severity


def test_what_a_safe_has_of_a_number_is_known_by_what_was_read():
    safe, moves = BOB, [moved(PASSES, ALICE, 30, sender=BOB, token_id=2)]
    calls = [call_of(safe, "execTransactionFromModule(address,uint256,bytes,uint8)", PASSES, 0,
                     call_of(PASSES, SINGLE, safe, ALICE, 2, 30, b"").calldata, 0)]  # fmt: skip
    assert worst(TreasuryOutflow(), calls, "", moves, [read(100, 70, number=2, holder=safe)]) is HIGH


# --- without a word


def test_more_of_a_number_leaves_than_is_told():
    told = [moved(PASSES, ALICE, 1, token_id=2), moved(PASSES, ALICE, 99, token_id=3)]
    assert worst(SilentOutflow(), [some(2, 1)], "", told, [read(100, 99, number=2)]) is None
    (finding,) = SilentOutflow().run(CheckView(facts([some(2, 1)], "", told, [read(100, 0, number=2)])))
    assert finding.severity is HIGH
    assert finding.title == f"The executor loses 100 of number 2 of {PASSES}, and events tell of 1"


def test_a_collection_is_told_by_all_its_numbers():
    told = [moved(PASSES, ALICE, 1, token_id=number) for number in (2, 3)]
    assert worst(SilentOutflow(), [some(2, 1)], "", told, [read(4, 2)]) is None
    assert worst(SilentOutflow(), [some(2, 1)], "", told, [read(4, 1)]) is HIGH


@pytest.mark.parametrize("holder", [GOVERNOR, BOB])
def test_other_accounts_of_the_dao_lose_nothing_unseen(holder):
    calls, told = [call_of(USDC, "sweep()")], [moved(USDC, ALICE, 5, sender=holder)]
    assert worst(SilentOutflow(), calls, "", told, [read(9, 4, token=USDC, holder=holder)]) is None
    (finding,) = SilentOutflow().run(CheckView(facts(calls, "", told, [read(9, 3, token=USDC, holder=holder)])))
    assert finding.title == f"The account {holder} loses 6 of {USDC}, and events tell of 5"


def test_coin_that_a_call_sends_is_told_also_where_nobody_traces_it():
    balances = [read(9, 4, token=None)]
    assert worst(SilentOutflow(), [call_of(ALICE, value_wei=5)], "", [], balances) is None
    assert worst(SilentOutflow(), [call_of(ALICE, value_wei=4)], "", [], balances) is HIGH
    assert worst(SilentOutflow(), [call_of(POOL, "sweep()")], "", [moved(None, ALICE, 5)], balances) is None


def test_who_gets_another_number_back_is_paid_and_who_gets_none_is_not():
    given = moved(PASSES, TIMELOCK, 5, sender=BOB, token_id=1)
    assert worst(OthersMoney(), [call_of(POOL, "run()")], "", [given]) is MEDIUM
    back = moved(PASSES, BOB, 5, sender=ALICE, token_id=2)
    assert {
        f.evidence[0] for f in OthersMoney().run(CheckView(facts([call_of(POOL, "run()")], "", [given, back])))
    } == {ALICE}
