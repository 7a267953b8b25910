"""What another process keeps in its memory is found from outside, and only what is there."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from havre.adapters.machine.memory import children_of, find_in_memory, may_leave_core
from havre.crypto.random import random_bytes
from havre.errors import Unavailable

KEEPER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (int(sys.argv[1]), int(sys.argv[1])))
kept = bytes.fromhex(sys.stdin.readline())
filled = bytearray(int(sys.argv[2]))
filled[len(filled) - len(kept):] = kept
print("kept", flush=True)
sys.stdin.readline()
"""


@contextmanager
def keeper(value: bytes, *, cores: int = 0, size: int = 64) -> Iterator[int]:
    """A process that holds a value at the end of a piece of memory of some size."""
    with subprocess.Popen(
        [sys.executable, "-I", "-c", KEEPER, str(cores), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdin
        assert child.stdout
        child.stdin.write(value.hex() + "\n")
        child.stdin.flush()
        assert child.stdout.readline() == "kept\n"
        yield child.pid
        child.stdin.close()


@pytest.mark.parametrize("size", [64, 40 * 1024 * 1024 + 7, 16 * 1024 * 1024 + 16])
def test_a_value_is_found_wherever_it_lies(size: int) -> None:
    there, elsewhere = random_bytes(32), random_bytes(32)
    with keeper(there, size=size) as pid:
        assert find_in_memory(pid, {"there": there, "elsewhere": elsewhere}) == {"there"}


def test_a_process_that_is_gone_is_not_said_to_hold_nothing() -> None:
    with keeper(b"x") as pid:
        pass

    with pytest.raises(Unavailable):
        find_in_memory(pid, {"x": b"x"})
    with pytest.raises(Unavailable):
        may_leave_core(pid)


def test_the_children_of_a_process_are_those_it_started() -> None:
    before = children_of(os.getpid())
    with keeper(b"x") as pid:
        assert set(children_of(os.getpid())) - set(before) == {pid}
    assert pid not in children_of(os.getpid())


def test_a_limit_of_nothing_leaves_no_core_file() -> None:
    with keeper(b"x") as pid:
        assert not may_leave_core(pid)


@pytest.mark.skipif(
    resource.getrlimit(resource.RLIMIT_CORE)[1] == 0, reason="core files are forbidden here"
)
def test_another_limit_may_leave_one() -> None:
    with keeper(b"x", cores=4096) as pid:
        assert may_leave_core(pid)
