"""What the commands about studies show: names, counts and states, never content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from havre.application.review import Submission
from havre.application.run import JobReport
from havre.domain.job import fault_of
from havre.domain.release import ReleaseStanding
from havre.errors import Unprotected

Row = dict[str, Any]
# A memory file system that every Linux has.
_MEMORY = "/dev/shm"  # noqa: S108 - where unreviewed files may be laid out


def job_row(report: JobReport) -> Row:
    """What came of a job: how many files, never a name or a word that the study chose."""
    row: Row = {
        "job": report.record.job,
        "outcome": report.record.outcome,
        "files": len(report.record.files),
        "seconds": round(report.wall_s, 1),
        "entry": report.index,
    }
    if report.record.outcome != "finished":
        row["fault"] = fault_of(report.words)
    return row


def submission_row(submission: Submission) -> Row:
    """What the machine's check said of a submission."""
    return {
        **standing_row(submission.standing),
        "findings": [each.for_author for each in submission.findings],
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


def lay_out(files: dict[str, bytes], folder: Path) -> list[str]:
    """Lay unreviewed files before a checker: in memory, never on a disk.

    Raises:
        Unprotected: the folder is not in a memory file system.
    """
    if not folder.resolve().is_relative_to(_MEMORY):
        raise Unprotected(
            "Files that nobody has checked are laid out in memory only.",
            hint="Name a folder below /dev/shm, and remove it afterwards.",
        )
    folder.mkdir(parents=True, mode=0o700)
    for name, body in files.items():
        (folder / name).write_bytes(body)
    return sorted(files)
