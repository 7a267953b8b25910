"""Describe versions: what may be known of each, made with it and kept beside it.

Exact counts are in memory while a version is made, and nowhere afterwards. What is kept,
in the records, is the description and the label, which may be shown to everybody; they are
not on the log, whose entries stay as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from havre.application.audit import PublicLog
from havre.application.ingest_run import FileReport
from havre.domain.catalogue_view import VersionView
from havre.domain.code_system import ColumnCodes
from havre.domain.content import TableCount
from havre.domain.description import DatasetDescription, describe_table
from havre.domain.description_text import (
    KIND_DESCRIPTION,
    encode_description,
    parse_description,
)
from havre.domain.quality import LineCounts, judge_version
from havre.domain.quality_text import KIND_QUALITY, encode_label, parse_label
from havre.domain.schema import TableSchema
from havre.errors import InvalidInput, NotFound
from havre.ports.records import Document, Records

T = TypeVar("T")


def describe_version(
    dataset: str,
    version: str,
    counts: Iterable[TableCount],
    *,
    schemas: Iterable[TableSchema],
    reports: Iterable[FileReport],
    codes: Iterable[ColumnCodes],
    at: datetime,
    withdrawn: Mapping[str, int],
) -> list[Document]:
    """Describe and judge a version; returns what the records are to keep of it.

    version: the id of its event. withdrawn: by table, rows that it takes back.
    """
    known = {schema.name: schema for schema in schemas}
    tables = tuple(
        describe_table(each, schema=known[each.table], withdrawn=withdrawn.get(each.table, 0))
        for each in counts
    )
    description = DatasetDescription(dataset, version, tables)
    label = judge_version(
        description,
        _lines(reports, list(codes)),
        periods={each.name: each.period_column for each in known.values() if each.period_column},
        at=at,
    )
    return [
        Document(KIND_DESCRIPTION, version, encode_description(description)),
        Document(KIND_QUALITY, version, encode_label(label)),
    ]


def _lines(reports: Iterable[FileReport], codes: Sequence[ColumnCodes]) -> LineCounts:
    lines, aside = 0, Counter[str]()
    for each in reports:
        lines += each.sent.lines
        aside.update(each.sent.set_aside)
        aside.update(each.checked.set_aside)
    return LineCounts(
        lines,
        aside,
        codes=sum(each.counts.filled for each in codes),
        codes_at_fault=sum(each.counts.faults for each in codes),
    )


class Descriptions:
    """Tells what is known of the versions that the log names."""

    def __init__(self, records: Records, *, log: PublicLog) -> None:
        self._records = records
        self._log = log

    def versions(self, dataset: str) -> Sequence[VersionView]:
        """List a dataset's versions, the oldest first; one from before descriptions has none.

        Those that upkeep made hold the rows of the ones before, and are left out.
        """
        return [
            VersionView(
                index,
                event.at,
                event.rows,
                event.withdrawn or 0,
                self._find(KIND_DESCRIPTION, event.event_id, parse_description),
                self._find(KIND_QUALITY, event.event_id, parse_label),
            )
            for index, event in self._log.versions(dataset).items()
            if event.permit is None
        ]

    def _find(self, kind: str, name: str, parse: Callable[[bytes], T]) -> T | None:
        """Read a document; one that is lost or damaged is none: pages do without it."""
        try:
            return parse(self._records.document(kind, name))
        except (NotFound, InvalidInput):
            return None
