"""The signer as a process: its socket, its peers, its end, and what it never shows."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from pnyx_contracts.errors import DecodingError, PnyxError, RefusedError, UnreachableError, UsageError
from pnyx_tools.keystore import EncryptedKey, UnsafeEnvironmentKey
from pnyx_tools.signer.client import SignerClient
from pnyx_tools.signer.doors import listen
from pnyx_tools.signer.process import SignerProcess, spawn
from pnyx_tools.signer.protocol import (
    MAX_FRAME_BYTES,
    DailyLimitError,
    Hello,
    Identity,
    NotYetError,
    Refusal,
    SignVote,
    parse_reply,
    parse_request,
    receive_frame,
    send_frame,
)
from pnyx_tools.signer.settings import SignerSettings
from pnyx_tools.voter import vote

from .parliament import STRANGER, Parliament
from .serving import PASSWORD, Parrot, Serving, keystore_of, raw


@pytest.fixture
def child(gate: Parliament) -> Iterator[SignerProcess]:
    with spawn(gate.settings, keystore_of(gate)) as process:
        yield process


def test_a_child_signs_over_its_socket_and_the_vote_lands(gate: Parliament, child: SignerProcess) -> None:
    identity = child.client.identity()
    settings = gate.settings
    assert identity.key_address == gate.key.address
    assert (identity.writer, identity.log) == (settings.writer, settings.log)
    assert identity.config_hash == settings.configuration.hash
    assert identity.ruleset_hash == settings.configuration.ruleset_hash

    case = gate.case(gate.dossier(gate.open()))
    voted = vote(gate.writer(child.client), gate.booth, case)

    assert voted.cast is not None


def test_a_refusal_crosses_the_socket_with_its_reason(gate: Parliament, child: SignerProcess) -> None:
    held = gate.dossier(gate.open(to=STRANGER))
    with pytest.raises(RefusedError, match="the signer refused: the rules give no vote here"):
        child.client.sign(gate.ask_vote(held))
    assert child.is_running()


def test_socket_and_folder_are_private(gate: Parliament, child: SignerProcess) -> None:
    assert child.is_running()
    assert stat.S_IMODE(gate.settings.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(gate.settings.socket.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(gate.settings.memory.stat().st_mode) == 0o600


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_child_has_a_clean_environment_and_leaves_no_core(gate: Parliament, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-the-signer")
    with spawn(gate.settings, keystore_of(gate)) as process:
        proc = Path(f"/proc/{process.pid}")
        assert "Max core file size        0                    0" in (proc / "limits").read_text()
        arguments = (proc / "cmdline").read_bytes()
        assert PASSWORD.encode() not in arguments
        assert b"pnyx_tools.signer" in arguments
        if os.getuid() != 0:  # not dumpable: not even our own user may look
            with pytest.raises(PermissionError):
                (proc / "environ").read_bytes()
        else:
            assert b"sk-not-for-the-signer" not in (proc / "environ").read_bytes()
            assert (proc / "environ").stat().st_uid == 0


def test_nothing_secret_is_logged(gate: Parliament, capfd: pytest.CaptureFixture[str]) -> None:
    gate.settings = gate.settings.model_copy(
        update={"rpc_urls": (SecretStr(f"{gate.node.url}/?key=an-endpoint-key-of-somebody"),)}
    )
    one, other = gate.open(), gate.open(to=STRANGER)
    case, held = gate.case(gate.dossier(one)), gate.dossier(other)
    with spawn(gate.settings, keystore_of(gate)) as process:
        with pytest.raises(RefusedError):
            process.client.sign(gate.ask_vote(held))
        process.client.sign(gate.ask_vote(case.dossier))
    logged = capfd.readouterr().err
    assert '"event": "refused", "request": "sign-vote"' in logged
    assert '"event": "signed", "request": "sign-vote"' in logged
    for secret in (PASSWORD, gate.secret.hex(), "an-endpoint-key-of-somebody", case.text[:200]):
        assert secret not in logged


def test_a_signer_does_not_start_under_a_configuration_that_is_not_in_force(gate: Parliament) -> None:
    other = gate.settings.configuration.model_copy(update={"known_addresses": {}})
    with pytest.raises(UsageError, match="is not the one in force on chain"):
        spawn(gate.settings.model_copy(update={"configuration": other}), keystore_of(gate))


def test_a_raw_key_moves_from_our_environment_into_the_childs(
    gate: Parliament, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_KEY", gate.secret.hex())
    with spawn(gate.settings, UnsafeEnvironmentKey(variable="AGENT_KEY")) as process:
        assert "AGENT_KEY" not in os.environ
        assert process.client.identity().key_address == gate.key.address


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"chain_id": 1}, UnreachableError("the signer did not start: .* serves chain 31337, expected is chain 1")),
        ({"ruleset": 'name = "other"\nversion = "1"'}, UsageError("the signer's ruleset has the hash")),
        ({"rpc_urls": (SecretStr("http://127.0.0.1:9"),)}, UnreachableError("cannot be reached")),
    ],
)
def test_a_child_that_cannot_start_says_why(gate: Parliament, wrong: dict[str, Any], complaint: PnyxError) -> None:
    """What an endpoint did may be over at the next start, and has another exit code than wrong settings."""
    with pytest.raises(type(complaint), match=complaint.message):
        spawn(gate.settings.model_copy(update=wrong), keystore_of(gate))


def test_what_to_try_stays_apart_from_what_is_wrong(gate: Parliament) -> None:
    with pytest.raises(UsageError) as caught:
        spawn(gate.settings.model_copy(update={"ruleset": 'name = "other"\nversion = "1"'}), keystore_of(gate))
    assert caught.value.hint == "give the signer the ruleset that was declared, or announce the new one first"
    assert "try" not in caught.value.message


def test_a_wrong_password_is_told_without_it(gate: Parliament) -> None:
    source = keystore_of(gate).model_copy(update={"password": SecretStr("quite another password")})
    with pytest.raises(UsageError, match="the password is wrong") as caught:
        spawn(gate.settings, source)
    assert "quite another password" not in str(caught.value)


def test_sigterm_ends_it_and_clears_the_socket(gate: Parliament, child: SignerProcess) -> None:
    os.kill(child.pid, signal.SIGTERM)
    child.stop()
    assert not child.is_running()
    assert not gate.settings.socket.exists()
    with pytest.raises(UnreachableError, match="does not answer"):
        SignerClient(gate.settings.socket).identity()


def test_it_ends_with_the_daemon_that_started_it(gate: Parliament) -> None:
    """Also when the daemon is killed."""
    source = keystore_of(gate)
    (gate.folder / "settings.json").write_text(
        SignerSettings.model_dump_json(gate.settings.model_copy(update={"rpc_urls": (SecretStr("hidden"),)}))
    )
    daemon = textwrap.dedent(f"""
        import json, os, signal, sys
        from pathlib import Path
        from pydantic import SecretStr
        from pnyx_tools.keystore import EncryptedKey
        from pnyx_tools.signer.process import spawn
        from pnyx_tools.signer.settings import SignerSettings
        settings = json.loads(Path({str(gate.folder / "settings.json")!r}).read_text())
        settings["rpc_urls"] = [{gate.node.url!r}]
        key = EncryptedKey(keystore=Path({str(source.keystore)!r}), password=SecretStr({PASSWORD!r}))
        child = spawn(SignerSettings.model_validate(settings), key)
        print(child.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", daemon], capture_output=True, text=True, timeout=60)
    pid = int(done.stdout)
    for _ in range(200):
        if not Path(f"/proc/{pid}").exists() or _is_zombie(pid):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the signer outlived its daemon")
    with spawn(gate.settings, source) as again:
        assert again.client.identity().key_address == gate.key.address


def test_two_signers_do_not_share_a_socket(gate: Parliament, child: SignerProcess) -> None:
    assert child.is_running()
    elsewhere = gate.settings.model_copy(update={"memory": gate.folder / "another.db"})
    with pytest.raises(UsageError, match="another signer answers"):
        spawn(elsewhere, EncryptedKey(keystore=gate.folder / "key.json", password=SecretStr(PASSWORD)))


# --- the socket, without a chain -------------------------------------------------------------------------------------


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "signer.sock"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"\x00\x00\x00\x05ab", (MAX_FRAME_BYTES + 1).to_bytes(4, "big"), b"\xff\xff\xff\xff{}"],
)
def test_broken_frames_are_dropped_and_the_next_peer_is_served(socket_path: Path, data: bytes) -> None:
    with Serving(Parrot(), socket_path):
        assert raw(socket_path, data) == b""
        with pytest.raises(RefusedError, match="no hello today"):
            SignerClient(socket_path).identity()


