"""The list that a version of a register is: how it is written, and the tree over its people.

A line has two commitments to open: one to the number by which holder and person know
each other, which only those two can open, and one to the person's pseudonyms, which
the hub can. Both together are a leaf, and a leaf says nothing to anybody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from havre.crypto.commitments import commit_to
from havre.crypto.merkle import Peaks, grow, leaf_hash, peaks_root
from havre.domain.events import COUNT_ROUNDING
from havre.domain.oppositions import MOST_EVERY_HOURS
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.formats.padding import padded_size
from havre.values import parse_name

MOST_NUMBERS: Final = 64
_LIST_FORMAT: Final = "havre/v1/oppositions"
_NUMBERS_LABEL: Final = "havre/v1/opposition-numbers"
_PERSON_LABEL: Final = "havre/v1/opposition-person"
_MOST_PEOPLE = 100_000_000
_MOST_LINE_BYTES = 8 * 1024
_PSEUDONYM = re.compile("[0-9a-f]{32}")
_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListHeader:
    """What a list says of itself.

    register: short name of the holder.
    people: how many lines follow; a whole hundred.
    """

    origin: str
    register: str
    version: int
    every_hours: int
    people: int


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """One line: somebody who objects, or nobody.

    person: commitment to the number by which the holder knows the person; only the
        holder and the person have its salt.
    numbers: the person's pseudonyms of stage 1, in order, each once.
    salt: 32 bytes, of the commitment to the numbers.
    """

    person: str
    numbers: tuple[str, ...]
    salt: bytes

    @property
    def leaf(self) -> bytes:
        """What the tree has of it: two commitments, and nothing that they were made to."""
        return leaf_of(self.person, commit_to_numbers(self.numbers, salt=self.salt))


def commit_to_numbers(numbers: Iterable[str], *, salt: bytes) -> str:
    """Commit to the pseudonyms of one person."""
    return commit_to(encode_canonical([*numbers]), label=_NUMBERS_LABEL, salt=salt)


def commit_to_person(number: str, *, salt: bytes) -> str:
    """Commit to the number by which a person is known: spaces and case do not matter.

    >>> commit_to_person("1 85 05 2a", salt=bytes(32)) == commit_to_person("185052A", salt=bytes(32))
    True
    """
    spelled = "".join(number.split()).upper()
    return commit_to(encode_canonical(spelled), label=_PERSON_LABEL, salt=salt)


def leaf_of(person: str, numbers: str) -> bytes:
    """Spell a leaf from its two commitments."""
    return encode_canonical({"numbers": numbers, "person": person})


class RegisterTree:
    """A tree that takes leaves in order of their `person`, and knows its root at any time."""

    def __init__(self) -> None:
        self._peaks: Peaks = ()

    def add(self, leaf: bytes) -> None:
        """Take one more leaf."""
        self._peaks = grow(self._peaks, leaf_hash(leaf))

    @property
    def root(self) -> str:
        """64 hexadecimal characters."""
        return peaks_root(self._peaks).hex()


def whole_hundreds(people: int) -> int:
    """How long a list of so many people is: filled up to the next hundred, and never empty.

    >>> whole_hundreds(0), whole_hundreds(100), whole_hundreds(101)
    (100, 100, 200)
    """
    return max(1, -(-people // COUNT_ROUNDING)) * COUNT_ROUNDING


def encode_list(header: ListHeader, people: Iterable[ListedPerson]) -> Iterator[bytes]:
    """Write a list: canonical JSON, one line for the header and one for each person.

    people: in order of `person`.

    A last line of zeros brings it to a padded length (`formats.padding`): some people
    have more numbers than others, and its ciphertext is as long as the list.
    """
    first = encode_canonical(_header_json(header)) + b"\n"
    yield first
    length = len(first)
    for each in people:
        line: dict[str, Json] = {
            "numbers": [*each.numbers],
            "person": each.person,
            "salt": each.salt.hex(),
        }
        encoded = encode_canonical(line) + b"\n"
        length += len(encoded)
        yield encoded
    yield b"0" * (padded_size(length + 1) - length - 1) + b"\n"


def read_list(chunks: Iterable[bytes]) -> tuple[ListHeader, Iterator[ListedPerson]]:
    """Read a list strictly.

    Returns its header, and its people as they are read; the iterator raises when it
    comes upon a line that is none, and at the end if there were more or fewer than the
    header says.

    Raises:
        InvalidInput: the first line is no header of a list.
    """
    lines = _split(chunks)
    header = _read_header(next(lines, b""))
    return header, _read_people(lines, people=header.people)


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
        # What is left over is the beginning of a line, or of the zeros at the end.
        if len(rest) > _MOST_LINE_BYTES and rest.strip(b"0"):
            raise InvalidInput("A line of a list of oppositions is too long.")
    if rest:
        raise InvalidInput("A list of oppositions ends in the middle of a line.")


def _header_json(header: ListHeader) -> dict[str, Json]:
    return {
        "every_hours": header.every_hours,
        "format": _LIST_FORMAT,
        "origin": header.origin,
        "people": header.people,
        "register": header.register,
        "version": header.version,
    }


def _read_header(line: bytes) -> ListHeader:
    body = _object(line, "every_hours format origin people register version")
    counts = [body[name] for name in ("every_hours", "people", "version")]
    whole = all(type(count) is int and count >= 0 for count in counts)
    if body["format"] != _LIST_FORMAT or not whole or not isinstance(body["origin"], str):
        raise InvalidInput("A list of oppositions has another header than it should.")
    header = ListHeader(
        origin=body["origin"],
        register=parse_name(str(body["register"])),
        version=int(str(body["version"])),
        every_hours=int(str(body["every_hours"])),
        people=int(str(body["people"])),
    )
    if header.version < 1 or header.every_hours > MOST_EVERY_HOURS:
        raise InvalidInput("A list of oppositions has a version or a rhythm that no list has.")
    if header.people != whole_hundreds(header.people) or header.people > _MOST_PEOPLE:
        raise InvalidInput("A list of oppositions is not filled up to a whole hundred.")
    return header


def _read_people(lines: Iterator[bytes], *, people: int) -> Iterator[ListedPerson]:
    before = ""
    for line in islice(lines, people):
        person = _read_person(line)
        if person.person <= before:
            raise InvalidInput("A list of oppositions is not in order.")
        before = person.person
        yield person
    if next(lines, b"1").strip(b"0") or next(lines, None) is not None:
        raise InvalidInput("A list of oppositions has more or fewer lines than it says.")


def _read_person(line: bytes) -> ListedPerson:
    body = _object(line, "numbers person salt")
    numbers, person, salt = body["numbers"], body["person"], body["salt"]
    if not (
        isinstance(numbers, list)
        and 0 < len(numbers) <= MOST_NUMBERS
        and all(isinstance(each, str) and _PSEUDONYM.fullmatch(each) for each in numbers)
        and numbers == sorted(set(map(str, numbers)))
        and isinstance(person, str)
        and _DIGEST.fullmatch(person)
        and isinstance(salt, str)
        and _DIGEST.fullmatch(salt)
    ):
        raise InvalidInput("A line of a list of oppositions is spelled otherwise than it should.")
    return ListedPerson(person, tuple(map(str, numbers)), bytes.fromhex(salt))


def _object(line: bytes, names: str) -> dict[str, Json]:
    body = parse_canonical(line, limit_bytes=_MOST_LINE_BYTES)
    if not isinstance(body, dict) or set(body) != set(names.split()):
        raise InvalidInput("A list of oppositions has other fields than it should.")
    return body
