"""Who is at the other end of a TLS connection: certificates that parties show each other and pin.

Each party signs a certificate of its own; nobody else vouches for it. A peer has it
in its configuration, byte for byte, and accepts no other: there is no authority
that could be made to name somebody else. What a certificate's key can do is to open
a connection. What counts is signed or sealed below it, under other keys.

OpenSSL is told not to look at the time. We do, by the party's own clock, so that a
certificate that has ended is refused in a sentence that names it.
"""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from havre.errors import InvalidInput, NotFound, Refused
from havre.values import parse_name

VALID_DAYS = 397
# Clocks of two machines differ by seconds, also at the moment a certificate is made.
_TOLERANCE = timedelta(minutes=2)
_MOST_BYTES = 64 * 1024
# X509_V_FLAG_NO_CHECK_TIME: `check_current` looks at the time.
_NO_CHECK_TIME = ssl.VerifyFlags(0x200000)


class CertificateEnded(Refused):
    """A certificate is used outside the time for which it was made."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One party's certificate.

    der: its bytes, which are all that is compared.
    begins_at, ends_at: UTC.
    """

    name: str
    der: bytes
    begins_at: datetime
    ends_at: datetime

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its bytes, as two people read it to each other."""
        return hashlib.sha256(self.der).hexdigest()

    @property
    def pem(self) -> str:
        """The form in which it is handed over."""
        return ssl.DER_cert_to_PEM_cert(self.der)


def check_current(certificate: Certificate, *, now: datetime) -> None:
    """Make sure that a certificate is used within its time.

    Raises:
        CertificateEnded: naming whose it is, and the day.
    """
    hint = "Make a new one with `havre certificate make`, and let its peers pin that."
    if now > certificate.ends_at + _TOLERANCE:
        raise CertificateEnded(
            f"The certificate of {certificate.name} ended on {certificate.ends_at:%Y-%m-%d}.",
            hint=hint,
        )
    if now < certificate.begins_at - _TOLERANCE:
        raise CertificateEnded(
            f"The certificate of {certificate.name} begins on {certificate.begins_at:%Y-%m-%d}.",
            hint="Compare this machine's clock with the other's.",
        )


def make_identity(path: Path, *, name: str, begins_at: datetime, days: int) -> Certificate:
    """Draw a key, sign a certificate with it, and write both; one before is replaced.

    path: a file for this account alone; key and certificate stand in it together, so
        that after a crash they fit each other.
    """
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, parse_name(name))])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins_at)
        .not_valid_after(begins_at + timedelta(days=days))
        # It vouches for itself and for nobody else.
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, None)
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(path, private + made.public_bytes(Encoding.PEM))
    return read_certificates(path)[0]


def read_certificates(path: Path) -> list[Certificate]:
    """Read the certificates of a file; during a change a party has two.

    Raises:
        NotFound: there is no such file.
        InvalidInput: it holds none, or one that names no party or may vouch for others.
    """
    try:
        content = path.read_bytes()
    except OSError:
        raise NotFound(
            f"There is no certificate {path.name}.",
            hint="Make one's own with `havre certificate make`, pin a peer's with"
            " `havre certificate pin`.",
        ) from None
    try:
        if len(content) > _MOST_BYTES:
            raise ValueError
        return [_read(each) for each in x509.load_pem_x509_certificates(content)]
    except (ValueError, InvalidInput, x509.ExtensionNotFound):
        raise InvalidInput(f"{path.name} holds no certificate as parties make them.") from None


def _read(made: x509.Certificate) -> Certificate:
    (named,) = made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    if made.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ValueError
    return Certificate(
        parse_name(str(named.value)),
        made.public_bytes(Encoding.DER),
        made.not_valid_before_utc,
        made.not_valid_after_utc,
    )


def tls_context(protocol: int, *, identity: Path, peers: Iterable[Certificate]) -> ssl.SSLContext:
    """Set TLS up so that both ends show a certificate, and only these peers' are accepted.

    protocol: `ssl.PROTOCOL_TLS_CLIENT` or `ssl.PROTOCOL_TLS_SERVER`.
    identity: the file of `make_identity`.
    """
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The pinned bytes say who it is; a host's name says only where it stood that day.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= _NO_CHECK_TIME
    try:
        context.load_cert_chain(identity)
        context.load_verify_locations(cadata="".join(each.pem for each in peers))
    except (OSError, ValueError):
        raise InvalidInput(
            "A party's own certificate, or one that it has pinned, cannot be used.",
            hint="Look at it with `havre certificate show`.",
        ) from None
    return context


def write_private(path: Path, content: bytes) -> None:
    """Write a file for this account alone; after a crash it is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
