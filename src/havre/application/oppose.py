"""At the holder: the list of people who object, drawn up, sealed and sent; and receipts for them.

Who objects is known by clear numbers here and nowhere else. The hub gets first
pseudonyms, filled up with drawn ones of nobody; the public gets a root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from havre.application.audit import PublicLog
from havre.application.landing_places import LandingPlaces
from havre.application.pseudonymise import Pseudonyms
from havre.application.vault.sealing import VaultWriter, WritePlace
from havre.crypto.commitments import new_salt
from havre.crypto.random import random_bytes
from havre.domain.catalogue_text import KnownTables
from havre.domain.delivery_note import PREDICATE_DELIVERY_NOTE, DeliveryNote, note_predicate
from havre.domain.events import DeliveryChecked, DeliveryReceived, Event, ExtractMade, events_of
from havre.domain.handover import check_stays
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.opposition_file import Objector, known_people_columns, parse_objectors
from havre.domain.opposition_list import (
    MOST_NUMBERS,
    ListedPerson,
    ListHeader,
    commit_to_numbers,
    commit_to_person,
    encode_list,
    whole_hundreds,
)
from havre.domain.opposition_receipt import (
    PREDICATE_RECEIPT,
    Book,
    BookLine,
    OppositionReceipt,
    encode_book,
    read_book,
    receipt_predicate,
)
from havre.domain.oppositions import (
    OPPOSITIONS_DATASET,
    check_follows,
    due_at,
    list_name,
    list_version,
    newest_registers,
)
from havre.domain.statements import Statement, sign_statement
from havre.errors import InvalidInput, NotFound, NotGenuine, Refused, Unavailable
from havre.formats.canonical import encode_canonical
from havre.formats.manifest import ObjectKind
from havre.ports.books import OppositionBooks
from havre.ports.clock import Clock
from havre.ports.inbox import Inbox, SentDeliveries, SentDelivery
from havre.ports.tokens import Token
from havre.values import Digest

_PSEUDONYM_BYTES = 16


@dataclass(frozen=True, slots=True)
class SentList:
    """A version of the register, as it was sent now or before.

    people: length of the list, filled up to a whole hundred.
    is_new: false when the same command had sent it already.
    """

    delivery: str
    version: int
    people: int
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOffice:
    """What a holder sends with, and what it remembers.

    vault: writes where a delivery of this name waits until it is posted.
    """

    inbox: Inbox
    places: LandingPlaces
    sent: SentDeliveries
    books: OppositionBooks
    vault: Callable[[str], VaultWriter]


class OppositionDesk:
    """Keeps one holder's register for one hub."""

    def __init__(
        self,
        *,
        known: KnownTables,
        token: Token,
        secret: bytes,
        pseudonyms: Pseudonyms,
        log: PublicLog,
        office: PostOffice,
        clock: Clock,
        origin: str,
    ) -> None:
        """Work for one hub.

        secret: stage 1's 32 bytes, which never leave this machine.
        """
        self._known = known
        self._token = token
        self._secret = secret
        self._pseudonyms = pseudonyms
        self._log = log
        self._office = office
        self._clock = clock
        self._origin = origin

    def send(self, document: bytes, *, every_hours: int) -> SentList:
        """Send who objects now: the whole list, also when it is that of last time, or empty.

        document: as `domain.opposition_file` reads it.
        every_hours: how often this register gets a version, from this one on.

        Raises:
            InvalidInput: the file cannot be read, or a number in it names nobody.
            Refused: the version before waits still, or the next is not due yet.
        """
        register = self._token.name
        objectors = parse_objectors(document, known=known_people_columns(self._known))
        listed = self._named(objectors)
        content = _content_digest(document, every_hours=every_hours)
        # The inbox first: what is taken in meanwhile is on the log before it leaves the inbox.
        waiting = self._office.inbox.list_deliveries()
        events = [logged.event for logged in self._log.entries()]
        people = whole_hundreds(len(listed))
        last = self._last_sent(waiting, events)
        name, version = list_name(register, last + 1), last + 1
        try:
            self._check_next(events, last=last)
        except Refused:
            # The same command run again before its day: what it asks for is done.
            sent = self._office.sent.find(list_name(register, last)) if last else None
            if sent is None or sent.content != content:
                raise
            return SentList(list_name(register, last), last, people, is_new=False)
        check_stays(events)
        header = ListHeader(
            origin=self._origin,
            register=register,
            version=version,
            every_hours=every_hours,
            people=people,
        )
        self._post(name, header, listed, content=content)
        return SentList(name, version, people, is_new=True)

    def receipt(self, number: str, *, version: int | None = None) -> bytes:
        """Sign a receipt for the person who is known by a number.

        version: of the register; null means the newest on the log.

        Raises:
            NotFound: the log has no such version, or the person is not in it.
            NotGenuine: the log has another root than this holder's own book.
        """
        index, update = self._update(version)
        with self._office.books.open(update.version) as lines:
            book = read_book(lines)
        if (book.register, book.root) != (update.register, update.root):
            raise NotGenuine(
                "The log has another root for this version than the list that was sent.",
                hint="Keep both, and tell the authorities: the hub may have changed the list.",
            )
        place = book.find(number)
        if place is None:
            raise NotFound(
                f"This person is not in version {update.version} of the register.",
                hint="Name an earlier one with --version if the opposition was withdrawn.",
            )
        receipt = OppositionReceipt(
            register=update.register,
            version=update.version,
            update=index,
            root=update.root,
            place=place,
            people=len(book.lines),
            proof=tuple(book.proof(place)),
            person=book.lines[place].person,
            salt=book.lines[place].salt,
            numbers=book.lines[place].numbers,
            extracts=tuple(self._extracts_with(update)),
        )
        statement = Statement(
            PREDICATE_RECEIPT, self._origin, f"opposition-{index}", receipt_predicate(receipt)
        )
        return sign_statement(statement, [self._token])

    def next_due(self) -> datetime | None:
        """When the next version is due; null before the first."""
        newest = newest_registers((each.index, each.event) for each in self._log.entries())
        found = newest.get(self._token.name)
        return due_at(found[1]) if found else None

    def _named(self, objectors: Sequence[Objector]) -> list[tuple[str, tuple[str, ...]]]:
        """Everybody's own number, and the pseudonyms of the others.

        Raises:
            InvalidInput: a number names nobody; how many do, by column.
        """
        columns = known_people_columns(self._known)
        wrong: dict[str, int] = {}
        named: list[tuple[str, tuple[str, ...]]] = []
        for objector in objectors:
            found: set[str] = set()
            for column, number in objector.numbers:
                pseudonym = self._pseudonyms.number_at_holder(
                    number, column=columns[column], secret=self._secret
                )
                if pseudonym is None:
                    wrong[column] = wrong.get(column, 0) + 1
                else:
                    found.add(pseudonym)
            if len(found) > MOST_NUMBERS:
                raise InvalidInput(f"Somebody who objects has more than {MOST_NUMBERS} numbers.")
            named.append((objector.person, tuple(sorted(found))))
        if wrong:
            told = ", ".join(f"{count} in {column}" for column, count in sorted(wrong.items()))
            raise InvalidInput(
                f"Numbers of people who object name nobody: {told}.",
                hint="Correct them: as they are, they would protect nobody.",
            )
        return named

    def _last_sent(self, waiting: Sequence[str], events: Sequence[Event]) -> int:
        """The last version that is at the hub, waiting or taken in; 0 before the first."""
        register = self._token.name
        received = {each.delivery for each in events_of(events, DeliveryReceived)}
        versions = [
            list_version(delivery, register=register) or 0 for delivery in {*received, *waiting}
        ]
        return max(versions, default=0)

    def _check_next(self, events: Sequence[Event], *, last: int) -> None:
        """Refuse a version while the last one waits, or before its day."""
        register = self._token.name
        opened = {each.delivery for each in events_of(events, DeliveryChecked)}
        if last and list_name(register, last) not in opened:
            raise Refused(
                f"Version {last} of the register waits at the hub still.",
                hint="Send this list when that one has been taken in.",
            )
        check_follows(events, register=register, version=last + 1, now=self._clock.now())

    def _post(
        self,
        name: str,
        header: ListHeader,
        listed: Sequence[tuple[str, tuple[str, ...]]],
        *,
        content: Digest,
    ) -> None:
        with self._office.inbox.claim(name) as is_ours:
            if not is_ours:
                raise Unavailable("Another process is sending the register.", hint="Wait for it.")
            people, book = _drawn_up(header, listed)
            with self._office.places.free() as place:
                envelope = self._sealed(name, header, people, place=place)
                # The book first: a list without one would leave everybody without a receipt.
                self._office.books.keep(header.version, encode_book(book))
                self._office.sent.keep(name, SentDelivery(content, envelope))
                self._office.inbox.post(name, envelope)

    def _sealed(
        self, name: str, header: ListHeader, people: Sequence[ListedPerson], *, place: WritePlace
    ) -> bytes:
        stored = self._office.vault(name).seal_bytes(
            _packed(encode_list(header, people)), kind=ObjectKind.OPPOSITIONS, place=place
        )
        note = DeliveryNote(
            delivery=name,
            dataset=OPPOSITIONS_DATASET,
            landing=place.partition_id,
            manifest=stored.object_id,
            objects={stored.object_id: stored.sha256},
            delimiter="",
            files=(),
        )
        statement = Statement(PREDICATE_DELIVERY_NOTE, self._origin, name, note_predicate(note))
        return sign_statement(statement, [self._token])

    def _update(self, version: int | None) -> tuple[int, OppositionsUpdated]:
        found = [
            (each.index, each.event)
            for each in self._log.entries()
            if isinstance(each.event, OppositionsUpdated)
            and each.event.register == self._token.name
            and version in (None, each.event.version)
        ]
        if not found:
            raise NotFound(
                "The log has no such version of this holder's register.",
                hint="A list counts when the hub has taken it in: `havre opposition receive`.",
            )
        return found[-1]

    def _extracts_with(self, update: OppositionsUpdated) -> Iterator[int]:
        for logged in self._log.entries():
            used = logged.event.oppositions if isinstance(logged.event, ExtractMade) else None
            if used and used.get(update.register) == update.root:
                yield logged.index


