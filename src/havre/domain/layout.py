"""How the files of a delivery are written: what `[layout]` of an announcement says, read strictly.

What is not said is as it always was: delimited text in UTF-8, packed if the file's
name ends like that. A reader for each kind is in `adapters.sources`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from havre.domain.shown import is_plain_column, is_plain_file
from havre.errors import InvalidInput
from havre.formats.canonical import Json

# Each writes the 128 characters of ASCII as ASCII does and any other as one byte, UTF-8
# apart: lines and columns are found in the bytes as they are, whatever the encoding.
ENCODINGS: Mapping[str, str] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "ascii": "ascii",
    "us-ascii": "ascii",
    "windows-1252": "windows-1252",
    "cp1252": "windows-1252",
    "windows-1250": "windows-1250",
    "iso-8859-1": "iso-8859-1",
    "latin1": "iso-8859-1",
    "latin-1": "iso-8859-1",
    "iso-8859-2": "iso-8859-2",
    "iso-8859-15": "iso-8859-15",
    "latin9": "iso-8859-15",
    "latin-9": "iso-8859-15",
    "cp437": "cp437",
    "cp850": "cp850",
    "cp858": "cp858",
    "macintosh": "mac-roman",
    "mac-roman": "mac-roman",
}
DELIMITERS = frozenset({";", ",", "\t", "|"})

# What a file of places begins with.
PLACES_FORMAT = "havre/v1/places"

# Parts the cells of a row that was in no delimited text, where it is written as a line.
UNIT_SEPARATOR = "\x1f"
_MOST_COLUMNS = 10_000
_MOST_WIDTH = 65_536


class LayoutKind(StrEnum):
    """What kind of files a delivery has."""

    DELIMITED = "delimited"
    FIXED_WIDTH = "fixed-width"
    PARQUET = "parquet"
    SAS7BDAT = "sas7bdat"
    FHIR_NDJSON = "fhir-ndjson"


class Packing(StrEnum):
    """How a whole file is compressed."""

    NONE = "none"
    GZIP = "gzip"
    ZSTD = "zstd"


_TEXT = frozenset({LayoutKind.DELIMITED, LayoutKind.FIXED_WIDTH, LayoutKind.FHIR_NDJSON})
_ENCODED = frozenset({LayoutKind.DELIMITED, LayoutKind.FIXED_WIDTH, LayoutKind.SAS7BDAT})
_ENDINGS = {".gz": Packing.GZIP, ".gzip": Packing.GZIP, ".zst": Packing.ZSTD, ".zstd": Packing.ZSTD}


@dataclass(frozen=True, slots=True)
class FixedColumn:
    """Where a column stands in every line of a file.

    start: the first character, from 1. width: characters.
    """

    name: str
    start: int
    width: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How files are written; cells of text are never quoted.

    encoding: a name that `ENCODINGS` gives; empty where a file says it itself (SAS).
    packing: null where the end of a file's name says it.
    table, columns, unpacked_bytes: of one file (`layout_of`): its table, its columns of
        fixed width in order of place, and its size as text when that was announced.
    """

    delimiter: str = ";"
    encoding: str = "utf-8"
    kind: LayoutKind = LayoutKind.DELIMITED
    packing: Packing | None = None
    table: str = ""
    columns: tuple[FixedColumn, ...] = ()
    unpacked_bytes: int | None = None

    def packing_of(self, path: str) -> Packing:
        """Say how a file is packed: as announced, or else by the end of its name.

        >>> Layout().packing_of("KI_CCI_R.csv.gz").value, Layout().packing_of("KI_CCI_R.csv").value
        ('gzip', 'none')
        """
        if self.packing is not None:
            return self.packing
        if self.kind not in _TEXT:
            return Packing.NONE
        ends = (packing for end, packing in _ENDINGS.items() if path.casefold().endswith(end))
        return next(ends, Packing.NONE)


@dataclass(frozen=True, slots=True)
class AnnouncedLayout:
    """`[layout]` as a whole: what all files share, and the columns of fixed width by table.

    places: name of the file that says where the columns stand; empty where `[layout]` does.
    """

    shared: Layout
    columns: Mapping[str, tuple[FixedColumn, ...]]
    places: str = ""

    def of(self, table: str, *, unpacked_bytes: int | None = None) -> Layout:
        """Say how one file is written.

        Raises:
            InvalidInput: it is of fixed width, and nothing says where its columns stand.
        """
        columns = self.columns.get(table.casefold(), ())
        if self.shared.kind is LayoutKind.FIXED_WIDTH and not columns:
            raise InvalidInput(
                "A file of fixed width has a table whose columns have no place.",
                hint="Give each table its places under [layout.columns.TABLE], or under"
                " [columns.TABLE] of the file that `columns` names.",
            )
        return replace(self.shared, table=table, columns=columns, unpacked_bytes=unpacked_bytes)


def _nothing_beside(name: str) -> str:
    raise InvalidInput(f"{name} is not at hand: an announcement was read without its folder.")


