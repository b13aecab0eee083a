"""Whatever people type: one clear message, the right exit code, never a traceback."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pnyx_agents.assembly import salt_key
from pnyx_agents.examination import written
from pnyx_agents.settings import load_settings
from pnyx_contracts.errors import UsageError
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import Governance
from pnyx_tools.testing.faults.forks import run_fork

from .conftest import Pnyx

CONFIG = """
[agent]
name = "tester"
[chain]
rpc = "http://127.0.0.1:1/v2/a-key-that-nobody-may-see"
chain_id = 1
[[governor]]
address = "0x0000000000000000000000000000000000000001"
start_block = 1
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "pnyx.toml"
    path.write_text(CONFIG)
    return path


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("nonsense", 2, "No such command"),
        ("status extra", 2, "unexpected extra argument"),
        ("show 123", 2, "no proposal '123' in the journal"),
        ("show 0xzz", 2, "is no record root"),
        ("show {folder}/nothing", 2, "there is no file {folder}/nothing"),
        ("policy explain guardian review.json", 2, "there is no file review.json"),
        ("show 0x12", 2, "is no record root"),
        ("show 0x" + "12" * 32, 2, "is not in the agent's data folder"),
        ("approve 123", 2, "no proposal '123' in the journal"),
        ("show ''", 2, "expected the id of a proposal, got nothing"),
        ("approve ' '", 2, "expected the id of a proposal, got nothing"),
        ("approve 123 --days 0", 2, "--days"),
        ("approve 123 --vote maybe", 2, "--vote"),
        ("reject 123", 2, "no proposal '123' in the journal"),
        ("backup {folder}/no-folder/file", 2, "there is no folder"),
        ("backup {folder}/pnyx.toml", 2, "exists already"),
        ("backup {folder}/evidence/file", 2, "goes into the backup"),
        ("show {folder}/pnyx.toml", 2, "pnyx.toml is no bundle"),
        ("show 0x" + "12" * 32 + " --evidence {folder}/nowhere", 2, "there is no folder {folder}/nowhere"),
        ("show 0x" + "12" * 32 + " --evidence file://{folder}/nowhere", 2, "there is no folder {folder}/nowhere"),
        ("pause --to {folder}/order", 2, "--to needs --keystore"),
        ("pause --keystore k --from {folder}/order", 2, "exclude each other"),
        ("pause --keystore k --to {folder}/order", 2, "there is nothing to suspend"),
        ("resume --number 7", 2, "need --keystore"),
        ("signer", 2, "names no keystore"),
        ("run", 3, "cannot be reached"),
    ],
)
def test_a_clear_message_and_the_right_code(pnyx: Pnyx, config: Path, command: str, code: int, says: str) -> None:
    words = shlex.split(command.format(folder=config.parent))
    ended = pnyx(*words, *([] if words[0] == "nonsense" else ["-c", config]))
    assert ended.code == code
    assert says.format(folder=config.parent) in ended.err
    assert ended.out == ""
    assert "a-key-that-nobody-may-see" not in ended.err


ADA, BOB = ("0x" + pair * 20 for pair in ("11", "22"))


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("[signer]\napprovals = 2", "approvals is 2: approvers must list at least as many people, and lists 0"),
        (f'[signer]\napprovers = ["{ADA}"]\napprovals = 2', "and lists 1"),
        (f'[signer]\napprovers = ["{ADA}", "{ADA}"]\napprovals = 2', "names an address twice: a person counts once"),
        (f'[signer]\napprovers = ["{ADA}", "{BOB}"]\napprovals = 0', "signer.approvals"),
        (
            "[agent]\napprovals_end = 1800",
            'agent.approvals_end: expected for example "6 hours before the end", got 1800',
        ),
        ('[agent]\napprovals_end = "at once"', "agent.approvals_end: expected for example"),
    ],
)
def test_people_who_cannot_be_counted_are_a_wrong_configuration(config: Path, lines: str, says: str) -> None:
    text = CONFIG.replace("[agent]", lines) if lines.startswith("[agent]") else CONFIG + lines
    config.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_settings(config)
    assert says in raised.value.message


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ('[sending]\nrelays = ["relay.example/a-key"]', "sending.relays.0: expected an http(s) URL, got ://"),
        ('[notifications]\npage = "javascript:alert(1)"', "notifications.page"),
        ('[chain]\nwebsocket = "https://host/a-key"', "chain.websocket: expected a URL such as wss://host/path"),
        ('[chain]\nwebsocket = "wss://"', "chain.websocket: expected a URL such as wss://host/path"),
    ],
)
def test_an_address_of_another_kind_is_named_and_not_shown(config: Path, lines: str, says: str) -> None:
    text = CONFIG.replace("[chain]", lines) if lines.startswith("[chain]") else CONFIG + lines
    config.write_text(text)
    with pytest.raises(UsageError) as raised:
        load_settings(config)
    assert says in raised.value.message
    assert "a-key" not in str(raised.value)


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_data_folder_that_others_can_write_is_none(pnyx: Pnyx, config: Path, mode: int) -> None:
    """Whoever writes there decides what the daemon does."""
    data = config.parent / "data"
    data.mkdir()
    data.chmod(mode)
    ended = pnyx("status", "-c", config)
    assert (ended.code, f"can be written by others (mode {mode:04o})" in ended.err) == (2, True)
    assert f"chmod 700 {data}" in ended.err
    assert list(data.iterdir()) == []


