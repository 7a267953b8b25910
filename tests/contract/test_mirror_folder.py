"""A copy of the log outside the hub takes what continues it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.suite_witness import Stage
from fakes.hub_log import catalogue_event
from fakes.parties import Cast, SetClock
from havre.adapters.log.mirror import MirrorFolder
from havre.domain.events import encode_event
from havre.errors import InvalidInput, NotFound, NotGenuine


@pytest.fixture
def stage() -> Stage:
    """Only the log of the stage is used; no witness stands beside it."""
    return Stage(None, Cast(), SetClock())  # type: ignore[arg-type]


@pytest.fixture
def mirror(tmp_path: Path, stage: Stage) -> MirrorFolder:
    return MirrorFolder(tmp_path, roots=stage.cast.roots)


def filled(stage: Stage, mirror: MirrorFolder, entries: int) -> None:
    for number in range(entries):
        stage.grow(encode_event(catalogue_event(number)))
    held = mirror.held()
    mirror.extend(held, stage.log.entries(held, stage.size), note=stage.note())


def test_an_empty_mirror_holds_nothing(mirror: MirrorFolder) -> None:
    assert mirror.held() == 0
    with pytest.raises(NotFound):
        mirror.newest_note()


def test_it_keeps_every_entry_across_a_restart(
    stage: Stage, mirror: MirrorFolder, tmp_path: Path
) -> None:
    filled(stage, mirror, 3)
    filled(stage, mirror, 2)

    again = MirrorFolder(tmp_path, roots=stage.cast.roots)

    assert again.held() == 5
    assert again.reader.entries(0, 5) == stage.log.entries(0, 5)
    filled(stage, again, 1)
    assert again.held() == 6


def test_a_head_it_knows_may_come_again(stage: Stage, mirror: MirrorFolder) -> None:
    filled(stage, mirror, 3)

    mirror.extend(3, [], note=stage.note())

    assert mirror.held() == 3


def test_entries_that_the_log_did_not_sign_are_refused(stage: Stage, mirror: MirrorFolder) -> None:
    filled(stage, mirror, 2)
    stage.grow(encode_event(catalogue_event(1)))

    with pytest.raises(NotGenuine):
        mirror.extend(2, stage.log.entries(2, 3), note=stage.note(signer="researcher"))
    with pytest.raises(NotGenuine):
        mirror.extend(2, [encode_event(catalogue_event(2))], note=stage.note())

    assert mirror.held() == 2


def test_a_rewritten_past_is_refused(stage: Stage, mirror: MirrorFolder) -> None:
    filled(stage, mirror, 2)
    stage.size = 0
    stage.grow(*(encode_event(catalogue_event(number)) for number in range(3)))

    with pytest.raises(NotGenuine):
        mirror.extend(2, stage.log.entries(2, 3), note=stage.note())


def test_a_log_that_went_back_is_refused(stage: Stage, mirror: MirrorFolder) -> None:
    filled(stage, mirror, 3)
    stage.size = 2

    with pytest.raises(NotGenuine):
        mirror.extend(3, [], note=stage.note())


def test_an_entry_that_is_no_event_is_refused(stage: Stage, mirror: MirrorFolder) -> None:
    stage.grow(b"not an event")

    with pytest.raises(InvalidInput):
        mirror.extend(0, [b"not an event"], note=stage.note())


def test_a_signed_head_that_contradicts_it_is_kept_as_evidence(
    stage: Stage, mirror: MirrorFolder, tmp_path: Path
) -> None:
    filled(stage, mirror, 2)
    stage.size = 0
    stage.grow(*(encode_event(catalogue_event(number)) for number in range(2)))
    forked = stage.note()

    for _ in range(2):
        with pytest.raises(NotGenuine):
            mirror.extend(2, [], note=forked)

    assert [path.read_bytes() for path in (tmp_path / "refused").iterdir()] == [forked]


def test_a_head_that_the_log_did_not_sign_is_no_evidence(
    stage: Stage, mirror: MirrorFolder, tmp_path: Path
) -> None:
    filled(stage, mirror, 2)

    with pytest.raises(NotGenuine):
        mirror.extend(2, [], note=stage.note(signer="researcher"))

    assert not (tmp_path / "refused").exists()


def test_evidence_does_not_fill_a_disk(stage: Stage, mirror: MirrorFolder, tmp_path: Path) -> None:
    filled(stage, mirror, 2)
    for number in range(70):
        stage.size = 0
        stage.grow(*(encode_event(catalogue_event(100 + number + each)) for each in range(2)))
        with pytest.raises(NotGenuine):
            mirror.extend(2, [], note=stage.note())

    assert len(list((tmp_path / "refused").iterdir())) == 64
