"""How much longer a delivery takes to become a published version than DuckDB's plain CSV to Parquet.

One file of the central table of the DCIR, everything included on our side:
hashes, splitting, two stages of pseudonyms, checks of every cell and key,
encryption twice, the log and its witnesses. Goal: at most 2.0.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from pathlib import Path

import duckdb

from havre.bootstrap.founding import found_hub
from havre.bootstrap.holders import HolderSide
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.schemas import core_tables
from havre.bootstrap.synthetic import write_synthetic
from havre.domain.schema import ColumnType
from havre.ports.pages import SiteSettings

PEOPLE, ROUNDS = 20_000, 2
TABLE = "ER_PRS_F"
_DUCKDB_TYPES = {
    ColumnType.INTEGER: "BIGINT",
    ColumnType.YEAR: "BIGINT",
    ColumnType.DATE: "DATE",
    ColumnType.DECIMAL: "DECIMAL(18,2)",
}


def main() -> dict[str, float]:
    """Measure: the whole, and how it parts between the holder and the hub."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        delivery = _one_delivery(root)
        plain = min(_plain(delivery / f"{TABLE}.csv", root) for _ in range(ROUNDS + 1))
        ours = [_ours(delivery, root / f"hub-{turn}") for turn in range(ROUNDS)]
    holder, hub = min(ours, key=sum)
    return {
        "plain_s": round(plain, 2),
        "deliver_to_plain": round(holder / plain, 2),
        "ingest_to_plain": round(hub / plain, 2),
        "both_to_plain": round((holder + hub) / plain, 2),
    }


def _one_delivery(root: Path) -> Path:
    """Every flow of the central table as one file: the months are one column among others."""
    write_synthetic(
        root / "files", people=PEOPLE, first_year=2022, years=3, seed=7, progress=lambda *_: None
    )
    place = root / "dcir-all"
    place.mkdir()
    parts = sorted((root / "files/deliveries").glob(f"dcir-*/{TABLE}.csv"))
    bodies = [path.read_bytes() for path in parts]
    header = bodies[0][: bodies[0].index(b"\n") + 1]
    clean = [body[len(header) :] for body in bodies if body.endswith(b"\n") and b"\x00" not in body]
    body = header + b"".join(clean)
    (place / f"{TABLE}.csv").write_bytes(body)
    (place / "delivery.toml").write_text(
        'format = "havre/v1/delivery"\nname = "dcir-all"\ndataset = "dcir"\n'
        f'[[files]]\npath = "{TABLE}.csv"\ntable = "{TABLE}"\n'
        f'sha256 = "{hashlib.sha256(body).hexdigest()}"\n'
    )
    return place


def _plain(path: Path, root: Path) -> float:
    (schema,) = (built.schema for built in core_tables() if built.schema.name == TABLE)
    types = ", ".join(
        f"'{column.name}': '{_DUCKDB_TYPES.get(column.type, 'VARCHAR')}'"
        for column in schema.columns
    )
    start = time.perf_counter()
    duckdb.execute(
        f"COPY (SELECT * FROM read_csv('{path}', delim=';', header=true, quote='',"  # noqa: S608
        f" auto_detect=false, columns={{{types}}})) TO '{root / 'plain.parquet'}'"
        " (FORMAT parquet, COMPRESSION zstd)"
    )
    return time.perf_counter() - start


def _ours(delivery: Path, root: Path) -> tuple[float, float]:
    found_hub(
        root / "hub",
        parties=root / "parties",
        origin="bench.example",
        progress=lambda _: None,
        settings=SiteSettings(made_up=True),
    )
    start = time.perf_counter()
    holder = HolderSide(root / "parties" / "holder", hub=root / "hub")
    holder.deliver([delivery], progress=lambda *_: None)
    sealed = time.perf_counter()
    hub = OpenHub(root / "hub")
    hub.wake()
    assert not hub.receiving.receive().held
    report = hub.ingestion.ingest("dcir", progress=lambda _: None)
    done = time.perf_counter()
    assert report.set_aside == 0
    return sealed - start, done - sealed


if __name__ == "__main__":
    print(main())
