"""What writes that nobody finished have left in a store goes after seven days, and nothing else."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from fakes.kept_twice import small_lake
from fakes.small_hub import SmallHub, copy_of, quiet
from havre.application.ingest_run import DatasetRun
from havre.application.vault.inventory import KIND_LIST
from havre.bootstrap.upkeep import check_stores, sweep_stores
from havre.domain.inventory import Inventory
from havre.errors import NotGenuine, Refused

DAY_S = 24 * 3600


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(small_lake(), tmp_path / "hub")


def objects(hub: SmallHub) -> set[Path]:
    return set((hub.hub / "store" / "objects").rglob("?" * 32))


def age(hub: SmallHub, *, days: float) -> None:
    """Have everything in the store written so many days ago."""
    then = time.time() - days * DAY_S
    for path in objects(hub):
        os.utime(path, (then, then))


def cut_short(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends when all is sealed and nothing is published."""
    hub.holder().deliver([hub.deliveries / "dcir-2023-02"], progress=quiet)
    opened = hub.open()
    opened.receiving.receive()
    with monkeypatch.context() as patch:
        patch.setattr(DatasetRun, "close", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            opened.ingestion.ingest("dcir", progress=quiet)


def test_what_a_run_that_was_cut_short_has_sealed_goes_after_seven_days(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_short(hub, monkeypatch)
    (found,) = check_stores(hub.open(), name=None, progress=quiet)["stores"]
    before = objects(hub)

    age(hub, days=6.9)
    young = sweep_stores(hub.open(), name=None)
    age(hub, days=7.1)
    old = sweep_stores(hub.open(), name=None)

    assert found["unlisted"] > 0
    assert (young, old) == ({"swept": {"store": 0}}, {"swept": {"store": found["unlisted"]}})
    assert len(before - objects(hub)) == found["unlisted"]
    (found,) = check_stores(hub.open(), name=None, progress=quiet)["stores"]
    assert (found["bad"], found["unlisted"]) == (0, 0)
    assert hub.open().ingestion.ingest("dcir", progress=quiet).version is not None


def test_nothing_goes_where_a_list_is_missing_or_an_act_has_none(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    age(hub, days=100)
    before = objects(hub)
    with monkeypatch.context() as patch:
        patch.setattr(
            "havre.application.vault.upkeep.read_inventory", lambda *_, **__: Inventory(unlisted=1)
        )
        with pytest.raises(Refused, match="from before there were lists"):
            sweep_stores(hub.open(), name=None)
    records = hub.open().records
    records.forget_document(KIND_LIST, records.list_documents(KIND_LIST)[0].name)

    with pytest.raises(NotGenuine, match="miss a list"):
        sweep_stores(hub.open(), name=None)
    assert objects(hub) == before
