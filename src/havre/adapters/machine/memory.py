"""Looking for bytes in another process's memory, and at what the kernel says of that process.

For rehearsals: what a process keeps is found by reading it from outside, as whoever
has the machine could. Linux only; the kernel lets root in, or a parent, or whom the
process itself has let in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from havre.errors import Unavailable

_PROC = Path("/proc")
_PIECE_BYTES = 16 * 1024 * 1024
_WRITABLE = re.compile(r"([0-9a-f]+)-([0-9a-f]+) rw")
_CORE_LIMIT = re.compile(r"Max core file size\s+(\S+)")


def find_in_memory(pid: int, needles: Mapping[str, bytes]) -> set[str]:
    """Find which of some byte strings stand in what a process can write to, by name.

    Raises:
        Unavailable: the kernel does not let this process look, or there is no such process.
    """
    found: set[str] = set()
    overlap = max((len(each) for each in needles.values()), default=1) - 1
    try:
        with (_PROC / str(pid) / "mem").open("rb", buffering=0) as memory:
            for start, end in _writable(pid):
                for piece in _pieces(memory.fileno(), start, end, overlap=overlap):
                    found |= {name for name, sought in needles.items() if sought in piece}
    except OSError:
        raise Unavailable("The memory of another process cannot be read here.") from None
    return found


def children_of(pid: int) -> list[int]:
    """List the processes that a process has started and that are not gone, in order."""
    listed = []
    for path in _PROC.glob("[0-9]*/stat"):
        try:
            # The name stands in brackets, and may itself hold some.
            state, parent = (
                path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[:2]
            )
        except OSError:
            continue
        if int(parent) == pid and state != "Z":
            listed.append(int(path.parent.name))
    return sorted(listed)


def may_leave_core(pid: int) -> bool:
    """Tell whether the kernel would write a file of a process's memory when it dies.

    Raises:
        Unavailable: there is no such process.
    """
    try:
        limits = (_PROC / str(pid) / "limits").read_text(encoding="ascii")
    except OSError:
        raise Unavailable("A process is gone that was to be looked at.") from None
    said = _CORE_LIMIT.search(limits)
    return said is None or said.group(1) != "0"


def _writable(pid: int) -> Iterator[tuple[int, int]]:
    maps = (_PROC / str(pid) / "maps").read_text(encoding="utf-8", errors="replace")
    for line in maps.splitlines():
        if part := _WRITABLE.match(line):
            yield int(part.group(1), 16), int(part.group(2), 16)


def _pieces(descriptor: int, start: int, end: int, *, overlap: int) -> Iterator[bytes]:
    """Read one part of the memory; pieces overlap, so that nothing is missed where two meet."""
    at = start
    while at < end:
        try:
            piece = os.pread(descriptor, min(_PIECE_BYTES, end - at), at)
        except OSError:
            # A page that is reserved and has nothing behind it, or was given back meanwhile.
            return
        if not piece:
            return
        yield piece
        at += len(piece) if at + len(piece) >= end else max(1, len(piece) - overlap)
