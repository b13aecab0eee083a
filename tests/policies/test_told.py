"""Payments and the text: amounts belong to receivers, count as often as they are told, and are of the asset told."""

from __future__ import annotations

import time

import pytest

from pnyx_policies.checks import CheckView, TextAgainstCalls
from pnyx_policies.context import EnsName, EnsNames
from pnyx_policies.facts import Change
from pnyx_policies.finding import Finding, Severity
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

ALICE, BOB, CAROL, TOKEN, VAULT = map(address_of, ("alice", "bob", "carol", "token", "vault"))
UNITS = 10**6
USDC = [holding(TOKEN, 10**12, decimals=6, symbol="USDC")]
LOW, MEDIUM, HIGH, CRITICAL = Severity.LOW, Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL


def pay(receiver: str, tokens: int):
    return call_of(TOKEN, "transfer(address,uint256)", receiver, tokens * UNITS)


def found(text: str, *calls, **facts) -> list[Finding]:
    view = CheckView(facts_for(proposal_of(calls, text), treasury=USDC, **facts))
    return [f for f in TextAgainstCalls().run(view) if f.severity > Severity.INFO]


def worst(text: str, *calls, **facts) -> Severity | None:
    return max((f.severity for f in found(text, *calls, **facts)), default=None)


# --- which amount is whose

LIST = f"# Payments\n\n- 40,000 USDC for the indexer, to {ALICE}\n- 50 USDC for the pizza, to {BOB}\n"
SENTENCE = f"The DAO pays 40,000 USDC to {ALICE} and 50 USDC to {BOB}."
BEHIND = f"In 2026 {ALICE} gets 40,000 USDC, and {BOB} gets 50 USDC."
TABLE = f"| who | address | USDC |\n|---|---|---|\n| indexer | {ALICE} | 40,000 |\n| pizza | {BOB} | 50 |\n"
LINKS = f"Pay [{ALICE}](https://e.example/address/{ALICE}) 40,000 USDC and [Bob](https://e.example/{BOB}#a) 50 USDC."


@pytest.mark.parametrize("text", [LIST, SENTENCE, BEHIND, TABLE, LINKS])
def test_a_list_announces_its_pairs_and_no_others(text):
    assert worst(text, pay(ALICE, 40_000), pay(BOB, 50)) is None
    (finding,) = found(text, pay(ALICE, 50), pay(BOB, 40_000))
    assert finding.severity is HIGH
    assert finding.title.endswith("to 2 receivers: the text names the amount beside another address")
    assert finding.calls == ("0", "1")


def test_what_somebody_gets_stands_behind_the_address():
    text = f"A total of 10,000 USDC: {ALICE} gets 9,000 USDC, the rest goes to {BOB}."
    assert worst(text, pay(ALICE, 9_000), pay(BOB, 1_000)) is not HIGH
    each = f"{ALICE} gets 9,000 USDC, {BOB} gets 1,000 USDC."
    assert worst(each, pay(ALICE, 9_000), pay(BOB, 1_000)) is None
    assert worst(each, pay(ALICE, 1_000), pay(BOB, 9_000)) is HIGH


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Send our NFT to {ALICE}.", None),
        (f"Send number 7 of {VAULT} to {ALICE}.", None),
        (f"Pay 20 USDC to {ALICE}.", HIGH),
        ("Pay 20 USDC to a friend.", CRITICAL),
    ],
)
def test_an_nft_is_told_by_its_contract_or_its_kind(text, severity):
    gone = call_of(VAULT, "safeTransferFrom(address,address,uint256)", TIMELOCK, ALICE, 7)
    assert worst(text, gone) is severity


def test_a_list_without_spaces_is_read():
    text = f"Delegates (address,USDC)\n\n{ALICE},500\n{BOB},1700\n"
    assert worst(text, pay(ALICE, 500), pay(BOB, 1_700)) is LOW
    assert worst(text, pay(ALICE, 1_700), pay(BOB, 500)) is HIGH


