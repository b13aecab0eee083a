"""A signer on another machine: mutual TLS over real sockets, and whoever may not come in."""

from __future__ import annotations

import re
import socket
import ssl
import stat
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from pnyx_agents import assembly
from pnyx_agents.archive import make_backup
from pnyx_agents.cli.main import main
from pnyx_agents.examination import certificate_of
from pnyx_agents.settings import Settings, parse_settings
from pnyx_contracts.errors import RefusedError, UnreachableError, UsageError
from pnyx_tools.files import write_secret
from pnyx_tools.signer.certificates import _Authority, _pem, make_certificates
from pnyx_tools.signer.client import SignerClient, TlsWay
from pnyx_tools.signer.doors import ADMISSION_SECONDS, TlsDoor
from pnyx_tools.signer.process import spawn
from pnyx_tools.signer.protocol import Hello, send_frame
from pnyx_tools.signer.settings import TlsListening
from pnyx_tools.signer.tls import TlsFiles, TlsPlace
from pnyx_tools.voter import vote

from .parliament import STRANGER, Parliament
from .serving import Parrot, Serving, keystore_of, logged


def files(folder: Path, side: str) -> TlsFiles:
    return TlsFiles(ca=folder / "ca.pem", certificate=folder / f"{side}.pem", key=folder / f"{side}.key")


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    make_certificates(tmp_path / "tls", ["127.0.0.1", "localhost"], days=90)
    return tmp_path / "tls"


class Port:
    """A parrot behind a TLS door."""

    def __init__(self, certificates: Path, peers: tuple[str, ...] = ("daemon",)) -> None:
        self.door = TlsDoor(TlsPlace(host="127.0.0.1", port=0), files(certificates, "signer"), peers)
        self.serving = Serving(Parrot(), self.door)

    @property
    def place(self) -> TlsPlace:
        return TlsPlace(host="127.0.0.1", port=self.door.port)

    def plain(self) -> socket.socket:
        return socket.create_connection((self.place.host, self.place.port), timeout=10)

    def client(self, files: TlsFiles, host: str = "127.0.0.1") -> SignerClient:
        return SignerClient(TlsWay(TlsPlace(host=host, port=self.door.port), files), timeout_seconds=10)


@pytest.fixture
def port(certificates: Path) -> Iterator[Port]:
    made = Port(certificates)
    with made.serving:
        yield made


