"""The sandbox of bubblewrap: namespaces, our own system call filter, memory file systems.

As root the study runs under a uid that owns nothing; as an ordinary user inside
a user namespace. Inputs are written through pipes straight into a memory file
system that only the sandbox sees; outputs come back through a pipe.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import resources
from typing import Any, Self

from havre.adapters.sandbox.frames import read_frames
from havre.adapters.sandbox.seccomp import built_filter
from havre.adapters.sandbox.watch import MemoryWatch
from havre.errors import InvalidInput, Unprotected
from havre.ports.sandbox import Outcome, SandboxJob, SandboxResult

BWRAP = "/usr/bin/bwrap"
# A number that no account has: files of the machine give it nothing.
_NOBODY = 61_234
_WORDS_BYTES = 64 * 1024
_INPUT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_CODE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*){0,5}")
_TEMPORARY_BYTES = 512 * 1024**2
_CODE_BYTES = 16 * 1024**2
# What the supervisor writes around the files.
_FRAMING_BYTES = 1024**2
_PAGE_BYTES = 4096
_HOME = "/tmp/home"  # noqa: S108 - a path inside the sandbox
_VARIABLES: Mapping[str, str] = {
    "HOME": _HOME,
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": "/env/lib",
    "MPLBACKEND": "Agg",
    "MPLCONFIGDIR": _HOME,
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/env/bin:/usr/bin:/bin",
    "POLARS_MAX_THREADS": "2",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONHOME": "/env",
    "PYTHONNOUSERSITE": "1",
    "PYTHONPATH": "/code",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
}


class BubblewrapSandbox:
    """Runs jobs with bubblewrap."""

    def probe(self) -> None:
        """Make an empty sandbox, and see that the machine lets us."""
        words = [*_walls(), "--", "/usr/bin/true"]
        try:
            done = subprocess.run(
                words, env={}, capture_output=True, timeout=30, check=False, **_identity()
            )
        except (OSError, subprocess.TimeoutExpired):
            raise Unprotected(
                "This machine has no bubblewrap that answers.",
                hint="sudo apt-get install -y bubblewrap",
            ) from None
        if done.returncode:
            raise Unprotected(
                "This machine does not let bubblewrap make a sandbox.",
                hint="On Ubuntu 24.04 give /usr/bin/bwrap an AppArmor profile with userns.",
            )

    def run(self, job: SandboxJob) -> SandboxResult:
        """Run one job."""
        _check_names(job)
        self.probe()
        started = time.monotonic()
        ours, theirs = socket.socketpair()
        with ours, theirs, _Pipes() as pipes:
            command = _command(job, pipes)
            child = subprocess.Popen(
                command,
                env={},
                # The supervisor says through it where the memory file systems are.
                stdin=theirs.fileno(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=pipes.read_ends,
                start_new_session=True,
                **_identity(),
            )
            pipes.close_read_ends()
            theirs.close()
            try:
                result = _Running(child, job, pipes).to_the_end(started, places=ours)
            finally:
                _end(child)
        return result


class _Pipes:
    """What goes into the sandbox, each through a pipe of its own, fed in order."""

    def __init__(self) -> None:
        self.read_ends: list[int] = []
        self._waiting: list[tuple[int, Iterable[bytes], bool]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close_read_ends()
        for end, _, _ in self._waiting:
            os.close(end)

    def add(self, content: Iterable[bytes], *, is_input: bool = False) -> str:
        """Make a pipe for some content; returns the number that bubblewrap reads from.

        is_input: its size counts against what inputs may take.
        """
        read_end, write_end = os.pipe()
        self.read_ends.append(read_end)
        self._waiting.append((write_end, content, is_input))
        return str(read_end)

    def close_read_ends(self) -> None:
        """Leave the reading to the child."""
        for end in self.read_ends:
            os.close(end)
        self.read_ends = []

    def feed(self, *, most_bytes: int) -> None:
        """Write everything, one pipe after the other, as bubblewrap reads.

        Raises:
            InvalidInput: it is more than the sandbox may hold.
        """
        # A memory file system gives whole pages.
        left = most_bytes - _PAGE_BYTES * sum(counted for _, _, counted in self._waiting)
        while self._waiting:
            end, content, counted = self._waiting.pop(0)
            with os.fdopen(end, "wb", buffering=0) as pipe:
                for chunk in content:
                    left -= len(chunk) * counted
                    if left < 0:
                        raise InvalidInput(
                            "The inputs of a job are larger than its memory file system.",
                            hint="Ask for fewer columns or years, or raise the job's limits.",
                        )
                    _write(pipe, chunk)


def _write(pipe: Any, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[pipe.write(view) :]


class _Running:
    """One job on its way: fed, listened to, watched."""

    def __init__(self, child: subprocess.Popen[bytes], job: SandboxJob, pipes: _Pipes) -> None:
        self._child = child
        self._limits = job.limits
        self._pipes = pipes
        self._fault: BaseException | None = None
        self._frames = bytearray()
        self._words = bytearray()
        self._overflowed = False

    def to_the_end(self, started: float, *, places: socket.socket) -> SandboxResult:
        """Wait until it has ended, one way or another.

        places: where the supervisor sends the memory file systems from.
        """
        watch = MemoryWatch(
            self._child.pid,
            most_bytes=self._limits.memory_bytes,
            when_over=lambda: _end(self._child),
        )
        works = (
            self._feed,
            self._hear_frames,
            self._hear_words,
            lambda: watch.take_places(places),
        )
        threads = [threading.Thread(target=each, daemon=True) for each in works]
        for thread in threads:
            thread.start()
        in_time = True
        try:
            self._child.wait(timeout=self._limits.wall_s)
        except subprocess.TimeoutExpired:
            in_time = False
        _end(self._child)
        for thread in threads:
            thread.join()
        watch.stop()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
        if isinstance(self._fault, InvalidInput):
            raise self._fault
        outcome, outputs = read_frames(bytes(self._frames), limits=self._limits)
        for happened, instead in (
            (not in_time, Outcome.TIMED_OUT),
            (watch.is_over, Outcome.OUT_OF_MEMORY),
            (self._overflowed, Outcome.TOO_MUCH_OUTPUT),
            (self._fault is not None, Outcome.FAILED),
        ):
            if happened:
                outcome, outputs = instead, ()
        return SandboxResult(outcome, outputs, bytes(self._words), time.monotonic() - started)

    def _feed(self) -> None:
        try:
            self._pipes.feed(most_bytes=self._limits.inputs_bytes)
        except BrokenPipeError:
            # The sandbox ended before it had read everything: its outcome says why.
            return
        except BaseException as fault:  # noqa: BLE001 - handed to the caller's thread
            self._fault = fault
            _end(self._child)

    def _hear_frames(self) -> None:
        most = self._limits.outputs_bytes + _FRAMING_BYTES
        for piece in _pieces(self._child.stdout):
            self._frames += piece
            if len(self._frames) > most:
                self._overflowed = True
                self._frames.clear()
                _end(self._child)
                return

    def _hear_words(self) -> None:
        for piece in _pieces(self._child.stderr):
            self._words += piece
            del self._words[:-_WORDS_BYTES]


def _pieces(stream: Any) -> Iterator[bytes]:
    while piece := os.read(stream.fileno(), 65_536):
        yield piece


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a sandbox with everything in it: when its first process dies, the kernel ends the rest."""
    if child.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            child.kill()
    child.wait()


