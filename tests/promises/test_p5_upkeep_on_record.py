"""P5: what was done under a permit for upkeep stands on the log, and a stranger counts it.

The hub signs whatever it likes here: what is left are the rules of `tools/verify_log.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.parties import START, Cast
from fakes.story import publish, story
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.crypto.signatures import key_id
from havre.domain.events import (
    Event,
    KeysReleased,
    KeysRequested,
    PermitMoved,
    VersionPublished,
    encode_event,
)
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import encode_trust_roots
from havre.formats.canonical import Json

ZEROS = "0" * 64
NAME = "compact-dcir"
TEXT: dict[str, Json] = {
    "applicant": "controller",
    "ends_on": START.date().isoformat(),
    "people": ["hub"],
    "starts_on": START.date().isoformat(),
    "upkeep": "compact",
}
SIGNERS = {
    "submitted": ("havre/v1/permit-application", ("controller",)),
    "assessment": ("havre/v1/permit", ("authority-1",)),
    "granted": ("havre/v1/permit", ("authority-1", "authority-2")),
}


class Told:
    """A log with a permit for upkeep behind the usual story, and the texts beside it."""

    def __init__(self, cast: Cast, *, purposes: tuple[str, ...] = ("compact",), **text: Json):
        self.cast = cast
        self.events = story(cast)
        self.statements: dict[int, bytes] = {}
        asked = len(self.events)
        before: int | None = None
        for state, (kind, signers) in SIGNERS.items():
            ground: dict[str, Json] = {} if state == "submitted" else {"rests_on": asked}
            statement = Statement(kind, cast.roots.origin, NAME, {**ground, **TEXT, **text})
            envelope = sign_statement(statement, [cast[name] for name in signers])
            self.statements[len(self.events)] = envelope
            before = self.add(
                PermitMoved,
                permit=NAME,
                state=state,
                predecessor=before,
                statement_sha256=hashlib.sha256(envelope).hexdigest(),
                signers=tuple(key_id(cast[name].public) for name in signers),
            )
        self.granted = before
        for purpose in purposes:
            self.lend(purpose)

    def add(self, kind: type[Event], **fields: Any) -> int:
        index = len(self.events)
        self.events.append(kind(event_id=f"{index:032x}", at=START, **fields))
        return index

    def lend(self, purpose: str) -> None:
        request = self.ask(purpose)
        self.add(KeysReleased, request=request, receipts={"custodian-1": ZEROS})

    def ask(self, purpose: str) -> int:
        return self.add(
            KeysRequested,
            permit=self.granted,
            deliveries=(),
            partitions=("p2",),
            purpose=purpose,
            plan_commitment="",
            one_time_key_sha256=ZEROS,
        )

    def version(self, *, rows: int = 0, permit: str = NAME) -> None:
        newest = max(i for i, e in enumerate(self.events) if isinstance(e, VersionPublished))
        manifests = {"p2": ZEROS}
        self.add(
            VersionPublished,
            dataset="dcir",
            parent=newest,
            manifests=manifests,
            rows=rows,
            permit=permit,
        )

    def verified(self, root: Path) -> tuple[int, str]:
        site = root / "site"
        publish(site, [encode_event(each) for each in self.events], cast=self.cast)
        register = site / "register/permits" / NAME
        register.mkdir(parents=True)
        for index, envelope in self.statements.items():
            (register / f"{index}.json").write_bytes(envelope)
        trust = root / "trust.json"
        trust.write_bytes(encode_trust_roots(self.cast.roots))
        done = verify(site, "--trust", trust)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


def test_a_compaction_under_its_permit_is_genuine(cast: Cast, tmp_path: Path) -> None:
    told = Told(cast, purposes=("compact", "compact"))
    told.version()

    assert told.verified(tmp_path)[0] == GENUINE


def two_versions(cast: Cast) -> Told:
    told = Told(cast)
    told.version()
    told.version()
    return told


def opened_after_its_version(cast: Cast) -> Told:
    told = Told(cast)
    told.version()
    told.lend("compact")
    return told


def opened_a_fourth_time(cast: Cast) -> Told:
    return Told(cast, purposes=("compact",) * 4)


def opened_while_it_was_open(cast: Cast) -> Told:
    told = Told(cast, purposes=())
    told.ask("compact")
    told.lend("compact")
    return told


def a_version_that_nothing_was_opened_for(cast: Cast) -> Told:
    told = Told(cast, purposes=())
    told.version()
    return told


def a_version_under_a_projects_permit(cast: Cast) -> Told:
    told = Told(cast)
    told.version(permit="diabetes")
    return told


def rows_added_by_compaction(cast: Cast) -> Told:
    told = Told(cast)
    told.version(rows=100)
    return told


def an_extract_as_well(cast: Cast) -> Told:
    return Told(cast, purposes=("compact", "extract"))


def another_purpose_than_its_text(cast: Cast) -> Told:
    return Told(cast, purposes=("quarantine",))


def a_text_of_a_project(cast: Cast) -> Told:
    return Told(cast, applicant="researcher", people=["researcher"])


def fifteen_days(cast: Cast) -> Told:
    return Told(cast, ends_on=START.replace(day=START.day + 14).date().isoformat())


BREACHES: list[tuple[Callable[[Cast], Told], str]] = [
    (two_versions, "has made a version before"),
    (opened_after_its_version, "a version was made under it"),
    (opened_a_fourth_time, "was opened 3 times before"),
    (opened_while_it_was_open, "is being opened already"),
    (a_version_that_nothing_was_opened_for, "had been lent for it"),
    (a_version_under_a_projects_permit, "had been lent for it"),
    (rows_added_by_compaction, "says that it adds some"),
    (an_extract_as_well, "for that and for nothing else"),
    (another_purpose_than_its_text, "another purpose than its permit's"),
    (a_text_of_a_project, "not signed by the applicant alone"),
    (fifteen_days, "holds too long"),
]


@pytest.mark.parametrize(
    ("breach", "said"), BREACHES, ids=lambda each: getattr(each, "__name__", "")
)
def test_what_upkeep_may_not_do_is_noticed(
    cast: Cast, tmp_path: Path, breach: Callable[[Cast], Told], said: str
) -> None:
    code, words = breach(cast).verified(tmp_path)

    assert code == NOT_GENUINE
    assert said in words


def test_who_asks_for_upkeep_is_the_controller(cast: Cast, tmp_path: Path) -> None:
    told = Told(cast)
    place = min(told.statements)
    statement = Statement(
        "havre/v1/permit-application", cast.roots.origin, NAME, {**TEXT, "applicant": "researcher"}
    )
    envelope = sign_statement(statement, [cast["researcher"]])
    moved: Any = told.events[place]
    told.statements[place] = envelope
    told.events[place] = replace(
        moved,
        statement_sha256=hashlib.sha256(envelope).hexdigest(),
        signers=(key_id(cast["researcher"].public),),
    )

    code, words = told.verified(tmp_path)

    assert code == NOT_GENUINE
    assert "for which the controller asks" in words or "another applicant" in words
