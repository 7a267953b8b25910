"""P1: whoever takes everything that the store's host holds finds no value, no person, no key.

The search is worth something only if it finds what is there: each leak that a
careless change could make is planted, and must be found.
"""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.departed import Moving, copy_of_move, departed, opened_at
from fakes.small_hub import SmallHub, copy_of, founded, granted, ingested, quiet
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.drill.search import Search, search_seizure
from havre.bootstrap.drills.subpoena import open_subpoena, subpoena
from havre.bootstrap.hub import OpenHub
from havre.bootstrap.schemas import core_tables
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey
from havre.domain.events import DrillRan, PartitionsCreated, events_of
from havre.domain.handover import HandedOver
from havre.domain.seizure import Grave
from havre.formats.canonical import encode_canonical
from havre.formats.statements import parse_envelope, parse_statement


def people(hub: SmallHub) -> list[list[str]]:
    """Who is in the data: numbers that stand in the delivered files."""
    lines = (hub.root / "files/truth/people.csv").read_text().splitlines()
    return [line.split(",") for line in lines[1:]]


def canaries(hub: SmallHub) -> list[str]:
    drugs = ["3400936158832", "3400935848178"]
    return [people(hub)[0][1], people(hub)[5][1], *drugs, "BEN_NIR_PSA", "T_MCOaaB", "EXE_SOI_DTD"]


def seized(hub: SmallHub) -> SeizedFolders:
    return SeizedFolders({"store": hub.hub / "store", "inbox": hub.hub / "inbox"})


def test_nothing_of_a_lake_and_its_extracts_can_be_read_in_the_store() -> None:
    hub = granted()

    result = search_seizure(seized(hub), canaries=canaries(hub), public_keys=frozenset())

    assert result.files > 20
    assert result.sightings == []


def test_the_drill_plants_its_own_canary_and_says_on_the_log_that_it_found_none(
    tmp_path: Path,
) -> None:
    hub = copy_of(ingested(), tmp_path)
    opened = hub.open()
    before = set(opened.objects.list_objects())

    result = subpoena(opened, canaries=hub.root / "files/truth/people.csv")

    (ran,) = events_of([each.event for each in opened.log.entries()], DrillRan)
    assert (result.run.verdict, ran.verdict, ran.counters["sightings"]) == ("held", "held", 0)
    assert result.search.canaries > 5
    # One stands for the data, one for the manifests.
    assert result.search.seized[("store", "an object")] == len(before) + 2
    assert set(opened.objects.list_objects()) == before


def test_what_another_process_writes_to_the_log_meanwhile_is_no_clear_leak(tmp_path: Path) -> None:
    """Entries that came in between the list and the search were taken for clear bytes of nobody's."""
    hub = copy_of(founded(), tmp_path)

    def append(_left: object) -> None:
        other = hub.open()
        for _ in range(3):
            other.catalogue.import_tables(core_tables()[:1])

    result = subpoena(hub.open(), spoil=append)

    assert result.search.sightings == []
    assert result.run.verdict == "held"


def plant_clear_line(hub: SmallHub) -> bytes:
    return b"x" * 100 + people(hub)[0][1].encode() + b";1;1950\n"


def plant_hexadecimal(hub: SmallHub) -> bytes:
    return random_bytes(500) + people(hub)[0][1].encode().hex().encode() + random_bytes(500)


def plant_packed(hub: SmallHub) -> bytes:
    return random_bytes(3_000) + gzip.compress(people(hub)[0][1].encode() * 20) + random_bytes(900)


def plant_clear_manifest(_hub: SmallHub) -> bytes:
    return json.dumps({"format": "havre/v1/manifest", "entries": []}).replace(" ", "").encode()


def plant_clear_parquet(_hub: SmallHub) -> bytes:
    return b"PAR1" + random_bytes(2_000) + b"PAR1"


def plant_badly_sealed(_hub: SmallHub) -> bytes:
    """A cipher that repeats itself: every block the same."""
    return random_bytes(16) * 4_000


@pytest.mark.parametrize(
    "leak",
    [
        plant_clear_line,
        plant_hexadecimal,
        plant_packed,
        plant_clear_manifest,
        plant_clear_parquet,
        plant_badly_sealed,
    ],
)
def test_a_leak_is_found(leak: Callable[[SmallHub], bytes], tmp_path: Path) -> None:
    hub = copy_of(ingested(), tmp_path)
    (hub.hub / "store" / "objects" / "left-behind").write_bytes(leak(hub))

    result = search_seizure(seized(hub), canaries=canaries(hub), public_keys=frozenset())

    assert result.conclusion.startswith("failed")
    assert {each.file for each in result.sightings} == {"store/objects/left-behind"}


