"""What the commands on the way in do and show: deliveries made, what waits, versions published.

Each goes on after a refusal, says what became of each part, and leaves the
gravest refusal to end the command with.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from havre.application.changes import WaitsForCorrected
from havre.application.dispatch import Dispatched, Fate
from havre.application.ingest import IngestReport
from havre.application.ingest_attempts import ContractBroken
from havre.application.ingest_run import RunProgress
from havre.bootstrap.contracts import change_rows
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.rotating import rotate_before_writing
from havre.domain.contract_judgement import Judged
from havre.domain.delivery import FileCount, RowsUnfit
from havre.errors import HavreError, InvalidInput, NotFound, Unavailable

Row = dict[str, Any]


def dispatch_report(tried: Sequence[Dispatched]) -> Row:
    """What a holder sent, in numbers; what was there already; what is held, and why."""
    sealed = [each.note for each in tried if each.fate is Fate.SEALED and each.note]
    files = [(note.delivery, file) for note in sealed for file in note.files]
    reasons: Counter[str] = Counter()
    for _, file in files:
        reasons.update(file.set_aside)
    return {
        "deliveries": len(sealed),
        "files": len(files),
        "lines": sum(file.lines for _, file in files),
        "sent": sum(file.sent for _, file in files),
        "set_aside": dict(sorted(reasons.items())),
        "there_already": [each.name for each in tried if each.fate is Fate.THERE],
        "held": held_rows({each.name: each.fault for each in tried if each.fault}),
        "notes": _note_rows(files),
    }


def held_rows(held: Mapping[str, HavreError]) -> list[Row]:
    """Why each is held, and what now."""
    return [
        {
            "delivery": name,
            "why": fault.message,
            "what_now": fault.hint,
            "exit_code": fault.exit_code,
        }
        for name, fault in held.items()
    ]


def waiting_rows(hub: OpenHub) -> list[Row]:
    """Each delivery in the inbox, and whether it would be taken in."""
    return [
        {
            "delivery": name,
            "state": "held" if fault else "waits",
            "why": fault.message if fault else "",
        }
        for name, fault in hub.receiving.look_through().items()
    ]


@dataclass(slots=True)
class Intake:
    """What one `havre ingest` did.

    held: deliveries that were not taken in. failed: datasets that have no new version.
    judged: by delivery, what became of the rules of its contract.
    changes: what corrections changed.
    codes: what the codes of each delivery are, where the hub keeps their lists.
    receipts: deliveries for which the holder finds a receipt now.
    """

    done: list[IngestReport] = field(default_factory=list)
    judged: dict[str, tuple[Judged, ...]] = field(default_factory=dict)
    changes: list[Row] = field(default_factory=list)
    codes: list[Row] = field(default_factory=list)
    receipts: list[str] = field(default_factory=list)
    held: dict[str, HavreError] = field(default_factory=dict)
    failed: dict[str, HavreError] = field(default_factory=dict)

    @property
    def faults(self) -> list[HavreError]:
        """Every refusal."""
        return [*self.held.values(), *self.failed.values()]

    def rows(self) -> list[Row]:
        """Each dataset's new version, in numbers."""
        return [_version_row(each) for each in self.done]

    def report(self) -> Row:
        """Everything, for a program."""
        files = [(each.delivery, each.sent) for report in self.done for each in report.files]
        failed = held_rows(self.failed)
        return {
            "rows": self.rows(),
            "held": held_rows(self.held),
            "failed": [{"dataset": row.pop("delivery"), **row} for row in failed],
            "notes": _note_rows(files),
            "contracts": [
                {"delivery": delivery, **each.text}
                for delivery, judged in self.judged.items()
                for each in judged
            ],
            "changes": self.changes,
            "codes": self.codes,
            "receipts": self.receipts,
        }


