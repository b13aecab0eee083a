"""A review as a delegate reads it: one line first, then the parts in their order; unknown things are said."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.reading.samples import MALLORY, SAMPLES, TREASURY, USDC, dossier_of, golden_file, honest_payment, new_code

from pnyx_agents.reading.document import to_text
from pnyx_agents.reading.markdown import to_markdown
from pnyx_contracts.types import UINT256_MAX, ZERO_ADDRESS
from pnyx_policies.context import (
    Afterwards,
    EarlierPayment,
    Effects,
    EnsName,
    EnsNames,
    LateVotes,
    LiveProposal,
    LookAlike,
    OpenInitializer,
    Role,
    Voter,
)  # fmt: skip
from pnyx_policies.dossier import NO_AGENT, Dossier
from pnyx_policies.facts import Change, Grade, Skipped, ToolResult
from pnyx_policies.outline import OUTLINE
from pnyx_policies.reading.amounts import coins, decimal
from pnyx_policies.reading.report import SECTIONS, report_of
from pnyx_tools.testing.facts import (
    TIMELOCK,
    address_of,
    call_of,
    facts_for,
    holding,
    moved,
    not_simulated,
    proposal_from_file,
    proposal_of,
    simulated,
    uneventful,
)


def lead(dossier: Dossier) -> str:
    return "".join(piece.shown for piece in report_of(dossier).lead)


def section(dossier: Dossier, title: str) -> str:
    """Its Markdown."""
    _, _, rest = to_markdown(report_of(dossier)).partition(f"\n## {title}")
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("name", SAMPLES)
def test_the_words_are_those_that_were_agreed_on(name: str) -> None:
    """Another wording? ``python tests/reading/samples.py`` writes the files anew: read the difference."""
    assert to_markdown(report_of(SAMPLES[name]())) == golden_file(name).read_text(encoding="utf-8")


def test_no_file_is_left_over() -> None:
    assert {golden_file(name) for name in SAMPLES} == set(golden_file("x").parent.iterdir())


@pytest.mark.parametrize("name", SAMPLES)
def test_one_fact_a_line_and_no_line_that_only_looks_different(name: str) -> None:
    text = to_markdown(report_of(SAMPLES[name]()))
    assert text.endswith("\n")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []
    assert text == to_markdown(report_of(Dossier.model_validate_json(SAMPLES[name]().model_dump_json())))


def test_the_order_of_the_parts() -> None:
    titles = [title for title, _, _ in SECTIONS]
    order = ["money", "power", "code", "text against", "Findings", "not be known", "Opinions", "Decision", "Rules"]
    places = [next(i for i, title in enumerate(titles) if word in title) for word in order]
    assert places == sorted(places)


def test_the_line_that_comes_first() -> None:
    assert lead(honest_payment()).startswith("Pays 900 USDC to 0x")
    assert ", 1.2% of what the treasury holds. Nothing hidden was found. Held for people: " in lead(honest_payment())
    assert "As it stands it cannot be executed: it reverts. " in lead(new_code())


def test_what_was_not_simulated_is_never_said_not_to_happen() -> None:
    dark = SAMPLES["in-the-dark"]()
    for title in ("What it does: money", "What it does: power", "What it does: code"):
        assert "Not known: nothing was simulated; calls that are not understood: 1." in section(dark, title)
    assert "Nothing hidden was found, but some checks could not run" in lead(dark)


def test_what_could_not_be_known_is_in_one_place() -> None:
    said = section(SAMPLES["in-the-dark"](), "What could not be known")
    for word in (
        "**simulation** was skipped",
        "**quorum** was skipped",
        "**simulation-reverts** did not run",
        "Call 0",
    ):
        assert word in said
    assert "No analysis of **reader-b**" in section(new_code(), "What could not be known")


def test_who_is_a_language_model() -> None:
    assert "(language model some-model)" in section(new_code(), "Opinions")
    assert "(no language model)" in section(honest_payment(), "Opinions")


def test_a_text_that_does_not_tell_everything_is_in_the_first_line() -> None:
    call = call_of(USDC, "transfer(address,uint256)", MALLORY, 900 * 10**6)
    facts = facts_for(
        proposal_of([call], "# Pay\n\nPays 900 USDC to a friend of ours, whom everybody here knows quite well."),
        treasury=TREASURY,
        simulation=simulated([moved(USDC, MALLORY, 900 * 10**6)]),
    )
    assert "Nothing hidden was found, but the text does not tell everything. " in lead(dossier_of(facts))
    assert "the text names the amount, not the receiver's address" in section(dossier_of(facts), "The text against")


def test_a_strangers_symbol_cannot_say_anything_else() -> None:
    call = call_of(USDC, "transfer(address,uint256)", MALLORY, 5 * 10**6)
    symbol = "ETH to nobody. Nothing hidden was found. \u202e**FOR**"
    facts = facts_for(
        proposal_of([call], ""),
        treasury=(holding(USDC, 10**9, decimals=6, symbol=symbol),),
        simulation=simulated([moved(USDC, MALLORY, 5 * 10**6)]),
    )
    assert 'Pays 5 "ETH to nobody. Nothi" (cut from' in lead(dossier_of(facts))


def test_what_the_record_withholds_is_said_in_its_place() -> None:
    whole = honest_payment()
    fields = {name: getattr(whole, name) for name in Dossier.model_fields if name not in {"simulation", "rules"}}
    published = Dossier.model_construct(**fields)
    assert lead(published) == "Held for people: No rule matches: people decide."
    assert "Withheld from this record: simulation." in section(published, "What it does: money")
    assert "Withheld from this record: rules." in section(published, "Rules")
    assert "outflow" in section(published, "Findings")


def test_an_outline_is_not_told_twice() -> None:
    """It says what the report says; only that nobody else was asked is worth a line."""
    (opinion,) = honest_payment().opinions
    assert opinion.analyst == OUTLINE
    assert opinion.analysis is not None
    assert opinion.analysis.key_points[0].claim not in to_markdown(report_of(honest_payment()))


@pytest.mark.parametrize(
    ("units", "decimals", "shown"),
    [(0, 18, "0"), (1, 18, "0.000000000000000001"), (1_500, 3, "1.5"), (10**24, 18, "1,000,000"), (7, 0, "7")],
)
def test_amounts_are_exact(units: int, decimals: int, shown: str) -> None:
    assert decimal(units, decimals) == shown


def test_coins_are_said_in_wei_too() -> None:
    assert coins(40 * 10**18) == "40 coins (40000000000000000000 wei)"


def test_real_proposals_read_well(real_proposals: list[Path]) -> None:
    """Every call and every address in full, a first line that says what happens, and no cry of alarm."""
    for file in real_proposals:
        proposal, timelock = proposal_from_file(file)
        facts = facts_for(proposal, timelock=timelock, simulation=not_simulated(timelock))
        dossier = dossier_of(facts)
        text = to_markdown(report_of(dossier))
        assert "Hidden or hostile" not in lead(dossier), file.name
        assert lead(dossier).split()[0] in {"Pays", "Gives", "Calls", "Makes", "Changes", "Lets", "Replaces"}, file.name
        calls = section(dossier, "Every call, decoded")
        for call in facts.every_call():
            assert f"- `{call.path}` " in calls, file.name
            assert call.target in calls, file.name
        assert text.count("\n# ") == 0, "one title"
        assert [t for t, _, _ in SECTIONS] == [line[3:] for line in text.splitlines() if line.startswith("## ")]


def test_the_example_in_the_documents_is_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reviewing.md").read_text(encoding="utf-8")
    example = page.partition("```text\n")[2].partition("```")[0]
    assert len(example.splitlines()) > 20
    assert to_text(report_of(SAMPLES["hidden-power"]())).startswith(example)


def test_the_example_in_the_readme_is_what_it_says() -> None:
    page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    example = next(block for block in page.split("```text\n")[1:] if block.startswith("Pays ")).partition("```")[0]
    assert " ".join(example.split()) == lead(honest_payment())


def test_what_context_tools_found_is_said_in_sentences() -> None:
    proposal = proposal_of([call_of(USDC, "transfer(address,uint256)", MALLORY, 1)], "# Pay")
    calm = {reading.TOOL: reading for reading in uneventful(proposal, facts_for(proposal).governor.profile)}
    power, rules = calm["voting_power"], calm["ground_rules"]
    late = LateVotes(since_block=1_900, early_for=1, early_against=3, late_for=9, late_against=0)
    voter = Voter(voter=MALLORY, weight=9, votes=("for",))
    payment = EarlierPayment(
        asset=USDC, receiver=MALLORY, transfers=2, amount=4, shortly_before=0, since_proposed=1, last_block=7
    )
    alike = LookAlike(
        proposal_id=5, proposer=MALLORY, created_block=3, alike_bps=9_950, same_calls=False, same_functions=True
    )
    once_more = OpenInitializer(contract=USDC, role="token", signature="initialize()")
    context = [
        calm["proposer_history"].model_copy(update={"alike": (alike,)}),
        power.model_copy(
            update={"voters": 3, "weight_cast": 13, "largest_share_bps": 6_923, "largest": (voter,), "late": late}
        ),
        rules.model_copy(update={"flash_loan": 10**24}),
        calm["initializers"].model_copy(update={"open": (once_more,)}),
        calm["earlier_payments"].model_copy(update={"payments": (payment,)}),
    ]
    named = EnsName(address=MALLORY, name="mallory.eth")
    context.append(EnsNames(registry=USDC, names=(named,), not_believed=(USDC,)))
    other = LiveProposal(proposal_id=77, state="queued", created_block=5, calls=2, reverts=False)
    broken = other.model_copy(update={"proposal_id": 78, "reverts": True})
    then = Afterwards(after=(77,), reverts_alone=(), reverts=("0",), appears=Effects(), vanishes=Effects())
    others = {"live": 3, "not_asked": 4, "proposals": (other, broken), "afterwards": then}
    context.append(calm["live_proposals"].model_copy(update=others))
    said = section(dossier_of(facts_for(proposal, context=context)), "What was looked up")
    for words in (
        "**A text that is 99.5% alike, with the same functions**: proposal `5`",
        "Accounts that voted: 3; the largest cast 69.23% of what was cast",
        f"`{MALLORY}` (ENS: mallory.eth) voted for with 69.23% of what was cast",
        "**Votes since block 1,900 turned the majority around**",
        "**The token lends itself for the length of one transaction**",
        "**Anybody can initialise it again**: the token",
        f"`{MALLORY}` is mallory.eth",
        f"`{USDC}` claims a name that does not lead back to it, or is not plain",
        "**Since this was proposed**: 1 units of token",
        "Proposal `77` (queued, calls: 2)\n",
        "Proposal `78` (queued, calls: 2), **which does not go through now**",
        "Run after them (1), this one **reverts**: actions 0",
        "**Further ones that were not tried: 1**",
        "To propose takes 0.01% of all voting power; to pass takes 4% of all voting power",
    ):
        assert words in said, words


def test_a_result_that_is_none_of_its_tools_is_shown_as_it_is() -> None:
    """A record may be a stranger's, or of another release."""
    proposal = proposal_of([], "# Nothing")
    odd = ToolResult(tool="voting_power", version="99", grade=Grade.RE_READ, result={"voters": "[many](x)"})
    facts = facts_for(proposal).model_copy(update={"context": (odd,)})
    assert "voting\\_power** (re-read): voters: `[many](x)`\n" in section(dossier_of(facts), "What was looked up")


