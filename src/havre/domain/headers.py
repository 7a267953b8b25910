"""A delivered file's header against its table: what goes on, what stays, what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.domain.catalogue import BuiltTable
from havre.errors import Held


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


def read_header(
    header: Sequence[str],
    *,
    table: BuiltTable,
    constants: Iterable[str] = (),
    confirmed: Iterable[str] = (),
) -> HeaderReading:
    """Compare a header with its table, without case and in any order.

    constants: columns that the announcement gives.
    confirmed: columns too many that the operator has accepted to leave behind.

    Raises:
        Held: a column is missing or stands twice; or one is too many and nobody
            has confirmed it. All of them are named.
    """
    names = known_names(header, table=table)
    needed = [name for name in table.schema.column_names if name not in set(constants)]
    lacking = [name for name in needed if name not in names]
    extra = [name for name in names if name not in needed]
    accepted = {*table.may_have, *confirmed}
    faults = [f"column {name} stands twice" for name in sorted(_twice(names))]
    faults += [f"column {name} is missing" for name in lacking if name not in table.may_lack]
    faults += [f"column {name} is unknown" for name in extra if name not in accepted]
    if faults:
        raise Held(
            f"The header of a file for {table.schema.name} differs: {'; '.join(faults)}.",
            hint="A column too many can be confirmed with `--leave-column NAME`: it stays behind.",
        )
    notes = [f"column {name} lacks: {table.may_lack[name]}" for name in lacking]
    notes += [
        f"column {name} was left behind: {table.may_have.get(name, 'confirmed')}" for name in extra
    ]
    return HeaderReading(
        tuple(name for name in names if name not in extra), tuple(extra), tuple(notes)
    )


def known_names(header: Sequence[str], *, table: BuiltTable) -> tuple[str, ...]:
    """Spell a file's columns as their table does; an unknown one stays as it is."""
    known = {name.casefold(): name for name in table.schema.column_names}
    return tuple(known.get(name.strip().casefold(), name.strip()) for name in header)


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}
