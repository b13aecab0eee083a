"""What makes code that is about to run with somebody else's rights worse than other code."""

from __future__ import annotations

from pnyx_policies.facts import Facts


def unsteady(facts: Facts, address: str) -> tuple[str, ...]:
    """Sentences on why the code at `address` may not be what was read when the proposal was made; none when it is, or
    when nothing is known.
    """
    target, earlier = facts.target(address), facts.code_when_proposed(address)
    if target is None:
        return ()
    said = {
        "It can destroy itself, or whoever runs it.": target.can_destroy_itself,
        "It did not exist when this was proposed.": facts.came_after_proposal(address),
        "It was other code when this was proposed.": (
            earlier not in {None, target.code_hash} and not facts.came_after_proposal(address)
        ),
    }
    return tuple(sentence for sentence, is_so in said.items() if is_so)
