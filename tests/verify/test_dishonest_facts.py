"""Facts in a record that are not those of the chain."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.address import to_checksum_address

from pnyx_contracts.calldata import decode_calls
from pnyx_contracts.selectors import selector_of
from pnyx_policies.asset_prices import PriceOrigin
from pnyx_policies.context import searched_from
from pnyx_policies.decision import Outcome
from pnyx_policies.facts import Grade, Holding, ProbeAnswer, Simulation, SimulationStatus, Skipped
from pnyx_policies.probes import Probe
from pnyx_policies.verify import Status, Step
from pnyx_tools.context import OwnLog, SearchingTool, ToolSkipped, builtin_tools
from pnyx_tools.gather import gather_facts
from pnyx_tools.testing.decisions import Outlined
from pnyx_tools.testing.provider import Provider, error


def test_a_vote_for_another_text(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    other = honest.dossier.proposal.model_copy(update={"description": b"# Something nicer"})
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, proposal=other)))
    assert (Step.PROPOSAL, "proposal.description") in world.check_fails()


def test_a_proposal_that_was_never_announced(world, agent, proposal):
    world.write_changed(agent, proposal, proposal__created_block=1)
    steps = {v.step: v.status for v in world.check().problems}
    assert steps[Step.PROPOSAL] is Status.MISSING


def test_calls_that_were_decoded_kindly(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    calls = (honest.dossier.calls[0].model_copy(update={"note": "perfectly harmless"}),)
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, calls=calls)))
    assert (Step.PROPOSAL, "calls[0].note") in world.check_fails()


def test_a_record_that_breaks_a_step_does_not_hold_and_the_others_are_checked(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    calls = (honest.dossier.calls[0].model_copy(update={"path": "0" * 100}),)
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, calls=calls)))
    agent.act(world.blocks, world.open_proposal())
    report = world.check()
    assert {(1, Step.ANSWERS, "record")} <= {(v.about.seq, v.step, v.where) for v in report.problems}
    assert {v.about.seq for v in report.problems} == {1}
    assert [v.status for v in world.verdicts if v.step is Step.ENTRY] == [Status.MATCHES, Status.MATCHES]


def test_a_review_bound_to_something_else(world, agent, proposal):
    world.write_changed(agent, proposal, state__review_digest=bytes(32))
    assert (Step.PROPOSAL, "state.review_digest") in world.check_fails()


@pytest.mark.parametrize(
    ("part", "value", "where"),
    [
        ("state__voter__voting_power", 7, "state.voter.voting_power"),
        ("state__governor__quorum", 1, "state.governor.quorum"),
        ("state__treasury", (), "state.treasury[0]"),
    ],
)
def test_state_that_was_made_up(world, agent, proposal, part, value, where):
    world.write_changed(agent, proposal, **{part: value})
    assert (Step.STATE, where) in world.check_fails()


def test_a_pinned_block_that_is_not_on_the_chain(world, agent, proposal):
    world.write_changed(agent, proposal, state__block__hash=bytes(32))
    assert world.check_fails() == {(Step.STATE, "state.block")}


def test_a_look_before_the_proposal_existed(world, agent, proposal):
    before = world.node.rpc.block(world.blocks.proposals[proposal].created_block - 1)
    world.write_changed(agent, proposal, state__block=before)
    assert Step.STATE in {step for step, _ in world.check_fails()}


def test_a_look_before_there_was_a_governor(world, agent, proposal):
    """Nothing can be read again there: that is no excuse."""
    world.write_changed(agent, proposal, state__block=world.node.rpc.block(1), state__voter__voting_power=7)
    why = "what the governor was at the pinned block is asked by step 13"
    assert (Step.STATE, "state.block.number") in world.check_fails(python_alone=why)


def test_a_simulation_that_hides_a_transfer(world, agent, proposal):
    world.write_changed(agent, proposal, simulation__movements=())
    assert (Step.SIMULATION, "simulation.movements[0]") in world.check_fails()


def test_earlier_code_that_was_made_up_or_left_out(world, agent, proposal):
    (earlier,) = agent.facts(world.blocks, proposal).earlier_code
    other = earlier.model_copy(update={"code_hashes": dict.fromkeys(earlier.code_hashes, bytes(32))})
    elsewhere = earlier.model_copy(update={"block": earlier.block - 1})
    for told, where in (((other,), f"[0].code_hashes.{min(earlier.code_hashes)}"), ((), ""), ((elsewhere,), "[0]")):
        before = world.node.snapshot()
        world.write_changed(agent, proposal, state__earlier_code=told)
        assert any(at.startswith(f"state.earlier_code{where}") for _, at in world.check_fails()), told
        world.node.revert(before)


def test_a_node_that_had_forgotten_the_block_of_the_proposal_is_believed_and_named(world, agent, proposal):
    facts = agent.facts(world.blocks, proposal)
    skipped = (*facts.skipped, Skipped(step="code when proposed", why="missing trie node"))
    forgot = facts.model_copy(update={"earlier_code": (), "skipped": skipped})
    agent.write(world.blocks, world.concluded(agent, forgot))
    assert world.check().ok
    assert any("code when proposed could not run is the operator's word" in v.reason for v in world.verdicts)


def test_probes_that_the_configuration_does_not_declare(world, agent, proposal):
    probe = Probe(name="price", contract=world.blocks.token, calldata=bytes(4))
    world.write_changed(agent, proposal, state__probes=(probe,))
    assert (Step.DECLARED_CONFIGURATION, "state.probes") in {(step, at[:12]) for step, at in world.check_fails()}


NONCES = f"0x{selector_of('nonces(address)').hex()}"


@pytest.fixture
def interfaces(world):
    """What no table has, but the operator: a function of the token."""
    return {world.blocks.token: {NONCES: "nonces(address holder)"}}


def reading_nonces(world):
    calldata = selector_of("nonces(address)") + bytes(32)
    number = world.blocks.propose([world.blocks.token], [0], [calldata], "# Read a number")
    world.blocks.advance_to_active(number)
    return number


def test_calls_are_decoded_again_by_the_declared_interfaces(world, interfaces):
    agent, proposal = world.plain_key(interfaces=interfaces), reading_nonces(world)
    agent.act(world.blocks, proposal)
    dossier = agent.review(world.blocks, proposal).dossier
    assert [call.signature for call in dossier.calls] == ["nonces(address)"]
    assert dossier.state.interfaces == interfaces
    assert not [f for r in dossier.checks if r.check == "unknown-calldata" for f in r.findings]
    assert world.check().ok


def test_an_interface_for_one_vote(world, agent, interfaces):
    """A call gets a name in one record only: the configuration does not declare the function."""
    proposal = reading_nonces(world)
    assert agent.facts(world.blocks, proposal).calls[0].signature is None
    calls = decode_calls(agent.facts(world.blocks, proposal).proposal.calls, world.node.rpc.chain_id(), interfaces)
    world.write_changed(agent, proposal, state__interfaces=interfaces, calls=calls)
    assert (Step.DECLARED_CONFIGURATION, "state.interfaces") in {(s, at[:16]) for s, at in world.check_fails()}


def test_a_declared_interface_that_a_record_leaves_out(world, interfaces):
    agent, proposal = world.plain_key(interfaces=interfaces), reading_nonces(world)
    world.write_changed(agent, proposal, state__interfaces={})
    found = {(step, at[:16]) for step, at in world.check_fails(python_alone="decoding again is left to Python")}
    assert {(Step.DECLARED_CONFIGURATION, "state.interfaces"), (Step.PROPOSAL, "calls[0].argumen")} <= found


def test_readings_of_probes_are_read_again(world):
    supply = Probe(name="supply", contract=world.blocks.token, calldata=selector_of("totalSupply()"))
    agent, proposal = world.plain_key(probes=(supply,)), world.open_proposal()
    (honest,) = agent.facts(world.blocks, proposal).simulation.readings
    agent.act(world.blocks, proposal)
    assert world.check().ok
    forged = honest.model_copy(update={"after": ProbeAnswer(data=bytes(32))})
    world.write_changed(agent, world.open_proposal(), simulation__readings=(forged,))
    assert (Step.SIMULATION, "simulation.readings[0].after.data") in world.check_fails()


def test_prices_stand_where_the_configuration_says_and_are_read_again(world):
    origin = PriceOrigin(asset=world.blocks.token, fixed=2 * 10**18)
    agent, proposal = world.plain_key(prices=(origin,)), world.open_proposal()
    agent.act(world.blocks, proposal)
    assert world.check().ok
    elsewhere = origin.model_copy(update={"fixed": 3 * 10**18})
    world.write_changed(agent, world.open_proposal(), state__prices=(elsewhere,))
    fails = world.check_fails()
    place = place_of("asset_prices", agent.facts(world.blocks, proposal).context)
    assert {at[:12] for step, at in fails if step is Step.DECLARED_CONFIGURATION} == {"state.prices"}
    assert (Step.CONTEXT, f"context[{place}].result.prices[0].price") in fails


def test_balances_around_the_actions_are_read_again(world, interfaces):
    agent, proposal = world.plain_key(interfaces=interfaces), reading_nonces(world)
    honest = agent.facts(world.blocks, proposal).simulation.balances
    place = next(place for place, balance in enumerate(honest) if balance.token == world.blocks.token)
    assert (honest[place].before, honest[place].after) == (0, 0)
    forged = honest[place].model_copy(update={"after": 1})
    world.write_changed(agent, proposal, simulation__balances=(*honest[:place], forged, *honest[place + 1 :]))
    assert (Step.SIMULATION, f"simulation.balances[{place}].after") in world.check_fails()


def unsimulated(facts, why="no time"):
    """What is known on a node that does not simulate."""
    simulation = Simulation(status=SimulationStatus.SKIPPED, why_skipped=why, executor=facts.simulation.executor)
    return facts.model_copy(update={"simulation": simulation, "skipped": (Skipped(step="simulation", why=why),)})


def test_a_simulation_that_could_not_run_is_said_plainly(world, proposal):
    """The decision would be the same: nothing hides behind it."""
    agent = world.plain_key(ruleset='name = "empty"\nversion = "1"\n')
    sealed = world.concluded(agent, unsimulated(agent.facts(world.blocks, proposal)))
    agent.write(world.blocks, sealed)
    report = world.check()
    assert report.ok
    (simulation,) = [v for v in world.verdicts if v.step is Step.SIMULATION]
    assert simulation.status is Status.NOT_CHECKABLE
    assert "no time" in simulation.reason


GRANTS_A_ROLE = bytes.fromhex(
    "73" + "00" * 19 + "aa" + "73" + "00" * 19 + "bb" + "6000"
    "7f" + keccak(b"RoleGranted(bytes32,address,address)").hex() + "60006000a400"
)
"""Code that emits RoleGranted whatever it is called with."""


def test_a_skipped_simulation_that_hides_an_against(world, agent):
    """Only the simulation shows what the call does. "It could not run" turns "against" into something else."""
    target = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(target, GRANTS_A_ROLE)
    text = f"# Website\n\nCalls {target} to refresh our web site."
    hostile = world.blocks.propose([target], [0], [b"\x12\x34\x56\x78"], text)
    world.blocks.advance_to_active(hostile)
    honest = agent.review(world.blocks, hostile)
    lie = world.concluded(agent, unsimulated(honest.dossier.facts))
    assert honest.dossier.decision.outcome is Outcome.AGAINST
    assert lie.dossier.decision.outcome is not Outcome.AGAINST
    agent.write(world.blocks, lie)
    report = world.check()
    assert report.problems == []
    (unproven,) = report.unproven
    assert unproven.step is Step.DECISION
    assert f"the record decides {lie.dossier.decision.outcome.value}" in unproven.reason
    assert "the rules decide against" in unproven.reason
    assert report.exit_code == 1


@pytest.mark.parametrize("skipped", [(), (Skipped(step="simulation", why="x"), Skipped(step="simulation", why="x"))])
def test_a_simulation_is_skipped_or_not(world, agent, proposal, skipped):
    facts = unsimulated(agent.facts(world.blocks, proposal)).model_copy(update={"skipped": skipped})
    agent.write(world.blocks, world.concluded(agent, facts))
    assert world.check_fails() == {(Step.SIMULATION, "state.skipped")}


CAREFUL = """[[rule]]
id = "careful"
because = "Too little is known."
when = ["steps.skipped > 0"]
then = "hold"

