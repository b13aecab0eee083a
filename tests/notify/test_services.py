"""Through Apprise to real servers: what arrives, what does not, and that no URL shows."""

from __future__ import annotations

import html
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from pnyx_contracts.errors import UsageError
from pnyx_tools import plugins
from pnyx_tools.notify import Message, UndeliveredError, Urgency, WebhookNotifier, foreign
from pnyx_tools.notify.services import AppriseNotifier
from pnyx_tools.testing.message_service import MessageService

from .conftest import Mailbox

TITLE = "Pay <!channel> @everyone [click](https://evil.example) **bold** `code` <b>x</b>\r\nBcc: victim@example.org"
SHOWN = (
    "\u201cPay \uff1c!channel\uff1e \uff20everyone \uff3bclick\uff3d(https(:)\uff0f\uff0fevil(.)example) "
    "\uff0a\uff0abold\uff0a\uff0a \uff40code\uff40 \uff1cb\uff1ex\uff1c\uff0fb\uff1e "
    "Bcc: victim\uff20example(.)org\u201d"
)
MESSAGE = Message(
    key="k", urgency=Urgency.ACTION, subject="hold", proposal="1:0xab:7", title=foreign(TITLE), decision="for",
    reason=foreign("Nothing speaks against it. [calm]"), deadline="block 9", to_do="pnyx approve 7, or pnyx reject 7",
    link="https://members.example/#7",
)  # fmt: skip
TOKEN = "abcdefghijklmnopqrstuvwxyz"


def texts(value: Any) -> list[str]:
    """All strings of a JSON value."""
    match value:
        case str():
            return [value]
        case dict():
            return texts(list(value.values()))
        case list():
            return [text for inner in value for text in texts(inner)]
    return []


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("json://{}/hook", "/hook"),
        ("form://{}/hook", "/hook"),
        ("xml://{}/hook", "/hook"),
        (f"mmost://{{}}/{TOKEN}", f"/hooks/{TOKEN}"),
        ("ntfy://{}/topic", "/"),
        (f"gotify://{{}}/{TOKEN}", "/message"),
        (f"matrix://{{}}/{TOKEN}?mode=slack", "/api/v1/matrix/hook/"),
    ],
)
def test_services_get_the_message_and_the_title_stays_a_quotation(service: MessageService, url: str, path: str) -> None:
    AppriseNotifier([url.format(service.address)]).notify(MESSAGE)
    (asked,) = service.requests
    assert asked.path.startswith(path)
    body = asked.body
    if url.startswith("form"):
        said = " ".join(texts(parse_qs(body.decode())))
    elif url.startswith("xml"):
        said = html.unescape(body.decode())
    else:
        said = " ".join(texts(json.loads(body)))
    assert f"The proposal calls itself: {SHOWN}" in said
    assert "[pnyx action] hold: proposal " in said
    assert "pnyx approve 7, or pnyx reject 7" in said
    assert "@everyone" not in said
    assert "<!channel>" not in said
    assert "evil.example" not in said


