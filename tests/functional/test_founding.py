"""A founding that was cut short leaves no half hub behind: the next one begins anew."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fakes.small_hub import founded, quiet
from havre.bootstrap.founding import Founded, found_hub
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.reports import hub_status
from havre.errors import InvalidInput, NotFound, Refused
from havre.ports.pages import SiteSettings

# Dies at its n-th flush to the disk.
CHILD = """
import os, signal, sys
from pathlib import Path
from havre.bootstrap.founding import found_hub
from havre.ports.pages import SiteSettings
step, hub, parties = int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
flush = os.fsync
def fsync(descriptor):
    global step
    step -= 1
    if not step:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(descriptor)
os.fsync = fsync
found_hub(hub, parties=parties, origin="havre.example/test", progress=print,
          settings=SiteSettings(made_up=True, language="en"))
"""


def found(root: Path, origin: str = "havre.example/test") -> Founded:
    settings = SiteSettings(made_up=True, language="en")
    hub, parties = root / "hub", root / "parties"
    return found_hub(hub, parties=parties, origin=origin, progress=quiet, settings=settings)


# At the draft, among the keys of parties, and among the first entries of the log.
@pytest.mark.parametrize("step", [1, 8, 31, 40, 60])
def test_a_founding_killed_anywhere_is_begun_anew(tmp_path: Path, step: int) -> None:
    words = [str(step), str(tmp_path / "hub"), str(tmp_path / "parties")]
    cut = subprocess.run([sys.executable, "-c", CHILD, *words], check=False, capture_output=True)
    assert cut.returncode == -signal.SIGKILL
    with pytest.raises(NotFound):
        OpenHub(tmp_path / "hub")

    made = found(tmp_path)

    status = hub_status(OpenHub(tmp_path / "hub"))
    assert (status["landing_places_left"], status["parties_away"]) == (80, [])
    assert made.partitions > 80


def test_a_hub_that_was_cut_short_says_so(tmp_path: Path) -> None:
    (tmp_path / "havre.toml.part").write_text("")

    with pytest.raises(NotFound, match="cut short") as refusal:
        OpenHub(tmp_path)

    assert "havre init" in refusal.value.hint


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a#b", "a\nb", "x" * 201])
def test_a_log_with_a_name_that_cannot_be_signed_makes_nothing(tmp_path: Path, origin: str) -> None:
    with pytest.raises(InvalidInput):
        found(tmp_path, origin)

    assert list(tmp_path.iterdir()) == []


def test_a_hub_that_is_there_stays_as_it_is() -> None:
    before = (founded().hub / "party/key.json").read_bytes()

    with pytest.raises(Refused, match="already"):
        found(founded().root)

    assert (founded().hub / "party/key.json").read_bytes() == before


def test_what_stands_in_the_way_is_named_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "parties/witness-3").mkdir(parents=True)
    (tmp_path / "parties/witness-3/notes").touch()

    with pytest.raises(Refused, match="witness-3"):
        found(tmp_path)

    assert [each.name for each in (tmp_path / "parties").iterdir()] == ["witness-3"]


def test_two_foundings_in_one_directory_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "hub").mkdir()
    held = os.open(tmp_path / "hub", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    with pytest.raises(Refused, match="Another command"):
        found(tmp_path)
    os.close(held)
