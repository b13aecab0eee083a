"""The shipped systemd units: sound by systemd's own judgement, and a signer works inside of what they allow.

systemd itself does not run here. The signer runs under the system call filter of its unit, expanded by
``systemd-analyze`` and loaded by libseccomp and without any capability but the one that stands for
the unit's limit of locked memory.
"""

from __future__ import annotations

import ctypes.util
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from pnyx_agents import assembly
from pnyx_agents.settings import load_settings
from pnyx_contracts.errors import PnyxError, RefusedError, UnreachableError
from pnyx_tools.files import require_private, write_secret
from pnyx_tools.signer.certificates import make_certificates
from pnyx_tools.signer.client import SignerClient, TlsWay
from pnyx_tools.signer.keys import LocalKey
from pnyx_tools.signer.settings import SignerSettings
from pnyx_tools.signer.tls import TlsFiles
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import deploy_gate, deploy_governance
from pnyx_tools.voter import vote

from .parliament import FRIEND, RULES, STRANGER, Parliament
from .serving import PASSWORD

UNITS = Path(__file__).parents[2] / "deploy" / "systemd"
SIGNER, DAEMON = UNITS / "pnyx-signer.service", UNITS / "pnyx.service"
PNYX = Path(sys.executable).parent / "pnyx"

analyze = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(analyze is None, reason="systemd-analyze is not installed")
needs_filters = pytest.mark.skipif(
    analyze is None or ctypes.util.find_library("seccomp") is None or os.getuid() != 0,
    reason="needs systemd-analyze, libseccomp, and root, who can lock memory",
)


def settings_in(unit: Path) -> dict[str, list[str]]:
    """Each setting with its values, in order."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", unit.read_text(), flags=re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


@needs_systemd
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in (SIGNER, DAEMON):
        (tmp_path / unit.name).write_text(unit.read_text().replace("/opt/pnyx/bin/pnyx", str(PNYX)))
    command = [str(analyze), "verify", "--man=no", str(tmp_path / SIGNER.name), str(tmp_path / DAEMON.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    ours = [line for line in done.stderr.splitlines() if "pnyx" in line]
    assert (done.returncode, ours) == (0, [])


@needs_systemd
@pytest.mark.parametrize("unit", [SIGNER, DAEMON], ids=lambda unit: unit.name)
def test_the_units_are_tight(unit: Path) -> None:
    """systemd's exposure level in tenths; an unprotected service has 9.6."""
    command = [str(analyze), "security", "--offline=yes", "--threshold=20", "--no-pager", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_key_is_for_the_signers_user_alone() -> None:
    signer, daemon = settings_in(SIGNER), settings_in(DAEMON)
    assert signer["User"] != daemon["User"]
    assert daemon["SupplementaryGroups"] == signer["Group"]
    assert [value.partition(":")[0] for value in signer["LoadCredential"]] == ["keystore", "password"]
    assert "LoadCredential" not in daemon
    assert (signer["LimitMEMLOCK"], signer["LimitCORE"], daemon["LimitCORE"]) == (["infinity"], ["0"], ["0"])
    assert "PrivateUsers" not in signer, "the kernel could not tell who asks"


# --- a signer inside -------------------------------------------------------------------------------------------------

INSIDE = """
import ctypes, json, os, sys
rules, command = json.loads(sys.argv[1]), sys.argv[2:]

class Comparison(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("op", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]

libc, seccomp = ctypes.CDLL(None), ctypes.CDLL("libseccomp.so.2")
seccomp.seccomp_init.restype = ctypes.c_void_p
EPERM, ENOSYS, ALLOW, EQUAL, MASKED = 0x50001, 0x50026, 0x7FFF0000, 4, 7
context = ctypes.c_void_p(seccomp.seccomp_init(EPERM))

def add(action, name, *comparisons):
    number = seccomp.seccomp_syscall_resolve_name(name.encode())
    if number >= 0:  # this machine has it
        array = (Comparison * len(comparisons))(*comparisons)
        assert seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), array) == 0, name

for name in rules["allowed"]:
    add(ALLOW, name)
for family in rules["families"]:
    add(ALLOW, "socket", Comparison(0, EQUAL, family, 0))
WRITE, EXECUTE, NAMESPACES = 2, 4, 0x7E020080
add(ALLOW, "mmap", Comparison(2, MASKED, EXECUTE, 0))
add(ALLOW, "mmap", Comparison(2, MASKED, EXECUTE | WRITE, EXECUTE))
add(ALLOW, "mprotect", Comparison(2, MASKED, EXECUTE, 0))
add(ALLOW, "clone", Comparison(0, MASKED, NAMESPACES, 0))
add(ENOSYS, "clone3")

IPC_LOCK = 14  # stands for LimitMEMLOCK=infinity, which root in a container may not set
for capability in {*range(64)} - {IPC_LOCK}:
    libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: CapabilityBoundingSet=
libc.prctl(38, 1, 0, 0, 0)  # NoNewPrivileges=yes
os.umask(0o077)
assert seccomp.seccomp_load(context) == 0
os.execv(command[0], command)
"""

BY_ARGUMENT = {"socket", "mmap", "mprotect", "pkey_mprotect", "clone", "clone3", "shmat", "unshare", "setns"}
"""Calls that other settings of the unit restrict by their arguments (or altogether)."""
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10}


def calls_in(name: str) -> set[str]:
    """What a set of system calls holds; sets hold other sets."""
    if not name.startswith("@"):
        return {name}
    command = [str(analyze), "syscall-filter", "--no-pager", name]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    members = [line.strip() for line in shown.splitlines()[1:] if line.strip() and "#" not in line]
    return set().union(*map(calls_in, members))


