"""``pnyx notify``, and what the configuration says about notifications."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pnyx_agents import assembly, telling
from pnyx_agents.cli import status
from pnyx_agents.cli.notify import command
from pnyx_agents.crier import AT_ONCE, Crier
from pnyx_agents.logs import MASK, MaskSecrets
from pnyx_agents.metrics import Metrics
from pnyx_agents.secret_words import secrets_of
from pnyx_agents.settings import Settings, parse_settings
from pnyx_contracts.errors import UsageError
from pnyx_tools.journal import Journal
from pnyx_tools.notify import Message, Urgency, foreign
from pnyx_tools.notify.ledger import Ledger
from pnyx_tools.testing.message_service import MessageService

TOKEN = "abcdefghijklmnopqrstuvwxyz"
ADA = "0x" + "22" * 20
BASE = f"""
[agent]
name = "tester"
[chain]
rpc = "http://127.0.0.1:1"
chain_id = 1
[[governor]]
address = "0x{"11" * 20}"
start_block = 1
[signer]
approvers = ["{ADA}", "0x{"33" * 20}"]
"""


def settings(text: str, folder: Path) -> Settings:
    return parse_settings(BASE + text, folder / "pnyx.toml")


def run(folder: Path, text: str, *arguments: str) -> Result:
    (folder / "pnyx.toml").write_text(BASE + text)
    return CliRunner().invoke(command, ["--config", str(folder / "pnyx.toml"), *arguments])


def test_a_test_says_which_place_fails_and_why(tmp_path: Path, make_service: Callable[[], MessageService]) -> None:
    well, broken = make_service(), make_service()
    broken.status = 403
    text = f"""
[plugins.notifiers.webhook]
url = "http://{broken.address}/{TOKEN}"
[plugins.notifiers.apprise]
urls = ["json://{well.address}/{TOKEN}", {{ url = "json://{broken.address}/{TOKEN}", name = "pager" }}]
[notifications.people]
"{ADA}" = ["json://{well.address}/{TOKEN}"]
"""
    ended = run(tmp_path, text, "--test", "--json")
    assert ended.exit_code == 1
    rows = {row["place"]: row for row in json.loads(ended.stdout)}
    assert {name: row["told"] for name, row in rows.items()} == {
        "webhook": "no", "apprise/1": "yes", "apprise/pager": "no", f"{ADA}/1": "yes",
    }  # fmt: skip
    assert rows["webhook"]["error"] == "the webhook answered 403"
    assert "403" in rows["apprise/pager"]["error"]
    assert TOKEN not in ended.output
    assert b"a test message of the agent tester" in well.requests[0].body

    broken.status = 200
    ended = run(tmp_path, text, "--test")
    assert (ended.exit_code, TOKEN in ended.output) == (0, False)


def test_what_waits_and_why(tmp_path: Path, service: MessageService) -> None:
    service.status = 500
    text = f"""
[plugins.notifiers.webhook]
url = "http://{service.address}/{TOKEN}"
[notifications]
digest_seconds = 0
"""
    known = settings(text, tmp_path)
    journal = Journal(assembly.paths(known).journal)
    crier = Crier(Ledger(journal.database), telling.places(known), Metrics(), "x")
    for key in ("a", "b"):
        crier.tell(Message(key=key, urgency=Urgency.ALERT, subject="x"))
    crier.deliver(crier.places[0])
    journal.close()
    ended = run(tmp_path, text, "--json")
    assert ended.exit_code == 0
    why = "the webhook answered 500"
    assert json.loads(ended.stdout) == [{"place": "webhook", "waiting": 2, "failures": 1, "error": why}]
    assert why in run(tmp_path, text).output


def test_manners_of_places(tmp_path: Path) -> None:
    text = f"""
