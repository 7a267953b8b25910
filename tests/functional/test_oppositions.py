"""A register on its way: from the holder's file to the lake, and back to one person as a receipt."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from fakes.opposing import desk, object_to, objectors_file, send, take_in
from fakes.parties import SetClock
from fakes.small_hub import PERMIT_NAME, SmallHub, copy_of, founded, granted
from fakes.verifier import GENUINE, NOT_GENUINE, verify
from havre.application.oppositions import OPPOSITIONS_PARTITION, OppositionRegisters
from havre.bootstrap.growing import make_partitions
from havre.bootstrap.opposing import OppositionSide, opposition_registers
from havre.cli.main import app
from havre.domain.events import DeliveryChecked, ExtractMade, KeysRequested, events_of
from havre.domain.opposition_events import OppositionsUpdated
from havre.domain.opposition_receipt import parse_receipt
from havre.errors import HavreError, InvalidInput, NotFound, NotGenuine, Refused
from havre.formats.manifest import ObjectKind
from havre.formats.statements import parse_envelope, parse_statement

ONE = {"case 1": {"BEN_NIR_PSA": "22LLCCG7A8B4JQU8W"}}
TWO = {**ONE, "case 2": {"BEN_NIR_PSA": "24M7VMK3QD9NACWGG"}}


@pytest.fixture
def hub(tmp_path: Path) -> SmallHub:
    return copy_of(founded(), tmp_path / "hub")


def updates(hub: SmallHub) -> list[OppositionsUpdated]:
    return events_of([each.event for each in hub.open().log.entries()], OppositionsUpdated)


def test_a_list_that_was_taken_in_stands_on_the_log_with_a_root_and_no_count_of_people(
    hub: SmallHub,
) -> None:
    sent = send(hub, TWO)
    intake = take_in(hub)

    (update,) = updates(hub)
    assert (sent.version, sent.people, sent.is_new) == (1, 100, True)
    assert intake.taken[0].update == replace(update, at=intake.taken[0].update.at)
    assert (update.register, update.people, update.delivery) == (
        "holder",
        100,
        "oppositions-holder-1",
    )
    assert len(bytes.fromhex(update.root)) == 32


def test_the_same_people_have_another_root_in_every_version(hub: SmallHub) -> None:
    for _ in range(2):
        send(hub, TWO)
        take_in(hub)

    first, second = updates(hub)
    assert (first.version, second.version) == (1, 2)
    assert first.root != second.root


def test_lists_of_one_two_and_of_ninety_people_have_objects_of_one_size(hub: SmallHub) -> None:
    sizes = set()
    for count in (1, 2, 90):
        people = {f"case {n}": {"BEN_NIR_PSA": f"24M7VMK3QD9NAC{n:03d}"} for n in range(count)}
        sent = send(hub, people)
        inbox = hub.open().inbox.objects(sent.delivery)
        (name,) = inbox.list_objects()
        sizes.add(sum(map(len, inbox.get(name))))
        take_in(hub)

    assert len(sizes) == 1


def test_the_same_command_again_sends_nothing_and_another_list_waits_its_turn(
    hub: SmallHub,
) -> None:
    send(hub, ONE, every_hours=168)

    again = send(hub, ONE, every_hours=168)

    assert (again.version, again.is_new) == (1, False)
    with pytest.raises(Refused, match="Version 1 of the register waits"):
        send(hub, TWO, every_hours=168)
    take_in(hub)
    assert send(hub, ONE, every_hours=168).is_new is False
    with pytest.raises(Refused, match="is due at"):
        send(hub, TWO, every_hours=168)


def test_a_list_comes_again_on_its_day_though_nothing_has_changed(hub: SmallHub) -> None:
    send(hub, ONE, every_hours=168)
    take_in(hub)
    clock = SetClock(updates(hub)[0].at)
    clock.move(hours=168)
    later = OppositionSide(hub.parties / "holder", hub=hub.hub).desk(clock=clock)

    sent = later.send(objectors_file(ONE), every_hours=168)

    assert (sent.version, sent.is_new) == (2, True)


def strict(hub: SmallHub) -> OppositionRegisters:
    """The hub of people who are not made up: it has a rhythm to keep."""
    opened = hub.open()
    opened.place = replace(opened.place, settings=replace(opened.place.settings, made_up=False))
    opened.receiving.receive()
    return opposition_registers(opened)


def test_a_list_before_its_day_waits_and_is_not_opened(hub: SmallHub) -> None:
    """Though the holder's clock runs ahead, the hub's counts."""
    send(hub, ONE, every_hours=168)
    take_in(hub)
    clock = SetClock(updates(hub)[0].at)
    clock.move(hours=168)
    ahead = OppositionSide(hub.parties / "holder", hub=hub.hub).desk(clock=clock)
    ahead.send(objectors_file(TWO), every_hours=168)
    size = len(hub.open().log.entries())

    intake = take_in(hub)

    assert list(intake.held) == ["oppositions-holder-2"]
    events = [each.event for each in hub.open().log.entries()][size:]
    assert events_of(events, KeysRequested) == []


def test_a_register_that_comes_more_often_than_daily_is_put_aside_for_good(hub: SmallHub) -> None:
    send(hub, ONE, every_hours=1)

    intake = strict(hub).take_in()

    assert "at most every 24 hours" in intake.refused["oppositions-holder-1"].message
    checked = events_of([each.event for each in hub.open().log.entries()], DeliveryChecked)
    assert [each.outcome for each in checked] == ["refused"]
    assert updates(hub) == []
    assert strict(hub).take_in().refused == {}
    assert send(hub, ONE, every_hours=24).version == 2


def test_a_list_that_says_another_register_than_its_holders_is_put_aside(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = desk(hub)
    post = mine._post

    def careless(name: str, header: object, listed: object, *, content: object) -> None:
        post(name, replace(header, register="hospital"), listed, content=content)  # type: ignore[arg-type,type-var]

    monkeypatch.setattr(mine, "_post", careless)
    mine.send(objectors_file(ONE), every_hours=0)

    assert "another hub, holder or version" in take_in(hub).refused["oppositions-holder-1"].message


def test_bytes_that_are_no_list_are_put_aside_and_the_next_version_goes_on(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("havre.application.oppose.encode_list", lambda *_: iter([b"no list\n"]))
    send(hub, ONE)
    monkeypatch.undo()

    intake = take_in(hub)

    assert list(intake.refused) == ["oppositions-holder-1"]
    send(hub, ONE)
    assert [each.update.version for each in take_in(hub).taken] == [2]


def test_a_list_of_another_kind_of_object_is_not_opened(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = SimpleNamespace(OPPOSITIONS=ObjectKind.OUTPUT)
    monkeypatch.setattr("havre.application.oppose.ObjectKind", other)
    send(hub, ONE)
    monkeypatch.undo()

    assert isinstance(take_in(hub).held["oppositions-holder-1"], NotGenuine)
    assert updates(hub) == []


def test_a_number_that_names_nobody_stops_the_list_and_is_not_repeated(hub: SmallHub) -> None:
    with pytest.raises(InvalidInput, match="1 in BEN_NIR_PSA") as refusal:
        send(hub, {**ONE, "case 2": {"BEN_NIR_PSA": "X" * 17}})

    assert "X" * 3 not in str(refusal.value)
    assert hub.open().inbox.list_deliveries() == []


def test_a_hub_from_before_there_were_registers_says_what_it_lacks(
    hub: SmallHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = hub.open()
    monkeypatch.setattr(
        "havre.application.oppositions.OPPOSITIONS_PARTITION",
        replace(OPPOSITIONS_PARTITION, name="registers"),
    )
    with pytest.raises(NotFound, match="no open key pair"):
        opposition_registers(opened).take_in()


def test_a_ceremony_can_be_held_for_the_registers_alone(hub: SmallHub) -> None:
    assert make_partitions(hub.open(), datasets=["oppositions"], landing=0) == 0


# ------------------------------------------------------------ extracts and receipts


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> SmallHub:
    """A register with one person, and an extract made with it."""
    hub = copy_of(granted(), tmp_path_factory.mktemp("used"))
    send(hub, TWO)
    take_in(hub)
    hub.open().extraction.extract(PERMIT_NAME)
    hub.open().publication.publish()
    return hub


def test_a_receipt_verifies_for_its_person_and_for_nobody_else(
    used: SmallHub, tmp_path: Path
) -> None:
    path = tmp_path / "receipt.json"
    path.write_bytes(desk(used).receipt("Case 2"))
    trust = used.parties / "authority-1" / "trust.json"
    words = (used.hub / "site", "--trust", trust, "--receipt", path, "--json", "--person")

    mine, other = verify(*words, "case2"), verify(*words, "case 1")

    made = [n for n, e in enumerate(used.open().log.entries()) if isinstance(e.event, ExtractMade)]
    assert mine.returncode == GENUINE
    assert f"left out: {made[-1]}" in mine.stdout
    assert other.returncode == NOT_GENUINE


def test_a_receipt_names_the_extracts_of_its_own_version_only(used: SmallHub) -> None:
    said = parse_statement(parse_envelope(desk(used).receipt("case 1")).payload).predicate
    receipt = parse_receipt(said)

    entries = used.open().log.entries()
    assert len(receipt.extracts) == 1
    assert isinstance(entries[receipt.extracts[0]].event, ExtractMade)
    assert isinstance(entries[receipt.update].event, OppositionsUpdated)


def test_nobody_who_is_not_listed_gets_a_receipt(used: SmallHub) -> None:
    with pytest.raises(NotFound, match="not in version 1"):
        desk(used).receipt("case 3")
    with pytest.raises(NotFound, match="no such version"):
        desk(used).receipt("case 1", version=7)


def test_who_objects_no_longer_gets_a_receipt_for_the_version_before(
    used: SmallHub, tmp_path: Path
) -> None:
    hub = copy_of(used, tmp_path / "later")
    object_to(hub, [])

    with pytest.raises(NotFound, match="Name an earlier one"):
        desk(hub).receipt("case 1")
    assert desk(hub).receipt("case 1", version=1)


def test_a_hub_that_put_another_root_on_the_log_than_the_holder_sent_is_noticed(
    used: SmallHub, tmp_path: Path
) -> None:
    hub = copy_of(used, tmp_path / "changed")
    book = hub.parties / "holder" / "oppositions" / "00000001.jsonl"
    lines = book.read_bytes().splitlines(keepends=True)
    body = json.loads(lines[1])
    lines[1] = lines[1].replace(body["numbers"].encode(), b"0" * 64)
    book.write_bytes(b"".join(lines))

    with pytest.raises(NotGenuine, match="another root"):
        desk(hub).receipt("case 1")


def test_books_are_their_owners_alone_and_hold_no_number(used: SmallHub) -> None:
    book = used.parties / "holder" / "oppositions" / "00000001.jsonl"

    assert stat.S_IMODE(book.stat().st_mode) == 0o600
    assert b"case" not in book.read_bytes().lower()
    assert b"22LLCCG7A8B4JQU8W" not in book.read_bytes()


def test_an_extract_that_a_new_list_has_overtaken_does_not_exist(
    used: SmallHub, tmp_path: Path
) -> None:
    """The list comes in while the extract is being sealed."""
    hub = copy_of(used, tmp_path / "overtaken")
    size = len(hub.open().log.entries())

    def comes_in(_table: str) -> None:
        if not coming:
            coming.append(object_to(hub, ["22LLCCG7A8B4JQU8W"]))

    coming: list[int] = []
    with pytest.raises(Refused, match="got a new version while the extract was made"):
        hub.open().extraction.extract(PERMIT_NAME, progress=comes_in)

    events = [each.event for each in hub.open().log.entries()][size:]
    assert coming
    assert events_of(events, ExtractMade) == []
    report = hub.open().extraction.extract(PERMIT_NAME)
    made = hub.open().log.entries()[report.index].event
    assert isinstance(made, ExtractMade)
    assert made.oppositions == {"holder": updates(hub)[-1].root}


# ------------------------------------------------------------ commands


def run(*words: str | Path, hub: SmallHub, party: str = "") -> tuple[int, str]:
    options = ["--hub", str(hub.hub)]
    if party:
        options += ["--party", str(hub.parties / party)]
    try:
        found = CliRunner().invoke(app, [*map(str, words), *options], catch_exceptions=False)
    except HavreError as refusal:
        return refusal.exit_code, refusal.message
    return found.exit_code, found.stdout


def test_the_whole_way_on_the_command_line(hub: SmallHub, tmp_path: Path) -> None:
    file, number, receipt = (tmp_path / name for name in ("who.csv", "number", "receipt.json"))
    file.write_bytes(objectors_file(TWO))
    number.write_text("case 2\n")

    code, said = run("opposition", "deliver", file, "--json", hub=hub, party="holder")
    assert (code, json.loads(said)["sent"]) == (0, "now")
    assert json.loads(said)["people_at_most"] == 100
    code, said = run("opposition", "receive", "--json", hub=hub)
    assert (code, [row["version"] for row in json.loads(said)["taken_in"]]) == (0, [1])
    code, said = run("opposition", "list", "--json", hub=hub)
    assert json.loads(said)[0]["register"] == "holder"
    words = ("opposition", "receipt", "--person-file", number, "--out", receipt)
    assert run(*words, hub=hub, party="holder")[0] == 0
    assert stat.S_IMODE(receipt.stat().st_mode) == 0o600
    assert run(*words, hub=hub, party="holder") == (2, "The receipt cannot be written there.")
    assert run("opposition", "receive", hub=hub) == (0, "No list waits.\n")


def test_only_the_holder_sends_a_list_or_makes_a_receipt(hub: SmallHub, tmp_path: Path) -> None:
    file = tmp_path / "who.csv"
    file.write_bytes(objectors_file(ONE))

    assert run("opposition", "deliver", file, hub=hub, party="researcher")[0] == 3
    words = ("opposition", "receipt", "--person-file", file, "--out", tmp_path / "r")
    assert run(*words, hub=hub, party="controller")[0] == 3


def test_a_list_that_waits_on_ends_the_command_with_its_refusal(
    hub: SmallHub, tmp_path: Path
) -> None:
    send(hub, ONE, every_hours=168)
    take_in(hub)
    clock = SetClock(updates(hub)[0].at)
    clock.move(hours=168)
    OppositionSide(hub.parties / "holder", hub=hub.hub).desk(clock=clock).send(
        objectors_file(TWO), every_hours=168
    )

    code, said = run("opposition", "receive", hub=hub)

    assert code == 3
    assert "oppositions-holder-2 does not count." in said
