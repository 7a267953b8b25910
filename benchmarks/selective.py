"""What a selective read costs: one month of care and one code, through the manifest.

A lake of two years came month by month, as claims do: a delivery holds mostly care of the
weeks before it, and some that is late, up to the 27 months that the law allows. It is read as it came, put together
(`havre compact`), and as plain Parquet of the same rows in the same order as the latter, with the
statistics that plain Parquet keeps and Havre's files have not. Same engine, interleaved, best
of several rounds: ratios hold where seconds do not.

The bytes that a plan opens, by the bounds of the manifest, say the same without a clock.
"""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.resources import files
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from havre.adapters.tables.merging import ArrowMerger
from havre.adapters.tables.parquet import ParquetTables
from havre.domain.plan import Between, OneOf, Plan, TablePlan
from havre.domain.pruning import choose_files
from havre.formats.manifest import ColumnBounds
from havre.ports.merging import RowPart
from havre.values import TableStream

MONTHS, ROWS_A_MONTH, ROUNDS = 24, 200_000, 15
# A national lake has five such files a month, a hospital's one for three months: what a month
# opens besides is what the edges of its files hold.
NATIONAL, SMALL = ROWS_A_MONTH // 5, ROWS_A_MONTH * 3
FIRST_DAY = date(2021, 1, 1).toordinal() - date(1970, 1, 1).toordinal()
WANTED = Plan(
    (
        TablePlan(
            table="care",
            columns=("person", "day", "amount"),
            conditions=(
                Between("day", date(2021, 9, 1), date(2021, 9, 30)),
                OneOf("code", ("3400900000042",)),
            ),
        ),
    )
)
QUERY = (
    "SELECT count(*), sum(amount) FROM {view} WHERE code = '3400900000042'"
    " AND day BETWEEN DATE '2021-09-01' AND DATE '2021-09-30'"
)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    key: bytes
    size_bytes: int
    bounds: Mapping[str, ColumnBounds]


def main() -> dict[str, float]:
    """Measure; ratios to plain Parquet, and the share of the lake's bytes that are opened."""
    national = _measured(NATIONAL)
    small = _measured(SMALL)
    return {
        "selective_to_plain": national["compacted"],
        "selective_small_to_plain": small["compacted"],
        "selective_as_it_came": national["came"],
        "opened_compacted": national["opened_compacted"],
        "opened_small": small["opened_compacted"],
        "opened_as_it_came": national["opened_came"],
    }


def _measured(rows_a_file: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        folder, tables = Path(name), ParquetTables()
        months = [_month(number) for number in range(MONTHS)]
        came = [_sealed(folder / f"came-{n}", each, tables) for n, each in enumerate(months)]
        parts = [RowPart(each.num_rows, partial(_lent, each)) for each in months]
        merger = ArrowMerger(target_rows=rows_a_file)
        (merged,) = merger.survey(parts, order=("day", "person"), key=bytes(32))
        compacted, plain = [], []
        for number, rows in enumerate(merged):
            compacted.append(_sealed(folder / f"compacted-{number}", rows, tables))
            plain.append(folder / f"plain-{number}.parquet")
            pq.write_table(pa.table(rows), plain[-1], compression="zstd")
        seconds = _seconds(came, compacted, plain)
        return {
            "compacted": round(seconds["compacted"] / seconds["plain"], 2),
            "came": round(seconds["came"] / seconds["plain"], 2),
            "opened_compacted": _opened_share(compacted),
            "opened_came": _opened_share(came),
        }


def _seconds(came: list[_File], compacted: list[_File], plain: list[Path]) -> dict[str, float]:
    best: dict[str, float] = {}
    answers = set()
    reads = {
        "plain": partial(_read_plain, _engine(), plain),
        "compacted": partial(_read_sealed, _engine(), compacted),
        "came": partial(_read_sealed, _engine(), came),
    }
    for _ in range(ROUNDS):
        for name, act in reads.items():
            start = time.perf_counter()
            answers.add(act())
            best[name] = min(best.get(name, 9e9), time.perf_counter() - start)
    if len(answers) != 1:
        raise ValueError("the layouts have other rows")
    return best


def _engine() -> duckdb.DuckDBPyConnection:
    """Open an engine; a run does that once, for all its tables."""
    connection = duckdb.connect(config={"threads": 2, "enable_external_file_cache": False})
    binary = files("duckdb_extension_httpfs") / f"extensions/v{duckdb.__version__}"
    connection.execute(f"LOAD '{binary}/httpfs.duckdb_extension'")
    return connection


def _read_plain(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> object:
    names = ", ".join(f"'{path}'" for path in paths)
    return connection.execute(QUERY.format(view=f"read_parquet([{names}])")).fetchone()


def _read_sealed(connection: duckdb.DuckDBPyConnection, listed: list[_File]) -> object:
    """Choose by bounds, then read as the engine does: files that are not chosen stay closed."""
    connection.execute("SET disabled_optimizers='filter_pushdown,join_filter_pushdown,top_n'")
    scans = []
    for file in _chosen(listed):
        key = base64.b64encode(file.key).decode()
        connection.execute(f"PRAGMA add_parquet_key('{file.path.name}', '{key}')")
        scans.append(
            f"FROM read_parquet('{file.path}',"
            f" encryption_config={{footer_key: '{file.path.name}'}})"
        )
    connection.execute(f"CREATE OR REPLACE VIEW care AS {' UNION ALL BY NAME '.join(scans)}")
    return connection.execute(QUERY.format(view="care")).fetchone()


def _chosen(listed: list[_File]) -> list[_File]:
    return [listed[at] for at in choose_files(WANTED, [("care", f.bounds) for f in listed])]


def _opened_share(listed: list[_File]) -> float:
    opened = sum(file.size_bytes for file in _chosen(listed))
    return round(opened / sum(file.size_bytes for file in listed), 3)


def _sealed(path: Path, rows: TableStream, tables: ParquetTables) -> _File:
    key = path.name.encode().ljust(32, b"\0")[:32]
    write = tables.write(rows, key=key)
    path.write_bytes(b"".join(write))
    return _File(path, key, path.stat().st_size, write.facts.bounds)


@contextmanager
def _lent(rows: pa.Table) -> Iterator[TableStream]:
    yield rows


def _month(number: int) -> pa.Table:
    """Make up a delivery: nine in ten rows of care some weeks old, one in ten older."""
    draw = np.random.default_rng(number)
    last = FIRST_DAY + 30 * (number + 1)
    mean_days = np.where(draw.random(ROWS_A_MONTH) < 0.9, 20, 120)
    days = last - np.minimum(draw.exponential(mean_days), 820).astype(int)
    people = [person.to_bytes(16, "big") for person in range(20_000)]
    return pa.table(
        {
            "person": pa.array(people, pa.binary(16)).take(draw.integers(0, 20_000, ROWS_A_MONTH)),
            "day": pa.array(days.astype(np.int32), pa.date32()),
            "code": pa.array([f"34009{n:08d}" for n in range(900)]).take(
                draw.integers(0, 900, ROWS_A_MONTH)
            ),
            "amount": (draw.gamma(2.0, 20.0, ROWS_A_MONTH) * 100).astype(np.int64),
            "quantity": draw.integers(1, 9, ROWS_A_MONTH),
            "flow": draw.integers(0, 10**9, ROWS_A_MONTH),
        }
    )


if __name__ == "__main__":
    print(main())
