"""What this machine guarantees about clear data in memory, read from the kernel.

Havre keeps clear data off every disk. It can do so only if the machine does
not write memory out behind its back: swap, core dumps, a `/dev/shm` that is no
memory. Each fact says what was seen, whether that is good enough, and how to
mend it.
"""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from havre.errors import Unprotected

SWAPS = Path("/proc/swaps")
_PR_SET_DUMPABLE = 4

# Room for the largest slice of a delivery and an engine's spill.
WANTED_SHM_BYTES = 256 * 1024 * 1024
# A demo takes half of it; a version is written whole beside the one before.
WANTED_DISK_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class MachineFact:
    """One thing that was looked at.

    held: whether the guarantee holds here.
    mend: what to do when it does not; empty when it holds.
    """

    name: str
    held: bool
    seen: str
    mend: str = ""


def inspect_machine() -> list[MachineFact]:
    """Look at everything that could write clear memory to a disk, or betray it.

    Returns one fact per question, always the same questions in the same order.
    """
    return [_swap(), _core_dumps(), _shared_memory(), _yama(), _root()]


def check_swap() -> None:
    """Make sure that no memory of this machine is written to a disk in clear.

    Raises:
        Unprotected: naming what to do.
    """
    fact = _swap()
    if not fact.held:
        raise Unprotected(
            f"Clear data in memory may be written to a disk: {fact.seen}.", hint=fact.mend
        )


def _swap() -> MachineFact:
    lines = SWAPS.read_text(encoding="utf-8").splitlines()[1:]
    clear = [line.split()[0] for line in lines if not _is_encrypted(line.split()[0])]
    return MachineFact(
        "swap is off or encrypted",
        not clear,
        f"{len(lines)} swap areas, {len(clear)} of them not encrypted",
        "" if not clear else "Turn swap off (`swapoff -a`), or put it on a dm-crypt device.",
    )


def _is_encrypted(area: str) -> bool:
    """Tell whether a swap area is under dm-crypt; memory (zram) counts as safe.

    area: a device, or a file, which is as safe as what its file system lies on.
        What cannot be told, such as a file on btrfs, counts as clear.
    """
    try:
        found = Path(area).stat()
    except OSError:
        return False
    number = found.st_rdev if stat.S_ISBLK(found.st_mode) else found.st_dev
    return is_under_dm_crypt(Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}"))


def is_under_dm_crypt(device: Path) -> bool:
    """Tell whether all that a block device writes is encrypted on its way, at whatever depth.

    device: its directory below `/sys`.
    """
    if device.resolve().name.startswith("zram"):
        return True
    try:
        if (device / "dm/uuid").read_text(encoding="ascii").startswith("CRYPT-"):
            return True
        below = list((device / "slaves").iterdir())
    except OSError:
        return False
    return bool(below) and all(map(is_under_dm_crypt, below))


def _core_dumps() -> MachineFact:
    soft, _hard = resource.getrlimit(resource.RLIMIT_CORE)
    return MachineFact(
        "core dumps are off",
        soft == 0,
        "no core file is written" if soft == 0 else "a crash may write memory to a disk",
        "" if soft == 0 else "Havre turns them off for itself; set `ulimit -c 0` for all the rest.",
    )


def _shared_memory() -> MachineFact:
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 - only asked for its size
        free = room.f_bavail * room.f_frsize
    except OSError:
        free = 0
    in_memory = any(
        line.split()[1:3] == ["/dev/shm", "tmpfs"]  # noqa: S108
        for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
    )
    held = in_memory and free >= WANTED_SHM_BYTES
    return MachineFact(
        "there is a memory file system for engines",
        held,
        f"{free // 2**20} MiB free, {'in' if in_memory else 'not in'} memory",
        "" if held else f"Mount a tmpfs of at least {WANTED_SHM_BYTES // 2**20} MiB on /dev/shm.",
    )


def check_in_memory(folder: Path) -> None:
    """Make sure that what is written to a folder stays in memory.

    Raises:
        Unprotected: it lies on a disk, or on what cannot be told from one.
    """
    place = folder.resolve()
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    # Of mounts over each other the last one counts; blanks are spelled in octal there.
    kinds = {Path(point.replace("\\040", " ")): kind for point, kind in mounts}
    nearest = next((kinds[each] for each in (place, *place.parents) if each in kinds), "")
    if nearest not in ("tmpfs", "ramfs"):
        raise Unprotected(
            f"{folder.name or folder} is on a disk; this may be written to memory only.",
            hint="Name a file in /dev/shm, print it, and remove it.",
        )


def look_at_disk(folder: Path) -> MachineFact:
    """Look how much room there is where a hub stands, or will stand."""
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    held = free >= WANTED_DISK_BYTES
    return MachineFact(
        "there is room on the hub's disk",
        held,
        f"{free // 2**20} MiB free",
        ""
        if held
        else f"Make room: at least {WANTED_DISK_BYTES // 2**20} MiB, and twice the data.",
    )


def _yama() -> MachineFact:
    try:
        scope = int(Path("/proc/sys/kernel/yama/ptrace_scope").read_text(encoding="ascii"))
    except (OSError, ValueError):
        scope = 0
    return MachineFact(
        "other processes cannot read this one's memory",
        scope >= 1,
        f"ptrace scope {scope}",
        ""
        if scope >= 1
        else "Set `kernel.yama.ptrace_scope=1`, or run each party as its own user.",
    )


def _root() -> MachineFact:
    root = os.geteuid() == 0
    return MachineFact(
        "Havre does not run as root",
        not root,
        "running as root" if root else "running as an ordinary user",
        "Run the hub as a user of its own; researchers' code is dropped to another user in any case."
        if root
        else "",
    )


def turn_off_core_dumps() -> None:
    """Keep this process from ever writing its memory to a file, and others from reading it.

    The limit alone would not do: a kernel that pipes core files to a program
    passes over it. What is not dumpable cannot be traced either, but by root.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise Unprotected(
            "The kernel does not let this process keep its memory to itself.",
            hint="Run Havre on Linux, outside a sandbox that forbids prctl.",
        )