def test_a_salt_key_that_others_can_read_is_none(tmp_path: Path) -> None:
    """It opens what is sealed."""
    key = salt_key(tmp_path / "salt.key")
    assert salt_key(tmp_path / "salt.key") == key
    (tmp_path / "salt.key").chmod(0o644)
    with pytest.raises(UsageError, match=r"the salt key .* can be read by others \(mode 0644\)"):
        salt_key(tmp_path / "salt.key")


def test_doctor_writes_where_the_agent_will(tmp_path: Path) -> None:
    """A full disk looks writable; here it is a limit on files."""
    assert written(tmp_path) == str(tmp_path)
    code = f"import pathlib, pnyx_agents.examination as e; e.written(pathlib.Path({str(tmp_path)!r}))"
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", sys.executable, "-c", code]
    ended = subprocess.run(limited, capture_output=True, text=True, check=False, timeout=60)
    assert f"nothing can be written into {tmp_path}: File too large" in ended.stderr
    assert list(tmp_path.iterdir()) == []


GOVERNOR = '[[governor]]\naddress = "0x0000000000000000000000000000000000000001"\nstart_block = '


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("chain_id = 1", "chain_id = 1\npoll_seconds = inf", "chain.poll_seconds: Input should be a finite number"),
        ("chain_id = 1", "chain_id = 1\npoll_seconds = 1e12", "chain.poll_seconds: Input should be less than"),
        (":1/v2/a-key", ":99999/v2/a-key", "the port of the URL is no number from 0 to 65535"),
        ("http://127.0.0.1:1/", "http://me:pass-a-key/", "the port of the URL is no number from 0 to 65535"),
        ("http://127.0.0.1:1/", "ftp://127.0.0.1/", "expected an http(s) URL, got ftp://127.0.0.1"),
        (f"{GOVERNOR}1", f"{GOVERNOR}1\n{GOVERNOR}7", "0001 is named twice"),
        (f"{GOVERNOR}1", f"{GOVERNOR}{2**63}", "governor.0.start_block: Input should be less than"),
        (
            f"{GOVERNOR}1",
            f'{GOVERNOR}1\n[addresses]\n"0x{"ab" * 20}" = "a"\n"0x{"AB" * 20}" = "b"',
            f"addresses: 0x{'ab' * 20} has two names",
        ),
        (f"{GOVERNOR}1", f"{GOVERNOR}1\n[notifications]\nreminder_hours = [inf]", "notifications.reminder_hours"),
        ("0000000001", "00000001", "governor.0.address: expected a 20-byte address"),
    ],
)
def test_a_wrong_value_is_one_problem_with_its_name(pnyx: Pnyx, config: Path, old: str, new: str, says: str) -> None:
    config.write_text(CONFIG.replace(old, new))
    ended = pnyx("status", "-c", config)
    assert (ended.code, says in ended.err, "has 1 problem(s)" in ended.err) == (2, True, True), ended.err
    assert "a-key" not in ended.err


def test_a_port_that_is_none_is_told_without_the_rest_of_the_url(pnyx: Pnyx) -> None:
    ended = pnyx("log", "--rpc", "http://me:a-key/at@host", "--log", "0x" + "11" * 20)
    assert (ended.code, "the port of the RPC endpoint is no number" in ended.err) == (2, True)
    assert "a-key" not in ended.err


def test_a_byte_order_mark_is_no_error(config: Path) -> None:
    config.write_text(CONFIG, encoding="utf-8-sig")
    assert load_settings(config).agent.name == "tester"


@pytest.mark.parametrize("text", ["", "{}", "not json", '{"action": "suspend"}'])
def test_a_file_that_holds_no_order_stops_no_signer_and_says_so(pnyx: Pnyx, config: Path, text: str) -> None:
    """The daemon is held in any case: whoever types `pause` wants that."""
    order = config.parent / "order.json"
    order.write_text(text)
    ended = pnyx("pause", "--from", order, "-c", config)
    assert (ended.code, f"{order} holds no order" in ended.err) == (2, True)
    assert "The daemon: all votes are held" in ended.out
    config.with_name("order.json").unlink()
    assert "cannot be read" in pnyx("pause", "--from", order, "-c", config).err


@pytest.mark.parametrize("how", ["--from", "--keystore"])
def test_a_resume_that_fails_lets_nothing_go_on(pnyx: Pnyx, config: Path, how: str) -> None:
    pnyx("pause", "-c", config)
    ended = pnyx("resume", how, config.parent / "no-such-file", "-c", config)
    assert (ended.code, ended.out) == (2, "")
    assert "ALL VOTES ARE HELD" in pnyx("status", "-c", config).out


