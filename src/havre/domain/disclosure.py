"""What may not leave: rules over output files that a machine can check, before two people look.

A finding names a file, a column and a rule and counts cells; it never shows one.
What passes is not safe yet: hidden messages in allowed outputs are limited, not
excluded, and that is what checkers are for.

Sources: the output rules of the SNDS (no cell under 11 people), the SACRO and
ONS guidance on figures, on totals and on what is not declared.
"""

from __future__ import annotations

import csv
import re
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from havre.domain.permit import OutputRules
from havre.errors import InvalidInput
from havre.formats.outputs import SIDECAR, DescribedFile, parse_outputs

MAX_TABLE_BYTES = 2 * 1024 * 1024
MAX_TABLE_ROWS = 5_000
MAX_FIGURE_BYTES = 2 * 1024 * 1024
MAX_TEXT_BYTES = 200 * 1024
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "table": (".csv",),
    "figure": (".png",),
    "text": (".txt", ".md"),
}
_COUNT_NAMES = re.compile(
    r"(^|_)(n|nb|count|counts|cases|events|deaths|people|persons|patients|stays|number|"
    r"effectif|effectifs|cas|deces|at_risk)(_|$)",
    re.IGNORECASE,
)
# More people than have ever lived.
_MOST_DIGITS = 12
_WHOLE = re.compile(r"[+-]?\d+(\.0*)?")
_HIDDEN = frozenset({"", "*", "x", "s", "-", "<11", "secret", "n.d."})
# Our pseudonyms and keys, and the SNDS's own numbers.
_NUMBERS = re.compile(
    rb"[0-9a-fA-F]{32}"
    # The SNDS's pseudonyms have letters among their digits; a long fraction has none.
    rb"|(?<![A-Za-z0-9])(?=[0-9]*[A-Z])[A-Z0-9]{17,18}(?![A-Za-z0-9])"
    # A NIR, with its key or without.
    rb"|(?<![0-9.])[1-8][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])[0-9][0-9AB][0-9]{6}(?:[0-9]{2})?(?![0-9.])"
    # Bytes written as text: long, mixed, and with the padding or without.
    rb"|(?<![A-Za-z0-9+/])(?=[A-Za-z+/]*[0-9])(?=[A-Z0-9+/]*[a-z])(?=[a-z0-9+/]*[A-Z])"
    rb"[A-Za-z0-9+/]{22,}={0,2}(?![A-Za-z0-9+/])"
)
# What a spreadsheet would run, and what nobody sees.
_FORMULA = re.compile(r"[=@]|[+-](?![0-9.])")
_UNSEEN = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
# A table for publication is shorter than this; a longer one without counts is rows of people.
MAX_UNCOUNTED_ROWS = 200
_MOST_PIXELS = 40_000_000
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_PARTS = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"tRNS", b"bKGD"}
)


