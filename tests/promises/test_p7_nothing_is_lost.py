"""P7: lines in = accepted + set aside, for every delivery; a crash leaves the old version or the new one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes.dying import DiedError, dies_at_record
from fakes.small_hub import SmallHub, copy_of, founded, ingested, quiet
from havre.adapters.sources.checker import CheckedFiles
from havre.adapters.sources.delimited import DelimitedRows
from havre.application.dispatch import Fate
from havre.application.ingest import newest_version
from havre.application.ingest_run import DatasetRun
from havre.application.receive import KIND_NOTE
from havre.application.vault.sealing import VaultWriter
from havre.domain.custody import MANDATE_OPENINGS
from havre.domain.delivery import FileCount, LinesLost, RowCount, check_lines, check_rows
from havre.domain.delivery_note import parse_note
from havre.domain.events import DeliveryChecked, VersionPublished, events_of
from havre.domain.statements import sign_statement
from havre.errors import Refused
from havre.formats.canonical import parse_canonical
from havre.formats.manifest import ObjectKind
from havre.formats.statements import parse_envelope, parse_statement
from havre.ports.objects import StoredObject


def reports(hub: SmallHub) -> dict[str, Any]:
    """What the hub wrote down of each file, by delivery and path."""
    found = {}
    for document in hub.open().records.list_documents("check-report"):
        body: Any = parse_canonical(document.body)
        for file in body["files"]:
            found[f"{body['delivery']}/{file['path']}"] = file
    return found


def lines_of(hub: SmallHub) -> dict[str, int]:
    """Data lines of every delivered file, counted as bytes and by nothing of ours."""
    counted = {}
    for path in hub.deliveries.glob("*/*.csv"):
        body = path.read_bytes()
        whole = body.count(b"\n") + (not body.endswith(b"\n"))
        counted[f"{path.parent.name}/{path.name}"] = whole - 1
    return counted


def test_every_line_of_every_file_is_accepted_or_set_aside() -> None:
    said = reports(ingested())
    counted = lines_of(ingested())

    assert said.keys() == counted.keys()
    for name, file in said.items():
        aside = [file["set_aside_at_the_holder"], file["set_aside_at_the_hub"]]
        set_aside = sum(sum(each.values()) for each in aside)
        assert file["accepted"] + set_aside == file["lines"] == counted[name]


def test_the_broken_lines_are_those_that_were_broken() -> None:
    said = reports(ingested())
    planted = ingested().truth["planted"]

    assert planted
    for name, faults in planted.items():
        fates = {
            "set aside at the holder": sum(said[name]["set_aside_at_the_holder"].values()),
            "set aside at the hub": sum(said[name]["set_aside_at_the_hub"].values()),
        }
        for fate, count in fates.items():
            assert count == sum(each["lines"] for each in faults if each["fate"] == fate)
    clean = [file for name, file in said.items() if name not in planted]
    assert not any(f["set_aside_at_the_holder"] or f["set_aside_at_the_hub"] for f in clean)


def test_what_was_set_aside_at_the_holder_lies_there_as_it_was() -> None:
    hub = ingested()
    for name in hub.truth["planted"]:
        delivery, path = name.split("/")
        original = (hub.deliveries / name).read_bytes().split(b"\n")
        aside = hub.parties / "holder" / "set-aside" / delivery / f"{path}.lines"

        kept = aside.read_bytes().split(b"\n")[:-1]

        assert len(kept) == 5
        assert all(line in original for line in kept)


def test_no_clear_pseudonym_of_the_holder_reached_the_hub() -> None:
    """Neither in its directory nor in what it set aside, which is opened here to look."""
    hub = ingested()
    number = (hub.root / "files/truth/people.csv").read_text().splitlines()[1].split(",")[1]

    for path in hub.hub.rglob("*"):
        if path.is_file():
            assert number.encode() not in path.read_bytes()


def test_a_lost_line_is_noticed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The promise broken on purpose: a reader that drops one line."""
    hub = copy_of(founded(), tmp_path)
    whole = DelimitedRows._parsed

    def lossy(self: DelimitedRows, text: bytes) -> Any:
        return whole(self, text).slice(1)

    monkeypatch.setattr(DelimitedRows, "_parsed", lossy)

    with pytest.raises(LinesLost, match="did not become as many rows"):
        hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    assert hub.open().inbox.list_deliveries() == []


