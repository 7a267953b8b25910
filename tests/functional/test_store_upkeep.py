"""Every copy is compared with the log without a key, and bad ones are replaced by good ones."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.kept_twice import KeptTwice, far_bodies, small_lake
from fakes.s3_host import Manner, S3Host, running_s3_host
from fakes.small_hub import copy_of, founded, quiet
from havre.application.vault.inventory import KIND_LIST, read_inventory
from havre.bootstrap.upkeep import check_stores, repair_stores, scrub_stores
from havre.domain.events import CopiesCounted, VersionPublished, events_of
from havre.domain.inventory import Damage
from havre.errors import NotFound, NotGenuine, Refused
from havre.values import ObjectId


@pytest.fixture
def host() -> Iterator[S3Host]:
    with running_s3_host() as running:
        yield running


@pytest.fixture
def kept(tmp_path: Path, host: S3Host, monkeypatch: pytest.MonkeyPatch) -> KeptTwice:
    """A lake that lies in a directory and at a host."""
    hub = copy_of(small_lake(), tmp_path / "hub")
    kept = KeptTwice(hub, host.endpoint, monkeypatch=monkeypatch)
    kept.fill_far(host)
    return kept


def ids(host: S3Host) -> list[ObjectId]:
    return sorted(far_bodies(host))


def counted(kept: KeptTwice) -> list[CopiesCounted]:
    return events_of([each.event for each in kept.open().log.entries()], CopiesCounted)


def row(found: dict[str, Any], store: str) -> dict[str, Any]:
    (found_row,) = [each for each in found["stores"] if each["store"] == store]
    return dict(found_row)


def test_a_second_store_is_filled_by_repairing(kept: KeptTwice, host: S3Host) -> None:
    whole = far_bodies(host)
    for name in whole:
        lose(host, name)

    done = repair_stores(kept.open(), progress=quiet)
    found = check_stores(kept.open(), name=None, progress=quiet)

    assert done["repaired"] == {"far": {"missing": len(whole)}}
    assert found["objects_on_the_log"] == len(whole)
    assert far_bodies(host) == whole
    assert [each["bad"] for each in found["stores"]] == [0, 0]
    assert (found["lost"], found["acts_without_a_list"]) == ([], 0)
    assert counted(kept)[-1].lacking == {"near": 0, "far": 0}


def lose(host: S3Host, name: ObjectId) -> None:
    del host.objects[host.path(name)]


def empty(host: S3Host, name: ObjectId) -> None:
    host.objects[host.path(name)] = b""


def truncate(host: S3Host, name: ObjectId) -> None:
    host.objects[host.path(name)] = host.objects[host.path(name)][:-1]


def flip(host: S3Host, name: ObjectId) -> None:
    body = bytearray(host.objects[host.path(name)])
    body[len(body) // 2] ^= 1
    host.objects[host.path(name)] = bytes(body)


def swap(host: S3Host, name: ObjectId) -> None:
    host.objects[host.path(name)] = host.objects[host.path(ids(host)[-1])]


DAMAGES = {
    Damage.MISSING: lose,
    Damage.EMPTY: empty,
    Damage.TRUNCATED: truncate,
    Damage.ALTERED: flip,
    Damage.SWAPPED: swap,
}


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_bad_copy_is_found_named_and_replaced(
    kept: KeptTwice, host: S3Host, damage: Damage
) -> None:
    whole, name = far_bodies(host), ids(host)[3]
    DAMAGES[damage](host, name)

    found = scrub_stores(kept.open(), name=None, progress=quiet)
    done = repair_stores(kept.open(), progress=quiet)

    assert row(found, "far")["what"] == {damage.value: 1}
    assert (row(found, "near")["bad"], found["lost"]) == (0, [])
    assert done["repaired"] == {"far": {damage.value: 1}}
    assert far_bodies(host) == whole
    assert [(each.occasion, each.lacking) for each in counted(kept)[-2:]] == [
        ("scrub", {"near": 0, "far": 1}),
        ("repair", {"near": 0, "far": 0}),
    ]


def manifests(kept: KeptTwice) -> list[ObjectId]:
    """Where manifests lie, in the order in which they were published."""
    opened = kept.open()
    inventory = read_inventory(opened.records, log=opened.log)
    by_hash: dict[str, ObjectId] = {each.sha256: name for name, each in inventory.objects.items()}
    published = events_of([each.event for each in opened.log.entries()], VersionPublished)
    return [by_hash[sha256] for event in published for sha256 in event.manifests.values()]


def test_an_old_manifest_served_as_the_new_one_is_refused(
    kept: KeptTwice, host: S3Host, caplog: pytest.LogCaptureFixture
) -> None:
    """The log's head says which is the new one; a host cannot roll a dataset back."""
    old, *_, new = manifests(kept)
    sha256 = read_inventory(kept.open().records, log=kept.open().log).objects[new].sha256
    host.objects[host.path(new)] = host.objects[host.path(old)]
    kept.overwrite_near(new, kept.near(old).read_bytes())

    with pytest.raises(NotGenuine, match=r"near: .*not the one.*far: .*not the one"):
        kept.open().objects.get(new, sha256=sha256)
    found = check_stores(kept.open(), name=None, progress=quiet)
    assert found["lost"] == [new]
    assert row(found, "far")["what"] == {"another object of ours": 1}


