"""P6: the whole hub is packed, opened on another host, and proves that nothing is missing or changed."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, quiet
from havre.adapters.outputs.folder import ShelfFolder
from havre.adapters.package.folder import FolderPackageReader
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import arrive, depart, prepare_host
from havre.domain.departure import AssetClass, parse_manifest
from havre.domain.events import Arrived, Departed, Handover, events_of
from havre.errors import HavreError, NotGenuine, Refused

RELEASED = {"people.csv": b"sex,people\n1,200\n", "ro-crate-metadata.json": b"{}"}


def leave(root: Path) -> tuple[SmallHub, Path, Path]:
    """Pack a hub for a new host; returns the hub, the package and the new host's directory."""
    hub = copy_of(granted(), root / "old")
    ShelfFolder(hub.hub / "site" / "releases").put("r1", RELEASED)
    new = root / "new"
    card = prepare_host(new)
    package = root / "package"
    depart(
        hub.open(), name="move-1", card=card, controller=hub.parties / "controller", package=package
    )
    return hub, package, new


def test_a_hub_arrives_with_equal_head_objects_rows_and_content(tmp_path: Path) -> None:
    hub, package, new = leave(tmp_path)
    before = OpenHub(hub.hub)

    parity = arrive(new, package=package, parties=hub.parties, progress=quiet)

    after = OpenHub(new)
    events = [each.event for each in after.log.entries()]
    objects = {each: b"".join(before.objects.get(each)) for each in before.objects.list_objects()}
    assert {e: b"".join(after.objects.get(e)) for e in after.objects.list_objects()} == objects
    assert parity.objects == len(objects)
    assert [len(events_of(events, kind)) for kind in (Departed, Handover, Arrived)] == [1, 1, 1]
    assert events[: parity.log_size] == [
        each.event for each in before.log.entries()[: parity.log_size]
    ]
    assert parity.rows == before_rows(before)
    for kind in before.records.list_kinds():
        assert after.records.list_documents(kind) == before.records.list_documents(kind)


def before_rows(hub: OpenHub) -> dict[str, int]:
    from havre.application.depart import rows_of_datasets

    return rows_of_datasets(hub.log)


def test_the_new_hub_works_and_the_old_one_can_write_no_more(tmp_path: Path) -> None:
    hub, package, new = leave(tmp_path)
    arrive(new, package=package, parties=hub.parties, progress=quiet)
    moved = SmallHub(tmp_path / "moved")
    opened = OpenHub(new)
    opened.wake()

    report = opened.extraction.extract(PERMIT_NAME)

    assert report.rows["ER_PRS_F"] > 0
    with pytest.raises(HavreError):
        hub.open().extraction.extract(PERMIT_NAME)
    assert moved.hub.exists() is False


def test_what_everybody_could_see_is_seen_at_the_new_host(tmp_path: Path) -> None:
    hub, package, new = leave(tmp_path)
    arrive(new, package=package, parties=hub.parties, progress=quiet)

    shelf = new / "site" / "releases" / "r1"
    assert {path.name: path.read_bytes() for path in shelf.iterdir()} == RELEASED
    assert OpenHub(new).place.settings == OpenHub(hub.hub).place.settings
    assert "the data are made up" in published(OpenHub(new), "en/index.html")


def published(hub: OpenHub, page: str) -> str:
    """Write a hub's pages and read one."""
    hub.wake()
    hub.publication.publish()
    return (hub.place.site / page).read_text()


def test_the_old_hub_can_show_its_pages_and_they_say_where_its_log_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, package, new = leave(tmp_path)
    arrive(new, package=package, parties=hub.parties, progress=quiet)
    # Witnesses have seen more than it has: an old head that it cannot renew is no reason to stop.
    monkeypatch.setattr("havre.bootstrap.hub._RENEW_AFTER", timedelta(seconds=-1))

    assert "has handed its log over to another host" in published(OpenHub(hub.hub), "en/log.html")
    assert "has handed its log over" not in published(OpenHub(new), "en/log.html")


