"""Rotation on a whole hub: new writes go to the new generation, and readers take both."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, permit_text, quiet
from havre.application.audit import PublicLog
from havre.bootstrap.intake import take_in
from havre.bootstrap.rotating import list_key_rows, rotate
from havre.domain.events import PartitionsCreated, VersionPublished, events_of
from havre.errors import InvalidInput, Refused


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


FIRST = ("beneficiaires-2024", "dcir-2023-02", "pmsi-mco-2023")
SECOND = ("dcir-2023-03",)


def deliver(hub: SmallHub, names: tuple[str, ...]) -> None:
    hub.holder().deliver([hub.deliveries / name for name in names], progress=quiet)
    assert not take_in(hub.open(), [], progress=quiet).faults


def texts_written(hub: SmallHub, log: PublicLog) -> list[set[str]]:
    """Of each version, the partitions it wrote to, by their spelling."""
    rows = list_key_rows(hub.open(), everything=True)
    names = {str(row["id"]): str(row["partition"]) for row in rows}
    versions = events_of([each.event for each in log.entries()], VersionPublished)
    return [{names[each] for each in version.manifests} for version in versions]


def test_what_is_written_after_a_rotation_lies_under_new_keys_and_both_are_read(
    hub: SmallHub,
) -> None:
    deliver(hub, FIRST)
    first = set().union(*texts_written(hub, hub.open().log))
    rotate(hub.open(), sorted(first), due=False)
    deliver(hub, SECOND)
    second = texts_written(hub, hub.open().log)[-1]

    assert {text.rpartition("/")[2] for text in first} == {"1"}
    assert {text.rpartition("/")[2] for text in second} == {"2"}
    states = {str(r["partition"]): r["state"] for r in list_key_rows(hub.open(), everything=True)}
    assert {states[text] for text in first} == {"closed"}
    hub.ask(permit_text())
    assert sum(hub.open().extraction.extract(PERMIT_NAME).rows.values()) > 0
    # Each generation was opened once: nothing that was sealed before is lost to readers.
    openings = {
        str(r["partition"]): r["openings"] for r in list_key_rows(hub.open(), everything=True)
    }
    assert [openings[f"dataset/dcir/2023/{generation}"] for generation in (1, 2)] == [1, 1]


def test_an_ingestion_makes_the_successors_that_it_needs_by_itself(hub: SmallHub) -> None:
    deliver(hub, FIRST)
    with (hub.hub / "havre.toml").open("a") as file:
        file.write("\n[keys]\nrotate_after_openings = 1\n")
    hub.ask(permit_text())
    hub.open().extraction.extract(PERMIT_NAME)
    due = [r for r in list_key_rows(hub.open(), everything=True) if r["state"] == "due"]
    deliver(hub, SECOND)
    rows = {str(r["partition"]): r for r in list_key_rows(hub.open(), everything=True)}

    assert due
    assert rows["dataset/dcir/2023/1"]["state"] == "closed"
    assert rows["dataset/dcir/2023/2"]["state"] == "open"
    # Of a dataset that nothing was delivered of, nothing was made.
    assert "dataset/pmsi-mco/2023/2" not in rows


def test_a_rotation_asked_twice_makes_one_successor_when_it_is_due(hub: SmallHub) -> None:
    deliver(hub, FIRST)
    with (hub.hub / "havre.toml").open("a") as file:
        file.write("\n[keys]\nrotate_after_openings = 1\n")
    hub.ask(permit_text())
    hub.open().extraction.extract(PERMIT_NAME)
    made = rotate(hub.open(), [], due=True)
    size = len(hub.open().log.entries())

    assert made
    assert rotate(hub.open(), [], due=True) == []
    assert len(hub.open().log.entries()) == size
    created = events_of([each.event for each in hub.open().log.entries()], PartitionsCreated)
    assert set(created[-2].public_keys) | set(created[-1].public_keys) >= {
        each.partition_id for each in made
    }


def test_a_secret_and_a_project_have_no_generation_to_come(hub: SmallHub) -> None:
    with pytest.raises(Refused, match="secret/stage-2/1"):
        rotate(hub.open(), ["secret/stage-2/1"], due=False)


def test_a_rotation_of_nothing_is_a_slip(hub: SmallHub) -> None:
    with pytest.raises(InvalidInput, match="of something"):
        rotate(hub.open(), [], due=False)
