"""The inventory is proved against the log: a list that is missing, altered or cut is refused."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from havre.application.vault.inventory import Listing, list_removed, list_written
from havre.domain.events import (
    CopiesCounted,
    DeliveryReceived,
    Event,
    ExtractMade,
    ObjectsListed,
    VersionPublished,
)
from havre.domain.inventory import (
    Damage,
    Inventory,
    Listed,
    ObjectList,
    OpenedList,
    encode_list,
    judge_copy,
    parse_list,
    take_inventory,
)
from havre.errors import InvalidInput, NotGenuine
from havre.formats.canonical import encode_canonical
from havre.ports.objects import StoredObject
from havre.values import Digest, ObjectId

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ONE, TWO = ObjectId("1" * 32), ObjectId("2" * 32)


def digest(text: str) -> Digest:
    return Digest(hashlib.sha256(text.encode()).hexdigest())


def stored(name: ObjectId, size_bytes: int = 7) -> StoredObject:
    return StoredObject(name, size_bytes, digest(name))


def written(*objects: StoredObject, act: str = "a" * 32, **debts: set[ObjectId]) -> Listing:
    return list_written(objects, debts=debts, act=act, at=NOW)


def opened(listing: Listing) -> dict[str, OpenedList]:
    document, salt = (each.body for each in listing.documents)
    return {listing.documents[0].name: OpenedList(document, salt)}


def published(act: str, **manifests: str) -> VersionPublished:
    return VersionPublished(
        event_id=act, at=NOW, dataset="dcir", parent=None, manifests=manifests, rows=0
    )


def received(**objects: str) -> DeliveryReceived:
    return DeliveryReceived(
        event_id="d" * 32,
        at=NOW,
        delivery="d1",
        holder="h",
        partition="p",
        note_commitment="c",
        objects=objects,
    )


def inventory(*events: Event, lists: dict[str, OpenedList] | None = None) -> Inventory:
    return take_inventory(events, lists or {})


def test_what_an_act_wrote_is_in_the_inventory() -> None:
    listing = written(stored(ONE), stored(TWO, 9))
    act = published("a" * 32, p=digest(TWO))

    taken = inventory(*listing.events, act, lists=opened(listing))

    assert taken.objects == {ONE: Listed(digest(ONE), 7), TWO: Listed(digest(TWO), 9)}
    assert (taken.manifests, taken.unlisted, taken.size_bytes) == (set(), 0, 16)


def test_an_act_that_wrote_nothing_has_no_list() -> None:
    assert written() == Listing((), ())


def test_the_commitment_says_nothing_that_could_be_guessed() -> None:
    """The same list twice looks like two lists: who saw the objects come in cannot try."""
    first, second = written(stored(ONE)), written(stored(ONE))
    (one,), (two,) = first.events, second.events
    assert isinstance(one, ObjectsListed)
    assert isinstance(two, ObjectsListed)

    assert one.list_commitment != two.list_commitment
    assert hashlib.sha256(first.documents[0].body).hexdigest() != one.list_commitment


def test_a_delivered_object_is_known_by_the_log_and_its_size_by_the_list() -> None:
    event = received(**{ONE: digest(ONE)})
    listing = written(stored(ONE), act=event.event_id)

    assert inventory(event).objects == {ONE: Listed(digest(ONE), None)}
    assert inventory(*listing.events, event, lists=opened(listing)).objects == {
        ONE: Listed(digest(ONE), 7)
    }


def test_what_was_taken_out_is_not_missed() -> None:
    first, gone = written(stored(ONE), stored(TWO)), list_removed([ONE], act="b" * 32, at=NOW)
    lists = {**opened(first), **opened(gone)}

    assert set(inventory(*first.events, *gone.events, lists=lists).objects) == {TWO}


def test_acts_from_before_there_were_lists_are_counted_and_their_manifests_looked_for() -> None:
    extract = ExtractMade(
        event_id="e" * 32,
        at=NOW,
        permit="p",
        partition="q",
        versions={},
        plan_commitment="c",
        manifest_sha256=digest(TWO),
        rows=0,
    )

    taken = inventory(published("a" * 32, p=digest(ONE)), extract)

    assert (taken.unlisted, taken.manifests) == (2, {digest(ONE), digest(TWO)})


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: {},
        lambda one: {k: replace(v, salt=bytes(32)) for k, v in one.items()},
        lambda one: {
            k: replace(v, document=encode_list(ObjectList({ONE: Listed(digest(ONE), 7)})))
            for k, v in one.items()
        },
        lambda one: {k: replace(v, document=b"{}") for k, v in one.items()},
    ],
    ids=["missing", "another salt", "an object left out", "no list"],
)
def test_a_list_that_is_not_the_one_of_the_log_is_refused(spoil: Any) -> None:
    listing = written(stored(ONE), stored(TWO))

    with pytest.raises(NotGenuine):
        inventory(*listing.events, lists=spoil(opened(listing)))


def test_two_entries_that_differ_about_one_object_are_refused() -> None:
    listing = written(stored(ONE))

    with pytest.raises(NotGenuine, match="otherwise of one object"):
        inventory(*listing.events, received(**{ONE: digest("other")}), lists=opened(listing))


@pytest.mark.parametrize(
    "change",
    [
        {"more": 1},
        {"added": {ONE: [digest(ONE)]}},
        {"added": {ONE: [digest(ONE), -1]}},
        {"added": {ONE: [digest(ONE), "7"]}},
        {"added": {"short": [digest(ONE), 7]}},
        {"added": {ONE: ["short", 7]}},
        {"added": [ONE]},
        {"removed": [TWO, ONE]},
        {"removed": "none"},
        {"format": "havre/v2/object-list"},
    ],
)
def test_a_list_of_another_spelling_is_refused(change: dict[str, Any]) -> None:
    body: dict[str, Any] = {
        "added": {ONE: [digest(ONE), 7]},
        "format": "havre/v1/object-list",
        "removed": [],
    }
    assert parse_list(encode_canonical(body)).added == {ONE: Listed(digest(ONE), 7)}

    with pytest.raises(InvalidInput):
        parse_list(encode_canonical(body | change))


# ------------------------------------------------------------------- debts


def test_what_a_store_lacks_of_an_act_stands_on_the_log_beside_it() -> None:
    """What it lacks of another act is that act's to say."""
    listing = written(stored(ONE), far={ONE, TWO})

    (counted,) = [each for each in listing.events if isinstance(each, CopiesCounted)]
    assert (counted.occasion, counted.objects, counted.lacking) == ("write", 1, {"far": 1})
    assert len(written(stored(ONE), far={TWO}).events) == 1


# ------------------------------------------------------------------- judging a copy


@pytest.mark.parametrize(
    ("found", "size_bytes", "damage"),
    [
        (ONE, 7, None),
        ("", 0, Damage.EMPTY),
        (TWO, 9, Damage.SWAPPED),
        ("half", 3, Damage.TRUNCATED),
        ("longer", 70, Damage.ALTERED),
        ("other", 7, Damage.ALTERED),
    ],
)
def test_a_bad_copy_is_named(found: str, size_bytes: int, damage: Damage | None) -> None:
    ours: dict[str, ObjectId] = {digest(name): name for name in (ONE, TWO)}

    judged = judge_copy(
        Listed(digest(ONE), 7), found_sha256=digest(found), found_bytes=size_bytes, ours=ours
    )

    assert judged == damage
