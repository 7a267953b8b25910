"""Broken lines, put into good files on purpose, and the truth about them.

Each fault is one that real deliveries have had. What must become of it is
written down beside it, so that a run can be held against it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

HOLDER = "set aside at the holder"
HUB = "set aside at the hub"
ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Planted:
    """What was done to one file: fault, to how many lines, and what becomes of them."""

    lines: Counter[tuple[str, str]] = field(default_factory=Counter)


def plant_faults(body: bytes, *, delimiter: bytes, wrong_type_at: int) -> tuple[bytes, Planted]:
    """Break a few lines of one file, and add a few; the header stays.

    wrong_type_at: the place of a column that holds a number.

    Returns the file, and for each fault how many lines it concerns.
    """
    lines = body.split(b"\n")
    planted = Planted()
    for place, (name, fate, spoil) in enumerate(_SPOILED):
        at = 5 + place * 7
        lines[at] = spoil(lines[at], delimiter, wrong_type_at)
        planted.lines[name, fate] += 1
    # The whole line again: neither of the two can be told to be the right one.
    lines.insert(60, lines[59])
    planted.lines["duplicate key", HUB] += 2
    # A few lines that end as another system ends them.
    for at in range(70, 75):
        lines[at] += b"\r"
    planted.lines["CRLF among LF", ACCEPTED] += 5
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
