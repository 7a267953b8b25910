"""P2 over TLS: hub and custodians know each other by pinned certificates, and by nothing else.

Every party is a real `havre … serve` on the loopback address. What an expired or a
strange certificate gets is a refusal that says whose it is.
"""

from __future__ import annotations

import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fakes.processes import NAME, ServedHub, pin, served_hub
from havre.adapters.channel.certificates import (
    Certificate,
    CertificateEnded,
    make_identity,
    read_certificates,
)
from havre.adapters.channel.client import HttpChannel
from havre.adapters.machine.clock import SystemClock
from havre.bootstrap.certificates import make_certificate
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.reaching import Reach, identity_of, pins_of
from havre.crypto.sealing import seal_key
from havre.domain.events import PermitMoved, events_of
from havre.domain.permit_signing import Ground
from havre.domain.service_address import ServiceAddress
from havre.domain.statements import Statement, sign_statement
from havre.domain.withdrawal import PREDICATE_DECISION
from havre.errors import NotGenuine, Refused, Unavailable
from havre.formats.canonical import encode_canonical
from havre.ports.channel import Channel

SECRET_KEY = bytes(range(32))
INFO = b"context"
NOTHING = encode_canonical({})


@pytest.fixture(scope="module")
def served() -> Iterator[ServedHub]:
    """A hub with a permit in force, whose parties are asked over TLS."""
    with served_hub(tls=True) as running:
        running.granted()
        yield running


@pytest.fixture
def hub(served: ServedHub) -> OpenHub:
    return served.open()


def address_of(hub: OpenHub, name: str) -> ServiceAddress:
    places = (*hub.place.custodians, *hub.place.witnesses)
    return next(each for each in places if isinstance(each, ServiceAddress) and each.name == name)


def channel_as(
    party: Path, address: ServiceAddress, *, pinned: list[Certificate] | None = None
) -> Channel:
    """A caller that looks at no certificate's time itself, and at nothing but the pinned one."""
    return HttpChannel(
        address,
        carried=(CertificateEnded,),
        clock=SystemClock(),
        identity=identity_of(party),
        pinned=pinned if pinned is not None else [],
    )


def ended(path: Path, name: str) -> Certificate:
    """Make a party a certificate that ended three days ago."""
    begun = datetime.now(UTC).replace(microsecond=0) - timedelta(days=33)
    return make_identity(path, name=name, begins_at=begun, days=30)


def a_stranger(folder: Path, name: str = "hub") -> Path:
    """Somebody who calls himself what he likes."""
    now = datetime.now(UTC).replace(microsecond=0)
    make_identity(identity_of(folder), name=name, begins_at=now, days=30)
    return folder


