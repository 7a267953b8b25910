"""P7: files that are put together hold the same rows; a crash leaves the old version or the new one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from fakes.correcting import corrected
from fakes.dying import DiedError, dies_at_record
from fakes.small_hub import SmallHub, copy_of, quiet
from fakes.upkeep import DELIVERIES, grant_upkeep, in_small_files, rows_of_2023
from fakes.verifier import GENUINE, verify
from havre.adapters.tables import merging
from havre.application.corrections import KIND_OBJECTS
from havre.application.ingest import newest_version
from havre.application.vault.sealing import VaultWriter
from havre.bootstrap.compacting import compact_dataset
from havre.domain.events import VersionPublished, events_of
from havre.domain.upkeep import UpkeepUsed
from havre.domain.version_objects import parse_version_objects
from havre.errors import HavreError, NotGenuine, Refused
from havre.formats.manifest import ManifestEntry, ObjectKind
from havre.ports.merging import RowSum

PERMIT = "compact-dcir"
PROJECT = """
[permit]
name = "spring"
title = "Medicines in spring"
purpose = "To compare an extract before and after."
applicant = "researcher"
people = ["researcher"]
period = [2023-02-01, 2023-04-30]
starts_on = 2026-01-01
ends_on = 2099-12-31
environment_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"

[tables.dcir.ER_PRS_F]
columns = ["BEN_NIR_PSA", "EXE_SOI_DTD", "PRS_NAT_REF"]

[tables.dcir.ER_PHA_F]
columns = ["PHA_PRS_C13"]
"""


def compacted(hub: SmallHub, permit: str = PERMIT, **named: Any) -> dict[str, Any]:
    return compact_dataset(
        hub.open(), "dcir", permit=permit, year=named.get("year"), progress=quiet
    )


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[int, RowSum]]:
    hub = copy_of(in_small_files(), tmp_path_factory.mktemp("before"))
    return rows_of_2023(hub, "look-before")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(in_small_files(), tmp_path)


def test_the_same_rows_lie_in_fewer_files_and_the_old_ones_stay(
    hub: SmallHub, before: Mapping[str, tuple[int, RowSum]]
) -> None:
    objects = set(hub.open().objects.list_objects())
    report = compacted(hub)

    after = rows_of_2023(hub, "look-after")
    assert {table: rows for table, (_, rows) in after.items()} == {
        table: rows for table, (_, rows) in before.items()
    }
    assert {count for count, _ in before.values()} == {3}
    assert {count for count, _ in after.values()} == {1}
    assert {each["files_before"] for each in report["tables"]} == {3}
    assert objects < set(hub.open().objects.list_objects())


def test_an_extract_after_it_has_the_very_cells_of_the_one_before_it(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows of an extract lie in an order of the project's own: the same rows, the same hash."""
    whole, sealed = VaultWriter.seal_table, []

    def heard(self: VaultWriter, *given: Any, **named: Any) -> ManifestEntry:
        entry = whole(self, *given, **named)
        if entry.kind is ObjectKind.EXTRACT:
            sealed.append((entry.table, entry.rows, entry.content_sha256))
        return entry

    monkeypatch.setattr(VaultWriter, "seal_table", heard)
    hub.ask(PROJECT, "spring")
    hub.open().extraction.extract("spring")
    first = sealed.copy()
    compacted(hub)
    sealed.clear()

    hub.open().extraction.extract("spring")

    assert sealed == first
    assert all(rows for _, rows, _ in sealed)


def test_it_is_on_the_log_under_its_permit_for_everybody_to_read_and_verify(hub: SmallHub) -> None:
    report = compacted(hub)

    opened = hub.open()
    published = opened.log.entries()[report["entry"]].event
    assert isinstance(published, VersionPublished)
    assert (published.permit, published.rows) == (PERMIT, 0)
    with pytest.raises(UpkeepUsed, match="has been used"):
        compacted(hub)
    opened.publication.publish()
    pages = {each: opened.place.site / each / f"permit-{PERMIT}.html" for each in ("en", "fr")}
    assert "Put small files together, once. Nobody is given any data." in pages["en"].read_text()
    assert "Regrouper de petits fichiers, une fois." in pages["fr"].read_text()
    assert "dcir: 2023" in pages["fr"].read_text()
    done = verify(opened.place.site, "--trust", hub.parties / "authority-1/trust.json")
    assert done.returncode == GENUINE, done.stdout


def test_what_was_withdrawn_and_whose_rows_lie_together_is_written_down(hub: SmallHub) -> None:
    report = compacted(hub)

    opened = hub.open()
    version = opened.log.entries()[report["entry"]].event.event_id
    written = parse_version_objects(opened.records.document(KIND_OBJECTS, version))
    assert len(written.withdrawn) == sum(each["files_before"] for each in report["tables"])
    assert len(written.together) == sum(each["files_after"] for each in report["tables"])
    assert set(written.together.values()) == {DELIVERIES}
    assert not written.added