def test_a_row_that_is_lost_at_the_hub_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The promise broken on purpose, behind the holder: a checker that counts one row too few."""
    hub = delivered(tmp_path)
    opened = hub.open()
    opened.receiving.receive()
    whole = CheckedFiles._note

    def lossy(self: CheckedFiles, *given: Any, **named: Any) -> None:
        whole(self, *given, **named)
        for key, count in self.counts.items():
            self.counts[key] = replace(count, accepted=count.accepted - 1)

    monkeypatch.setattr(CheckedFiles, "_note", lossy)

    with pytest.raises(LinesLost, match="do not add up at the hub"):
        opened.ingestion.ingest("cepidc", progress=quiet)
    assert newest_version(opened.log, "cepidc") is None


def test_every_row_that_the_hub_set_aside_is_sealed_as_it_came(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver(sorted(hub.deliveries.iterdir()), progress=quiet)
    opened = hub.open()
    opened.receiving.receive()
    whole, sealed = VaultWriter.seal_bytes, {}

    def heard(self: VaultWriter, chunks: Any, *, kind: ObjectKind, place: Any) -> StoredObject:
        body = b"".join(chunks)
        stored = whole(self, [body], kind=kind, place=place)
        if kind is ObjectKind.QUARANTINE:
            sealed[str(stored.object_id)] = [json.loads(each) for each in body.splitlines()]
        return stored

    monkeypatch.setattr(VaultWriter, "seal_bytes", heard)
    for dataset in opened.ingestion.waiting_datasets():
        opened.ingestion.ingest(dataset, progress=quiet)

    said = {
        f"{line['delivery']}/{line['path']}": Counter[str]()
        for rows in sealed.values()
        for line in rows
    }
    for line in (line for rows in sealed.values() for line in rows):
        said[f"{line['delivery']}/{line['path']}"][line["reason"]] += 1
    expected = {
        name: file["set_aside_at_the_hub"]
        for name, file in reports(hub).items()
        if file["set_aside_at_the_hub"]
    }
    assert expected
    assert said == expected
    assert all(line["content"] for rows in sealed.values() for line in rows)
    named = {
        place["object_id"]: place["rows"]
        for document in opened.records.list_documents("check-report")
        for places in json.loads(document.body)["quarantine"].values()
        for place in places
    }
    assert named == {name: len(rows) for name, rows in sealed.items()}
    assert named.keys() <= set(map(str, opened.objects.list_objects()))


@pytest.mark.parametrize("lines", [11, 9])
def test_a_sum_that_does_not_close_stops_everything(lines: int) -> None:
    with pytest.raises(LinesLost):
        check_lines(FileCount("f.csv", "T", lines, 9, {"short line": 1}))
    with pytest.raises(LinesLost):
        check_rows(FileCount("f.csv", "T", 10, 10, {}), RowCount(10, lines, {}))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_hub_that_dies_at_any_record_loses_no_delivery_and_publishes_once(
    moment: str, tmp_path: Path
) -> None:
    """The delivery is in the inbox, or on the log and waiting, or in the one version: never in none."""
    start = delivered(tmp_path / "start")
    step, is_dead = 0, True
    while is_dead:
        step += 1
        hub = copy_of(start, tmp_path / f"{step}")

        with dies_at_record(step, moment=moment):
            is_dead = not taken_in(hub)

        taken_in(hub)
        events = [each.event for each in hub.open().log.entries()]
        assert len(events_of(events, VersionPublished)) == 1
        assert len(events_of(events, DeliveryChecked)) == 1
        assert hub.open().inbox.list_deliveries() == []
    assert step > 3


def delivered(root: Path) -> SmallHub:
    """A hub in whose inbox one delivery waits."""
    hub = copy_of(founded(), root)
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    return hub


def taken_in(hub: SmallHub) -> bool:
    """Take in and ingest whatever waits; returns whether the hub lived to the end."""
    try:
        opened = hub.open()
        opened.receiving.receive()
        for dataset in opened.ingestion.waiting_datasets():
            opened.ingestion.ingest(dataset, progress=quiet)
    except DiedError:
        return False
    return True


INGEST = """
import sys
from pathlib import Path
from fakes.small_hub import SmallHub
hub = SmallHub(Path(sys.argv[1])).open()
hub.receiving.receive()
for dataset in hub.ingestion.waiting_datasets():
    hub.ingestion.ingest(dataset, progress=lambda _: None)