def _identity() -> dict[str, Any]:
    if os.geteuid():
        return {}
    return {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}


def _walls() -> list[str]:
    """What stands between a study and this machine."""
    return [
        BWRAP,
        *("--unshare-all", "--unshare-user", "--disable-userns"),
        *("--uid", "65534", "--gid", "65534", "--hostname", "sandbox"),
        *("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL", "--clearenv"),
        *("--ro-bind", "/usr", "/usr"),
        *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
        *("--symlink", "usr/bin", "/bin"),
        *("--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"),
        *("--ro-bind-try", "/etc/fonts", "/etc/fonts"),
        *("--proc", "/proc", "--dev", "/dev"),
        # A shared mapping of zeros is memory that no process needs to be seen with.
        *("--ro-bind", "/dev/null", "/dev/zero", "--remount-ro", "/dev"),
        *("--size", str(_TEMPORARY_BYTES), "--tmpfs", "/tmp"),  # noqa: S108 - inside
        *("--dir", _HOME),
    ]


def _command(job: SandboxJob, pipes: _Pipes) -> list[str]:
    """The whole command, and the pipes that it reads from, in the order in which it reads."""
    limits = job.limits
    # The filter is read last, when the walls stand; bubblewrap reads the rest in order.
    inputs = [
        *("--size", str(limits.inputs_bytes), "--tmpfs", "/in"),
        *_files("/in", job.inputs, pipes, are_inputs=True),
        *("--remount-ro", "/in"),
    ]
    supervisor = resources.files("havre.adapters.sandbox").joinpath("supervisor.py").read_bytes()
    code = [
        *("--size", str(_CODE_BYTES), "--tmpfs", "/code"),
        *_folders("/code", job.code),
        *_files("/code", {path: [body] for path, body in job.code.items()}, pipes),
        *("--remount-ro", "/code"),
        *("--size", str(_CODE_BYTES), "--tmpfs", "/supervisor"),
        *_files("/supervisor", {"supervisor.py": [supervisor]}, pipes),
        *("--remount-ro", "/supervisor"),
    ]
    order = {
        "bytes": limits.outputs_bytes,
        "command": list(job.command),
        "files": limits.output_files,
        "processes": limits.processes,
    }
    return [
        *_walls(),
        *("--ro-bind", job.environment, "/env"),
        *inputs,
        *code,
        *("--size", str(limits.outputs_bytes), "--tmpfs", "/out"),
        *("--remount-ro", "/", "--chdir", "/tmp"),  # noqa: S108 - inside
        *(word for name, value in _VARIABLES.items() for word in ("--setenv", name, value)),
        *("--seccomp", pipes.add([built_filter()])),
        *("--", "/env/bin/python", "-I", "-B", "/supervisor/supervisor.py", json.dumps(order)),
    ]


