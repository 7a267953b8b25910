"""P7 against a holder who seals what Havre never would: that delivery is held, and no other waits for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from fakes.correcting import corrected
from fakes.small_hub import SmallHub, copy_of, founded, quiet
from havre.application.vault.sealing import VaultWriter
from havre.bootstrap.intake import take_in
from havre.domain.delivery import RowsUnfit
from havre.domain.events import DeliveryChecked, VersionPublished, events_of
from havre.errors import Refused

GOOD, POISONED, MENDED = "dcir-2025-06", "dcir-2025-07", "mended"
CANARY = "1830275CANARY"


def binary(rows: pa.Table) -> pa.Table:
    return _replaced(rows, "PRS_NAT_REF", pa.array([b"\xff\xfe"] * len(rows), pa.binary()))


def names_in_clear(rows: pa.Table) -> pa.Table:
    return _replaced(rows, "BEN_NIR_PSA", pa.array([CANARY] * len(rows)))


def fewer(rows: pa.Table) -> pa.Table:
    return rows.slice(1)


def _replaced(rows: pa.Table, name: str, cells: pa.Array) -> pa.Table:
    at = rows.schema.get_field_index(name)
    return rows if at < 0 else rows.set_column(at, name, cells)


def deliver_changed(
    hub: SmallHub, name: str, change: Callable[[pa.Table], pa.Table], patch: pytest.MonkeyPatch
) -> None:
    """Deliver as a holder does whose own program changes what is sealed, after it was counted."""
    sealed = VaultWriter.seal_parts

    def seal(self: VaultWriter, rows: Any, **where: Any) -> Any:
        whole = pa.RecordBatchReader.from_stream(rows).read_all()
        entries = sealed(self, change(whole).to_reader(), **where)
        return [_said_whole(entry, len(whole)) for entry in entries]

    with patch.context() as its_own:
        its_own.setattr(VaultWriter, "seal_parts", seal)
        hub.holder().deliver([hub.deliveries / name], progress=quiet)


def _said_whole(entry: Any, rows: int) -> Any:
    """The entry with the number of rows that the note will say."""
    object.__setattr__(entry, "rows", rows)
    return entry


def outcomes(hub: SmallHub) -> dict[str, str]:
    events = [each.event for each in hub.open().log.entries()]
    return {each.delivery: each.outcome for each in events_of(events, DeliveryChecked)}


@pytest.mark.parametrize("change", [binary, names_in_clear, fewer])
def test_a_delivery_that_nobody_can_judge_is_held_and_the_others_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[pa.Table], pa.Table]
) -> None:
    """It stopped every ingest of its dataset, and the others used up their openings beside it."""
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver([hub.deliveries / GOOD], progress=quiet)
    deliver_changed(hub, POISONED, change, monkeypatch)

    intake = take_in(hub.open(), (), progress=quiet)

    assert list(intake.held) == [POISONED]
    assert not intake.failed
    assert isinstance(intake.held[POISONED], RowsUnfit)
    assert POISONED in intake.held[POISONED].message
    assert CANARY not in str(intake.held[POISONED])
    assert outcomes(hub) == {GOOD: "accepted", POISONED: "held"}
    (version,) = intake.done
    assert {each.delivery for each in version.files} == {GOOD}

    corrected(hub.deliveries / POISONED, MENDED, corrects=POISONED)
    hub.holder().deliver([hub.deliveries / MENDED], progress=quiet)
    again = take_in(hub.open(), (), progress=quiet)

    assert not again.faults
    assert outcomes(hub)[MENDED] == "accepted"


def test_alone_it_is_held_too_and_makes_no_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(founded(), tmp_path)
    deliver_changed(hub, POISONED, binary, monkeypatch)

    intake = take_in(hub.open(), (), progress=quiet)

    assert list(intake.held) == [POISONED]
    assert outcomes(hub) == {POISONED: "held"}
    assert not events_of([each.event for each in hub.open().log.entries()], VersionPublished)


def test_rows_of_a_year_without_keys_wait_and_the_others_come_in(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    old = corrected(
        hub.deliveries / POISONED,
        "of-1970",
        lambda lines: [re.sub(r"\b20\d\d-(\d\d)-(\d\d)\b", r"1970-\1-\2", line) for line in lines],
        corrects=None,
    )
    hub.holder().deliver([hub.deliveries / GOOD, old], progress=quiet)

    intake = take_in(hub.open(), (), progress=quiet)

    assert list(intake.held) == ["of-1970"]
    assert isinstance(intake.held["of-1970"], Refused)
    assert "1970" in intake.held["of-1970"].message
    assert outcomes(hub) == {GOOD: "accepted"}
    assert hub.open().ingestion.waiting_datasets() == ["dcir"]