"""


@pytest.mark.parametrize("after_s", [0.9, 1.4, 1.9, 2.4])
def test_a_hub_killed_at_any_moment_has_the_old_version_or_the_new(
    after_s: float, tmp_path: Path
) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver(
        [hub.deliveries / "cepidc-2024", hub.deliveries / "pmsi-mco-2023"], progress=quiet
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    child = subprocess.Popen([sys.executable, "-c", INGEST, str(hub.root)], env=environment)
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    child.wait()

    before = hub.open()
    versions = {name: newest_version(before.log, name) for name in ("cepidc", "pmsi-mco")}
    done = subprocess.run(
        [sys.executable, "-c", INGEST, str(hub.root)], env=environment, check=True
    )

    assert done.returncode == 0
    after = hub.open()
    events = [logged.event for logged in after.log.entries()]
    for name, index in versions.items():
        published = [e for e in events_of(events, VersionPublished) if e.dataset == name]
        assert len(published) == 1
        assert index in (None, newest_version(after.log, name))
    assert len(events_of(events, DeliveryChecked)) == 2
    assert after.inbox.list_deliveries() == []


def opened_and_dropped(hub: SmallHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies as soon as its keys are there."""
    with monkeypatch.context() as patch:
        patch.setattr(
            DatasetRun, "check_tables", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            hub.open().ingestion.ingest("pmsi-mco", progress=quiet)


def test_a_delivery_whose_hub_died_too_often_today_does_not_stop_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = copy_of(founded(), tmp_path)
    hub.holder().deliver([hub.deliveries / "pmsi-mco-2023"], progress=quiet)
    hub.open().receiving.receive()
    for _ in range(MANDATE_OPENINGS):
        opened_and_dropped(hub, monkeypatch)
    with pytest.raises(Refused, match="3 times today"):
        hub.open().ingestion.ingest("pmsi-mco", progress=quiet)
    hub.holder().deliver([hub.deliveries / "pmsi-mco-2024"], progress=quiet)
    hub.open().receiving.receive()

    report = hub.open().ingestion.ingest("pmsi-mco", progress=quiet)

    assert {each.delivery for each in report.files} == {"pmsi-mco-2024"}
    assert list(report.left) == ["pmsi-mco-2023"]


def test_a_delivery_is_taken_in_once(tmp_path: Path) -> None:
    hub = copy_of(founded(), tmp_path)
    folder = [hub.deliveries / "cepidc-2024"]
    (note,) = hub.holder().deliver(folder, progress=quiet)
    opened = hub.open()
    opened.receiving.receive()
    opened.ingestion.ingest("cepidc", progress=quiet)

    (again,) = hub.holder().send(folder, progress=quiet)

    assert again.fate is Fate.THERE
    assert hub.open().inbox.list_deliveries() == []
    (kept,) = hub.open().records.list_documents(KIND_NOTE)
    statement = parse_statement(parse_envelope(kept.body).payload)
    assert parse_note(statement.subject, statement.predicate).landing == note.landing


def test_a_second_delivery_of_a_name_is_held_by_a_hub_whose_holder_does_not_remember(
    tmp_path: Path,
) -> None:
    """The hub does not rely on its holders: a note that was sealed before counts once."""
    hub = copy_of(founded(), tmp_path)
    folder = [hub.deliveries / "cepidc-2024"]
    hub.holder().deliver(folder, progress=quiet)
    shutil.copytree(hub.hub / "inbox" / "cepidc-2024", tmp_path / "again")
    hub.open().receiving.receive()
    note = (tmp_path / "again" / "note.json").read_bytes()
    body = parse_statement(parse_envelope(note).payload)
    other = sign_statement(
        replace(body, predicate={**body.predicate, "landing": "0" * 32}), [hub.token("holder")]
    )
    (tmp_path / "again" / "note.json").write_bytes(other)
    shutil.move(tmp_path / "again", hub.hub / "inbox" / "cepidc-2024")

    assert list(hub.open().receiving.receive().held) == ["cepidc-2024"]