def test_two_amounts_for_one_receiver_are_both_paid():
    text = f"Pay 300 USDC to {ALICE} for May. Pay 200 USDC to {ALICE} for June."
    assert worst(text, pay(ALICE, 300), pay(ALICE, 200)) is None


def test_two_assets_in_one_sentence_have_their_receivers():
    text = f"We pay 40 USDC to {ALICE} and 5 ETH to {BOB}."
    assert worst(text, pay(ALICE, 40), call_of(BOB, value_wei=5 * 10**18)) is None
    assert worst(text, pay(BOB, 40), call_of(ALICE, value_wei=5 * 10**18)) is HIGH


def test_a_receiver_that_the_actions_make_cannot_be_named():
    """A vesting contract, which gets its money when it is made."""
    text = f"By the factory {VAULT}, make a vesting contract of 40 USDC for {ALICE}."
    simulation = simulated([moved(TOKEN, CAROL, 40 * UNITS)])
    made = Change(kind="code-created", contract=CAROL, subject="code", detail="before: none")
    calls = [call_of(VAULT, "make(address)", ALICE)]
    assert worst(text, *calls, simulation=simulation) is HIGH
    (finding,) = found(text, *calls, simulation=simulation.model_copy(update={"changes": (made,)}))
    assert finding.severity is MEDIUM
    assert finding.title.endswith("the text names the amount; these actions make the receiver")


def test_all_of_it_for_one_of_two_is_not_what_the_text_says():
    text = f"A total of 10,000 USDC: 9,000 USDC to {ALICE} and 1,000 USDC to {BOB}."
    assert worst(text, pay(ALICE, 9_000), pay(BOB, 1_000)) is None
    assert worst(text, pay(BOB, 10_000)) is HIGH


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"They asked for 40,000 USDC. We talked it down to 4,000 USDC, to be paid to {ALICE}.", HIGH),
        (f"They served 40,000 requests. We pay 4,000 USDC to {ALICE}.", HIGH),
        (f"## Indexer: 40,000 USDC\n\nPaid to {ALICE}.", None),
        (f"{ALICE} got 40,000 USDC in May. Now pay 400 USDC to {ALICE}.", HIGH),
        (f"Pay 40,000 USDC, of which they keep 4,000 USDC for taxes, to {ALICE}.", None),
        (f"Pay 40,000 USDC from {TIMELOCK}, by {GOVERNOR}, to {ALICE}. The token is {TOKEN}.", None),
        (f"The group of {BOB} gets 40,000 USDC, at its multisig {ALICE}.", None),
    ],
)
def test_another_amount_beside_the_receiver_is_for_people(text, severity):
    assert worst(text, pay(ALICE, 40_000)) is severity


# --- how often


@pytest.mark.parametrize(
    ("text", "times", "severity"),
    [
        (f"Grant 3,000 USDC to {ALICE} for the indexer.", 1, None),
        (f"Grant 3,000 USDC to {ALICE} for the indexer.", 12, HIGH),
        (f"Grant 3,000 USDC a month for 12 months to {ALICE}.", 12, None),
        (f"Grant 3,000 USDC for three months to {ALICE}.", 3, None),
        (f"Grant 3,000 USDC each month, 9,000 USDC in all, to {ALICE}.", 3, None),
        (f"- May: 3,000 USDC to {ALICE}\n- June: 3,000 USDC to {ALICE}\n", 2, None),
    ],
)
def test_what_is_told_once_is_paid_once(text, times, severity):
    loud = found(text, *[pay(ALICE, 3_000)] * times)
    assert max((f.severity for f in loud), default=None) is severity
    if severity:
        assert [f.title.partition(": ")[2] for f in loud] == [
            f"the text names the amount once, and it is paid {times} times"
        ]


def test_a_total_is_not_for_each():
    addresses = f"\n- {ALICE}\n- {BOB}\n- {CAROL}\n"
    everybody = (ALICE, BOB, CAROL)
    assert worst(f"Each of these gets 600 USDC:{addresses}", *(pay(a, 600) for a in everybody)) is None
    assert worst(f"A total of 600 USDC, 200 USDC each:{addresses}", *(pay(a, 200) for a in everybody)) is None
    assert worst(f"A total of 600 USDC, 200 USDC each:{addresses}", *(pay(a, 600) for a in everybody)) is HIGH


