"""The log in files keeps the port's promises, in the layout that others read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contract.suite_log import *  # noqa: F403
from contract.suite_log import entries_of, note_of
from havre.adapters.log.files import LogFiles
from havre.errors import NotFound, Unavailable
from havre.formats.tiles import bundles_between, tiles_between


@pytest.fixture
def store(tmp_path: Path) -> LogFiles:
    return LogFiles(tmp_path / "log", private=tmp_path / "private")


def test_the_files_are_those_of_the_layout(store: LogFiles, tmp_path: Path) -> None:
    store.append(entries_of(0, 600), at=0)
    store.publish(note_of(600))
    expected = {tile.path for tile in (*tiles_between(0, 600), *bundles_between(0, 600))}

    found = {
        path.relative_to(tmp_path / "log").as_posix()
        for path in (tmp_path / "log").rglob("*")
        if path.is_file()
    }

    assert found == expected | {"checkpoint"}


def test_a_published_file_is_never_changed_by_what_comes_later(
    store: LogFiles, tmp_path: Path
) -> None:
    at = 0
    before: dict[Path, bytes] = {}
    for size in (3, 255, 256, 300, 513):
        store.append(entries_of(at, size), at=at)
        now = {
            path: path.read_bytes()
            for path in (tmp_path / "log/tile").rglob("*[0-9]")
            if path.is_file()
        }
        assert before.items() <= now.items()
        at, before = size, now


def test_what_was_signed_and_not_published_is_not_in_the_public_folder(
    store: LogFiles, tmp_path: Path
) -> None:
    store.put_pending(note_of(1))

    assert not any(path.is_file() for path in (tmp_path / "log").rglob("*"))


def test_another_process_waits_for_the_writer(store: LogFiles, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from havre.adapters.log.files import LogFiles\n"
        "root = Path(sys.argv[1]); store = LogFiles(root / 'log', private=root / 'private')\n"
        "with store.exclusive(): print('in')"
    )
    with store.exclusive():
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        with pytest.raises(subprocess.TimeoutExpired):
            other.wait(timeout=1)
    out, _ = other.communicate(timeout=30)

    assert out == "in\n"


def test_a_full_disk_is_named_as_that(tmp_path: Path) -> None:
    store = LogFiles(tmp_path / "log", private=tmp_path / "private")
    (tmp_path / "log" / "tile").write_bytes(b"a file where a folder should be")

    with pytest.raises(Unavailable):
        store.append(entries_of(0, 1), at=0)


def test_a_tile_that_vanished_is_not_found(store: LogFiles, tmp_path: Path) -> None:
    store.append(entries_of(0, 2), at=0)
    (tmp_path / "log/tile/0/000.p/2").unlink()

    with pytest.raises(NotFound):
        store.node(0, 1, size=2)
