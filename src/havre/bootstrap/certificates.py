"""A party's own certificate, and those of others that it has pinned."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from havre.adapters.channel.certificates import (
    VALID_DAYS,
    Certificate,
    check_current,
    make_identity,
    read_certificates,
    write_private,
)
from havre.adapters.machine.clock import SystemClock
from havre.bootstrap.reaching import identity_of, pins_of
from havre.bootstrap.tokens import open_token
from havre.errors import InvalidInput, NotGenuine, Refused

# What a party hands to its peers: its certificate without the key.
SHOWN = "certificate.pem"


def make_certificate(party: Path, *, days: int = VALID_DAYS, renew: bool) -> dict[str, object]:
    """Make a party's own certificate, or a new one in its place.

    Returns what its operator reads to a peer's operator.

    Raises:
        Refused: it has one, and was not asked for another.
    """
    token, path = open_token(party), identity_of(party)
    if path.exists() and not renew:
        raise Refused(
            f"{token.name} has a certificate already.",
            hint="Look at it with `havre certificate show`; make another one with --renew.",
        )
    now = SystemClock().now()
    made = make_identity(path, name=token.name, begins_at=now, days=days)
    return _told(party, made)


def show_certificates(party: Path) -> list[dict[str, object]]:
    """List a party's own certificate, and then every one that it has pinned."""
    now = SystemClock().now()
    own = read_certificates(identity_of(party)) if identity_of(party).exists() else []
    pinned = [
        each for path in sorted(pins_of(party).glob("*.pem")) for each in read_certificates(path)
    ]
    return [
        {**_row(each, now=now), "whose": whose}
        for whose, certificates in (("own", own), ("pinned", pinned))
        for each in certificates
    ]


def pin_certificate(
    party: Path, file: Path, *, fingerprint: str, replace: bool
) -> dict[str, object]:
    """Pin a peer's certificate, after comparing what its operator read out.

    fingerprint: SHA-256 as the peer's operator says it, from elsewhere than the file.
    replace: take out those that were pinned of this peer before; else they stay too,
        so that the peer can change its certificate without being away.

    Raises:
        NotGenuine: the file has another fingerprint.
        InvalidInput: the trust roots name no such party, or the file holds several.
        CertificateEnded: it has ended.
    """
    token = open_token(party)
    found = read_certificates(file)
    if len(found) != 1:
        raise InvalidInput(f"{file.name} holds {len(found)} certificates; pin one at a time.")
    (certificate,) = found
    if certificate.fingerprint != fingerprint.replace(":", "").replace(" ", "").lower():
        raise NotGenuine(
            "The certificate in the file has another fingerprint than was said.",
            hint="Do not pin it. Ask the peer's operator for the file again, and for the"
            " fingerprint by telephone.",
        )
    if certificate.name not in {each.name for each in token.trust_roots().parties}:
        raise InvalidInput(
            f"The trust roots of {token.name} name no party {certificate.name}.",
            hint="Compare the certificate's name with trust.json.",
        )
    check_current(certificate, now=SystemClock().now())
    path = pins_of(party) / f"{certificate.name}.pem"
    before = read_certificates(path) if path.exists() and not replace else []
    kept = [each for each in before if each.der != certificate.der]
    write_private(path, "".join(each.pem for each in (*kept, certificate)).encode())
    return {**_row(certificate, now=SystemClock().now()), "pinned_before": len(kept)}


def _told(party: Path, made: Certificate) -> dict[str, object]:
    shown = party / "tls" / SHOWN
    write_private(shown, made.pem.encode())
    return {**_row(made, now=SystemClock().now()), "hand_this_to_peers": str(shown)}


def _row(certificate: Certificate, *, now: datetime) -> dict[str, object]:
    current = certificate.begins_at <= now <= certificate.ends_at
    return {
        "party": certificate.name,
        "sha256": certificate.fingerprint,
        "ends_on": certificate.ends_at.date().isoformat(),
        "in_its_time": current,
    }
