"""Canonical JSON: the one spelling of what is hashed or signed.

RFC 8785, through the `rfc8785` package. Reading is strict: what does not
write back to the same bytes is refused, so that a value has one spelling.
"""

from __future__ import annotations

import json
from typing import TypeAlias

import rfc8785

from havre.errors import InvalidInput

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

# Statements and events are small; a reader that accepts more can be filled.
MAX_DOCUMENT_BYTES = 4 * 1024 * 1024
# A whole number beyond this is not the same in every reader (RFC 8785, appendix D).
_GREATEST = 2**53 - 1


def encode_canonical(value: Json) -> bytes:
    """Write a JSON value in its one canonical spelling, UTF-8.

    Floating point numbers are no part of our documents and do not pass the type.

    Raises:
        ValueError: a number is too large, or a text is not Unicode.

    >>> encode_canonical({"b": 1, "a": ["é", None]}).decode()
    '{"a":["é",null],"b":1}'
    """
    try:
        written = _write(value).encode()
    except (TypeError, ValueError):
        return rfc8785.dumps(value)
    return written if _is_plain(value) else rfc8785.dumps(value)


# A manifest of a thousand files has a hundred thousand values, and a catalogue as many texts. The
# standard library writes them thirty times as fast, and in the same spelling where a value is
# plain: it escapes what RFC 8785 escapes, and names in ASCII sort alike by characters and by UTF-16.
_write = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False
).encode


def _is_plain(value: object) -> bool:
    """Tell whether a value, in which nothing is circular, holds only what both spell alike."""
    left = [value]
    while left:
        each = left.pop()
        kind = type(each)
        if kind is str or kind is bool or each is None:
            continue
        if kind is int:
            if not -_GREATEST <= each <= _GREATEST:  # type: ignore[operator]
                return False
        elif isinstance(each, dict):
            for name in each:
                if type(name) is not str or not name.isascii():
                    return False
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
        else:
            return False
    return True


def parse_canonical(document: bytes, *, limit_bytes: int = MAX_DOCUMENT_BYTES) -> Json:
    """Read canonical JSON and refuse every other spelling of the same value.

    Raises:
        InvalidInput: too long, not JSON, a fraction, or not canonical.
    """
    if len(document) > limit_bytes:
        raise InvalidInput(f"A document is longer than {limit_bytes} bytes.")
    try:
        value: Json = _read(document)
        # Only texts, whole numbers in range, lists and their like are read: what can be spelled
        # otherwise is a name outside ASCII, and then some character or escape is so too.
        plain = document.isascii() and b"\\u" not in document
        canonical = _write(value).encode() if plain else encode_canonical(value)
    except (ValueError, RecursionError):
        raise InvalidInput("A document is not canonical JSON.") from None
    if canonical != document:
        raise InvalidInput("A document is JSON, but not in its canonical spelling.")
    return value


def _refuse_fraction(_text: str) -> None:
    raise ValueError("fractions have no place in a signed document")


def _whole(text: str) -> int:
    if not -_GREATEST <= (number := int(text)) <= _GREATEST:
        raise ValueError("a number is too large")
    return number


def _read(document: bytes) -> Json:
    value: Json = json.loads(
        document,
        parse_float=_refuse_fraction,
        parse_constant=_refuse_fraction,
        parse_int=_whole,
    )
    return value
