"""What every object store promises (`ports.objects`).

An adapter's test imports `*` from here and gives a fixture `store`, empty.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from havre.errors import InvalidInput, NotFound, NotGenuine
from havre.ports.objects import IdTaken, ObjectStore
from havre.values import ObjectId

ONE, TWO, THREE = (ObjectId(digit * 32) for digit in "1a3")


class _Torn(Exception):
    """The writer's source failed half way."""


def _torn_chunks() -> Iterator[bytes]:
    yield b"half"
    raise _Torn


def test_an_object_comes_back_as_it_was_put(store: ObjectStore) -> None:
    body = bytes(range(256)) * 9000

    stored = store.put(ONE, [body[:7], b"", body[7:]])

    assert b"".join(store.get(ONE)) == body
    assert (stored.object_id, stored.size_bytes) == (ONE, len(body))
    assert stored.sha256 == hashlib.sha256(body).hexdigest()


def test_an_empty_object_is_an_object(store: ObjectStore) -> None:
    store.put(ONE, [])

    assert list(store.get(ONE)) == []
    assert list(store.list_objects()) == [ONE]


def test_pieces_are_at_most_one_mebibyte(store: ObjectStore) -> None:
    store.put(ONE, [bytes(3 * 1024 * 1024 + 1)])

    assert max(len(piece) for piece in store.get(ONE)) <= 1024 * 1024


def test_an_open_object_can_be_sought(store: ObjectStore) -> None:
    store.put(ONE, [b"0123456789"])

    with store.open(ONE) as file:
        file.seek(-3, 2)
        assert file.read() == b"789"


def test_a_lent_file_holds_the_objects_bytes(store: ObjectStore) -> None:
    store.put(ONE, [b"0123456789"])

    with store.as_file(ONE) as path:
        assert Path(path).read_bytes() == b"0123456789"


def test_an_id_is_never_used_twice(store: ObjectStore) -> None:
    store.put(ONE, [b"first"])

    with pytest.raises(IdTaken):
        store.put(ONE, [b"second"])
    assert b"".join(store.get(ONE)) == b"first"


def test_a_write_that_fails_leaves_nothing(store: ObjectStore) -> None:
    with pytest.raises(_Torn):
        store.put(ONE, _torn_chunks())

    assert list(store.list_objects()) == []
    with pytest.raises(NotFound):
        store.get(ONE)


def test_what_is_not_there_is_not_found(store: ObjectStore) -> None:
    with pytest.raises(NotFound):
        store.get(ONE)
    with pytest.raises(NotFound), store.open(ONE):
        pass
    with pytest.raises(NotFound), store.as_file(ONE):
        pass


def _got(store: ObjectStore, sha256: str) -> bytes:
    return b"".join(store.get(ONE, sha256=sha256))


def _opened(store: ObjectStore, sha256: str) -> bytes:
    with store.open(ONE, sha256=sha256) as file:
        return file.read()


def _lent(store: ObjectStore, sha256: str) -> bytes:
    with store.as_file(ONE, sha256=sha256) as path:
        return Path(path).read_bytes()


@pytest.mark.parametrize("read", [_got, _opened, _lent])
def test_who_names_a_hash_gets_those_bytes_or_none(
    store: ObjectStore, read: Callable[[ObjectStore, str], bytes]
) -> None:
    body = bytes(range(256)) * 9000
    stored = store.put(ONE, [body])

    assert read(store, stored.sha256) == body
    with pytest.raises(NotGenuine):
        read(store, hashlib.sha256(b"another").hexdigest())


def test_other_bytes_are_refused_before_the_first_is_given(store: ObjectStore) -> None:
    store.put(ONE, [b"x"])

    with pytest.raises(NotGenuine):
        store.get(ONE, sha256="0" * 64)


@pytest.mark.parametrize("name", ["", "../" + "0" * 29, "A" * 32, "0" * 31, "0" * 33])
def test_a_name_that_is_no_object_id_is_refused(store: ObjectStore, name: str) -> None:
    with pytest.raises(InvalidInput):
        store.put(ObjectId(name), [b"x"])
    with pytest.raises(InvalidInput):
        store.get(ObjectId(name))
    with pytest.raises(InvalidInput):
        store.delete(ObjectId(name))


def test_what_is_put_in_a_batch_is_there_when_it_ends(store: ObjectStore) -> None:
    with store.batch():
        for name in (TWO, ONE):
            store.put(name, [name.encode()])

    assert list(store.list_objects()) == [ONE, TWO]
    assert b"".join(store.get(ONE)) == ONE.encode()


def test_a_store_has_no_debts_when_all_of_it_took_what_was_written(store: ObjectStore) -> None:
    store.put(ONE, [b"x"])

    assert not store.take_debts()


def test_objects_are_listed_once_and_in_order(store: ObjectStore) -> None:
    for name in (TWO, ONE, THREE):
        store.put(name, [name.encode()])

    assert list(store.list_objects()) == [ONE, THREE, TWO]


def test_a_deleted_object_is_gone_and_may_be_deleted_again(store: ObjectStore) -> None:
    store.put(ONE, [b"x"])
    store.delete(ONE)
    store.delete(ONE)

    assert list(store.list_objects()) == []


def test_a_sweep_takes_only_what_is_old_and_unlisted(store: ObjectStore) -> None:
    for name in (ONE, TWO, THREE):
        store.put(name, [b"x"])

    tomorrow = datetime.now(UTC) + timedelta(days=1)
    yesterday = datetime.now(UTC) - timedelta(days=1)

    assert store.sweep({ONE}, older_than=yesterday) == ()
    assert store.sweep({ONE}, older_than=tomorrow) == (THREE, TWO)
    assert list(store.list_objects()) == [ONE]