class Severity(StrEnum):
    """A must finding closes the way out; a should finding is for the checkers' eyes."""

    MUST = "must"
    SHOULD = "should"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One broken rule.

    column: empty when it is about the whole file. cells: how many; 0 when it is
        about the whole file.
    number, place: of the file among all, and of the column in it, from 1; 0 when
        there is none.
    """

    file: str
    rule: str
    severity: Severity
    column: str = ""
    cells: int = 0
    number: int = 0
    place: int = 0

    @property
    def sentence(self) -> str:
        """The finding in words, for checkers."""
        place = f"{self.file}, column {self.column}" if self.column else self.file
        return f"{place}: {self.rule}{self._many}"

    @property
    def for_author(self) -> str:
        """The same without a name: the study chose those, and nobody has looked at them yet."""
        place = f"file {self.number}, column {self.place}" if self.column else f"file {self.number}"
        return f"{place}: {self.rule}{self._many}"

    @property
    def _many(self) -> str:
        return f" ({self.cells} cell{'s' * (self.cells > 1)})" if self.cells else ""


def check_outputs(files: Mapping[str, bytes], *, rules: OutputRules) -> list[Finding]:
    """Hold every file against the rules; no finding does not mean that it may leave.

    files: plain name to content, the study's description among them.
    """
    try:
        described = parse_outputs(files[SIDECAR])
    except KeyError:
        return [Finding(SIDECAR, "is missing: nothing says what the files are", Severity.MUST)]
    except InvalidInput as fault:
        return [Finding(SIDECAR, fault.message, Severity.MUST)]
    by_name = {each.name: each for each in described}
    findings = [
        Finding(name, "is not described", Severity.MUST)
        for name in sorted(files.keys() - by_name.keys() - {SIDECAR})
    ]
    findings += [
        Finding(name, "is described and is not there", Severity.MUST)
        for name in sorted(by_name.keys() - files.keys())
    ]
    for name, each in sorted(by_name.items()):
        if name in files:
            findings += _check_file(each, files[name], by_name, rules)
    findings += _numbers(SIDECAR, files[SIDECAR])
    places = {name: place for place, name in enumerate(sorted({*files, *by_name}), 1)}
    return [replace(each, number=places.get(each.file, 0)) for each in findings]


def must_findings(findings: Sequence[Finding]) -> list[Finding]:
    """Those that close the way out."""
    return [each for each in findings if each.severity is Severity.MUST]


def _check_file(
    described: DescribedFile,
    content: bytes,
    others: Mapping[str, DescribedFile],
    rules: OutputRules,
) -> Iterator[Finding]:
    name = described.name
    if described.kind not in rules.kinds:
        yield Finding(name, f"the permit lets no {described.kind} out", Severity.MUST)
    if not name.endswith(_ENDINGS[described.kind]):
        yield Finding(name, f"is no file of a {described.kind}", Severity.MUST)
        return
    if described.kind == "figure":
        yield from _check_figure(described, content, others)
        return
    yield from _numbers(name, content)
    if described.kind == "table":
        yield from _check_table(described, content, rules)
    elif len(content) > MAX_TEXT_BYTES:
        yield Finding(name, "is too long for a person to read", Severity.MUST)


def _numbers(name: str, content: bytes) -> Iterator[Finding]:
    if found := len(_NUMBERS.findall(content)):
        yield Finding(name, "holds what looks like pseudonyms", Severity.MUST, cells=found)


def _check_figure(
    described: DescribedFile, content: bytes, others: Mapping[str, DescribedFile]
) -> Iterator[Finding]:
    name = described.name
    table = others.get(described.underlying or "")
    if table is None or table.kind != "table":
        yield Finding(name, "has no table with the points it shows", Severity.MUST)
    if len(content) > MAX_FIGURE_BYTES:
        yield Finding(name, "is larger than a figure needs to be", Severity.MUST)
    if not _is_bare_png(content):
        yield Finding(name, "is no PNG, or carries more than a picture", Severity.MUST)


def _is_bare_png(content: bytes) -> bool:
    """Tell whether a file is a PNG picture and nothing besides.

    No text, nothing after its end, every checksum right, and not a byte of
    pixels or colours too many: what nobody sees could carry a message.
    """
    parts = _png_parts(content)
    if not parts or parts[0][0] != b"IHDR" or parts[-1] != (b"IEND", b""):
        return False
    if len(parts[0][1]) != 13 or any(kind == b"IHDR" for kind, _ in parts[1:]):
        return False
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour)
    if channels is None or interlaced or not 0 < width * height <= _MOST_PIXELS:
        return False
    palettes = [body for kind, body in parts if kind == b"PLTE"]
    if len(palettes) != (colour == 3) or any(len(body) > 3 << depth for body in palettes):
        return False
    wanted = height * (1 + (width * depth * channels + 7) // 8)
    return _unpacks_to(b"".join(body for kind, body in parts if kind == b"IDAT"), wanted)


def _unpacks_to(packed: bytes, size: int) -> bool:
    stream = zlib.decompressobj()
    try:
        pixels = stream.decompress(packed, size + 1)
    except zlib.error:
        return False
    return len(pixels) == size and stream.eof and not stream.unused_data


def _png_parts(content: bytes) -> list[tuple[bytes, bytes]]:
    """The parts of a PNG file, or none when it is not made of allowed parts with right checksums."""
    if not content.startswith(_PNG):
        return []
    parts: list[tuple[bytes, bytes]] = []
    at = len(_PNG)
    while at + 12 <= len(content):
        (size,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        checksum = content[at + 8 + size : at + 12 + size]
        if kind not in _PNG_PARTS or checksum != struct.pack(">I", zlib.crc32(kind + body)):
            return []
        parts.append((kind, body))
        at += 12 + size
    return parts if at == len(content) else []


def _check_table(described: DescribedFile, content: bytes, rules: OutputRules) -> Iterator[Finding]:
    name = described.name
    rows = _rows(content)
    if rows is None or len(content) > MAX_TABLE_BYTES or len(rows) > MAX_TABLE_ROWS:
        yield Finding(name, "is no table that a person can read", Severity.MUST)
        return
    yield from _check_cells(name, rows)
    if not described.counts and len(rows) > MAX_UNCOUNTED_ROWS:
        yield Finding(name, "is long and counts nobody: rows of single people?", Severity.MUST)
    columns = {title: [row[at] for row in rows[1:]] for at, title in enumerate(rows[0])}
    for title in described.counts:
        if title not in columns:
            yield Finding(name, "a count is declared that is not there", Severity.MUST, title)
    for place, (title, cells) in enumerate(columns.items(), 1):
        if title in described.counts:
            for finding in _check_counts(name, title, cells, rules.min_count):
                yield replace(finding, place=place)
        elif _looks_like_counts(title, cells):
            rule = "looks like a count and is not declared as one"
            yield Finding(name, rule, Severity.MUST, title, place=place)


def _check_cells(name: str, rows: Sequence[Sequence[str]]) -> Iterator[Finding]:
    cells = [cell for row in rows for cell in row]
    if run := sum(bool(_FORMULA.match(cell)) and cell not in _HIDDEN for cell in cells):
        yield Finding(name, "a spreadsheet would run a cell", Severity.MUST, cells=run)
    if unseen := sum(bool(_UNSEEN.search(cell)) for cell in cells):
        yield Finding(name, "holds characters that nobody sees", Severity.MUST, cells=unseen)


def _rows(content: bytes) -> list[list[str]] | None:
    try:
        rows = list(csv.reader(content.decode("utf-8").splitlines(keepends=True), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    return rows if len(set(rows[0])) == len(rows[0]) else None


def _check_counts(name: str, title: str, cells: Sequence[str], min_count: int) -> Iterator[Finding]:
    plain = [cell.strip() for cell in cells]
    counts = [_count(cell) for cell in plain]
    hidden = sum(cell.lower() in _HIDDEN for cell in plain)
    strange = sum(count is None for count in counts) - hidden
    if strange:
        yield Finding(name, "a count is no whole number", Severity.MUST, title, strange)
    small = sum(count is not None and 0 < count < min_count for count in counts)
    if small:
        yield Finding(name, f"counts below {min_count}", Severity.MUST, title, small)
    shown = [count for count in counts if count is not None]
    if hidden == 1 and len(shown) > 2 and _has_total(shown):
        yield Finding(
            name, "one cell is hidden and a total gives it away", Severity.MUST, title, hidden
        )


def _count(cell: str) -> int | None:
    if not _WHOLE.fullmatch(cell) or len(cell) > _MOST_DIGITS:
        return None
    return abs(int(cell.partition(".")[0]))


def _has_total(counts: Sequence[int]) -> bool:
    """Tell whether the largest count may be the sum of the others and a hidden one."""
    largest = max(counts)
    rest = sum(counts) - largest
    return rest <= largest < rest + largest // 2 + 1


def _looks_like_counts(title: str, cells: Sequence[str]) -> bool:
    if not _COUNT_NAMES.search(title):
        return False
    plain = [cell.strip() for cell in cells if cell.strip().lower() not in _HIDDEN]
    return bool(plain) and all(_WHOLE.fullmatch(cell) for cell in plain)
