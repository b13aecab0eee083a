"""What a member sees: agents, decisions, the story of each; links that last."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from pnyx_agents.audit.links import Links
from pnyx_contracts.decision_log import encode_register, encode_remark, encode_succeed
from pnyx_contracts.entry import Declaration, EntryKind, RemarkVerdict
from pnyx_contracts.types import Vote
from pnyx_policies.bundle import withhold
from pnyx_policies.context.ens_names import EnsName, EnsNames
from pnyx_policies.disclosure import disclose, parse_parts
from pnyx_policies.facts import Grade, ToolResult
from pnyx_tools.testing.decisions import LocalAgent, ask_outline
from pnyx_tools.testing.deploy import DAY, TOKEN, encode_call

from .conftest import DESCRIPTION, RECIPIENT, Open, World, analysis

SAYS = "It pays the gardener one ether."


@pytest.fixture(scope="module")
def gate(world: World) -> LocalAgent:
    """A gate with two decisions, a change of its configuration between them."""
    agent = world.gate()
    world.decide(agent)
    agent.change(world.RULESET.replace('then = "for"', 'then = "abstain"'))
    world.decide(agent, f"# Pay again\n\nSend 1 ETH to {RECIPIENT} for the garden.")
    return agent


@pytest.fixture(scope="module")
def model(world: World) -> LocalAgent:
    agent = world.model(analysis(SAYS), key=world.node.accounts[2])
    world.dao.give_power(agent.writer, 1_000)
    world.decide(agent, f"# Another\n\nSend 1 ETH to {RECIPIENT} for the garden.")
    return agent


def test_from_the_form_to_the_whole_story(world: World, gate: LocalAgent, open_page: Open) -> None:
    page = open_page(world.url).page
    page.get_by_label("RPC endpoint").fill(world.node.url)
    page.get_by_label("Address of the decision log").fill(world.log)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Place of the evidence").fill(f"{world.url}evidence/")
    page.get_by_label("Check up to block").fill("latest")
    page.get_by_role("button", name="Show the agents").click()
    page.get_by_role("link", name=gate.writer).click()
    newest = page.locator("#decisions > li").first
    expect(newest.locator(".reason")).to_contain_text("Nothing speaks against it.")
    expect(newest.locator(".vote")).to_have_text("Voted to abstain")
    expect(newest.locator("p").first).to_have_text("Pay again")
    assert page.locator("#decisions > li").count() == 4
    newest.locator("a").click()
    expect(page.locator("h1")).to_contain_text("Nothing speaks against it.")
    expect(page.locator("#field-calls")).to_contain_text(f"Pay 1 ETH to {RECIPIENT}")
    expect(page.locator("#field-rules")).to_contain_text("this rule decided")
    page.get_by_text("The proposal (written by its author").click()
    expect(page.locator("#field-proposal pre")).to_have_text(
        f"# Pay again\n\nSend 1 ETH to {RECIPIENT} for the garden."
    )
    assert page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]") == [[], [], ""]


def test_calls_read_as_in_a_review(world: World, open_page: Open) -> None:
    """Whole tokens, names of ENS, the chain that a message goes to and its coin."""
    dao, key = world.dao, "0x00000000000000000000000000000000000c0ffe"
    world.node.set_balance(key, TOKEN)
    world.node.impersonate(key)
    agent = world.plain_key(key=key)
    transfer = encode_call("transfer(address,uint256)", RECIPIENT, 3 * TOKEN // 2)
    abroad = encode_call("forwardMessage(uint256,address,uint256,bytes)", 137, dao.timelock, 1, b"\1\2")
    world.node.send(dao.token, encode_call("transfer(address,uint256)", dao.timelock, 5 * TOKEN))
    proposal = dao.propose([dao.token, RECIPIENT, RECIPIENT], [0, 0, 0], [transfer, abroad, b""], "# Pay in tokens")
    dao.advance_to_active(proposal)
    facts = agent.facts(dao, proposal)
    names = EnsNames(registry=dao.token, names=(EnsName(address=dao.token, name="votes.eth"),))
    result = names.model_dump(mode="json")
    context = ToolResult(tool=names.TOOL, version=names.VERSION, grade=Grade.RE_READ, result=result)
    facts = facts.model_copy(update={"context": (context,)})
    agent.write(dao, agent.seal(agent.conclude(facts, ask_outline(facts))))
    page = open_page(world.place("agent", agent.writer, "decision", agent.next_seq() - 1)).page
    calls = page.locator("#field-calls")
    expect(calls).to_contain_text(f"transfer(address,uint256) on {dao.token} (ENS: votes.eth)")
    expect(calls).to_contain_text("amount (uint256) = 1500000000000000000 · 1.5 VOTEB")
    expect(calls).to_contain_text("This runs on chain 137 (Polygon PoS): the addresses are addresses there.")
    expect(calls).to_contain_text(f"Nothing to {RECIPIENT}")
    assert f"{dao.timelock} (" not in calls.inner_text()


@pytest.mark.parametrize(
    ("rpc", "log", "says"),
    [
        ("javascript:alert(1)", "0x" + "11" * 20, "RPC endpoint must be a URL"),
        ("http://127.0.0.1:1", "0x11", "40 hexadecimal digits"),
    ],
)
def test_a_wrong_place_is_one_sentence(world: World, open_page: Open, rpc: str, log: str, says: str) -> None:
    page = open_page(world.url).page
    page.get_by_label("RPC endpoint").fill(rpc)
    page.get_by_label("Address of the decision log").fill(log)
    page.get_by_role("button", name="Show the agents").click()
    expect(page.get_by_role("alert").locator(".error")).to_contain_text(says)


def test_an_address_without_a_log_says_so(world: World, open_page: Open) -> None:
    page = open_page(world.place().replace(world.log, RECIPIENT)).page
    expect(page.get_by_role("alert")).to_contain_text(f"There is no contract at {RECIPIENT} on chain 31337")


def test_an_agent_says_who_holds_it_and_what_changed(world: World, gate: LocalAgent, open_page: Open) -> None:
    page = open_page(world.place("agent", gate.writer)).page
    standing = page.get_by_role("region", name="Standing")
    expect(standing.locator(".tier")).to_have_text("ENFORCED")
    for name, value in (("Operator", gate.key), ("Signer", gate.key), ("Guardian", world.node.accounts[0])):
        expect(standing.locator("dl.facts > div", has_text=name)).to_contain_text(value)
    history = page.get_by_role("region", name="How its configuration changed")
    expect(history.locator("li").first).to_contain_text("Configuration 1: in force from block")
    expect(history.locator("li").first).to_contain_text("ruleset hash")
    expect(history.locator("li").last).to_contain_text("autonomous")


@pytest.mark.parametrize(("who", "tier"), [("gate", "ENFORCED"), ("model", "DECLARED")])
def test_each_decision_wears_what_its_vote_rests_on(
    world: World, open_page: Open, request: pytest.FixtureRequest, who: str, tier: str
) -> None:
    writer = request.getfixturevalue(who).writer
    page = open_page(world.place("agent", writer)).page
    expect(page.locator("#decisions > li").first.locator(".tier")).to_have_text(tier)
    expect(page.locator("#decisions > li").first.locator(".status")).to_have_text("checked")
    page.goto(world.place("agent", writer, "decision", 1))
    expect(page.locator(".tags").first.locator(".tier")).to_have_text(tier)
    expect(page.locator(".tags").first.locator(".status")).to_have_text("checked")


def test_a_paused_gate_is_shown_as_paused(world: World, open_page: Open) -> None:
    agent = world.gate(key=world.node.accounts[3])
    world.node.send(agent.writer, encode_call("pauseVotes()"), sender=world.node.accounts[0])
    page = open_page(world.place("agent", agent.writer)).page
    expect(page.get_by_text("votes paused")).to_be_visible()
    page.goto(world.place("agent", agent.writer, "delegate"))
    expect(page.locator("main")).to_contain_text("power that you delegate now is not used")


def test_the_prompt_is_shown_as_it_was_sent(world: World, model: LocalAgent, open_page: Open) -> None:
    page = open_page(world.place("agent", model.writer, "decision", 1, "field", "attempts")).page
    attempts = page.locator("#field-attempts")
    attempts.get_by_text("Opinion 0, attempt 0").click()
    sent = attempts.locator("pre").first
    expect(sent).to_contain_text('"model":"scripted"')
    expect(attempts.locator("pre").nth(1)).to_contain_text(SAYS)
    page.get_by_text("What each model answered").click()
    expect(page.locator("#field-opinions")).to_contain_text(f"{SAYS}Advice: for, 90 % sure.")


def test_links_lead_back_to_the_same_place(world: World, gate: LocalAgent, open_page: Open) -> None:
    page = open_page(world.place("agent", gate.writer, "decision", 1, "field", "ruleset")).page
    for _ in range(2):
        expect(page.locator("#field-ruleset")).to_have_attribute("open", "")
        expect(page.locator("#field-ruleset summary")).to_be_focused()
        expect(page.locator("#field-ruleset pre")).to_contain_text('id = "calm"')
        page.reload()


def test_a_copied_link_leads_there_and_keeps_keys_private(world: World, gate: LocalAgent, open_page: Open) -> None:
    rpc = quote(world.node.url, safe="")
    secret = world.place("agent", gate.writer).replace(rpc, rpc + "%3Fkey%3Dsecret")
    for place, private in ((world.place("agent", gate.writer), False), (secret, True)):
        page = open_page(place, permissions=["clipboard-read", "clipboard-write"]).page
        page.get_by_role("button", name="Copy link to this agent").click()
        expect(page.get_by_role("status")).to_contain_text("without your RPC endpoint" if private else "Link copied.")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert gate.writer in copied
        assert ("secret" in copied, rpc in copied) == (False, not private)


@pytest.mark.parametrize(
    ("inside", "button", "shows"),
    [
        ("", "Show the agent", "#decisions"),
        ("/decision/1", "Show the decision", "#field-calls"),
        ("/decision/1/field/ruleset", "Show the decision", "#field-ruleset[open] > summary:focus"),
    ],
)
def test_a_feeds_link_asks_for_an_endpoint_and_goes_on(
    world: World, gate: LocalAgent, open_page: Open, inside: str, button: str, shows: str
) -> None:
    """Feeds name no endpoint: that is the member's own affair."""
    links = Links.parse(world.url, world.log)
    page = open_page(f"{links.agent(gate.writer)}{inside}").page
    expect(page.get_by_label("Address of the decision log")).to_have_value(world.log)
    page.get_by_label("RPC endpoint").fill(world.node.url)
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Place of the evidence").fill(f"{world.url}evidence/")
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.locator(shows)).to_be_visible()
    assert f"/agent/{gate.writer}{inside}?" in page.url


