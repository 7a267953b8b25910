"""Lines and rows of a delivery, counted so that none can get lost.

Lines in = accepted + set aside at the holder + set aside at the hub, for every file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from havre.errors import Held, InvalidInput

# The number of a row's line in the holder's file, 1 for the header: it travels
# with the row, so that what is set aside later can be found there.
LINE_COLUMN = "_line"


@dataclass(frozen=True, slots=True)
class Span:
    """The days that something is about, both included.

    Raises:
        InvalidInput: the last comes before the first.

    >>> Span(date(2023, 1, 1), date(2023, 12, 31)).days
    365
    """

    first_day: date
    last_day: date

    def __post_init__(self) -> None:
        """Refuse days in the wrong order."""
        if self.last_day < self.first_day:
            raise InvalidInput("A delivery's last day comes before its first.")

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last_day - self.first_day).days + 1

    @property
    def texts(self) -> dict[str, str]:
        """The same, as notes and digests spell it."""
        return {
            "first_day": self.first_day.isoformat(),
            "last_day": self.last_day.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class FileCount:
    """One file's lines, as a holder counts them in the note.

    lines: data lines, the header not among them.
    sent: rows that left.
    set_aside: reason to lines that stay at the holder.
    constants: columns that stand in no line: the announcement gave them.
    """

    path: str
    table: str
    lines: int
    sent: int
    set_aside: Mapping[str, int]
    notes: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RowCount:
    """One file's rows, as the hub counts them."""

    received: int
    accepted: int
    set_aside: Mapping[str, int]


class FileUnreadable(Held):
    """A file is not what its announcement says it is, or is damaged; none of its rows count.

    path: of the file, which is plain. faults: what is wrong, in words that repeat nothing of it.
    """

    def __init__(self, path: str, fault: str, *, hint: str = "") -> None:
        super().__init__(f"{path} cannot be read: {fault}.", hint=hint)
        self.faults = (fault,)


class RowsUnfit(Held):
    """What landed is what its holder signed, and nobody can judge its rows: the delivery is held."""

    def __init__(self, delivery: str, fault: str) -> None:
        super().__init__(
            f"Delivery {delivery} cannot be read: {fault}.",
            hint="Nothing of it entered the lake. Its holder delivers it with Havre once more, under"
            f' another name, with `corrects = "{delivery}"`.',
        )
        self.delivery = delivery


class LinesLost(Held):
    """A sum does not close: a line is neither accepted nor set aside."""


def check_lines(count: FileCount) -> None:
    """Make sure that lines in = sent + set aside at the holder.

    Raises:
        LinesLost: it is not so; the file is named.
    """
    if count.lines != count.sent + sum(count.set_aside.values()):
        raise LinesLost(f"The lines of {count.path} do not add up at the holder.")


def check_rows(sent: FileCount, count: RowCount) -> None:
    """Make sure that rows sent = accepted + set aside at the hub.

    Raises:
        LinesLost: it is not so; the file is named.
    """
    if sent.sent != count.received or count.received != count.accepted + sum(
        count.set_aside.values()
    ):
        raise LinesLost(f"The rows of {sent.path} do not add up at the hub.")
