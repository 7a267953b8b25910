"""Where a researcher's program runs: with the extract, and with nothing else.

Promised: no network, no key, no other file of this machine than system
libraries and the study environment, no process but its own, no way out but the
output files that are handed back. Inputs and outputs stay in memory of bounded
size. Neither the program's words nor its files are believed: both are data.
What may be repeated: everything; the same job gives the same outputs.
What may block: at most the wall time that the job may use.
Final errors: `Unprotected`, when this machine cannot keep the promise.
Who may call it: `application.run`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """What one job may use.

    memory_bytes: of all its processes together, with the files that they write;
        inputs_bytes, outputs_bytes: of the memory file systems that hold its
        inputs and its outputs.
    """

    memory_bytes: int = 6 * 1024**3
    inputs_bytes: int = 2 * 1024**3
    outputs_bytes: int = 64 * 1024**2
    output_files: int = 50
    wall_s: float = 600.0
    processes: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SandboxJob:
    """A program, its inputs and where it may run.

    code: path below `/code` to content. command: the program and its arguments.
    environment: the folder of the study environment, seen as `/env`.
    inputs: file name below `/in` to its bytes, read once, in order.
    """

    code: Mapping[str, bytes]
    command: tuple[str, ...]
    environment: str
    inputs: Mapping[str, Iterable[bytes]]
    limits: SandboxLimits = field(default_factory=SandboxLimits)


class Outcome(StrEnum):
    """How a job ended; only a finished one has outputs."""

    FINISHED = "finished"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    OUT_OF_MEMORY = "out-of-memory"
    TOO_MUCH_OUTPUT = "too-much-output"
    STRANGE_OUTPUT = "strange-output"


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A regular file that the job left, by its plain name."""

    name: str
    body: bytes


@dataclass(frozen=True, slots=True)
class SandboxResult:
    """What came of a job.

    words: the last 64 KiB that it said; they may hold anything of the data.
    """

    outcome: Outcome
    outputs: tuple[OutputFile, ...]
    words: bytes
    wall_s: float


class Sandbox(Protocol):
    """Runs jobs."""

    def probe(self) -> None:
        """Make sure that this machine can keep the promise.

        Raises:
            Unprotected: naming what is missing.
        """

    def run(self, job: SandboxJob) -> SandboxResult:
        """Run a job to its end, or to the end of what it may use.

        Raises:
            Unprotected: this machine cannot keep the promise; nothing was run.
            InvalidInput: the inputs are larger than they may be, or a name cannot be one.
        """
