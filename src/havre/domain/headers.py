"""A delivered file's header against its table: what goes on, what stays, what is wrong.

The first line of a file may be no header at all, but a row of somebody's data.
So a word of it is repeated only if the table has it, or if most of the line are
columns of the table and the word is a short, plain name (`domain.shown`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from havre.domain.catalogue import BuiltTable
from havre.domain.shown import is_plain_column, show_places
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
) -> HeaderReading:
    """Compare a header with its table, without case and in any order.

    constants: columns that the announcement gives.
    confirmed: columns too many that the operator has accepted to leave behind.

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
    faults += [f"column {name} is missing" for name in lacking if name not in table.may_lack]
    faults += _unknown(names, unknown, ours=ours)
    if faults:
        raise HeaderDiffers(faults, hint=_CONFIRM if unknown else "")
    notes = [f"column {name} lacks: {table.may_lack[name]}" for name in lacking]
    notes += [
        f"column {name} was left behind: {table.may_have.get(name, 'confirmed')}" for name in extra
    ]
    kept = tuple(name for name in names if name not in extra)
    return HeaderReading(kept, tuple(extra), tuple(notes))


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