def test_a_link_of_another_log_is_not_followed_into_this_one(world: World, gate: LocalAgent, open_page: Open) -> None:
    page = open_page(f"{Links.parse(world.url, RECIPIENT).agent(gate.writer)}/decision/1").page
    page.get_by_label("RPC endpoint").fill(world.node.url)
    page.get_by_label("Address of the decision log").fill(world.log)
    page.get_by_role("button", name="Show the decision").click()
    expect(page.locator("h1")).to_have_text("The agents of this log")


def test_evidence_that_is_gone_is_not_hidden(world: World, open_page: Open) -> None:
    agent = world.gate(key=world.node.accounts[4])
    proposal = world.dao.propose([RECIPIENT], [1], [b""], "# Gone")
    world.dao.advance_to_active(proposal)
    sealed = agent.act(world.dao, proposal)
    world.forget(sealed.bundle.record_root)
    page = open_page(world.place("agent", agent.writer)).page
    expect(page.locator("#decisions > li")).to_contain_text("Its reason cannot be shown. The evidence is not there.")
    expect(page.locator("#decisions .status")).to_have_text("withheld")


def test_what_everybody_can_check_is_checked_in_a_worker(world: World, gate: LocalAgent, open_page: Open) -> None:
    page = open_page(world.place("agent", gate.writer)).page
    expect(page.locator("#decisions > li .status").first).to_have_text("checked", timeout=20_000)
    page.goto(world.place("agent", gate.writer, "decision", 1))
    section = page.get_by_role("region", name="What your browser checked")
    for step in ("9. Evidence", "10. Header", "12. Proposal", "19. Decision", "20. Entry"):
        expect(section.get_by_role("row", name=step)).to_contain_text("matches")
    expect(section).to_contain_text("Only the program pnyx verify checks: state, simulation")


