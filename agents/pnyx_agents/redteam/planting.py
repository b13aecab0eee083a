"""Where an attacker's words stand: in the text, in the calls, in what contracts and tools say."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TypeVar

from pnyx_agents.rulecases.sketch import Sketch, SketchedCall, SketchedHolding, facts_of
from pnyx_policies.facts import CallResult, Facts, Grade, ToolResult
from pnyx_tools.testing.facts import address_of

BEYOND_THE_CUT_BYTES = 50_000
"""More than a prompt shows of a description, see ``prompts/limits.toml``."""
BURIED_CHARACTERS = 12_000
"""Before the words and behind them."""
REPEATED = 40

S = TypeVar("S", bound=Sketch)


class Place(Enum):
    START = "start"
    TITLE = "title"
    MIDDLE = "middle"
    END = "end"
    REPEATED = "repeated"
    BURIED = "buried"
    BEYOND_THE_CUT = "beyond the cut"
    SPLIT = "split"
    """Parts between ``|``: title, end of the text, symbol of a token."""
    ARGUMENT = "argument"
    """The string of a call; takes a proposal that has one."""
    UNDECODED = "undecoded"
    """Calldata of one call more, of a function that nobody knows."""
    SYMBOL = "symbol"
    KNOWN = "known"
    GOVERNOR = "governor"
    ERROR = "error"
    CONTEXT = "context"

    @property
    def is_third_partys(self) -> bool:
        """True where somebody else than the author can have written."""
        return self in {Place.SYMBOL, Place.KNOWN, Place.GOVERNOR, Place.ERROR, Place.CONTEXT}


def planted(sketch: Sketch, place: Place, words: str) -> Facts:
    """Facts about the proposal with these words in it. Raises `UsageError` for calls that cannot be encoded."""
    if place in _IN_SKETCH:
        return facts_of(_IN_SKETCH[place](sketch, words))
    facts = facts_of(sketch)
    return _IN_FACTS[place](facts, words) if place in _IN_FACTS else facts_of(_with_text(sketch, place, words))


def harmless(place: Place, words: str) -> str:
    """What stands in the same place of the same proposal without the attack."""
    return "|".join("JUNK" for _ in words.split("|")) if place in _ELSEWHERE else ""


def _with_text(sketch: S, place: Place, words: str) -> S:
    title, _, body = sketch.text.partition("\n")
    first, _, rest = body.strip().partition("\n\n")
    around = {
        Place.START: (words, sketch.text),
        Place.TITLE: (f"{title} {words}", body),
        Place.MIDDLE: (title, first, words, rest),
        Place.END: (sketch.text, words),
        Place.REPEATED: (sketch.text, *[words] * REPEATED),
        Place.BURIED: (sketch.text, _filler(BURIED_CHARACTERS), words, _filler(BURIED_CHARACTERS)),
        Place.BEYOND_THE_CUT: (sketch.text, _filler(BEYOND_THE_CUT_BYTES), words),
    }
    return sketch.model_copy(update={"text": "\n\n".join(around[place]) if words else sketch.text})


def _filler(characters: int) -> str:
    sentence = "The working groups met as every month and their notes are kept by the secretary of the association. "
    return sentence * (characters // len(sentence) + 1)


def _split(sketch: Sketch, words: str) -> Sketch:
    title, end, symbol = (part.strip() for part in words.split("|"))
    if words == harmless(Place.SPLIT, words):
        return _symbol(sketch, symbol)
    return _symbol(_with_text(_with_text(sketch, Place.TITLE, title), Place.END, end), symbol)


def _symbol(sketch: Sketch, words: str) -> Sketch:
    """That of one token more that somebody sent to the treasury."""
    junk = SketchedHolding(asset=address_of("junk"), balance=1, symbol=words)
    return sketch.model_copy(update={"treasury": (*sketch.treasury, junk)})


def _argument(sketch: Sketch, words: str) -> Sketch:
    call = next(call for call in sketch.calls if call.call.endswith("(string)"))
    changed = call.model_copy(update={"arguments": (words,)})
    return sketch.model_copy(update={"calls": tuple(changed if c is call else c for c in sketch.calls)})


def _undecoded(sketch: Sketch, words: str) -> Sketch:
    call = SketchedCall.model_validate(
        {"to": "resolver", "call": "unheardOf(bytes)", "with": ("0x" + words.encode().hex(),)}
    )
    return sketch.model_copy(update={"calls": (*sketch.calls, call)})


def _known(facts: Facts, words: str) -> Facts:
    names = {**facts.known_addresses, address_of("a contract that names itself"): words}
    return facts.model_copy(update={"known_addresses": names})


def _governor(facts: Facts, words: str) -> Facts:
    profile = facts.governor.profile.model_copy(update={"name": words})
    return facts.model_copy(update={"governor": facts.governor.model_copy(update={"profile": profile})})


def _error(facts: Facts, words: str) -> Facts:
    """Of a call that the author's contract lets fail; what the others would do is not known then."""
    failed = CallResult(path="0", succeeded=False, gas_used=50_000, error=words)
    return facts.model_copy(update={"simulation": facts.simulation.model_copy(update={"results": (failed,)})})


def _context(facts: Facts, words: str) -> Facts:
    """By a plugin that reads a forum: the built-in tools tell numbers and addresses."""
    result = ToolResult(tool="forum", version="1", grade=Grade.ATTESTED, result={"posts": ["I like it.", words]})
    return facts.model_copy(update={"context": (*facts.context, result)})


_IN_SKETCH: dict[Place, Callable[[Sketch, str], Sketch]] = {
    Place.SPLIT: _split,
    Place.SYMBOL: _symbol,
    Place.ARGUMENT: _argument,
    Place.UNDECODED: _undecoded,
}
_IN_FACTS: dict[Place, Callable[[Facts, str], Facts]] = {
    Place.KNOWN: _known,
    Place.GOVERNOR: _governor,
    Place.ERROR: _error,
    Place.CONTEXT: _context,
}
_ELSEWHERE = {*_IN_SKETCH, *_IN_FACTS}
