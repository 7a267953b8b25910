"""What a study says of its own output files: `outputs.json`, read strictly.

It is written by the study and believed in nothing; what it says is what the
output check and the checkers hold the files against.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from havre.errors import InvalidInput

FORMAT = "havre/v1/outputs"
SIDECAR = "outputs.json"
MAX_BYTES = 256 * 1024
MAX_TITLE = 200
KINDS = frozenset({"table", "figure", "text"})
_FIELDS = frozenset({"counts", "kind", "name", "title", "underlying"})
# One plain name: no folder, no hidden file, nothing that a page or a shell reads otherwise.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class DescribedFile:
    """One file, as its study describes it.

    counts: columns that count people, events or stays.
    underlying: the table that has every point of a figure, or null.
    """

    name: str
    kind: str
    title: str
    counts: tuple[str, ...]
    underlying: str | None


def is_file_name(name: str) -> bool:
    """Tell whether a released file may be called so: plain ASCII, no folder, not hidden.

    >>> is_file_name("rates.csv"), is_file_name("../rates.csv")
    (True, False)
    """
    return bool(_FILE_NAME.fullmatch(name))


def parse_outputs(document: bytes) -> tuple[DescribedFile, ...]:
    """Read a description.

    Raises:
        InvalidInput: it is none, has other fields than it should, or describes
            a file twice.
    """
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"{SIDECAR} is longer than {MAX_BYTES} bytes.")
    try:
        body = json.loads(document.decode("utf-8"), object_pairs_hook=_once)
        if set(body) != {"files", "format"} or not isinstance(body["files"], list):
            raise ValueError
        if body["format"] != FORMAT:
            raise InvalidInput(f"{SIDECAR} is of another format.")
        files = tuple(_file(each) for each in body["files"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InvalidInput(f"{SIDECAR} cannot be read.") from None
    if len({file.name for file in files}) != len(files):
        raise InvalidInput(f"{SIDECAR} describes a file twice.")
    return files


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers may take two different values of a key that is written twice."""
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError
    return body


def _file(body: Any) -> DescribedFile:
    if set(body) != _FIELDS or body["kind"] not in KINDS or not is_file_name(_text(body["name"])):
        raise ValueError
    title = _text(body["title"])
    if not title.isprintable() or not 0 < len(title) <= MAX_TITLE:
        raise ValueError
    return DescribedFile(
        body["name"],
        body["kind"],
        title,
        tuple(_text(each) for each in _list(body["counts"])),
        None if body["underlying"] is None else _text(body["underlying"]),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value
