"""Checking holds some batches, however many rows there are: a child process says what it held most."""

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


def peak_mib(batches: int) -> int:
    done = subprocess.run(
        [sys.executable, "-c", CHECK, str(batches)], capture_output=True, check=True, text=True
    )
    return int(done.stdout)


def test_five_times_the_rows_take_no_more_memory() -> None:
    """Held as a whole, the 1.2 million rows more would take 100 MiB at least."""
    few, many = peak_mib(3), peak_mib(15)

    assert many < few + 60
