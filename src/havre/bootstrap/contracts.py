"""What the commands about contracts and corrections show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from havre.application.changes import KIND_CHANGES
from havre.bootstrap.hub import OpenHub
from havre.domain.change_report import Correction, TableChange, parse_changes
from havre.domain.contract import Contract
from havre.domain.touched import list_touched
from havre.errors import NotFound

Row = dict[str, Any]


def contract_row(contract: Contract) -> Row:
    """One contract, in short."""
    return {
        "dataset": contract.dataset,
        "holder": contract.holder,
        "tables": len(contract.tables),
        "must_rules": sum(each.level.value == "must" for each in contract.rules),
        "should_rules": sum(each.level.value == "should" for each in contract.rules),
        "sha256": str(contract.sha256),
    }


def contract_texts(hub: OpenHub, dataset: str | None) -> list[Row]:
    """The contracts in force, with their texts.

    dataset: of this one alone.

    Raises:
        NotFound: there is none.
    """
    found = hub.contracts.in_force(dataset)
    if not found:
        raise NotFound(
            f"No contract is in force{f' for dataset {dataset}' if dataset else ''}.",
            hint="Put one in force with `havre contract set FILE`.",
        )
    return [
        {**contract_row(each), "text": hub.contracts.text(each.sha256).decode()} for each in found
    ]


def change_rows(hub: OpenHub, dataset: str, version: int | None = None) -> list[Row]:
    """What corrections changed in a dataset, the oldest first, with what rests on what is gone.

    version: index of the entry of one version alone.

    Raises:
        NotFound: there is no such version.
    """
    events = [logged.event for logged in hub.log.entries()]
    published = {
        index: event
        for index, event in hub.log.versions(dataset).items()
        if version in (None, index)
    }
    if not published:
        raise NotFound(
            f"There is no such version of dataset {dataset}.", hint="See `havre status`."
        )
    documents = {each.name: each.body for each in hub.records.list_documents(KIND_CHANGES)}
    return [
        {
            "version": index,
            **_correction_row(each),
            "touched": list(_touched(events, dataset, each, index)),
        }
        for index, event in published.items()
        if event.event_id in documents
        for each in parse_changes(documents[event.event_id])
    ]


def _correction_row(correction: Correction) -> Row:
    return {
        "delivery": correction.delivery,
        "corrects": correction.corrects,
        "tables": [_table_row(each) for each in correction.tables],
        "not_compared": correction.not_compared,
    }


def _table_row(change: TableChange) -> Row:
    row: Row = {
        "table": change.table,
        "rows_before": change.rows_before,
        "rows_after": change.rows_after,
    }
    found = change.changes
    for name in ("added", "withdrawn", "changed", "unchanged"):
        row[name] = None if found is None else getattr(found, name)
    return row


def _touched(
    events: list[Any], dataset: str, correction: Correction, version: int
) -> Iterator[Row]:
    if correction.since is None:
        return
    for each in list_touched(events, dataset=dataset, since=correction.since, until=version):
        yield {
            "permit": each.permit,
            "extract": each.extract,
            "jobs": list(each.jobs),
            "releases": list(each.releases),
        }
