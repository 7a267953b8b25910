"""DuckDB keeps the port's promises, and keeps what it reads in memory."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from contract.suite_engine import *  # noqa: F403
from contract.suite_engine import Seal
from havre.adapters.engines.duckdb import DuckDbEngine, DuckDbLimits
from havre.domain.plan import Follow, Plan, TablePlan
from havre.errors import Unavailable, Unprotected


@pytest.fixture
def engine() -> DuckDbEngine:
    return DuckDbEngine()


def test_a_spill_directory_on_a_disk_is_refused() -> None:
    with pytest.raises(Unprotected):
        DuckDbEngine(DuckDbLimits(spill_directory=Path("/")))


def test_a_spill_directory_in_memory_is_taken() -> None:
    DuckDbEngine(DuckDbLimits(spill_directory=Path("/dev/shm")))


def test_too_little_memory_fails_and_writes_nothing(seal: Seal, tmp_path: Path) -> None:
    many = pa.table({"k": [f"{n:064d}" for n in range(400_000)]})
    follow = (Follow("A", ("k",), ("k",)),)
    plan = Plan(
        (TablePlan(table="A", columns=()), TablePlan(table="B", columns=("k",), follows=follow))
    )
    small = DuckDbEngine(DuckDbLimits(memory_bytes=20 * 1024 * 1024, threads=1))

    with pytest.raises((Unavailable, pa.ArrowException)):
        pa.table(small.run(plan, sources={"A": seal(many), "B": seal(many)})["B"])
    assert len(list(tmp_path.iterdir())) == 2
    assert not Path(".tmp").exists()