[plugins.notifiers.log]
[plugins.notifiers.apprise]
urls = ["json://127.0.0.1/"]
[notifications]
digest_seconds = 10
quiet = "22:00-07:00"
quiet_margin_hours = 2
timezone = "Europe/Athens"
[notifications.people."{ADA}"]
urls = ["json://127.0.0.1/"]
timezone = "America/Lima"
[notifications.people."0x{"33" * 20}"]
urls = ["json://127.0.0.1/"]
quiet = ""
"""
    log, public, ada, bob = telling.places(settings(text, tmp_path))
    assert log.manners == AT_ONCE
    assert (public.manners.digest_seconds, public.manners.margin_seconds) == (10, 7200)
    assert public.manners.quiet is not None
    assert ada.manners.quiet is not None
    assert (public.manners.quiet.zone.key, ada.manners.quiet.zone.key) == ("Europe/Athens", "America/Lima")
    assert public.manners.quiet.begin == ada.manners.quiet.begin
    assert bob.manners.quiet is None
    assert (public.person, ada.person) == (None, ADA)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('quiet = "22-7"', "notifications.quiet: expected hours like '22:00-07:00'"),
        ('timezone = "Athens"', "notifications.timezone: expected the name of a time zone"),
        ("reminder_hours = [0]", "notifications.reminder_hours: expected hours before the deadline"),
        ("failures = 0", "notifications.failures: "),
        ("digest = 5", "notifications.digest: there is no such setting"),
        ('people = { Ada = ["json://127.0.0.1/hunter2"] }', "expected a 20-byte address"),
        (f'people = {{ "{ADA}" = [] }}', f"notifications.people.{ADA}.urls: expected at least one"),
        (f'people = {{ "{ADA}" = {{ urls = ["json://hunter2"], quiet = "x" }} }}', "quiet: expected hours"),
        (f'people = {{ "{ADA}" = [7] }}', f"notifications.people.{ADA}.urls.0"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as raised:
        settings(f"[notifications]\n{text}\n", tmp_path)
    assert "hunter2" not in str(raised.value)


def test_people_are_approvers(tmp_path: Path) -> None:
    eve = "0x" + "44" * 20
    with pytest.raises(UsageError, match=f"notifications.people: {eve} is not among signer.approvers"):
        settings(f'[notifications]\npeople = {{ "{eve}" = ["json://127.0.0.1/"] }}\n', tmp_path)


def test_urls_are_masked_in_log_lines(tmp_path: Path) -> None:
    """Whichever library writes them there."""
    text = f"""
[plugins.notifiers.apprise]
urls = ["json://host.example/{TOKEN}1", {{ url = "tgram://123456789:{TOKEN}2/chat" }}]
[notifications.people]
"{ADA}" = ["mailto://ada:{TOKEN}3@mail.example"]
"""
    mask = MaskSecrets(secrets_of(settings(text, tmp_path)))
    line = f"{TOKEN}1 bot123456789:{TOKEN}2/send {TOKEN}3 host.example"
    assert mask(None, "", line) == f"{MASK} bot{MASK}/send {MASK} host.example"


def test_the_status_has_the_alerts_about_the_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    (tmp_path / "data").mkdir(mode=0o700)
    place = settings("", tmp_path)
    ledger = Ledger(Journal(assembly.paths(place).journal).database)
    lies = Message(
        key="lies", urgency=Urgency.ALERT, subject="the endpoint 1 (http://one) contradicts the others",
        detail=foreign("the balance of 0xaa"),
    )  # fmt: skip
    ledger.keep(lies, [], now=1_800_000_000.0 - 86_399)
    ledger.keep(
        lies.model_copy(update={"key": "old", "subject": "of the day before"}), [], now=1_800_000_000.0 - 86_401
    )
    ledger.keep(
        lies.model_copy(update={"key": "of one", "proposal": "1:0x:7", "subject": "failed"}), [], now=1_800_000_000.0
    )
    ledger.keep(Message(key="news", subject="the signer signs votes again"), [], now=1_800_000_000.0)
    (tmp_path / "pnyx.toml").write_text(BASE)
    ended = CliRunner().invoke(status.command, ["--config", str(tmp_path / "pnyx.toml")])
    told = [line for line in ended.stdout.splitlines() if line.startswith("Alert")]
    words = "the endpoint 1 (http://one) contradicts the others: \u201cthe balance of 0xaa\u201d"
    assert told == [f"Alert, 2027-01-14 08:00 UTC: {words}"]