def havre(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "havre", *words, "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_keys_are_opened_and_acts_published_over_tls(served: ServedHub, hub: OpenHub) -> None:
    wanted = served.wanted(hub)
    covered = wanted.partitions[0]
    sealed = seal_key(SECRET_KEY, to=covered.public_key, info=INFO)

    with hub.release.open(wanted) as keys:
        assert keys.unwrap(covered.partition_id, sealed, INFO) == SECRET_KEY
    assert hub.release.complaints == {}
    assert hub.journal.complaints == {}
    assert "release for hub: answered" in served.log_of("custodian-1")


def test_a_hub_whose_certificate_has_ended_is_refused_by_name(
    served: ServedHub, hub: OpenHub, tmp_path: Path
) -> None:
    """At both ends: the hub does not even call, and a hub that calls all the same is turned away."""
    served.stop("custodian-1")
    certificate = ended(identity_of(tmp_path), "hub")
    pins = pins_of(served.party("custodian-1")) / "hub.pem"
    before = pins.read_text()
    pins.write_text(certificate.pem)
    served.start("custodian-1")
    peers = read_certificates(pins_of(hub.place.party) / "custodian-1.pem")
    address = address_of(hub, "custodian-1")
    day = certificate.ends_at.date()

    try:
        with pytest.raises(CertificateEnded, match=f"certificate of hub ended on {day}"):
            channel_as(tmp_path, address, pinned=peers).call("mirror-held", NOTHING)
        (pins_of(tmp_path)).mkdir()
        (pins_of(tmp_path) / "custodian-1.pem").write_text(peers[0].pem)
        with pytest.raises(CertificateEnded, match=f"certificate of hub ended on {day}"):
            Reach(tmp_path, log=hub.place.log).channel(address).call("mirror-held", NOTHING)
        assert "mirror-held for nobody known: CertificateEnded" in served.log_of("custodian-1")
    finally:
        served.stop("custodian-1")
        pins.write_text(before)
        served.start("custodian-1")


def test_a_custodian_whose_certificate_has_ended_does_not_start_and_is_not_asked(
    served: ServedHub, hub: OpenHub
) -> None:
    served.stop("custodian-2")
    identity = identity_of(served.party("custodian-2"))
    pins = pins_of(hub.place.party) / "custodian-2.pem"
    kept = (identity.read_bytes(), pins.read_text())
    certificate = ended(identity, "custodian-2")
    pins.write_text(certificate.pem)
    day = certificate.ends_at.date()

    try:
        words = ("custodian", "serve", "--party", str(served.party("custodian-2")))
        done = subprocess.run(
            [sys.executable, "-m", "havre", *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 3
        assert f"The certificate of custodian-2 ended on {day}" in done.stderr
        with pytest.raises(CertificateEnded, match=f"certificate of custodian-2 ended on {day}"):
            hub.custodians[1].begin_ceremony("never")
    finally:
        identity.write_bytes(kept[0])
        pins.write_text(kept[1])
        served.start("custodian-2")


def test_another_party_at_a_custodians_address_is_not_taken_for_it(
    served: ServedHub, hub: OpenHub
) -> None:
    there = address_of(hub, "custodian-3")
    address = ServiceAddress("custodian-1", host=there.host, port=there.port)

    with pytest.raises(NotGenuine, match=r"custodian-1 .* another certificate than the pinned one"):
        hub.reach.channel(address).call("mirror-held", NOTHING)


def test_a_caller_whose_certificate_is_not_pinned_gets_no_answer_and_is_noted(
    served: ServedHub, hub: OpenHub, tmp_path: Path
) -> None:
    stranger = a_stranger(tmp_path)
    peers = read_certificates(pins_of(hub.place.party) / "custodian-1.pem")
    channel = channel_as(stranger, address_of(hub, "custodian-1"), pinned=peers)

    with pytest.raises(Unavailable, match="custodian-1 ended the connection without an answer"):
        channel.call("mirror-held", NOTHING)

    assert "connect for a stranger: certificate not pinned" in served.log_of("custodian-1")


def test_a_caller_without_any_certificate_gets_no_answer(hub: OpenHub) -> None:
    address = address_of(hub, "custodian-1")
    with socket.create_connection((address.host, address.port), timeout=10) as line:
        line.sendall(b"POST /v1/mirror-held HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\n{}")
        said = line.recv(4096)

    assert b"HTTP/1.1 200" not in said


@pytest.mark.parametrize("role", ["researcher", "authority-1", "custodian-2"])
def test_a_pinned_party_may_ask_what_its_role_may_ask_and_no_more(
    served: ServedHub, hub: OpenHub, role: str
) -> None:
    """An authority hands its decision to a custodian itself, and gets nothing else from it."""
    caller, custodian = served.party(role), served.party("custodian-1")
    served.stop("custodian-1")
    if not identity_of(caller).exists():
        make_certificate(caller, renew=False)
    certificate = read_certificates(identity_of(caller))[0]
    pin(custodian, caller, certificate.fingerprint)
    served.start("custodian-1")
    peers = read_certificates(pins_of(hub.place.party) / "custodian-1.pem")
    channel = channel_as(caller, address_of(hub, "custodian-1"), pinned=peers)

    try:
        with pytest.raises(Refused, match=f"{role} has the role .* may not ask for this"):
            channel.call("release", NOTHING)
    finally:
        served.stop("custodian-1")
        (pins_of(custodian) / f"{role}.pem").unlink()
        served.start("custodian-1")


def test_an_authority_withdraws_a_permit_over_its_own_channel() -> None:
    """No process of the hub takes part: its records and its keys are not there at all."""
    with served_hub(tls=True) as served:
        served.granted()
        hub = served.open()
        authority = served.party("authority-1")
        made = make_certificate(authority, renew=False)
        for name in ("custodian-1", "custodian-2"):
            served.stop(name)
            pin(served.party(name), authority, str(made["sha256"]))
            own = read_certificates(identity_of(served.party(name)))[0]
            pin(authority, served.party(name), own.fingerprint)
            served.start(name)
        out = served.hub.root / "decision.json"
        to = [each.text for each in hub.place.custodians if isinstance(each, ServiceAddress)]
        words = ["permit", "withdraw", NAME, "revoked", "--reason", "a breach"]
        words += ["--log", str(hub.place.log), "--out", str(out), "--party", str(authority)]
        words += [word for address in to for word in ("--to", address)]

        done = havre(*words)

        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["custodians_told"] == ["custodian-1", "custodian-2"]
        assert list(told["not_reached"]) == ["custodian-3"]
        assert "revoke for authority-1: answered" in served.log_of("custodian-2")
        with (
            pytest.raises(Refused, match="1 custodians answered, 2 are needed"),
            hub.release.open(served.wanted(hub)),
        ):
            pytest.fail("a permit that was withdrawn opened keys")
        for _ in range(2):
            recorded = havre("permit", "record", str(out), "--hub", str(served.hub.hub))
            assert json.loads(recorded.stdout)["state"] == "revoked"
        moved = events_of([each.event for each in hub.log.entries()], PermitMoved)
        assert [each.state for each in moved].count("revoked") == 1
        assert moved[-1].statement_sha256 == hashlib.sha256(out.read_bytes()).hexdigest()


def test_a_decision_that_was_signed_about_another_state_is_not_put_on_the_log(
    served: ServedHub, hub: OpenHub, tmp_path: Path
) -> None:
    at = hub.permits.standing(NAME).index
    ground = Ground(at - 1, hub.clock.now())
    text = {"reason": "a breach", "state": "suspended", **ground.fields}
    statement = Statement(PREDICATE_DECISION, hub.roots.origin, NAME, text)
    out = tmp_path / "decision.json"
    out.write_bytes(sign_statement(statement, [served.hub.token("authority-1")]))

    done = havre("permit", "record", str(out), "--hub", str(served.hub.hub))

    assert done.returncode == 3
    assert "signed about another state" in done.stderr
    assert hub.permits.standing(NAME).index == at


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("no-such-permit", "revoked", "--to", "custodian-1"), 5, "The log has no permit"),
        ((NAME, "refused", "--to", "custodian-1"), 3, "is to suspend or to revoke"),
        ((NAME, "revoked", "--to", "https://stranger@127.0.0.1:7"), 5, "no witness stranger"),
        ((NAME, "revoked", "--to", "https://x y:7"), 2, "spelled otherwise"),
    ],
)
def test_a_withdrawal_that_makes_no_sense_tells_nobody(
    served: ServedHub, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    out = tmp_path / "decision.json"
    more = ["--reason", "a breach", "--log", str(served.hub.hub / "site/log"), "--out", str(out)]

    done = havre("permit", "withdraw", *words, *more, "--party", str(served.party("authority-1")))

    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not out.exists()
