"""What is held is bounded, however many rows or bad lines there are: a child process says its peak."""

from __future__ import annotations

import subprocess
import sys

CHECK = """
import resource, sys
from contextlib import contextmanager
import pyarrow as pa
from havre.adapters.sources import keys
from havre.adapters.sources.checker import ColumnChecker
from havre.domain.schema import Column, ColumnType, TableSchema, Treatment
from havre.ports.sources import DeliveredFile

keys.HELD_HASHES = 2**18
ROWS, BATCHES = 100_000, int(sys.argv[1])
NAMES = ["a", "b", "c", "d"]
kind = pa.schema([("_line", pa.int64()), ("k", pa.string()), *((n, pa.string()) for n in NAMES)])

def batches(columns):
    for number in range(BATCHES):
        first = number * ROWS
        lines = pa.array(range(first, first + ROWS), pa.int64())
        texts = lines.cast(pa.string())
        batch = pa.RecordBatch.from_arrays([lines, *[texts] * (1 + len(NAMES))], schema=kind)
        yield batch if columns is None else batch.select(list(columns))

@contextmanager
def part(*, columns=None):
    schema = kind if columns is None else pa.schema([kind.field(name) for name in columns])
    yield pa.RecordBatchReader.from_batches(schema, batches(columns))

columns = [Column(name="k", type=ColumnType.INTEGER, required=True, treatment=Treatment.PLAIN)]
columns += [Column(name=name, type=ColumnType.STRING, treatment=Treatment.PLAIN) for name in NAMES]
schema = TableSchema(name="T", dataset="d", columns=tuple(columns), primary_key=("k",))
file = DeliveredFile("delivery", "t.csv", [part], ROWS * BATCHES, ";")
checked = ColumnChecker().check(
    [file], schema=schema, progress=lambda _: None, aside=lambda _: None
)
rows = sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(checked))
assert rows == ROWS * BATCHES
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


# A file of lines that cannot be split, each of two bytes: what is known of one takes a hundred.
SPLIT = """
import resource, sys, tempfile
from pathlib import Path
import pyarrow as pa
from havre.adapters.sources import delimited, lines
from havre.adapters.sources.folder import HolderFolder
from havre.domain.layout import Layout

lines._MOST_LINES, delimited._BLOCK_BYTES = 2**14, 2**16
LINES = int(sys.argv[1]) * 100_000
with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    (folder / "t.csv").write_bytes(b"a;b\\n" + b"x\\n" * LINES)
    source = HolderFolder(folder, aside=folder / "aside")
    names = ("a", "b")
    rows = source.split("t.csv", layout=Layout(), header=names, kept=names, constants={})
    assert not sum(batch.num_rows for batch in pa.RecordBatchReader.from_stream(rows))
    source.keep_aside("t.csv", layout=Layout())
    source.place_aside()
    assert rows.set_aside == {"short line": LINES}
    assert (folder / "aside" / "t.csv.lines").stat().st_size == 2 * LINES
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_mib(code: str, size: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", code, str(size)], capture_output=True, check=True, text=True
    )
    return int(done.stdout)


def test_five_times_the_rows_take_no_more_memory() -> None:
    """Held as a whole, the 1.2 million rows more would take 100 MiB at least."""
    few, many = peak_mib(CHECK, 3), peak_mib(CHECK, 15)

    assert many < few + 60


def test_four_times_the_lines_that_cannot_be_split_take_no_more_memory() -> None:
    """Held as a list, the 300 thousand lines more would take 60 MiB at least."""
    few, many = peak_mib(SPLIT, 1), peak_mib(SPLIT, 4)

    assert many < few + 20
