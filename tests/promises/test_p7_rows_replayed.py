"""P7: rows that were set aside come in once, when what they broke was mended, or stay where they are."""

from __future__ import annotations

import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from fakes.dying import DiedError, dies_at_record
from fakes.small_hub import SmallHub, copy_of, quiet
from fakes.upkeep import grant_upkeep, in_small_files, rows_of_2023, tables_of_2023
from havre.adapters.sources.checker import CheckedFiles
from havre.application.corrections import DeliveryBook
from havre.application.ingest import newest_version
from havre.application.quarantine import QuarantineBook
from havre.bootstrap.quarantining import look_at_rows, quarantine_rows, replay_rows
from havre.domain.delivery import LinesLost
from havre.domain.events import VersionPublished, events_of
from havre.domain.schema import ColumnType, TableSchema
from havre.domain.upkeep import UpkeepUsed
from havre.errors import InvalidInput, NotFound, Refused

PERMIT = "aside-dcir"
TABLE = "ER_PRS_F"
WRONG_TYPE, TWICE = "wrong type in PRS_ACT_QTE", "duplicate key"


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    copied = copy_of(in_small_files(), tmp_path)
    grant_upkeep(copied, PERMIT, kind="quarantine")
    return copied


def mend(hub: SmallHub, change: Callable[[TableSchema], TableSchema]) -> None:
    """Import a newer description of the table."""
    catalogue = hub.open().catalogue
    built = catalogue.known().find(TABLE)
    assert built is not None
    catalogue.import_tables([replace(built, schema=change(built.schema))])


def any_quantity(schema: TableSchema) -> TableSchema:
    columns = [
        replace(each, type=ColumnType.STRING) if each.name == "PRS_ACT_QTE" else each
        for each in schema.columns
    ]
    return replace(schema, columns=tuple(columns))


def no_key(schema: TableSchema) -> TableSchema:
    return replace(schema, primary_key=())


def replayed(hub: SmallHub, permit: str = PERMIT) -> dict[str, Any]:
    return replay_rows(hub.open(), "dcir", permit=permit, progress=quiet)


def set_aside(hub: SmallHub) -> dict[str, int]:
    """Reasons to rows, as the list has them, of all files."""
    rows = quarantine_rows(hub.open(), "dcir")
    return {reason: count for row in rows for reason, count in row["reasons"].items()}


def test_the_list_says_what_is_set_aside_where_and_why_without_a_key() -> None:
    hub = in_small_files()
    size = len(hub.open().log.entries())

    (row,) = quarantine_rows(hub.open(), None)

    assert row["reasons"] == {TWICE: 2, WRONG_TYPE: 1}
    assert (row["dataset"], row["delivery"], row["file"], row["table"], row["rows"]) == (
        "dcir",
        "dcir-2023-05",
        "ER_PRS_F.csv",
        TABLE,
        3,
    )
    assert row["version"] == newest_version(hub.open().log, "dcir")
    assert row["can_be_replayed"]
    assert len(hub.open().log.entries()) == size


def test_what_was_mended_comes_in_and_the_rest_stays_with_its_reason(hub: SmallHub) -> None:
    before = rows_of_2023(hub, "look-before")[TABLE][1].rows
    mend(hub, any_quantity)

    report = replayed(hub)

    assert (report["rows"], report["accepted"], report["still_set_aside"]) == (3, 1, 2)
    assert set_aside(hub) == {TWICE: 2}
    assert rows_of_2023(hub, "look-after")[TABLE][1].rows == before + 1
    published = hub.open().log.entries()[report["entry"]].event
    assert isinstance(published, VersionPublished)
    assert published.permit == PERMIT
    with pytest.raises(UpkeepUsed):
        replayed(hub)

    # They are known as that delivery's: a correction would take them back with the others.
    opened = hub.open()
    objects = DeliveryBook(opened.records, opened.log).objects("dcir")["dcir-2023-05"]
    assert min(each.rows for each in objects.values() if each.table == TABLE) == 1

    # Once more, for those that were left: none of them comes in twice.
    mend(hub, no_key)
    grant_upkeep(hub, "again", kind="quarantine")
    assert replayed(hub, "again")["accepted"] == 2
    assert set_aside(hub) == {}
    assert rows_of_2023(hub, "look-last")[TABLE][1].rows == before + 3
    grant_upkeep(hub, "for-nothing", kind="quarantine")
    with pytest.raises(NotFound, match="Nothing of dcir"):
        replayed(hub, "for-nothing")


def test_who_comes_in_late_has_the_pseudonym_that_everybody_knows(hub: SmallHub) -> None:
    """The rows carry the holder's pseudonyms: the second stage makes of them the lake's."""

    def people(permit: str) -> set[Any]:
        tables = [pa.table(rows) for table, rows in tables_of_2023(hub, permit) if table == TABLE]
        return {cell for each in tables for cell in pl.Series(each["BEN_NIR_PSA"]).unique()}

    before = people("look-before")
    mend(hub, lambda schema: no_key(any_quantity(schema)))
    assert replayed(hub)["accepted"] == 3

    assert people("look-after") == before


