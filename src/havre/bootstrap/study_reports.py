"""What the commands about studies show: names and states, and of what a study did next to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from havre.application.review import Submission
from havre.application.run import JobReport
from havre.domain.findings import broken_rules
from havre.domain.job import fault_of, told_time_s
from havre.domain.release import ReleaseStanding
from havre.errors import InvalidInput, Unprotected

Row = dict[str, Any]
# A memory file system that every Linux has.
_MEMORY = "/dev/shm"  # noqa: S108 - where unreviewed files may be laid out


def job_row(report: JobReport, *, code: Mapping[str, bytes]) -> Row:
    """What came of a job, in few bits: a study chooses its time, its files and where it fails.

    code: what ran, path to content.
    """
    row: Row = {
        "job": report.record.job,
        "outcome": report.record.outcome,
        "within_s": told_time_s(report.wall_s),
        "entry": report.index,
    }
    if report.record.outcome != "finished":
        row["fault"] = fault_of(report.words, code=code)
    return row


def submission_row(submission: Submission) -> Row:
    """What the machine's check tells a submission's author: which rules broke, and no more."""
    return {
        **standing_row(submission.standing),
        "rules": broken_rules(submission.findings),
    }


def standing_row(standing: ReleaseStanding) -> Row:
    """Where a request stands."""
    return {
        "request": standing.request,
        "state": standing.state.value,
        "turn": standing.turn,
        "job": standing.job,
        "votes": len(standing.voters),
    }


def check_desk(folder: Path) -> None:
    """Refuse a folder for unreviewed files before they are opened: the opening is on the log.

    Raises:
        Unprotected: the folder is not in a memory file system.
        InvalidInput: it is there already.
    """
    if not folder.resolve().is_relative_to(_MEMORY):
        raise Unprotected(
            "Files that nobody has checked are laid out in memory only.",
            hint="Name a folder below /dev/shm, and remove it afterwards.",
        )
    if folder.exists():
        raise InvalidInput(
            "The folder for the files is there already.", hint="Name a new one below /dev/shm."
        )


def lay_out(files: dict[str, bytes], folder: Path) -> list[str]:
    """Lay unreviewed files before a checker: in memory, never on a disk.

    Raises:
        Unprotected, InvalidInput: from `check_desk`.
    """
    check_desk(folder)
    folder.mkdir(parents=True, mode=0o700)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return sorted(files)