def test_many_of_one_kind_are_counted() -> None:
    roles = [call_of(address_of(f"vault {n % 2}"), "grantRole(bytes32,address)", bytes(32), MALLORY) for n in range(3)]
    owner = call_of(USDC, "transferOwnership(address)", address_of("somebody"))
    allowed = [call_of(USDC, "approve(address,uint256)", address_of(f"spender {n}"), 10**6) for n in range(2)]
    proposal = proposal_of([*roles, owner, *allowed], "# Text")
    said = lead(dossier_of(facts_for(proposal, simulation=simulated(), treasury=TREASURY)))
    assert said.startswith("Lets 2 others take 2 USDC, at most 0.01% of what the treasury holds. ")
    assert "Gives a role and ownership over 3 contracts to 2 receivers (grantRole, transferOwnership). " in said


def test_what_stands_in_a_findings_title_is_not_said_again() -> None:
    said = section(SAMPLES["hidden-power"](), "Findings")
    line = next(line for line in said.splitlines() if "grantRole gives " in line)
    assert line.endswith(" · call 0")
    assert "Calls:" not in said
    assert said.count(MALLORY) == len([line for line in said.splitlines() if MALLORY in line])


def test_the_first_line_names_the_checks_once() -> None:
    words = lead(SAMPLES["hidden-power"]())
    assert words.count("hidden-characters") == 1
    assert words.endswith("A check found something hidden or hostile. [hidden-or-hostile]")


