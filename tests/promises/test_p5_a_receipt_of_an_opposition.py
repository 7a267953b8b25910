"""P5. Whoever objects can see it: in which list, used by which extract; and a hub that uses another is noticed.

The hub here is again the strongest liar there is: it logs what it likes, and every
witness cosigns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fakes.parties import START, Cast
from fakes.story import PERMIT_TEXT, ZEROS, permit_envelope, publish, sha256, story, write_beside
from fakes.verifier import GENUINE, NOT_GENUINE, USAGE, verify
from havre.crypto.signatures import key_id
from havre.domain.events import (
    DeliveryChecked,
    DeliveryReceived,
    Event,
    ExtractMade,
    KeysReleased,
    KeysRequested,
    PermitMoved,
    encode_event,
)
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.opposition_list import commit_to_numbers, commit_to_person
from havre.domain.opposition_receipt import (
    PREDICATE_RECEIPT,
    Book,
    BookLine,
    OppositionReceipt,
    receipt_predicate,
)
from havre.domain.statements import Statement, sign_statement
from havre.domain.trust import encode_trust_roots

PERSON = "1 85 05 2A 004 001 81"
SITE_PERMIT = "register/permits/diabetes"


def book(version: int, *, people: Sequence[str] = (PERSON,)) -> Book:
    """A version with these people, filled up to a hundred."""
    lines = []
    for place in range(100):
        salt = bytes([version, place]) * 16
        number = people[place] if place < len(people) else f"nobody {place}"
        numbers = commit_to_numbers([f"{place:032x}"], salt=salt[::-1])
        lines.append(BookLine(commit_to_person(number, salt=salt), numbers, salt))
    lines.sort(key=lambda each: each.person)
    return Book("holder", version, tuple(lines))


@dataclass
class Told:
    """The story, and behind it two versions of a register, each with an extract."""

    cast: Cast
    events: list[Event]
    books: tuple[Book, ...] = ()

    @classmethod
    def begin(cls, cast: Cast) -> Told:
        told = cls(cast, story(cast), (book(1), book(2)))
        for number, each in enumerate(told.books):
            told.list_taken_in(each, at=START + timedelta(days=7 * number))
            told.extract(each.root)
        return told

    def add(self, kind: type[Event], **fields: Any) -> int:
        index = len(self.events)
        fields = {"at": self.events[-1].at, **fields}
        self.events.append(kind(event_id=f"{index:032x}", **fields))
        return index

    def list_taken_in(self, listed: Book, *, at: Any) -> int:
        delivery, holder = (
            f"oppositions-holder-{listed.version}",
            key_id(self.cast["holder"].public),
        )
        received = self.add(
            DeliveryReceived,
            at=at,
            delivery=delivery,
            holder=holder,
            partition=f"l{listed.version}",
            note_commitment=ZEROS,
            objects={f"{listed.version:032x}": ZEROS},
        )
        self._lend(None, (received,), f"l{listed.version}")
        self.add(
            DeliveryChecked,
            delivery=delivery,
            outcome="accepted",
            rows_accepted=100,
            rows_set_aside=0,
            report_commitment=ZEROS,
        )
        return self.add(
            OppositionsUpdated,
            register="holder",
            holder=holder,
            delivery=delivery,
            version=listed.version,
            root=listed.root,
            people=100,
            every_hours=168,
            partition="po",
            manifest_sha256=ZEROS,
        )

    def extract(self, root: str) -> int:
        self._lend(self.granted_at, (), "p2", "p3", "po")
        versions = next(e for e in self.events if isinstance(e, ExtractMade)).versions
        return self.add(
            ExtractMade,
            permit="diabetes",
            partition="p4",
            versions=versions,
            plan_commitment=ZEROS,
            manifest_sha256=ZEROS,
            rows=900,
            oppositions={"holder": root},
        )

    @property
    def granted_at(self) -> int:
        return max(n for n, event in enumerate(self.events) if isinstance(event, PermitMoved))

    def _lend(self, permit: int | None, deliveries: tuple[int, ...], *partitions: str) -> None:
        request = self.add(
            KeysRequested,
            permit=permit,
            deliveries=deliveries,
            partitions=partitions,
            purpose="ingest" if permit is None else "extract",
            plan_commitment=ZEROS,
            one_time_key_sha256=ZEROS,
        )
        self.add(
            KeysReleased, request=request, receipts={"custodian-1": ZEROS, "custodian-2": ZEROS}
        )

    def last(self, kind: type[Event]) -> int:
        return max(n for n, event in enumerate(self.events) if isinstance(event, kind))

    def change(self, kind: type[Event], **fields: Any) -> None:
        """Change the last entry of a kind."""
        place = self.last(kind)
        self.events[place] = replace(self.events[place], **fields)

    def receipt(self, **changes: Any) -> bytes:
        """The holder's receipt for the newest version; `changes` make another of it."""
        listed, signer = self.books[-1], changes.pop("signer", "holder")
        place = listed.find(PERSON) or 0
        made = self.last(ExtractMade)
        fields = {
            "register": "holder",
            "version": listed.version,
            "update": self.last(OppositionsUpdated),
            "root": listed.root,
            "place": place,
            "people": 100,
            "proof": tuple(listed.proof(place)),
            "person": listed.lines[place].person,
            "salt": listed.lines[place].salt,
            "numbers": listed.lines[place].numbers,
            "extracts": (made,),
            **changes,
        }
        receipt = OppositionReceipt(**fields)
        subject = f"opposition-{receipt.update}"
        statement = Statement(
            PREDICATE_RECEIPT, self.cast.roots.origin, subject, receipt_predicate(receipt)
        )
        return sign_statement(statement, [self.cast[signer]])


