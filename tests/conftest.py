"""For every test: a drawn case that takes long has not failed. Timings never decide a test.

Whatever tests write lies in memory where the machine has room for it: they found and copy
hubs of two thousand files a thousand times, and a disk takes ten times as long over that.
A file in memory is a file like any other; what a test says of a disk it says of a folder
that it chooses itself. `TMPDIR=/tmp make test` writes to the disk, and leaves there what a
test that failed had written.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("havre", deadline=None)
settings.load_profile("havre")

MEMORY = Path("/dev/shm")
_PREFIX = "hv"
# A worker of the whole suite was never seen to hold more than half of it.
_ROOM_BYTES = 4 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """Give all tests and every program that they start a folder in memory."""
    if "TMPDIR" in os.environ or hasattr(config, "workerinput") or not _has_room():
        return
    _remove_left_behind()
    # Short, because a Unix socket's path is; open to other accounts, as `/tmp` is.
    folder = MEMORY / f"{_PREFIX}{os.getpid()}"
    folder.mkdir()
    folder.chmod(0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


def _has_room() -> bool:
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    if [str(MEMORY), "tmpfs"] not in [mount[1:3] for mount in mounts]:
        return False
    room = os.statvfs(MEMORY)
    left = re.search(r"^MemAvailable: +(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    free_bytes = int(left[1]) * 1024 if left else 0
    return min(room.f_bavail * room.f_frsize, free_bytes) >= _ROOM_BYTES


def _remove_left_behind() -> None:
    """Remove the folders of runs that were killed: what lies in memory must not stay there."""
    for folder in MEMORY.glob(f"{_PREFIX}[0-9]*"):
        number = folder.name.removeprefix(_PREFIX)
        if number.isdecimal() and not Path("/proc", number).exists():
            shutil.rmtree(folder, ignore_errors=True)
