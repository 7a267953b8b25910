"""The synthetic population, wired."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from havre.adapters.synthetic.faults import FAULTS
from havre.adapters.synthetic.order import FEW_LINES, FileForm, SyntheticOrder
from havre.adapters.synthetic.tables import ALL_TABLES, CORE_TABLES
from havre.adapters.synthetic.writer import write_population
from havre.bootstrap.schemas import core_tables
from havre.domain.schema import TableSchema
from havre.domain.years import is_of_year


def write_synthetic(
    folder: Path,
    *,
    people: int,
    first_year: int,
    years: int,
    seed: int,
    progress: Callable[[int, int], None],
    lines_a_year: float = FEW_LINES,
    tables: str = "core",
    form: str = "csv",
    faults: Sequence[str] = FAULTS,
    processes: int = 0,
) -> dict[str, int | str]:
    """Write deliveries of a made-up population; what was written, in numbers.

    tables: `core`, those that the demo needs, or `all`. form: `csv` or `parquet`.
    processes: how many draw at once; 0 for as many as there are cores.
    """
    named = ALL_TABLES if tables == "all" else CORE_TABLES
    known = {built.schema.name: built.schema for built in core_tables()}
    order = SyntheticOrder(
        people,
        first_year,
        years,
        seed,
        columns={table: known[table].column_names if table in known else None for table in named},
        lines_a_year=lines_a_year,
        form=FileForm(form),
        faults=tuple(faults),
        of_years=_of_years([known[table] for table in named if table in known], first_year, years),
    )
    at_once = processes or len(os.sched_getaffinity(0))
    written = write_population(order, folder, processes=at_once, progress=progress)
    return {
        "deliveries": len(written),
        "files": sum(each.files for each in written),
        "lines": sum(each.lines for each in written),
        "folder": str(folder / "deliveries"),
        "truth": str(folder / "truth"),
    }


def _of_years(
    tables: Sequence[TableSchema], first_year: int, years: int
) -> Mapping[tuple[str, int], Sequence[str]]:
    """The columns that each table had in each year, as the package describes it."""
    return {
        (table.name, year): [column.name for column in table.columns if is_of_year(column, year)]
        for table in tables
        for year in range(first_year, first_year + years)
    }
