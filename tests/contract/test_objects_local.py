"""The store in a directory keeps the port's promises, and survives what a disk does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.suite_objects import *  # noqa: F403
from contract.suite_objects import ONE, TWO
from havre.adapters.objects.local import LocalObjects
from havre.errors import NotGenuine, Unavailable
from havre.ports.objects import IdTaken


@pytest.fixture
def store(tmp_path: Path) -> LocalObjects:
    return LocalObjects(tmp_path / "store")


def test_a_link_in_place_of_an_object_is_refused(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    store.put(ONE, [b"x"])
    secret = tmp_path / "secret"
    secret.write_bytes(b"secret")
    place = tmp_path / "objects" / ONE[:2] / ONE
    place.unlink()
    place.symlink_to(secret)

    with pytest.raises(NotGenuine):
        store.get(ONE)


def test_a_link_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "objects" / ONE[:2]).symlink_to(elsewhere)

    with pytest.raises(NotGenuine):
        store.put(ONE, [b"x"])
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_plain_file_is_refused(tmp_path: Path, kind: str) -> None:
    store = LocalObjects(tmp_path)
    place = tmp_path / "objects" / ONE[:2] / ONE
    place.parent.mkdir()
    if kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)

    with pytest.raises(NotGenuine):
        store.get(ONE)


def test_the_id_of_a_torn_write_is_not_used_again(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    (tmp_path / "partial" / ONE).write_bytes(b"torn")

    with pytest.raises(IdTaken):
        store.put(ONE, [b"x"])


def test_torn_writes_are_swept(tmp_path: Path) -> None:
    store = LocalObjects(tmp_path)
    (tmp_path / "partial" / ONE).write_bytes(b"torn")

    store.sweep(frozenset(), older_than=datetime.now(UTC) + timedelta(days=1))

    store.put(ONE, [b"x"])


def test_a_full_disk_leaves_the_old_state() -> None:
    """A file may not grow past the limit that the operating system sets this process."""
    code = """
import resource, signal, sys, pathlib
from havre.adapters.objects.local import LocalObjects
from havre.errors import Unavailable
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
import tempfile
with tempfile.TemporaryDirectory() as root:
    store = LocalObjects(pathlib.Path(root))
    try:
        store.put("1" * 32, [bytes(100_000)])
    except Unavailable:
        sys.exit(10 if not list(store.list_objects()) else 11)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 10
    assert Unavailable.exit_code == 6


_ENDLESS = """
import itertools, pathlib, sys
from havre.adapters.objects.local import LocalObjects
store = LocalObjects(pathlib.Path(sys.argv[1]))
print("ready", flush=True)
for number in itertools.count():
    store.put(f"{number:032x}", [bytes([number % 256]) * 65536] * 4)
"""


@pytest.mark.parametrize("after_s", [0.01, 0.03, 0.1])
def test_kill_9_leaves_whole_objects_or_none(tmp_path: Path, after_s: float) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", _ENDLESS, str(tmp_path)], stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(after_s)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    writer.stdout.close()

    store = LocalObjects(tmp_path)
    bodies = [b"".join(store.get(name)) for name in store.list_objects()]

    assert all(len(body) == 4 * 65536 and len(set(body)) == 1 for body in bodies)
    store.put(TWO, [b"the store still takes objects"])
