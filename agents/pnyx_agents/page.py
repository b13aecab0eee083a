"""What all our HTML files share: one style, no scripts, nothing that loads, and a policy that says so."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import Environment, StrictUndefined


def style(*more: str) -> str:
    """The style of our pages, and what one of them adds."""
    shared = files(__package__).joinpath("page.css").read_text(encoding="utf-8")
    return "".join((shared, *more))


def policy(css: str) -> str:
    """The Content-Security-Policy of a page whose only style element holds `css`."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def environment() -> Environment:
    """Escapes everything that is not said to be markup; an unknown name is an error."""
    return Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
