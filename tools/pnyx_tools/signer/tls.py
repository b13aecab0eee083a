"""Mutual TLS between a daemon and a signer on another machine: 1.3 only, both sides show a certificate of one CA.

Each side reads three PEM files. Whoever has the CA's key can be either side, so `certificates` throws that key away.
"""

from __future__ import annotations

import hashlib
import logging
import re
import ssl
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self, cast
from urllib.parse import urlsplit

from cryptography import x509

from pnyx_contracts.errors import PnyxError, UsageError
from pnyx_contracts.types import Value
from pnyx_tools.files import require_private, require_unwritable

EXPIRES_SOON: Final = timedelta(days=30)

logger = logging.getLogger("pnyx.signer")


class TlsFiles(Value):
    """PEM files of one side."""

    ca: Path
    """Whose certificates are believed: the other side's, and nobody else's."""
    certificate: Path
    key: Path
    """Its private key, unencrypted and readable by its owner only."""


class TlsPlace(Value):
    """Where a signer listens: ``tls://host:port``."""

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError."""
        parts = urlsplit(url)
        if parts.scheme != "tls" or not parts.hostname or not parts.port or parts.path.strip("/") or parts.username:
            raise ValueError(f"expected tls://host:port, got {url[:80]!r}")
        return cls(host=parts.hostname, port=parts.port)

    def __str__(self) -> str:
        return f"tls://[{self.host}]:{self.port}" if ":" in self.host else f"tls://{self.host}:{self.port}"


def server_context(files: TlsFiles) -> ssl.SSLContext:
    """A client without a certificate of our CA gets no further than the handshake. One of ours that is over is left to
    the client, who says so to whoever runs it. Raises `UsageError`.
    """
    context = _context(ssl.PROTOCOL_TLS_SERVER, files)
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # one request per connection, nothing to resume
    return context


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """The server must be the host that was asked for. Raises `UsageError`."""
    require_valid(files)
    return _context(ssl.PROTOCOL_TLS_CLIENT, files)


def _context(side: int, files: TlsFiles) -> ssl.SSLContext:
    require_private(files.key, "key")
    require_unwritable(files.ca, "CA's certificate")
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        context.load_verify_locations(cafile=files.ca)
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{files.ca} holds no CA certificate in PEM form: {_words(error)}") from None
    try:
        context.load_cert_chain(files.certificate, files.key, password="")  # nothing asks the terminal for one
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"the certificate {files.certificate} and the key {files.key} cannot be used together: {_words(error)}",
            hint="both must be PEM, unencrypted, and belong to one another",
        ) from None
    return context


def require_valid(files: TlsFiles) -> None:
    """Our own certificate: it says more to look here than to read the other side's alert. The log says so once a day
    before it ends. Raises `UsageError`.
    """
    certificate, ends, now = files.certificate, end_of(files.certificate), datetime.now(UTC)
    if ends < now:
        raise UsageError(f"the certificate {certificate} expired on {ends:{MINUTE}}", hint=RENEW)
    if ends - now < EXPIRES_SOON:
        _warn(certificate, ends, now.date())


def end_of(certificate: Path) -> datetime:
    """When it expires. Raises `UsageError`."""
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes()).not_valid_after_utc
    except OSError as error:
        raise UsageError(f"the certificate {certificate} cannot be read: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"{certificate} holds no certificate in PEM form") from None


@lru_cache(maxsize=8)
def _warn(certificate: Path, ends: datetime, _today: date) -> None:
    logger.warning("the certificate %s expires on %s: %s", certificate, f"{ends:{MINUTE}}", RENEW)


MINUTE: Final = "%Y-%m-%d %H:%M UTC"
RENEW: Final = "make new ones with `pnyx certificates`, and bring them to both machines"


class Peer(Value):
    """The other side's certificate, which its CA vouches for."""

    name: str
    """Its common name."""
    fingerprint: str
    """SHA-256 of the certificate in lower case hex."""

    @classmethod
    def of(cls, connection: ssl.SSLSocket) -> Self:
        """After the handshake."""
        shown = cast("dict[str, Any]", connection.getpeercert())
        names = [value for part in shown.get("subject", ()) for kind, value in part if kind == "commonName"]
        encoded = connection.getpeercert(binary_form=True) or b""
        return cls(name=names[0] if len(names) == 1 else "", fingerprint=hashlib.sha256(encoded).hexdigest())

    def is_among(self, listed: tuple[str, ...]) -> bool:
        """By common name, or by fingerprint as tools print it (``AB:CD:...``)."""
        own = {self.fingerprint, self.name} - {""}
        return any(entry in own or entry.replace(":", "").lower() == self.fingerprint for entry in listed)

    def __str__(self) -> str:
        return f"{self.name or 'without a name'!r} (SHA-256 {self.fingerprint})"


class HandshakeError(PnyxError):
    """Two sides that do not come together, and why."""


_CERTIFICATES = "compare the CA and the certificates of both machines; `pnyx certificates` makes a matching set"
_EXPLAINED: Final = (
    ("certificate required|peer did not return a certificate", "the client showed no certificate", _CERTIFICATES),
    ("expired", "a certificate expired", RENEW),
    ("not yet valid", "a certificate is not valid yet", "set the clocks of both machines"),
    ("hostname mismatch|ip address mismatch", "the signer's certificate is for another host", _CERTIFICATES),
    ("unknown ca|self.signed|unable to get|verify failed|bad certificate|bad signature|unsupported certificate",
     "a certificate is not of the CA that the other side believes", _CERTIFICATES),
    ("http request|wrong version|protocol version|unsupported protocol|no protocols|record layer|packet length",
     "the peer does not speak TLS 1.3", "is this the signer's port?"),
    ("timed out", "no handshake in the time it has", "is this the signer's port?"),
    ("eof|closed|reset|broken pipe", "the other side hung up", "its log says why"),
)  # fmt: skip


def explained(error: OSError) -> HandshakeError:
    """OpenSSL's words as a person's."""
    words = _words(error)
    for pattern, meaning, hint in _EXPLAINED:
        if re.search(pattern, words, re.IGNORECASE):
            return HandshakeError(f"{meaning} ({words})", hint=hint)
    return HandshakeError(words)


def _words(error: OSError) -> str:
    """Without the place in OpenSSL's source."""
    verified = getattr(error, "verify_message", "")
    reason = str(getattr(error, "reason", None) or error.strerror or error)
    return f"{reason.replace('_', ' ').lower()}{f': {verified}' if verified else ''}"
