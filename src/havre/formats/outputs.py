"""What a study says of its own output files: `outputs.json`, read strictly.

It is written by the study and believed in nothing; what it says is what the
output check and the checkers hold the files against.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from havre.errors import InvalidInput

FORMAT = "havre/v1/outputs"
SIDECAR = "outputs.json"
MAX_BYTES = 256 * 1024
KINDS = frozenset({"table", "figure", "text"})


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


def parse_outputs(document: bytes) -> tuple[DescribedFile, ...]:
    """Read a description.

    Raises:
        InvalidInput: it is none, or describes a file twice.
    """
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"{SIDECAR} is longer than {MAX_BYTES} bytes.")
    try:
        body = json.loads(document.decode("utf-8"))
        if body["format"] != FORMAT:
            raise InvalidInput(f"{SIDECAR} is of another format.")
        files = tuple(_file(each) for each in body["files"])
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidInput(f"{SIDECAR} cannot be read.") from None
    if len({file.name for file in files}) != len(files):
        raise InvalidInput(f"{SIDECAR} describes a file twice.")
    return files


def _file(body: Any) -> DescribedFile:
    if body["kind"] not in KINDS:
        raise ValueError
    return DescribedFile(
        str(body["name"]),
        str(body["kind"]),
        str(body["title"]),
        tuple(str(each) for each in body["counts"]),
        None if body["underlying"] is None else str(body["underlying"]),
    )