def test_a_delivery_whose_rows_lie_with_others_is_corrected_no_more(hub: SmallHub) -> None:
    """Its correction would add the new rows and leave the old ones."""
    compacted(hub)
    corrected(hub.deliveries / "dcir-2023-04", "again", corrects="dcir-2023-04")
    hub.holder().deliver([hub.deliveries / "again"], progress=quiet)

    (held,) = hub.open().receiving.receive().held.values()

    assert "were put together with those of other deliveries" in held.message


def test_while_a_correction_waits_nothing_is_put_together(hub: SmallHub) -> None:
    corrected(hub.deliveries / "dcir-2023-04", "again", corrects="dcir-2023-04")
    hub.holder().deliver([hub.deliveries / "again"], progress=quiet)
    assert not hub.open().receiving.receive().held

    with pytest.raises(Refused, match="Corrections of dcir wait: again"):
        compacted(hub)
    hub.open().ingestion.ingest("dcir", progress=quiet)
    assert compacted(hub)["tables"]


def test_what_was_put_together_is_left_alone(hub: SmallHub) -> None:
    compacted(hub)
    grant_upkeep(hub, "again")
    objects = set(hub.open().objects.list_objects())

    assert compacted(hub, "again") == {"dataset": "dcir", "entry": None, "tables": []}
    assert set(hub.open().objects.list_objects()) == objects


def test_a_row_that_is_lost_on_the_way_is_noticed(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promise broken on purpose: a merge that drops one row."""
    whole = merging.Merged.__iter__

    def lossy(self: merging.Merged) -> Iterator[Any]:
        for rows in whole(self):
            yield rows.slice(1)  # type: ignore[attr-defined]

    monkeypatch.setattr(merging.Merged, "__iter__", lossy)
    version = newest_version(hub.open().log, "dcir")

    with pytest.raises(NotGenuine, match="other rows"):
        compacted(hub)
    assert newest_version(hub.open().log, "dcir") == version


def test_a_delivery_that_came_in_meanwhile_is_not_lost(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.holder().deliver([hub.deliveries / "dcir-2023-06"], progress=quiet)
    whole = merging.ArrowMerger.survey

    def overtaken(self: merging.ArrowMerger, *given: Any, **named: Any) -> Any:
        monkeypatch.setattr(merging.ArrowMerger, "survey", whole)
        other = hub.open()
        other.receiving.receive()
        other.ingestion.ingest("dcir", progress=quiet)
        return whole(self, *given, **named)

    monkeypatch.setattr(merging.ArrowMerger, "survey", overtaken)

    with pytest.raises(Refused, match="was published while"):
        compacted(hub)
    assert compacted(hub)["tables"][0]["files_before"] == 4


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        ({"year": 2024}, "does not cover dcir 2024"),
        ({"permit": "nobody-asked"}, "no permit nobody-asked"),
    ],
)
def test_what_the_permit_does_not_name_is_refused_before_a_custodian_is_asked(
    named: dict[str, Any], reason: str
) -> None:
    hub = in_small_files()
    size = len(hub.open().log.entries())

    with pytest.raises(HavreError, match=reason):
        compacted(hub, **named)
    assert len(hub.open().log.entries()) == size


def test_a_hub_that_dies_behind_any_record_has_the_old_version_or_the_new(tmp_path: Path) -> None:
    step, is_dead = 0, True
    while is_dead:
        step += 1
        hub = copy_of(in_small_files(), tmp_path / f"{step}")

        with dies_at_record(step):
            is_dead = not lived(hub)

        assert lived(hub)
        events = [each.event for each in hub.open().log.entries()]
        assert [e.permit for e in events_of(events, VersionPublished)].count(PERMIT) == 1
    assert step > 3


def lived(hub: SmallHub) -> bool:
    """Put files together, if that was not done; returns whether the hub lived to the end."""
    try:
        compacted(hub)
    except UpkeepUsed:
        return True
    except DiedError:
        return False
    return True


COMPACT = """
import sys
from pathlib import Path
from fakes.correcting import corrected
from fakes.small_hub import SmallHub
from havre.bootstrap.compacting import compact_dataset
hub = SmallHub(Path(sys.argv[1])).open()
compact_dataset(hub, "dcir", permit="compact-dcir", year=None, progress=print)
"""


def test_a_hub_that_is_killed_when_all_is_sealed_and_nothing_published_begins_again(
    hub: SmallHub, before: Mapping[str, tuple[int, RowSum]]
) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    words = [sys.executable, "-u", "-c", COMPACT, str(hub.root)]
    child = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert any("reading back" in line for line in child.stdout)
    time.sleep(0.05)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()

    lived(hub)

    after = rows_of_2023(hub, "look-after")
    assert {table: rows for table, (_, rows) in after.items()} == {
        table: rows for table, (_, rows) in before.items()
    }
    assert {count for count, _ in after.values()} == {1}


def test_files_are_not_put_together_while_a_correction_waits(hub: SmallHub) -> None:
    """It still asks which objects came from which delivery."""
    corrected(hub.deliveries / DELIVERIES[0], "again", corrects=DELIVERIES[0])
    hub.holder().deliver([hub.deliveries / "again"], progress=quiet)
    assert not hub.open().receiving.receive().held

    with pytest.raises(Refused, match="Corrections of dcir wait: again"):
        compacted(hub)