def _files(
    folder: str, files: Mapping[str, Iterable[bytes]], pipes: _Pipes, *, are_inputs: bool = False
) -> Iterator[str]:
    for name, content in files.items():
        number = pipes.add(content, is_input=are_inputs)
        yield from ("--perms", "0444", "--file", number, f"{folder}/{name}")


def _folders(root: str, files: Iterable[str]) -> Iterator[str]:
    folders = {path.rsplit("/", 1)[0] for path in files if "/" in path}
    parents = {folder[: at + 1] for folder in folders for at in _ends(folder)}
    for folder in sorted(parents):
        yield from ("--perms", "0555", "--dir", f"{root}/{folder}")


def _ends(folder: str) -> Sequence[int]:
    return [at - 1 for at, sign in enumerate(folder) if sign == "/"] + [len(folder) - 1]


def _check_names(job: SandboxJob) -> None:
    """Refuse names that could be read as something else than a file below a folder."""
    strange = [name for name in job.inputs if not _INPUT.fullmatch(name)]
    strange += [path for path in job.code if not _CODE.fullmatch(path)]
    if strange:
        raise InvalidInput(f"{len(strange)} names of inputs or code files cannot be used.")
    if sum(map(len, job.code.values())) > _CODE_BYTES // 2:
        raise InvalidInput("The code of a study is larger than 8 MiB.")