# --- of what


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Pay 20 USDC to {ALICE} for the website.", None),
        (f"Pay $20 in USDC to {ALICE} for the website.", None),
        (f"Pay 20 worth of USDC to {ALICE} for the website.", None),
        (f"| to | amount (USDC) |\n| - | - |\n| {ALICE} | 20.00 |\n", None),
        (f"| to | amount (DAI) |\n| - | - |\n| {ALICE} | 20.00 |\n", HIGH),
        (f"Pay 20 DAI to {ALICE} for the website.", HIGH),
        (f"Pay 20 ETH to {ALICE} for the website.", HIGH),
        (f"Pay 20 dollars to {ALICE} for the website.", LOW),
        (f"Pay 20 to {ALICE} for the website.", LOW),
    ],
)
def test_an_amount_of_another_asset_is_another_payment(text, severity):
    assert worst(text, pay(ALICE, 20)) is severity


@pytest.mark.parametrize("symbol", ["", "USD\u20ae", "1"])
def test_a_token_without_a_name_to_write_is_no_other_asset(symbol):
    view = facts_for(proposal_of([pay(ALICE, 20)], f"Pay 20 USDC to {ALICE} for the website."))
    treasury = (holding(TOKEN, 10**12, decimals=6, symbol=symbol),)
    (finding,) = TextAgainstCalls().run(CheckView(view.model_copy(update={"treasury": treasury})))
    assert finding.severity is LOW


@pytest.mark.parametrize("struck", ["~~{}~~", "<del>{}</del>", "<S>\n{}\n</S>"])
def test_what_is_struck_through_announces_nothing(struck):
    said = f"Pay 20 USDC to {ALICE} for the website."
    text = f"# Website\n\n{struck.format(said)}\n\nThe team has withdrawn this, see the forum; only a signal is left."
    assert worst(text, pay(ALICE, 20)) is CRITICAL
    assert worst(f"{struck.format('Pay 5 USDC.')} {said}", pay(ALICE, 20)) is None


def test_what_is_burned_goes_to_nobody_whom_a_text_would_name():
    zero = "0x" + "00" * 20
    burn = call_of(TOKEN, "burn(uint256)", 20 * UNITS)
    gone = simulated([moved(TOKEN, zero, 20 * UNITS)])
    assert worst("Burn 20 USDC.", burn, simulation=gone) is None
    assert worst("Burn 30 USDC, as the vote of May said.", burn, simulation=gone) is HIGH
    assert worst("Thanks to all who worked with us on 20 USDC pages.", burn, simulation=gone) is HIGH


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Pay 20 wei to {ALICE} for the website.", HIGH),
        (f"Pay 20 raw units to {ALICE} for the website.", HIGH),
        (f"Pay 20000000 units (20 USDC) to {ALICE} for the website.", None),
        (f"Pay 20 (in ETH) to {ALICE} for the website.", HIGH),
        (f"Pay 20 (in USDC, not in ETH) to {ALICE} for the website.", LOW),
        (f"Pay $20 in ETH to {ALICE}. Today that is 20 USDC.", None),
    ],
)
def test_an_amount_of_something_smaller_or_beside_another_asset(text, severity):
    assert worst(text, pay(ALICE, 20)) is severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Send our NFT #7 to {ALICE}.", None),
        (f"Proposal #12.\n\nSend our NFT to {ALICE}.", None),
        (f"Send our NFT number 8 to {ALICE}.", HIGH),
    ],
)
def test_an_nft_has_the_number_that_the_text_gives_it(text, severity):
    gone = call_of(VAULT, "safeTransferFrom(address,address,uint256)", TIMELOCK, ALICE, 7)
    move = moved(VAULT, ALICE, 1).model_copy(update={"token_id": 7})
    assert worst(text, gone, simulation=simulated([move])) is severity


