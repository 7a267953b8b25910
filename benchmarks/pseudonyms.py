"""Pseudonyms per second, against a loop over `hmac` and against `openssl speed`.

The ceiling is what OpenSSL does with messages of the same length on one core.
Goal: at least half of it.
"""

from __future__ import annotations

import hmac
import re
import shutil
import subprocess
import time

import pyarrow as pa

from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.crypto.pseudonym_labels import foreign_label
from havre.ports.pseudonymiser import Form, HashedColumn, Reading

DISTINCT, LOOPED = 1_000_000, 200_000
LABEL = foreign_label("nir-psa")
COLUMN = HashedColumn(column="who", label=LABEL, reading=Reading.FOREIGN, form=Form.TEXT)


def main() -> dict[str, float]:
    """Measure; rates in millions of values per second."""
    values = [f"{number:017d}" for number in range(DISTINCT, 2 * DISTINCT)]
    looped = _loop(values[:LOOPED])
    bulk = _bulk(pa.table({"who": values}))
    repeated = _bulk(pa.table({"who": values[: DISTINCT // 10] * 10}))
    rates = {"loop": looped, "bulk": bulk, "bulk_repeated": repeated}
    if ceiling := _openssl(len(LABEL) + 17):
        rates |= {"openssl": ceiling, "bulk_to_openssl": bulk / ceiling}
    return {name: round(rate, 3) for name, rate in rates.items()}


def _bulk(table: pa.Table) -> float:
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        rows = PolarsPseudonymiser().hash_columns(
            table, columns=[COLUMN], plain=frozenset(), secret=bytes(32)
        )
        assert pa.table(rows).num_rows == table.num_rows
        best = max(best, table.num_rows / (time.perf_counter() - start) / 1e6)
    return best


def _loop(values: list[str]) -> float:
    key = bytes(32).hex().encode()
    start = time.perf_counter()
    for value in values:
        hmac.digest(key, (LABEL + value).encode(), "sha256").hex()
    return len(values) / (time.perf_counter() - start) / 1e6


def _openssl(message_bytes: int) -> float | None:
    """Millions of HMAC-SHA-256 per second, or null where the program is not installed."""
    program = shutil.which("openssl")
    if program is None:
        return None
    command = [program, "speed", "-seconds", "1", "-bytes", str(message_bytes), "-hmac", "sha256"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"hmac\(sha256\)\s+([0-9.]+)k", told)
    return None if found is None else float(found.group(1)) * 1000 / message_bytes / 1e6


if __name__ == "__main__":
    print(main())
