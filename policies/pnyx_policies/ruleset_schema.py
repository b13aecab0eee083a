"""JSON Schema of ruleset files, for editors (``#:schema`` lines): made from what the parser itself reads.

It knows the form of every key and line. What needs more than form stays with `pnyx policy check`: numbers above
2**256-1, checksums, names of address books, lines that contradict each other, rules that are never reached.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pnyx_contracts.types import Vote
from pnyx_policies.conditions import operators_of
from pnyx_policies.decision import Outcome
from pnyx_policies.fields import Field, FieldType, catalogue
from pnyx_policies.literals import ADDRESS_FORM, GROUP, LIST_OPERATORS, OF_ADDRESSES, PATTERNS
from pnyx_policies.ruleset import (
    ALWAYS,
    BECAUSE_BYTES,
    DESCRIPTION_BYTES,
    EXTENDS,
    ID,
    LIMITS,
    MAX_LINES,
    MAX_RULES,
    MODEL,
    NAME_BYTES,
    THEN,
    VERSION_BYTES,
)

DRAFT = "http://json-schema.org/draft-07/schema#"
"""The newest that editors of TOML know."""

Schema = dict[str, Any]


def ruleset_schema(checks: Collection[str]) -> Schema:
    """`checks`: names of the checks whose findings rules may ask for."""
    return {
        "$schema": DRAFT,
        "title": "A ruleset of Pnyx",
        **_table(
            {
                "name": _line(NAME_BYTES),
                "version": _line(VERSION_BYTES),
                "description": _line(DESCRIPTION_BYTES, least=0),
                EXTENDS: {"type": "string", "minLength": 1},
                "limits": _table({key: _whole(1) for key in LIMITS}),
                "addresses": {
                    "type": "object",
                    "propertyNames": {"pattern": _whole_text(GROUP.pattern)},
                    "additionalProperties": {"type": "array", "items": _form(ADDRESS_FORM)},
                },
                "rule": {"type": "array", "items": _rule(checks), "maxItems": MAX_RULES},
            },
            required=("name", "version"),
        ),
    }


def _rule(checks: Collection[str]) -> Schema:
    lines = {"anyOf": [_condition(field) for field in catalogue(checks).values()]}
    always = {"type": "array", "items": {"const": ALWAYS}, "minItems": 1, "maxItems": 1}
    some = {"type": "array", "items": lines, "minItems": 1, "maxItems": MAX_LINES}
    table = _table(
        {
            "id": _form(ID.pattern),
            "because": _line(BECAUSE_BYTES),
            "when": {"anyOf": [always, some]},
            "any": some,
            "then": {"enum": list(THEN)},
            MODEL: _model(),
        },
        required=("id", "because", "then"),
    )
    has_model = {"properties": {"then": {"const": MODEL}}}
    favours = {"properties": {"then": {"enum": [Outcome.FOR.value, MODEL]}}}
    return {
        **table,
        "anyOf": [{"required": ["when"]}, {"required": ["any"]}],
        "allOf": [
            {"if": has_model, "then": {"required": [MODEL]}, "else": {"not": {"required": [MODEL]}}},
            {"if": favours, "then": {"properties": {"when": some}}},
            {"if": {"properties": {"when": always}, "required": ["when"]}, "then": {"not": {"required": ["any"]}}},
        ],
    }


def _model() -> Schema:
    return _table(
        {
            "allow": {"type": "array", "items": {"enum": [vote.value for vote in Vote]}, "minItems": 1},
            "min_confidence_percent": _whole(0, 100),
            "min_agreeing": _whole(1, 100),
        },
        required=("allow", "min_confidence_percent"),
    )


def _condition(field: Field) -> Schema:
    """One field's lines. An editor shows what the field means."""
    name = field.name.replace(".", r"\.")
    value = "(?:" + "|".join(field.words) + ")" if field.type is FieldType.WORD else PATTERNS[field.type]
    single = [operator for operator in operators_of(field.type) if operator not in LIST_OPERATORS]
    listed = [operator for operator in operators_of(field.type) if operator in LIST_OPERATORS]
    forms = [rf"(?:{'|'.join(single)})\s+{value}"] if single else []
    if listed:
        member = f"(?:{value}|{GROUP.pattern})" if field.type in OF_ADDRESSES else value
        forms.append(rf"(?:{'|'.join(listed)})\s+\[\s*{member}(?:\s*,\s*{member})*\s*\]")
    return {**_form(rf"\s*(?:not\s+)?{name}\s+(?:{'|'.join(forms)})\s*"), "description": field.meaning}


def _table(properties: Schema, required: Collection[str] = ()) -> Schema:
    found = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**found, "required": list(required)} if required else found


def _form(pattern: str) -> Schema:
    return {"type": "string", "pattern": _whole_text(pattern)}


def _whole_text(pattern: str) -> str:
    return f"^(?:{pattern})$"


def _line(characters: int, least: int = 1) -> Schema:
    """The parser counts bytes: never more characters than these."""
    return {"type": "string", "minLength": least, "maxLength": characters, "pattern": r"^[^\n\r\t]*$"}


def _whole(low: int, high: int | None = None) -> Schema:
    """A number, or its digits as text."""
    number = {"type": "integer", "minimum": low} | ({"maximum": high} if high is not None else {})
    return {"anyOf": [number, _form(r"\d{1,3}(?:_?\d{3})*|\d{1,78}")]}