def test_a_reader_is_told_and_served_from_elsewhere(
    kept: KeptTwice, host: S3Host, caplog: pytest.LogCaptureFixture
) -> None:
    (name, *_) = manifests(kept)
    sha256 = read_inventory(kept.open().records, log=kept.open().log).objects[name].sha256
    kept.overwrite_near(name, b"")

    with caplog.at_level(logging.WARNING):
        body = b"".join(kept.open().objects.get(name, sha256=sha256))

    assert body == host.objects[host.path(name)]
    assert "Store near: An object in the store is empty" in caplog.text


def test_the_last_copy_is_never_touched_even_when_it_is_bad(kept: KeptTwice, host: S3Host) -> None:
    name = ids(host)[3]
    flip(host, name)
    bad = host.objects[host.path(name)]
    kept.near(name).unlink()
    scrub_stores(kept.open(), name=None, progress=quiet)

    done = repair_stores(kept.open(), progress=quiet)

    assert (done["lost"], done["repaired"]) == ([name], {})
    assert done["left"] == {"near": 1, "far": 1}
    assert host.objects[host.path(name)] == bad


def test_a_good_copy_at_a_host_that_is_away_is_waited_for(kept: KeptTwice, host: S3Host) -> None:
    name = ids(host)[3]
    kept.overwrite_near(name, b"bad")
    scrub_stores(kept.open(), name="near", progress=quiet)
    host.manner = Manner.NO_BUCKET

    done = repair_stores(kept.open(), progress=quiet)

    assert "bucket is gone" in done["away"]["far"]
    assert done["left"] == {"near": 1}
    assert kept.near(name).read_bytes() == b"bad"
    host.manner = Manner.GOOD
    assert repair_stores(kept.open(), progress=quiet)["repaired"] == {"near": {"truncated": 1}}


def test_a_copy_that_a_host_does_not_give_now_is_not_removed(kept: KeptTwice, host: S3Host) -> None:
    name = ids(host)[3]
    truncate(host, name)
    scrub_stores(kept.open(), name="far", progress=quiet)
    host.manner = Manner.FAILS
    before = dict(host.objects)

    repair_stores(kept.open(), progress=quiet)

    assert host.objects == before


class _CutShort(BaseException):
    pass


def cut_after(objects: int) -> Callable[[int, int, str], None]:
    def tell(done: int, _of: int, _what: str) -> None:
        if done == objects:
            raise _CutShort

    return tell


def test_a_scrub_that_was_cut_short_goes_on_and_forgets_nothing(
    kept: KeptTwice, host: S3Host
) -> None:
    names = ids(host)
    truncate(host, names[2])
    flip(host, names[-2])
    with pytest.raises(_CutShort):
        scrub_stores(kept.open(), name="far", progress=cut_after(10))
    host.asked.clear()

    found = scrub_stores(kept.open(), name="far", progress=quiet)

    read = {path.rpartition("/")[2] for path in host.asked if path.startswith("GET")}
    assert read & set(names) == set(names[10:])
    assert row(found, "far")["objects"] == len(names)
    assert row(found, "far")["what"] == {"altered": 1, "truncated": 1}
    assert found["bytes"] == row(found, "far")["bytes"] + 1


def test_a_scrub_goes_on_where_a_store_went_away(kept: KeptTwice, host: S3Host) -> None:
    """What it did not give while it went away is read again, not passed over."""
    names = ids(host)

    def go_away(done: int, _of: int, _what: str) -> None:
        if done == 5:
            host.manner = Manner.FORBIDS

    away = scrub_stores(kept.open(), name="far", progress=go_away)
    host.manner = Manner.GOOD
    found = scrub_stores(kept.open(), name="far", progress=quiet)

    assert (row(away, "far")["objects"], row(away, "far")["bad"]) == (5, 0)
    assert row(away, "far")["away"]
    assert (row(found, "far")["objects"], row(found, "far")["bad"]) == (len(names), 0)
    assert not row(found, "far")["away"]