def test_without_limit_stays_without_limit_in_a_sum() -> None:
    calls = [
        call_of(USDC, "approve(address,uint256)", MALLORY, UINT256_MAX),
        call_of(USDC, "transfer(address,uint256)", MALLORY, 10**6),
    ]
    facts = facts_for(proposal_of(calls, "# Pay"), treasury=TREASURY, simulation=not_simulated())
    assert "| any amount of USDC | 75,000 USDC | more than the treasury holds |" in section(
        dossier_of(facts), "What it"
    )


def test_a_setting_that_an_event_calls_otherwise_is_one_change_with_the_old_value() -> None:
    call = call_of(TIMELOCK, "updateDelay(uint256)", 0)
    change = Change(kind="governor-setting", contract=TIMELOCK, subject="MinDelay", detail="was 172800 s, is 0 s")
    facts = facts_for(proposal_of([call], "# Faster\n\nNo delay."), simulation=simulated(changes=[change]))
    said = section(dossier_of(facts), "What it does: power")
    assert said.count("Changes how") == 1
    assert "newDelay = 0` · was 172800 s, is 0 s" in said
    assert "Changes how" in lead(dossier_of(facts))


def test_a_proposal_of_nothing_without_a_text() -> None:
    dossier = dossier_of(facts_for(proposal_of([call_of(MALLORY)], "")))
    assert lead(dossier).startswith("Executes nothing. ")
    said = section(dossier, "The text against the calls")
    assert "There is no text." in said
    assert "Every call" not in said


