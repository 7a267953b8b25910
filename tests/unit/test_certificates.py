"""A party's certificate vouches for itself, within its time, and is compared by its bytes."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from havre.adapters.channel.certificates import (
    Certificate,
    CertificateEnded,
    check_current,
    make_identity,
    read_certificates,
)
from havre.adapters.tokens.file import create_party
from havre.bootstrap.certificates import make_certificate, pin_certificate, show_certificates
from havre.domain.trust import Role
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused

BEGUN = datetime(2026, 6, 1, 12, tzinfo=UTC)
MINUTES_ALLOWED = 2


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_identity(tmp_path / "tls/identity.pem", name="witness-1", begins_at=BEGUN, days=30)


def test_a_certificate_is_read_as_it_was_made(certificate: Certificate, tmp_path: Path) -> None:
    assert read_certificates(tmp_path / "tls/identity.pem") == [certificate]
    assert (certificate.name, certificate.begins_at) == ("witness-1", BEGUN)
    assert certificate.ends_at == BEGUN + timedelta(days=30)


def test_its_key_is_for_one_account_alone(certificate: Certificate, tmp_path: Path) -> None:
    path = tmp_path / "tls/identity.pem"

    assert certificate.name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (timedelta(days=30, minutes=MINUTES_ALLOWED + 1), "of witness-1 ended on 2026-07-01"),
        (timedelta(minutes=-MINUTES_ALLOWED - 1), "of witness-1 begins on 2026-06-01"),
    ],
)
def test_outside_its_time_it_is_refused_by_name_and_day(
    certificate: Certificate, off: timedelta, said: str
) -> None:
    with pytest.raises(CertificateEnded, match=said):
        check_current(certificate, now=BEGUN + off)


@pytest.mark.parametrize("minutes", [-MINUTES_ALLOWED, 0, 30 * 24 * 60 + MINUTES_ALLOWED])
def test_clocks_may_differ_by_two_minutes(certificate: Certificate, minutes: int) -> None:
    check_current(certificate, now=BEGUN + timedelta(minutes=minutes))


def foreign(name: str, *, ca: bool) -> bytes:
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(BEGUN)
        .not_valid_after(BEGUN + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, None)
    )
    return made.public_bytes(Encoding.PEM)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no certificate",
        foreign("witness-1", ca=True),
        foreign("Witness One", ca=False),
        b"x" * 70_000,
    ],
    ids=["nothing", "noise", "one that vouches for others", "no party's name", "too long"],
)
def test_what_is_no_partys_certificate_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "peer.pem"
    file.write_bytes(content)

    with pytest.raises(InvalidInput, match=r"peer\.pem holds no certificate as parties make them"):
        read_certificates(file)


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"no certificate hub\.pem"):
        read_certificates(tmp_path / "hub.pem")


@pytest.fixture
def parties(tmp_path: Path) -> tuple[Path, Path]:
    """Two parties whose roots name each other."""
    from fakes.parties import Cast
    from havre.domain.trust import encode_trust_roots

    folders = []
    for name, role in (("hub", Role.HUB), ("witness-1", Role.WITNESS)):
        token = create_party(tmp_path / name, name=name, role=role, operator=name)
        (token.folder / "trust.json").write_bytes(encode_trust_roots(Cast().roots))
        folders.append(token.folder)
    return folders[0], folders[1]


def test_a_second_certificate_is_made_only_when_it_is_asked_for(
    parties: tuple[Path, Path],
) -> None:
    first = make_certificate(parties[0], renew=False)
    with pytest.raises(Refused, match="hub has a certificate already"):
        make_certificate(parties[0], renew=False)

    assert make_certificate(parties[0], renew=True)["sha256"] != first["sha256"]


def test_a_peer_is_pinned_by_what_its_operator_says(parties: tuple[Path, Path]) -> None:
    hub, witness = parties
    made = make_certificate(witness, renew=False)
    file, said = witness / "tls/certificate.pem", str(made["sha256"])
    spelled = ":".join(said[at : at + 2].upper() for at in range(0, 64, 2))

    pin_certificate(hub, file, fingerprint=spelled, replace=False)

    (shown,) = show_certificates(hub)
    assert (shown["party"], shown["sha256"], shown["whose"]) == ("witness-1", said, "pinned")
    with pytest.raises(NotGenuine, match="another fingerprint than was said"):
        pin_certificate(hub, file, fingerprint=said[:-1] + "0g", replace=False)


def test_a_changed_certificate_stands_beside_the_old_one_until_it_is_replaced(
    parties: tuple[Path, Path],
) -> None:
    hub, witness = parties
    file = witness / "tls/certificate.pem"
    for renew in (False, True):
        made = make_certificate(witness, renew=renew)
        pin_certificate(hub, file, fingerprint=str(made["sha256"]), replace=False)
    pinned = hub / "peers/witness-1.pem"
    assert len(read_certificates(pinned)) == 2

    pin_certificate(hub, file, fingerprint=str(made["sha256"]), replace=True)

    assert [each.fingerprint for each in read_certificates(pinned)] == [made["sha256"]]


def test_a_stranger_and_an_ended_certificate_are_not_pinned(
    parties: tuple[Path, Path], tmp_path: Path
) -> None:
    hub, _ = parties
    stranger = make_identity(tmp_path / "s.pem", name="stranger", begins_at=BEGUN, days=3000)
    old = make_identity(
        tmp_path / "o.pem", name="witness-1", begins_at=BEGUN - timedelta(days=900), days=30
    )

    with pytest.raises(InvalidInput, match="name no party stranger"):
        pin_certificate(hub, tmp_path / "s.pem", fingerprint=stranger.fingerprint, replace=False)
    with pytest.raises(CertificateEnded, match="witness-1 ended"):
        pin_certificate(hub, tmp_path / "o.pem", fingerprint=old.fingerprint, replace=False)
    assert not (hub / "peers").exists()
