"""P1: whoever takes everything that the store's host holds finds no value, no person, no key.

The search is worth something only if it finds what is there: each leak that a
careless change could make is planted, and must be found.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fakes.small_hub import SmallHub, copy_of, granted, ingested
from havre.adapters.seizure.folders import SeizedFolders
from havre.application.drill import Drills, search_seizure
from havre.bootstrap.drilling import subpoena
from havre.crypto.random import random_bytes
from havre.crypto.sealing import PartitionKey
from havre.domain.events import DrillRan, PartitionsCreated, events_of


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
    assert (result.verdict, ran.verdict, ran.counters["sightings"]) == ("held", "held", 0)
    assert result.canaries > 5
    assert result.files == len(before) + 1
    assert set(opened.objects.list_objects()) == before


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

    assert result.verdict == "failed"
    assert {each.file for each in result.sightings} == {"store/objects/left-behind"}


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

    harmless = search_seizure(seized(hub), canaries=[], public_keys=_keys(opened.drills))
    found = search_seizure(seized(hub), canaries=[], public_keys=frozenset({digest}))

    assert harmless.keys_tried == found.keys_tried == 1
    assert harmless.sightings == []
    assert [each.what for each in found.sightings] == ["a key of this hub"]


def _keys(drills: Drills) -> frozenset[str]:
    return drills._public_keys()


def test_the_drill_knows_every_key_of_the_hub() -> None:
    opened = ingested().open()
    events = [each.event for each in opened.log.entries()]
    made = {key for e in events_of(events, PartitionsCreated) for key in e.public_keys.values()}

    keys = _keys(opened.drills)

    assert made
    assert keys >= made
    assert keys >= {party.key_id for party in opened.roots.parties}


def test_files_in_the_store_have_random_names_and_nothing_else() -> None:
    names = [path.name for path in (ingested().hub / "store").rglob("*") if path.is_file()]

    assert names
    assert all(len(name) == 32 and set(name) <= set("0123456789abcdef") for name in names)
