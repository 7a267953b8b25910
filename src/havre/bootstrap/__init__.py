"""The only place that knows which adapters exist: configuration in, wired use cases out."""

from __future__ import annotations

from pathlib import Path


def keep_memory_private() -> None:
    """Begin a process that may hold keys or clear data: no core file, no reader of its memory.

    Raises:
        Unprotected: the kernel does not allow it.
    """
    from havre.adapters.machine.guarantees import turn_off_core_dumps

    turn_off_core_dumps()


def check_swap() -> None:
    """Make sure that no memory of this machine is written to a disk in clear.

    Raises:
        Unprotected: naming what to do.
    """
    from havre.adapters.machine.guarantees import check_swap

    check_swap()


def show_name(path: Path) -> str:
    """Name a file in a message: its last name, if that is plain, and nothing of where it is."""
    from havre.domain.shown import show_file

    return show_file(path.name)
