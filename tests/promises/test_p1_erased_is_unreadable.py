"""P1. Erased means unreadable: in the store, in every replica and every backup, with all that is left.

A whole hub on real files, with a project and its extract. The same attempt that
opens everything before the erasure opens nothing after it, and opens all again when
an old key was kept.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, granted, permit_text
from fakes.verifier import GENUINE, verify
from havre.bootstrap.attempts import try_erased
from havre.bootstrap.deciding import decide_permit
from havre.bootstrap.key_life import (
    erase,
    erase_project,
    erasures,
    find_partitions,
    project_partitions,
)
from havre.bootstrap.rotating import list_key_rows
from havre.domain.erasure import Ground
from havre.domain.key_events import ErasureOrdered, KeysErased
from havre.domain.permit_states import PermitState
from havre.errors import Refused

CUSTODIANS = ("custodian-1", "custodian-2", "custodian-3", "escrow")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(granted(), tmp_path / "hub")


def copies(hub: SmallHub, folder: Path) -> list[Path]:
    """A replica of the store, a backup of the hub, and one of every custodian's share store."""
    for source, name in ((hub.hub / "store", "replica"), (hub.hub, "backup")):
        shutil.copytree(source, folder / name)
    for name in CUSTODIANS:
        # As docs/keys.md has it: the keys of epochs stay out of a backup.
        shutil.copytree(
            hub.parties / name,
            folder / "custodians" / name,
            ignore=shutil.ignore_patterns("epoch-*.secret.json"),
        )
    return [folder / "replica", folder / "backup", folder / "custodians"]


def revoke(hub: SmallHub) -> None:
    authority = hub.token("authority-1")
    decide_permit(hub.open(), PERMIT_NAME, PermitState.REVOKED, authority=authority, reason="over")


def test_an_erased_project_opens_in_no_copy_with_anything_that_is_left(
    hub: SmallHub, tmp_path: Path
) -> None:
    also = copies(hub, tmp_path / "copies")
    opened = hub.open()
    own = project_partitions(opened, PERMIT_NAME)
    before = try_erased(opened, own, also=also)
    revoke(hub)
    report = erase_project(hub.open(), PERMIT_NAME)
    after = try_erased(hub.open(), own, also=also)

    # The attempt is one that opens what it can: the store, the replica and the backup.
    assert {name.partition("/")[0] for name in before.opened} == {"store", "also-1", "also-2"}
    assert (before.seeds, before.shares) == (2, 8)
    assert len(before.opened) >= 6
    assert report.erased is not None
    assert (after.opened, after.seeds) == ([], 0)
    # The escrow obeys the controller only, and its one share gives nothing back.
    assert after.shares == 2
    assert after.objects == before.objects > 0
    assert after.keys > 15


def test_what_others_hold_is_read_as_before(hub: SmallHub) -> None:
    revoke(hub)
    erase_project(hub.open(), PERMIT_NAME)
    hub.ask(permit_text(**{PERMIT_NAME: "hearts"}), "hearts")

    assert hub.open().extraction.extract("hearts").rows


@pytest.mark.parametrize("kept", [1, 2])
def test_old_keys_that_two_custodians_kept_are_found_and_one_alone_is_not_enough(
    hub: SmallHub, tmp_path: Path, kept: int
) -> None:
    """The breach, planted: a backup that holds an epoch's key beside the store."""
    for name in CUSTODIANS[:kept]:
        shutil.copytree(hub.parties / name, tmp_path / "kept" / name)
    own = project_partitions(hub.open(), PERMIT_NAME)
    revoke(hub)
    erase_project(hub.open(), PERMIT_NAME)
    # Without the escrow's share, which still lies there.
    shutil.rmtree(hub.parties / "escrow" / "epochs")

    found = try_erased(hub.open(), own, also=[tmp_path / "kept"])

    assert found.shares == 2 * kept
    assert bool(found.opened) == (kept == 2)


def test_the_escrow_obeys_the_controller_and_then_no_share_is_left(hub: SmallHub) -> None:
    own = project_partitions(hub.open(), PERMIT_NAME)
    revoke(hub)
    first = erase_project(hub.open(), PERMIT_NAME)
    assert "controller only" in first.missing["escrow"]
    opened = hub.open()
    desk = erasures(opened)
    order = desk.write_order(own, ground=Ground.DECIDED, signers=[hub.token("controller")])
    second = desk.erase(own, order)

    assert sorted(second.attested) == list(CUSTODIANS)
    assert try_erased(hub.open(), own).shares == 0


def test_a_living_project_is_not_erased_and_nothing_stands_on_the_log(hub: SmallHub) -> None:
    opened = hub.open()
    size = len(opened.log.entries())

    with pytest.raises(Refused, match="is not over"):
        erase_project(opened, PERMIT_NAME)
    assert len(hub.open().log.entries()) == size


def test_an_erased_generation_is_left_out_and_the_others_are_read(hub: SmallHub) -> None:
    opened = hub.open()
    rows = list_key_rows(opened, everything=False)
    year = next(each for each in rows if str(each["partition"]).startswith("dataset/dcir/2023"))
    chosen = find_partitions(opened, [str(year["partition"])])
    signers = [hub.token("controller"), hub.token("authority-1")]
    report = erase(opened, chosen, ground=Ground.DECIDED, signers=signers)
    made = hub.open().extraction.extract(PERMIT_NAME)

    assert report.erased is not None
    assert made.rows
    assert made.erased == (year["partition"],)


def test_the_command_erases_says_who_is_missing_and_a_stranger_verifies_it(
    hub: SmallHub, tmp_path: Path
) -> None:
    revoke(hub)
    away = hub.parties / "custodian-3"
    away.rename(tmp_path / "away")
    first = _havre(hub, "keys", "erase", "--permit", PERMIT_NAME)
    (tmp_path / "away").rename(away)
    last = _havre(hub, "keys", "erase", "--open")
    again = _havre(hub, "keys", "erase", "--permit", PERMIT_NAME)
    hub.open().publication.publish()
    found = verify(hub.hub / "site", "--trust", hub.parties / "witness-1" / "trust.json")

    (row,) = json.loads(first.stdout)
    assert (first.returncode, row["state"]) == (6, "open")
    assert sorted(row["missing"]) == ["custodian-3", "escrow"]
    assert (last.returncode, json.loads(last.stdout)[0]["state"]) == (0, "erased")
    assert (again.returncode, json.loads(again.stdout)[0]["state"]) == (0, "erased")
    assert found.returncode == GENUINE, found.stdout
    events = [each.event for each in hub.open().log.entries()]
    assert [type(e) for e in events if isinstance(e, ErasureOrdered | KeysErased)] == [
        ErasureOrdered,
        KeysErased,
    ]


def _havre(hub: SmallHub, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "havre", *words, "--hub", str(hub.hub), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
