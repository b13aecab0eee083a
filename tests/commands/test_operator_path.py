"""From `pnyx init` to a deployed gate, and what each wrong turn says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from pnyx_contracts.addresses import usual_address
from pnyx_tools.keystore import create_keystore, keystore_address
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import DAY, TOKEN, Governance
from pnyx_tools.testing.openai_server import OpenAIServer

from .conftest import PASSWORD, Ended, Pnyx


@pytest.fixture
def agent(pnyx: Pnyx, node: Anvil, dao: Governance, tmp_path: Path) -> Path:
    """A fresh pnyx.toml, as `pnyx init` writes it."""
    assert pnyx("init", tmp_path, "--rpc", node.url, "--governor", dao.governor, "--name", "tester").code == 0
    return tmp_path / "pnyx.toml"


def edit(config: Path, *changes: tuple[str, str]) -> None:
    text = config.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    config.write_text(text)


def with_signer(config: Path) -> None:
    """What an operator uncomments to let the agent vote."""
    create_keystore(config.parent / "keys" / "signer.json", PASSWORD, scrypt_work=2**12)
    edit(
        config,
        ('mode = "observe" ', 'mode = "autonomous" '),
        ("# [signer]", "[signer]"),
        ('# keystore = "keys/signer.json"', 'keystore = "keys/signer.json"'),
        ('# password_file = "keys/signer.password"', 'password_file = "password"'),
    )


def deploy(pnyx: Pnyx, config: Path, operator: tuple[Path, Path], *more: object, as_json: bool = True) -> Ended:
    keystore, password = operator
    return pnyx(
        "deploy", "-c", config, "--keystore", keystore, "--password-file", password,
        "--evidence-uri", "https://example.org/evidence", "--yes", *(["--json"] if as_json else []), *more,
    )  # fmt: skip


def failed(pnyx: Pnyx, config: Path) -> dict[str, str]:
    """What `pnyx doctor` finds wrong."""
    return {r["name"]: r["found"] for r in pnyx("doctor", "-c", config, "--json").json if r["status"] == "failed"}


def test_init_writes_a_file_that_doctor_likes(pnyx: Pnyx, agent: Path, dao: Governance) -> None:
    results = {r["name"]: r for r in pnyx("doctor", "-c", agent, "--json").json}
    assert results.pop("second endpoint")["status"] == "warning"
    assert {r["status"] for r in results.values()} == {"ok"}
    assert dao.timelock in results[f"governor {dao.governor}"]["found"]


def test_doctor_cuts_no_path_off(pnyx: Pnyx, agent: Path) -> None:
    folder = "a-folder-with-a-long-name" * 5
    edit(agent, ('data = "data"', f'data = "{folder}"'))
    assert folder in "".join(pnyx("doctor", "-c", agent).out.split())


def test_init_never_overwrites(pnyx: Pnyx, agent: Path, node: Anvil, dao: Governance) -> None:
    before = agent.read_text()
    again = pnyx("init", agent.parent, "--rpc", node.url, "--governor", dao.governor)
    assert (again.code, agent.read_text()) == (2, before)
    assert "exists already" in again.err


@pytest.mark.parametrize(
    ("governor", "code", "says"),
    [
        ("0x0000000000000000000000000000000000000001", 2, "no contract"),
        ("0x1234", 2, "20-byte address"),
    ],
)
def test_init_looks_at_the_governor_first(
    pnyx: Pnyx, node: Anvil, tmp_path: Path, governor: str, code: int, says: str
) -> None:
    ended = pnyx("init", tmp_path / "new", "--rpc", node.url, "--governor", governor)
    assert ended.code == code
    assert says in ended.err
    assert not (tmp_path / "new").exists()


def test_an_endpoint_that_does_not_answer_is_exit_code_3(pnyx: Pnyx, dao: Governance, tmp_path: Path) -> None:
    ended = pnyx("init", tmp_path / "new", "--rpc", "http://127.0.0.1:1/v2/secret-key", "--governor", dao.governor)
    assert ended.code == 3
    assert "secret-key" not in ended.err + ended.out


def test_doctor_says_what_to_do(pnyx: Pnyx, agent: Path) -> None:
    edit(agent, ("chain_id = 31337", "chain_id = 1"), ('ruleset = "guardian"', 'ruleset = "guardien"'))
    ended = pnyx("doctor", "-c", agent, "--json")
    failed = {r["name"]: r for r in ended.json if r["status"] == "failed"}
    assert ended.code == 1
    assert {"chain id", "ruleset"} <= {name.partition(" of ")[0] for name in failed}
    assert all(r["do"] for r in failed.values())


def test_doctor_names_settings_that_do_nothing_or_cannot_work(pnyx: Pnyx, agent: Path) -> None:
    with_signer(agent)
    (agent.parent / "password").write_text(PASSWORD)
    (agent.parent / "password").chmod(0o600)
    edit(agent, ('mode = "autonomous"', 'delay_seconds = 60\nmode = "propose"'))
    agent.write_text(agent.read_text() + '\n[sending]\nrelays = ["https://a.example/key#eth_call"]\n')
    results = {r["name"]: r for r in pnyx("doctor", "-c", agent, "--json").json}
    assert results["veto time"]["status"] == "warning"
    assert "delay_seconds does nothing in mode 'propose'" in results["veto time"]["found"]
    assert "eth_sendPrivateTransaction" in results["relay 1"]["found"]
    assert results["caps"]["status"] == "ok"


def test_a_misspelled_setting_is_an_error_that_names_it(pnyx: Pnyx, agent: Path) -> None:
    edit(agent, ("poll_seconds = 12", "pol_seconds = 12"))
    ended = pnyx("doctor", "-c", agent)
    assert ended.code == 2
    assert "chain.pol_seconds" in ended.err


def test_review_shows_a_decision_without_key_or_transaction(pnyx: Pnyx, agent: Path, dao: Governance) -> None:
    receiver = dao.node.accounts[5]
    text = f"# Pay a writer\n\nSends 0.1 ETH to {receiver} for the documentation."
    proposal = dao.propose([receiver], [TOKEN // 10], [b""], text)
    dao.advance_to_active(proposal)
    before = dao.node.rpc.block()
    dossier = pnyx("review", dao.governor, proposal, "--rpc", dao.node.url, "-c", "none.toml", "--json").json
    assert dossier["decision"]["outcome"] == "hold", "guardian leaves it to people without a model"
    assert dossier["simulation"]["movements"][0]["amount"] == str(TOKEN // 10)
    readable = pnyx("review", dao.governor, proposal, "-c", agent, "--ruleset", "steward")
    assert readable.code == 0
    assert readable.out.startswith("Pay a writer\n\nPays 0.1 ETH to ")
    assert "The rules say for: " in readable.out
    assert dao.node.rpc.block() == before


def test_review_of_what_is_not_there(pnyx: Pnyx, agent: Path, dao: Governance) -> None:
    assert pnyx("review", dao.governor, 77, "-c", agent).code == 2
    assert pnyx("review", dao.governor, "x", "-c", agent).code == 2
    assert pnyx("review", "0x12", 77, "-c", agent).code == 2
    no_config = pnyx("review", dao.governor, 77, "-c", "none.toml")
    assert (no_config.code, "--rpc" in no_config.err) == (2, True)


def test_deploy_then_change_the_configuration(
    pnyx: Pnyx, agent: Path, dao: Governance, operator: tuple[Path, Path]
) -> None:
    with_signer(agent)
    deployed = deploy(pnyx, agent, operator)
    assert deployed.code == 0, deployed.err
    found = deployed.json
    agent.write_text(
        agent.read_text()
        + f'\n[log]\naddress = "{found["log"]}"\nwriter = "{found["writer"]}"\nstart_block = {found["start_block"]}\n'
    )
    dao.give_power(found["writer"], 10_000)
    dao.node.mine()
    signer = pnyx("doctor", "-c", agent, "--json")
    results = {r["name"]: r for r in signer.json}
    assert results["registration"]["status"] == results["voting power"]["status"] == "ok"
    assert results["signer balance"]["status"] == "failed", "nobody has funded the signer"

    nothing = deploy(pnyx, agent, operator)
    assert (nothing.code, "nothing to deploy" in nothing.err) == (2, True)

    edit(agent, ('ruleset = "guardian"', 'ruleset = "steward"'))
    refused = pnyx("run", "-c", agent)
    assert (refused.code, "not the one in force" in refused.err) == (2, True)
    assert failed(pnyx, agent)["configuration"].startswith("this configuration"), "doctor foresees it"
    announced = deploy(pnyx, agent, operator, as_json=False)
    assert (announced.code, "The notice ends at" in announced.out) == (0, True)
    waiting = deploy(pnyx, agent, operator)
    assert (waiting.code, "notice ends at" in waiting.err) == (2, True)
    dao.node.increase_time(3 * DAY + 1)
    assert deploy(pnyx, agent, operator).code == 0
    place = ("--rpc", dao.node.url, "--log", found["log"], "--writer", found["writer"])
    entries = pnyx("log", *place, "--json").json["entries"]
    assert [(e["seq"], e["kind"]) for e in entries] == [(1, 16), (2, 17)]
    verified = pnyx("verify", *place, "--evidence", agent.parent / "evidence", "--upto", "latest", "--json")
    assert (verified.code, verified.json["ok"]) == (0, True)


def test_doctor_sees_a_key_that_is_not_the_gates(
    pnyx: Pnyx, agent: Path, dao: Governance, operator: tuple[Path, Path]
) -> None:
    with_signer(agent)
    found = deploy(pnyx, agent, operator, "--signer", dao.node.accounts[3]).json
    agent.write_text(agent.read_text() + f'\n[log]\naddress = "{found["log"]}"\nwriter = "{found["writer"]}"\n')
    assert f"its signer is {dao.node.accounts[3]}" in failed(pnyx, agent)["gate"]


def test_deploy_shows_what_it_will_declare_for_good(pnyx: Pnyx, agent: Path, operator: tuple[Path, Path]) -> None:
    with_signer(agent)
    said = deploy(pnyx, agent, operator, "--notice-days", 5, "--delay-days", 4).err
    assert "https://example.org/evidence" in said
    assert "Notice of later changes: 5 days; delay of signer and governor changes: 4 days." in said


def test_deploy_shows_whose_word_counts_and_which_fields_will_be_sealed(
    pnyx: Pnyx, agent: Path, node: Anvil, operator: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent: whoever says no has changed nothing."""

    def plan() -> list[str]:
        keystore, password = operator
        monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
        uri = "https://example.org/evidence"
        ended = pnyx(
            "deploy", "-c", agent, "--keystore", keystore, "--password-file", password, "--evidence-uri", uri,
            "--plain-key",
        )  # fmt: skip
        assert "Send these transactions?" in ended.err
        return [" ".join(line.split()) for line in ended.err.splitlines()]

    before = node.rpc.block()
    shown = plan()
    assert "sealed nothing: every field of every record is public" in shown
    assert "approvers nobody: the operator's unsigned word confirms a decided vote, or rejects it" in shown
    edit(agent, ("[evidence]\n", '[evidence]\nsealed = ["opinions", "attempts"]\n'))
    ada, bob = node.accounts[4:6]
    edit(
        agent, ("# [signer]", "[signer]"), ("# approvals = 1 ", "approvals = 2 "),
        ('# approvers = ["0x..."]', f'approvers = ["{ada}", "{bob}"]'),
    )  # fmt: skip
    shown = plan()
    assert f"approvers 2 of {ada}, {bob}" in shown
    assert "sealed attempts, opinions" in shown
    assert not any("is public" in line for line in shown)
    assert node.rpc.block() == before


