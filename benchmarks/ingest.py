"""How much longer a delivery takes to become a published version than DuckDB's plain CSV to Parquet.

One file of the central table of the DCIR, everything included on our side:
hashes, splitting, two stages of pseudonyms, checks of every cell and key,
encryption twice, the log and its witnesses. Goal: at most 1.5, and 2 GiB.

    python -m benchmarks.ingest 1_000_000 5_000_000 20_000_000

measures other sizes than `make bench` does, and how the time grows with them. Each
step runs in a process of its own, so that its processor time and its peak of memory
are its own; on a machine that others use, the ratio of processor times is the fairer one.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl

from havre.bootstrap.founding import found_hub
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.schemas import core_tables
from havre.bootstrap.synthetic import write_synthetic
from havre.domain.schema import ColumnType
from havre.ports.pages import SiteSettings

ROWS, PEOPLE = 1_000_000, 20_000
TABLE, NAME = "ER_PRS_F", "dcir-all"
_DUCKDB_TYPES = {
    ColumnType.INTEGER: "BIGINT",
    ColumnType.YEAR: "BIGINT",
    ColumnType.DATE: "DATE",
    ColumnType.DECIMAL: "DECIMAL(18,2)",
}


def main(sizes: tuple[int, ...] = (ROWS,)) -> dict[str, float]:
    """Measure: the whole, how it parts between the holder and the hub, and what they hold most.

    sizes: numbers of rows; the last is reported, and with several also how time grows.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        base = _base(root)
        spent = []
        for rows in sizes:
            _write_delivery(base, root / NAME, rows=rows)
            spent.append(_measured(root))
            print(f"  {rows:,} rows: {spent[-1]}", file=sys.stderr)
    said = spent[-1]
    if len(sizes) > 1:
        seconds = (spent[-1]["both_cpu_s"] - spent[0]["both_cpu_s"]) / spent[0]["both_cpu_s"]
        said["growth_of_time_to_growth_of_rows"] = seconds / (sizes[-1] / sizes[0] - 1)
    return {key: round(value, 2) for key, value in said.items()}


def _measured(root: Path) -> dict[str, float]:
    shutil.rmtree(root / "parties", ignore_errors=True)
    shutil.rmtree(root / "hub", ignore_errors=True)
    found_hub(
        root / "hub",
        parties=root / "parties",
        origin="bench.example",
        progress=lambda _: None,
        settings=SiteSettings(made_up=True),
    )
    plain = min((_apart("plain", root) for _ in range(2)), key=lambda each: each["s"])
    holder, hub = _apart("deliver", root), _apart("ingest", root)
    both_cpu = holder["cpu_s"] + hub["cpu_s"]
    return {
        "plain_s": plain["s"],
        "deliver_to_plain": holder["s"] / plain["s"],
        "ingest_to_plain": hub["s"] / plain["s"],
        "both_to_plain": (holder["s"] + hub["s"]) / plain["s"],
        "both_cpu_s": both_cpu,
        "both_to_plain_cpu": both_cpu / plain["cpu_s"],
        "holder_peak_gib": holder["peak_gib"],
        "hub_peak_gib": hub["peak_gib"],
        "hubs_children_peak_gib": hub["children_peak_gib"],
        "plain_peak_gib": plain["peak_gib"],
    }


def _base(root: Path) -> pl.DataFrame:
    """Every flow of the central table as one, as text: the months are one column among others."""
    write_synthetic(
        root / "files", people=PEOPLE, first_year=2022, years=3, seed=7, progress=lambda *_: None
    )
    bodies = [
        path.read_bytes() for path in sorted(root.glob(f"files/deliveries/dcir-*/{TABLE}.csv"))
    ]
    whole = [body for body in bodies if body.endswith(b"\n") and b"\x00" not in body]
    return pl.concat(
        pl.read_csv(body, separator=";", infer_schema=False, quote_char=None) for body in whole
    )


def _write_delivery(base: pl.DataFrame, place: Path, *, rows: int) -> None:
    """Repeat the rows with new keys, and with other people."""
    place.mkdir(exist_ok=True)
    digest, written, turn = hashlib.sha256(), 0, 0
    with (place / f"{TABLE}.csv").open("wb") as file:
        while written < rows:
            number = pl.col("DCT_ORD_NUM").cast(pl.Int64) + turn * 1_000_000
            person = pl.concat_str(
                pl.lit(f"{turn % 100:02d}"), pl.col("BEN_NIR_PSA").str.slice(2)
            ).alias("BEN_NIR_PSA")
            part = base.head(rows - written).with_columns(number, person)
            body = part.write_csv(
                separator=";", include_header=turn == 0, quote_style="never"
            ).encode()
            file.write(body)
            digest.update(body)
            written, turn = written + len(part), turn + 1
    (place / "delivery.toml").write_text(
        f'format = "havre/v1/delivery"\nname = "{NAME}"\ndataset = "dcir"\n'
        f'[[files]]\npath = "{TABLE}.csv"\ntable = "{TABLE}"\nsha256 = "{digest.hexdigest()}"\n'
    )


def _apart(step: str, root: Path) -> dict[str, float]:
    """Run one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest", "--step", step, str(root)],
        check=True,
        capture_output=True,
        text=True,
    )
    said: dict[str, float] = json.loads(done.stdout)
    return said


def _plain(root: Path) -> None:
    (schema,) = (built.schema for built in core_tables() if built.schema.name == TABLE)
    types = ", ".join(
        f"'{column.name}': '{_DUCKDB_TYPES.get(column.type, 'VARCHAR')}'"
        for column in schema.columns
    )
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{root / NAME / TABLE}.csv', delim=';', header=true,"  # noqa: S608
        f" quote='', auto_detect=false, columns={{{types}}})) TO '{root / 'plain.parquet'}'"
        " (FORMAT parquet, COMPRESSION zstd)"
    )


def _deliver(root: Path) -> None:
    holder = HolderSide(root / "parties" / "holder", hub=root / "hub")
    holder.deliver([root / NAME], progress=lambda *_: None)


def _ingest(root: Path) -> None:
    hub = OpenHub(root / "hub")
    hub.wake()
    assert not hub.receiving.receive().held
    assert hub.ingestion.ingest("dcir", progress=lambda _: None).set_aside == 0


_STEPS: dict[str, Callable[[Path], None]] = {
    "plain": _plain,
    "deliver": _deliver,
    "ingest": _ingest,
}


def _step(step: str, root: Path) -> None:
    """Do it and print what it took; what was spent before, on imports, is left out."""
    start, before = time.perf_counter(), _cpu_s()
    _STEPS[step](root)
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    said = {
        "s": time.perf_counter() - start,
        "cpu_s": _cpu_s() - before,
        "peak_gib": _own_peak_kib() / 2**20,
        "children_peak_gib": children / 2**20,
    }
    print(json.dumps(said))


def _own_peak_kib() -> int:
    """The kernel's count since this program began; `getrusage` tells its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    reader = argparse.ArgumentParser()
    reader.add_argument("sizes", nargs="*", type=int, default=[ROWS], help="numbers of rows")
    reader.add_argument("--step", nargs=2, metavar=("STEP", "ROOT"), help="one step alone")
    given = reader.parse_args()
    if given.step:
        _step(given.step[0], Path(given.step[1]))
    else:
        print(main(tuple(given.sizes)))
