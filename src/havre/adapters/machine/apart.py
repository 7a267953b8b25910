"""Starting a program apart: under a user of its own, in a network of its own, or killed at will.

No containers: plain users and the kernel's network namespaces. What a machine
does not allow is found out by trying it, and said; whoever asks for it then gets
a program that is not separated, never a silent success.
"""

from __future__ import annotations

import codecs
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from havre.errors import Unprotected

# Numbers that no account has; files of the machine give them nothing.
_FIRST_UID = 61_300
MOST_USERS = 64
_TRY_S = 30
# Both give a network with nothing in it but a loopback that is down or up.
_WAYS_OFF: tuple[tuple[str, ...], ...] = (
    ("/usr/bin/unshare", "--net", "--"),
    ("/usr/bin/unshare", "--user", "--map-current-user", "--net", "--"),
    ("/usr/bin/bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"),
)
_CODECS = ("ascii", "idna", "latin-1", "utf-16-be", "utf-16-le", "utf-16be", "utf-8")
_ONE_USER = "all parties ran under one user of this machine"
_TRIAL = """
import os, sys
from havre.adapters.machine.apart import become
become(0)
try:
    os.listdir(sys.argv[1])
except PermissionError:
    sys.exit(0)
sys.exit(1)
"""


@dataclass(frozen=True, slots=True)
class Apart:
    """What this machine allows.

    users: whether programs can run under users of their own.
    off_network: the words that start a program without any network; empty when none do.
    lacking: in sentences, what it does not allow.
    """

    users: bool
    off_network: tuple[str, ...]
    lacking: tuple[str, ...]

    def give(self, folder: Path, *, user: int) -> None:
        """Give a directory with everything in it to one of the users; nothing where there are none."""
        if not self.users:
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, _uid(user), _uid(user), follow_symlinks=False)

    def without_network(self, words: Sequence[str]) -> list[str]:
        """Put in front of a command what takes its network away.

        Raises:
            Unprotected: this machine does not allow it.
        """
        if not self.off_network:
            raise Unprotected(
                "This machine does not let a program run without a network.",
                hint="Allow user namespaces, or run the drill as root.",
            )
        return [*self.off_network, *words]


def become(user: int) -> None:
    """Turn this process into one of the users, for good.

    Asked from inside, after everything was imported: Python itself may lie where
    such a user cannot go.

    Raises:
        Unprotected: the machine does not allow it.
    """
    # Python loads these when they are first asked for, which would be too late.
    for codec in _CODECS:
        codecs.lookup(codec)
    datetime.strptime("2026", "%Y")  # noqa: DTZ007 - nobody reads it
    try:
        os.setgroups([])
        os.setgid(_uid(user))
        os.setuid(_uid(user))
    except OSError:
        raise Unprotected("This process cannot become another user.") from None


@cache
def inspect_apart() -> Apart:
    """Try what the machine allows; the answer stays for this process."""
    users = _can_change_user()
    ways = (way for way in _WAYS_OFF if _runs([*way, "/usr/bin/true"]))
    off = next(ways, ())
    lacking = []
    if not users:
        lacking.append(_ONE_USER)
    if not off:
        lacking.append("no program could be taken off the network")
    return Apart(users, off, tuple(lacking))


def apart_in(folder: Path) -> Apart:
    """Tell what the machine allows for programs that work below a directory.

    Users of their own must be able to pass through all that is above it.
    """
    apart = inspect_apart()
    above = (folder, *folder.resolve().parents)
    if not apart.users or all(path.stat().st_mode & 0o001 for path in above):
        return apart
    return Apart(users=False, off_network=apart.off_network, lacking=(_ONE_USER, *apart.lacking))


def _uid(user: int) -> int:
    if not 0 <= user < MOST_USERS:
        raise ValueError(user)
    return _FIRST_UID + user


def _can_change_user() -> bool:
    """Whether a process can become another user, and is then shut out of what is not its own."""
    if os.geteuid():
        return False
    with TemporaryDirectory(prefix="havre-apart-") as folder:
        # It is 0700 and ours: the other user must not get into it.
        words = [sys.executable, "-I", "-c", _TRIAL, folder]
        return _runs(words)


def _runs(words: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            words, env={}, cwd="/", capture_output=True, timeout=_TRY_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0
