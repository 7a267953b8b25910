"""The memory that a job holds, looked at from outside several times a second.

The kernel bounds what one process may ask for, never what a job holds as a whole:
that needs somebody who adds up. Added up are the pages and page tables of every
process, the memory file systems that it may write to, with what each file's name
costs, and the buffers of its sockets. Memory that belongs to none of these (memfd,
System V, shared mappings without a file) is refused by `seccomp`. What the kernel
keeps for itself, such as tables of descriptors and of mappings, is bounded by the
numbers of processes and descriptors and is not counted.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_PERIOD_S = 0.1
# Lines of /proc/PID/status, in KiB. Page tables count: reading a vast mapping that
# was never written to fills them and nothing else.
_HELD = frozenset({"VmRSS", "VmPTE", "VmSwap"})
# An inode of tmpfs with its entry in a folder, on Linux 6: 760 and 192 bytes.
_INODE_BYTES = 1024
_PLACES = 2


class MemoryWatch:
    """Adds up a process and its descendants until stopped; calls `when_over` once."""

    def __init__(self, pid: int, *, most_bytes: int, when_over: Callable[[], None]) -> None:
        self.is_over = False
        self._pid = pid
        self._most = most_bytes
        self._when_over = when_over
        self._places: list[int] = []
        self._socket_bytes = _most_socket_bytes()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def take_places(self, channel: socket.socket) -> None:
        """Take the job's memory file systems from its first process; blocks until it sends them.

        It sends them before it starts the study; when it dies first, there are none.
        """
        with suppress(OSError):
            self._places += socket.recv_fds(channel, 1, _PLACES)[1]

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()
        for place in self._places:
            os.close(place)

    def _watch(self) -> None:
        # A job that nobody can look at any more is one that holds too much.
        with suppress(Exception):
            while not self._stopped.wait(_PERIOD_S):
                if self._held_bytes() > self._most:
                    break
        if not self._stopped.is_set():
            self.is_over = True
            self._when_over()

    def _held_bytes(self) -> int:
        family = list(_family(self._pid))
        # All processes of a job share one network, which is where sockets are listed.
        sockets = max(map(_sockets, family[1:]), default=0)
        return (
            sum(map(_resident_bytes, family))
            + sum(map(_place_bytes, self._places))
            + sockets * self._socket_bytes
        )


def _family(root: int) -> Iterator[int]:
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        # Processes and threads end while they are listed: what is gone holds nothing.
        with suppress(OSError):
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208 - a glob fails here
                with suppress(OSError, ValueError):
                    children = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                    waiting += map(int, children.split())


def _resident_bytes(pid: int) -> int:
    held = 0
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            name, _, amount = line.partition(":")
            if name in _HELD:
                held += int(amount.split()[0]) * 1024
    return held


def _place_bytes(place: int) -> int:
    """Count what a memory file system holds: its pages, and an inode for each file of any size."""
    seen = os.fstatvfs(place)
    pages = (seen.f_blocks - seen.f_bfree) * seen.f_frsize
    return pages + (seen.f_files - seen.f_ffree) * _INODE_BYTES


def _sockets(pid: int) -> int:
    try:
        with Path(f"/proc/{pid}/net/unix").open("rb") as listed:
            return max(0, sum(1 for _ in listed) - 1)
    except OSError:
        return 0


def _most_socket_bytes() -> int:
    """What one socket's buffer may hold: the kernel doubles what a program may ask for."""
    try:
        return 2 * int(Path("/proc/sys/net/core/wmem_max").read_text())
    except (OSError, ValueError):
        return 2 * 212_992
