"""What an operator and a member read: nothing half done, nothing that a stranger's text breaks, a next step."""

from __future__ import annotations

import errno
import io
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pnyx_agents.cli.cases import open_journal
from pnyx_agents.console import Console
from pnyx_agents.reading.terminal import print_report
from pnyx_agents.settings import load_settings
from pnyx_contracts.errors import UsageError
from pnyx_policies.decision import Mode
from pnyx_policies.reading.report import report_of
from pnyx_policies.rulesets import shipped_ruleset
from pnyx_tools import files, keystore
from pnyx_tools.evidence import FolderStore
from pnyx_tools.journal import Found
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.decisions import LocalAgent
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_log

from .conftest import Pnyx

NOBODY = "0x" + "11" * 20


@pytest.fixture
def agent(pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path) -> Path:
    assert pnyx("init", tmp_path, "--rpc", node.url, "--governor", dao.governor).code == 0
    return tmp_path / "pnyx.toml"


@pytest.mark.parametrize(
    "wrong",
    [
        ["--name", 'My "agent"'],
        ["--keystore", "--password-file", "no-such-file"],
        ["--keystore", "--password-file", "{folder}/short"],
        ["--password-file", "{folder}/short"],
    ],
)
def test_init_leaves_nothing_half_done(
    pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path, wrong: list[str]
) -> None:
    short = tmp_path / "short"
    short.write_text("too short")
    short.chmod(0o600)
    options = [word.format(folder=tmp_path) for word in wrong]
    ended = pnyx("init", tmp_path / "new", "--rpc", node.url, "--governor", dao.governor, *options)
    assert ended.code == 2
    assert not (tmp_path / "new" / "pnyx.toml").exists()


def test_init_takes_the_key_back_when_the_file_cannot_be_written(
    pnyx: Pnyx,
    node: Anvil,
    dao: Governance,
    operator: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    def full(path: Path, _content: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    options = ["--keystore", "--password-file", operator[1]]
    monkeypatch.setattr(keystore, "create_keystore", lambda path, _: path.parent.mkdir(parents=True) or path.touch())
    monkeypatch.setattr(files, "write_secret", full)
    ended = pnyx("init", tmp_path / "new", "--rpc", node.url, "--governor", dao.governor, *options)
    assert (ended.code, "No space left" in ended.err) == (2, True)
    assert list((tmp_path / "new" / "keys").iterdir()) == []


def test_init_says_what_to_do_next_and_keeps_urls_private(
    pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path
) -> None:
    folder = tmp_path / "agent"
    ended = pnyx("init", folder, "--rpc", node.url + '/?key="quoted"', "--governor", dao.governor)
    assert f"pnyx doctor -c {folder / 'pnyx.toml'}" in ended.out
    assert (folder / "pnyx.toml").stat().st_mode & 0o077 == 0
    assert load_settings(folder / "pnyx.toml").chain.rpc[0].endswith('"quoted"')


def test_a_password_is_not_asked_for_without_a_terminal(node: Anvil, dao: Governance, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "pnyx_agents",
        "init",
        str(tmp_path),
        "--rpc",
        node.url,
        "--governor",
        dao.governor,
    ]
    ended = subprocess.run(
        [*command, "--keystore"], stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "no terminal" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_title_is_text_and_never_markup(pnyx: Pnyx, agent: Path, dao: Governance) -> None:
    journal = open_journal(load_settings(agent))
    title = "[/] [red]\x1b[2J Approved"
    key = f"31337:{dao.governor}:77"
    journal.follow("{}", [Found(proposal=key, content="", title=title, deadline="9", created_block=1)])
    journal.close()
    shown = pnyx("status", "-c", agent)
    assert shown.code == 0
    assert "[/] [red]" in shown.out
    assert "\x1b" not in shown.out


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("review {governor} abc --rpc {url}", 2, "is no proposal id"),
        ("review {governor} 1 --rpc {url} --voter 0x12", 2, "20-byte address"),
        ("review {governor} 1 --rpc {url} --from-block -1", 2, "--from-block"),
        ("log --rpc {url} --log {governor}", 2, "no decision log"),
        ("log --rpc {url} --log 0x12", 2, "20-byte address"),
        ("verify --rpc {url} --log {governor} --upto yesterday", 2, "is no block"),
        ("verify --rpc {url} --log " + NOBODY, 2, "no contract"),
        ("verify --rpc ws://x --log " + NOBODY, 2, "http"),
        ("deploy -c {config} --keystore no-file --evidence-uri https://x.org", 2, "no-file"),
        ("deploy -c {config} --keystore no-file --evidence-uri nowhere", 2, "is no URI"),
        ("deploy -c {config} --keystore no-file --evidence-uri https://x.org --notice-days 0", 2, "--notice-days"),
        ("deploy -c {config} --keystore no-file --evidence-uri https://x.org --notice-days 60000", 2, "--notice-days"),
        ("deploy -c {config} --keystore no-file --evidence-uri https://x.org --delay-days 60000", 2, "--delay-days"),
        ("certificates none --host localhost --days 99999999", 2, "--days"),
        ("resume -c {config} --keystore no-file --number -1", 2, "--number"),
    ],
)
def test_wrong_input_is_one_message(
    pnyx: Pnyx, node: Anvil, dao: Governance, agent: Path, command: str, code: int, says: str
) -> None:
    ended = pnyx(*command.format(url=node.url, governor=dao.governor, config=agent).split())
    assert (ended.code, ended.out) == (code, "")
    assert says in ended.err


def test_a_gate_needs_a_signer_that_somebody_named(pnyx: Pnyx, agent: Path, operator: tuple[Path, Path]) -> None:
    key, password = operator
    ended = pnyx(
        "deploy", "-c", agent, "--keystore", key, "--password-file", password, "--evidence-uri",
        "https://example.org", "--yes",
    )  # fmt: skip
    assert (ended.code, "which key signs" in ended.err) == (2, True)


def test_doctor_sees_a_mode_without_means_and_folders_that_cannot_be_made(pnyx: Pnyx, agent: Path) -> None:
    (agent.parent / "file").write_text("")
    text = agent.read_text().replace('mode = "observe"', 'mode = "propose"').replace('data = "data"', 'data = "file/x"')
    agent.write_text(text.replace('folder = "evidence"', 'folder = "file/y"'))
    ended = pnyx("doctor", "-c", agent, "--json")
    failed = {r["name"] for r in ended.json if r["status"] == "failed"}
    assert (ended.code, {"mode", "data folder", "evidence folder"} <= failed) == (1, True)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("poll_seconds = 12", "pol_seconds = 12", "chain.pol_seconds: there is no such setting"),
        ("[[governor]]", "[governor]", "double brackets"),
        ('mode = "observe"', "mode = observe", "no valid TOML"),
        ("[agent]", "[agnt]", "agent: is missing"),
        ('name = "my-agent"', 'name = "My Agent"', "lower case letters"),
    ],
)
def test_a_wrong_file_is_explained(agent: Path, old: str, new: str, says: str) -> None:
    agent.write_text(agent.read_text().replace(old, new))
    with pytest.raises(UsageError) as raised:
        load_settings(agent)
    assert says in str(raised.value)


