"""Compaction, wired; what the command shows of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from havre.application.compact import Compaction, CompactTools
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.rotating import generations, rotate_before_writing


def compact_dataset(
    hub: OpenHub, dataset: str, *, permit: str, year: int | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Put the small files of a dataset together; generations that are due are rotated first.

    Returns the new version's entry, or null, and a row for each table and year.
    """
    rotate_before_writing(hub, dataset)
    report = compaction(hub).compact(dataset, permit=permit, year=year, progress=progress)
    return {
        "dataset": dataset,
        "entry": report.version,
        "tables": [
            {
                "table": each.table,
                "year": each.year or "undated",
                "files_before": each.files_before,
                "files_after": each.files_after,
                "rows": each.rows,
            }
            for each in report.tables
        ],
    }


def compaction(hub: OpenHub) -> Compaction:
    """Whoever puts files together at this hub."""
    from havre.adapters.tables.merging import ArrowMerger

    return Compaction(
        permits=hub.permits,
        release=hub.release,
        journal=hub.journal,
        log=hub.log,
        records=hub.records,
        catalogue=hub.catalogue.known().catalogue,
        generations=generations(hub),
        tools=CompactTools(vault=hub.vault, reader=hub.reader, merger=ArrowMerger()),
        clock=hub.clock,
    )