def take_in(
    hub: OpenHub, datasets: Sequence[str], *, progress: Callable[[RunProgress], None]
) -> Intake:
    """Take in what waits and make new versions; one dataset that fails does not stop the others.

    datasets: without any, all for which deliveries wait.

    Nothing further is begun when the store is full or too few answer: it would fail as well.

    Raises:
        Unavailable: that was so already when deliveries were taken in.
    """
    intake = Intake(held=hub.receiving.receive().held)
    for dataset in datasets or hub.ingestion.waiting_datasets():
        try:
            rotate_before_writing(hub, dataset)
            _make_versions(hub, dataset, intake, progress=progress)
        except HavreError as fault:
            intake.failed[dataset] = fault
            if isinstance(fault, Unavailable):
                break
    intake.receipts = hub.receipts.hand_over()
    return intake


def _make_versions(
    hub: OpenHub, dataset: str, intake: Intake, *, progress: Callable[[RunProgress], None]
) -> None:
    """Make a version, and then one more for corrections of what came in with it."""
    while True:
        report = hub.ingestion.ingest(dataset, progress=progress)
        intake.judged |= report.judged
        intake.codes += [
            {"delivery": delivery, **each.text}
            for delivery, codes in report.codes.items()
            for each in codes
        ]
        if report.version is not None:
            intake.done.append(report)
            intake.changes += change_rows(hub, dataset, report.version)
        intake.held = {k: v for k, v in intake.held.items() if k not in report.deliveries}
        intake.held |= report.left
        waits = [each for each in report.left.values() if isinstance(each, WaitsForCorrected)]
        if not any(_is_checked(each.corrects, report) for each in waits):
            return


def _is_checked(delivery: str, report: IngestReport) -> bool:
    return isinstance(report.left.get(delivery), ContractBroken | RowsUnfit | None)


@contextmanager
def report_file(path: Path | None) -> Iterator[Callable[[Intake], None]]:
    """Open a report before anything is done, so that a wrong path is met while it is harmless.

    Lends what writes it; until then a file that was there stays as it was.

    Raises:
        NotFound: its folder does not exist.
        InvalidInput: it cannot be written there.
    """
    if path is None:
        yield lambda _: None
        return
    draft = path.with_name(f".{path.name}.part")
    if not path.parent.is_dir():
        raise NotFound("The report's folder does not exist.", hint="Make it, or name another one.")
    try:
        if path.is_dir():
            raise IsADirectoryError
        # It will hold exact counts: for the owner of the file alone.
        draft.touch(mode=0o600)
    except OSError:
        raise InvalidInput(
            "The report cannot be written there.", hint="Name another file."
        ) from None
    try:
        yield lambda intake: _write(path, draft, intake)
    finally:
        draft.unlink(missing_ok=True)


def _write(path: Path, draft: Path, intake: Intake) -> None:
    body = [
        {
            "accepted": each.checked.accepted,
            "dataset": report.dataset,
            "delivery": each.delivery,
            "lines": each.sent.lines,
            "notes": list(each.sent.notes),
            "path": each.sent.path,
            "set_aside_at_the_holder": dict(each.sent.set_aside),
            "set_aside_at_the_hub": dict(each.checked.set_aside),
            "table": each.sent.table,
        }
        for report in intake.done
        for each in report.files
    ]
    try:
        draft.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        raise Unavailable(
            f"The versions are published; their report was not written: {os.strerror(error.errno or 0)}.",
            hint="See `havre status`; the hub's records have the same counts.",
        ) from None


def _version_row(report: IngestReport) -> Row:
    at_holder = sum(sum(each.sent.set_aside.values()) for each in report.files)
    return {
        "dataset": report.dataset,
        "lines_in": report.lines,
        "accepted": report.accepted,
        "set_aside_at_the_holder": at_holder,
        "set_aside_at_the_hub": report.set_aside - at_holder,
        "entry": report.version,
    }


def _note_rows(files: Sequence[tuple[str, FileCount]]) -> list[Row]:
    """What was accepted with a note, file by file."""
    return [
        {"delivery": delivery, "path": file.path, "notes": list(file.notes)}
        for delivery, file in files
        if file.notes
    ]
