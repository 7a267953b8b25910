"""What a reader asks of a folder of code systems."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from havre.adapters.codes.folder import list_code_systems, read_code_system
from havre.adapters.codes.labels import label_file
from havre.domain.code_system import Code, CodeSystem
from havre.errors import NotFound
from havre.snds.code_lists import CODE_LISTS
from havre.snds.diagnoses import is_manifestation

Row: TypeAlias = Mapping[str, Any]


def systems_of_folder(folder: Path) -> list[Row]:
    """List the code systems of a folder: names and titles."""
    return [{"system": each.name, "title": each.title} for each in list_code_systems(folder)]


def codes_of_system(folder: Path, name: str, *, prefix: str, on: date | None) -> list[Row]:
    """List the codes of a system that begin with a text, with their state on a day.

    Raises:
        NotFound: the folder has no such system, or it has no such code.
    """
    system = read_code_system(folder, name)
    rows = [_row(code, on) for code in system.starting_with(prefix)]
    if not rows:
        raise NotFound("The code system has no code that begins so.")
    return rows


def code_in_full(folder: Path, name: str, text: str, *, on: date | None) -> Row:
    """Say everything about one code: its label, its days, its form, what it refines.

    A code that the system has not is an answer too: unknown, and whether it has the form.

    Raises:
        NotFound: the folder has no such system.
    """
    system = read_code_system(folder, name)
    found = system.find(text)
    known = CODE_LISTS.get(system.name)
    plain = system.plain(text)
    has_form = known.has_form(plain) if known is not None and known.has_form is not None else None
    return {
        "system": system.name,
        "code": found.code if found else plain,
        "label": found.label if found else "",
        "state": system.state_of(text, on=on).value,
        "begins": found.begins if found else None,
        "ends": found.ends if found else None,
        "has_the_form": has_form,
        **_as_diagnosis(system, text),
    }


def label_codes(
    path: Path, out: Path, *, column: str, system: str, folder: Path, into: str | None
) -> Row:
    """Write a table anew with the labels of one of its columns; returns where, and what lacks one.

    into: the new column's name; null takes the column's, with `_label` behind.

    Raises:
        NotFound: there is no such file, column or system.
        InvalidInput: the file cannot be read, or `out` cannot be written.
    """
    into = into or f"{column}_label"
    codes = read_code_system(folder, system)
    unknown = label_file(path, out, column=column, system=codes, into=into)
    return {"file": str(out), "column": into, "rows_without_label": unknown}


def _as_diagnosis(system: CodeSystem, text: str) -> Row:
    parents = system.parents_of(text)
    if not parents:
        return {}
    return {
        "refines": [f"{each.code} {each.label}" for each in parents],
        "is_manifestation": is_manifestation(system.plain(text)),
    }


def _row(code: Code, on: date | None) -> Row:
    return {"code": code.code, "label": code.label, "state": code.state_on(on).value}
