"""P5. Ends, notices and deletions stand on the record, and a reader notices those that cannot be.

The hub here signs whatever it likes, and every witness cosigns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.parties import START, Cast
from fakes.story import ZEROS, permit_envelope, publish, sha256, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.crypto.signatures import key_id
from havre.domain.clock_events import NoticeGiven, ProjectDeleted
from havre.domain.deletion import DeletionCertificate, sign_deletion
from havre.domain.events import Event, ExtractMade, PartitionsCreated, PermitMoved, encode_event
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.trust import encode_trust_roots

HOLDERS = ("custodian-1", "custodian-2", "custodian-3")
SHARES = {name: f"{number}" * 64 for number, name in enumerate(HOLDERS)}
# The project's partition in the story, and one of nobody's.
PROJECT, OTHER = "p4", "p9"
AFTER = datetime(2099, 1, 1, 12, tzinfo=UTC)


@dataclass
class Told:
    """The story with an end of its permit, and what is beside the log."""

    cast: Cast
    events: list[Event] = field(default_factory=list)
    certificate: bytes = b""

    def say(self, kind: type[Event], *, at: datetime = AFTER, **fields: Any) -> int:
        self.events.append(kind(event_id=f"{len(self.events) + 7000:032x}", at=at, **fields))
        return len(self.events) - 1

    @property
    def granted(self) -> int:
        moves = [i for i, each in enumerate(self.events) if isinstance(each, PermitMoved)]
        return max(i for i in moves if self.events[i].state == "granted")  # type: ignore[attr-defined]

    def expire(self, **changes: Any) -> int:
        text = permit_envelope(self.cast, "granted")
        said = {"statement_sha256": sha256(text), "signers": (), **changes}
        return self.say(
            PermitMoved, permit="diabetes", state="expired", predecessor=self.granted, **said
        )

    def erase(self, *partitions: str, permit: str = "diabetes") -> int:
        order = self.say(
            ErasureOrdered,
            order=f"{len(self.events):032x}",
            ground="permit-over" if permit else "decided",
            permit=permit,
            partitions=partitions,
            statement_sha256=ZEROS,
            signers=(key_id(self.cast["hub" if permit else "controller"].public),),
        )
        attested = dict.fromkeys(HOLDERS, ZEROS)
        return self.say(KeysErased, order=order, certificates=attested)

    def certify(self, ended: int, erased: int, *, by: str = "hub", **changes: Any) -> int:
        closing = self.events[erased]
        assert isinstance(closing, KeysErased)
        extracts = [i for i, each in enumerate(self.events) if isinstance(each, ExtractMade)]
        said: dict[str, Any] = {
            "permit": "diabetes",
            "state": "expired",
            "ended": ended,
            "text_sha256": sha256(permit_envelope(self.cast, "granted")),
            "extracts": tuple(extracts),
            "order": closing.order,
            "erased": erased,
            "attested": closing.certificates,
            "certified_at": AFTER,
            **changes,
        }
        self.certificate = sign_deletion(
            DeletionCertificate(**said), origin=self.cast.roots.origin, signer=self.cast[by]
        )
        digest = sha256(self.certificate)
        return self.say(
            ProjectDeleted, permit="diabetes", ended=ended, erased=erased, statement_sha256=digest
        )

    def notice(self, **changes: Any) -> int:
        """That the permit was to be renewed within ninety days of its grant."""
        at, due = self.events[self.granted].at, START + timedelta(days=90)
        assert at == START
        said: dict[str, Any] = {
            "term": "permit-renewed",
            "about": "diabetes",
            "since": self.granted,
            "due_at": due,
            "stage": "overdue",
            "to": ("authority",),
            "at": due + timedelta(hours=1),
            **changes,
        }
        return self.say(NoticeGiven, **said)


def begun(cast: Cast) -> Told:
    told = Told(cast, story(cast))
    shares = {PROJECT: SHARES, OTHER: SHARES}
    told.say(PartitionsCreated, public_keys=dict.fromkeys(shares, ZEROS), shares=shares, at=START)
    return told


def deleted(told: Told, **certificate: Any) -> None:
    ended = told.expire()
    told.certify(ended, told.erase(PROJECT), **certificate)


def over_too_early(told: Told) -> None:
    told.expire()
    told.events[-1] = replace(told.events[-1], at=START)


def over_by_another_text(told: Told) -> None:
    told.expire(statement_sha256=ZEROS)


def over_by_a_signature(told: Told) -> None:
    told.expire(signers=(key_id(told.cast["hub"].public),))


def deleted_while_it_holds(told: Told) -> None:
    erased = told.erase(PROJECT, permit="")
    told.certify(told.granted, erased, state="granted")


def deleted_twice(told: Told) -> None:
    deleted(told)
    told.events.append(replace(told.events[-1], event_id="f" * 32))


def deleted_with_other_keys(told: Told) -> None:
    told.certify(told.expire(), told.erase(OTHER, permit=""))


def deleted_without_an_erasure(told: Told) -> None:
    deleted(told)
    told.events[-1] = replace(told.events[-1], erased=0)  # type: ignore[call-arg]


def certified_that(**changes: Any) -> Callable[[Told], None]:
    return lambda told: deleted(told, **changes)


def another_certificate(told: Told) -> None:
    deleted(told)
    told.certificate = told.certificate.replace(b"A", b"B", 1)


def noticed(**changes: Any) -> Callable[[Told], None]:
    def give(told: Told) -> None:
        told.notice(**changes)

    return give


def noticed_twice(told: Told) -> None:
    told.notice()
    told.notice(at=AFTER)


BREACHES: dict[str, Callable[[Told], None]] = {
    "a permit said to be over before its last day": over_too_early,
    "a permit over by a text that is not its own": over_by_another_text,
    "an end that somebody signed": over_by_a_signature,
    "a project deleted while its permit holds": deleted_while_it_holds,
    "a project deleted twice": deleted_twice,
    "a project deleted by erasing other keys": deleted_with_other_keys,
    "a project deleted, and nothing erased": deleted_without_an_erasure,
    "a certificate that the controller signed": certified_that(by="controller"),
    "a certificate that hides an extract": certified_that(extracts=()),
    "a certificate of fewer custodians": certified_that(attested={"custodian-1": ZEROS}),
    "a certificate of another end": certified_that(state="revoked"),
    "a certificate that keeps another text": certified_that(text_sha256=ZEROS),
    "a certificate of another project": certified_that(permit="hearts"),
    "another certificate beside the log": another_certificate,
    "a notice of a term that there is not": noticed(term="breakfast"),
    "a notice with another end": noticed(due_at=START + timedelta(days=91), at=AFTER),
    "a notice of a term from an entry of another kind": noticed(since=0),
    "a notice from an entry that was not there yet": noticed(since=9999),
    "an overdue notice before the end": noticed(at=START + timedelta(days=89)),
    "a notice ahead after the end": noticed(stage="ahead"),
    "a notice at a stage that there is not": noticed(stage="tired"),
    "a notice to nobody": noticed(to=()),
    "a notice given twice": noticed_twice,
}


def published(told: Told, folder: Path) -> tuple[Path, Path]:
    site, trust = folder / "site", folder / "trust.json"
    trust.write_bytes(encode_trust_roots(told.cast.roots))
    write_beside(site, told.cast)
    text = permit_envelope(told.cast, "granted")
    for index, event in enumerate(told.events):
        named = event.statement_sha256 if isinstance(event, PermitMoved) else ""
        if named == sha256(text):
            (site / f"register/permits/diabetes/{index}.json").write_bytes(text)
    if told.certificate:
        path = site / "register/deletions/diabetes.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(told.certificate)
    entries = [encode_event(event) for event in told.events]
    publish(site, entries, cast=told.cast, at=datetime.now(UTC))
    return site, trust


@pytest.mark.parametrize("breach", BREACHES)
def test_what_cannot_be_is_noticed(tmp_path: Path, breach: str) -> None:
    told = begun(Cast())
    BREACHES[breach](told)
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == NOT_GENUINE, found.stdout


def test_an_end_a_deletion_and_notices_as_they_should_be_are_genuine(tmp_path: Path) -> None:
    told = begun(Cast())
    told.notice(stage="ahead", at=START + timedelta(days=80))
    told.notice()
    deleted(told)
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE, found.stdout
    assert "1 certificates of deleted projects against the log" in found.stdout


def test_a_certificate_that_is_not_beside_the_log_is_counted(tmp_path: Path) -> None:
    told = begun(Cast())
    deleted(told)
    told.certificate = b""
    site, trust = published(told, tmp_path)

    found = verify(site, "--trust", trust)

    assert found.returncode == GENUINE, found.stdout
    assert "certificates of deletion that are not beside the log: 1" in found.stdout
