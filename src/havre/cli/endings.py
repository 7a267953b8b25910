"""How a command ends that did not succeed: one sentence, one hint, one exit code.

A refusal says all of that itself (`havre.errors`). A file system that refuses, a
person who stops a command and a fault of Havre's own are put into the same form
here. Nothing that such an exception says is shown: its words may quote the data.
Whoever debugs sets `HAVRE_DEBUG=1` and reads the trace.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from typer._click.exceptions import ClickException

from havre.bootstrap import show_name
from havre.errors import HavreError, InvalidInput, Unavailable

EXIT_FAULT = 70
EXIT_INTERRUPTED = 130
_NAME_ANOTHER = (InvalidInput, "Name another place, and run the command again.")
_LET_WRITE = (Unavailable, "Let this account use it, or name another place.")
_HINTS: dict[int, tuple[type[HavreError], str]] = {
    errno.ENOSPC: (Unavailable, "Make room on its disk, and run the command again."),
    errno.EDQUOT: (Unavailable, "Make room on its disk, and run the command again."),
    errno.EROFS: _LET_WRITE,
    errno.EACCES: _LET_WRITE,
    errno.EPERM: _LET_WRITE,
    errno.EEXIST: _NAME_ANOTHER,
    errno.ENOTEMPTY: _NAME_ANOTHER,
    errno.EISDIR: _NAME_ANOTHER,
    errno.ENOTDIR: _NAME_ANOTHER,
    errno.ENAMETOOLONG: _NAME_ANOTHER,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """What is shown of a command that failed.

    kind: the class of `havre.errors`, or `Interrupted`, `Usage` or `Fault`.
    """

    kind: str
    message: str
    hint: str
    exit_code: int


INTERRUPTED = Ending(
    "Interrupted",
    "Stopped before it was done.",
    "Run the command again: it begins anew, or goes on from what was begun.",
    EXIT_INTERRUPTED,
)


def ending_of(fault: BaseException) -> Ending:
    """Put any exception into words that hold no value from the data.

    >>> ending_of(OSError(28, "", "/a/key.json")).message
    'key.json cannot be used: No space left on device.'
    >>> ending_of(ZeroDivisionError("1850175012345")).exit_code
    70
    """
    if isinstance(fault, HavreError):
        return Ending(type(fault).__name__, fault.message, fault.hint, fault.exit_code)
    if isinstance(fault, ClickException):
        hint = "Add --help to the command to see how it is used."
        return Ending("Usage", fault.format_message(), hint, fault.exit_code)
    if isinstance(fault, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(fault, OSError) and fault.errno:
        return _of_system(fault, fault.errno)
    return _of_fault(fault)


def _of_system(fault: OSError, number: int) -> Ending:
    kind, hint = _HINTS.get(number, (Unavailable, "Mend that, and run the command again."))
    path = fault.filename
    name = show_name(Path(os.fsdecode(path))) if isinstance(path, str | bytes) else "A file"
    message = f"{name} cannot be used: {os.strerror(number)}."
    return Ending(kind.__name__, message, hint, kind.exit_code)


def _of_fault(fault: BaseException) -> Ending:
    frames = [
        frame for frame in traceback.extract_tb(fault.__traceback__) if "havre" in frame.filename
    ]
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}" if frames else ""
    return Ending(
        "Fault",
        f"This is a fault of Havre's own: {type(fault).__name__}{where}.",
        "Report this sentence, the command and `havre --version` to the project. HAVRE_DEBUG=1"
        " shows the trace, which may quote data: read it before you pass it on.",
        EXIT_FAULT,
    )


def end_with(fault: BaseException, *, words: Sequence[str]) -> int:
    """Tell a person, and a program that asked for JSON, how a command ended.

    words: the command line; `--json` counts where Havre reads it, before `--`.

    Returns the exit code.
    """
    if os.environ.get("HAVRE_DEBUG") == "1" and not isinstance(fault, ClickException):
        traceback.print_exception(fault)
    ending = ending_of(fault)
    if isinstance(fault, ClickException):
        fault.show()
    else:
        print(f"havre: {ending.message}", file=sys.stderr)
        if ending.hint:
            print(f"       {ending.hint}", file=sys.stderr)
    if "--json" in _own_words(words):
        error = {
            "class": ending.kind,
            "message": ending.message,
            "hint": ending.hint,
            "exit_code": ending.exit_code,
        }
        print(json.dumps({"error": error}, indent=2, ensure_ascii=False))
    return ending.exit_code


def _own_words(words: Sequence[str]) -> Sequence[str]:
    return words[: words.index("--")] if "--" in words else words


@contextmanager
def until_stopped() -> Iterator[None]:
    """Let a body go on until the process is told to stop, which is then a good end.

    Both signals end the body wherever it is, so that what it has started is stopped.
    """

    def stop(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    with suppress(KeyboardInterrupt):
        yield
    signal.signal(signal.SIGTERM, before)


def stop_when_input_ends() -> None:
    """Have this process told to stop when its standard input ends: whoever started it is gone.

    A process that was killed can stop nobody any more, but its end of the pipe is closed.
    """

    def wait() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="until-input-ends", daemon=True).start()
