"""P7 with corrections: a version has the rows of the newest delivery of a chain, and no other's.

A hub that dies has the old rows or the new ones, never both and never neither.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

from fakes.correcting import corrected
from fakes.dying import DiedError, dies_at_record
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.adapters.inbox.receipts import ReceiptFolder
from havre.application.corrections import DeliveryBook
from havre.bootstrap.contracts import change_rows
from havre.bootstrap.intake import Intake, take_in
from havre.domain.custody import ReleaseRefused
from havre.domain.events import DeliveryChecked, VersionPublished, events_of
from havre.domain.version_objects import rows_of_datasets
from havre.errors import HavreError, Refused

FIRST = "pmsi-mco-2023"


@cache
def one_delivery() -> SmallHub:
    """A hub that has one delivery of one dataset, made once per process."""
    hub = copy_of(founded(), Path(mkdtemp(prefix="havre-correct-")))
    deliver(hub, FIRST)
    ingest(hub)
    return hub


def deliver(hub: SmallHub, name: str) -> None:
    hub.holder().deliver([hub.deliveries / name], progress=quiet)


def ingest(hub: SmallHub) -> Intake:
    return take_in(hub.open(), (), progress=quiet)


def change(lines: list[str]) -> list[str]:
    """Take three rows away, change two cells, add one row under a key of its own."""
    cells = lines[3].split(";")
    cells[1] = "9" * len(cells[1])
    altered = [line.rsplit(";", 1)[0] + ";" for line in lines[3:5]]
    return [*altered, *lines[5:], ";".join(cells)]


def rows_in(hub: SmallHub, dataset: str = "pmsi-mco") -> dict[str, dict[str, int]]:
    """Rows of every delivery by table, as the newest version has them."""
    opened = hub.open()
    found: dict[str, dict[str, int]] = {}
    for delivery, objects in DeliveryBook(opened.records, opened.log).objects(dataset).items():
        for each in objects.values():
            tables = found.setdefault(delivery, {})
            tables[each.table] = tables.get(each.table, 0) + each.rows
    return found


def test_a_correction_takes_the_place_of_what_it_corrects(tmp_path: Path) -> None:
    hub = copy_of(one_delivery(), tmp_path)
    before = rows_in(hub)[FIRST]
    corrected(hub.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(hub, "again")

    intake = ingest(hub)

    assert not intake.faults
    after = rows_in(hub)
    assert after.keys() == {"again"}
    (name,) = [table for table, rows in after["again"].items() if rows != before[table]]
    assert after["again"][name] == before[name] - 2
    (row,) = change_rows(hub.open(), "pmsi-mco")
    tables = {each.pop("table"): each for each in row["tables"]}
    assert tables.pop(name) == {
        "rows_before": before[name],
        "rows_after": before[name] - 2,
        "added": 1,
        "withdrawn": 3,
        "changed": 2,
        "unchanged": before[name] - 5,
    }
    for table, each in tables.items():
        assert each["unchanged"] == each["rows_before"] == each["rows_after"] == before[table]
    assert intake.changes[0]["corrects"] == FIRST


def test_the_log_says_how_many_rows_a_version_took_back(tmp_path: Path) -> None:
    hub = copy_of(one_delivery(), tmp_path)
    corrected(hub.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(hub, "again")
    ingest(hub)
    events = [each.event for each in hub.open().log.entries()]
    old, new = events_of(events, VersionPublished)

    assert old.withdrawn is None
    assert new.withdrawn == old.rows
    assert rows_of_datasets(events)["pmsi-mco"] == new.rows


@pytest.mark.parametrize(
    ("corrects", "said"),
    [
        ("unknown", "has taken no delivery unknown"),
        ("cepidc-2024", "of another dataset"),
        (FIRST, "corrected before, by again: the newest one"),
    ],
)
def test_what_cannot_be_corrected_is_named(corrects: str, said: str, tmp_path: Path) -> None:
    hub = copy_of(one_delivery(), tmp_path)
    corrected(hub.deliveries / FIRST, "again", corrects=FIRST)
    deliver(hub, "cepidc-2024")
    deliver(hub, "again")
    ingest(hub)
    corrected(hub.deliveries / FIRST, "third", corrects=corrects)
    faults: list[HavreError] = []
    try:
        deliver(hub, "third")
        faults = ingest(hub).faults
    except Refused as refusal:
        faults = [refusal]

    assert len(faults) == 1
    assert said in faults[0].message


def test_a_chain_that_waits_comes_in_link_by_link(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    corrected(hub.deliveries / FIRST, "second", change, corrects=FIRST)
    deliver(hub, FIRST)
    assert not hub.open().receiving.receive().held
    deliver(hub, "second")
    assert not hub.open().receiving.receive().held
    corrected(hub.deliveries / FIRST, "third", corrects="second")
    deliver(hub, "third")

    intake = ingest(hub)

    assert not intake.faults
    assert rows_in(hub).keys() == {"third"}
    rows = change_rows(hub.open(), "pmsi-mco")
    assert [(each["delivery"], each["corrects"]) for each in rows] == [
        ("second", FIRST),
        ("third", "second"),
    ]
    changed = [t for t in rows[1]["tables"] if t["unchanged"] != t["rows_after"]]
    (there_and_back,) = changed
    assert (there_and_back["added"], there_and_back["withdrawn"]) == (3, 1)


def test_where_what_was_corrected_stays_closed_the_report_says_counts_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(one_delivery(), tmp_path)
    corrected(hub.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(hub, "again")

    def closed(*_: object, **__: object) -> None:
        raise ReleaseRefused("It stays closed.")

    monkeypatch.setattr("havre.application.changes.check_opened_again", closed)

    assert not ingest(hub).faults
    (row,) = change_rows(hub.open(), "pmsi-mco")
    assert row["not_compared"] == "It stays closed"
    assert all(each["added"] is None for each in row["tables"])
    assert sum(each["rows_before"] for each in row["tables"]) > 0


def test_a_correcting_hub_that_dies_at_any_record_has_the_old_rows_or_the_new(
    tmp_path: Path,
) -> None:
    start = copy_of(one_delivery(), tmp_path / "start")
    corrected(start.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(start, "again")
    step, is_dead = 0, True
    while is_dead:
        step += 1
        hub = copy_of(start, tmp_path / f"{step}")
        with dies_at_record(step), suppress(DiedError):
            ingest(hub)
            is_dead = False

        assert rows_in(hub).keys() in ({FIRST}, {"again"})
        ingest(hub)
        assert rows_in(hub).keys() == {"again"}
        events = [each.event for each in hub.open().log.entries()]
        assert len(events_of(events, VersionPublished)) == 2
        assert len(events_of(events, DeliveryChecked)) == 2
    assert step > 3


INGEST = """
import sys
from pathlib import Path
from fakes.small_hub import SmallHub
from havre.bootstrap.intake import take_in
intake = take_in(SmallHub(Path(sys.argv[1])).open(), (), progress=lambda _: None)
sys.exit(1 if intake.done and intake.faults else 0)
"""


def started(hub: SmallHub) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen([sys.executable, "-c", INGEST, str(hub.root)], env=environment)


@pytest.mark.parametrize("after_s", [1.6])
def test_a_correcting_hub_killed_at_any_moment_has_the_old_rows_or_the_new(
    after_s: float, tmp_path: Path
) -> None:
    hub = copy_of(one_delivery(), tmp_path)
    corrected(hub.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(hub, "again")
    child = started(hub)
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    child.wait()

    assert rows_in(hub).keys() in ({FIRST}, {"again"})
    assert started(hub).wait() == 0
    assert rows_in(hub).keys() == {"again"}


def test_two_processes_that_ingest_at_once_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    """A correction and another delivery of its dataset, taken in by whoever comes first."""
    hub = copy_of(one_delivery(), tmp_path)
    corrected(hub.deliveries / FIRST, "again", change, corrects=FIRST)
    deliver(hub, "again")
    deliver(hub, "pmsi-mco-2024")

    for child in [started(hub), started(hub)]:
        child.wait()
    ingest(hub)

    assert rows_in(hub).keys() == {"again", "pmsi-mco-2024"}
    events = [each.event for each in hub.open().log.entries()]
    checked = [each.delivery for each in events_of(events, DeliveryChecked)]
    assert sorted(checked) == sorted({FIRST, "again", "pmsi-mco-2024"})
    written = ReceiptFolder(hub.open().place.receipts).list_deliveries()
    assert written == sorted(checked)