def test_a_name_of_ens_is_one_where_it_leads_to_the_receiver():
    names = EnsNames(registry=VAULT, names=(EnsName(address=ALICE, name="docs.example.eth"),))
    for text, severity in (
        ("Pay 20 USDC to docs.example.eth for the website.", MEDIUM),
        ("Pay 20 USDC to code.docs.example.eth for the website.", HIGH),
        ("Pay 20 USDC to docs.example.eth.link for the website.", HIGH),
        ("Pay 20 USDC to code.example.eth for the website.", HIGH),
    ):
        assert worst(text, pay(ALICE, 20), context=[names]) is severity
        assert worst(text, pay(ALICE, 20)) is HIGH


# --- a text that says no


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"The DAO does not pay 20 USDC to {ALICE}.", HIGH),
        (f"20 USDC to {ALICE}: this was rejected.", HIGH),
        (f"We are not sure that a payment of 20 USDC to {ALICE} will do.", LOW),
        (f"We couldn't pay in time. Pay 20 USDC to {ALICE} now.", None),
        (f"Nothing is executed. We talked of 20 USDC to {ALICE}.", HIGH),
        (f"The vote of May was only a signal. Pay 20 USDC to {ALICE}.", None),
        (f"This proposal is a signal only. 20 USDC to {ALICE} would be fair.", HIGH),
        (f"This is only a signal: 20 USDC to {ALICE} would be fair.", HIGH),
        (f"No funds are moved by this. 20 USDC to {ALICE} would be fair.", HIGH),
        (f"Pay 20 USDC to {ALICE}, as the social proposal of May said. Nothing else is executed.", None),
    ],
)
def test_a_payment_behind_a_no_is_for_people(text, severity):
    assert worst(text, pay(ALICE, 20)) is severity


def test_a_signal_that_does_nothing_may_say_so():
    assert found("Nothing is executed by this proposal, which is only a signal.", call_of(GOVERNOR)) == []


# --- what is done at a contract


def test_the_name_of_a_contract_says_nothing_of_what_is_done_there():
    pause = call_of(VAULT, "pause()")
    told = f"# Vault\n\nThe vault {VAULT} is paused until its audit is done."
    assert worst(told, pause) is None
    (finding,) = found(f"# Housekeeping\n\nHousekeeping at our vault {VAULT}, as every year.", pause)
    assert (finding.severity, finding.title) == (
        HIGH,
        "The text names the contract, and not what is done there: pause",
    )


def test_that_the_operator_knows_a_contract_announces_no_call():
    calls = [pay(ALICE, 20), call_of(VAULT, "pause()")]
    text = f"Pay 20 USDC to {ALICE} for the website, as agreed."
    (finding,) = found(text, *calls, known_addresses={VAULT: "Lending vault"})
    assert (finding.severity, finding.calls) == (HIGH, ("1",))
    assert (
        worst(f"{text} The lending vault takes nothing more.", *calls, known_addresses={VAULT: "Lending vault"}) is None
    )


def test_an_announced_setting_is_pointed_at_without_an_address():
    quorum = call_of(GOVERNOR, "updateQuorumNumerator(uint256)", 3)
    assert worst("# Quorum\n\nLower the quorum from 4% to 3%.", quorum) is None


def test_a_hostile_text_costs_no_more_than_its_length():
    """Tables, strikes, sentences and addresses without end."""
    for hostile in ("|" * 40_000, "| - " * 10_000 + "\n", "~~a" * 15_000, f"{ALICE} 5 USDC. " * 800, "<del>" * 9_000):
        text = f"Pay 20 USDC to {BOB}.\n{hostile}\n|-|\n{hostile}"
        started = time.thread_time()
        found(text, pay(BOB, 20))
        assert time.thread_time() - started < 3


