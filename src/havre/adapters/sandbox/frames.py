"""What a sandbox hands out, read strictly: every byte of it may come from the study itself."""

from __future__ import annotations

import json
import re

from havre.ports.sandbox import Outcome, OutputFile, SandboxLimits

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MOST_LINE_BYTES = 1024
_STRANGE = (Outcome.STRANGE_OUTPUT, ())


def read_frames(content: bytes, *, limits: SandboxLimits) -> tuple[Outcome, tuple[OutputFile, ...]]:
    """Read the files and the outcome that a supervisor wrote; anything unexpected is strange.

    >>> read_frames(b'{"outcome": "finished"}\\n', limits=SandboxLimits())[0].value
    'finished'
    """
    outputs: list[OutputFile] = []
    at = 0
    while at < len(content):
        end = content.find(b"\n", at, at + _MOST_LINE_BYTES)
        line = _object(content[at:end]) if end >= 0 else None
        if line is None:
            return _STRANGE
        at = end + 1
        if "outcome" in line:
            return _ended(line["outcome"], outputs) if at == len(content) else _STRANGE
        name, size = line.get("name"), line.get("size")
        if not isinstance(name, str) or type(size) is not int or not _NAME.fullmatch(name):
            return _STRANGE
        if size < 0 or at + size > len(content) or name in {each.name for each in outputs}:
            return _STRANGE
        outputs.append(OutputFile(name, content[at : at + size]))
        at += size
        if len(outputs) > limits.output_files:
            return Outcome.TOO_MUCH_OUTPUT, ()
    # Nothing was said at the end: the supervisor died with the study.
    return Outcome.FAILED, ()


def _ended(word: object, outputs: list[OutputFile]) -> tuple[Outcome, tuple[OutputFile, ...]]:
    try:
        outcome = Outcome(str(word))
    except ValueError:
        return _STRANGE
    return outcome, tuple(outputs) if outcome is Outcome.FINISHED else ()


def _object(line: bytes) -> dict[str, object] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None