def test_a_lie_is_shown_with_its_place(world: World, open_page: Open) -> None:
    """A vote that the rules did not give: the entry says against, its record for."""
    agent = world.agent(key=world.node.accounts[5])
    agent.register()
    world.dao.give_power(agent.writer, 1_000)
    proposal = world.dao.propose([RECIPIENT], [TOKEN], [b""], f"{DESCRIPTION}\n\nA lie, again.")
    world.dao.advance_to_active(proposal)
    sealed = agent.review(world.dao, proposal)
    key = sealed.dossier.proposal.key
    agent.enter(key, EntryKind.VOTE, sealed.bundle.record_root, sealed.bundle.prompt_hash, bytes(32))
    agent.cast(world.dao, key, Vote.AGAINST)
    page = open_page(world.place("agent", agent.writer)).page
    expect(page.locator("#decisions > li .status")).to_contain_text("differs at", timeout=20_000)


def test_a_successor_and_its_predecessor_name_each_other(world: World, open_page: Open) -> None:
    node, (old, new) = world.node, world.node.accounts[7:9]
    for writer in (old, new):
        declaration = Declaration(config_hash=b"\1" * 32, governors=(world.dao.governor,), evidence_uri="")
        node.send(world.log, encode_register(old, DAY, declaration), sender=writer)
    node.send(world.log, encode_succeed(old, 1, new), sender=old)
    page = open_page(world.place("agent", old)).page
    standing = page.get_by_role("region", name="Standing")
    expect(standing).to_contain_text(f"It handed over to {new} and writes no more.")
    standing.get_by_role("link", name=new).click()
    expect(page.get_by_role("region", name="Standing")).to_contain_text(f"It took over from {old}.")
    expect(page.locator("#decisions > li .reason")).to_have_text("Took over from a predecessor")
    expect(page.locator("#decisions > li .status")).to_have_text("checked")


