"""P1, the other side: what the store's host does learn, exactly as `docs/stores.md` says it.

A limit that is written down must stay true in both directions: no more is to be
learned, and nobody is to believe that less is.
"""

from __future__ import annotations

import hashlib
import re
from functools import cache
from pathlib import Path

from fakes.small_hub import granted
from havre.domain.events import DeliveryReceived, ExtractMade, VersionPublished, events_of
from havre.formats.padding import LEAST_BYTES, padded_size

PARQUET, STREAM = b"PARE", b"havre/v1/sealed\n"
ROOT = Path(__file__).parents[2]


@cache
def bodies() -> dict[str, bytes]:
    """Every object of a small lake with an extract, by its SHA-256, as the host has it."""
    files = [path.read_bytes() for path in (granted().hub / "store/objects").rglob("?" * 32)]
    return {hashlib.sha256(body).hexdigest(): body for body in files}


def starting(magic: bytes) -> list[bytes]:
    return [body for body in bodies().values() if body.startswith(magic)]


def lengths_inside(body: bytes) -> list[int]:
    """Walk a table file without a key: each sealed part says how long it is."""
    at, found = len(PARQUET), []
    while (length := int.from_bytes(body[at : at + 4], "little")) and at + length < len(body):
        found.append(length)
        at += 4 + length
    return found


def test_the_host_tells_table_files_from_others_by_how_they_begin() -> None:
    assert len(starting(PARQUET)) + len(starting(STREAM)) == len(bodies())
    assert starting(PARQUET)
    assert starting(STREAM)


def test_manifests_outputs_and_rows_set_aside_have_one_size_up_to_64_kib() -> None:
    """Only a manifest of many files is longer, and that much shows."""
    sizes = [len(body) for body in starting(STREAM)]

    assert sizes.count(min(sizes)) > 0.9 * len(sizes)
    assert min(sizes) > LEAST_BYTES


def test_table_files_have_few_sizes_seen_from_outside() -> None:
    sizes = {len(body) for body in starting(PARQUET)}

    assert all(padded_size(size) == size for size in sizes)
    assert len(sizes) < len(starting(PARQUET)) / 2


def test_inside_a_table_file_the_host_sees_how_long_each_column_is() -> None:
    """So padding hides nothing from a host that looks inside; only its bills are as vague."""
    outside = {len(body) for body in starting(PARQUET)}
    inside = {tuple(lengths_inside(body)) for body in starting(PARQUET)}

    assert len(inside) > 2 * len(outside)


def test_the_public_log_tells_the_host_which_objects_are_manifests_and_which_were_delivered() -> (
    None
):
    """And of nothing else what it is: those the log names by their hash, for whoever hashes."""
    events = [each.event for each in granted().open().log.entries()]
    delivered = {
        sha256 for each in events_of(events, DeliveryReceived) for sha256 in each.objects.values()
    }
    manifests = {
        sha256 for each in events_of(events, VersionPublished) for sha256 in each.manifests.values()
    } | {each.manifest_sha256 for each in events_of(events, ExtractMade)}
    text = b"".join(
        path.read_bytes() for path in (granted().hub / "site").rglob("*") if path.is_file()
    )
    named = {sha256 for sha256 in bodies() if sha256.encode() in text}

    assert named == delivered | manifests
    assert bodies().keys() - named


def test_the_figures_in_the_docs_are_those_of_this_lake() -> None:
    page = " ".join((ROOT / "docs/stores.md").read_text(encoding="utf-8").split())
    (told,) = re.findall(
        r"(\d+) objects: (\d+) table files of (\d+) sizes \((\d+) different ones inside\), "
        r"(\d+) others of (\d+) sizes",
        page,
    )

    measured = (
        len(bodies()),
        len(starting(PARQUET)),
        len({len(body) for body in starting(PARQUET)}),
        len({sum(lengths_inside(body)) for body in starting(PARQUET)}),
        len(starting(STREAM)),
        len({len(body) for body in starting(STREAM)}),
    )
    # Ciphertext and compression differ a little between machines and libraries.
    assert all(
        abs(int(said) - found) <= max(1, found * 0.1)
        for said, found in zip(told, measured, strict=True)
    )
