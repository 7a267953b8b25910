"""A delivered file's header against its table: what goes on, what stays, what is wrong.

The first line of a file may be no header at all, but a row of somebody's data.
So a word of it is repeated only if the table has it, or if most of the line are
columns of the table and the word is a short, plain name (`domain.shown`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.domain.catalogue import OPTIONAL, BuiltTable
from havre.domain.shown import is_plain_column, show_places
from havre.domain.years import is_of_some_years, is_of_year, known_until, years_text
from havre.errors import Held

_CONFIRM = "A column too many can be confirmed with `--leave-column NAME`: it stays behind."


@dataclass(frozen=True, slots=True)
class HeaderReading:
    """What a file's header says against its table.

    kept: columns of the file that go on, in the file's order.
    left: columns of the file that stay at the holder.
    notes: differences that the correction layer or the operator accepts, by name.
    """

    kept: tuple[str, ...]
    left: tuple[str, ...]
    notes: tuple[str, ...]


class HeaderDiffers(Held):
    """A file's first line is no header of its table; every fault is named."""

    def __init__(self, faults: Sequence[str], *, hint: str = "") -> None:
        super().__init__(f"The header of a file differs: {'; '.join(faults)}.", hint=hint)
        self.faults = tuple(faults)


def read_header(
    header: Sequence[str],
    *,
    table: BuiltTable,
    constants: Iterable[str] = (),
    confirmed: Iterable[str] = (),
    year: int | None = None,
) -> HeaderReading:
    """Compare a header with its table, without case and in any order.

    constants: columns that the announcement gives.
    confirmed: columns too many that the operator has accepted to leave behind.
    year: of the file, or null when nobody says it. A column that this year has may not
        lack then, as far as the history of the tables goes; one of other years is named.

    Raises:
        HeaderDiffers: a column is missing, stands twice, or is given twice; or one is
            too many and nobody has confirmed it. All of them are named.
    """
    names = known_names(header, table=table)
    given, ours = set(constants), set(table.schema.column_names)
    if not ours.intersection(names):
        raise _no_header(names, table)
    lacking = [name for name in table.schema.column_names if name not in given.union(names)]
    extra = [name for name in names if name in given or name not in ours]
    accepted = {*table.may_have, *confirmed}
    unknown = [name for name in extra if name not in accepted | given]
    faults = _given_wrongly(names, given, ours=ours, accepted=accepted)
    faults += _twice(names, ours=ours | accepted)
    due = _columns_due(table, year)
    faults += [
        f"column {name} is missing{due.get(name, '')}"
        for name in lacking
        if name not in table.may_lack or name in due
    ]
    faults += _unknown(names, unknown, ours=ours)
    if faults:
        raise HeaderDiffers(faults, hint=_CONFIRM if unknown else "")
    notes = _notes_on_lacking(lacking, table) + _notes_on_years(names, table, year)
    notes += [
        f"column {name} was left behind: {table.may_have.get(name, 'confirmed')}" for name in extra
    ]
    kept = tuple(name for name in names if name not in extra)
    return HeaderReading(kept, tuple(extra), tuple(notes))


def _columns_due(table: BuiltTable, year: int | None) -> dict[str, str]:
    """List the columns of some years that this year has, with the words to say so."""
    if year is None or year > (known_until(table.schema.name) or year):
        return {}
    return {
        column.name: f": files of {year} have it"
        for column in table.schema.columns
        if is_of_some_years(column, table.schema)
        and is_of_year(column, year)
        and table.may_lack.get(column.name, OPTIONAL) != OPTIONAL
    }


def _notes_on_lacking(lacking: Sequence[str], table: BuiltTable) -> list[str]:
    """Name each column that lacks by an entry of the correction layer; count the optional ones."""
    reasons = [(name, table.may_lack[name]) for name in lacking]
    notes = [f"column {name} lacks: {reason}" for name, reason in reasons if reason != OPTIONAL]
    if optional := sum(reason == OPTIONAL for _, reason in reasons):
        notes.append(f"{optional} optional columns are not in the file")
    return notes


def _notes_on_years(names: Sequence[str], table: BuiltTable, year: int | None) -> list[str]:
    """Name the columns of the file that its year should not have."""
    if year is None:
        return []
    return [
        f"column {column.name} is of other years: {years_text(column)}"
        for column in table.schema.columns
        if column.name in names and not is_of_year(column, year)
    ]


def known_names(header: Sequence[str], *, table: BuiltTable) -> tuple[str, ...]:
    """Spell a file's columns as their table does; an unknown one stays as it is."""
    known = {name.casefold(): name for name in table.schema.column_names}
    return tuple(known.get(name.strip().casefold(), name.strip()) for name in header)


def _no_header(names: Sequence[str], table: BuiltTable) -> HeaderDiffers:
    fault = f"none of the {len(names)} cells of its first line is a column of {table.schema.name}"
    hint = "The first line names the columns, parted by the mark that delivery.toml announces."
    return HeaderDiffers([fault], hint=hint)


def _given_wrongly(
    names: Sequence[str], given: set[str], *, ours: set[str], accepted: set[str]
) -> list[str]:
    faults = [f"constant {_spelled(name)} is no column" for name in sorted(given - ours)]
    doubled = given.intersection(names) - accepted
    return faults + [f"column {name} is announced as a constant too" for name in sorted(doubled)]


def _spelled(name: str) -> str:
    return name if is_plain_column(name) else "without a plain name"


def _twice(names: Sequence[str], *, ours: set[str]) -> list[str]:
    counts = Counter(names)
    twice = sorted(name for name, count in counts.items() if count > 1)
    faults = [f"column {name} stands twice" for name in twice if name in ours]
    if others := sum(name not in ours for name in twice):
        faults.append(f"{others} unknown columns stand twice")
    return faults


def _unknown(names: Sequence[str], unknown: Sequence[str], *, ours: set[str]) -> list[str]:
    """Name what is too many, where the line is a header beyond doubt."""
    sure = 2 * sum(name in ours for name in names) >= len(names)
    shown = [name for name in dict.fromkeys(unknown) if sure and is_plain_column(name)]
    hidden = set(unknown) - set(shown)
    places = [place for place, name in enumerate(names, 1) if name in hidden]
    faults = [f"column {name} is unknown" for name in shown]
    if places:
        faults.append(f"unknown columns stand at {show_places(places)} of its first line")
    return faults
