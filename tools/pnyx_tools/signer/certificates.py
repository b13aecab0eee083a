"""A private CA and a certificate for each side of `tls`, made in one go.

The CA's key is never written down: nobody can ever make a third certificate. Renewing means to make all anew.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pnyx_contracts.errors import UsageError
from pnyx_tools.files import write_secret

CLOCKS_DIFFER: Final = timedelta(hours=1)

SIGNER, DAEMON, CA = "signer", "daemon", "ca"


def make_certificates(folder: Path, hosts: Sequence[str], days: int) -> list[Path]:
    """``ca.pem``, and ``.pem`` and ``.key`` for ``signer`` and ``daemon``. `hosts`: names and addresses under which the
    daemon reaches the signer. Raises `UsageError`; nothing is overwritten.
    """
    names = [_alternative(host) for host in hosts]
    if not names:
        raise UsageError("a signer's certificate is for at least one host")
    ca = _Authority(days)
    written = [folder / f"{CA}.pem", *(folder / f"{side}.{end}" for side in (SIGNER, DAEMON) for end in ("pem", "key"))]
    for path in written:
        if path.exists():
            raise UsageError(f"{path} exists: nothing is overwritten", hint="choose an empty folder")
    write_secret(written[0], _pem(ca.certificate))
    ca.write_pair(folder, SIGNER, ExtendedKeyUsageOID.SERVER_AUTH, names)
    ca.write_pair(folder, DAEMON, ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName(DAEMON)])
    return written


class _Authority:
    """Lives as long as this object."""

    def __init__(self, days: int) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pnyx signer CA")])
        self._begins = datetime.now(UTC) - CLOCKS_DIFFER
        self._ends = self._begins + timedelta(days=days)
        own = self._key.public_key()
        self.certificate = (
            self._builder(self._name, own)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def write_pair(
        self, folder: Path, name: str, use: x509.ObjectIdentifier, alternatives: Sequence[x509.GeneralName]
    ) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=True)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        write_secret(folder / f"{name}.pem", _pem(certificate))
        write_secret(folder / f"{name}.key", _pem_key(key))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._begins)
            .not_valid_after(self._ends)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )


_HOST_NAME = re.compile(r"[a-zA-Z0-9_*-]+(\.[a-zA-Z0-9_*-]+)*")


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not _HOST_NAME.fullmatch(host):
        raise UsageError(f"{host!r} is neither a host name nor an address")
    return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _pem_key(key: ec.EllipticCurvePrivateKey) -> str:
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()
