"""The made-up population: the same seed gives the same bytes, and few people are enough."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fakes.small_hub import quiet
from havre.bootstrap.synthetic import write_synthetic


def made(folder: Path, *, people: int = 300, years: int = 2, seed: int = 5) -> dict[str, str]:
    """Every file that was written, by its hash."""
    write_synthetic(folder, people=people, first_year=2023, years=years, seed=seed, progress=quiet)
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    first = made(tmp_path / "first")

    assert made(tmp_path / "again") == first
    assert made(tmp_path / "other", seed=6) != first


@pytest.mark.parametrize(("people", "years"), [(100, 1), (150, 3)])
def test_a_few_people_of_whom_nobody_dies_are_written_too(
    tmp_path: Path, people: int, years: int
) -> None:
    files = made(tmp_path / "few", people=people, years=years)

    assert any(name.endswith("ER_PRS_F.csv") for name in files)