def test_where_nothing_was_mended_nothing_changes_and_the_permit_is_not_used_up(
    hub: SmallHub,
) -> None:
    version = newest_version(hub.open().log, "dcir")

    report = replayed(hub)

    assert (report["entry"], report["accepted"]) == (None, 0)
    assert newest_version(hub.open().log, "dcir") == version
    assert set_aside(hub) == {TWICE: 2, WRONG_TYPE: 1}
    mend(hub, any_quantity)
    assert replayed(hub)["accepted"] == 1


def test_rows_of_a_delivery_that_was_corrected_stay_where_they_are(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend(hub, any_quantity)
    monkeypatch.setattr(QuarantineBook, "superseded", lambda *_: frozenset({"dcir-2023-05"}))

    assert replayed(hub)["accepted"] == 0


def test_a_row_that_is_lost_on_the_way_is_noticed(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise broken on purpose: a checker that counts one row too few."""
    whole = CheckedFiles._note

    def lossy(self: CheckedFiles, *given: Any, **named: Any) -> None:
        whole(self, *given, **named)
        for key, count in self.counts.items():
            self.counts[key] = replace(count, accepted=count.accepted - 1)

    monkeypatch.setattr(CheckedFiles, "_note", lossy)
    mend(hub, any_quantity)

    with pytest.raises(LinesLost):
        replayed(hub)
    assert set_aside(hub) == {TWICE: 2, WRONG_TYPE: 1}


def test_another_replay_meanwhile_brings_no_row_in_twice(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend(hub, any_quantity)
    grant_upkeep(hub, "other", kind="quarantine")
    whole = CheckedFiles.by_delivery

    def overtaken(self: CheckedFiles) -> Any:
        monkeypatch.setattr(CheckedFiles, "by_delivery", whole)
        assert replayed(hub, "other")["accepted"] == 1
        return whole(self)

    monkeypatch.setattr(CheckedFiles, "by_delivery", overtaken)

    with pytest.raises(Refused, match="changed while"):
        replayed(hub)
    assert set_aside(hub) == {TWICE: 2}


def test_a_hub_that_dies_behind_any_record_loses_no_row_and_doubles_none(tmp_path: Path) -> None:
    start = copy_of(in_small_files(), tmp_path / "start")
    grant_upkeep(start, PERMIT, kind="quarantine")
    mend(start, any_quantity)
    step, is_dead = 0, True
    while is_dead:
        step += 1
        hub = copy_of(start, tmp_path / f"{step}")

        with dies_at_record(step):
            is_dead = not lived(hub)

        assert lived(hub)
        events = [each.event for each in hub.open().log.entries()]
        assert [e.permit for e in events_of(events, VersionPublished)].count(PERMIT) == 1
        assert set_aside(hub) == {TWICE: 2}
    assert step > 2


def lived(hub: SmallHub) -> bool:
    """Replay, if that was not done; returns whether the hub lived to the end."""
    try:
        replayed(hub)
    except UpkeepUsed:
        return True
    except DiedError:
        return False
    return True


def test_a_look_tells_places_and_reasons_and_no_cell(hub: SmallHub) -> None:
    report = look_at_rows(hub.open(), "dcir", permit=PERMIT, reveal=None)

    assert report["reasons"] == {TWICE: 2, WRONG_TYPE: 1}
    assert {key for row in report["first"] for key in row} == {
        "table",
        "delivery",
        "file",
        "line",
        "reason",
    }
    assert report["revealed"] == 0


def test_the_lines_themselves_go_to_a_new_file_of_their_owner_and_nowhere_else(
    hub: SmallHub, tmp_path: Path
) -> None:
    out = tmp_path / "rows"

    report = look_at_rows(hub.open(), "dcir", permit=PERMIT, reveal=str(out))

    assert report["revealed"] == 3
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    # The holder's own file has them, but for the people, whom the holder has renamed.
    quantities = {line.split(b";")[-1] for line in out.read_bytes().splitlines()}
    delivered = (hub.deliveries / "dcir-2023-05" / "ER_PRS_F.csv").read_bytes().splitlines()
    assert len(out.read_bytes().splitlines()) == 3
    assert quantities <= {line.split(b";")[-1] for line in delivered}
    with pytest.raises(InvalidInput, match="there already"):
        look_at_rows(hub.open(), "dcir", permit=PERMIT, reveal=str(out))
    with pytest.raises(Refused, match="on a terminal only"):
        look_at_rows(hub.open(), "dcir", permit=PERMIT, reveal="-")