@pytest.mark.parametrize(
    ("at", "found"),
    [("start", 1), ("middle", 0), ("where two pieces meet", 0), ("end", 1)],
)
def test_four_bytes_that_ciphertext_has_by_chance_are_no_table_file(
    at: str, found: int, tmp_path: Path
) -> None:
    """At the start or at the end they are: half of a table file has one of the two."""
    body = bytearray(random_bytes((1 << 20) + 4_000))
    place = {"start": 0, "middle": 5_000, "where two pieces meet": (1 << 20) - 2, "end": -4}[at]
    body[place : place + 4 or None] = b"PAR1"
    (tmp_path / "object").write_bytes(body)

    result = search_seizure(
        SeizedFolders({"store": tmp_path}), canaries=[], public_keys=frozenset()
    )

    assert [each.what for each in result.sightings] == ["a clear table file"] * found


def test_what_straddles_two_pieces_is_found(tmp_path: Path) -> None:
    canary = "CANARI-STRADDLE"
    body = random_bytes((1 << 20) - 5) + canary.encode() + random_bytes(100)
    (tmp_path / "object").write_bytes(body)

    result = search_seizure(
        SeizedFolders({"store": tmp_path}), canaries=[canary], public_keys=frozenset()
    )

    assert [each.what for each in result.sightings] == ["canary 1"]


@pytest.mark.parametrize("written", [bytes.hex, lambda seed: __import__("base64").b64encode(seed)])
def test_a_leaked_seed_is_tried_and_found_to_open_something(
    written: Callable[[bytes], str | bytes], tmp_path: Path
) -> None:
    hub = copy_of(ingested(), tmp_path)
    opened = hub.open()
    seed = random_bytes(32)
    digest = __import__("hashlib").sha256(PartitionKey.from_seed(seed).public).hexdigest()
    text = written(seed)
    leaked = text.encode() if isinstance(text, str) else text
    (hub.hub / "store" / "backup.txt").write_bytes(b"key = " + leaked + b"\n")

    harmless = search_seizure(
        seized(hub), canaries=[], public_keys=open_subpoena(opened).public_keys()
    )
    found = search_seizure(seized(hub), canaries=[], public_keys=frozenset({digest}))

    assert harmless.keys_tried == found.keys_tried == 1
    assert harmless.sightings == []
    assert [each.what for each in found.sightings] == ["a key of this hub"]


# ------------------------------------------------------------ the hub's own inbox


def waiting(root: Path) -> SmallHub:
    """A hub with one delivery in its inbox."""
    hub = copy_of(founded(), root)
    hub.holder().deliver([hub.deliveries / "cepidc-2024"], progress=quiet)
    return hub


def test_a_waiting_delivery_is_searched_and_its_clear_note_is_no_leak(tmp_path: Path) -> None:
    """The note is the hub's to read: it is counted as clear, and said so, not called a failure."""
    hub = waiting(tmp_path)

    ran_now = subpoena(hub.open(), canaries=hub.root / "files/truth/people.csv")

    result = ran_now.search
    assert (ran_now.run.verdict, result.conclusion) == ("held", "held")
    assert result.clear_by_design["a delivery's note"] == 1
    assert result.seized[("inbox", "a delivery's note")] == 1
    assert result.seized[("inbox", "an object of a delivery")] >= 2
    (ran,) = events_of([each.event for each in hub.open().log.entries()], DrillRan)
    assert ran.counters["clear_by_design"] == result.clear_by_design.total()
    receipt = hub.open().records.document("drill-receipt", ran.receipt_sha256)
    said = parse_statement(parse_envelope(receipt).payload).predicate["details"]
    assert isinstance(said, dict)
    assert "own directory" in str(said["left_out"])
    assert '"place":"inbox"' in encode_canonical(said["seized"]).decode()


def note_of(hub: SmallHub) -> Path:
    return hub.hub / "inbox" / "cepidc-2024" / "note.json"


def test_a_canary_in_a_note_is_found_all_the_same(tmp_path: Path) -> None:
    hub = waiting(tmp_path)
    note = json.loads(note_of(hub).read_text())
    clear = people(hub)[0][1].encode() + b" and what else was delivered"
    note["payload"] = base64.b64encode(clear).decode()
    note_of(hub).write_bytes(encode_canonical(note))

    result = search_seizure(seized(hub), canaries=canaries(hub), public_keys=frozenset())

    assert result.clear_by_design.total() == 1
    assert {each.grave for each in result.sightings} == {Grave.CANARY}
    assert {each.file for each in result.sightings} == {"inbox/cepidc-2024/note.json"}