@pytest.fixture(scope="module")
def cast() -> Cast:
    return Cast()


@pytest.fixture(scope="module")
def trust(cast: Cast, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("elsewhere") / "trust.json"
    path.write_bytes(encode_trust_roots(cast.roots))
    return path


def published(site: Path, told: Told) -> Path:
    write_beside(site, told.cast)
    publish(site, [encode_event(event) for event in told.events], cast=told.cast)
    return site


def test_a_receipt_shows_in_which_list_somebody_is_and_which_extracts_used_it(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    told = Told.begin(cast)
    site = published(tmp_path / "site", told)
    (tmp_path / "receipt").write_bytes(told.receipt())

    found = verify(
        site, "--trust", trust, "--receipt", tmp_path / "receipt", "--person", PERSON, "--json"
    )

    assert found.returncode == GENUINE
    body = json.loads(found.stdout)
    assert (
        f"the receipt: this opposition is in version 2 of the register of holder"
        f" (entry {told.last(OppositionsUpdated)}), which these extracts left out:"
        f" {told.last(ExtractMade)}"
    ) in body["checked"]
    assert any("that the pseudonyms behind it" in each for each in body["not_checked"])
    assert not any("whose receipt" in each for each in body["not_checked"])


def test_a_receipt_without_its_persons_number_says_that_nobody_was_compared(
    tmp_path: Path, cast: Cast
) -> None:
    told = Told.begin(cast)
    (tmp_path / "receipt").write_bytes(told.receipt(extracts=()))

    found = verify(published(tmp_path / "site", told), "--receipt", tmp_path / "receipt")

    assert found.returncode == GENUINE
    assert "NOT CHECKED  whose receipt it is: give --person NUMBER" in found.stdout
    assert "left out: none yet" in found.stdout


WRONG: dict[str, tuple[Callable[[Told], dict[str, Any]], str]] = {
    "another root": (lambda told: {"root": told.books[0].root}, "is not the one on the log"),
    "another version": (lambda _: {"version": 1}, "is not the one on the log"),
    "another register": (lambda _: {"register": "hospital"}, "is not the one on the log"),
    "an entry that is no register": (lambda _: {"update": 3}, "is not the one on the log"),
    "an entry that is not there": (lambda _: {"update": 900}, "is not the one on the log"),
    "another extract": (
        lambda told: {"extracts": (told.last(OppositionsUpdated) - 5,)},
        "which was not made with that version",
    ),
    "an extract of the version before": (
        lambda told: {
            "extracts": tuple(
                n for n, e in enumerate(told.events) if isinstance(e, ExtractMade) and e.oppositions
            )
        },
        "which was not made with that version",
    ),
    "an extract that is not there": (lambda _: {"extracts": (900,)}, "which was not made"),
    "another leaf": (lambda told: {"place": 7}, "does not lead to its root"),
    "a leaf past the tree": (lambda told: {"place": 100}, "does not lead to its root"),
    "a proof cut short": (
        lambda told: {"proof": tuple(told.books[1].proof(told.books[1].find(PERSON) or 0)[:-1])},
        "does not lead to its root",
    ),
    "a proof too long": (
        lambda told: {
            "proof": (*told.books[1].proof(told.books[1].find(PERSON) or 0), ZEROS),
        },
        "does not lead to its root",
    ),
    "other pseudonyms": (lambda _: {"numbers": ZEROS}, "does not lead to its root"),
    "another person's salt": (lambda _: {"salt": bytes(32)}, "is another person's"),
    "another signer": (lambda _: {"signer": "hub"}, "not signed by the holder"),
    "a stranger": (lambda _: {"signer": "researcher"}, "not signed by the holder"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_receipt_with_anything_changed_is_refused(
    tmp_path: Path, cast: Cast, trust: Path, wrong: str
) -> None:
    told = Told.begin(cast)
    changes, why = WRONG[wrong]
    (tmp_path / "receipt").write_bytes(told.receipt(**changes(told)))
    site = published(tmp_path / "site", told)

    found = verify(site, "--trust", trust, "--receipt", tmp_path / "receipt", "--person", PERSON)

    assert (found.returncode, why in found.stdout) == (NOT_GENUINE, True)


def test_a_receipt_shown_for_another_person_is_refused(tmp_path: Path, cast: Cast) -> None:
    told = Told.begin(cast)
    (tmp_path / "receipt").write_bytes(told.receipt())
    site = published(tmp_path / "site", told)

    found = verify(site, "--receipt", tmp_path / "receipt", "--person", "2 85 05 2A 004 001 81")

    assert (found.returncode, "another person's" in found.stdout) == (NOT_GENUINE, True)


def test_a_receipt_that_was_altered_after_it_was_signed_is_refused(
    tmp_path: Path, cast: Cast
) -> None:
    told = Told.begin(cast)
    (tmp_path / "receipt").write_bytes(told.receipt()[:-10] + b'AAAAAAA"}]}')
    site = published(tmp_path / "site", told)

    assert verify(site, "--receipt", tmp_path / "receipt").returncode == NOT_GENUINE
    assert verify(site, "--person", PERSON).returncode == USAGE


BREACHES: dict[str, tuple[Callable[[Told], None], str]] = {
    "an extract that uses the list of last time": (
        lambda told: told.change(ExtractMade, oppositions={"holder": told.books[0].root}),
        "does not leave out the newest version",
    ),
    "an extract that says nothing": (
        lambda told: told.change(ExtractMade, oppositions=None),
        "does not leave out the newest version",
    ),
    "an extract with a register that nobody keeps": (
        lambda told: told.change(
            ExtractMade, oppositions={"holder": told.books[1].root, "hospital": ZEROS}
        ),
        "does not leave out the newest version",
    ),
    "an extract that leaves nobody out, without a reason": (
        lambda told: told.change(ExtractMade, oppositions={}),
        "its permit does not say why",
    ),
    "an extract for which the register was not opened": (
        lambda told: told.change(KeysRequested, partitions=("p2", "p3")),
        "no keys of the registers",
    ),
    "a version that is not newer": (
        lambda told: told.change(OppositionsUpdated, version=1),
        "not newer",
    ),
    "a version before its day": (
        lambda told: told.change(OppositionsUpdated, at=START + timedelta(days=6, hours=22)),
        "before its day",
    ),
    "a count that is not rounded": (
        lambda told: told.change(OppositionsUpdated, people=101),
        "not rounded",
    ),
    "a list of nobody at all": (
        lambda told: told.change(OppositionsUpdated, people=0),
        "never empty",
    ),
    "a list of another delivery": (
        lambda told: told.change(OppositionsUpdated, delivery="oppositions-holder-3"),
        "delivered no such list",
    ),
    "a list signed by another": (
        lambda told: told.change(OppositionsUpdated, holder=key_id(told.cast["hub"].public)),
        "delivered no such list",
    ),
    "a list that was not opened": (
        lambda told: told.change(DeliveryChecked, delivery="d9"),
        "was not opened before",
    ),
    "another holder's register": (
        lambda told: told.change(OppositionsUpdated, register="hospital"),
        "leave out the newest version",
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_hub_that_uses_another_list_than_the_newest_is_noticed(
    tmp_path: Path, cast: Cast, trust: Path, breach: str
) -> None:
    told = Told.begin(cast)
    change, why = BREACHES[breach]
    change(told)

    found = verify(published(tmp_path / "site", told), "--trust", trust)

    assert (found.returncode, why in found.stdout) == (NOT_GENUINE, True)


def test_a_register_under_another_name_than_its_holders_is_noticed(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    told = Told.begin(cast)
    for place, event in enumerate(told.events):
        if isinstance(event, OppositionsUpdated):
            told.events[place] = replace(event, register="hospital")
        if isinstance(event, ExtractMade) and event.oppositions:
            told.events[place] = replace(
                event, oppositions={"hospital": event.oppositions["holder"]}
            )

    found = verify(published(tmp_path / "site", told), "--trust", trust)

    assert (found.returncode, "another holder's register" in found.stdout) == (NOT_GENUINE, True)


def test_an_extract_may_leave_nobody_out_when_its_permit_says_why(
    tmp_path: Path, cast: Cast, trust: Path
) -> None:
    told = Told.begin(cast)
    told.change(ExtractMade, oppositions={})
    site = tmp_path / "site"
    write_beside(site, cast)
    for place, event in enumerate(told.events):
        if isinstance(event, PermitMoved):
            text = {**PERMIT_TEXT, "despite_oppositions": "Article 71(4): a serious threat."}
            envelope = permit_envelope(cast, event.state, text=text)
            told.events[place] = replace(event, statement_sha256=sha256(envelope))
            (site / f"{SITE_PERMIT}/{place}.json").write_bytes(envelope)
    publish(site, [encode_event(event) for event in told.events], cast=cast)

    assert verify(site, "--trust", trust).returncode == GENUINE


def test_whether_a_permit_says_why_is_counted_as_unchecked_where_its_text_is_not_there(
    tmp_path: Path, cast: Cast
) -> None:
    told = Told.begin(cast)
    told.change(ExtractMade, oppositions={})
    publish(tmp_path / "site", [encode_event(event) for event in told.events], cast=cast)

    found = verify(tmp_path / "site")

    assert found.returncode == GENUINE
    assert "NOT CHECKED  why extracts leave nobody out who objects: 1" in found.stdout
