"""What a correction changed, table by table: exact, and so private to the hub's records.

Rows are of the lake: those that were set aside are in neither count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import parse_name

FORMAT = "havre/v1/change-report"


@dataclass(frozen=True, slots=True)
class RowChanges:
    """Rows of one table, in two deliveries.

    added: in the new one alone. withdrawn: in the old one alone.
    changed: with the same key, and another cell; none where a table has no key.
    """

    added: int
    withdrawn: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class TableChange:
    """One table of a correction.

    rows_before, rows_after: withdrawn from the lake, and put into it.
    changes: null where the two were not compared.
    """

    table: str
    rows_before: int
    rows_after: int
    changes: RowChanges | None


@dataclass(frozen=True, slots=True)
class Correction:
    """What one correction changed.

    since: index of the entry of the version with which the rows came in that it
        withdraws; null when it withdraws none.
    not_compared: why no rows were compared; empty where they were.
    """

    delivery: str
    corrects: str
    since: int | None
    tables: tuple[TableChange, ...]
    not_compared: str = ""


def encode_changes(corrections: tuple[Correction, ...]) -> bytes:
    """Write the change report of one version."""
    return encode_canonical(
        {"corrections": [_json(each) for each in corrections], "format": FORMAT}
    )


def parse_changes(document: bytes) -> tuple[Correction, ...]:
    """Read a change report strictly.

    Raises:
        InvalidInput: another form.

    >>> report = (Correction("b", "a", 7, (TableChange("T", 2, 3, RowChanges(1, 0, 1, 1)),)),)
    >>> parse_changes(encode_changes(report)) == report
    True
    """
    body: Any = parse_canonical(document)
    try:
        corrections = tuple(_read(each) for each in body["corrections"])
    except (KeyError, TypeError, ValueError):
        raise InvalidInput(f"A change report is not of the form {FORMAT}.") from None
    if encode_changes(corrections) != document:
        raise InvalidInput(f"A change report is not of the form {FORMAT}.")
    return corrections


def _json(correction: Correction) -> Json:
    return {
        "corrects": correction.corrects,
        "delivery": correction.delivery,
        "not_compared": correction.not_compared,
        "since": correction.since,
        "tables": [
            {
                "changes": None
                if each.changes is None
                else {
                    "added": each.changes.added,
                    "changed": each.changes.changed,
                    "unchanged": each.changes.unchanged,
                    "withdrawn": each.changes.withdrawn,
                },
                "rows_after": each.rows_after,
                "rows_before": each.rows_before,
                "table": each.table,
            }
            for each in correction.tables
        ],
    }


def _read(body: Mapping[str, Any]) -> Correction:
    return Correction(
        parse_name(body["delivery"]),
        parse_name(body["corrects"]),
        None if body["since"] is None else int(body["since"]),
        tuple(
            TableChange(
                str(each["table"]),
                int(each["rows_before"]),
                int(each["rows_after"]),
                None if each["changes"] is None else _read_changes(each["changes"]),
            )
            for each in body["tables"]
        ),
        str(body["not_compared"]),
    )


def _read_changes(body: Mapping[str, Any]) -> RowChanges:
    return RowChanges(
        int(body["added"]), int(body["withdrawn"]), int(body["changed"]), int(body["unchanged"])
    )
