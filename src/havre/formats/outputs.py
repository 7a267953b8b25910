"""What a study says of its own output files: `outputs.json`, in one spelling.

It is written by the study, believed in nothing, and released with the files; so
it has no room for anything else. It is canonical JSON and one newline, its
lists and names are bounded, and each field stands only where it has a meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from havre.errors import InvalidInput
from havre.formats.canonical import Json, parse_canonical
from havre.formats.plain_csv import MAX_COLUMNS
from havre.formats.plain_csv import MAX_TITLE as MAX_COLUMN_TITLE

FORMAT = "havre/v1/outputs"
SIDECAR = "outputs.json"
MAX_BYTES = 64 * 1024
MAX_FILES = 50
MAX_TITLE = 120
KINDS = frozenset({"table", "figure", "text"})
_FIELDS = frozenset({"counts", "kind", "measures", "name", "title", "underlying"})
# One plain name: no folder, no hidden file, nothing that a page or a shell reads otherwise.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


@dataclass(frozen=True, slots=True)
class DescribedFile:
    """One file, as its study describes it.

    counts: columns of a table that count people, events or stays.
    measures: columns of a table whose numbers count nobody: rates, shares, days.
    underlying: the table that has every point of a figure, or null.
    """

    name: str
    kind: str
    title: str
    counts: tuple[str, ...]
    measures: tuple[str, ...]
    underlying: str | None

    @property
    def words(self) -> list[str]:
        """Everything in it that the study chose freely."""
        return [self.name, self.title, *self.counts, *self.measures]


def is_file_name(name: str) -> bool:
    """Tell whether a released file may be called so: plain ASCII, no folder, not hidden.

    >>> is_file_name("rates.csv"), is_file_name("../rates.csv")
    (True, False)
    """
    return bool(_FILE_NAME.fullmatch(name))


def parse_outputs(document: bytes) -> tuple[DescribedFile, ...]:
    """Read a description.

    Raises:
        InvalidInput: it is none, is not in its one spelling, has another field than it
            should or one where it means nothing, or describes a file twice.
    """
    if len(document) > MAX_BYTES:
        raise InvalidInput(f"{SIDECAR} is longer than {MAX_BYTES} bytes.")
    if not document.endswith(b"\n"):
        raise InvalidInput(f"{SIDECAR} does not end with a newline.")
    body = parse_canonical(document[:-1])
    try:
        if not isinstance(body, dict) or set(body) != {"files", "format"}:
            raise ValueError
        if body["format"] != FORMAT:
            raise InvalidInput(f"{SIDECAR} is of another format.")
        files = tuple(_file(each) for each in _list(body["files"], most=MAX_FILES))
    except ValueError:
        raise InvalidInput(f"{SIDECAR} cannot be read.") from None
    if len({file.name for file in files}) != len(files):
        raise InvalidInput(f"{SIDECAR} describes a file twice.")
    return files


def _file(body: Json) -> DescribedFile:
    if not isinstance(body, dict) or set(body) != _FIELDS or body["kind"] not in KINDS:
        raise ValueError
    kind, underlying = str(body["kind"]), body["underlying"]
    columns = MAX_COLUMNS if kind == "table" else 0
    described = DescribedFile(
        name=_text(body["name"], most=MAX_TITLE),
        kind=kind,
        title=_text(body["title"], most=MAX_TITLE),
        counts=_titles(body["counts"], most=columns),
        measures=_titles(body["measures"], most=columns),
        underlying=None if underlying is None else _text(underlying, most=MAX_TITLE),
    )
    names = [described.name, *([] if underlying is None else [described.underlying or ""])]
    declared = [*described.counts, *described.measures]
    if not all(map(is_file_name, names)) or len(set(declared)) != len(declared):
        raise ValueError
    if (underlying is not None) != (kind == "figure"):
        raise InvalidInput(f"A figure names its table in {SIDECAR}, and nothing else does.")
    return described


def _titles(value: Json, *, most: int) -> tuple[str, ...]:
    return tuple(_text(each, most=MAX_COLUMN_TITLE) for each in _list(value, most=most))


def _text(value: Json, *, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise ValueError
    return value


def _list(value: Json, *, most: int) -> list[Json]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError
    return value