def filter_of(unit: Path) -> dict[str, Any]:
    settings = settings_in(unit)
    allowed: set[str] = set()
    for line in settings["SystemCallFilter"]:
        named = set().union(*map(calls_in, line.removeprefix("~").split()))
        allowed = allowed - named if line.startswith("~") else allowed | named
    (families,) = settings["RestrictAddressFamilies"]
    always = calls_in("@default")  # systemd adds what every program needs to start
    return {
        "allowed": sorted((allowed | always) - BY_ARGUMENT),
        "families": [FAMILIES[family] for family in families.split()],
    }


@pytest.fixture(params=["socket", "tls"])
def installed(signer_node: Anvil, tmp_path: Path, request: pytest.FixtureRequest) -> Parliament:
    """A signer's own folder as `docs/signer.md` says, and a gate that declares its configuration."""
    secret = bytes(Account.create().key)
    key = LocalKey(secret)
    signer_node.set_balance(key.address, 10**18)
    credentials = tmp_path / "credentials"
    write_secret(credentials / "password", PASSWORD)
    write_secret(
        credentials / "keystore", json.dumps(Account.encrypt(secret, PASSWORD, kdf="scrypt", iterations=2**18))
    )
    for path in credentials.iterdir():
        path.chmod(0o440)  # as systemd hands them over
    governance = deploy_governance(signer_node, powers={})
    (tmp_path / "rules.toml").write_text(RULES)
    lines = [
        'agent = { name = "tester", mode = "autonomous" }',
        'policy = { ruleset = "rules.toml" }',
        f'addresses = {{ "{FRIEND}" = "a friend" }}',
        f'chain = {{ rpc = "{signer_node.url}", chain_id = 31337 }}',
        f'governor = [{{ address = "{governance.governor}", start_block = 0 }}]',
        "[signer]",
        'socket = "run/signer.sock"',
        *(listening(tmp_path) if request.param == "tls" else ()),
        f'keystore = "{credentials / "keystore"}"',
        f'password_file = "{credentials / "password"}"',
        "require_locked_memory = true",
        "max_fee_gwei = 400",
        "max_spend_per_day_ether = 1",
    ]
    file = tmp_path / "pnyx.toml"
    file.write_text("\n".join(lines))
    declared = assembly.declared_configuration(load_settings(file))
    gate = deploy_gate(signer_node, signer=key.address, governors=[governance.governor], config_hash=declared.hash)
    file.write_text("\n".join([f'log = {{ address = "{gate.log}", writer = "{gate.address}" }}', *lines]))
    settings = assembly.signer_settings(load_settings(file), key.address)
    governance.give_power(gate.address, 500_000)
    return Parliament(signer_node, governance, key, secret, settings, tmp_path)


def listening(folder: Path) -> Iterator[str]:
    """At a free port."""
    make_certificates(folder / "tls", ["127.0.0.1"], days=90)
    with socket.create_server(("127.0.0.1", 0)) as free:
        yield f'listen = "tls://127.0.0.1:{free.getsockname()[1]}"'
    yield 'tls = { ca = "tls/ca.pem", certificate = "tls/signer.pem", key = "tls/signer.key", peers = ["daemon"] }'


def client_of(settings: SignerSettings) -> SignerClient:
    """As the daemon's settings lead to it."""
    if settings.listen is None:
        return SignerClient(settings.socket)
    tls = settings.listen.files.ca.parent
    files = TlsFiles(ca=tls / "ca.pem", certificate=tls / "daemon.pem", key=tls / "daemon.key")
    return SignerClient(TlsWay(settings.listen.place, files))


@contextmanager
def started(parliament: Parliament) -> Iterator[subprocess.Popen[str]]:
    """`pnyx signer` inside of the unit's filter."""
    (start,) = settings_in(SIGNER)["ExecStart"]
    command = [str(PNYX), *start.split()[1:]]
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", INSIDE, json.dumps(filter_of(SIGNER)), *command],
        cwd=parliament.folder,
        env={
            "PATH": os.defpath, "LANG": "C.UTF-8", "CREDENTIALS_DIRECTORY": str(parliament.folder / "credentials"),
        },
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_it_serves(client: SignerClient, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            client.identity()
            return
        except UnreachableError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(process.communicate()[1]) from None
            time.sleep(0.1)


@needs_filters
def test_a_signer_works_inside_of_its_unit(installed: Parliament) -> None:
    with started(installed) as process:
        client = client_of(installed.settings)
        wait_until_it_serves(client, process)
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"Seccomp:\s+2\n", status)
        assert re.search(r"NoNewPrivs:\s+1\n", status)
        assert re.search(r"CapEff:\s+0+4000\n", status)
        with pytest.raises(RefusedError, match="the rules give no vote here"):
            client.sign(installed.ask_vote(installed.dossier(installed.open(to=STRANGER))))
        case = installed.case(installed.dossier(installed.open()))
        assert vote(installed.writer(client), installed.booth, case).cast is not None
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)[1]
    assert process.returncode == 0
    assert '"event": "signed"' in said
    assert "memory is not locked" not in said


@needs_filters
def test_the_filter_filters() -> None:
    """Else the test above would show nothing."""
    program = "import os\ntry:\n    os.setpriority(0, 0, 5)\nexcept PermissionError as error:\n    print(error)"
    command = [sys.executable, "-I", "-c", INSIDE, json.dumps(filter_of(SIGNER)), sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "Operation not permitted" in done.stdout, done.stderr


def test_a_credential_of_another_service_is_no_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_secret(tmp_path / "password", "x")
    (tmp_path / "password").chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "elsewhere"))
    with pytest.raises(PnyxError, match="can be read by others"):
        require_private(tmp_path / "password", "password file")
    (tmp_path / "password").chmod(0o444)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(PnyxError, match="can be read by others"):
        require_private(tmp_path / "password", "password file")
