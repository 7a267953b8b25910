"""What compaction made is known as that: whose rows lie together, and that they are corrected no more."""

from __future__ import annotations

from dataclasses import replace

from havre.domain.correcting import ACCEPTED, KnownDelivery, list_faults
from havre.domain.version_objects import (
    PlacedObject,
    VersionObjects,
    encode_version_objects,
    objects_of_deliveries,
    owners_of_objects,
    parse_version_objects,
)
from havre.values import ObjectId

ONE, TWO, BOTH = (ObjectId(digit * 32) for digit in "123")
FIRST = VersionObjects({"a": (PlacedObject(ONE, "f" * 32, "T", 5),)})
SECOND = VersionObjects({"b": (PlacedObject(TWO, "f" * 32, "T", 7),)})
TOGETHER = VersionObjects({}, (ONE, TWO), {BOTH: ("a", "b")})


def test_whose_rows_lie_in_one_object_is_written_down() -> None:
    versions = [FIRST, SECOND, TOGETHER]
    read = [parse_version_objects(encode_version_objects(each)) for each in versions]

    assert read == versions
    assert owners_of_objects(read) == {
        ONE: frozenset("a"),
        TWO: frozenset("b"),
        BOTH: frozenset("ab"),
    }
    assert objects_of_deliveries(read) == {"a": {}, "b": {}}


def test_a_record_without_such_objects_is_spelled_as_before() -> None:
    assert b"together" not in encode_version_objects(FIRST)


def test_a_delivery_whose_rows_lie_with_others_cannot_be_corrected() -> None:
    before = KnownDelivery(
        delivery="a", dataset="d", holder="h", corrects=None, outcome=ACCEPTED, is_together=True
    )
    correction = replace(before, delivery="c", corrects="a", outcome=None, is_together=False)

    assert list_faults(correction, [before]) == [
        "the rows of a were put together with those of other deliveries"
    ]
    assert list_faults(correction, [replace(before, is_together=False)]) == []