def test_a_vote_is_signed_over_the_network_and_lands(gate: Parliament, certificates: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = TlsPlace(host="127.0.0.1", port=free.getsockname()[1])
    listen = TlsListening(place=place, files=files(certificates, "signer"), peers=("daemon",))
    settings = gate.settings.model_copy(update={"listen": listen})
    with spawn(settings, keystore_of(gate)):
        assert not settings.socket.exists()
        client = SignerClient(TlsWay(place, files(certificates, "daemon")))
        with pytest.raises(RefusedError, match="the rules give no vote here"):
            client.sign(gate.ask_vote(gate.dossier(gate.open(to=STRANGER))))
        case = gate.case(gate.dossier(gate.open()))
        assert vote(gate.writer(client), gate.booth, case).cast is not None


def test_both_names_of_the_host_lead_there(port: Port, certificates: Path) -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(RefusedError, match="no hello today"):
            port.client(files(certificates, "daemon"), host).identity()


def test_it_is_tls_1_3_and_nothing_older(port: Port, certificates: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    own = files(certificates, "daemon")
    context.load_verify_locations(own.ca)
    context.load_cert_chain(own.certificate, own.key)
    with port.plain() as plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as tls:
        assert tls.version() == "TLSv1.3"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with port.plain() as plain, pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


# --- who does not come in --------------------------------------------------------------------------------------------


def still_serves(port: Port, certificates: Path) -> None:
    with pytest.raises(RefusedError, match="no hello today"):
        port.client(files(certificates, "daemon")).identity()


def test_a_certificate_of_another_ca(port: Port, certificates: Path, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", ["127.0.0.1"], days=90)
    stranger = files(tmp_path / "other", "daemon")
    believed = "a certificate is not of the CA that the other side believes"
    with logged() as lines:
        with pytest.raises(UnreachableError, match=believed):
            port.client(stranger).identity()  # it does not believe the signer either
        with pytest.raises(UnreachableError, match=believed):
            port.client(stranger.model_copy(update={"ca": certificates / "ca.pem"})).identity()
        lines.wait_for("a certificate is not of the CA")
    still_serves(port, certificates)


def test_an_expired_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is found before we knock; one that knocks nevertheless is turned away."""
    ca = _Authority(days=90)
    write_secret(tmp_path / "ca.pem", _pem(ca.certificate))
    ca.write_pair(tmp_path, "signer", ExtendedKeyUsageOID.SERVER_AUTH, [x509.IPAddress(ip_address("127.0.0.1"))])
    ca._ends = datetime.now(UTC) - timedelta(minutes=1)
    ca.write_pair(tmp_path, "daemon", ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName("daemon")])
    port, expired = Port(tmp_path), files(tmp_path, "daemon")
    with port.serving:
        with pytest.raises(UsageError, match=r"the certificate .*daemon\.pem expired on"):
            port.client(expired).identity()
        monkeypatch.setattr("pnyx_tools.signer.tls.require_valid", lambda _path: None)
        with pytest.raises(UnreachableError, match="a certificate expired"):
            port.client(expired).identity()


def test_a_certificate_that_ends_soon_is_told_once_a_day(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_certificates(tmp_path / "tls", ["127.0.0.1"], days=20)
    port = Port(tmp_path / "tls")
    with port.serving:
        for _ in range(3):
            still_serves(port, tmp_path / "tls")
    told = [record.message for record in caplog.records if "expires on" in record.message]
    assert len(told) == 2
    assert {Path(message.split()[2]).name for message in told} == {"signer.pem", "daemon.pem"}


@pytest.mark.parametrize(("days", "status"), [(90, "ok"), (20, "warning")])
def test_doctor_says_when_a_certificate_ends(tmp_path: Path, days: int, status: str) -> None:
    make_certificates(tmp_path / "tls", ["127.0.0.1"], days)
    looked = certificate_of(files(tmp_path / "tls", "daemon"))
    assert (looked.status, "daemon.pem expires on 2" in looked.found) == (status, True)
    (tmp_path / "tls" / "daemon.pem").unlink()
    assert certificate_of(files(tmp_path / "tls", "daemon")).status == "failed"


def test_renewed_certificates_need_no_restart_of_either_side(port: Port, certificates: Path, tmp_path: Path) -> None:
    client = port.client(files(certificates, "daemon"))
    make_certificates(tmp_path / "renewed", ["127.0.0.1"], days=90)
    for file in (tmp_path / "renewed").iterdir():
        file.replace(certificates / file.name)
    with pytest.raises(RefusedError, match="no hello today"):
        client.identity()


@pytest.mark.parametrize("side", ["daemon", "signer"])
def test_files_that_are_half_renewed_are_waited_for(port: Port, certificates: Path, side: str) -> None:
    """No vote is given up for them: a step waits for what cannot be reached, and fails for what is wrong."""
    client, key = port.client(files(certificates, "daemon")), certificates / f"{side}.key"
    away = key.replace(certificates / "away")
    with pytest.raises(UnreachableError):
        client.identity()
    away.replace(key)
    still_serves(port, certificates)


def test_no_certificate_at_all(port: Port, certificates: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates / "ca.pem")

    class Nameless(TlsWay):
        def connect(self) -> socket.socket:
            return context.wrap_socket(port.plain(), server_hostname="127.0.0.1")

    way = Nameless(port.place, files(certificates, "daemon"))
    with pytest.raises(UnreachableError, match="the client showed no certificate"):
        SignerClient(way, timeout_seconds=10).identity()
    still_serves(port, certificates)


def test_a_certificate_that_is_not_listed(certificates: Path) -> None:
    unlisted = Port(certificates, peers=("another",))
    with unlisted.serving, pytest.raises(UnreachableError, match=r"'daemon' \(SHA-256 .*is not on this signer's list"):
        unlisted.client(files(certificates, "daemon")).identity()


def test_the_signers_own_certificate_is_no_clients(port: Port, certificates: Path) -> None:
    with pytest.raises(UnreachableError, match="no way to the signer"):
        port.client(files(certificates, "signer")).identity()


def test_a_fingerprint_names_one_certificate(certificates: Path) -> None:
    from cryptography.hazmat.primitives import hashes

    pem = (certificates / "daemon.pem").read_bytes()
    fingerprint = x509.load_pem_x509_certificate(pem).fingerprint(hashes.SHA256()).hex(":").upper()
    named = Port(certificates, peers=(fingerprint,))
    with named.serving:
        still_serves(named, certificates)


def test_a_signer_under_another_name(tmp_path: Path) -> None:
    make_certificates(tmp_path / "elsewhere", ["signer.example"], days=90)
    elsewhere = Port(tmp_path / "elsewhere")
    with elsewhere.serving, pytest.raises(UnreachableError, match="the signer's certificate is for another host"):
        elsewhere.client(files(tmp_path / "elsewhere", "daemon")).identity()


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\x00" * 1000, b"\xff" * 70_000, b"\x00\x00\x00\x02{}"]
)
def test_what_is_no_tls_is_dropped(port: Port, certificates: Path, garbage: bytes) -> None:
    with port.plain() as peer:
        peer.sendall(garbage)
        try:
            while peer.recv(1000):  # an alert at most
                pass
        except ConnectionResetError:
            pass
    still_serves(port, certificates)


def test_a_request_before_the_handshake_is_not_read(certificates: Path) -> None:
    asked: list[Any] = []
    port = Port(certificates)
    port.serving.notary.does = asked.append
    with port.serving, port.plain() as peer:
        send_frame(peer, Hello())
        peer.recv(1000)
    assert asked == []


def test_who_stalls_keeps_nobody_waiting(port: Port, certificates: Path) -> None:
    """Silent ones, slow ones, and one that was let in and then says nothing more."""
    own = files(certificates, "daemon")
    stalled = [port.plain() for _ in range(10)]
    for peer in stalled[5:]:
        peer.sendall(b"\x16\x03\x01")
    inside = TlsWay(port.place, own).connect()
    inside.sendall(b"\x00\x00")
    began = time.monotonic()
    still_serves(port, certificates)
    assert time.monotonic() - began < ADMISSION_SECONDS / 2
    for peer in stalled:
        assert peer.recv(1000) == b""  # dropped: by now, or when its time is over
        peer.close()
    inside.close()


# --- files -----------------------------------------------------------------------------------------------------------


def test_the_ca_keeps_no_key_and_the_others_are_private(certificates: Path) -> None:
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in certificates.iterdir()}
    assert set(found) == {"ca.pem", "signer.pem", "signer.key", "daemon.pem", "daemon.key"}
    assert found["signer.key"] == found["daemon.key"] == 0o600
    with pytest.raises(UsageError, match="nothing is overwritten"):
        make_certificates(certificates, ["127.0.0.1"], days=90)


def break_key(folder: Path) -> None:
    (folder / "daemon.key").write_bytes((folder / "signer.key").read_bytes())


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        (lambda f: (f / "daemon.key").chmod(0o640), "the key .* can be read by others"),
        (lambda f: (f / "ca.pem").chmod(0o666), "the CA's certificate .* can be written by others"),
        (lambda f: (f / "daemon.pem").unlink(), "cannot be read: No such file"),
        (lambda f: (f / "daemon.pem").write_text("no"), "holds no certificate in PEM form"),
        (lambda f: (f / "ca.pem").write_text("no"), "holds no CA certificate in PEM form"),
        (break_key, "cannot be used together"),
    ],
)
def test_files_that_cannot_be_used_are_named(port: Port, certificates: Path, harm: Any, complaint: str) -> None:
    harm(certificates)
    with pytest.raises(UsageError, match=complaint):
        port.client(files(certificates, "daemon")).identity()


@pytest.mark.parametrize("url", ["https://a:1", "tls://a", "tls://:7", "tls://a:70000", "tls://u@a:7", "tls://a:7/x"])
def test_what_is_no_place_is_told(url: str) -> None:
    with pytest.raises(ValueError, match=r"tls://host:port|[Pp]ort"):
        TlsPlace.parse(url)


def test_a_port_that_is_taken_is_told(port: Port, certificates: Path) -> None:
    with pytest.raises(UsageError, match="the signer cannot listen at tls"):
        TlsDoor(port.place, files(certificates, "signer"), ("daemon",))


def test_a_child_that_cannot_listen_says_why(gate: Parliament, port: Port, certificates: Path) -> None:
    listen = TlsListening(place=port.place, files=files(certificates, "signer"), peers=("daemon",))
    with pytest.raises(UsageError, match="the signer did not start: the signer cannot listen"):
        spawn(gate.settings.model_copy(update={"listen": listen}), keystore_of(gate))


# --- from settings ---------------------------------------------------------------------------------------------------


def settings_of(folder: Path, signer: str) -> Settings:
    text = (
        'agent = { name = "a" }\nchain = { rpc = "http://127.0.0.1:1", chain_id = 1 }\n'
        f'governor = [{{ address = "{STRANGER}", start_block = 0 }}]\nlog = {{ address = "{STRANGER}" }}\n'
        f"[signer]\n{signer}\n"
    )
    return parse_settings(text, folder / "pnyx.toml")


@pytest.mark.parametrize(
    ("host", "connects"),
    [("signer.internal", "tls://signer.internal:7443"), ("2001:db8::7", "tls://[2001:db8::7]:7443")],
)
def test_the_command_says_how_the_daemon_connects(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], host: str, connects: str
) -> None:
    main(["certificates", str(tmp_path / "tls"), "--host", host])
    assert f'connect = "{connects}"' in capsys.readouterr().out
    assert str(TlsPlace.parse(connects)) == connects


@pytest.mark.parametrize("host", ["", "signer internal", "tls://signer.internal", "signer.internal:7443", "signer/x"])
def test_no_certificate_is_made_for_what_is_no_host(tmp_path: Path, host: str) -> None:
    with pytest.raises(UsageError, match="is neither a host name nor an address"):
        make_certificates(tmp_path / "tls", [host], days=1)
    assert not (tmp_path / "tls").exists()


def test_the_command_makes_what_the_settings_take(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`pnyx certificates`, then both sides as it says."""
    main(["certificates", str(tmp_path / "tls"), "--host", "127.0.0.1"])
    said = capsys.readouterr().out
    listen, signers_tls, connect, daemons_tls = re.findall(r"(?:listen|connect|tls) = .*", said)
    listening = settings_of(tmp_path / "tls", f"{listen}\n{signers_tls}")
    judged = assembly.signer_settings(listening, STRANGER).listen
    assert judged is not None
    assert judged.peers == ("daemon",)
    door = TlsDoor(TlsPlace(host="127.0.0.1", port=0), judged.files, judged.peers)
    with Serving(Parrot(), door):
        daemon = settings_of(tmp_path / "tls", f"{connect.replace('7443', str(door.port))}\n{daemons_tls}")
        with pytest.raises(RefusedError, match="no hello today"):
            assembly.signer(daemon).identity()
    with pytest.raises(UsageError, match="this configuration is a signer's"):
        assembly.signer(listening)


def test_users_are_named_as_the_machine_names_them(tmp_path: Path) -> None:
    listed = assembly.signer_settings(settings_of(tmp_path, 'users = ["root", 1234]'), STRANGER)
    assert listed.users == (0, 1234)
    with pytest.raises(UsageError, match="'no-such-user', which is no user of this machine"):
        assembly.signer_settings(settings_of(tmp_path, 'users = ["no-such-user"]'), STRANGER)


def test_a_backup_holds_the_certificates_and_names_their_keys(tmp_path: Path) -> None:
    make_certificates(tmp_path / "tls", ["127.0.0.1"], days=90)
    tls = 'tls = { ca = "tls/ca.pem", certificate = "tls/daemon.pem", key = "tls/daemon.key" }'
    settings = settings_of(tmp_path, f'connect = "tls://127.0.0.1:7443"\n{tls}')
    (tmp_path / "pnyx.toml").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "evidence").mkdir()
    listing = make_backup(settings, tmp_path / "pnyx.toml", tmp_path / "agent.backup")
    assert set(listing.files) == {"pnyx.toml", "tls/ca.pem", "tls/daemon.pem"}
    assert listing.kept_apart == ("tls/daemon.key",)
