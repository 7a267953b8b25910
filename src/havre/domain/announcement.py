"""What a holder announces of a delivery, and what is found of it.

The announcement (`delivery.toml`) names every file with its hash; a folder that
differs from it is held, and everything that differs is named.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from havre.errors import Held, InvalidInput
from havre.values import Digest, parse_digest, parse_name

FORMAT = "havre/v1/delivery"
ANNOUNCEMENT = "delivery.toml"


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