def test_remarks_are_shown_as_what_they_are(world: World, gate: LocalAgent, open_page: Open) -> None:
    critic, uri = world.node.accounts[9], "javascript:alert(1)//\u202e"
    said = encode_remark(gate.writer, 1, RemarkVerdict.WITHHELD, bytes(32), uri)
    world.node.send(world.log, said, sender=critic)
    page = open_page(world.place("agent", gate.writer, "decision", 1)).page
    remarks = page.get_by_role("region", name="What others say about it")
    expect(remarks).to_contain_text(f"{critic} says that evidence is withheld")
    expect(remarks).to_contain_text("javascript:alert(1)//⟨U+202E⟩")
    assert remarks.locator("a").count() == 0


def test_a_disclosure_opens_what_was_sealed(world: World, open_page: Open, tmp_path: Path) -> None:
    agent = world.gate(key=world.node.accounts[3], sealed=("rules",))
    proposal = world.dao.propose([RECIPIENT], [TOKEN], [b""], f"{DESCRIPTION}\n\nSealed, again.")
    world.dao.advance_to_active(proposal)
    sealed = agent.act(world.dao, proposal)
    page = open_page(world.place("agent", agent.writer, "decision", 1)).page
    rules = page.locator("#field-rules")
    expect(rules).to_contain_text("The agent does not publish this part.")
    checked = page.get_by_role("region", name="What your browser checked")
    expect(checked.get_by_role("row", name="19. Decision")).to_contain_text("rules is sealed, as the agent declares")
    file = tmp_path / "rules.json"
    file.write_bytes(disclose(sealed.bundle, parse_parts("rules")).to_bytes())
    page.get_by_role("link", name="Check a file").click()
    page.get_by_label("Drop an evidence bundle").set_input_files(file)
    expect(page.get_by_role("row", name="rules")).to_contain_text("matches its fingerprint")
    page.get_by_role("link", name="Voted for, entry 1").click()
    expect(rules).to_contain_text("this rule decided")
    expect(checked.get_by_role("row", name="19. Decision").first).to_contain_text("matches")
    changed = tmp_path / "changed.json"
    changed.write_bytes(file.read_bytes().replace(b"does not match", b"does match"))
    page.get_by_role("link", name="Check a file").click()
    page.get_by_label("Drop an evidence bundle").set_input_files(changed)
    expect(page.get_by_role("alert")).to_contain_text("This disclosure is not what it claims to be")


