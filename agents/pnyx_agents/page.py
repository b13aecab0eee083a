"""What all our HTML files share: one frame and one style, no scripts, nothing that loads, and a policy that says so."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files

from jinja2 import DictLoader, Environment, StrictUndefined, Template
from markupsafe import Markup


def style(*more: str) -> str:
    """The style of our pages, and what one of them adds."""
    return "".join((_own("page.css"), *more))


def _own(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def policy(css: str) -> str:
    """The Content-Security-Policy of a page whose only style element holds `css`."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def environment() -> Environment:
    """Escapes everything that is not said to be markup; an unknown name is an error. A page fills ``frame.html``."""
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=DictLoader({"frame.html": _own("frame.html")}),
    )


def dressed(made: Environment, template: str, *more: str) -> Template:
    """The page that `template` is, in our style and what it adds, under the policy that goes with them."""
    css = style(*more)
    made.globals |= {"policy": policy(css), "style": Markup(css)}  # noqa: S704 - our own files, none from outside
    return made.from_string(template)
