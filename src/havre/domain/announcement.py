"""What a holder announces of a delivery, and what is found of it.

The announcement (`delivery.toml`) names every file with its hash; a folder that
differs from it is held, and everything that differs is named.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any

from havre.domain.delivery import Span
from havre.domain.layout import AnnouncedLayout, Layout, layout_words, parse_layout
from havre.domain.shown import is_plain_column, is_plain_file
from havre.errors import Held, InvalidInput
from havre.formats.canonical import Json, encode_canonical
from havre.values import Digest, parse_digest, parse_name

FORMAT = "havre/v1/delivery"
_KEYS = frozenset({"format", "name", "dataset", "corrects", "covers", "layout", "files"})
ANNOUNCEMENT = "delivery.toml"

_LAYOUT = frozenset({"kind", "delimiter", "encoding", "compression", "columns"})
_FILE = frozenset({"path", "table", "sha256", "size_bytes", "unpacked_bytes", "constants"})


class DeliveryHeld(Held):
    """A delivery differs from what was announced or from its tables; every fault is named."""

    def __init__(self, delivery: str, faults: Sequence[str], *, hints: Iterable[str] = ()) -> None:
        mend = "Mend the files or the announcement, then deliver it again; nothing was taken in."
        super().__init__(
            f"Delivery {delivery} is held: {'; '.join(faults)}.",
            hint=" ".join(dict.fromkeys([*filter(None, hints), mend])),
        )
        self.faults = tuple(faults)


class FileKind(StrEnum):
    """What stands under a name in a folder."""

    FILE = "file"
    LINK = "link"
    FOLDER = "folder"
    OTHER = "pipe, a socket or a device"


@dataclass(frozen=True, slots=True)
class FoundFile:
    """What was found under one name; hash and size only of a regular file."""

    path: str
    kind: FileKind
    sha256: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class AnnouncedFile:
    """One file of a delivery.

    constants: columns that the file has not, with the one value they have in it,
        such as a year that stands in the file's name.
    size_bytes: compared when it is announced; the hash alone decides.
    layout: how this file is written.
    """

    path: str
    table: str
    sha256: Digest
    constants: Mapping[str, str] = field(default_factory=dict)
    size_bytes: int | None = None
    layout: Layout = field(default_factory=Layout)


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a holder says it delivers.

    corrects: the delivery of the same holder whose rows these replace, or null.
    covers: the days that the delivery is about, or null when it does not say.
    """

    name: str
    dataset: str
    layout: AnnouncedLayout
    files: tuple[AnnouncedFile, ...]
    corrects: str | None = None
    covers: Span | None = None


