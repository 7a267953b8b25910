"""A witness in a directory keeps the port's promises, and its memory."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from contract.suite_witness import *  # noqa: F403
from contract.suite_witness import Stage
from fakes.hub_log import HubLog, catalogue_event
from fakes.parties import Cast, Hands, SetClock
from havre.adapters.log.files import LogFiles
from havre.adapters.witness.local import LocalWitness, WitnessWithoutMemory
from havre.domain.clocks import ClockWentBack
from havre.domain.transparency import NotWitnessed
from havre.errors import NotGenuine, Refused, Unavailable
from havre.formats.notes import SignedNote, encode_note, parse_note


def witness_in(folder: Path, stage: Stage) -> LocalWitness:
    return LocalWitness(
        folder, token=stage.cast["witness-1"], roots=stage.cast.roots, clock=stage.clock
    )


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    cast, clock = Cast(), SetClock()
    witness = LocalWitness(
        tmp_path / "witness", token=cast["witness-1"], roots=cast.roots, clock=clock
    )
    witness.begin()
    return Stage(witness, cast, clock)


def test_it_remembers_across_a_restart(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.witness = witness_in(tmp_path / "witness", stage)
    stage.size = 0
    stage.grow(b"another")

    with pytest.raises(NotGenuine):
        stage.ask(stage.note())


def test_what_it_cosigns_is_on_disk_before_it_answers(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The signature is made by a token that looks at the disk at that moment."""
    seen: list[int] = []
    hands = stage.cast["witness-1"]

    def sign(message: bytes) -> bytes:
        (line,) = (tmp_path / "witness").glob("seen-*.json")
        seen.append(json.loads(line.read_bytes())["size"])
        return hands.key.sign(message)

    monkeypatch.setattr(hands, "sign", sign)
    stage.grow(b"one", b"two")
    stage.ask(stage.note())

    assert seen == [2]


def test_a_watch_begins_once(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        witness_in(tmp_path / "witness", stage).begin()


def test_after_a_restore_it_cosigns_nothing_until_it_is_told_a_head(
    stage: Stage, tmp_path: Path
) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    witness = witness_in(tmp_path / "witness", stage)
    witness.mark_restored()

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())
    with pytest.raises(Refused):
        witness.begin()


def test_a_restore_is_noticed_in_a_directory_that_got_the_number_of_the_one_before(
    stage: Stage, tmp_path: Path
) -> None:
    """File systems give the number of a removed directory to the next one that is made."""
    folder, backup = tmp_path / "witness", tmp_path / "backup"
    stage.grow(b"one")
    stage.ask(stage.note())
    shutil.copytree(folder, backup)
    number = folder.stat().st_ino
    shutil.rmtree(folder)
    for turn in range(50):
        folder.mkdir()
        if folder.stat().st_ino == number:
            break
        folder.rename(tmp_path / f"another-{turn}")
    shutil.copytree(backup, folder, dirs_exist_ok=True)
    stage.grow(b"two")

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())


OTHERS = ("witness-2", "witness-3", "witness-4")


class Restored:
    """A witness of a real log that was restored from a backup, and that log."""

    def __init__(self, root: Path) -> None:
        self.hub = HubLog(root).filled(3)
        self.witness = self.hub.witness("witness-1")
        self.witness.mark_restored()

    def keep_lines_of(self, *names: str) -> LogFiles:
        """The log with the cosignatures of these witnesses only."""
        checkpoint = self.hub.site / "log" / "checkpoint"
        note = parse_note(checkpoint.read_bytes())
        lines = [line for line in note.signatures if line.name in (*names, self.hub.roots.origin)]
        checkpoint.write_bytes(encode_note(SignedNote(note.text, tuple(lines))))
        return self.hub.store()


def test_a_restored_witness_goes_on_from_a_head_that_a_quorum_of_others_saw(tmp_path: Path) -> None:
    restored = Restored(tmp_path)

    assert restored.witness.enter_head(restored.keep_lines_of(*OTHERS)).size == 3
    assert restored.witness.size_seen(restored.hub.roots.origin) == 3