def test_clear_lines_that_only_have_a_notes_name_are_a_leak(tmp_path: Path) -> None:
    hub = waiting(tmp_path)
    note_of(hub).write_bytes(b"region;deaths\n" + b"11;7\n" * 400)

    result = search_seizure(seized(hub), canaries=canaries(hub), public_keys=frozenset())

    assert result.clear_by_design.total() == 0
    assert result.found == {"canaries": 0, "keys": 0, "clear-bytes": 1}


def test_the_conclusion_tells_clear_bytes_of_nobody_from_a_canary(tmp_path: Path) -> None:
    hub = copy_of(ingested(), tmp_path)
    clear = hub.hub / "store" / "objects" / "left-behind"
    clear.write_bytes(b"region;deaths\n" + b"11;7\n" * 400)
    nobody = subpoena(hub.open(), canaries=hub.root / "files/truth/people.csv")
    clear.write_bytes(plant_clear_line(hub))
    somebody = subpoena(hub.open(), canaries=hub.root / "files/truth/people.csv")

    assert nobody.run.verdict == somebody.run.verdict == "failed"
    assert (
        nobody.search.conclusion
        == "failed: clear bytes, in which nothing was found that was looked for"
    )
    assert somebody.search.conclusion.startswith(
        "failed: something that is known to be in the data"
    )
    ran = events_of([each.event for each in hub.open().log.entries()], DrillRan)
    assert [each.counters["found_canaries"] for each in ran] == [0, 1]
    assert [each.counters["found_clear_bytes"] for each in ran] == [1, 0]


def test_what_the_command_prints_says_where_and_shows_no_content(tmp_path: Path) -> None:
    hub = copy_of(ingested(), tmp_path / "root")
    backup = tmp_path / "backup"
    backup.mkdir()
    name = f"of {people(hub)[0][1]}.csv"
    (backup / name).write_bytes(plant_clear_line(hub))

    done = subprocess.run(
        [
            *(sys.executable, "-m", "havre", "drill", "subpoena", "--json"),
            *("--hub", str(hub.hub), "--also", str(backup)),
            *("--canaries", str(hub.root / "files/truth/people.csv")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 4
    said = json.loads(done.stdout)
    assert said["seized"]["also-1: a file that is not ours"] == 1
    assert said["found"]["canaries"] == 2
    assert all(each.endswith("in also-1/" + "#" * len(name)) for each in said["sightings"])
    assert any("in the file's name" in each for each in said["sightings"])
    assert people(hub)[0][1] not in done.stdout + done.stderr


# ------------------------------------------------------------ a package on its way


def seize_package(move: Moving) -> Search:
    """The drill at the new hub, over its store and the package that it came in."""
    opened_at(move)
    truth = move.root / "files/truth/people.csv"
    return subpoena(OpenHub(move.new), canaries=truth, also=[move.package]).search


def test_of_a_package_only_what_is_public_is_clear(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)

    result = seize_package(move)

    public = result.clear_by_design["a public file of a package"]
    assert result.conclusion == "held"
    assert public > 10
    kinds = {kind for place, kind in result.seized if place == "also-1"}
    assert kinds == {
        "a public file of a package",
        "an object of a package",
        "sealed records of a package",
    }


def test_clear_files_slipped_into_a_package_are_a_leak(tmp_path: Path) -> None:
    move = copy_of_move(tmp_path)
    opened_at(move)
    (move.package / "rows.csv").write_bytes(b"region;deaths\n" + b"11;7\n" * 400)
    permits = move.package / "permits.json"
    permits.write_bytes(permits.read_bytes() + plant_clear_line(move.hub))

    truth = move.root / "files/truth/people.csv"
    result = subpoena(OpenHub(move.new), canaries=truth, also=[move.package]).search

    assert {each.file for each in result.sightings} == {"also-1/rows.csv", "also-1/permits.json"}
    assert result.conclusion.startswith("failed: something that is known to be in the data")


def test_a_hub_that_left_runs_no_drill_and_plants_nothing() -> None:
    hub = OpenHub(departed().hub.hub)
    before = list(hub.objects.list_objects())

    with pytest.raises(HandedOver):
        subpoena(hub)
    assert list(hub.objects.list_objects()) == before


def test_the_drill_knows_every_key_of_the_hub() -> None:
    opened = ingested().open()
    events = [each.event for each in opened.log.entries()]
    made = {key for e in events_of(events, PartitionsCreated) for key in e.public_keys.values()}

    keys = open_subpoena(opened).public_keys()

    assert made
    assert keys >= made
    assert keys >= {party.key_id for party in opened.roots.parties}


def test_files_in_the_store_have_random_names_and_nothing_else() -> None:
    names = [path.name for path in (ingested().hub / "store").rglob("*") if path.is_file()]

    assert names
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)
