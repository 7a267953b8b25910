"""P6: a package is opened whole, once, at the host that it was made for; a hub leaves once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.departed import (
    Moving,
    copy_of_move,
    departed,
    opened_at,
    spoiled_package,
)
from fakes.small_hub import PERMIT_NAME, copy_of, founded, granted, quiet
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.leaving import arrive, depart, prepare_host
from havre.domain.departure import parse_manifest
from havre.domain.events import Arrived, Departed, events_of
from havre.domain.handover import HandedOver, check_stays
from havre.errors import InvalidInput, NotGenuine, Refused

# ------------------------------------------------------------ packages that changed on the way


def spoil_change(package: Path) -> str:
    path = next((package / "objects").iterdir())
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(bytes(body))
    return rf"1 changed \(objects/{path.name}\)"


def spoil_drop(package: Path) -> str:
    path = next((package / "objects").iterdir())
    path.unlink()
    return rf"1 missing \(objects/{path.name}\)"


def spoil_add(package: Path) -> str:
    (package / "objects" / ("0" * 32)).write_bytes(b"a guest")
    return rf"1 that nobody packed \(objects/{'0' * 32}\)"


def spoil_records(package: Path) -> str:
    path = max((package / "records").iterdir(), key=lambda each: each.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1])
    return rf"1 changed \(records/{path.name}\)"


@pytest.mark.parametrize("spoil", [spoil_change, spoil_drop, spoil_add, spoil_records])
def test_a_package_that_changed_on_the_way_is_refused_by_name(spoil, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    move = spoiled_package(tmp_path)
    named = spoil(move.package)

    with pytest.raises(NotGenuine, match=named):
        opened_at(move)
    assert not (move.new / "havre.toml").exists()


def test_a_link_in_a_package_is_refused_by_name(tmp_path: Path) -> None:
    move = spoiled_package(tmp_path)
    path = next((move.package / "objects").iterdir())
    shutil.move(path, tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InvalidInput, match=f"no file: objects/{path.name}"):
        opened_at(move)


def test_a_package_with_another_manifest_is_not_on_the_log(tmp_path: Path) -> None:
    move = spoiled_package(tmp_path)
    gone = next((move.package / "objects").iterdir())
    manifest = move.package / "departure.json"
    body = manifest.read_bytes()
    entry = body.index(gone.name.encode())
    start, end = body.rindex(b"{", 0, entry), body.index(b"}", entry) + 1
    manifest.write_bytes(body[:start] + body[end + 1 :])
    gone.unlink()

    with pytest.raises(NotGenuine, match="does not say that a hub left with this package"):
        opened_at(move)


# ------------------------------------------------------------ who, where and how often


def test_only_the_host_that_the_controller_named_can_take_the_log_over(tmp_path: Path) -> None:
    thief = tmp_path / "thief"
    prepare_host(thief)

    with pytest.raises(NotGenuine, match="not handed over to this host"):
        arrive(
            thief,
            package=departed().package,
            parties=departed().hub.parties,
            progress=quiet,
        )


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
    assert not list(tmp_path.glob("*pack*"))
    assert hub.open().extraction.extract(PERMIT_NAME).rows


def test_arriving_twice_is_refused_here_and_elsewhere(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)
    shutil.copytree(move.new, tmp_path / "copied-keys")
    opened_at(move)

    with pytest.raises(Refused, match="a hub in this directory"):
        opened_at(move)
    with pytest.raises(Refused, match="has arrived already"):
        arrive(
            tmp_path / "copied-keys",
            package=move.package,
            parties=move.hub.parties,
            progress=quiet,
        )
    assert len(events_of([e.event for e in OpenHub(move.new).log.entries()], Arrived)) == 1


def test_a_directory_that_holds_something_is_refused_by_name(tmp_path: Path) -> None:
    move = spoiled_package(tmp_path)
    (move.new / "store").mkdir()
    (move.new / "thesis.odt").touch()

    with pytest.raises(Refused, match=r"holds something already: store, thesis\.odt"):
        opened_at(move)


def test_a_host_is_prepared_once_and_never_over_a_hub_or_over_somebodys_files(
    tmp_path: Path,
) -> None:
    card = prepare_host(tmp_path / "new").read_bytes()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.odt").touch()

    assert prepare_host(tmp_path / "new").read_bytes() == card
    with pytest.raises(Refused, match="holds something already"):
        prepare_host(tmp_path / "full")
    with pytest.raises(Refused, match="a hub in this directory"):
        prepare_host(founded().hub)


def leave_again(move: Moving, *, name: str = "move-1", package: str = "package") -> object:
    return depart(
        move.hub.open(),
        name=name,
        card=move.new / "host.json",
        controller=move.hub.parties / "controller",
        package=move.root / package,
    )


def test_departing_again_gives_the_same_answer_and_departing_anew_is_refused(
    tmp_path: Path,
) -> None:
    move = copy_of_move(tmp_path)
    entries = OpenHub(move.hub.hub).log.entries()
    manifest = parse_manifest((move.package / "departure.json").read_bytes())

    again = leave_again(move)

    assert getattr(again, "manifest", None) == manifest
    with pytest.raises(HandedOver):
        leave_again(move, name="move-2")
    with pytest.raises(HandedOver):
        leave_again(move, package="elsewhere")
    assert OpenHub(move.hub.hub).log.entries() == entries
    assert not (move.root / "elsewhere").exists()


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "havre", *words], capture_output=True, text=True, check=False
    )


def test_a_departed_hub_refuses_acts_in_words_and_still_shows_what_was(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)
    opened_at(move)
    there = ("--hub", str(move.hub.hub))

    acts = [
        command("drill", "subpoena", *there),
        command("ceremony", "--landing", "2", *there),
        command("extract", PERMIT_NAME, *there),
    ]
    shown = command("status", "--json", *there)

    for act in acts:
        assert act.returncode == 3, act.stderr
        assert act.stderr.count("handed over") == 1
        assert "host.json" in act.stderr
        assert "custodian" not in act.stderr
    assert shown.returncode == 0


def test_a_departed_hub_does_not_ask_anybody_to_cosign_its_old_head(tmp_path: Path) -> None:
    """Minutes later the mirrors keep more than it has, and there is nothing wrong with that."""
    move = copy_of_move(tmp_path)
    opened_at(move)
    old = OpenHub(move.hub.hub)
    before = old.log.checkpoint()

    old.journal.renew()

    assert OpenHub(move.hub.hub).log.checkpoint() == before
    with pytest.raises(HandedOver):
        check_stays([each.event for each in old.log.entries()])
    check_stays([each.event for each in OpenHub(move.new).log.entries()])


def test_the_manifest_on_the_log_is_the_packages() -> None:
    events = [each.event for each in OpenHub(departed().hub.hub).log.entries()]
    (left,) = events_of(events, Departed)

    body = (departed().package / "departure.json").read_bytes()
    assert left.manifest_sha256 == hashlib.sha256(body).hexdigest()