@pytest.mark.parametrize("names", [OTHERS[:2], ("witness-1", *OTHERS[:2]), ()])
def test_a_head_that_too_few_others_saw_is_not_entered(
    tmp_path: Path, names: tuple[str, ...]
) -> None:
    """Its own cosignature is what it forgot: it does not count."""
    restored = Restored(tmp_path)
    log = restored.keep_lines_of(*names)

    with pytest.raises(NotWitnessed):
        restored.witness.enter_head(log)
    with pytest.raises(WitnessWithoutMemory):
        restored.witness.size_seen(restored.hub.roots.origin)


def test_a_head_that_is_older_than_what_it_remembers_is_not_entered(tmp_path: Path) -> None:
    restored = Restored(tmp_path)
    checkpoint = restored.hub.site / "log" / "checkpoint"
    older = checkpoint.read_bytes()
    fresh = restored.hub
    restored.witness.enter_head(fresh.store())
    fresh.journal().record(catalogue_event(9))
    restored.witness.mark_restored()
    checkpoint.write_bytes(older)

    with pytest.raises(NotGenuine, match="remembers another one of 4"):
        restored.witness.enter_head(fresh.store())


def test_a_head_that_the_log_did_not_sign_is_not_entered(tmp_path: Path) -> None:
    restored = Restored(tmp_path)
    restored.hub.cast.people["hub"] = Hands("hub")
    believer = LocalWitness(
        tmp_path / "witness-1",
        token=restored.hub.cast["witness-1"],
        roots=restored.hub.cast.roots,
        clock=restored.hub.clock,
    )

    with pytest.raises(NotGenuine):
        believer.enter_head(restored.hub.store())


def test_a_copied_directory_cosigns_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    shutil.copytree(tmp_path / "witness", tmp_path / "restored")
    stage.witness = witness_in(tmp_path / "restored", stage)

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())


def test_a_lost_state_is_a_lost_memory_not_a_new_log(stage: Stage, tmp_path: Path) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.unlink()

    with pytest.raises(WitnessWithoutMemory):
        stage.ask(stage.note())


def test_a_broken_state_is_not_guessed_at(stage: Stage, tmp_path: Path) -> None:
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.write_text("{}")

    with pytest.raises(NotGenuine):
        stage.witness.size_seen(stage.cast.roots.origin)


def test_a_state_that_cannot_be_read_is_named(stage: Stage, tmp_path: Path) -> None:
    (line,) = (tmp_path / "witness").glob("seen-*.json")
    line.unlink()
    line.mkdir()

    with pytest.raises(Unavailable, match="Witness witness-1 cannot keep its state"):
        stage.witness.size_seen(stage.cast.roots.origin)
    with pytest.raises(Unavailable, match="witness-1"):
        stage.witness.cosign(stage.note(), old_size=0, proof=[])


def test_a_hub_goes_on_without_a_witness_whose_state_cannot_be_read(tmp_path: Path) -> None:
    hub = HubLog(tmp_path).filled(2)
    (line,) = (tmp_path / "witness-1").glob("seen-*.json")
    line.unlink()
    line.mkdir()
    journal = hub.journal()
    journal.record(catalogue_event(5))

    assert list(journal.complaints) == ["witness-1"]


def test_a_clock_that_went_back_cosigns_nothing(stage: Stage) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.clock.move(minutes=-1)
    stage.ask(stage.note())
    stage.clock.move(minutes=-2)

    with pytest.raises(ClockWentBack, match="witness-1 went back by 180 seconds"):
        stage.ask(stage.note())

    stage.clock.move(minutes=10)
    stage.ask(stage.note())


def test_a_clock_that_went_back_is_noticed_across_a_restart(stage: Stage, tmp_path: Path) -> None:
    stage.ask(stage.note())
    stage.clock.move(days=1)
    stage.ask(stage.note())
    stage.clock.move(days=-1)
    stage.witness = witness_in(tmp_path / "witness", stage)

    with pytest.raises(ClockWentBack):
        stage.ask(stage.note())


def test_a_signed_head_that_contradicts_what_it_saw_is_kept_as_evidence(
    stage: Stage, tmp_path: Path
) -> None:
    stage.grow(b"one")
    stage.ask(stage.note())
    stage.size = 0
    stage.grow(b"another")
    forked = stage.note()

    with pytest.raises(NotGenuine):
        stage.ask(forked)
    with pytest.raises(NotGenuine):
        stage.ask(stage.note(signer="researcher"))

    kept = tmp_path / "witness" / "refused"
    assert [path.read_bytes() for path in kept.iterdir()] == [forked]
