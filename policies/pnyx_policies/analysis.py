"""The analysis of a proposal: the one schema that a model must fill, and data like any other.

Nothing in here decides. A field that a model fills is text that an attacker may have written.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated

from pydantic import Field

from pnyx_contracts.types import Value

COST_CAP = "cost cap reached"
"""How the failure of an opinion begins when its model was not asked (again): tokens or money had run out."""

ShortText = Annotated[str, Field(max_length=600)]


class RiskLevel(Enum):
    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Recommendation(Enum):
    """The model's advice. ``hold`` asks for people."""

    FOR = "for"
    AGAINST = "against"
    ABSTAIN = "abstain"
    HOLD = "hold"


class View(Enum):
    """What a reader is shown. Two that see different things are not deceived by the same words."""

    FACTS_AND_TEXT = "facts-and-text"
    FACTS_ALONE = "facts-alone"
    """Neither the description nor any other free text: nothing in which somebody could speak to the reader."""


class KeyPoint(Value):
    """One claim, and where it comes from: a call of the proposal by its path, an effect of the simulation by its
    number, or words of the text, verbatim.
    """

    claim: ShortText
    call: str | None = Field(default=None, max_length=40)
    """Path of the call that it rests on, for example ``"0"`` or ``"1.0"``."""
    effect: int | None = Field(default=None, ge=0, lt=2**32)
    """Number of the effect that it rests on, see `facts.Simulation.effects`."""
    quotation: ShortText | None = None
    """Words of the description, verbatim; looked up in the source, so that an invented one is seen."""


class Risk(Value):
    level: RiskLevel
    text: ShortText


class Analysis(Value):
    """What a reader of the proposal says about it."""

    summary: Annotated[str, Field(max_length=800)]
    """Two sentences for people in a hurry."""
    key_points: tuple[KeyPoint, ...] = Field(max_length=12)
    stated_intent: ShortText
    """What the text says it wants."""
    claimed_effects: tuple[ShortText, ...] = Field(max_length=12)
    """What the text says will happen; compared with what the calls do."""
    risks: tuple[Risk, ...] = Field(max_length=12)
    recommendation: Recommendation
    confidence_percent: int = Field(ge=0, le=100)
    """An attacker can write it: counts only inside limits that rules on facts have set."""


class Analyst(Value):
    """Who made an analysis, and from what. `is_language_model` is False for the outline analyst, and every place that
    shows it says so.
    """

    name: str
    """Of the model, whatever it is shown and however often it is asked."""
    is_language_model: bool
    view: View = View.FACTS_AND_TEXT
    sample: int = Field(default=0, ge=0, lt=2**32)
    """Which of several answers to the same question: asked again, a model that wavers is seen."""
    provider: str = ""
    model: str = ""
    base_url_host: str = ""
    tools: tuple[str, ...] = ()
    """Context tools that it may call, see `conversation`."""
    parameters: dict[str, str] = Field(default_factory=dict)
    """What its requests set beside the messages (temperature, seed, length), by name as sent; each value as its
    RFC 8785 text, because a record holds no floats. See `request.as_text`."""

    @property
    def seat(self) -> str:
        """For people: ``openai:m``, ``openai:m (facts alone, answer 2)``."""
        marks = ["facts alone"] if self.view is View.FACTS_ALONE else []
        marks += [f"answer {self.sample + 1}"] if self.sample else []
        return f"{self.name} ({', '.join(marks)})" if marks else self.name


class Opinion(Value):
    """One analyst's analysis, or why there is none (refusal, invalid output, time-out): then the vote is held, never
    guessed.
    """

    analyst: Analyst
    analysis: Analysis | None
    """Without what is `struck`."""
    failure: str = ""
    struck: tuple[str, ...] = ()
    """What the answer claims and nothing supports, and why: taken out of `analysis`, see `grounding`."""
