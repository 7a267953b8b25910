"""The memory that a job's processes use together, looked at from outside several times a second.

The kernel bounds each process; their sum needs a control group or somebody who adds up.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_PERIOD_S = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Adds up a process and its descendants until stopped; calls `when_over` once."""

    def __init__(self, pid: int, *, most_bytes: int, when_over: Callable[[], None]) -> None:
        self.is_over = False
        self._pid = pid
        self._most = most_bytes
        self._when_over = when_over
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(_PERIOD_S):
            if sum(_resident(pid) for pid in _family(self._pid)) > self._most:
                self.is_over = True
                self._when_over()
                return


def _family(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        for listed in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                waiting += map(int, listed.read_text().split())
            except (OSError, ValueError):
                continue


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, ValueError, IndexError):
        return 0
