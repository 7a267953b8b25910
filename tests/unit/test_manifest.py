"""Manifests: one spelling, everything listed once, nobody else's."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import rfc8785

from havre.errors import InvalidInput
from havre.formats.manifest import (
    ColumnBounds,
    Manifest,
    ManifestEntry,
    ObjectKind,
    encode_manifest,
    key_context,
    parse_manifest,
)
from havre.values import Digest, ObjectId, Partition, PartitionKind

PLACE = Partition(PartitionKind.DATASET, "dcir", 2023)
ENTRY = ManifestEntry(
    object_id=ObjectId("a" * 32),
    kind=ObjectKind.TABLE,
    table="ER_PRS_F",
    sha256=Digest("1" * 64),
    size_bytes=4096,
    rows=12,
    content_sha256=Digest("2" * 64),
    bounds={
        "EXE_SOI_DTD": ColumnBounds("2023-01-01", "2023-12-31", 0),
        "PERSON": ColumnBounds(None, None, 3),
    },
    sealed_key=b"sealed",
)
MANIFEST = Manifest(
    origin="hub.example/log",
    partition=PLACE,
    entries=(ENTRY, replace(ENTRY, object_id=ObjectId("b" * 32))),
    withdrawn=(ObjectId("c" * 32),),
)


def read(document: bytes) -> Manifest:
    return parse_manifest(document, origin="hub.example/log", partition=PLACE)


def test_what_is_written_is_read() -> None:
    assert read(encode_manifest(MANIFEST)) == MANIFEST


def test_the_order_of_entries_has_one_spelling() -> None:
    turned = replace(MANIFEST, entries=MANIFEST.entries[::-1])

    assert encode_manifest(turned) == encode_manifest(MANIFEST)


def test_an_object_stands_once() -> None:
    with pytest.raises(InvalidInput, match="twice"):
        encode_manifest(replace(MANIFEST, entries=(ENTRY, ENTRY)))
    with pytest.raises(InvalidInput, match="twice"):
        encode_manifest(replace(MANIFEST, withdrawn=(ENTRY.object_id,)))


@pytest.mark.parametrize(
    ("origin", "partition"),
    [
        ("other.example/log", PLACE),
        ("hub.example/log", replace(PLACE, year=2022)),
        ("hub.example/log", replace(PLACE, generation=2)),
    ],
)
def test_a_manifest_of_another_place_is_refused(origin: str, partition: Partition) -> None:
    with pytest.raises(InvalidInput, match="another"):
        parse_manifest(encode_manifest(MANIFEST), origin=origin, partition=partition)


def changed(**changes: Any) -> bytes:
    body = json.loads(encode_manifest(MANIFEST))
    for path, value in changes.items():
        place = body
        *above, last = path.split("__")
        for step in above:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return rfc8785.dumps(body)


@pytest.mark.parametrize(
    "document",
    [
        changed(extra="x"),
        changed(format="havre/v2/manifest"),
        changed(entries={}),
        changed(entries__0__extra=1),
        changed(entries__0__rows="12"),
        changed(entries__0__rows=-1),
        changed(entries__0__rows=True),
        changed(entries__0__object="A" * 32),
        changed(entries__0__sha256="1"),
        changed(entries__0__kind="something"),
        changed(entries__0__sealed_key="c2VhbGVk!"),
        changed(entries__0__bounds__PERSON={"min": "a", "max": None, "nulls": 0}),
        changed(entries__0__bounds__PERSON={"min": None, "max": None, "nulls": 0, "x": 1}),
        changed(withdrawn=["d" * 32, "c" * 32]),
        encode_manifest(MANIFEST) + b"\n",
        b"{}",
        b"[]",
    ],
)
def test_anything_else_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidInput):
        read(document)


def test_a_key_is_sealed_for_one_place_only() -> None:
    contexts = {
        key_context(object_id, origin=origin, kind=kind, partition=partition)
        for object_id in (ObjectId("a" * 32), ObjectId("b" * 32))
        for origin in ("one", "two")
        for kind in ObjectKind
        for partition in (PLACE, replace(PLACE, year=2022), replace(PLACE, generation=2))
    }

    assert len(contexts) == 2 * 2 * len(ObjectKind) * 3
