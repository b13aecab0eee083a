"""`pnyx doctor` on the file of a signer that runs apart: what the signer needs, and nothing that only a daemon does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pnyx_agents.assembly import declared_configuration
from pnyx_agents.settings import load_settings
from pnyx_tools.keystore import create_keystore
from pnyx_tools.signer.certificates import make_certificates
from pnyx_tools.testing.anvil import Anvil
from pnyx_tools.testing.deploy import TOKEN, Governance, deploy_gate

from .conftest import PASSWORD, Pnyx


@dataclass(frozen=True)
class Signer:
    """The files of one that runs apart, and the gate that it signs for."""

    config: Path
    key: str

    def change(self, old: str, new: str) -> None:
        text = self.config.read_text()
        assert old in text
        self.config.write_text(text.replace(old, new))

    def examined(self, pnyx: Pnyx, *options: str) -> dict[str, tuple[str, str]]:
        ended = pnyx("doctor", "-c", self.config, "--json", *options)
        assert ended.code == (1 if any(r["status"] == "failed" for r in ended.json) else 0)
        return {result["name"]: (result["status"], result["found"]) for result in ended.json}


@pytest.fixture
def signer(node: Anvil, dao: Governance, tmp_path: Path) -> Signer:
    """Its model's key and its daemon's folders are not here."""
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    key = create_keystore(tmp_path / "signer.json", PASSWORD, scrypt_work=2**12)
    node.set_balance(key, TOKEN)
    config = tmp_path / "signer.toml"
    lines = [
        'agent = { name = "tester" }',
        f'chain = {{ rpc = "{node.url}", chain_id = 31337 }}',
        f'governor = [{{ address = "{dao.governor}", start_block = 0 }}]',
        f'signer = {{ keystore = "signer.json", password_file = "password", users = [{os.getuid()}] }}',
        'model = [{ model = "some-model", base_url = "https://models.invalid/v1", api_key_env = "NOT_HERE" }]',
    ]
    config.write_text("\n".join(lines))
    declared = declared_configuration(load_settings(config)).hash
    gate = deploy_gate(node, signer=key, governors=[dao.governor], config_hash=declared)
    config.write_text("\n".join([*lines, f'log = {{ address = "{gate.log}", writer = "{gate.address}" }}']))
    config.chmod(0o600)
    return Signer(config, key)


def test_all_that_a_signer_needs_and_nothing_of_the_daemons(pnyx: Pnyx, signer: Signer) -> None:
    found = signer.examined(pnyx)
    assert {name for name, (status, _) in found.items() if status != "ok"} == {"second endpoint"}
    assert found["key"] == ("ok", signer.key)
    assert found["writer"][1].endswith(" (gate)")
    assert found["process"] == ("ok", "not running: `pnyx signer` starts it")
    assert {"model", "evidence folder", "data folder", "mode"} & set(found) == set()
    said = pnyx("doctor", "-c", signer.config)
    assert "It can run. 1 of " in said.out


def test_the_same_file_without_peers_is_the_daemons_unless_somebody_says_so(pnyx: Pnyx, signer: Signer) -> None:
    signer.change(f", users = [{os.getuid()}]", "")
    assert "writer" in signer.examined(pnyx, "--signer")
    assert "model" in signer.examined(pnyx)


@pytest.mark.parametrize(
    ("old", "new", "name", "says"),
    [
        ('password_file = "password"', 'password_file = "none"', "key", "cannot be read"),
        ("chain_id = 31337", "chain_id = 5", "chain id of ", "chain 31337"),
        ("users = [", 'socket = "password/signer.sock", users = [', "door", "password is no folder"),
        ('name = "tester"', 'name = "another"', "configuration", ""),
        ("users = [", 'ruleset = "observer", users = [', "ruleset", "the declared configuration names"),
        ("users = [", "max_fee_gwei = 0, users = [", "caps", "max_fee_gwei is 0"),
        ("users = [", "max_gas = 21000, users = [", "caps", "max_gas is 21000 gas; a vote takes about 300000"),
        ("users = [", 'max_spend_per_vote_ether = "0.000001", users = [', "caps", "max_spend_per_vote_ether is"),
        ("users = [", 'max_spend_per_day_ether = "0.000001", users = [', "caps", "max_spend_per_day_ether is"),
    ],
)
def test_what_would_stop_it_is_found(pnyx: Pnyx, signer: Signer, old: str, new: str, name: str, says: str) -> None:
    signer.change(old, new)
    found = signer.examined(pnyx)
    status, words = next(result for key, result in found.items() if key.startswith(name))
    assert (status, says in words) == ("failed", True), words


def test_a_key_that_the_gate_does_not_know(pnyx: Pnyx, signer: Signer) -> None:
    (signer.config.parent / "signer.json").unlink()
    other = create_keystore(signer.config.parent / "signer.json", PASSWORD, scrypt_work=2**12)
    found = signer.examined(pnyx)
    assert found["key"] == ("ok", other)
    assert found["writer"][0] == found["signer balance"][0] == "failed"


def test_certificates_of_a_signer_on_another_machine(pnyx: Pnyx, signer: Signer, tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls", ["localhost"], 30)
    tls = '{ ca = "tls/ca.pem", certificate = "tls/signer.pem", key = "tls/signer.key", peers = ["daemon"] }'
    signer.change(f"users = [{os.getuid()}]", f'listen = "tls://127.0.0.1:7999", tls = {tls}')
    found = signer.examined(pnyx)
    assert found["door"] == ("ok", "tls://127.0.0.1:7999, for daemon")
    assert found["certificate"][0] == "warning", "it ends within 30 days"
    assert "process" not in found, "who asks it needs a certificate of the daemon's"
    (tmp_path / "tls" / "signer.key").chmod(0o644)
    assert signer.examined(pnyx)["door"][0] == "failed"


def test_one_that_runs(pnyx: Pnyx, signer: Signer) -> None:
    command = [sys.executable, "-m", "pnyx_agents", "signer", "-c", str(signer.config)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            while not (signer.config.parent / "signer" / "signer.sock").exists():
                assert process.poll() is None, process.stderr.read()
            found = signer.examined(pnyx)
            assert found["process"][0] == "ok"
            assert found["process"][1].startswith("runs at ")
            second = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
            assert (second.returncode, "is in use" in second.stderr) == (3, True)
            assert "signing for" not in second.stderr, "nobody says so before it is true"
            signer.change('name = "tester"', 'name = "another"')
            assert signer.examined(pnyx)["process"][0] == "failed"
        finally:
            process.send_signal(signal.SIGTERM)
            process.stderr.read()