def test_a_port_for_metrics_that_is_taken(pnyx: Pnyx, agent: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        agent.write_text(agent.read_text() + f"[metrics]\nport = {port}\n")
        ended = pnyx("run", "-c", agent)
    assert (ended.code, f"cannot listen at 127.0.0.1:{port}" in ended.err) == (2, True)


def test_a_decision_says_what_becomes_of_the_vote(node: Anvil, dao: Governance, tmp_path: Path) -> None:
    agent = LocalAgent(node, deploy_log(node), [dao], FolderStore(tmp_path), shipped_ruleset("steward"))
    agent.register()
    dao.give_power(agent.writer, 10_000)
    receiver = node.accounts[6]
    proposal = dao.propose([receiver], [TOKEN // 10], [b""], f"# Pay\n\nSends 0.1 ETH to {receiver} for the garden.")
    dao.advance_to_active(proposal)
    voted = agent.review(dao, proposal).dossier

    def shown(**header: object) -> list[str]:
        console = Console(file=io.StringIO(), width=80)
        print_report(report_of(voted.model_copy(update={"header": voted.header.model_copy(update=header)})), console)
        assert isinstance(console.file, io.StringIO)
        return console.file.getvalue().splitlines()

    whole = "\n".join(shown())
    assert "One vote for: the rules decide alone.\n" in whole
    assert whole.startswith("Pay\n\nPays 0.1 ETH to ")
    assert "No vote yet: a person is asked.\n" in "\n".join(shown(mode=Mode.PROPOSE))
    assert "No vote: the agent only observes.\n" in "\n".join(shown(mode=Mode.OBSERVE))
    assert max(map(len, shown())) <= 80
    for address in (dao.governor, receiver):
        assert any(address in line for line in shown()), "never cut"