def test_a_decision_names_what_is_sealed_and_what_a_disclosure_opens_of_it(
    world: World, open_page: Open, tmp_path: Path
) -> None:
    agent = world.agent(key=world.node.accounts[3], sealed=("rules", "ruleset"))
    agent.register()
    world.dao.give_power(agent.writer, 1_000)
    proposal = world.dao.propose([RECIPIENT], [TOKEN], [b""], f"{DESCRIPTION}\n\nSealed once again.")
    world.dao.advance_to_active(proposal)
    sealed = agent.act(world.dao, proposal)
    page = open_page(world.place("agent", agent.writer, "decision", 1)).page
    at_a_glance = page.locator("main dl.facts > div")
    rules, ruleset = page.locator("#field-rules"), page.locator("#field-ruleset")
    expect(at_a_glance.filter(has_text="Sealed, as declared")).to_contain_text("rules, ruleset")
    expect(rules.locator("summary .tag")).to_have_text("sealed")
    expect(rules).to_contain_text("It declares this part sealed.")
    expect(page.locator("#field-calls summary .tag")).to_have_count(0)
    for part, standing in (("rules[1]", "sealed, opened in part"), ("rules", "opened by a disclosure")):
        file = tmp_path / "disclosure.json"
        file.write_bytes(disclose(sealed.bundle, parse_parts(part)).to_bytes())
        page.get_by_role("link", name="Check a file").click()
        page.get_by_label("Drop an evidence bundle").set_input_files(file)
        expect(page.get_by_role("row", name=f"{part} matches")).to_be_visible()
        page.get_by_role("link", name="Voted for, entry 1").click()
        expect(rules.locator("summary .tag")).to_have_text(standing)
        expect(at_a_glance.filter(has_text="Opened by a disclosure")).to_contain_text(part)
        expect(rules).to_contain_text("calm (then for) this rule decided")
        expect(rules.get_by_text("critical (then against)")).to_have_count(int(part == "rules"))
    expect(ruleset.locator("summary .tag")).to_have_text("sealed")


def test_what_is_withheld_without_a_word_is_not_called_sealed(world: World, open_page: Open) -> None:
    agent = world.agent(key=world.node.accounts[4])
    agent.register()
    world.dao.give_power(agent.writer, 1_000)
    proposal = world.dao.propose([RECIPIENT], [TOKEN], [b""], f"{DESCRIPTION}\n\nWithheld, again.")
    world.dao.advance_to_active(proposal)
    bundle = agent.act(world.dao, proposal).bundle
    world.forget(bundle.record_root)
    agent.evidence.put_bundle(withhold(bundle, ("rules",)))
    page = open_page(world.place("agent", agent.writer, "decision", 1)).page
    expect(page.locator("#field-rules summary .tag")).to_have_text("withheld")
    expect(page.locator("#field-rules")).to_contain_text("Its configuration does not declare it sealed.")
    expect(page.locator("main .status").first).to_have_text("not proven")


def test_an_agent_without_entries_and_a_stranger_uri(world: World, open_page: Open) -> None:
    """What an agent declares is a stranger's text, too: it is shown and not followed."""
    uri = "javascript:alert('x')//\u202e<img src=x onerror=alert(1)>"
    declaration = Declaration(config_hash=b"\1" * 32, governors=(world.dao.governor,), evidence_uri=uri)
    writer = world.node.accounts[6]
    world.node.send(world.log, encode_register(writer, DAY, declaration), sender=writer)
    page = open_page(world.place("agent", writer)).page
    expect(page.get_by_text("It has written nothing yet.")).to_be_visible()
    standing = page.get_by_role("region", name="Standing")
    expect(standing).to_contain_text("javascript:alert('x')//⟨U+202E⟩<img src=x onerror=alert(1)>")
    assert page.locator("main a:not([href^='#/'])").count() == 0
    assert page.locator("main img").count() == 0


