"""The file in which a holder writes who objects: one line a person, read strictly.

A line that cannot be read would leave somebody unprotected who has objected. So
every fault stops the whole file, and is told by its line and never by its content.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from havre.domain.catalogue_text import KnownTables
from havre.domain.schema import PERSON_TREATMENTS, Column, Treatment
from havre.domain.shown import is_plain_column, show_places
from havre.errors import InvalidInput

PERSON = "person"
DELIMITER = ";"
_MOST_PERSON = 64
_HINT = (
    "Write one line a person under a first line such as `person;BEN_NIR_PSA`: the number by which"
    " you and the person know each other, and each number that the person has in your files."
)


@dataclass(frozen=True, slots=True)
class Objector:
    """Somebody who objects.

    person: the number by which holder and person know each other.
    numbers: column and number, as in the holder's data; at least one.
    """

    person: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Reading:
    """What has been read: numbers by person, and the lines that could not be."""

    people: dict[str, dict[tuple[str, str], None]] = field(default_factory=dict)
    wrong: dict[str, list[int]] = field(default_factory=dict)

    def fault(self, what: str, line: int) -> None:
        self.wrong.setdefault(what, []).append(line)


def parse_objectors(document: bytes, *, known: Mapping[str, Column]) -> list[Objector]:
    """Read a file of people who object; none of them is a list too.

    document: CSV in UTF-8, parted by semicolons; the first line names `person` and columns.
    known: by name, the columns of people's numbers that the hub's catalogue has.

    Returns each person once, with every number of all its lines.

    Raises:
        InvalidInput: naming every fault, by line.
    """
    try:
        rows = list(csv.reader(document.decode("utf-8-sig").splitlines(), delimiter=DELIMITER))
    except (UnicodeDecodeError, csv.Error):
        raise InvalidInput("The file of oppositions is no CSV in UTF-8.", hint=_HINT) from None
    header = rows[0] if rows else []
    if faults := list(_faults_of_header(header, known)):
        raise InvalidInput(
            f"The file of oppositions cannot be read: {'; '.join(faults)}.", hint=_HINT
        )
    reading = _Reading()
    for line, row in enumerate(rows[1:], start=2):
        if len(row) == len(header):
            _read_row(dict(zip(header, row, strict=True)), line, reading)
        else:
            reading.fault("more or fewer cells than columns", line)
    if reading.wrong:
        told = "; ".join(
            f"{what} in line {show_places(lines)}" for what, lines in reading.wrong.items()
        )
        raise InvalidInput(f"The file of oppositions cannot be read: {told}.", hint=_HINT)
    return [Objector(person, tuple(numbers)) for person, numbers in reading.people.items()]


def known_people_columns(known: KnownTables) -> dict[str, Column]:
    """Find every column of people's numbers that means the same wherever it stands.

    A NIR is hashed with a birth date and a sex, which such a file has not.
    """
    found: dict[str, set[Column]] = {}
    for built in known.tables:
        for column in built.schema.columns:
            if column.treatment in PERSON_TREATMENTS and column.treatment is not Treatment.NIR:
                found.setdefault(column.name, set()).add(column)
    return {
        name: next(iter(columns))
        for name, columns in found.items()
        if len({column.realm for column in columns}) == 1
    }


def _faults_of_header(header: Sequence[str], known: Mapping[str, Column]) -> Iterator[str]:
    if PERSON not in header:
        yield f"its first line does not name {PERSON}"
    if len(set(header)) != len(header):
        yield "its first line names a column twice"
    unknown = [name for name in header if name != PERSON and name not in known]
    if shown := [name for name in unknown if is_plain_column(name)]:
        yield f"no table has numbers of people in {', '.join(shown)}"
    if len(shown) < len(unknown):
        yield f"{len(unknown) - len(shown)} words of its first line are no names of columns"
    if not set(header) & set(known):
        yield "its first line names no column with numbers of people"


def _read_row(cells: Mapping[str, str], line: int, reading: _Reading) -> None:
    person = "".join(cells[PERSON].split()).upper()
    if not 0 < len(person) <= _MOST_PERSON or not person.isprintable():
        reading.fault(f"no person, or one of more than {_MOST_PERSON} characters", line)
        return
    numbers = [
        (name, cell.strip()) for name, cell in cells.items() if name != PERSON and cell.strip()
    ]
    if not numbers:
        reading.fault("no number of the person", line)
        return
    reading.people.setdefault(person, {}).update(dict.fromkeys(numbers))