def test_slack_and_discord_in_their_own_dialects(
    make_service: Callable[[], MessageService], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their addresses are fixed; here they lead to servers of the test."""
    from apprise.plugins.discord import NotifyDiscord
    from apprise.plugins.slack import NotifySlack

    slack, discord = make_service(), make_service()
    monkeypatch.setattr(NotifySlack, "webhook_url", f"http://{slack.address}/services")
    monkeypatch.setattr(NotifyDiscord, "notify_url", f"http://{discord.address}/api")
    AppriseNotifier(["slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#ops"]).notify(MESSAGE)
    AppriseNotifier([f"discord://4174216298/{TOKEN}"]).notify(MESSAGE)
    for service in (slack, discord):
        (said,) = [" ".join(texts(message)) for message in service.messages]
        assert SHOWN in said
        assert not re.search(r"<[!@#h]|@everyone|\]\(|&lt;", said.replace("<https://members.example", ""))


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_url_can_name_its_format(service: MessageService, form: str) -> None:
    AppriseNotifier([{"url": f"json://{service.address}/", "format": form}]).notify(MESSAGE)
    body = service.messages[0]["message"]
    marks = {"text": "To do: pnyx approve 7", "markdown": "To do: `pnyx approve 7", "html": "<code>pnyx approve 7"}
    assert [name for name, mark in marks.items() if mark in body] == [form]
    assert SHOWN in html.unescape(body)


def test_mail(mailbox: Mailbox) -> None:
    url = f"mailto://127.0.0.1:{mailbox.port}?from=pnyx@dao.example&to=ada@dao.example&mode=insecure"
    AppriseNotifier([url]).notify(MESSAGE)
    (mail,) = mailbox.mails
    assert mail["To"] == "ada@dao.example"
    assert mail["Bcc"] is None, "the title has a line end and a header"
    assert mail["Subject"] == f"[pnyx action] hold: proposal {SHOWN}"
    parts = {part.get_content_type(): part.get_content() for part in mail.walk() if not part.is_multipart()}
    assert SHOWN in html.unescape(parts["text/html"])
    assert "<b>" not in parts["text/html"].replace("<b>[pnyx", "")


def test_each_url_has_its_own_wishes(make_service: Callable[[], MessageService]) -> None:
    every, alerts = make_service(), make_service()
    notifier = AppriseNotifier(
        [f"json://{every.address}/", {"url": f"json://{alerts.address}/", "name": "pager", "urgencies": ["alert"]}]
    )
    assert [(outlet.name, sorted(u.value for u in outlet.urgencies)) for outlet in notifier.outlets()] == [
        ("1", ["action", "alert", "info"]), ("pager", ["alert"]),
    ]  # fmt: skip


# Failures and secrets


def test_one_that_fails_does_not_stop_the_others(make_service: Callable[[], MessageService]) -> None:
    broken, well = make_service(), make_service()
    broken.status = 503
    with pytest.raises(UndeliveredError, match=r"^1: json: .*503") as raised:
        AppriseNotifier([f"json://{broken.address}/{TOKEN}", f"json://{well.address}/"]).notify(MESSAGE)
    assert TOKEN not in str(raised.value)
    assert len(well.requests) == 1


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the root logger gets, as in the daemon. Not `caplog`: that listens to loggers that pass nothing on, too."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


SECRETS = {
    "in the path": "json://127.0.0.1:1/hunter2hunter2",
    "in the user": "json://hunter2hunter2:pass@127.0.0.1:1/",
    "in the password": "json://user:hunter2hunter2@127.0.0.1:1/",
    "in the query": "json://127.0.0.1:1/?+X-Token=hunter2hunter2",
    "quoted": "json://user:hunter2%2Dhunter2@127.0.0.1:1/",
    "a mail password": "mailto://user:hunter2hunter2@127.0.0.1:1?from=a@b.example&to=c@d.example",
    "a host that is none": "mmost://hunter2hunter2:1/abcdefghijklmnopqrstuvwxyz",
    "no URL of Apprise": "slack://hunter2hunter2",
    "no scheme that is known": "hunter://hunter2hunter2",
    "no URL at all": "hunter2hunter2",
    "a broken one": "json://[hunter2hunter2",
}


def tell(url: str) -> None:
    notifier = plugins.find("pnyx.notifiers", "apprise").create({"urls": [url]})
    assert "hunter2" not in repr([outlet.notifier for outlet in notifier.outlets()]) + repr(notifier)
    notifier.notify(MESSAGE)


@pytest.mark.parametrize("url", SECRETS.values(), ids=SECRETS)
def test_a_url_never_shows(url: str, log: io.StringIO, capfd: pytest.CaptureFixture[str]) -> None:
    """Not in errors, not in log lines of whatever library, not in what an object says of itself."""
    with pytest.raises((UsageError, UndeliveredError)) as raised:
        tell(url)
    output = capfd.readouterr()
    said = f"{raised.value} {raised.value.hint} {log.getvalue()} {output.out} {output.err}"
    assert "hunter2" not in said.replace("%2D", "-")


LOCAL = "json://127.0.0.1/hunter2"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"urls": []}, "expected a list of Apprise URLs"),
        ({"urls": LOCAL}, "expected a list of Apprise URLs"),
        ({"urls": [{"url": LOCAL, "urgency": "hunter2"}]}, "urls, number 1: urgency: Extra inputs"),
        ({"urls": [{"url": LOCAL, "urgencies": ["hunter2"]}]}, "urls, number 1: urgencies.0: Input should"),
        ({"urls": [LOCAL, {"name": "hunter2"}]}, "urls, number 2: url: Field required"),
        ({"urls": [{"url": LOCAL, "name": "1"}, {"url": LOCAL, "name": "1"}]}, "have one name: 1, 1"),
        ({"urls": [7]}, "urls, number 1: "),
    ],
)
def test_a_wrong_setting_is_one_clear_error(given: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as raised:
        plugins.find("pnyx.notifiers", "apprise").create(given)
    assert "hunter2" not in str(raised.value)


def test_a_webhook_gets_json_and_keeps_its_url_to_itself(service: MessageService) -> None:
    webhook = WebhookNotifier(f"http://{service.address}/{TOKEN}")
    webhook.notify(MESSAGE)
    (body,) = service.messages
    assert (body["key"], body["urgency"], body["title"]) == ("k", "action", {"text": SHOWN[1:-1]})
    assert body["text"].startswith("[pnyx action] hold: proposal ")
    service.status = 404
    with pytest.raises(UndeliveredError, match=r"^the webhook answered 404$"):
        webhook.notify(MESSAGE)
    with pytest.raises(UndeliveredError, match=r"^the webhook cannot be reached \(ConnectError\)$"):
        WebhookNotifier(f"http://127.0.0.1:1/{TOKEN}").notify(MESSAGE)
