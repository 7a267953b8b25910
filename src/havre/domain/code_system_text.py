"""A code system as the hub keeps it: JSON in ASCII, packed with zlib; its SHA-256 is of the packed bytes.

Not canonical JSON: only the hub reads it back, and the greatest lists have fifty thousand labels.
"""

from __future__ import annotations

import json
import zlib
from datetime import date
from typing import Any

from havre.domain.code_system import Code, CodeSystem
from havre.errors import InvalidInput
from havre.snds.code_lists import Spelling

FORMAT = "havre/v1/code-list"
# The greatest public list has 47,000 codes.
MOST_CODES = 200_000
_MAX_BYTES = 64 * 1024 * 1024


def encode_code_system(system: CodeSystem) -> bytes:
    """Write a code system.

    Raises:
        InvalidInput: it has more codes than `MOST_CODES`, or labels without end.
    """
    body = {
        "codes": [
            [plain, each.code, each.label, _spelled(each.begins), _spelled(each.ends)]
            for plain, each in system.codes.items()
        ],
        "format": FORMAT,
        "name": system.name,
        "spelling": system.spelling.value,
        "title": system.title,
    }
    text = json.dumps(body, separators=(",", ":")).encode("ascii")
    if len(system.codes) > MOST_CODES or len(text) > _MAX_BYTES:
        raise InvalidInput(
            f"The list {system.name} is too long: a hub keeps at most {MOST_CODES:,} codes of one."
        )
    return zlib.compress(text)


def parse_code_system(document: bytes) -> CodeSystem:
    """Read a code system strictly.

    Raises:
        InvalidInput: it is none, or misses something.

    >>> system = CodeSystem("T", {"A": Code("a", "é", date(2014, 9, 3))}, "Title", Spelling.NUMBER)
    >>> parse_code_system(encode_code_system(system)) == system
    True
    """
    unpacking = zlib.decompressobj()
    try:
        body: Any = json.loads(unpacking.decompress(document, _MAX_BYTES))
        if not unpacking.eof:
            raise InvalidInput("A list of codes is cut short.")
        if body["format"] != FORMAT:
            raise InvalidInput("This is no list of codes.")
        codes = {
            str(plain): Code(str(code), str(label), _read(begins), _read(ends))
            for plain, code, label, begins, ends in body["codes"]
        }
        return CodeSystem(str(body["name"]), codes, str(body["title"]), Spelling(body["spelling"]))
    except (zlib.error, KeyError, TypeError, ValueError, RecursionError):
        raise InvalidInput("A list of codes is damaged.") from None


def _spelled(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _read(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