def test_deploy_sends_nothing_when_it_cannot_keep_what_it_declares(
    pnyx: Pnyx, agent: Path, dao: Governance, operator: tuple[Path, Path]
) -> None:
    with_signer(agent)
    edit(agent, ('folder = "evidence"', 'folder = "password/evidence"'))
    before = dao.node.rpc.block()
    ended = deploy(pnyx, agent, operator)
    assert (ended.code, "password/evidence" in ended.err, ended.out) == (3, True, "")
    assert dao.node.rpc.block() == before


def test_a_plain_key_registers_itself(pnyx: Pnyx, agent: Path, operator: tuple[Path, Path]) -> None:
    registered = deploy(pnyx, agent, operator, "--plain-key")
    assert registered.code == 0, registered.err
    assert registered.json["factory"] is None


def test_an_atomic_account_from_deploy_to_doctor(
    pnyx: Pnyx, agent: Path, dao: Governance, operator: tuple[Path, Path]
) -> None:
    keystore, password = operator
    edit(
        agent,
        ('mode = "observe" ', 'mode = "autonomous" '),
        ("# [signer]", "[signer]"),
        ('# keystore = "keys/signer.json"', f'keystore = "{keystore}"'),
        ('# password_file = "keys/signer.password"', f'password_file = "{password}"'),
    )
    deployed = deploy(pnyx, agent, operator, "--atomic", as_json=False)
    assert deployed.code == 0, deployed.err
    assert "AtomicAccount" in deployed.err
    lines = deployed.out[deployed.out.index("[log]") :]
    agent.write_text(f"{agent.read_text()}\n{lines[: lines.index('Then:')]}")
    assert "atomic = true" in agent.read_text()
    assert "registration" not in failed(pnyx, agent)
    assert "atomic account" not in failed(pnyx, agent)

    account = keystore_address(keystore)
    assert account is not None
    again = deploy(pnyx, agent, operator, "--atomic")
    assert (again.code, "runs AtomicAccount already" in again.err) == (2, True)
    dao.node.set_code(account, b"")
    assert "does not run AtomicAccount" in failed(pnyx, agent)["atomic account"]
    stopped = pnyx("run", "-c", agent)
    assert (stopped.code, "does not run AtomicAccount" in stopped.err) == (2, True)
    mended = deploy(pnyx, agent, operator, "--atomic", as_json=False)
    assert (mended.code, "atomic = true" in mended.out) == (0, True), mended.err
    assert "atomic account" not in failed(pnyx, agent)


