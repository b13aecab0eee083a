"""What a proposal's messages do on other chains, in the words that say what it does at home."""

from __future__ import annotations

from collections.abc import Iterator

from pnyx_policies.elsewhere import Place, chain_in_words, far_runs, seen_elsewhere
from pnyx_policies.facts import Facts
from pnyx_policies.reading import doing
from pnyx_policies.reading.blocks import Block, Line, code, line, paragraph, strong, warn
from pnyx_policies.text import count


def simulated_there(facts: Facts) -> Iterator[Block]:
    """Nothing where no call is a message."""
    for place in seen_elsewhere(facts):
        yield paragraph(*_heading(place))
        yield from doing.failures(place.facts)
        yield from doing.money(place.facts)
        yield from doing.power(place.facts)
        yield from doing.what_runs(place.facts)
    for run in far_runs(facts):
        if run.why_unknown:
            what = f"On {chain_in_words(run.chain_id)}, it was not simulated what calls {', '.join(run.paths)} do"
            yield paragraph(warn(f"{what}: {run.why_unknown}."))


def _heading(place: Place) -> Line:
    run, simulation = place.run, place.run.simulation
    assert simulation is not None
    assert run.block is not None
    caller = line(code(simulation.executor))
    if run.named_sender is not None:
        caller = line("the bridge's contract ", *caller, ", which names ", code(run.named_sender), " as the sender")
    sent = f", {count(len(run.paths), 'message')} (calls {', '.join(run.paths)})"
    how = f", simulated by {simulation.method} at its block {run.block.number:,}, called by "
    return line(strong(f"On {place.chain}"), sent, how, *caller, f": {simulation.status.value}.")
