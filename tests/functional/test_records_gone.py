"""A hub whose records are gone or broken says so, and makes no empty ones in their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, founded
from havre.adapters.records.sql import SqlRecords
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.reports import hub_status
from havre.errors import NotGenuine, Unavailable


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    hub = copy_of(founded(), tmp_path / "hub")
    for path in hub.hub.glob("records.sqlite*"):
        path.unlink()
    return hub


def test_records_that_are_gone_are_not_made_anew(hub: SmallHub) -> None:
    with pytest.raises(Unavailable, match="records are missing"):
        hub_status(OpenHub(hub.hub))
    with pytest.raises(Unavailable, match="records are missing"):
        hub.open()

    assert list(hub.hub.glob("records.sqlite*")) == []


def test_empty_records_under_a_long_log_are_missing_records(hub: SmallHub) -> None:
    SqlRecords(OpenHub(hub.hub).place.records_url)

    with pytest.raises(Unavailable, match="records are missing"):
        hub_status(OpenHub(hub.hub))


def test_records_that_are_no_database_are_kept_and_told(hub: SmallHub) -> None:
    garbage = b"no database at all " * 400
    (hub.hub / "records.sqlite").write_bytes(garbage)

    with pytest.raises(NotGenuine, match="no database"):
        hub_status(OpenHub(hub.hub))

    assert (hub.hub / "records.sqlite").read_bytes() == garbage
