"""A job: some code, on one permit's extract, in one environment; what is known of it and what is not."""

from __future__ import annotations

import builtins
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

PREDICATE_JOB = "havre/v1/job"
OUTPUTS_LABEL = "havre/v1/outputs"
_PLACE = re.compile(rb'File "/code/[^"]{1,200}", line (\d{1,6})')
_ERRORS = frozenset(
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
)


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


def fault_of(words: bytes) -> str:
    """Say where a study failed without a word of its own: a line, and Python's name for it.

    What a program says may hold anything of the data, so nothing of it is shown;
    an error of its own making is only called an error.

    >>> fault_of(b'File "/code/study.py", line 7, in f\\nKeyError: secret')
    'line 7: KeyError'
    """
    places = _PLACE.findall(words)
    last = words.strip().rsplit(b"\n", 1)[-1].split(b":", 1)[0].decode("ascii", "replace")
    kind = last if last in _ERRORS else "an error"
    return f"line {places[-1].decode()}: {kind}" if places else kind