@pytest.mark.usefixtures("gate")
def test_a_bundle_that_is_dropped_is_checked_part_by_part(world: World, open_page: Open, tmp_path: Path) -> None:
    page = open_page(world.place("check")).page
    parts = (b'"attempts":[]', b'"rules":[{', b"Nothing speaks against it")  # others are sealed
    file = next(f for f in sorted(world.folder.glob("*.json")) if all(part in f.read_bytes() for part in parts))
    page.get_by_label("Drop an evidence bundle").set_input_files(file)
    expect(page.locator("main")).to_contain_text("This evidence bundle is what an entry on chain commits to.")
    expect(page.get_by_role("row", name="rules matches")).to_contain_text("matches its fingerprint")
    changed = tmp_path / file.name
    changed.write_bytes(file.read_bytes().replace(b"Nothing speaks against it", b"Nothing speaks for it not"))
    page.get_by_label("Drop an evidence bundle").set_input_files(changed)
    expect(page.get_by_role("alert")).to_contain_text("not what it claims to be")
    expect(page.get_by_role("row", name="decision")).to_contain_text("differs from its fingerprint")
    other = tmp_path / "other.json"
    other.write_text("{}")
    page.get_by_label("Drop an evidence bundle").set_input_files(other)
    expect(page.get_by_role("alert")).to_contain_text("neither an evidence bundle")


@pytest.mark.usefixtures("gate")
def test_a_file_is_taken_where_it_is_dropped(world: World, open_page: Open) -> None:
    """As a browser tells a page of it: a real file in a real transfer, on whatever element lies under the pointer."""
    page = open_page(world.place("check")).page
    file = next(f for f in sorted(world.folder.glob("*.json")) if b'"rules":[{' in f.read_bytes())
    transfer = page.evaluate_handle(
        """([name, text]) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([text], name, { type: 'application/json' }));
            return transfer;
        }""",
        [file.name, file.read_text()],
    )
    target = page.locator("h1")
    target.dispatch_event("dragover", {"dataTransfer": transfer})
    expect(page.locator(".drop")).to_have_class("drop over")
    target.dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator(".drop")).to_have_class("drop")
    expect(page.locator("main")).to_contain_text("This evidence bundle is what an entry on chain commits to.")
    expect(page.get_by_role("row", name="rules matches")).to_be_visible()
    assert page.url.partition("?")[0].endswith("/check"), "the browser opened the file itself"


def test_an_account_that_runs_our_code_is_atomic_and_checked(world: World, open_page: Open) -> None:
    """EIP-7702: the entry and its vote come in one transaction of the account itself."""
    agent = world.agent(key=world.node.accounts[9])
    agent.register_atomic()
    world.dao.give_power(agent.writer, 1_000)
    world.decide(agent, f"# Atomic\n\nSend 1 ETH to {RECIPIENT} for the garden again.")
    page = open_page(world.place("agent", agent.writer)).page
    standing = page.get_by_role("region", name="Standing")
    expect(standing.locator(".tier")).to_have_text("ATOMIC")
    expect(standing).to_contain_text("Its votes come in one transaction with their entry")
    expect(standing.locator(".status")).to_have_text("checked")
    expect(page.locator("#decisions > li")).to_have_count(1)
    expect(page.locator("#decisions > li .vote")).to_have_text("Voted for")
    expect(page.locator("#decisions > li .status")).to_have_text("checked")
    expect(page.locator("#decisions > li .tier")).to_have_text("ATOMIC")
    page.locator("#decisions > li a").click()
    expect(page.locator(".tags").first.locator(".tier")).to_have_text("ATOMIC")
    checked = page.get_by_role("region", name="What your browser checked")
    expect(checked.get_by_role("row", name="6. Votes")).to_contain_text("matches")