def parse_announcement(text: str, *, beside: Callable[[str], str] | None = None) -> Announcement:
    """Read `delivery.toml` strictly: what it does not know, it refuses.

    beside: gives the text of a file in the same folder; null where there is none to look into.

    Raises:
        InvalidInput: it is no announcement, or something in it is missing, unknown
            or misspelled.
    """
    try:
        body = tomllib.loads(text)
        if body.get("format") != FORMAT:
            raise InvalidInput(f"{ANNOUNCEMENT} does not begin with the format {FORMAT}.")
        _check_keys(body, _KEYS, where="")
        _check_keys(body.get("layout", {}), _LAYOUT, where=" in layout")
        said = body.get("layout", {})
        layout = parse_layout(said) if beside is None else parse_layout(said, beside=beside)
        return Announcement(
            parse_name(_text(body["name"])),
            parse_name(_text(body["dataset"])),
            layout,
            tuple(_file(each, number, layout) for number, each in enumerate(body["files"], 1)),
            _corrects(body),
            _covers(body["covers"]) if "covers" in body else None,
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise InvalidInput(
            f"{ANNOUNCEMENT} cannot be read: {type(fault).__name__}.",
            hint="It needs format, name, dataset and [[files]] with path, table and sha256.",
        ) from None


def _corrects(body: Mapping[str, Any]) -> str | None:
    if "corrects" not in body:
        return None
    corrects = parse_name(_text(body["corrects"]))
    if corrects == body["name"]:
        raise InvalidInput(
            f"{ANNOUNCEMENT} says that the delivery corrects itself.",
            hint="A correction has a name of its own; `corrects` names the delivery before.",
        )
    return corrects


def _covers(body: Mapping[str, Any]) -> Span:
    _check_keys(body, {"first_day", "last_day"}, where=" in covers")
    days = (body["first_day"], body["last_day"])
    if any(type(day) is not date for day in days):
        raise TypeError
    return Span(*days)


def _file(body: Mapping[str, Any], number: int, layout: AnnouncedLayout) -> AnnouncedFile:
    _check_keys(body, _FILE, where=f" in file {number}")
    path, table = _text(body["path"]), _text(body["table"])
    sizes = [body.get("size_bytes"), body.get("unpacked_bytes")]
    if not is_plain_file(path):
        raise InvalidInput(
            f"File {number} of {ANNOUNCEMENT} has a name that is not plain.",
            hint="Name files with letters, digits and . _ - only.",
        )
    if any(size is not None and type(size) is not int for size in sizes):
        raise TypeError
    return AnnouncedFile(
        path,
        table,
        parse_digest(_text(body["sha256"])),
        {key: _text(value) for key, value in body.get("constants", {}).items()},
        sizes[0],
        layout.of(table, unpacked_bytes=sizes[1]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _check_keys(body: Mapping[str, Any], known: AbstractSet[str], *, where: str) -> None:
    """Refuse a key that nobody would read: its writer believes that it counts."""
    if beyond := sorted(set(body) - known):
        named = [f"`{key}`" for key in beyond if is_plain_column(key)]
        said = ", ".join(named) or f"{len(beyond)} keys without a plain name"
        raise InvalidInput(
            f"{ANNOUNCEMENT} has what it does not know{where}: {said}.",
            hint=f"Known there are: {', '.join(sorted(known))}.",
        )


def check_found(announced: Announcement, found: Iterable[FoundFile]) -> None:
    """Make sure that a folder holds what was announced.

    Raises:
        DeliveryHeld: a file is missing, extra, not a file, or another one.
    """
    if faults := list_differences(announced, found):
        raise DeliveryHeld(announced.name, faults)


def list_differences(announced: Announcement, found: Iterable[FoundFile]) -> list[str]:
    """Say of every file that is missing, extra, not a file, or another one."""
    read = {ANNOUNCEMENT, announced.layout.places}
    there = {each.path: each for each in found if each.path not in read}
    listed = Counter(each.path for each in announced.files)
    extra = sorted(there.keys() - listed.keys())
    faults = [f"{name} was not announced" for name in extra if is_plain_file(name)]
    if others := sum(not is_plain_file(name) for name in extra):
        faults.append(f"{others} more, whose names are not plain, were not announced")
    faults += [f"{path} is announced twice" for path, count in listed.items() if count > 1]
    for file in announced.files:
        faults += _differences(file, there.get(file.path))
    return faults


def _differences(file: AnnouncedFile, found: FoundFile | None) -> list[str]:
    if found is None:
        return [f"{file.path} is missing"]
    if found.kind is not FileKind.FILE:
        return [f"{file.path} is a {found.kind.value}, not a file"]
    faults = []
    if file.size_bytes not in (None, found.size_bytes):
        faults.append(f"{file.path} has {found.size_bytes} bytes, not {file.size_bytes}")
    if found.sha256 != file.sha256:
        faults.append(f"{file.path} has another SHA-256 than announced")
    return faults


def content_digest(announced: Announcement) -> Digest:
    """Hash what a delivery is: two folders with the same digest deliver the same rows."""
    body: dict[str, Json] = {
        "dataset": announced.dataset,
        "delimiter": announced.layout.shared.delimiter,
        "files": [
            {
                "constants": dict(file.constants),
                "path": file.path,
                "sha256": str(file.sha256),
                "table": file.table,
            }
            for file in announced.files
        ],
        "name": announced.name,
    }
    # Left out where all is as it always was: a delivery of before keeps its digest.
    if words := layout_words(announced.layout):
        body["layout"] = words
    # Left out where they say nothing: a delivery from before there were such keys is known again.
    if announced.corrects is not None:
        body["corrects"] = announced.corrects
    if announced.covers is not None:
        body["covers"] = dict(announced.covers.texts)
    return Digest(hashlib.sha256(encode_canonical(body)).hexdigest())
