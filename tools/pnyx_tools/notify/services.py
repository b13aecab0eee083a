"""Slack, Discord, Telegram, mail and a hundred others, through Apprise. The only import of it.

The URLs are secrets: they hold tokens and passwords. A place is called by its name or its number; what Apprise says
about a failure is shown without any part of the URL; its own log lines, which show more, go nowhere.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from pnyx_contracts.errors import UsageError
from pnyx_tools.notify.message import Message, Urgency
from pnyx_tools.notify.notifiers import Outlet, UndeliveredError
from pnyx_tools.notify.render import Format, render, subject
from pnyx_tools.secret_parts import secret_parts

TIMEOUT_SECONDS = 30
LEAST_SECRET_CHARACTERS = 4
MOST_REASON_CHARACTERS = 200

_KIND: Mapping[Urgency, Literal["info", "warning", "failure"]] = {
    Urgency.INFO: "info",
    Urgency.ACTION: "warning",
    Urgency.ALERT: "failure",
}


class OutletSettings(BaseModel):
    """One of `urls`, when it is more than a URL."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    url: SecretStr
    name: str = ""
    urgencies: frozenset[Urgency] = frozenset(Urgency)
    format: Format | None = None
    """None: what the service takes best."""


class AppriseNotifier:
    """``[plugins.notifiers.apprise] urls = [...]``"""

    def __init__(self, urls: Sequence[str | Mapping[str, Any]]) -> None:
        if isinstance(urls, str) or not urls:
            raise UsageError("urls: expected a list of Apprise URLs", hint='urls = ["slack://..."]')
        _silence_apprise()
        self._outlets = tuple(_outlet(number, each) for number, each in enumerate(urls, start=1))
        names = [outlet.name for outlet in self._outlets]
        if len(set(names)) != len(names):
            raise UsageError(f"urls: two of them have one name: {', '.join(names)}")

    def outlets(self) -> tuple[Outlet, ...]:
        return self._outlets

    def notify(self, message: Message) -> None:
        """To all of its places. Raises `UndeliveredError` that says which ones did not take it."""
        failed = []
        for outlet in self._outlets:
            try:
                outlet.notifier.notify(message)
            except UndeliveredError as error:
                failed.append(f"{outlet.name}: {error.message}")
        if failed:
            raise UndeliveredError("; ".join(failed))


class Service:
    """One URL. Shows it to nobody."""

    def __init__(self, url: str, form: Format | None, where: str) -> None:
        apprise = _apprise()
        self._secrets = (url, *secret_parts(url, LEAST_SECRET_CHARACTERS))
        self._scheme = url.partition("://")[0]
        service = apprise.Apprise.instantiate(url, asset=apprise.AppriseAsset(async_mode=False))
        if service is None:
            raise UsageError(
                f"{where}: Apprise does not take this {_known_scheme(url)} URL",
                hint="https://github.com/caronc/apprise/wiki shows how each service is written",
            )
        self._form = form or Format(service.resolve_format().value)
        self._service = apprise.Apprise(asset=service.asset)
        self._service.add(service)

    def __repr__(self) -> str:
        return f"<{self._scheme} service>"

    def notify(self, message: Message) -> None:
        """Raises `UndeliveredError`."""
        result = self._service.notify(
            body=render(message, self._form),
            title=subject(message),
            notify_type=_KIND[message.urgency],
            body_format=self._form.value,
            timeout=TIMEOUT_SECONDS,
        )
        if not result:
            said = " ".join(entry.message for each in result for entry in each.logs())
            raise UndeliveredError(f"{self._scheme}: {self._without_secrets(said) or 'no answer in time'}")

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[secret]")
        return " ".join(text.split())[:MOST_REASON_CHARACTERS]


def _outlet(number: int, given: str | Mapping[str, Any]) -> Outlet:
    """Raises `UsageError`, never with the URL in it."""
    where = f"urls, number {number}"
    try:
        own = OutletSettings.model_validate({"url": given} if isinstance(given, str) else given)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise UsageError(f"{where}: {problems}") from None
    service = Service(own.url.get_secret_value(), own.format, where)
    return Outlet(own.name or str(number), service, own.urgencies)


def _apprise() -> Any:  # noqa: ANN401 - a module
    try:
        import apprise
    except ModuleNotFoundError:
        raise UsageError("this needs the package apprise", hint="pip install 'pnyx[notify]'") from None
    return apprise


def _silence_apprise() -> None:
    """Its log lines name hosts, which are tokens in the URLs of some services. What matters is in our errors."""
    log = logging.getLogger("apprise")
    log.propagate = False
    if not log.handlers:
        log.addHandler(logging.NullHandler())


def _known_scheme(url: str) -> str:
    """What comes before ``://`` is no secret, unless it is not there at all."""
    scheme = url.partition("://")[0]
    return f"{scheme}://" if re.fullmatch("[a-z][a-z0-9+.-]{0,20}", scheme) and scheme != url else "unreadable"
