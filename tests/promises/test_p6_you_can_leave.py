"""P6: the whole hub is packed, opened on another host, and proves that nothing is missing or changed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from fakes.departed import (
    REQUEST,
    copy_of_move,
    departed,
    moving,
    opened_at,
    released,
    spoiled_package,
)
from fakes.small_hub import PERMIT_NAME, copy_of, founded, granted, ingested, quiet
from havre.adapters.package.folder import FolderPackageReader
from havre.application import depart as departing
from havre.application.depart import holdings_of, rows_of_datasets
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import depart, prepare_host
from havre.domain.assets import ASSETS, Holdings, find_lacking, list_named
from havre.domain.departure import AssetClass, parse_manifest
from havre.domain.events import Arrived, Departed, Handover, VersionPublished, events_of
from havre.domain.handover import HandedOver
from havre.domain.permit_states import PermitState
from havre.errors import NotGenuine, Unavailable


def bytes_below(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# ------------------------------------------------------------ the way it should go


def test_a_hub_arrives_with_equal_head_objects_records_and_rows(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)
    before = OpenHub(move.hub.hub)

    parity = opened_at(move)

    after = OpenHub(move.new)
    events = [each.event for each in after.log.entries()]
    objects = {each: b"".join(before.objects.get(each)) for each in before.objects.list_objects()}
    assert {e: b"".join(after.objects.get(e)) for e in after.objects.list_objects()} == objects
    assert parity.objects == len(objects)
    assert [len(events_of(events, kind)) for kind in (Departed, Handover, Arrived)] == [1, 1, 1]
    assert events[: parity.log_size] == [
        each.event for each in before.log.entries()[: parity.log_size]
    ]
    assert parity.rows == rows_of_datasets(before.log)
    assert parity.lacking == ()
    for kind in before.records.list_kinds():
        assert after.records.list_documents(kind) == before.records.list_documents(kind)


def test_every_sealed_manifest_that_the_log_names_is_there_byte_for_byte(tmp_path: Path) -> None:
    """So the row counts and content hashes inside are equal, and nobody has opened one."""
    move = copy_of_move(tmp_path)
    parity = opened_at(move)

    after = OpenHub(move.new)
    events = [each.event for each in after.log.entries()]
    named = {sha for e in events_of(events, VersionPublished) for sha in e.manifests.values()}
    there = {
        hashlib.sha256(b"".join(after.objects.get(each))).hexdigest()
        for each in after.objects.list_objects()
    }
    assert named
    assert named <= there
    assert parity.named[AssetClass.OBJECTS.value] >= len(named)


def test_the_new_hub_works_and_the_old_one_says_where_to_go(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)
    opened_at(move)
    opened = OpenHub(move.new)
    opened.wake()

    report = opened.extraction.extract(PERMIT_NAME)

    assert report.rows["ER_PRS_F"] > 0
    with pytest.raises(HandedOver, match="handed over") as refusal:
        move.hub.open().extraction.extract(PERMIT_NAME)
    host = json.loads((move.new / "host.json").read_text())
    assert host["log_key"][:16] in refusal.value.hint


def test_a_hub_that_has_left_takes_no_delivery_and_no_signature(tmp_path: Path) -> None:
    """Neither makes an entry of its own at once: both would stay behind unseen."""
    hub = copy_of_move(tmp_path).hub
    before = hub.open().inbox.list_deliveries()

    late = Path(shutil.copytree(hub.deliveries / "cepidc-2024", tmp_path / "cepidc-too-late"))
    announced = (late / "delivery.toml").read_text()
    (late / "delivery.toml").write_text(announced.replace("cepidc-2024", late.name))
    (sent,) = hub.holder().send([late], progress=quiet)

    assert isinstance(sent.fault, HandedOver)
    assert hub.open().inbox.list_deliveries() == before
    with pytest.raises(HandedOver):
        hub.open().permits.sign(PERMIT_NAME, authority=hub.token("authority-1"))


def test_a_delivery_that_waits_is_taken_in_by_the_new_hub(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    move = moving(hub)
    waiting = bytes_below(hub.hub / "inbox" / "cepidc-2024")

    parity = opened_at(move)

    assert parity.waiting == 1
    assert bytes_below(move.new / "inbox" / "cepidc-2024") == waiting
    opened = OpenHub(move.new)
    assert opened.receiving.receive().taken_in == ("cepidc-2024",)
    opened.ingestion.ingest("cepidc", progress=quiet)


def test_the_note_of_a_waiting_delivery_is_not_clear_on_the_way() -> None:
    paths = [file.path for file in FolderPackageReader(departed().package).measure()]

    assert [path for path in paths if path.startswith("inbox/")]
    assert not [path for path in paths if "note" in path or "cepidc" in path]


def test_a_delivery_that_comes_while_the_hub_is_packed_stops_the_departure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = copy_of(founded(), tmp_path)
    card = prepare_host(tmp_path / "new")
    whole = departing.Departure._pack_people

    def meanwhile(self: departing.Departure, packing: departing._Packing) -> None:
        hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
        whole(self, packing)

    monkeypatch.setattr(departing.Departure, "_pack_people", meanwhile)

    with pytest.raises(Unavailable, match="A delivery came in"):
        depart(
            hub.open(),
            name="move-1",
            card=card,
            controller=hub.parties / "controller",
            package=tmp_path / "package",
        )
    hub.open().journal.check_ours()


def test_released_files_arrive_and_are_published_even_when_the_permit_was_revoked(
    tmp_path: Path,
) -> None:
    hub = copy_of(released(), tmp_path)
    hub.open().permits.decide(
        PERMIT_NAME, PermitState.REVOKED, authority=hub.token("authority-1"), reason="over"
    )
    move = moving(hub)

    parity = opened_at(move)

    before, after = hub.hub / "site" / "releases", move.new / "site" / "releases"
    assert bytes_below(after) == bytes_below(before)
    assert parity.released == len(bytes_below(before)) == 3
    assert OpenHub(move.new).publication.publish()


def test_a_released_file_that_was_lost_before_is_told_and_stops_nothing(tmp_path: Path) -> None:
    hub = copy_of(released(), tmp_path)
    (hub.hub / "site" / "releases" / REQUEST / "people.csv").unlink()
    move = moving(hub)

    parity = opened_at(move)

    assert parity.lacking == (f"releases/{REQUEST}/people.csv",)
    OpenHub(move.new).publication.publish()
    page = (move.new / "site" / "en" / "releases.html").read_text()
    assert "(not on this site, or not the one whose hash is on the log)" in page


def published(hub: OpenHub, page: str) -> str:
    """Write a hub's pages and read one."""
    hub.wake()
    hub.publication.publish()
    return (hub.place.site / page).read_text()