def test_deploy_shows_what_is_there_already(pnyx: Pnyx, agent: Path, operator: tuple[Path, Path]) -> None:
    first = deploy(pnyx, agent, operator, "--plain-key")
    assert first.code == 0, first.err
    assert f"DecisionLog     {usual_address('DecisionLog')}  " in first.err
    again = deploy(pnyx, agent, operator, "--plain-key")
    assert f"DecisionLog     {usual_address('DecisionLog')}  there already" not in first.out
    assert (again.code, "is registered in the log" in again.err) == (2, True)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--atomic", "--plain-key"), "exclude each other"),
        (("--atomic", "--guardian", "0x" + "11" * 20), "are for a gate"),
        (("--plain-key", "--factory", "0x" + "11" * 20), "are for a gate"),
    ],
)
def test_deploy_refuses_options_that_contradict(
    pnyx: Pnyx, agent: Path, operator: tuple[Path, Path], options: tuple[str, ...], says: str
) -> None:
    ended = deploy(pnyx, agent, operator, *options)
    assert (ended.code, says in ended.err) == (2, True)


def test_deploy_refuses_a_foreign_log(pnyx: Pnyx, agent: Path, dao: Governance, operator: tuple[Path, Path]) -> None:
    ended = deploy(pnyx, agent, operator, "--log", dao.token, "--signer", dao.node.accounts[3])
    assert ended.code == 2
    assert "is not our DecisionLog" in ended.err


def with_model(config: Path, base_url: str, model: str) -> None:
    config.write_text(
        config.read_text() + f'\n[[model]]\nmodel = "{model}"\nbase_url = "{base_url}"\napi_key_env = "TEST_KEY"\n'
    )


@pytest.mark.parametrize(
    ("key", "model", "statuses"),
    [
        ("right-key", "scripted", {"ok"}),
        ("wrong-key", "scripted", {"ok", "failed"}),
        ("right-key", "no-such-model", {"ok", "failed"}),
        ("", "scripted", {"failed"}),
    ],
)
def test_doctor_reaches_for_the_model(
    pnyx: Pnyx, agent: Path, monkeypatch: pytest.MonkeyPatch, key: str, model: str, statuses: set[str]
) -> None:
    monkeypatch.setenv("TEST_KEY", key)
    with OpenAIServer(api_key="right-key") as server:
        with_model(agent, server.base_url, model)
        ended = pnyx("doctor", "-c", agent, "--json")
    results = [r for r in ended.json if r["name"].startswith("model")]
    assert {r["status"] for r in results} == statuses
    assert "right-key" not in ended.out
