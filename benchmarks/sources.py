"""Each kind of a holder's file, read as rows: against plain delimited text, or the library that reads it.

Times are the best of three, and seconds of all cores: where one waits for the other counts twice.
"""

from __future__ import annotations

import gzip
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pandas.io.sas.sas7bdat import SAS7BDATReader
from tests.fakes.sas_file import SasColumn, write_sas

from havre.adapters.sources.folder import HolderFolder
from havre.domain.layout import FixedColumn, Layout, LayoutKind

ROWS = 200_000
TRIES = 3
WIDTHS = {"PERSON": 17, "CITY": 20, "CODE": 5, "DAY": 10, "AMOUNT": 10}


def row(number: int) -> tuple[str, ...]:
    return (
        f"P{number:016d}",
        f"Saint-Étienne {number % 5000}",
        f"I{number % 1000:03d}",
        f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}",
        f"{number % 997}.50",
    )


def best(act: Callable[[], object]) -> float:
    taken = []
    for _ in range(TRIES):
        start = time.process_time()
        act()
        taken.append(time.process_time() - start)
    return min(taken)


def rows_of(folder: Path, name: str, layout: Layout) -> Callable[[], int]:
    source = HolderFolder(folder, aside=folder / "aside")

    def read() -> int:
        header = source.header(name, layout=layout)
        rows: Any = source.split(name, layout=layout, header=header, kept=header, constants={})
        found = sum(len(batch) for batch in pa.RecordBatchReader.from_stream(rows))
        assert found == ROWS
        return found

    return read


def places() -> tuple[FixedColumn, ...]:
    columns, at = [], 1
    for name, width in WIDTHS.items():
        columns.append(FixedColumn(name, at, width))
        at += width
    return tuple(columns)


def write_files(folder: Path) -> None:
    rows = [row(number) for number in range(ROWS)]
    text = "\n".join([";".join(WIDTHS), *map(";".join, rows)]) + "\n"
    (folder / "utf8.csv").write_text(text, encoding="utf-8")
    (folder / "windows.csv").write_text(text, encoding="windows-1252")
    (folder / "packed.csv.gz").write_bytes(gzip.compress(text.encode(), 6))
    (folder / "packed.csv.zst").write_bytes(pa.compress(text.encode(), codec="zstd", asbytes=True))
    fixed = "".join(
        "".join(cell.ljust(width) for cell, width in zip(each, WIDTHS.values(), strict=True)) + "\n"
        for each in rows
    )
    (folder / "fixed.txt").write_text(fixed, encoding="utf-8")
    columns = dict(zip(WIDTHS, map(list, zip(*rows, strict=True)), strict=True))
    table = pa.table(columns)
    for name, kind in (("DAY", pa.date32()), ("AMOUNT", pa.float64())):
        at = table.column_names.index(name)
        table = table.set_column(at, name, table[name].cast(kind))
    pq.write_table(table, folder / "typed.parquet", row_group_size=100_000)
    write_sas(
        folder / "typed.sas7bdat",
        [SasColumn(n, 0 if n in {"DAY", "AMOUNT"} else w, "") for n, w in WIDTHS.items()],
        [(*each[:3], float(23_000 + n % 700), float(each[4])) for n, each in enumerate(rows)],
        count=ROWS,
    )
    with (folder / "condition.ndjson").open("w", encoding="utf-8") as file:
        for number, each in enumerate(rows):
            coding = {"system": "icd", "code": each[2], "display": each[1]}
            body = {
                "resourceType": "Condition",
                "id": f"c{number}",
                "subject": {"reference": f"Patient/{each[0]}"},
                "code": {"coding": [coding], "text": each[1]},
                "onsetDateTime": each[3],
            }
            file.write(json.dumps(body, ensure_ascii=False) + "\n")


def sas_alone(path: Path) -> None:
    with SAS7BDATReader(path, convert_dates=False, encoding="infer", chunksize=100_000) as reader:
        assert sum(len(frame) for frame in reader) == ROWS


def json_alone(path: Path) -> None:
    with path.open(encoding="utf-8") as file:
        for line in file:
            json.loads(line)


def main() -> dict[str, float]:
    """Measure every kind once."""
    with tempfile.TemporaryDirectory(prefix="havre-bench-") as name:
        folder = Path(name)
        write_files(folder)
        kinds = {
            "utf8": ("utf8.csv", Layout()),
            "windows": ("windows.csv", Layout(encoding="windows-1252")),
            "gzip": ("packed.csv.gz", Layout()),
            "zstd": ("packed.csv.zst", Layout()),
            "fixed": ("fixed.txt", Layout(kind=LayoutKind.FIXED_WIDTH, columns=places())),
            "parquet": ("typed.parquet", Layout(kind=LayoutKind.PARQUET)),
            "sas": ("typed.sas7bdat", Layout(encoding="", kind=LayoutKind.SAS7BDAT)),
            "fhir": (
                "condition.ndjson",
                Layout(kind=LayoutKind.FHIR_NDJSON, table="FHIR_CONDITION"),
            ),
        }
        took = {kind: best(rows_of(folder, *file)) for kind, file in kinds.items()}
        alone = {
            "sas": best(lambda: sas_alone(folder / "typed.sas7bdat")),
            "json": best(lambda: json_alone(folder / "condition.ndjson")),
        }
    figures = {
        f"sources_{kind}_to_delimited": took[kind] / took["utf8"]
        for kind in kinds
        if kind != "utf8"
    }
    figures["sources_delimited_rows_s"] = ROWS / took["utf8"]
    figures["sources_sas_reader_to_ours"] = alone["sas"] / took["sas"]
    figures["sources_json_loads_to_fhir"] = alone["json"] / took["fhir"]
    return {key: round(value, 2) for key, value in figures.items()}