def parse_layout(
    body: Mapping[str, Any], *, beside: Callable[[str], str] = _nothing_beside
) -> AnnouncedLayout:
    """Read `[layout]`; its keys are known already.

    beside: gives the text of a file that lies beside the announcement.

    Raises:
        InvalidInput: a word that nobody knows, or one that this kind of file does not have,
            or a file of places that cannot be read.
        TypeError, AttributeError: a value of another type than it should have.

    >>> parse_layout({"encoding": "latin9"}).shared.encoding
    'iso-8859-15'
    """
    kind = _word(body.get("kind", "delimited"), LayoutKind, "kind")
    packing = _word(body["compression"], Packing, "compression") if "compression" in body else None
    if packing not in {None, Packing.NONE} and kind not in _TEXT:
        raise InvalidInput(
            f"A file of kind {kind.value} is not packed once more.",
            hint="Leave `compression` out: such a file is compressed inside.",
        )
    for key, fits in (
        ("delimiter", {LayoutKind.DELIMITED}),
        ("encoding", _ENCODED),
        ("columns", {LayoutKind.FIXED_WIDTH}),
    ):
        # What is spelled out and true is no fault: every announcement of before says utf-8.
        if key in body and kind not in fits and body[key] != "utf-8":
            raise InvalidInput(
                f"Files of kind {kind.value} have no {key}.", hint=f"Leave `{key}` out of [layout]."
            )
    delimiter = body.get("delimiter", ";") if kind is LayoutKind.DELIMITED else UNIT_SEPARATOR
    encoding = body.get("encoding", "" if kind is LayoutKind.SAS7BDAT else "utf-8")
    if kind is LayoutKind.DELIMITED and delimiter not in DELIMITERS:
        raise InvalidInput("Columns are parted by one of ; , | or a tabulator.")
    places, listed = "", body.get("columns", {})
    if isinstance(listed, str):
        places, listed = listed, _listed_beside(listed, beside)
    columns = {str(table).casefold(): _columns(each) for table, each in listed.items()}
    if len(columns) < len(listed):
        raise InvalidInput("A table of fixed width has its places twice.")
    return AnnouncedLayout(Layout(delimiter, _encoding(encoding), kind, packing), columns, places)


def _listed_beside(name: str, beside: Callable[[str], str]) -> Mapping[str, Any]:
    """Read a file of places: its format, and `[columns.TABLE]` as in an announcement."""
    if not is_plain_file(name) or not name.endswith(".toml"):
        raise InvalidInput(
            "`columns` names a file of places that has no plain name.",
            hint="Name a file beside the announcement that ends with .toml.",
        )
    hint = f'It needs format = "{PLACES_FORMAT}" and [columns.TABLE], and may have nothing else.'
    try:
        body = tomllib.loads(beside(name))
    except (ValueError, RecursionError):
        raise InvalidInput(f"{name} is no TOML.", hint=hint) from None
    listed = body.get("columns")
    if set(body) != {"format", "columns"} or body["format"] != PLACES_FORMAT:
        raise InvalidInput(f"{name} is no file of places.", hint=hint)
    if not isinstance(listed, dict) or not all(isinstance(each, dict) for each in listed.values()):
        raise InvalidInput(f"{name} is no file of places.", hint=hint)
    return listed


def layout_words(layout: AnnouncedLayout) -> dict[str, Json]:
    """Spell what of a layout is not as it always was; nothing when all is."""
    shared = layout.shared
    words: dict[str, Json] = {}
    if shared.kind is not LayoutKind.DELIMITED:
        words["kind"] = shared.kind.value
    if shared.encoding != "utf-8":
        words["encoding"] = shared.encoding
    if shared.packing is not None:
        words["compression"] = shared.packing.value
    if layout.columns:
        words["columns"] = {
            table: [[each.name, each.start, each.width] for each in columns]
            for table, columns in layout.columns.items()
        }
    return words


def _word(value: Any, words: Any, key: str) -> Any:
    if not isinstance(value, str):
        raise TypeError
    try:
        return words(value)
    except ValueError:
        known = ", ".join(each.value for each in words)
        raise InvalidInput(
            f"[layout] has a {key} that nobody knows.", hint=f"One of: {known}."
        ) from None


def _encoding(name: Any) -> str:
    if not isinstance(name, str):
        raise TypeError
    known = ENCODINGS.get(name.casefold())
    if known is None and name:
        raise InvalidInput(
            "Deliveries are not read in this encoding.",
            hint=f"One of: {', '.join(sorted(set(ENCODINGS.values())))}. Convert other files first,"
            " for example with iconv.",
        )
    return known or ""


def _columns(places: Mapping[str, Any]) -> tuple[FixedColumn, ...]:
    """Read the places of one table's columns; no two may share a character."""
    columns = sorted(
        (_column(name, place) for name, place in places.items()), key=lambda each: each.start
    )
    if not 0 < len(columns) <= _MOST_COLUMNS:
        raise InvalidInput("A table of fixed width has no columns, or too many.")
    for one, next_one in pairwise(columns):
        if one.start + one.width > next_one.start:
            raise InvalidInput(
                f"Columns {_shown(one.name)} and {_shown(next_one.name)} share a place of the line.",
                hint="`start` counts characters from 1; a column ends before the next begins.",
            )
    return tuple(columns)


def _column(name: str, place: Mapping[str, Any]) -> FixedColumn:
    start, width = place.get("start", 0), place.get("width", 0)
    numbers = type(start) is int and type(width) is int and set(place) == {"start", "width"}
    if not numbers or start < 1 or width < 1 or start + width > _MOST_WIDTH:
        raise InvalidInput(
            f"Column {_shown(name)} has no place.",
            hint="A place is { start = 1, width = 8 }: characters of the line, from 1 on.",
        )
    return FixedColumn(name, start, width)


def _shown(name: str) -> str:
    return name if is_plain_column(name) else "without a plain name"
