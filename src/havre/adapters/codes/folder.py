"""Code systems from a folder of public lists: a CSV for each, and its Table Schema beside it.

The schema says which column is the code and which the label (`role`), and whether codes are
numbers; a list is found by its name wherever it lies under the folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from havre.domain.code_system import Code, CodeSystem, name_of_list
from havre.errors import InvalidInput, NotFound
from havre.snds.code_lists import CODE_LISTS, CodeList, Spelling

# Not `strptime`: what it takes for a month hangs on the machine's language.
_SAS_DAY = re.compile("(?P<day>[0-9]{2})(?P<month>[A-Z]{3})(?P<year>[0-9]{4})")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# Written for "no end".
_NEVER = "9999"


@dataclass(frozen=True, slots=True)
class ListedSystem:
    """A code system that the folder has: its name, its title and its file."""

    name: str
    title: str
    path: Path


def list_code_systems(folder: Path) -> list[ListedSystem]:
    """List the systems of a folder, in order of name.

    Raises:
        NotFound: there is none.
    """
    found = []
    for path in sorted(folder.rglob("*.csv"), key=lambda each: each.stem):
        described = _description(path)
        found.append(ListedSystem(path.stem, str(described.get("title") or ""), path))
    if not found:
        raise NotFound("There is no list of codes (*.csv) in this folder.")
    return found


def find_code_lists(folder: Path) -> list[ListedSystem]:
    """Find the lists that a Table Schema beside them describes as one; none is no fault.

    A CSV without it may be anything: the systems of `list_code_systems` include it.
    """
    described = {path: _description(path) for path in sorted(folder.rglob("*.csv"))}
    return [
        ListedSystem(path.stem, str(body.get("title") or ""), path)
        for path, body in described.items()
        if _column_of(_fields(body), "code")
    ]


def read_code_system(folder: Path, name: str) -> CodeSystem:
    """Read a system by its name, compared without case; what stands behind a colon is left out.

    Raises:
        NotFound: the folder has no such list.
        InvalidInput: its file has no column of codes, or is no CSV.
    """
    wanted = name_of_list(name)
    for path in sorted(folder.rglob("*.csv")):
        if name_of_list(path.stem) == wanted:
            return read_list(path)
    raise NotFound(
        "The folder has no code system of that name.",
        hint="`havre catalogue codes` without a name lists those it has.",
    )


def read_list(path: Path) -> CodeSystem:
    """Read a system from its file.

    Raises:
        InvalidInput: it has no column of codes, or is no CSV.
    """
    described = _description(path)
    fields = _fields(described)
    known = CODE_LISTS.get(path.stem, CodeList())
    code = _column_of(fields, "code")
    label = _column_of(fields, "label")
    try:
        rows = pl.read_csv(path, separator=";", infer_schema=False, truncate_ragged_lines=True)
    except pl.exceptions.PolarsError as fault:
        raise InvalidInput(f"{path.name} cannot be read as a list of codes.") from fault
    if code is None or code not in rows.columns:
        raise InvalidInput(f"{path.name} has no column of codes.")
    number = fields[code].get("type") == "integer"
    spelling = known.spelling or (Spelling.NUMBER if number else Spelling.PLAIN)
    empty = CodeSystem(path.stem, {}, str(described.get("title") or ""), spelling)
    return CodeSystem(
        empty.name,
        _codes(rows, empty, known, code=code, label=label or ""),
        empty.title,
        spelling,
    )


def _codes(
    rows: pl.DataFrame, system: CodeSystem, known: CodeList, *, code: str, label: str
) -> Mapping[str, Code]:
    """Read the rows; a code with several has the whole span of them, and the first one's label."""
    wanted = (code, label, known.begins, known.ends, known.ends_before)
    columns = [
        rows[name] if name in rows.columns else pl.repeat(None, len(rows), eager=True)
        for name in wanted
    ]
    codes: dict[str, Code] = {}
    for cell, words, begins, ends, ends_before in zip(*columns, strict=True):
        # A mark that somebody wrote below the code in its cell is none of it.
        text = (cell or "").strip().partition("\n")[0].strip()
        if not text:
            continue
        last = _day(ends)
        if before := _day(ends_before):
            last = before - timedelta(days=1)
        fresh = Code(text, " ".join((words or "").split()), _day(begins), last)
        plain = system.plain(text)
        codes[plain] = _spanning(codes[plain], fresh) if plain in codes else fresh
    return codes


def _spanning(one: Code, other: Code) -> Code:
    begin = min((one.begins or date.min), (other.begins or date.min))
    end = max((one.ends or date.max), (other.ends or date.max))
    return Code(
        one.code,
        one.label,
        None if begin == date.min else begin,
        None if end == date.max else end,
    )


def _day(text: str | None) -> date | None:
    """Read a day as SAS writes it (04SEP2014:00:00:00); null for none and for never."""
    found = _SAS_DAY.match(text or "")
    if found is None or found["month"] not in _MONTHS or found["year"] == _NEVER:
        return None
    try:
        return date(int(found["year"]), _MONTHS.index(found["month"]) + 1, int(found["day"]))
    except ValueError:
        return None


def _fields(described: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = described.get("fields")
    return {
        str(each["name"]): each
        for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and "name" in each
    }


def _column_of(fields: Mapping[str, Any], role: str) -> str | None:
    return next((name for name, each in fields.items() if each.get("role") == role), None)


def _description(path: Path) -> Mapping[str, Any]:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return {}
    try:
        read = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError:
        raise InvalidInput(f"{beside.name} is not JSON.") from None
    return read if isinstance(read, dict) else {}
