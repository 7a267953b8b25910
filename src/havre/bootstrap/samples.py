"""A sample of a dataset: some rows of made-up people, in the exact form of the real ones.

From the synthetic population, never from the lake: a permit is needed to read that, and
to write a sample nobody needs one.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.bootstrap.cataloguing import SAMPLES
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.synthetic import write_synthetic
from havre.domain.announcement import ANNOUNCEMENT, AnnouncedFile, parse_announcement
from havre.domain.layout import Layout
from havre.domain.schema import Catalogue
from havre.domain.shown import show_file
from havre.errors import NotFound

SAMPLE_ROWS = 300
# Enough people that each table has rows; always the same, so that a sample stays as it is.
_PEOPLE, _SEED, _FIRST_YEAR, _YEARS = 2_000, 20_240, 2023, 1
# A stray quote, or what stands for bytes that are no text.
_SPOILED = {'"', "\N{REPLACEMENT CHARACTER}"}


def write_sample(hub: OpenHub, dataset: str, out: Path | None) -> dict[str, object]:
    """Write the sample of one dataset: a file for each of its tables, at most 300 rows.

    out: a folder; null writes into the public site, whose pages show it from then on.

    Raises:
        NotFound: the hub knows no such dataset, or nobody makes up people for it.
    """
    catalogue = hub.catalogue.known().catalogue
    if dataset not in {table.dataset for table in catalogue.tables}:
        raise NotFound(
            f"The catalogue knows no dataset {show_file(dataset)}.",
            hint="See `havre catalogue show`.",
        )
    folder = out or hub.place.site / SAMPLES / dataset
    with TemporaryDirectory(prefix="havre-sample-") as scratch:
        write_synthetic(
            Path(scratch) / "made-up",
            people=_PEOPLE,
            first_year=_FIRST_YEAR,
            years=_YEARS,
            seed=_SEED,
            progress=lambda _done, _total: None,
        )
        rows = _collect(Path(scratch) / "made-up" / "deliveries", dataset, catalogue)
    if not rows:
        raise NotFound(
            f"Nobody makes up people for {dataset}.",
            hint="The synthetic population has the tables of the SNDS that come with Havre. For"
            f" others, put files of made-up rows into {SAMPLES}/{dataset} of the site.",
        )
    folder.mkdir(parents=True, exist_ok=True)
    for table, lines in rows.items():
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(catalogue.table(table).column_names)
            writer.writerows(lines)
    return {
        "dataset": dataset,
        "files": len(rows),
        "rows": sum(map(len, rows.values())),
        "folder": str(folder),
    }


def _collect(deliveries: Path, dataset: str, catalogue: Catalogue) -> dict[str, list[list[str]]]:
    found: dict[str, list[list[str]]] = {}
    for announcement in sorted(deliveries.glob(f"*/{ANNOUNCEMENT}")):
        beside = partial(_text_beside, announcement.parent)
        announced = parse_announcement(beside(ANNOUNCEMENT), beside=beside)
        if announced.dataset != dataset:
            continue
        for file in announced.files:
            rows = found.setdefault(file.table, [])
            columns = catalogue.table(file.table).column_names
            for row in _read(announcement.parent, file, announced.layout.shared, columns):
                if len(rows) == SAMPLE_ROWS:
                    break
                rows.append(row)
    return found


def _text_beside(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def _read(
    folder: Path, file: AnnouncedFile, layout: Layout, columns: Iterable[str]
) -> Iterator[list[str]]:
    """Read a delivered file's whole lines; those that are spoiled on purpose are passed over."""
    path = folder / file.path
    with path.open(encoding=layout.encoding, errors="replace", newline="") as lines:
        header = next(lines).rstrip("\r\n").split(layout.delimiter)
        for line in lines:
            cells = line.rstrip("\r\n").split(layout.delimiter)
            if len(cells) == len(header) and not _SPOILED & set(line):
                named = {**file.constants, **dict(zip(header, cells, strict=True))}
                yield [named.get(column, "") for column in columns]
