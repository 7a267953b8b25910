"""Deliveries sent again: after a mended file, a crash, another one at the same time; and what waits."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from fakes.small_hub import SmallHub, copy_of, founded, quiet
from functional.test_bad_input import GOOD, TEN, line, prepare
from havre.application.dispatch import Fate
from havre.domain.events import DeliveryReceived, events_of
from havre.errors import NotFound, Refused, Unavailable

NUL_LINE = line(20, DCD_CIM_COD="I50").replace(b"I50", b"I\x0050")


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


def send(hub: SmallHub, *places: Path) -> list[tuple[str, Fate]]:
    tried = hub.holder().send(places, progress=quiet)
    return [(each.name, each.fate) for each in tried]


def fault(hub: SmallHub, place: Path) -> Exception | None:
    (tried,) = hub.holder().send([place], progress=quiet)
    return tried.fault


def ingest(hub: SmallHub) -> None:
    opened = hub.open()
    assert not opened.receiving.receive().held
    for dataset in opened.ingestion.waiting_datasets():
        opened.ingestion.ingest(dataset, progress=quiet)


def command(hub: SmallHub, *words: str) -> list[str]:
    acting = ["--party", str(hub.parties / "holder")] if words[0] == "deliver" else []
    return [sys.executable, "-m", "havre", *words, "--hub", str(hub.hub), *acting]


def havre(hub: SmallHub, *words: str) -> tuple[int, Any, str]:
    done = subprocess.run(command(hub, *words, "--json"), capture_output=True, check=False)
    out = json.loads(done.stdout) if done.stdout.strip() else None
    return done.returncode, out, done.stderr.decode()


def mend(place: Path, body: bytes) -> None:
    before = (place / "KI_CCI_R.csv").read_bytes()
    text = (place / "delivery.toml").read_text()
    old, new = (hashlib.sha256(each).hexdigest() for each in (before, body))
    (place / "KI_CCI_R.csv").write_bytes(body)
    (place / "delivery.toml").write_text(text.replace(old, new))


def several(folder: Path, names: str, rows: bytes = TEN) -> list[Path]:
    """Deliveries that have a last line of their own, which has no end."""
    return [
        prepare(folder, GOOD + rows + line(9_000 + ord(each))[:-1], name=f"cepidc-{each}")
        for each in names
    ]


# ------------------------------------------------------------------------------ one after another


def test_one_that_is_held_does_not_stop_the_others_and_can_be_mended(
    hub: SmallHub, tmp_path: Path
) -> None:
    bad = prepare(tmp_path, b"\n" + TEN, name="cepidc-b")
    others = several(tmp_path, "ac")
    places = [others[0], bad, others[1]]

    first = send(hub, *places)
    mend(bad, GOOD + TEN)
    second = send(hub, *places)

    assert [fate for _, fate in first] == [Fate.SEALED, Fate.HELD, Fate.SEALED]
    assert [fate for _, fate in second] == [Fate.THERE, Fate.SEALED, Fate.THERE]
    assert hub.open().inbox.list_deliveries() == ["cepidc-a", "cepidc-b", "cepidc-c"]


def test_what_was_taken_in_is_there_already_and_takes_no_landing_place(
    hub: SmallHub, tmp_path: Path
) -> None:
    place = prepare(tmp_path)
    send(hub, place)
    ingest(hub)

    assert send(hub, place) == [("cepidc-bad", Fate.THERE)]
    assert hub.open().inbox.list_deliveries() == []


@pytest.mark.parametrize("state", ["waits already", "was taken in before"])
def test_another_delivery_under_a_name_is_refused_and_what_was_set_aside_stays(
    hub: SmallHub, tmp_path: Path, state: str
) -> None:
    """Issue 2: the lines that the holder had set aside were replaced."""
    place = prepare(tmp_path, GOOD + TEN + NUL_LINE)
    send(hub, place)
    if state == "was taken in before":
        ingest(hub)
    mend(place, GOOD + TEN + line(20)[:-3] + b"\x00\n")

    refusal = fault(hub, place)

    kept = hub.parties / "holder" / "set-aside" / "cepidc-bad" / "KI_CCI_R.csv.lines"
    assert isinstance(refusal, Refused)
    assert state in str(refusal)
    assert kept.read_bytes() == NUL_LINE


def test_the_lines_of_a_dropped_delivery_are_kept_beside_those_of_the_mended_one(
    hub: SmallHub, tmp_path: Path
) -> None:
    place = prepare(tmp_path, GOOD + TEN + NUL_LINE)
    send(hub, place)
    spoil(hub, "cepidc-bad")
    hub.open().receiving.drop("cepidc-bad")
    mend(place, GOOD + TEN + NUL_LINE + NUL_LINE)

    assert send(hub, place) == [("cepidc-bad", Fate.SEALED)]
    aside = hub.parties / "holder" / "set-aside"
    kept = {each.name: (each / "KI_CCI_R.csv.lines").read_bytes() for each in aside.iterdir()}
    assert kept == {"cepidc-bad": NUL_LINE * 2, "cepidc-bad.earlier-1": NUL_LINE}


def test_what_another_holder_has_under_a_name_is_not_there_already(
    hub: SmallHub, tmp_path: Path
) -> None:
    """Without a memory of its own, a holder cannot say that a delivery is the same."""
    place = prepare(tmp_path)
    send(hub, place)
    (hub.parties / "holder" / "sent" / "cepidc-bad.json").unlink()

    assert isinstance(fault(hub, place), Refused)


# ------------------------------------------------------------------------------------ two at once


def test_two_at_once_take_two_landing_places(hub: SmallHub, tmp_path: Path) -> None:
    places = several(tmp_path, "ab")
    running = [
        subprocess.Popen(command(hub, "deliver", str(place)), stdout=subprocess.DEVNULL)
        for place in places
    ]
    codes = [each.wait() for each in running]
    ingest(hub)

    events = [logged.event for logged in hub.open().log.entries()]
    assert codes == [0, 0]
    assert len({each.partition for each in events_of(events, DeliveryReceived)}) == 2


def test_a_delivery_that_another_process_is_sealing_is_left_to_it(
    hub: SmallHub, tmp_path: Path
) -> None:
    place = prepare(tmp_path)
    with hub.open().inbox.claim("cepidc-bad") as is_ours:
        assert is_ours
        refusal = fault(hub, place)

    assert isinstance(refusal, Unavailable)
    assert send(hub, place) == [("cepidc-bad", Fate.SEALED)]


@pytest.mark.parametrize("after_s", [1.2, 1.8])
def test_a_holder_killed_at_any_moment_runs_the_same_command_again(
    hub: SmallHub, after_s: float
) -> None:
    places = sorted(map(str, hub.deliveries.iterdir()))
    child = subprocess.Popen(command(hub, "deliver", *places), stdout=subprocess.DEVNULL)
    time.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    child.wait()

    code, said, _ = havre(hub, "deliver", *places)

    assert code == 0
    assert len(said["there_already"]) + said["deliveries"] == len(places)
    assert hub.open().inbox.list_deliveries() == [Path(place).name for place in places]
    assert not hub.open().receiving.receive().held


# --------------------------------------------------------------------------- what a command tells


def test_deliver_tells_what_was_sent_what_is_held_and_every_note(
    hub: SmallHub, tmp_path: Path
) -> None:
    good = prepare(tmp_path, GOOD + TEN[:-1], name="cepidc-a")
    bad = prepare(tmp_path, b"\n" + TEN, name="cepidc-b")

    code, said, _ = havre(hub, "deliver", str(bad), str(good))

    assert code == 7
    assert (said["deliveries"], said["lines"]) == (1, 10)
    assert [(each["delivery"], each["exit_code"]) for each in said["held"]] == [("cepidc-b", 7)]
    assert said["notes"] == [
        {"delivery": "cepidc-a", "path": "KI_CCI_R.csv", "notes": ["no newline at the end"]}
    ]


def spoil(hub: SmallHub, delivery: str) -> None:
    objects = hub.hub / "inbox" / delivery / "objects" / "objects"
    next(path for path in objects.rglob("*") if path.is_file()).unlink()


def test_ingest_tells_what_is_held_and_the_operator_can_drop_it(
    hub: SmallHub, tmp_path: Path
) -> None:
    send(hub, *several(tmp_path, "ab"))
    spoil(hub, "cepidc-a")
    _, waiting, _ = havre(hub, "inbox", "list")

    code, said, _ = havre(hub, "ingest")
    dropped, _, _ = havre(hub, "inbox", "drop", "cepidc-a")
    again, nothing, _ = havre(hub, "ingest")

    assert [(each["delivery"], each["state"]) for each in waiting] == [
        ("cepidc-a", "held"),
        ("cepidc-b", "waits"),
    ]
    assert code == 7
    assert "is missing" in said["held"][0]["why"]
    assert said["rows"][0]["accepted"] == 11
    assert said["notes"][0]["notes"] == ["no newline at the end"]
    assert (dropped, again, nothing["held"], nothing["rows"]) == (0, 0, [], [])


def test_what_is_not_held_is_not_dropped(hub: SmallHub, tmp_path: Path) -> None:
    send(hub, prepare(tmp_path))
    desk = hub.open().receiving

    with pytest.raises(Refused, match="Nothing is wrong with delivery cepidc-bad"):
        desk.drop("cepidc-bad")
    with pytest.raises(NotFound):
        desk.drop("cepidc-none")
    assert hub.open().inbox.list_deliveries() == ["cepidc-bad"]


def test_a_report_that_cannot_be_written_is_met_before_anything_is_taken_in(
    hub: SmallHub, tmp_path: Path
) -> None:
    send(hub, prepare(tmp_path))

    code, _, words = havre(hub, "ingest", "--report", str(tmp_path / "none" / "r.json"))

    assert code == 5
    assert "Traceback" not in words
    assert hub.open().inbox.list_deliveries() == ["cepidc-bad"]


def test_a_full_store_stops_ingest_at_once_and_no_delivery_is_blamed(
    hub: SmallHub, tmp_path: Path
) -> None:
    rows = b"".join(line(number) for number in range(4_000))
    send(hub, *several(tmp_path, "ab", rows))

    store = str(hub.hub / "store")
    tiny = ["/usr/bin/bwrap", "--dev-bind", "/", "/", "--size", "65536", "--tmpfs", store, "--"]

    done = subprocess.run(
        [*tiny, *command(hub, "ingest", "cepidc")], capture_output=True, check=False
    )

    assert done.returncode == 6
    assert b"was not taken in" not in done.stdout + done.stderr
    assert b"No space left" in done.stderr


def test_progress_tells_the_table_and_the_rows_so_far(hub: SmallHub, tmp_path: Path) -> None:
    send(hub, prepare(tmp_path, GOOD + TEN, second=GOOD + line(10)))
    opened = hub.open()
    opened.receiving.receive()
    told: list[str] = []

    opened.ingestion.ingest("cepidc", progress=lambda now: told.append(now.sentence))

    assert told[0] == "cepidc KI_CCI_R: 0 of 11 rows"
    assert told[-1] == "cepidc KI_CCI_R: 11 of 11 rows"
