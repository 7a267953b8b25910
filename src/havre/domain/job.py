"""A job: some code, on one permit's extract, in one environment; what is known of it and what is not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

PREDICATE_JOB = "havre/v1/job"
OUTPUTS_LABEL = "havre/v1/outputs"
_PLACE = re.compile(rb'File "/code/study\.py", line ([1-9][0-9]{0,3})(?![0-9])')
# A line as Python counts it; of a study's lines no more are looked at than can be told.
_LINE = re.compile(rb"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
# Whatever is told of a failed run is a message that the study may choose: ten bits of a
# line, four of a name. Fifteen names help, and a study that needs a longer file has modules.
MAX_TOLD_LINE = 1_000
_ERRORS = frozenset(
    {
        "AttributeError",
        "FileNotFoundError",
        "ImportError",
        "IndentationError",
        "IndexError",
        "KeyError",
        "MemoryError",
        "ModuleNotFoundError",
        "NameError",
        "PermissionError",
        "RecursionError",
        "SyntaxError",
        "TypeError",
        "ValueError",
        "ZeroDivisionError",
    }
)
# A run's time is told in four steps, the last of them a limit: two bits.
_STEPS_S = (10, 60, 300, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """What the hub keeps of a job, in its private records.

    files: output name to SHA-256 of its bytes; none when it did not finish.
    bundle: object id of the sealed outputs, and its SHA-256; empty when none.
    request: SHA-256 of the researcher's signed request.
    """

    job: str
    permit: str
    researcher: str
    outcome: str
    files: Mapping[str, str]
    bundle: str
    bundle_sha256: str
    request: str


def code_digest(code: Mapping[str, bytes]) -> str:
    """Name a study's code: SHA-256 over its paths and contents.

    >>> code_digest({"study.py": b"x"})[:8]
    '2f4506fa'
    """
    files: dict[str, Json] = {path: hashlib.sha256(body).hexdigest() for path, body in code.items()}
    return hashlib.sha256(encode_canonical({"code": files})).hexdigest()


def outputs_document(files: Mapping[str, str]) -> bytes:
    """What the log's commitment to outputs is about."""
    return encode_canonical({"files": dict(files)})


def encode_job(record: JobRecord) -> bytes:
    """Write a job's record."""
    return encode_canonical(
        {
            "bundle": record.bundle,
            "bundle_sha256": record.bundle_sha256,
            "files": dict(record.files),
            "job": record.job,
            "outcome": record.outcome,
            "permit": record.permit,
            "request": record.request,
            "researcher": record.researcher,
        }
    )


def parse_job(document: bytes) -> JobRecord:
    """Read a job's record.

    Raises:
        InvalidInput: it is none.
    """
    body = parse_canonical(document)
    files = body.pop("files", None) if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(files, dict):
        raise InvalidInput("A job's record cannot be read.")
    words = {str(name): str(value) for name, value in body.items()}
    return JobRecord(files={str(name): str(value) for name, value in files.items()}, **words)


def fault_of(words: bytes, *, code: Mapping[str, bytes]) -> str:
    """Say where a study failed without a word of its own: a line of it, and Python's name for it.

    words: what the study said. It may hold anything of the data, and be written to look
        like an error, so hardly anything of it is shown.
    code: path to content; the line must be one of `study.py`, of its first thousand.

    >>> code = {"study.py": b"import os\\nraise KeyError('secret')\\n"}
    >>> fault_of(b'File "/code/study.py", line 2, in f\\nKeyError: secret', code=code)
    'line 2: KeyError'
    >>> fault_of(b'File "/code/study.py", line 77, in f\\nSecretError: 8', code=code)
    'an error'
    """
    lines = _LINE.finditer(code.get("study.py", b""))
    written = sum(1 for _ in islice(lines, MAX_TOLD_LINE))
    places = [int(line) for line in _PLACE.findall(words) if int(line) <= written]
    last = words.strip().rsplit(b"\n", 1)[-1].split(b":", 1)[0].decode("ascii", "replace")
    kind = last if last in _ERRORS else "an error"
    return f"line {places[-1]}: {kind}" if places else kind


def told_time_s(wall_s: float) -> int:
    """Round a run's time up to the next step that is told.

    >>> told_time_s(3.2), told_time_s(10.1), told_time_s(4000)
    (10, 60, 600)
    """
    return next((step for step in _STEPS_S if wall_s <= step), _STEPS_S[-1])
