"""What of a holder's own words may stand in a message: short, plain names, and nothing else.

A file without a header has its first row where names should be, and a file's name may hold
a line of its own for the screen: such words are told by place and count, never repeated.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_FILE = re.compile(r"\w[\w .,()+=@-]{0,119}")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
# A column of the SNDS has few digits, as `NIR_ANO_17`: what has more may be a person's number.
_MOST_DIGITS = 4
_MOST_PLACES = 8


def is_plain_file(name: str) -> bool:
    """Say whether a file's name can stand in a message and under a folder as it is.

    >>> is_plain_file("T_MCO23B.csv"), is_plain_file("a" + chr(27) + "[2J"), is_plain_file("../a")
    (True, False, False)
    """
    return _FILE.fullmatch(name) is not None


def show_file(name: str) -> str:
    """Name a file or a folder, or say that its name is not plain.

    >>> show_file("a" + chr(10) + "b")
    'something whose name is not plain'
    """
    return name if is_plain_file(name) else "something whose name is not plain"


def is_plain_column(name: str) -> bool:
    """Say whether a word of a file's first line can be shown as a column's name.

    >>> is_plain_column("NIR_ANO_17"), is_plain_column("PERSON00000900123")
    (True, False)
    """
    return bool(_COLUMN.fullmatch(name)) and sum(map(str.isdigit, name)) <= _MOST_DIGITS


def show_places(places: Sequence[int]) -> str:
    """List places in a line, the first few of them.

    >>> show_places([2, 5]), show_places(range(1, 12))
    ('2, 5', '1, 2, 3, 4, 5, 6, 7, 8 and 3 more')
    """
    shown = ", ".join(map(str, places[:_MOST_PLACES]))
    more = len(places) - _MOST_PLACES
    return f"{shown} and {more} more" if more > 0 else shown
