"""What an opinion is made of: what its reader saw, how often it was asked, and what of its answer stands."""

from __future__ import annotations

from pnyx_agents.analyst import ModelAnalyst, deliberate
from pnyx_policies.analysis import KeyPoint
from pnyx_policies.conversation import begin
from pnyx_policies.request import request_difference
from pnyx_tools.model import LangChainModel, ModelSettings
from pnyx_tools.testing import openai_server as script

KEY = "sk-test"


def test_a_claim_that_rests_on_nothing_is_struck_out_and_counted(bench, facts, analysis):
    """The answer counts, so nobody asks until the model hits on a source; what it said stays in the response."""
    invented = KeyPoint(claim="It also mints 5,000,000 tokens.", quotation="free money")
    said = analysis.model_copy(update={"key_points": (*analysis.key_points, invented)})
    it = bench(script.answer(said))
    transcript = it.analyst().analyse(facts)
    [attempt] = transcript.attempts
    assert transcript.opinion.analysis == analysis
    assert transcript.opinion.struck == (
        'key_points[2]: the text does not say "free money"',
        'key_points[2]: neither facts nor text name "5,000,000 tokens"',
    )
    assert (attempt.outcome, attempt.detail[:11]) == ("ok", "struck out:")
    assert b"free money" in transcript.bodies[attempt.response_hash]


def test_two_views_and_repetitions_are_seats_of_their_own(bench, facts, analysis):
    """The same question is asked as often as it says; who sees facts alone gets no word of the text."""
    silent = analysis.model_copy(update={"key_points": analysis.key_points[:1], "claimed_effects": ()})
    it = bench(script.answer(silent))
    model = LangChainModel(
        ModelSettings(model="gpt-test", base_url=it.server.base_url, samples=2), {"OPENAI_API_KEY": KEY}
    )
    said = deliberate([ModelAnalyst(model, seat=seat) for seat in model.settings.seats], facts)
    assert [o.analyst.seat for o in said.opinions] == [
        "openai:gpt-test", "openai:gpt-test (answer 2)",
        "openai:gpt-test (facts alone)", "openai:gpt-test (facts alone, answer 2)",
    ]  # fmt: skip
    assert [o.struck for o in said.opinions] == [()] * 4
    bodies = [request.body for request in it.server.requests]
    assert bodies[0] == bodies[1] != bodies[2] == bodies[3]
    assert b"Pay the auditors" in bodies[0]
    assert b"Pay the auditors" not in bodies[2]
    for opinion, attempt in zip(said.opinions, said.attempts, strict=True):
        asked = begin(facts, view=opinion.analyst.view)
        assert request_difference(said.bodies[attempt.request_hash], asked, opinion.analyst) == ""
