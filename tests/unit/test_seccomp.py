"""The system call filter, read as the kernel reads it."""

from __future__ import annotations

import struct
from importlib import resources

import pytest

from havre.adapters.sandbox.seccomp import ARCHITECTURES, REFUSED, filter_bytes

# What another process, the kernel or the machine could be reached by.
NEVER = """acct add_key bpf chroot finit_module fsmount init_module io_uring_setup kexec_file_load
kexec_load keyctl memfd_create mount mount_setattr move_mount mq_open msgget open_by_handle_at
open_tree perf_event_open personality pidfd_getfd pivot_root process_vm_readv process_vm_writev
ptrace quotactl reboot request_key semget setns shmget swapon syslog umount2 unshare userfaultfd
vmsplice"""


def answer_of(program: bytes, *, architecture: str, number: int) -> int:
    """Read a filter as the kernel does: what it answers to one call whose arguments are zero."""
    steps: list[tuple[int, int, int, int]] = list(struct.iter_unpack("<HBBI", program))
    words = {0: number, 4: ARCHITECTURES[architecture]}
    at = loaded = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            loaded = words.get(value, 0)
        elif code == 0x06:
            return value
        else:
            holds = loaded == value if code == 0x15 else bool(loaded & value)
            at += yes if holds else no


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("call", NEVER.split())
def test_the_filter_refuses_on_either_architecture(call: str, architecture: str) -> None:
    number = REFUSED[call][list(ARCHITECTURES).index(architecture)]
    assert number is not None

    answer = answer_of(filter_bytes(architecture), architecture=architecture, number=number)

    assert answer == 0x00050001


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_built_filter_is_what_its_table_says(architecture: str) -> None:
    built = resources.files("havre.adapters.sandbox").joinpath(f"seccomp-{architecture}.bpf")

    assert built.read_bytes() == filter_bytes(architecture)
