"""Our own system call filter, as bytes: what a study has no business asking of the kernel.

A list of what is refused; everything else passes, and bubblewrap's namespaces
hold the rest. `filter_bytes` writes the program; the built bytes stand beside this
file and a test compares the two.

Source: seccomp(2), `linux/filter.h`, the system call tables of Linux 6.
"""

from __future__ import annotations

import platform
import struct
from collections.abc import Iterator, Mapping
from importlib import resources
from types import MappingProxyType

from havre.errors import Unprotected

_LOAD, _EQUAL, _BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _ARCH_AT = 0, 4
_ALLOW, _KILL = 0x7FFF0000, 0x80000000
_REFUSE, _UNKNOWN = 0x00050001, 0x00050026  # EPERM, ENOSYS
_X32 = 0x40000000
_AF_UNIX = 1
# CLONE_NEWTIME, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWNS.
_NAMESPACES = 0x7E020080
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
# The kind of a mapping, MAP_SHARED or MAP_SHARED_VALIDATE; and MAP_ANONYMOUS.
_SHARED, _ANONYMOUS = 0x01, 0x20

ARCHITECTURES: Mapping[str, int] = MappingProxyType({"x86_64": 0xC000003E, "aarch64": 0xC00000B7})

# System call: its number on x86_64 and on aarch64; null where there is none.
# memfd, System V and message queues hold memory that belongs to no process, and a
# page spliced into a pipe stays when its process has given it back: nobody who adds
# up processes (`watch`) would see it.
REFUSED: Mapping[str, tuple[int | None, int | None]] = MappingProxyType(
    {
        "acct": (163, 89),
        "add_key": (248, 217),
        "adjtimex": (159, 171),
        "bpf": (321, 280),
        "chroot": (161, 51),
        "clock_adjtime": (305, 266),
        "clock_settime": (227, 112),
        "create_module": (174, None),
        "delete_module": (176, 106),
        "fanotify_init": (300, 262),
        "finit_module": (313, 273),
        "fsconfig": (431, 431),
        "fsmount": (432, 432),
        "fsopen": (430, 430),
        "fspick": (433, 433),
        "init_module": (175, 105),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "io_uring_setup": (425, 425),
        "ioperm": (173, None),
        "iopl": (172, None),
        "kcmp": (312, 272),
        "kexec_file_load": (320, 294),
        "kexec_load": (246, 104),
        "keyctl": (250, 219),
        "lookup_dcookie": (212, 18),
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "migrate_pages": (256, 238),
        "mount": (165, 40),
        "mount_setattr": (442, 442),
        "move_mount": (429, 429),
        "move_pages": (279, 239),
        "mq_open": (240, 180),
        "msgget": (68, 186),
        "name_to_handle_at": (303, 264),
        "open_by_handle_at": (304, 265),
        "open_tree": (428, 428),
        "perf_event_open": (298, 241),
        "personality": (135, 92),
        "pidfd_getfd": (438, 438),
        "pivot_root": (155, 41),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "ptrace": (101, 117),
        "quotactl": (179, 60),
        "reboot": (169, 142),
        "request_key": (249, 218),
        "semget": (64, 190),
        "setdomainname": (171, 162),
        "sethostname": (170, 161),
        "setns": (308, 268),
        "settimeofday": (164, 170),
        "shmget": (29, 194),
        "swapoff": (168, 225),
        "swapon": (167, 224),
        "syslog": (103, 116),
        "umount2": (166, 39),
        "unshare": (272, 97),
        "userfaultfd": (323, 282),
        "vhangup": (153, 58),
        "vmsplice": (278, 75),
    }
)
_CLONE3 = (435, 435)
_CLONE = (56, 220)
_SOCKET = (41, 198)
_SOCKETPAIR = (53, 199)
_IOCTL = (16, 29)
_MMAP = (9, 222)


