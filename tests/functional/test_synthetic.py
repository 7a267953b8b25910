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


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_every_line_of_every_table_is_taken_in(tmp_path: Path, form: str) -> None:
    """Of the tables beyond those of the demo, too: their columns are those that the package knows."""
    hub = copy_of(founded(), tmp_path)
    files = tmp_path / "made-up"
    write_synthetic(
        files,
        people=150,
        first_year=2023,
        years=1,
        seed=5,
        progress=quiet,
        tables="all",
        form=form,
        faults=(),
        processes=1,
    )
    make_partitions(hub.open(), datasets=DATASETS, landing=4)
    # One flow of the DCIR stands for all; of the others, everything.
    folders = sorted((files / "deliveries").iterdir())
    flow = max(path for path in folders if path.name.startswith("dcir-2023"))
    notes = hub.holder().deliver(
        [path for path in folders if path == flow or not path.name.startswith("dcir")],
        progress=quiet,
    )
    opened = hub.open()
    assert not opened.receiving.receive().held

    reports = {
        name: opened.ingestion.ingest(name, progress=quiet)
        for name in opened.ingestion.waiting_datasets()
    }

    announced = [file for note in notes for file in note.files]
    taken = [file.checked for report in reports.values() for file in report.files]
    written = json.loads((files / "truth" / "truth.json").read_text())["lines"]
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
