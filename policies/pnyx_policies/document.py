"""Files that one party writes and strangers read: bundle, disclosure, configuration. Each value has one spelling, so
that its hash stands for it.
"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import ValidationError

from pnyx_contracts.canonical import canonical_bytes, first_difference, parse_json
from pnyx_contracts.errors import DecodingError
from pnyx_contracts.types import Value


class Document(Value):
    """A value that is a file."""

    CALLED: ClassVar[str]
    """In messages."""

    def to_bytes(self) -> bytes:
        """The one form of the file: RFC 8785."""
        return canonical_bytes(self.model_dump(mode="json"), self.CALLED)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """From a stranger's bytes. Raises `DecodingError`: where, what was expected, what was found."""
        raw = parse_json(data, cls.CALLED)
        try:
            document = cls.model_validate(raw)
        except ValidationError as error:
            raise DecodingError(f"{cls.CALLED}: {first_complaint(error)}") from error
        if document.to_bytes() != data:
            where = first_difference(raw, document.model_dump(mode="json"), cls.CALLED) or cls.CALLED
            raise DecodingError(f"{where}: not in its one canonical form (RFC 8785)")
        return document


_WORDS = {"missing": "is missing", "extra_forbidden": "there is no such member"}


def first_complaint(error: ValidationError, *prefix: str) -> str:
    """The first complaint, on one line: place, then what was expected."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in (*prefix, *first["loc"]))
    message = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    return f"{place}: {message}" if place else message
