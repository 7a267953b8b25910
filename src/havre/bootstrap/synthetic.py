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
    order = SyntheticOrder(
        people,
        first_year,
        years,
        seed,
        columns=_columns(ALL_TABLES if tables == "all" else CORE_TABLES),
        lines_a_year=lines_a_year,
        form=FileForm(form),
        faults=tuple(faults),
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


def _columns(tables: Sequence[str]) -> Mapping[str, Sequence[str] | None]:
    """The columns of each table as the package describes it; of others, all that can be made."""
    known = {
        built.schema.name: [column.name for column in built.schema.columns]
        for built in core_tables()
    }
    return {table: known.get(table) for table in tables}
