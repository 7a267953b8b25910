"""What a holder keeps of a list that it sent, and the receipt that it makes from it for one person.

A receipt shows that somebody's opposition is in the version of a register whose
root stands on the log, and in which extracts that version was used. It shows
inclusion and nothing else: not that the hub left the person's rows out, and not that
the pseudonyms are the person's; the second is the holder's word, which it signs.

`tools/verify_log.py --receipt` checks one offline, without anything of this module.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from havre.crypto.merkle import check_inclusion, inclusion_proof, leaf_hash
from havre.crypto.tree import nodes_of
from havre.domain.opposition_list import RegisterTree, commit_to_person, leaf_of
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import parse_digest, parse_name

PREDICATE_RECEIPT: Final = "havre/v1/opposition-receipt"
BOOK_FORMAT: Final = "havre/v1/opposition-book"
_MOST_LINE_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class BookLine:
    """One leaf, as the holder can open it.

    person, numbers: the leaf's two commitments.
    salt: 32 bytes, of the commitment to the person's number.
    """

    person: str
    numbers: str
    salt: bytes

    @property
    def leaf(self) -> bytes:
        """The leaf in the tree."""
        return leaf_of(self.person, self.numbers)


@dataclass(frozen=True, slots=True)
class Book:
    """One version of a register, in the holder's own hands.

    It has no number of anybody; who holds it can test whether a number is in it.
    """

    register: str
    version: int
    lines: tuple[BookLine, ...]

    @property
    def root(self) -> str:
        """The root, which the log must have."""
        tree = RegisterTree()
        for line in self.lines:
            tree.add(line.leaf)
        return tree.root

    def find(self, number: str) -> int | None:
        """Find the place of the person who is known by a number."""
        for place, line in enumerate(self.lines):
            if hmac.compare_digest(commit_to_person(number, salt=line.salt), line.person):
                return place
        return None

    def proof(self, place: int) -> list[str]:
        """Give the hashes that lead from a leaf to the root."""
        node = nodes_of([leaf_hash(line.leaf) for line in self.lines])
        return [each.hex() for each in inclusion_proof(place, size=len(self.lines), node=node)]


@dataclass(frozen=True, slots=True, kw_only=True)
class OppositionReceipt:
    """What the holder signs for one person.

    update: index of the log's entry with the version; extracts: indexes of those that
        were made with it, as far as the log went.
    place, people: of the leaf in the tree, and the tree's size.
    person, salt: the commitment to the person's number, and what opens it.
    """

    register: str
    version: int
    update: int
    root: str
    place: int
    people: int
    proof: tuple[str, ...]
    person: str
    salt: bytes
    numbers: str
    extracts: tuple[int, ...]


def encode_book(book: Book) -> Iterator[bytes]:
    """Write a book: canonical JSON, one line for the header and one for each leaf."""
    header: dict[str, Json] = {
        "format": BOOK_FORMAT,
        "people": len(book.lines),
        "register": book.register,
        "version": book.version,
    }
    yield encode_canonical(header) + b"\n"
    for line in book.lines:
        body: dict[str, Json] = {
            "numbers": line.numbers,
            "person": line.person,
            "salt": line.salt.hex(),
        }
        yield encode_canonical(body) + b"\n"


def read_book(lines: Iterator[bytes]) -> Book:
    """Read a book.

    Raises:
        InvalidInput: it is none, or was cut short.
    """
    try:
        header: Any = parse_canonical(next(lines, b"").rstrip(b"\n"))
        if header["format"] != BOOK_FORMAT:
            raise ValueError
        book = Book(
            parse_name(header["register"]), int(header["version"]), tuple(map(_read_line, lines))
        )
        if len(book.lines) != header["people"]:
            raise ValueError
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(
            "What was kept of a list of oppositions cannot be read.",
            hint="Restore the holder's directory; without it no receipt can be made.",
        ) from None
    return book


def receipt_predicate(receipt: OppositionReceipt) -> dict[str, Json]:
    """Spell a receipt as the predicate of the holder's statement."""
    return {
        "extracts": [*receipt.extracts],
        "numbers": receipt.numbers,
        "people": receipt.people,
        "person": receipt.person,
        "place": receipt.place,
        "proof": [*receipt.proof],
        "register": receipt.register,
        "root": receipt.root,
        "salt": receipt.salt.hex(),
        "update": receipt.update,
        "version": receipt.version,
    }


def parse_receipt(predicate: Mapping[str, Any]) -> OppositionReceipt:
    """Read the predicate of a receipt strictly.

    Raises:
        InvalidInput: something is missing, too much or misspelled.
    """
    try:
        receipt = OppositionReceipt(
            register=parse_name(predicate["register"]),
            version=int(predicate["version"]),
            update=int(predicate["update"]),
            root=parse_digest(predicate["root"]),
            place=int(predicate["place"]),
            people=int(predicate["people"]),
            proof=tuple(map(parse_digest, predicate["proof"])),
            person=parse_digest(predicate["person"]),
            salt=bytes.fromhex(predicate["salt"]),
            numbers=parse_digest(predicate["numbers"]),
            extracts=tuple(map(int, predicate["extracts"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("A receipt misses something, or spells it otherwise.") from None
    if receipt_predicate(receipt) != dict(predicate):
        raise InvalidInput("A receipt is spelled otherwise than it should.")
    return receipt


def check_receipt(receipt: OppositionReceipt, *, number: str) -> None:
    """Make sure that a receipt is of the person with this number, and leads to its root.

    Raises:
        NotGenuine: it does not; whether the log has the root is for whoever reads the log.
    """
    if not hmac.compare_digest(commit_to_person(number, salt=receipt.salt), receipt.person):
        raise NotGenuine("The receipt is another person's.")
    check_inclusion(
        leaf_hash(leaf_of(receipt.person, receipt.numbers)),
        index=receipt.place,
        size=receipt.people,
        proof=[bytes.fromhex(each) for each in receipt.proof],
        root=bytes.fromhex(receipt.root),
    )


def _read_line(line: bytes) -> BookLine:
    body: Any = parse_canonical(line.rstrip(b"\n"), limit_bytes=_MOST_LINE_BYTES)
    return BookLine(
        parse_digest(body["person"]), parse_digest(body["numbers"]), bytes.fromhex(body["salt"])
    )