def test_the_old_hub_can_show_its_pages_and_they_say_where_its_log_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = copy_of_move(tmp_path)
    opened_at(move)
    # Witnesses have seen more than it has: an old head that it cannot renew is no reason to stop.
    monkeypatch.setattr("havre.bootstrap.hub._RENEW_AFTER_S", -1)
    before, after = OpenHub(move.hub.hub), OpenHub(move.new)

    assert "has handed its log over to another host" in published(before, "en/log.html")
    assert "has handed its log over" not in published(after, "en/log.html")
    assert "the data are made up" in published(after, "en/index.html")
    assert after.place.settings == before.place.settings


# ------------------------------------------------------------ the twelve asset classes


def test_every_asset_class_is_packed_or_said_not_to_be_there_yet() -> None:
    manifest = parse_manifest((departed().package / "departure.json").read_bytes())

    there = {file.asset for file in manifest.files}
    assert there | set(manifest.empty) == set(AssetClass) == set(ASSETS)
    assert set(manifest.empty) == {AssetClass.CLOCKS, AssetClass.MODELS}
    assert all(ASSETS[asset].not_yet for asset in manifest.empty)


PACKED = [asset for asset in AssetClass if asset not in (AssetClass.CLOCKS, AssetClass.MODELS)]


@pytest.mark.parametrize("asset", PACKED)
def test_any_file_of_any_class_that_is_dropped_is_named(asset: AssetClass, tmp_path: Path) -> None:
    move = spoiled_package(tmp_path)
    manifest = parse_manifest((move.package / "departure.json").read_bytes())
    gone = manifest.of_class(asset)[-1]
    (move.package / gone.path).unlink()

    with pytest.raises(NotGenuine, match=f"{asset.value}: 1 missing .*{gone.path}"):
        opened_at(move)
    assert sorted(path.name for path in move.new.iterdir()) == ["host.json", "party"]


def holdings() -> tuple[Holdings, OpenHub]:
    """Everything that a hub with a release has, as its package would have it."""
    hub = OpenHub(departed().hub.hub)
    manifest = parse_manifest((departed().package / "departure.json").read_bytes())
    permits = [document.body for document in hub.records.list_documents("permit")]
    return holdings_of(manifest.files, hub.records, log=hub.log, permits=permits), hub


@pytest.mark.parametrize("change", ["dropped", "altered"])
def test_each_thing_that_the_log_names_is_missed_when_it_is_gone_or_another(change: str) -> None:
    """The proof against the log rests on nothing that the old hub says."""
    held, hub = holdings()
    named = list_named(logged.event for logged in hub.log.entries())
    assert find_lacking(named, held) == ()
    assert {each.asset for each in named} == {
        AssetClass.OBJECTS,
        AssetClass.CATALOGUE,
        AssetClass.KEYS,
        AssetClass.PERMITS,
        AssetClass.JOBS,
    }
    for each in named:
        if change == "altered" and not each.sha256:
            continue
        places = dict(held.places)
        for place, sha256 in held.places.items():
            by_hash = each.place == "objects/*" and sha256 == each.sha256
            if place == each.place or (by_hash and place.startswith("objects/")):
                places[place] = "0" * 64
                if change == "dropped":
                    del places[place]

        lacking = find_lacking(named, Holdings(places))

        assert lacking, each
        assert all(each.sha256 in told or each.place in told for told in lacking)


def test_a_hub_that_packs_less_than_its_log_names_is_caught(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The breach: the old hub leaves a sealed manifest out, and swears that nothing is missing."""
    hub = copy_of(ingested(), tmp_path)
    opened = hub.open()
    (version, *_) = events_of([each.event for each in opened.log.entries()], VersionPublished)
    (sha256, *_) = version.manifests.values()
    where = opened.records.document("manifest", sha256).decode()
    (hub.hub / "store" / "objects" / where[:2] / where).unlink()
    monkeypatch.setattr(departing, "find_lacking", lambda *_: ())
    move = moving(hub)

    with pytest.raises(NotGenuine, match=f"The log names what did not arrive.*manifest {sha256}"):
        opened_at(move)
    assert not (move.new / "havre.toml").exists()


def test_nothing_clear_is_in_the_package_but_what_is_public() -> None:
    number = (granted().root / "files/truth/people.csv").read_text().split("\n")[1].split(",")[1]
    reader = FolderPackageReader(departed().package)

    for file in reader.measure():
        body = b"".join(reader.read(file.path))
        assert number.encode() not in body
        if file.path.startswith(("objects/", "records/", "inbox/")):
            assert b'"havre/v1/' not in body
