"""A delivery: what a holder announces, what is found, and what may go on.

The announcement (`delivery.toml`) names every file with its hash; a folder that
differs from it is held, and everything that differs is named. Lines and rows
are counted so that none can get lost: lines in = accepted + set aside.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from havre.domain.catalogue import BuiltTable
from havre.errors import Held, InvalidInput
from havre.values import Digest, parse_digest, parse_name

FORMAT = "havre/v1/delivery"
ANNOUNCEMENT = "delivery.toml"
# The number of a row's line in the holder's file, 1 for the header: it travels
# with the row, so that what is set aside later can be found there.
LINE_COLUMN = "_line"


class DeliveryHeld(Held):
    """A delivery differs from what was announced or from its tables; every fault is named."""

    def __init__(self, delivery: str, faults: Sequence[str]) -> None:
        super().__init__(
            f"Delivery {delivery} is held: {'; '.join(faults)}.",
            hint="Mend the files or the announcement, then deliver it again; nothing was taken in.",
        )
        self.faults = tuple(faults)


class FileKind(StrEnum):
    """What stands under a name in a folder."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    OTHER = "something else"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """What was found under one name; the hash only of a regular file."""

    path: str
    kind: FileKind
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """How the text files are written; cells are never quoted."""

    delimiter: str = ";"
    encoding: str = "utf-8"


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """One file of a delivery.

    constants: columns that the file has not, with the one value they have in it,
        such as a year that stands in the file's name.
    """

    path: str
    table: str
    sha256: Digest
    constants: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a holder says it delivers."""

    name: str
    dataset: str
    layout: Layout
    files: tuple[AnnouncedFile, ...]


def parse_announcement(text: str) -> Announcement:
    """Read `delivery.toml` strictly.

    Raises:
        InvalidInput: it is no announcement, or something in it is missing or misspelled.
    """
    try:
        body = tomllib.loads(text)
        if body.get("format") != FORMAT:
            raise InvalidInput(f"{ANNOUNCEMENT} does not begin with the format {FORMAT}.")
        layout = body.get("layout", {})
        files = tuple(
            AnnouncedFile(
                str(each["path"]),
                str(each["table"]),
                parse_digest(str(each["sha256"])),
                {str(key): str(value) for key, value in each.get("constants", {}).items()},
            )
            for each in body["files"]
        )
        return Announcement(
            parse_name(str(body["name"])),
            parse_name(str(body["dataset"])),
            _layout(str(layout.get("delimiter", ";")), str(layout.get("encoding", "utf-8"))),
            files,
        )
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as fault:
        raise InvalidInput(
            f"{ANNOUNCEMENT} cannot be read: {type(fault).__name__}.",
            hint="It needs format, name, dataset and [[files]] with path, table and sha256.",
        ) from None


def _layout(delimiter: str, encoding: str) -> Layout:
    if delimiter not in {";", ",", "\t", "|"}:
        raise InvalidInput("Columns are parted by one of ; , | or a tabulator.")
    if encoding.lower() != "utf-8":
        raise InvalidInput(
            "Deliveries are read as UTF-8.", hint="Convert the files first, for example with iconv."
        )
    return Layout(delimiter, "utf-8")


def check_found(announced: Announcement, found: Iterable[FoundFile]) -> None:
    """Compare a folder with its announcement.

    Raises:
        DeliveryHeld: a file is missing, extra, not a file, or another one.
    """
    there = {each.path: each for each in found if each.path != ANNOUNCEMENT}
    listed = {each.path for each in announced.files}
    faults = [f"{name} was not announced" for name in sorted(there.keys() - listed)]
    if len(listed) != len(announced.files):
        faults.append("a file is announced twice")
    for file in announced.files:
        present = there.get(file.path)
        if present is None:
            faults.append(f"{file.path} is missing")
        elif present.kind is not FileKind.FILE:
            faults.append(f"{file.path} is a {present.kind.value}, not a file")
        elif present.sha256 != file.sha256:
            faults.append(f"{file.path} has another SHA-256 than announced")
    if faults:
        raise DeliveryHeld(announced.name, faults)


@dataclass(frozen=True, slots=True)
class HeaderReading:
    """What a file's header says against its table.

    kept: columns of the file that go on, in the file's order.
    left: columns of the file that stay at the holder.
    notes: differences that the correction layer or the operator accepts, by name.
    """

    kept: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]


def read_header(
    header: Sequence[str],
    *,
    table: BuiltTable,
    constants: Iterable[str] = (),
    confirmed: Iterable[str] = (),
) -> HeaderReading:
    """Compare a header with its table, without case and in any order.

    constants: columns that the announcement gives.
    confirmed: columns too many that the operator has accepted to leave behind.

    Raises:
        Held: a column is missing or stands twice; or one is too many and nobody
            has confirmed it. All of them are named.
    """
    known = {name.casefold(): name for name in table.schema.column_names}
    names = [known.get(name.strip().casefold(), name.strip()) for name in header]
    given = set(constants)
    needed = [name for name in table.schema.column_names if name not in given]
    faults = [f"column {name} stands twice" for name in sorted(_twice(names))]
    lacking = [name for name in needed if name not in names]
    faults += [f"column {name} is missing" for name in lacking if name not in table.may_lack]
    extra = [name for name in names if name not in known.values() or name in given]
    accepted = {*table.may_have, *confirmed}
    faults += [f"column {name} is unknown" for name in extra if name not in accepted]
    if faults:
        raise Held(
            f"The header of a file for {table.schema.name} differs: {'; '.join(faults)}.",
            hint="A column too many can be confirmed with `--leave-column NAME`: it stays behind.",
        )
    notes = [f"column {name} lacks: {table.may_lack[name]}" for name in lacking]
    notes += [
        f"column {name} was left behind: {table.may_have.get(name, 'confirmed')}" for name in extra
    ]
    return HeaderReading(
        tuple(name for name in names if name not in extra), tuple(extra), tuple(notes)
    )


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


@dataclass(frozen=True, slots=True)
class FileCount:
    """One file's lines, as a holder counts them in the note.

    lines: data lines, the header not among them.
    sent: rows that left.
    set_aside: reason to lines that stay at the holder.
    constants: columns that stand in no line: the announcement gave them.
    """

    path: str
    table: str
    lines: int
    sent: int
    set_aside: Mapping[str, int]
    notes: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowCount:
    """One file's rows, as the hub counts them."""

    received: int
    accepted: int
    set_aside: Mapping[str, int]


class LinesLost(Held):
    """A sum does not close: a line is neither accepted nor set aside."""


def check_lines(count: FileCount) -> None:
    """Make sure that lines in = sent + set aside at the holder.

    Raises:
        LinesLost: it is not so; the file is named.
    """
    if count.lines != count.sent + sum(count.set_aside.values()):
        raise LinesLost(f"The lines of {count.path} do not add up at the holder.")


def check_rows(sent: FileCount, count: RowCount) -> None:
    """Make sure that rows sent = accepted + set aside at the hub.

    Raises:
        LinesLost: it is not so; the file is named.
    """
    if sent.sent != count.received or count.received != count.accepted + sum(
        count.set_aside.values()
    ):
        raise LinesLost(f"The rows of {sent.path} do not add up at the hub.")