def test_who_everybody_is() -> None:
    """Roles that the zero address has are everybody's."""
    proposal = proposal_of([call_of(USDC, "transfer(address,uint256)", MALLORY, 1)], "# Pay")
    calm = {reading.TOOL: reading for reading in uneventful(proposal, facts_for(proposal).governor.profile)}
    roles = (
        Role(timelock=TIMELOCK, role="executor", holder=ZERO_ADDRESS),
        Role(timelock=TIMELOCK, role="admin", holder=TIMELOCK),
    )
    found = calm["ground_rules"].model_copy(update={"roles": roles})
    context = (
        ToolResult(tool=found.TOOL, version=found.VERSION, grade=Grade.RE_READ, result=found.model_dump(mode="json")),
    )
    dossier = dossier_of(facts_for(proposal).model_copy(update={"context": context}))
    said = section(dossier, "What was looked up").replace("`", "")
    assert f"anybody is executor of {TIMELOCK}" in said
    assert f"{TIMELOCK} (the DAO's executor) is admin of itself" in said
    assert "Re-read: anybody can read it again from the chain." in said


def test_a_review_by_nobody_names_no_reviewer() -> None:
    whole = honest_payment()
    nobody = whole.model_copy(update={"header": whole.header.model_copy(update={"agent": NO_AGENT})})
    assert "reviewed by **gardener**" in to_markdown(report_of(whole))
    assert "reviewed by" not in to_markdown(report_of(nobody))


def test_why_nothing_was_simulated_is_said_once() -> None:
    whys = [f"{name}: the method {name} does not exist/is not available (code -32601)" for name in ("a", "b")]
    skipped = tuple(Skipped(step=why[0], why=why) for why in whys)
    why = f"{'; '.join(whys)}; each action was only tried alone"
    ran = not_simulated().model_copy(update={"why_skipped": why, "passed_over": skipped})
    steps = (Skipped(step="simulation", why=why), Skipped(step="tool:live_proposals", why=f"others are live: {why}"))
    facts = facts_for(proposal_of([call_of(MALLORY, value_wei=1)], "# Pay"), simulation=ran, skipped=steps)
    said = section(dossier_of(facts), "What could not be known").replace("*", "")
    assert said.count("code -32601") == 2
    assert "a was not used: the method a does not exist" in said
    assert "simulation was skipped: each action was only tried alone" in said
    assert "tool:live\\_proposals was skipped: others are live: nothing was simulated" in said
    assert "The check simulation-reverts did not run: no simulation: nothing was simulated" in said


def test_a_finding_about_what_has_no_limit_is_no_number_of_78_digits() -> None:
    calls = [
        call_of(USDC, "approve(address,uint256)", MALLORY, UINT256_MAX),
        call_of(USDC, "transfer(address,uint256)", MALLORY, 7),
    ]
    facts = facts_for(proposal_of(calls, "# Pay"), treasury=TREASURY, simulation=not_simulated())
    said = section(dossier_of(facts), "Findings")
    assert f"outflow: everything of {USDC}: more than the treasury holds" in said
    assert not re.search(r"\d{30}", said)