[[rule]]"""


@pytest.mark.parametrize("step", ["targets", "quorum"])
def test_a_step_that_is_said_to_be_skipped_and_was_not(world, proposal, step):
    agent = world.plain_key(ruleset=world.RULESET.replace("[[rule]]", CAREFUL, 1))
    facts = agent.facts(world.blocks, proposal).model_copy(update={"skipped": (Skipped(step=step, why="no time"),)})
    sealed = world.concluded(agent, facts)
    assert sealed.dossier.decision.outcome is Outcome.HOLD
    agent.write(world.blocks, sealed)
    report = world.check()
    assert {(v.step, v.where) for v in report.problems} == {(Step.STATE, "state.skipped")}
    assert {v.step for v in report.unproven} == {Step.DECISION}


class OfAPlugin:
    """A declared tool that members do not have."""

    name = "of-a-plugin"
    version = "1"
    grade = Grade.ATTESTED
    description = "Never has time."

    def run(self, *_):
        raise ToolSkipped("no time")


def test_a_skipped_step_that_nobody_can_check_must_not_decide(world, proposal):
    agent = world.plain_key(
        ruleset=world.RULESET.replace("[[rule]]", CAREFUL, 1), tools=[*builtin_tools(), OfAPlugin()]
    )
    agent.act(world.blocks, proposal)
    report = world.check()
    assert report.problems == []
    (unproven,) = report.unproven
    assert unproven.step is Step.DECISION
    assert "decides hold" in unproven.reason
    assert "decide for" in unproven.reason


def test_a_skipped_step_that_decides_nothing_is_the_operators_word(world, proposal):
    world.plain_key(tools=[OfAPlugin()]).act(world.blocks, proposal)
    report = world.check()
    assert report.ok
    assert any("tool:of-a-plugin" in v.reason and v.grade is Grade.ATTESTED for v in world.verdicts)


def test_a_skipped_step_that_is_not_told(world, agent):
    """A token that does not say what the treasury holds was left out of the balances: rules count that."""
    token = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(token, bytes.fromhex("60006000fd"))
    transfer = keccak(b"transfer(address,uint256)")[:4] + encode(["address", "uint256"], [world.RECIPIENT, 5])
    number = world.blocks.propose([token], [0], [transfer], "# Pay\n\nPay.")
    world.blocks.advance_to_active(number)
    facts = agent.facts(world.blocks, number)
    assert [skipped.step for skipped in facts.skipped] == ["treasury"]
    agent.write(world.blocks, world.concluded(agent, facts.model_copy(update={"skipped": ()})))
    assert (Step.STATE, "state.skipped") in world.check_fails()


def test_code_that_changed_between_review_and_vote(world, agent):
    target = "0x00000000000000000000000000000000000E0E0E"
    world.node.set_code(target, b"\x00")
    number = world.blocks.propose([target], [0], [b""], f"# Call\n\nCall {target}.")
    world.blocks.advance_to_active(number)
    sealed = agent.review(world.blocks, number)
    world.node.mine(1)  # code that is set belongs to the newest block, which the review looked at
    world.node.set_code(target, b"\x00\x00")
    world.node.mine(1)
    agent.write(world.blocks, sealed)
    problem = world.only_problem(world.check())
    assert (problem.step, problem.where) == (Step.STATE, "state.targets[0]")
    assert "changed between review and vote" in problem.reason


def test_context_that_was_made_up(world, proposal):
    agent = world.plain_key(tools=builtin_tools())
    honest = agent.review(world.blocks, proposal)
    first, *rest = honest.dossier.context
    first = first.model_copy(update={"result": {"all": "well"}})
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, context=(first, *rest))))
    assert Step.CONTEXT in {step for step, _ in world.check_fails()}


def test_context_that_calls_itself_the_operators_word(world, proposal):
    """What a built-in tool found can be found again, whatever grade the record gives it."""
    agent = world.plain_key(tools=builtin_tools())
    facts = agent.facts(world.blocks, proposal)
    first, *rest = facts.context
    made_up = first.model_copy(update={"result": {"all": "well"}, "grade": Grade.ATTESTED})
    agent.write(world.blocks, world.concluded(agent, facts.model_copy(update={"context": (made_up, *rest)})))
    assert world.check_fails() == {(Step.CONTEXT, "context[0].grade")}


def place_of(tool, results):
    return next(number for number, result in enumerate(results) if result.tool == tool)


@pytest.mark.parametrize(
    "tool",
    [
        "proposer_history",
        "voting_power",
        "ground_rules",
        "initializers",
        "held_proposals",
        "destroyed_code",
        "code_origin",
        "proposer_account",
        "power_receivers",
        "first_coin",
        "upgraded_functions",
        "price_sources",
        "upgraded_values",
        "inner_calls",
    ],
)
def test_context_that_checks_read_is_read_again(world, agent, proposal, tool):
    """Each with one number changed, and everything that follows from it."""
    facts = agent.facts(world.blocks, proposal)
    place = place_of(tool, facts.context)
    lie = {
        "proposer_history": {"proposals_in_governor": 1_000},
        "voting_power": {"power_ahead_of_time": "0"},
        "ground_rules": {"voting_delay": "14400"},
        "initializers": {"left_out": 1},
        "held_proposals": {"held": 21},
        "destroyed_code": {"makes_room": False},
        "code_origin": {"left_out": "1"},
        "proposer_account": {"sender_transactions": "1000"},
        "power_receivers": {"left_out": 1},
        "first_coin": {"block": 7},
        "upgraded_functions": {"left_out": 1},
        "price_sources": {"left_out": 1},
        "upgraded_values": {"left_out": 1},
        "inner_calls": {"left_out": 1},
    }[tool]
    result = facts.context[place].model_copy(update={"result": facts.context[place].result | lie})
    context = (*facts.context[:place], result, *facts.context[place + 1 :])
    agent.write(world.blocks, world.concluded(agent, facts.model_copy(update={"context": context})))
    assert world.check_fails() == {(Step.CONTEXT, f"context[{place}].result.{next(iter(lie))}")}


def test_a_search_of_the_past_that_ended_early_is_told_and_read_again(world, agent, proposal):
    facts = agent.facts(world.blocks, proposal)
    first = facts.proposal.created_block
    shorter = [t.no_further_than(first) if isinstance(t, SearchingTool) else t for t in builtin_tools()]
    short = gather_facts(
        world.node.rpc, world.blocks.adapter, world.blocks.profile, facts.proposal, voter=agent.writer,
        own_log=OwnLog(agent.log, agent.writer), block=facts.block.number, tools=shorter,
    )  # fmt: skip
    assert searched_from(short.context[place_of("proposer_history", short.context)]) == first
    agent.write(world.blocks, world.concluded(agent, short))
    report = world.check()
    assert report.problems == []
    told = [v.reason for v in world.verdicts if v.step is Step.CONTEXT and v.grade is Grade.ATTESTED]
    assert len([reason for reason in told if f"looked back to block {first}, not to 0" in reason]) == 8


def test_a_search_that_a_members_node_cannot_make_is_no_lie(world, agent, proposal):
    """Of the past, it shows one block at a time, and refuses more: nothing is said against the record."""
    agent.act(world.blocks, proposal)

    def narrow(question):
        topics = question["method"] == "eth_getLogs" and question["params"][0]["topics"]
        if not topics or len(topics[0] or ()) != 8:  # proposals, votes, and what a timelock tells
            return None
        first, last = (int(question["params"][0][name], 16) for name in ("fromBlock", "toBlock"))
        return error(question, -32600, "a block range of 1 is allowed") if last > first else None

    with Provider(world.node.url, narrow) as provider:
        report = world.check_in_python(provider.url, agent.writer, upto="latest", evidence=world.folder)
    assert report.problems == []
    assert any("proposer_history" in v.reason and v.status is Status.NOT_CHECKABLE for v in world.verdicts)


@pytest.mark.parametrize("code", ["6001600060003e", "5b60005f56", "fe", "5b5f600056"])
def test_an_asset_that_nodes_fail_at_does_not_switch_the_check_off(world, agent, proposal, code):
    """Each node words such a failure in its own way. It must not count as "no state", which would excuse every lie."""
    evil = str(to_checksum_address("0x00000000000000000000000000000000000E71D0"))
    world.node.set_code(evil, bytes.fromhex(code))
    facts = agent.facts(world.blocks, proposal)
    lie = facts.model_copy(
        update={
            "treasury": (*facts.treasury, Holding(asset=evil, symbol="", decimals=None, balance=0)),
            "simulation": facts.simulation.model_copy(update={"movements": ()}),
            "voter": facts.voter.model_copy(update={"voting_power": 10**40}),
        }
    )
    agent.write(world.blocks, world.concluded(agent, lie))
    report = world.check()
    assert report.exit_code == 1
    assert Step.STATE in {v.step for v in (*report.problems, *report.unproven)}


def test_a_finding_that_was_left_out(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    checks = tuple(report.model_copy(update={"findings": ()}) for report in honest.dossier.checks)
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, checks=checks)))
    found = {report.check for report in honest.dossier.checks if report.findings}
    assert "outflow" in found
    assert world.check_fails() == {(Step.FINDINGS, f"checks.{check}.findings[0]") for check in found}


def test_a_check_that_did_not_run(world, agent, proposal):
    honest = agent.review(world.blocks, proposal)
    checks = tuple(report for report in honest.dossier.checks if report.check != "outflow")
    agent.write(world.blocks, agent.seal(world.with_parts(honest.dossier, checks=checks)))
    why = "a rule's condition cannot be told without the check: conditions are left to Python"
    found = world.check_fails(python_alone=why)
    assert {(Step.FINDINGS, "checks.outflow"), (Step.DECLARED_CONFIGURATION, "checks")} <= found


def test_a_friend_for_one_vote(world, agent, proposal):
    """The payee is called "our own Safe" in one record only: the configuration does not declare it."""
    world.write_changed(agent, proposal, state__known_addresses={world.RECIPIENT: "our own Safe"})
    assert world.check_fails() == {(Step.DECLARED_CONFIGURATION, "state.known_addresses")}


@pytest.mark.parametrize("part", ["result", "version", "tool"])
def test_a_context_result_that_was_dropped_or_comes_from_elsewhere(world, proposal, part):
    agent = world.plain_key(tools=builtin_tools())
    dossier = agent.review(world.blocks, proposal).dossier
    first, *others = dossier.context
    other = {"version": "99"} if part == "version" else {"tool": "my_own"}
    kept = () if part == "result" else (first.model_copy(update=other),)
    facts = dossier.facts.model_copy(update={"context": (*kept, *others)})
    agent.write(world.blocks, agent.seal(agent.conclude(facts, agent._ask(facts))))
    assert (Step.DECLARED_CONFIGURATION, "context") in world.check_fails()


def test_a_tool_that_could_not_run_is_no_undeclared_one(world, proposal):
    agent = world.plain_key(tools=builtin_tools())
    facts = agent.facts(world.blocks, proposal)
    skipped = Skipped(step=f"tool:{facts.context[0].tool}", why="the node was slow")
    facts = facts.model_copy(update={"context": facts.context[1:], "skipped": (*facts.skipped, skipped)})
    agent.write(world.blocks, agent.seal(agent.conclude(facts, agent._ask(facts))))
    report = world.check()
    assert not [v for v in report.problems if v.step is Step.DECLARED_CONFIGURATION]


def test_a_model_asked_in_another_way_than_the_record_says(world, proposal):
    """The declared temperature stands in the record; another one was sent."""
    declared = {"temperature": "0.1", "max_completion_tokens": "8000"}
    agent = world.model()
    asked = agent._ask

    def as_declared(facts):
        said = asked(facts)
        opinions = (said.opinions[0].model_copy(update={"analyst": agent._analysts[0]}),)
        return Outlined(opinions, said.attempts, said.bodies)

    agent._analysts = (agent._analysts[0].model_copy(update={"parameters": declared}),)
    agent._ask = as_declared
    agent.change(world.RULESET)
    agent.write(world.blocks, agent.review(world.blocks, proposal))
    assert (Step.PROMPTS, "attempts[0].request") in world.check_fails()