def test_every_asset_class_is_packed_or_said_to_be_empty(tmp_path: Path) -> None:
    _, package, _ = leave(tmp_path)

    manifest = parse_manifest((package / "departure.json").read_bytes())

    there = {file.asset for file in manifest.files}
    assert there | set(manifest.empty) == set(AssetClass)
    assert set(manifest.empty) == {AssetClass.CLOCKS, AssetClass.MODELS}


def test_nothing_clear_is_in_the_package_but_what_is_public(tmp_path: Path) -> None:
    _, package, _ = leave(tmp_path)
    number = (granted().root / "files/truth/people.csv").read_text().split("\n")[1].split(",")[1]

    for file in FolderPackageReader(package).measure():
        body = b"".join(FolderPackageReader(package).read(file.path))
        assert number.encode() not in body
        if file.path.startswith(("objects/", "records/")):
            assert b'"havre/v1/' not in body


def spoil_change(package: Path) -> None:
    path = next((package / "objects").iterdir())
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))


def spoil_drop(package: Path) -> None:
    next((package / "objects").iterdir()).unlink()


def spoil_add(package: Path) -> None:
    (package / "objects" / ("0" * 32)).write_bytes(b"a guest")


def spoil_records(package: Path) -> None:
    path = max((package / "records").iterdir(), key=lambda each: each.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("spoil", [spoil_change, spoil_drop, spoil_add, spoil_records])
def test_a_package_that_changed_on_the_way_is_refused(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    hub, package, new = leave(tmp_path)
    spoil(package)

    with pytest.raises(NotGenuine, match="does not arrive whole"):
        arrive(new, package=package, parties=hub.parties, progress=quiet)
    assert not (new / "havre.toml").exists()


def test_a_package_with_another_manifest_is_not_on_the_log(tmp_path: Path) -> None:
    hub, package, new = leave(tmp_path)
    gone = next((package / "objects").iterdir())
    manifest = package / "departure.json"
    body = manifest.read_bytes()
    entry = body.index(gone.name.encode())
    start, end = body.rindex(b"{", 0, entry), body.index(b"}", entry) + 1
    manifest.write_bytes(body[:start] + body[end + 1 :])
    gone.unlink()

    with pytest.raises(NotGenuine, match="does not say that a hub left with this package"):
        arrive(new, package=package, parties=hub.parties, progress=quiet)


def test_only_the_host_that_the_controller_named_can_take_the_log_over(tmp_path: Path) -> None:
    hub, package, _ = leave(tmp_path)
    thief = tmp_path / "thief"
    prepare_host(thief)

    with pytest.raises(NotGenuine, match="not handed over to this host"):
        arrive(thief, package=package, parties=hub.parties, progress=quiet)


def test_somebody_else_than_the_controller_hands_nothing_over(tmp_path: Path) -> None:
    hub = copy_of(granted(), tmp_path / "old")
    card = prepare_host(tmp_path / "new")

    with pytest.raises(Refused):
        depart(
            hub.open(),
            name="coup",
            card=card,
            controller=hub.parties / "authority-1",
            package=tmp_path / "package",
        )
    # Nothing was begun: the hub goes on as before.
    assert hub.open().extraction.extract(PERMIT_NAME).rows


def test_arriving_twice_in_one_place_is_refused(tmp_path: Path) -> None:
    hub, package, new = leave(tmp_path)
    arrive(new, package=package, parties=hub.parties, progress=quiet)

    with pytest.raises(Refused):
        arrive(new, package=package, parties=hub.parties, progress=quiet)


def test_the_manifest_on_the_log_is_the_packages(tmp_path: Path) -> None:
    hub, package, _ = leave(tmp_path)

    events = [each.event for each in OpenHub(hub.hub).log.entries()]
    (departed,) = events_of(events, Departed)

    body = (package / "departure.json").read_bytes()
    assert departed.manifest_sha256 == hashlib.sha256(body).hexdigest()
