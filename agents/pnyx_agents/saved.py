"""Reviews that were saved: the bundle of a record, or what `pnyx review --json` printed."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from pnyx_contracts.canonical import parse_json
from pnyx_contracts.errors import DecodingError, UsageError
from pnyx_policies.bundle import Bundle
from pnyx_policies.document import first_complaint
from pnyx_policies.dossier import Dossier

_HINT = "a bundle is named by its record root, ROOT.json; pnyx review --json prints reviews"


def read_dossier(file: Path) -> Dossier:
    """Raises `UsageError` for a file that is neither, or that withholds something."""
    try:
        data = file.read_bytes()
        raw = parse_json(data, "the file")
        return Bundle.parse(data).dossier if isinstance(raw, dict) and "format" in raw else Dossier.model_validate(raw)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except DecodingError as error:
        raise UsageError(f"{file} is no whole bundle and no review: {error.message}", hint=_HINT) from error
    except ValidationError as error:
        raise UsageError(f"{file} is no bundle and no review: {first_complaint(error)}", hint=_HINT) from error
