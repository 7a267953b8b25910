"""P4: what a study holds in memory counts, however it is held."""

from __future__ import annotations

from pathlib import Path

import pytest

from fakes.sandboxed import run
from havre.adapters.sandbox import watch
from havre.ports.sandbox import Outcome


def test_a_study_cannot_take_all_the_memory() -> None:
    code = (
        "import os\nos.fork()\nos.fork()\nx = bytearray(400_000_000)\nimport time; time.sleep(20)"
    )

    result = run(code, memory_bytes=1_000_000_000)

    assert result.outcome is Outcome.OUT_OF_MEMORY


# Ways to hold memory without a process that is seen with it; each works without its wall.
HIDDEN_MEMORY = {
    "files": "open('/tmp/a', 'wb').write(bytes(300_000_000))",
    "a file that was deleted": (
        "f = open('/tmp/a', 'wb')\nos.unlink('/tmp/a')\nf.write(bytes(300_000_000))"
    ),
    "outputs": ("for n in range(6): open(f'/out/{n}', 'wb').write(bytes(50_000_000))"),
    "names of empty files": ("for n in range(400_000): os.close(os.open(f'/tmp/{n}', os.O_CREAT))"),
    "page tables": (
        "import mmap\n"
        "m = mmap.mmap(-1, 1 << 38, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)\n"
        "m.madvise(15)\n"
        "for at in range(0, 1 << 38, 2 << 20): m[at]"
    ),
    "buffers of sockets": (
        "import socket\nheld = []\n"
        "def fill():\n"
        "    while True:\n"
        "        pair = socket.socketpair()\n"
        "        pair[0].setblocking(False)\n"
        "        held.append(pair)\n"
        "        try:\n"
        "            while True: pair[0].send(bytes(65536))\n"
        "        except BlockingIOError: pass\n"
        "for _ in range(3): os.fork()\n"
        "try: fill()\n"
        "except OSError: pass"
    ),
}


@pytest.mark.parametrize("how", HIDDEN_MEMORY)
def test_memory_that_no_process_is_seen_with_counts(how: str) -> None:
    code = f"import os, time\n{HIDDEN_MEMORY[how]}\ntime.sleep(20)"

    result = run(code, memory_bytes=200_000_000, outputs_bytes=400_000_000, wall_s=60)

    assert result.outcome is Outcome.OUT_OF_MEMORY
    assert result.wall_s < 60


def test_a_job_that_can_no_longer_be_looked_at_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_pid: int) -> int:
        raise RuntimeError

    monkeypatch.setattr(watch, "_resident_bytes", fails)

    assert run("import time; time.sleep(20)").outcome is Outcome.OUT_OF_MEMORY


def test_processes_that_come_and_go_do_not_stop_the_watch() -> None:
    """Each look meets processes that end while they are listed."""
    code = """
import os, time
for _ in range(20):
    if os.fork() == 0:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            try:
                if os.fork() == 0: os._exit(0)
                os.wait()
            except OSError: pass
        os._exit(0)
time.sleep(1.6)
held = bytearray(400_000_000)
time.sleep(20)
"""
    assert run(code, memory_bytes=300_000_000).outcome is Outcome.OUT_OF_MEMORY


def test_a_study_may_write_files_within_its_memory() -> None:
    result = run(
        "open('/tmp/a', 'wb').write(bytes(60_000_000)); open('/out/a', 'w').write('x')",
        memory_bytes=200_000_000,
        outputs_bytes=100_000_000,
    )

    assert result.outcome is Outcome.FINISHED


def test_what_watches_the_memory_holds_nothing_afterwards() -> None:
    run("pass")
    before = len(list(Path("/proc/self/fd").iterdir()))

    run("pass")

    assert len(list(Path("/proc/self/fd").iterdir())) == before
