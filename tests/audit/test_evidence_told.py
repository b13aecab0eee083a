"""What an audit says where the evidence is not whole: gone, changed, withheld, sealed, disclosed."""

from __future__ import annotations

from pnyx_policies.audit import Bound, Label, Period
from pnyx_policies.disclosure import Disclosure, disclose, parse_parts
from pnyx_tools.testing.decisions import Sealed

from .conftest import PRICES, World


def test_evidence_that_is_gone(world: World) -> None:
    agent = world.plain_key()
    sealed = agent.act(world.blocks, world.open_proposal())
    world.bundle_file(sealed.bundle.record_root).unlink()
    told = world.told(agent)
    row = told.row
    assert (row.check.label, row.story.evidence) == (Label.WITHHELD, "missing")
    assert (row.story.outcome, row.story.reason, row.story.model, row.story.decided_by) == (None, None, None, None)
    assert row.cast is not None, "the vote is on the chain"
    assert row.seconds_to_decision is not None
    assert told.summary.evidence == {"missing": 1}
    assert told.summary.model.unknown == 1
    assert (told.summary.rules, told.summary.reasons) == ((), ())


def test_evidence_that_was_changed(world: World) -> None:
    agent = world.plain_key()
    first, second = (agent.act(world.blocks, world.open_proposal()) for _ in range(2))
    file = world.bundle_file(first.bundle.record_root)
    file.write_bytes(file.read_bytes().replace(b"Nothing speaks", b"Nothing spoke "))
    world.bundle_file(second.bundle.record_root).write_bytes(b"\xff no bundle")
    told = world.told(agent)
    assert [(row.check.label, row.story.evidence) for row in told.rows] == [(Label.DIFFERS, "differs")] * 2
    assert [row.story.reason for row in told.rows] == [None, None]


def test_a_field_that_is_withheld(world: World) -> None:
    agent = world.model()
    sealed = agent.act(world.blocks, world.open_proposal())
    world.withhold(sealed, "rules", "attempts", "opinions")
    told = world.told(agent, prices=PRICES)
    story = told.row.story
    assert told.row.check.label is Label.NOT_PROVEN
    assert (story.evidence, set(story.withheld)) == ("partly", {"rules", "attempts", "opinions"})
    assert (story.fired, story.model) == (None, None)
    assert story.decided_by == "calm"
    assert story.sealed == (), "the configuration declares none of them sealed"
    assert told.summary.withheld == {"rules": 1, "attempts": 1, "opinions": 1}
    assert told.summary.model.unknown == 1
    assert [found.reason for found in told.summary.not_proven if "rules" in found.reason]


def test_fields_that_the_configuration_seals(world: World) -> None:
    agent = world.model(sealed=("attempts", "rules"))
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent)
    story = told.row.story
    assert (story.withheld, story.sealed) == (("attempts", "rules"), ("attempts", "rules"))
    assert told.row.check.label is Label.NOT_CHECKABLE
    assert (story.fired, story.model, story.decided_by) == (None, None, "calm")
    assert told.summary.not_proven == ()
    assert [found.reason for found in told.summary.not_checkable if "sealed, as the agent declares" in found.reason]


def disclosed(sealed: Sealed, parts: str) -> Disclosure:
    return disclose(sealed.bundle, parse_parts(parts))


def test_a_disclosure_opens_what_the_record_seals(world: World) -> None:
    agent = world.model(sealed=("attempts", "rules"))
    sealed = agent.act(world.blocks, world.open_proposal())
    told = world.told(agent, disclosures=[disclosed(sealed, "rules"), disclosed(sealed, "attempts")])
    story = told.row.story
    assert (story.evidence, story.withheld, story.disclosed) == ("whole", (), ("rules", "attempts"))
    assert story.fired == ("calm",)
    assert story.model is not None
    assert story.model.requests == 1
    assert told.row.check.label is Label.CHECKED
    assert not any("sealed" in found.reason for found in told.summary.not_checkable)


def test_what_a_disclosure_leaves_closed_is_not_checkable(world: World) -> None:
    agent = world.model(sealed=("attempts", "rules"))
    sealed = agent.act(world.blocks, world.open_proposal())
    told = world.told(agent, disclosures=[disclosed(sealed, "attempts,rules[1]")])
    story = told.row.story
    assert (story.withheld, story.sealed, story.disclosed) == (("rules",), ("rules",), ("attempts", "rules[1]"))
    assert story.fired is None
    sealed_reasons = [found.reason for found in told.summary.not_checkable if "sealed" in found.reason]
    assert sealed_reasons
    assert all("attempts" not in reason for reason in sealed_reasons)


def test_a_disclosure_brings_a_lie_to_light(world: World) -> None:
    agent = world.plain_key(sealed=("rules",))
    honest = agent.review(world.blocks, world.open_proposal())
    rules = tuple(rule.model_copy(update={"matched": not rule.matched}) for rule in honest.dossier.rules)
    lie = agent.seal(honest.dossier.model_copy(update={"rules": rules}))
    agent.write(world.blocks, lie)
    assert world.told(agent).row.check.label is Label.NOT_CHECKABLE
    assert world.told(agent, disclosures=[disclosed(lie, "rules")]).row.check.label is Label.DIFFERS


def test_a_disclosure_of_another_time_opens_nothing(world: World) -> None:
    agent = world.plain_key(sealed=("rules",))
    first, second = (agent.act(world.blocks, world.open_proposal()) for _ in range(2))
    both = [disclosed(first, "rules"), disclosed(second, "rules")]
    block = world.told(agent).rows[1].block
    answer = world.audit(disclosures=both, period=Period(since=Bound(block=block)))
    (writer,) = answer.writers()
    assert [row.story.disclosed for row in writer.rows()] == [("rules",)]
    assert answer.unused_disclosures == (first.bundle.record_root,)
    assert answer.report.ok, "the record stands in the log, so the disclosure is true"


def test_a_declared_place_that_does_not_answer(world: World) -> None:
    agent = world.plain_key(evidence_uri="http://127.0.0.1:9/evidence")
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent, evidence=None)
    assert (told.row.check.label, told.row.story.evidence) == (Label.WITHHELD, "missing")
    assert "127.0.0.1:9" in told.row.story.why


def test_a_governor_that_is_none(world: World) -> None:
    """An agent may declare any address; what is not known about it is said once."""
    agent = world.agent()
    stranger = world.node.accounts[9]
    agent.governances[stranger] = world.blocks
    agent.register()
    agent.act(world.blocks, world.open_proposal())
    told = world.told(agent)
    assert set(told.head.unread) == {stranger}
    assert told.row.cast is not None