def _drawn_up(
    header: ListHeader, listed: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[list[ListedPerson], Book]:
    """Draw salts for everybody, fill up with nobody, and sort by what says nothing."""
    drawn: list[tuple[ListedPerson, bytes]] = []
    for number, pseudonyms in listed:
        salt = new_salt()
        person = commit_to_person(number, salt=salt)
        drawn.append((ListedPerson(person, pseudonyms, new_salt()), salt))
    while len(drawn) < header.people:
        nobody = random_bytes(_PSEUDONYM_BYTES).hex()
        drawn.append((ListedPerson(new_salt().hex(), (nobody,), new_salt()), new_salt()))
    drawn.sort(key=lambda each: each[0].person)
    lines = tuple(
        BookLine(each.person, commit_to_numbers(each.numbers, salt=each.salt), salt)
        for each, salt in drawn
    )
    return [each for each, _ in drawn], Book(header.register, header.version, lines)


def _content_digest(document: bytes, *, every_hours: int) -> Digest:
    sha256 = hashlib.sha256(document).hexdigest()
    said = encode_canonical({"every_hours": every_hours, "sha256": sha256})
    return Digest(hashlib.sha256(said).hexdigest())


def _packed(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Put lines together into chunks that are worth sealing."""
    waiting: list[bytes] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) == 4096:
            yield b"".join(waiting)
            waiting = []
    yield b"".join(waiting)
