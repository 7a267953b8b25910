"""The synthetic population, wired."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from havre.adapters.synthetic.writer import SyntheticOrder, write_population


def write_synthetic(
    folder: Path,
    *,
    people: int,
    first_year: int,
    years: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> dict[str, int | str]:
    """Write deliveries of a made-up population; what was written, in numbers."""
    written = write_population(
        SyntheticOrder(people, first_year, years, seed), folder, progress=progress
    )
    return {
        "deliveries": len(written),
        "files": sum(each.files for each in written),
        "lines": sum(each.lines for each in written),
        "folder": str(folder / "deliveries"),
        "truth": str(folder / "truth"),
    }
