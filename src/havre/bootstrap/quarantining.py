"""Rows that were set aside, wired: what there is, a look at it, another try."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from havre.application.quarantine import QuarantineBook, QuarantineDesk
from havre.application.replay import Replay
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.rotating import generations, rotate_before_writing
from havre.bootstrap.timekeeping import list_superseded
from havre.domain.erasure_check import QUARANTINE_DAYS
from havre.domain.shown import show_file
from havre.errors import InvalidInput, NotFound, Refused

Row = dict[str, Any]
# When rows that were set aside are erased, from their keys' successors on (`domain.terms`).
_ASIDE_DAYS = QUARANTINE_DAYS
# How many rows a look tells of, one by one; it counts all of them.
_TOLD_ROWS = 100
_TERMINAL = "-"


def quarantine_rows(hub: OpenHub, dataset: str | None) -> list[Row]:
    """Each file of which rows are set aside: by the records, with no key.

    dataset: only of this one; null for all.

    Raises:
        NotFound: the catalogue knows no such dataset.
    """
    known = {each.schema.dataset for each in hub.catalogue.known().tables}
    if dataset is not None and dataset not in known:
        raise NotFound(
            f"The catalogue knows no dataset {show_file(dataset)}.",
            hint=f"It knows {', '.join(sorted(known))}.",
        )
    ends = {
        each.partition: (each.since + timedelta(days=_ASIDE_DAYS)).date().isoformat()
        for each in list_superseded(hub)
    }
    return [
        {
            "dataset": each.dataset,
            "version": each.version,
            "delivery": each.file.delivery,
            "file": each.file.path,
            "table": each.file.table,
            "rows": each.file.rows,
            "reasons": dict(sorted(each.file.reasons.items())),
            "can_be_replayed": each.file.layout is not None,
            "ends_on": min((ends[name] for name in each.partitions if name in ends), default=""),
        }
        for each in _book(hub).listed()
        if dataset in (None, each.dataset)
    ]


def look_at_rows(hub: OpenHub, dataset: str, *, permit: str, reveal: str | None) -> Row:
    """Open rows that are set aside: say where they are and why, and no more.

    reveal: a new file for the delivered lines as they came, for its owner alone; `-` is a
        terminal. Null keeps them closed.

    Returns counts by reason, and the first rows' places.

    Raises:
        InvalidInput: the file is there, or cannot be made.
        Refused: `-`, and standard output is no terminal.
    """
    told: list[Row] = []
    reasons = Counter[str]()
    with _revealed(reveal) as lines, _desk(hub).look(dataset, permit=permit) as rows:
        for table, row in rows:
            reasons[row.reason] += 1
            if len(told) < _TOLD_ROWS:
                told.append(
                    {
                        "table": table,
                        "delivery": row.delivery,
                        "file": row.path,
                        "line": row.line,
                        "reason": row.reason,
                    }
                )
            if lines is not None:
                lines.write(row.content + b"\n")
    return {
        "dataset": dataset,
        "rows": reasons.total(),
        "reasons": dict(sorted(reasons.items())),
        "first": told,
        "revealed": reasons.total() if reveal else 0,
    }


def replay_rows(hub: OpenHub, dataset: str, *, permit: str, progress: Callable[[str], None]) -> Row:
    """Check rows that are set aside again; what passes becomes a new version."""
    rotate_before_writing(hub, dataset)
    report = _replay(hub).replay(dataset, permit=permit, progress=progress)
    return {
        "dataset": dataset,
        "rows": report.read,
        "accepted": report.accepted,
        "still_set_aside": report.set_aside,
        "reasons": dict(sorted(report.reasons.items())),
        "entry": report.version,
    }


@contextmanager
def _revealed(where: str | None) -> Iterator[BinaryIO | None]:
    """Open what clear lines are written to, before anything else is done."""
    if where is None:
        yield None
        return
    if where == _TERMINAL:
        if not sys.stdout.isatty():
            raise Refused(
                "Delivered lines are shown on a terminal only, and this is none.",
                hint="Name a file: --reveal FILE.",
            )
        yield sys.stdout.buffer
        return
    path = Path(where)
    if not path.parent.is_dir():
        raise NotFound("The folder of that file does not exist.", hint="Make it, or name another.")
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError:
        raise InvalidInput(
            "That file is there already, or cannot be written.", hint="Name a new one."
        ) from None
    try:
        with os.fdopen(made, "wb") as file:
            yield file
    except BaseException:
        # Half of it would be taken for all of it.
        path.unlink(missing_ok=True)
        raise


def _book(hub: OpenHub) -> QuarantineBook:
    return QuarantineBook(hub.records, hub.log)


def _desk(hub: OpenHub) -> QuarantineDesk:
    return QuarantineDesk(
        permits=hub.permits,
        release=hub.release,
        book=_book(hub),
        reader=hub.reader,
        rows=hub.ingest_tools.aside,
    )


def _replay(hub: OpenHub) -> Replay:
    return Replay(
        permits=hub.permits,
        release=hub.release,
        journal=hub.journal,
        book=_book(hub),
        known=hub.catalogue.known(),
        contracts=hub.contracts,
        roots=hub.roots,
        generations=generations(hub),
        tools=hub.ingest_tools,
        clock=hub.clock,
    )