# --- numbers, roots, streams


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Set the collateral factor of {VAULT} to 75%.", None),
        (f"Set the collateral factor of {VAULT} to 0.75.", None),
        (f"Raise the collateral factor of {VAULT} from 70%.", None),
        (f"Set the collateral factor of {VAULT} to three quarters of its value.", None),
        (f"Set the collateral factor of {VAULT} to 70%.", HIGH),
        (f"Set the collateral factor of {VAULT} to 0.7.", HIGH),
        (f"| market | old | collateral factor |\n|---|---|---|\n| {VAULT} | 70% | 75% |", None),
    ],
)
def test_a_setting_has_the_number_that_the_text_gives_it(text, severity):
    factor = call_of(BOB, "_setCollateralFactor(address,uint256)", VAULT, 75 * 10**16)
    assert worst(text, factor) is severity


def test_a_root_that_the_text_does_not_show_may_be_of_any_list():
    root = bytes(31) + b"\7"
    call = call_of(VAULT, "setMerkleRoot(bytes32)", root)
    text = f"Set the Merkle root of the rewards at {VAULT}, for season 3"
    assert worst(f"{text}: 0x{root.hex()}.", call) is None
    (finding,) = found(f"{text}.", call)
    assert (finding.severity, finding.title) == (
        HIGH,
        "setMerkleRoot sets the root of a list, and the text does not show it",
    )
    assert worst(f"End the rewards at {VAULT} by an empty root.", call_of(VAULT, "setRoot(bytes32)", bytes(32))) is None


DAY = 86_400


@pytest.mark.parametrize(
    ("says", "severity"),
    [
        ("1,000 USDC a day", None),
        ("30,000 USDC per month", None),
        ("365,000 a year", None),
        ("at a flow of {}", None),
        ("1,000 USDC a month", HIGH),
        ("a fair sum", HIGH),
    ],
)
@pytest.mark.parametrize(
    ("kind", "before", "decimals"),
    [("setFlowrate(address,address,int96)", [TOKEN], 18), ("createStream(address,uint216)", [], 20)],
)
def test_a_stream_runs_as_fast_as_the_text_says(kind, before, decimals, says, severity):
    flow = 1_000 * 10**decimals // DAY
    text = f"Stream {says.format(flow)} to {ALICE} by {VAULT}. The token is {TOKEN}."
    assert worst(text, call_of(VAULT, kind, *before, ALICE, flow)) is severity


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        (f"Maintenance of our streams by {VAULT}, for the year to come.", CRITICAL),
        (f"Maintenance of our streams by {VAULT}, for the year to come, and for writer.example.eth.", HIGH),
        (f"Maintenance of our streams by {VAULT}, for {ALICE} and for the year to come.", HIGH),
    ],
)
def test_a_stream_that_nobody_names_is_as_hidden_as_a_payment(text, severity):
    stream = call_of(VAULT, "setFlowrate(address,address,int96)", TOKEN, ALICE, 10**15)
    assert worst(text, stream) is severity


@pytest.mark.parametrize(
    ("says", "seconds", "severity"),
    [
        ("over 90 days", 90 * DAY, None),
        ("over four years", 4 * 365 * DAY, None),
        ("over four years", 1, HIGH),
        ("linearly, with 3% of it for taxes", 1, None),
    ],
)
def test_a_stream_takes_as_long_as_the_text_says(says, seconds, severity):
    kind = "createStream(address,uint256,address,uint256,uint256)"
    stream = call_of(VAULT, kind, ALICE, 20, TOKEN, 10**9, 10**9 + seconds)
    assert worst(f"Vest 20 USDC to {ALICE} by {VAULT} {says}.", stream) is severity


def test_nothing_said_and_nothing_done_is_no_proposal():
    (finding,) = found("")
    assert (finding.severity, finding.title) == (HIGH, "The proposal says nothing and does nothing")
    assert found("A signal: we like this.") == []


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("The DAO accepts the ownership.", None),
        ("Accepting it.", HIGH),
        ("Hello.", CRITICAL),
        ("\u63a5\u53d7\u6ce8\u518c\u8868\u7684\u6240\u6709\u6743\uff0c\u8c22\u8c22\u5927\u5bb6\u3002", HIGH),
    ],
)
def test_few_words_may_say_it(text, severity):
    assert worst(text, call_of(VAULT, "acceptOwnership()")) is severity
