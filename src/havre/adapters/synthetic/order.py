"""What is to be made up: how many people, which years, how dense, which tables, in which form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

# Lines of the central table per person and year: as few as show everything, and as many as there are.
FEW_LINES, ALL_LINES = 24.0, 164.0


class FileForm(StrEnum):
    """The form of the files."""

    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class SyntheticOrder:
    """What is to be made.

    first_year, years: of care. lines_a_year: of the central table, per person.
    columns: of the wanted tables; null for all that can be made. of_years: those of tables of one year.
    faults: which to plant; see `faults`. block: people drawn together.
    """

    people: int
    first_year: int
    years: int
    seed: int
    columns: Mapping[str, Sequence[str] | None]
    lines_a_year: float = FEW_LINES
    form: FileForm = FileForm.CSV
    faults: tuple[str, ...] = ()
    of_years: Mapping[tuple[str, int], Sequence[str]] = field(default_factory=dict)
    block: int = 20_000

    @property
    def blocks(self) -> int:
        """How many blocks of people there are."""
        return -(-self.people // self.block)


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """One file that was written: in which delivery, of which table, and what is announced of it."""

    delivery: str
    dataset: str
    path: str
    table: str
    sha256: str
    size_bytes: int
    lines: int
    constants: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class WrittenDelivery:
    """One delivery that was written: its folder, its files, its data lines."""

    name: str
    folder: Path
    files: int
    lines: int