def filter_bytes(architecture: str) -> bytes:
    """Write the filter for one architecture, as the kernel reads it.

    Raises:
        Unprotected: there is no table for this architecture.

    >>> len(filter_bytes("x86_64")) % 8
    0
    """
    if architecture not in ARCHITECTURES:
        raise Unprotected(
            f"There is no system call filter for {architecture}.",
            hint="Run studies on a machine with x86_64 or aarch64.",
        )
    return b"".join(_program(architecture))


def built_filter() -> bytes:
    """Read the filter for this machine, as it was built.

    Raises:
        Unprotected: there is none for this architecture.
    """
    name = platform.machine()
    if name not in ARCHITECTURES:
        return filter_bytes(name)
    return resources.files("havre.adapters.sandbox").joinpath(f"seccomp-{name}.bpf").read_bytes()


def _program(architecture: str) -> Iterator[bytes]:
    column = list(ARCHITECTURES).index(architecture)
    yield _step(_LOAD, _ARCH_AT)
    yield from _when(_EQUAL, ARCHITECTURES[architecture], otherwise=_KILL)
    yield _step(_LOAD, _NUMBER_AT)
    if architecture == "x86_64":
        # The x32 numbers reach the same calls by another door.
        yield _step(_BITS, _X32, yes=0, no=1)
        yield _step(_RETURN, _UNKNOWN)
    for numbers in REFUSED.values():
        if (number := numbers[column]) is not None:
            yield from _return_when_equal(number, _REFUSE)
    # Without clone3 the library falls back to clone, whose flags can be read.
    yield from _return_when_equal(_CLONE3[column], _UNKNOWN)
    yield from _on_argument(_CLONE[column], 0, _BITS, [_NAMESPACES], refuse_when=True)
    yield from _on_argument(_SOCKET[column], 0, _EQUAL, [_AF_UNIX], refuse_when=False)
    yield from _on_argument(_SOCKETPAIR[column], 0, _EQUAL, [_AF_UNIX], refuse_when=False)
    # Memory that is shared and no file's stays when a process drops its own view of it.
    yield from _when_all_bits(_MMAP[column], 3, [_SHARED, _ANONYMOUS])
    for request in (_TIOCSTI, _TIOCLINUX):
        yield from _on_argument(_IOCTL[column], 1, _EQUAL, [request], refuse_when=True)
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, value)


def _when(code: int, value: int, *, otherwise: int) -> Iterator[bytes]:
    yield _step(code, value, yes=1, no=0)
    yield _step(_RETURN, otherwise)


def _return_when_equal(number: int, answer: int) -> Iterator[bytes]:
    yield _step(_EQUAL, number, yes=0, no=1)
    yield _step(_RETURN, answer)


def _on_argument(
    number: int, argument: int, code: int, values: list[int], *, refuse_when: bool
) -> Iterator[bytes]:
    """Look at the low half of an argument, only for this call; then load the number again."""
    inner = [_step(_LOAD, 16 + 8 * argument)]
    for value in values:
        # Over the refusal when it does not apply.
        yes, no = (0, 1) if refuse_when else (1, 0)
        inner += [_step(code, value, yes=yes, no=no), _step(_RETURN, _REFUSE)]
    inner.append(_step(_LOAD, _NUMBER_AT))
    yield _step(_EQUAL, number, yes=0, no=len(inner))
    yield from inner


def _when_all_bits(number: int, argument: int, bits: list[int]) -> Iterator[bytes]:
    """Refuse this call when every one of some bits of an argument is set."""
    inner = [_step(_LOAD, 16 + 8 * argument)]
    for at, bit in enumerate(bits):
        # Over what is left of the tests, and over the refusal.
        inner.append(_step(_BITS, bit, yes=0, no=len(bits) - at))
    inner += [_step(_RETURN, _REFUSE), _step(_LOAD, _NUMBER_AT)]
    yield _step(_EQUAL, number, yes=0, no=len(inner))
    yield from inner