@pytest.mark.parametrize(
    ("named", "says", "hint"),
    [
        (
            "mine.toml",
            "no ruleset 'mine.toml': none is shipped with that name, and there is no file {path}",
            "guardian",
        ),
        ("folder", "the ruleset {path} cannot be read: Is a directory", ""),
        ("binary", "the ruleset {path} is no text in UTF-8", ""),
    ],
)
def test_a_ruleset_that_cannot_be_read(config: Path, named: str, says: str, hint: str) -> None:
    (config.parent / "folder").mkdir()
    (config.parent / "binary").write_bytes(b"\xff\xfe")
    config.write_text(CONFIG + f'[policy]\nruleset = "{named}"\n')
    with pytest.raises(UsageError) as raised:
        load_settings(config).ruleset()
    assert raised.value.message == says.format(path=config.parent / named)
    assert hint in raised.value.hint


@pytest.mark.parametrize("command", ["status", "show 1", "approve 1", "reject 1", "signer", "run", "backup x"])
def test_a_configuration_that_is_not_there(pnyx: Pnyx, tmp_path: Path, command: str) -> None:
    ended = pnyx(*command.split(), "-c", tmp_path / "none.toml")
    assert (ended.code, "there is no configuration" in ended.err) == (2, True)


def test_a_backup_that_is_not_there(pnyx: Pnyx, tmp_path: Path) -> None:
    ended = pnyx("restore", tmp_path / "none", tmp_path / "there")
    assert (ended.code, "there is no file" in ended.err) == (2, True)


def test_a_member_without_a_configuration_is_told_about_the_evidence(pnyx: Pnyx, tmp_path: Path) -> None:
    ended = pnyx("show", "0x" + "12" * 32, "-c", tmp_path / "none.toml")
    assert (ended.code, "--evidence" in ended.err) == (2, True)


def test_a_journal_that_is_no_database(pnyx: Pnyx, config: Path) -> None:
    (config.parent / "data").mkdir()
    (config.parent / "data" / "journal.sqlite").write_text("no database, and long enough to be looked at")
    ended = pnyx("status", "-c", config)
    assert (ended.code, "journal.sqlite cannot be opened" in ended.err) == (3, True)


def test_a_full_disk_is_one_message() -> None:
    command = [sys.executable, "-m", "pnyx_agents", "tools"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, timeout=60)
    assert ended.returncode != 0
    assert "this machine cannot go on: No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("content", ["no archive", ""])
def test_what_is_no_backup_leaves_nothing(pnyx: Pnyx, tmp_path: Path, content: str) -> None:
    (tmp_path / "file").write_text(content)
    ended = pnyx("restore", tmp_path / "file", tmp_path / "there")
    assert (ended.code, "is not a backup" in ended.err) == (1, True)
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(
    ("command", "kind"),
    [("show 123", "UsageError"), ("approve 123", "UsageError"), ("approve 123 --vote maybe", "UsageError")],
)
def test_with_json_the_error_is_json_too(pnyx: Pnyx, config: Path, command: str, kind: str) -> None:
    ended = pnyx(*command.split(), "-c", config, "--json")
    error = json.loads(ended.err)
    assert (ended.code, error["error"]) == (2, kind)
    assert error["message"]


def test_errors_have_the_names_of_the_documents(pnyx: Pnyx) -> None:
    ended = pnyx("log", "--rpc", "http://127.0.0.1:1", "--log", "0x" + "11" * 20, "--json")
    assert (ended.code, json.loads(ended.err)["error"]) == (3, "UnreachableError")


def test_the_status_of_an_agent_that_never_ran(pnyx: Pnyx, config: Path) -> None:
    assert pnyx("status", "-c", config, "--json").json == []
    assert pnyx("status", "-c", config).out.startswith("No proposal yet.")


def test_what_is_still_to_come_is_no_beginning(pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path) -> None:
    config = tmp_path / "pnyx.toml"
    config.write_text(
        CONFIG.replace("http://127.0.0.1:1/v2/a-key-that-nobody-may-see", node.url)
        .replace("chain_id = 1", "chain_id = 31337")
        .replace("0x0000000000000000000000000000000000000001", dao.governor)
    )
    for since in ("99999999", "2200-01-01"):
        ended = pnyx("run", "--since", since, "-c", config)
        assert (ended.code, f"--since {since} is later than the last block" in ended.err) == (2, True)
    config.write_text(config.read_text().replace("start_block = 1", "start_block = 99999999"))
    doctor = pnyx("doctor", "-c", config, "--json")
    found = {result["name"]: result for result in doctor.json}[f"governor {dao.governor}"]
    says = f"governor {dao.governor}: start_block is 99999999, the chain is at "
    assert (doctor.code, found["status"], found["found"].startswith(says)) == (1, "failed", True)
    begun = run_fork(["run", "-c", str(config)], timeout=60)
    assert (begun.returncode, begun.stderr.startswith(f"error: {says}")) == (1, True), begun.stderr
    assert begun.stderr.count("error") == 1
