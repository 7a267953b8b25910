"""P2. Other custodians take over without a data object being touched, and the old shares end.

A whole hub on real files. One custodian is lost, two are, one is robbed; the store is
not even there while shares are given to others.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import shutil
from pathlib import Path

import pytest

from fakes.ceremony import ALL, prepared
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted
from fakes.verifier import GENUINE, verify
from havre.application.ceremony import PartitionCatalogue
from havre.bootstrap.attempts import try_erased
from havre.bootstrap.custodian_desk import list_ceremonies, write_record
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.key_life import find_partitions
from havre.crypto.shares import combine_shares
from havre.domain.events import KeysReleased, KeysRequested, events_of
from havre.domain.key_events import OldSharesErased, PartitionsReshared
from havre.domain.key_states import read_key_states
from havre.errors import HavreError, NotGenuine, Refused
from havre.formats.canonical import encode_canonical

NEW = ("custodian-1", "custodian-2", "custodian-4", "escrow")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(granted(), tmp_path / "hub")


def lose(hub: SmallHub, *names: str) -> None:
    for name in names:
        shutil.rmtree(hub.parties / name)


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def words(hub: SmallHub, custodian: str, partition: str) -> str:
    opened = hub.open()
    everybody = [*opened.custodians, opened.escrow]
    (party,) = [each for each in everybody if each.name == custodian]
    with party._reached() as reached:
        return str(reached._shares.open(partition)["words"])  # type: ignore[attr-defined]


def living(hub: OpenHub) -> list[str]:
    states = read_key_states(each.event for each in hub.log.entries())
    return sorted(name for name, state in states.items() if state.living)


def test_one_custodian_is_lost_and_another_takes_over_without_the_store(
    hub: SmallHub, tmp_path: Path
) -> None:
    before, partitions = digests(hub.hub / "store"), living(hub.open())
    lose(hub, "custodian-3")
    ceremony = prepared(hub).attended_by("custodian-1", "custodian-2")
    # Whoever read a data object would fail: there is none.
    (hub.hub / "store").rename(tmp_path / "away")
    report = ceremony.held()
    shutil.rmtree(hub.hub / "store", ignore_errors=True)
    (tmp_path / "away").rename(hub.hub / "store")

    assert (report.reshared, report.accepted) == (len(partitions), NEW)
    # Of four that held shares any two opened: three must have destroyed theirs.
    assert (report.retired, report.ended is not None) == (
        ("custodian-1", "custodian-2", "escrow"),
        True,
    )
    assert set(report.missing) == {"custodian-3"}
    assert digests(hub.hub / "store") == before
    assert hub.open().extraction.extract(PERMIT_NAME).rows
    names = events_of([each.event for each in hub.open().log.entries()], KeysReleased)
    assert set(names[-1].receipts) <= set(NEW)


def test_the_new_custodian_and_any_other_open_what_was_sealed_before(hub: SmallHub) -> None:
    prepared(hub).attended_by("custodian-1", "custodian-2").held()
    (hub.parties / "custodian-1").rename(hub.root / "away")

    assert hub.open().extraction.extract(PERMIT_NAME).rows
    events = [each.event for each in hub.open().log.entries()]
    assert set(events_of(events, KeysReleased)[-1].receipts) == {"custodian-2", "custodian-4"}


def test_old_shares_and_new_ones_do_not_go_together(hub: SmallHub) -> None:
    opened = hub.open()
    (known,) = find_partitions(opened, [f"project/{PERMIT_NAME}/1"])
    old = {name: words(hub, name, known.partition_id) for name in ALL}
    prepared(hub).attended_by("custodian-1", "custodian-2").held()
    new = {name: words(hub, name, known.partition_id) for name in NEW}
    seeds = {combine_shares([new[a], new[b]]) for a, b in itertools.combinations(NEW, 2)}

    assert seeds == {combine_shares([old["custodian-1"], old["custodian-3"]])}
    for one, other in itertools.product(old.values(), new.values()):
        with pytest.raises(HavreError):
            combine_shares([one, other])


def test_the_public_keys_stay_and_the_log_names_new_commitments(hub: SmallHub) -> None:
    def known() -> dict[str, bytes]:
        opened = hub.open()
        listed = PartitionCatalogue(opened.records, log=opened.log).list_partitions()
        return {each.partition_id: each.public_key for each in listed}

    before = known()
    prepared(hub).attended_by("custodian-1", "custodian-2").held()
    events = [each.event for each in hub.open().log.entries()]
    reshared = events_of(events, PartitionsReshared)

    assert known() == before
    assert {name for event in reshared for name in event.shares} == set(before)
    assert {holder for event in reshared for each in event.shares.values() for holder in each} == {
        *NEW
    }


def test_every_opening_of_a_ceremony_stands_on_the_log(hub: SmallHub) -> None:
    report = prepared(hub).attended_by("custodian-1", "custodian-2").held()
    events = [each.event for each in hub.open().log.entries()]
    asked = [each for each in events_of(events, KeysRequested) if each.order is not None]

    assert {name for each in asked for name in each.partitions} == set(living(hub.open()))
    assert {each.order for each in asked} == {report.order}
    assert all(each.purpose == "reshare" for each in asked)


def test_two_custodians_are_lost_and_the_hub_opens_nothing(hub: SmallHub) -> None:
    lose(hub, "custodian-2", "custodian-3")

    with pytest.raises(Refused, match=r"1 custodians answered, 2 are needed"):
        hub.open().extraction.extract(PERMIT_NAME)


def test_two_custodians_are_lost_and_the_escrow_with_the_third_gives_everything_back(
    hub: SmallHub,
) -> None:
    lose(hub, "custodian-2", "custodian-3")
    ceremony = prepared(
        hub, lost=("custodian-2", "custodian-3"), fresh=("custodian-4", "custodian-5")
    )
    ceremony.attended_by("custodian-1")
    with pytest.raises(Refused, match="escrow: Nobody here has looked at"):
        ceremony.held()
    report = ceremony.attended_by("escrow").held()

    assert report.accepted == ("custodian-1", "custodian-4", "custodian-5", "escrow")
    assert hub.open().extraction.extract(PERMIT_NAME).rows
    # Who found both lost directories could still open everything: it is not called ended.
    assert (report.ended, set(report.missing)) == (None, {"custodian-2", "custodian-3"})


def test_the_escrow_answers_a_ceremony_only(hub: SmallHub) -> None:
    lose(hub, "custodian-2", "custodian-3")
    ceremony = prepared(
        hub, lost=("custodian-2", "custodian-3"), fresh=("custodian-4", "custodian-5")
    )
    ceremony.attended_by("custodian-1", "escrow").held()
    (hub.parties / "custodian-4").rename(hub.root / "four")
    (hub.parties / "custodian-5").rename(hub.root / "five")

    with pytest.raises(Refused, match="1 custodians answered"):
        hub.open().extraction.extract(PERMIT_NAME)


@pytest.mark.parametrize("stolen", ALL)
def test_a_thief_of_one_custodian_and_the_store_opens_nothing(
    hub: SmallHub, tmp_path: Path, stolen: str
) -> None:
    own = find_partitions(hub.open(), [f"project/{PERMIT_NAME}/1"])
    for name in {*ALL} - {stolen}:
        (hub.parties / name).rename(tmp_path / name)
    found = try_erased(hub.open(), own)

    assert (found.shares, found.seeds, found.opened) == (1, 0, [])
    assert found.objects > 0


def test_a_lost_directory_that_is_found_again_opens_nothing_with_a_new_share(
    hub: SmallHub, tmp_path: Path
) -> None:
    """The thief of the lost one and of one more, after the ceremony: shares of two different splits."""
    (hub.parties / "custodian-3").rename(tmp_path / "found")
    prepared(hub).attended_by("custodian-1", "custodian-2").held()
    own = find_partitions(hub.open(), [f"project/{PERMIT_NAME}/1"])
    for name in ("custodian-1", "custodian-2", "escrow"):
        (hub.parties / name).rename(tmp_path / name)

    found = try_erased(hub.open(), own, also=[tmp_path / "found"])

    assert (found.shares, found.seeds, found.opened) == (2, 0, [])


def test_more_custodians_and_a_higher_threshold(hub: SmallHub) -> None:
    ceremony = prepared(hub, lost=(), fresh=("custodian-4", "custodian-5"), threshold=3)
    report = ceremony.attended_by("custodian-1", "custodian-2").held()
    ceremony.adopted_by("custodian-1", "custodian-2", "custodian-3", "escrow", "witness-1")

    assert report.ended is not None
    assert hub.open().extraction.extract(PERMIT_NAME).rows
    events = [each.event for each in hub.open().log.entries()]
    assert len(events_of(events, KeysReleased)[-1].receipts) == 3


def test_a_stranger_verifies_the_ceremony_with_the_new_trust_roots(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by("custodian-1", "custodian-2")
    ceremony.held()
    hub.open().publication.publish()

    found = verify(hub.hub / "site", "--trust", ceremony.trust)

    assert found.returncode == GENUINE, found.stdout
    assert "leads to" not in found.stdout
    old = verify(hub.hub / "site", "--trust", hub.parties / "witness-1" / "trust.json")
    assert "these trust roots are not those that the log leads to" in old.stdout


def test_a_ceremony_asked_again_does_nothing_twice(hub: SmallHub) -> None:
    ceremony = prepared(hub).attended_by("custodian-1", "custodian-2")
    first = ceremony.held()
    size = len(hub.open().log.entries())

    assert ceremony.held() == first
    assert len(hub.open().log.entries()) == size


def test_a_custodian_that_leaves_destroys_what_it_had(hub: SmallHub) -> None:
    report = prepared(hub).attended_by("custodian-1", "custodian-2").held()
    opened = hub.open()
    (former,) = opened.place.former

    assert "custodian-3" in report.retired
    (epoch,) = sorted((hub.parties / "custodian-3" / "epochs").iterdir())
    assert [path.name for path in epoch.iterdir() if len(path.name) >= 32] == []
    assert former.name == "custodian-3"
    assert events_of([each.event for each in opened.log.entries()], OldSharesErased)


def test_everybody_who_took_part_can_print_the_record_of_the_ceremony(hub: SmallHub) -> None:
    report = prepared(hub).attended_by("custodian-1", "custodian-2").held()
    partitions = len(living(hub.open()))

    for name in NEW:
        folder = hub.parties / name
        rows = list_ceremonies(folder)
        (own,) = [row for row in rows if str(row["ceremony"]).startswith(f"reshare-{report.order}")]
        written = write_record(
            folder, str(own["ceremony"]), out=folder / "record.txt", language="en"
        )
        assert written["partitions"] == partitions
        # The record of the first ceremony stays what it was.
        for row in rows:
            write_record(folder, str(row["ceremony"]), out=folder / "first.txt", language="fr")


def test_a_share_that_the_log_did_not_give_makes_no_record(hub: SmallHub) -> None:
    prepared(hub).attended_by("custodian-1", "custodian-2").held()
    (note,) = (hub.parties / "custodian-4" / "notes").iterdir()
    body = json.loads(note.read_text())
    body["commitments"] = dict.fromkeys(body["commitments"], "0" * 64)
    note.write_bytes(encode_canonical(body))

    with pytest.raises(NotGenuine, match="other commitments"):
        write_record(
            hub.parties / "custodian-4",
            body["ceremony"],
            out=hub.root / "record.txt",
            language="en",
        )
