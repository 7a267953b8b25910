"""Broken lines, put into good files on purpose, and the truth about them.

Each fault is one that real deliveries have had. What must become of it is
written down beside it, so that a run can be held against it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from havre.adapters.synthetic.files import DELIMITER
from havre.adapters.synthetic.order import WrittenFile
from havre.errors import InvalidInput

HOLDER = "set aside at the holder"
HUB = "set aside at the hub"
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Planted:
    """What was done to one file: fault, to how many lines, and what becomes of them."""

    lines: Counter[tuple[str, str]] = field(default_factory=Counter)


def check_faults(faults: Sequence[str]) -> None:
    """Make sure that every fault is one that can be planted.

    Raises:
        InvalidInput: naming those that are not.
    """
    if unknown := sorted(set(faults) - set(FAULTS)):
        raise InvalidInput(
            f"No fault is called {', '.join(unknown)}.", hint=f"There are: {', '.join(FAULTS)}."
        )


def plant_in_files(
    files: list[WrittenFile], folder: Path, faults: Sequence[str]
) -> tuple[list[WrittenFile], dict[str, Planted]]:
    """Break lines in the first file of the central table of three flows; the last newline goes, too.

    folder: of the deliveries. faults: names of them; none leaves every file as it is.

    Returns the files as they are now, and for each that was changed what was done to it.
    """
    planted: dict[str, Planted] = {}
    changed = {}
    if faults:
        for name, file in _hosts(files):
            path = folder / file.delivery / file.path
            body, truth = plant_faults(path.read_bytes(), faults)
            # No newline at the end: still a line.
            body = body.rstrip(b"\n")
            path.write_bytes(body)
            planted[name] = truth
            changed[name] = replace(
                file,
                sha256=hashlib.sha256(body).hexdigest(),
                size_bytes=len(body),
                lines=body.count(b"\n"),
            )
    kept = [changed.get(f"{file.delivery}/{file.path}", file) for file in files]
    return kept, planted


def _hosts(files: Sequence[WrittenFile]) -> Iterator[tuple[str, WrittenFile]]:
    """The files that lines are broken in."""
    flows = sorted({file.delivery for file in files if file.dataset == "dcir"})
    chosen = {flows[place] for place in _FAULTY_FLOWS if place < len(flows)}
    first: dict[str, WrittenFile] = {}
    for file in files:
        text = file.path.endswith(".csv")
        if file.table == _HOST and file.delivery in chosen and text:
            first.setdefault(file.delivery, file)
    for delivery, file in sorted(first.items()):
        if file.lines > _FEWEST_LINES:
            yield f"{delivery}/{file.path}", file


def plant_faults(body: bytes, faults: Sequence[str]) -> tuple[bytes, Planted]:
    """Break a few lines of one file, and add a few; the header stays.

    Returns the file, and for each fault how many lines it concerns.
    """
    lines = body.split(b"\n")
    at = lines[0].split(_DELIMITER).index(_NUMBER)
    planted = Planted()
    for place, (name, fate, spoil) in enumerate(_SPOILED):
        if name in faults:
            where = 5 + place * 7
            lines[where] = spoil(lines[where], _DELIMITER, at)
            planted.lines[name, fate] += 1
    if DUPLICATE in faults:
        # The whole line again: neither of the two can be told to be the right one.
        lines.insert(60, lines[59])
        planted.lines[DUPLICATE, HUB] += 2
    if CRLF in faults:
        # A few lines that end as another system ends them.
        for where in range(70, 75):
            lines[where] += b"\r"
        planted.lines[CRLF, ACCEPTED] += 5
    return b"\n".join(lines), planted


def _wrong_type(line: bytes, delimiter: bytes, at: int) -> bytes:
    cells = line.split(delimiter)
    cells[at] = b"deux"
    return delimiter.join(cells)


def _short(line: bytes, delimiter: bytes, _at: int) -> bytes:
    return delimiter.join(line.split(delimiter)[:-1])


def _long(line: bytes, delimiter: bytes, _at: int) -> bytes:
    return line + delimiter + b"trop"


def _quote(line: bytes, delimiter: bytes, at: int) -> bytes:
    cells = line.split(delimiter)
    cells[at] = b'"' + cells[at]
    return delimiter.join(cells)


def _not_utf8(line: bytes, delimiter: bytes, at: int) -> bytes:
    cells = line.split(delimiter)
    cells[at] = b"\xe9\xff"
    return delimiter.join(cells)


def _nul(line: bytes, delimiter: bytes, at: int) -> bytes:
    cells = line.split(delimiter)
    cells[at] += b"\x00"
    return delimiter.join(cells)


_Spoil = Callable[[bytes, bytes, int], bytes]
_SPOILED: tuple[tuple[str, str, _Spoil], ...] = (
    ("wrong type", HUB, _wrong_type),
    ("short line", HOLDER, _short),
    ("long line", HOLDER, _long),
    ("stray quote", HOLDER, _quote),
    ("invalid UTF-8", HOLDER, _not_utf8),
    ("NUL byte", HOLDER, _nul),
)
DUPLICATE, CRLF = "duplicate key", "CRLF among LF"
FAULTS: tuple[str, ...] = (*(name for name, *_ in _SPOILED), DUPLICATE, CRLF)
_HOST, _NUMBER, _DELIMITER = "ER_PRS_F", b"PRS_ACT_QTE", DELIMITER.encode()
# Deliveries of these flows get broken lines, where they have enough.
_FAULTY_FLOWS = (3, 11, 19)
_FEWEST_LINES = 100