@pytest.mark.parametrize(
    ("request_json", "place"),
    [
        (b"not json", "json_invalid"),
        (b"{}", "union_tag_not_found"),
        (b'{"op":"sign-anything","raw":"0x00"}', "union_tag_invalid"),
        (b'{"op":"hello","version":2}', "hello.version: literal_error"),
        (b'{"op":"hello","version":1,"extra":"s3cret"}', "hello.extra: extra_forbidden"),
    ],
)
def test_what_is_no_request_is_refused_by_place_without_its_content(
    socket_path: Path, request_json: bytes, place: str
) -> None:
    with Serving(Parrot(), socket_path):
        reply = parse_reply(raw(socket_path, len(request_json).to_bytes(4, "big") + request_json))
    assert isinstance(reply, Refusal)
    assert place in reply.reason
    assert "s3cret" not in reply.reason


def test_a_bug_in_the_signer_is_no_answer_and_no_end(socket_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def chokes(_request: Any) -> Any:
        raise ZeroDivisionError("a value that might be secret")

    with Serving(Parrot(chokes), socket_path), caplog.at_level("INFO"):
        for _ in range(2):
            with pytest.raises(UnreachableError, match=r"the signer failed \(ZeroDivisionError\)"):
                SignerClient(socket_path).identity()
    assert "might be secret" not in caplog.text
    assert "test_signer_process.py:" in caplog.text


def test_what_is_judged_is_finished_before_the_end_and_what_waits_is_not_begun(socket_path: Path) -> None:
    judging, go_on, asked = threading.Event(), threading.Event(), []

    def slow(request: Any) -> None:
        asked.append(request)
        judging.set()
        assert go_on.wait(10)
        raise RefusedError("judged to the end")

    def ask() -> str:
        with pytest.raises(PnyxError) as answer:
            SignerClient(socket_path).identity()
        return answer.value.message

    with ThreadPoolExecutor() as peers:
        with Serving(Parrot(slow), socket_path) as serving:
            first = peers.submit(ask)
            assert judging.wait(10)
            second = peers.submit(ask)
            serving.service.stop()
            go_on.set()
        assert first.result(10) == "the signer refused: judged to the end"
        assert "does not answer" in second.result(10) or "closed the connection" in second.result(10)
    assert len(asked) == 1


@pytest.mark.parametrize("refusal", [RefusedError, NotYetError, DailyLimitError])
def test_a_refusal_says_whether_and_when_to_ask_again(socket_path: Path, refusal: type[RefusedError]) -> None:
    def refuse(request: Any) -> None:
        raise refusal(f"no {request.op}")

    with Serving(Parrot(refuse), socket_path), pytest.raises(RefusedError, match="no hello") as refused:
        SignerClient(socket_path).identity()
    assert type(refused.value) is refusal


def test_an_unreachable_endpoint_is_not_a_refusal(socket_path: Path) -> None:
    def offline(_request: Any) -> Any:
        raise UnreachableError("the node does not answer")

    with (
        Serving(Parrot(offline), socket_path),
        pytest.raises(UnreachableError, match="could not judge: the node does not answer"),
    ):
        SignerClient(socket_path).identity()


def test_other_users_are_not_answered(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Serving(Parrot(), socket_path):
        monkeypatch.setattr("pnyx_tools.signer.doors.os.getuid", lambda: 4242)
        with pytest.raises(PnyxError, match=r"does not answer|closed the connection"):
            SignerClient(socket_path).identity()
        monkeypatch.undo()
        with pytest.raises(RefusedError):
            SignerClient(socket_path).identity()


def test_a_stale_socket_is_cleared_away(socket_path: Path) -> None:
    listen(socket_path).close()
    assert socket_path.exists()
    with Serving(Parrot(), socket_path), pytest.raises(RefusedError):
        SignerClient(socket_path).identity()
    assert not socket_path.exists()


def test_what_is_no_socket_stays(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o700)
    (folder / "signer.sock").write_text("precious")
    with pytest.raises(UsageError, match="is no socket"):
        listen(folder / "signer.sock")
    assert (folder / "signer.sock").read_text() == "precious"


def test_a_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(UsageError, match="chmod 700"):
        listen(folder / "signer.sock")


def test_a_path_that_is_too_long_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose a shorter path"):
        listen(tmp_path / ("d" * 120) / "signer.sock")


def test_a_message_that_is_too_large_is_not_sent() -> None:
    ours, theirs = socket.socketpair()
    ticket = {"nonce": 0, "gas_limit": 1, "max_fee_per_gas": 1, "max_priority_fee_per_gas": 1}
    huge = SignVote.model_validate({"bundle": "x" * MAX_FRAME_BYTES, "expected_seq": 1, "ticket": ticket})
    with ours, theirs, pytest.raises(DecodingError, match="does not fit"):
        send_frame(ours, huge)


@given(bundle=st.text(max_size=300), seq=st.integers(1, 2**40), fee=st.integers(0, 2**256 - 1))
def test_a_request_survives_the_socket(bundle: str, seq: int, fee: int) -> None:
    ticket = {"nonce": 1, "gas_limit": 2, "max_fee_per_gas": fee, "max_priority_fee_per_gas": 0}
    request = SignVote.model_validate({"bundle": bundle, "expected_seq": seq, "ticket": ticket})
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_frame(ours, request)
        assert parse_request(receive_frame(theirs, 10)) == request


def test_a_hello_is_a_request_and_no_reply() -> None:
    assert parse_request(Hello().model_dump_json().encode()) == Hello()
    with pytest.raises(DecodingError):
        parse_reply(Hello().model_dump_json().encode())
    assert "raw" not in Identity.model_fields


# --- what it does not import -----------------------------------------------------------------------------------------


def test_the_signer_imports_nothing_heavy() -> None:
    """Model, plugins, web3 and durable engine are not even loaded in the process that holds the key."""
    program = textwrap.dedent("""
        import sys
        import pnyx_tools.signer.process, pnyx_tools.keystore
        from pnyx_tools.signer.keys import LocalKey
        from pnyx_policies.dossier import Approval
        from pnyx_policies.approval import signed_by
        LocalKey(b"\\x01" * 32)
        word, signature = b"\\x01" * 32, "0x" + "1b" * 65
        signed_by(Approval(person="a", verdict="approve", expires_at=1, decision_digest=word, signature=signature))
        heavy = {"web3", "langchain", "langchain_core", "langchain_openai", "openai", "dbos", "sqlalchemy",
                 "apscheduler", "pnyx_tools.plugins", "pnyx_tools.model", "pnyx_tools.chain", "pnyx_agents"}
        print(sorted(heavy & set(sys.modules)))
    """)
    done = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _is_zombie(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True
