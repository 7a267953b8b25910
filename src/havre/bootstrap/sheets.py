"""Hosts' fact sheets: the TOML files in a hub's `hosts/` folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from havre.domain.exposure.hub import house_name
from havre.domain.exposure.sheet import HostSheet, parse_sheet
from havre.domain.shown import is_plain_file, show_file
from havre.domain.trust import Role, TrustRoots
from havre.errors import InvalidInput, NotFound

SHEETS = "hosts"
_MAX_FILE_BYTES = 1 << 20
_MOST_SHEETS = 100


def read_sheets(folder: Path) -> dict[str, HostSheet]:
    """Read every fact sheet of a hub, by the name of its file without `.toml`; often there are none.

    folder: the hub's directory.

    Raises:
        InvalidInput: some sheets have faults, or two are of one operator.
    """
    if not (folder / SHEETS).is_dir():
        return {}
    paths = sorted((folder / SHEETS).glob("*.toml"))
    if len(paths) > _MOST_SHEETS:
        raise InvalidInput(f"There are more than {_MOST_SHEETS} fact sheets.")
    return dict(zip((path.stem for path in paths), read_sheet_files(paths), strict=True))


def read_sheet_files(paths: Iterable[Path]) -> list[HostSheet]:
    """Read some fact sheets.

    Raises:
        InvalidInput: some sheets have faults, or two are of one operator.
        NotFound: a file is not there.
    """
    sheets: list[HostSheet] = []
    faults: list[str] = []
    for path in paths:
        try:
            sheets.append(parse_sheet(read_small_file(path), name=path.name))
        except InvalidInput as fault:
            faults.append(fault.message)
    operators = [sheet.operator for sheet in sheets]
    twice = sorted({name for name in operators if operators.count(name) > 1})
    faults += [f"Two fact sheets are of {name}." for name in twice]
    if faults:
        raise InvalidInput(" ".join(faults), hint="Compare with the example in docs/exposure.md.")
    return sheets


def list_sheet_files(folder: Path) -> dict[str, bytes]:
    """List the fact sheets of a hub as they are, by name; they leave with it."""
    paths = sorted((folder / SHEETS).glob("*.toml"))
    return {path.name: read_small_file(path) for path in paths if is_plain_file(path.name)}


def is_of_own_machine(sheet: bytes, *, roots: TrustRoots) -> bool:
    """Tell whether a fact sheet is that of whoever runs the hub's machine.

    After a move the machine is another one, and what was stated of the old one is no
    fact of it. One that cannot be read is nobody's.
    """
    (own,) = roots.with_role(Role.HUB)
    try:
        return house_name(parse_sheet(sheet).operator) == house_name(own.operator)
    except InvalidInput:
        return False


def read_small_file(path: Path) -> bytes:
    """Read a file that a person wrote; of one that is too long, enough for a reader to see it.

    Raises:
        NotFound: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES + 1)
    except OSError:
        raise NotFound(f"The file {show_file(path.name)} cannot be read.") from None
