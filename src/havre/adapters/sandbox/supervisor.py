"""The first process inside a sandbox: starts the study, and hands its files out when it has ended.

Runs inside, with the study's own rights and interpreter: standard library only,
and nothing it says is believed outside. Framed on standard output: for each
file a line of JSON and its bytes, at the end a line with the outcome.
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
OUT = Path("/out")
WRITABLE = ("/tmp", "/out")  # noqa: S108 - inside


def main() -> None:
    """Run the command and send what it left."""
    order = json.loads(sys.argv[1])
    show_places()
    # When the machine itself runs short of memory, the study goes first.
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    # Bounded here, inherited by every process of the study.
    resource.setrlimit(resource.RLIMIT_NPROC, (order["processes"], order["processes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    resource.setrlimit(resource.RLIMIT_FSIZE, (order["bytes"], order["bytes"]))
    try:
        done = subprocess.run(
            order["command"],
            cwd=os.environ["HOME"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=False,
        )
        code = done.returncode
    except OSError:
        code = 127
    # Whatever the study left running can no longer change what it leaves.
    with suppress(OSError):
        os.kill(-1, signal.SIGKILL)
    send(order, code)


def show_places() -> None:
    """Hand out, through standard input, what the memory file systems are looked at by.

    Done before the study starts, so that it has no say in it; then the way is closed.
    """
    with socket.socket(fileno=os.dup(0)) as hub:
        places = [os.open(place, os.O_PATH | os.O_DIRECTORY) for place in WRITABLE]
        socket.send_fds(hub, [b"p"], places)
    for place in places:
        os.close(place)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def send(order: dict[str, Any], code: int) -> None:
    """Write every output file, or say why there is none."""
    if code:
        end("failed")
        return
    found = sorted(OUT.iterdir())
    kinds = [path.lstat() for path in found]
    plain = all(stat.S_ISREG(kind.st_mode) and kind.st_nlink == 1 for kind in kinds)
    if not plain or not all(NAME.fullmatch(path.name) for path in found):
        end("strange-output")
    elif len(found) > order["files"] or sum(kind.st_size for kind in kinds) > order["bytes"]:
        end("too-much-output")
    else:
        for path in found:
            body = path.read_bytes()
            line = json.dumps({"name": path.name, "size": len(body)})
            sys.stdout.buffer.write(line.encode() + b"\n" + body)
        end("finished")


def end(outcome: str) -> None:
    """Say how it ended."""
    sys.stdout.buffer.write(json.dumps({"outcome": outcome}).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