def test_one_object_that_is_not_given_is_a_fault_of_its_own(kept: KeptTwice, host: S3Host) -> None:
    host.withheld = {host.path(ids(host)[4])}

    found = scrub_stores(kept.open(), name="far", progress=quiet)

    assert row(found, "far")["what"] == {"not readable now": 1}


def test_a_store_that_is_away_is_named_and_not_counted(kept: KeptTwice, host: S3Host) -> None:
    host.manner = Manner.FORBIDS

    found = scrub_stores(kept.open(), name=None, progress=quiet)

    assert "refuses our access key" in row(found, "far")["away"]
    assert counted(kept)[-1].lacking == {"near": 0}


def test_checking_needs_no_key_at_all(kept: KeptTwice) -> None:
    """The custodians are gone, and so are the hub's own secrets."""
    kept.hub.parties.rename(kept.hub.root / "gone")
    for path in (kept.hub.hub / "party").iterdir():
        if "trust" not in path.name and "toml" not in path.name:
            path.unlink()

    found = check_stores(kept.open(), name=None, progress=quiet)

    assert [each["bad"] for each in found["stores"]] == [0, 0]


def test_checking_writes_nothing(kept: KeptTwice, host: S3Host) -> None:
    before, log = dict(host.objects), kept.open().log.checkpoint()

    check_stores(kept.open(), name=None, progress=quiet)

    assert (host.objects, kept.open().log.checkpoint()) == (before, log)


def test_records_that_miss_a_list_are_noticed(kept: KeptTwice) -> None:
    records = kept.open().records
    records.forget_document(KIND_LIST, records.list_documents(KIND_LIST)[0].name)

    with pytest.raises(NotGenuine, match="miss a list"):
        check_stores(kept.open(), name=None, progress=quiet)


def test_what_nobody_lists_is_counted(kept: KeptTwice, host: S3Host) -> None:
    host.objects[host.path("0" * 32)] = b"left by a write that failed"

    assert row(check_stores(kept.open(), name="far", progress=quiet), "far")["unlisted"] == 1


def test_a_store_of_another_name_is_refused(kept: KeptTwice) -> None:
    with pytest.raises(NotFound, match="no store elsewhere"):
        check_stores(kept.open(), name="elsewhere", progress=quiet)


def test_one_store_cannot_be_repaired_from_itself(tmp_path: Path) -> None:
    hub = copy_of(small_lake(), tmp_path)

    assert check_stores(hub.open(), name=None, progress=quiet)["lost"] == []
    with pytest.raises(Refused, match="one store only"):
        repair_stores(hub.open(), progress=quiet)


def test_a_debt_stands_on_the_log_until_it_is_paid(
    tmp_path: Path, host: S3Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptTwice(copy_of(founded(), tmp_path), host.endpoint, monkeypatch=monkeypatch, needed=1)
    kept.hub.holder().deliver([kept.hub.deliveries / "cepidc-2024"], progress=quiet)
    host.manner = Manner.FORBIDS
    assert not kept.hub.open().receiving.receive().held
    owed = counted(kept)[-1]
    host.manner = Manner.GOOD
    repair_stores(kept.open(), progress=quiet)

    assert owed.occasion == "write"
    assert owed.lacking == {"far": owed.objects}
    assert counted(kept)[-1].lacking == {"near": 0, "far": 0}
    assert len(ids(host)) == owed.objects


def test_the_commands_tell_a_program(kept: KeptTwice, host: S3Host) -> None:
    def told(*words: str) -> tuple[int, Any]:
        command = [sys.executable, "-m", "havre", "store", *words, "--json"]
        done = subprocess.run(
            [*command, "--hub", str(kept.hub.hub)], capture_output=True, text=True, check=False
        )
        return done.returncode, json.loads(done.stdout)

    lose(host, ids(host)[0])

    code, stores = told("list")
    assert code == 0
    assert [(each["store"], each["host"], each["state"]) for each in stores] == [
        ("near", "cellar", "answers"),
        ("far", "some-cloud", "answers"),
    ]
    assert stores[0]["objects"] == stores[1]["objects"] + 1
    assert told("check", "far")[0] == told("scrub")[0] == 4
    assert told("repair")[1]["repaired"] == {"far": {"missing": 1}}
    assert told("check")[0] == 0
