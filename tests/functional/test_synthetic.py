"""The made-up population: the same seed gives the same bytes, and few people are enough."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from fakes.small_hub import copy_of, founded, quiet
from havre.bootstrap.growing import make_partitions
from havre.bootstrap.synthetic import write_synthetic

DATASETS = ("pmsi-ssr", "pmsi-had", "pmsi-rip", "referentiels")


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


@pytest.mark.parametrize(("people", "years"), [(1, 1), (100, 1), (150, 3)])
def test_a_few_people_of_whom_nobody_dies_are_written_too(
    tmp_path: Path, people: int, years: int
) -> None:
    files = made(tmp_path / "few", people=people, years=years)

    assert any(name.endswith("ER_PRS_F.csv") for name in files)


def test_every_line_of_every_table_is_taken_in_from_both_forms(tmp_path: Path) -> None:
    """Of the tables beyond those of the demo, too: their columns are those that the package knows.

    People of one year come as text, others of the next as Parquet, into one hub.
    """
    hub = copy_of(founded(), tmp_path)
    folders: list[Path] = []
    written: dict[str, int] = {}
    for form, year in (("csv", 2023), ("parquet", 2024)):
        files = tmp_path / form
        write_synthetic(
            files,
            people=100,
            first_year=year,
            years=1,
            seed=year,
            progress=quiet,
            tables="all",
            form=form,
            faults=(),
            processes=1,
        )
        made_here = sorted((files / "deliveries").iterdir())
        # One flow of the DCIR stands for all; of the others, everything.
        flow = max(path for path in made_here if path.name.startswith(f"dcir-{year}"))
        folders += [path for path in made_here if path == flow or not path.name.startswith("dcir")]
        written |= json.loads((files / "truth" / "truth.json").read_text())["lines"]
    make_partitions(hub.open(), datasets=DATASETS, landing=4)
    # The registers of hospitals and packs are the same each year; one of each form would do twice.
    folders = [path for path in folders if path.name != "referentiels-2024"]
    notes = hub.holder().deliver(folders, progress=quiet)
    opened = hub.open()
    assert not opened.receiving.receive().held

    reports = {
        name: opened.ingestion.ingest(name, progress=quiet)
        for name in opened.ingestion.waiting_datasets()
    }

    announced = [file for note in notes for file in note.files]
    taken = [file.checked for report in reports.values() for file in report.files]
    assert set(reports) >= {
        "beneficiaires",
        "cepidc",
        "dcir",
        "pmsi-mco",
        "pmsi-rip",
        "pmsi-ssr",
    } | {"referentiels"}
    assert not any(report.set_aside for report in reports.values())
    assert {note.delivery: sum(file.lines for file in note.files) for note in notes} == {
        note.delivery: written[note.delivery] for note in notes
    }
    assert sum(file.lines for file in announced) == sum(each.accepted for each in taken)
