"""Several stores keep the port's promises as one, and each one's faults are named and survived."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from contract.suite_objects import *  # noqa: F403
from contract.suite_objects import ONE, TWO
from fakes.s3_host import Manner, S3Host, running_s3_host
from havre.adapters.objects.local import LocalObjects
from havre.adapters.objects.replicated import Replica, ReplicatedObjects
from havre.errors import NotFound, NotGenuine, Unavailable
from havre.ports.objects import IdTaken

BODY = hashlib.shake_256(b"a sealed object").digest(100_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


class Place:
    """Two directories and a host that speaks S3, as one store."""

    def __init__(self, root: Path, host: S3Host) -> None:
        self.host, self.outgoing, self.said = host, root / "outgoing", list[str]()
        self.outgoing.mkdir()
        self.near, self.far = LocalObjects(root / "near"), host.store(self.outgoing)
        self.far.prepare()

    def store(self, *, needed: int = 2, far_first: bool = False) -> ReplicatedObjects:
        replicas = [Replica("near", self.near), Replica("far", self.far)]
        return ReplicatedObjects(
            replicas[::-1] if far_first else replicas,
            needed=needed,
            outgoing=self.outgoing,
            warn=self.said.append,
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with running_s3_host() as host:
        yield Place(tmp_path, host)


@pytest.fixture
def store(place: Place) -> ReplicatedObjects:
    return place.store()


def test_an_object_is_in_every_replica(place: Place) -> None:
    place.store().put(ONE, [BODY])

    assert list(place.near.list_objects()) == list(place.far.list_objects()) == [ONE]
    assert list(place.outgoing.iterdir()) == []


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (Manner.EMPTY, "is empty"),
        (Manner.TRUNCATED, "not the one that was written"),
        (Manner.BREAKS_OFF, "broke off"),
        (Manner.SLOW, "did not answer in time"),
        (Manner.FORBIDS, "refuses our access key"),
        (Manner.FORGETS, "no object of this id"),
        (Manner.NO_BUCKET, "bucket is gone"),
    ],
)
def test_a_reader_is_served_by_another_replica_and_told_why(
    place: Place, manner: Manner, words: str
) -> None:
    store = place.store(far_first=True)
    store.put(ONE, [BODY])
    place.host.manner = manner

    with store.open(ONE, sha256=SHA256) as file:
        read = file.read()

    assert read == BODY
    assert len(place.said) == 1
    assert place.said[0].startswith("Store far: ")
    assert words in place.said[0]


def test_the_same_fault_is_told_once(place: Place) -> None:
    store = place.store(far_first=True)
    for name in (ONE, TWO):
        store.put(name, [BODY])
    place.host.manner = Manner.EMPTY

    for name in (ONE, TWO):
        list(store.get(name, sha256=SHA256))

    assert len(place.said) == 1


def test_swapped_objects_are_read_from_where_they_are_not(place: Place) -> None:
    store = place.store(far_first=True)
    store.put(ONE, [BODY])
    store.put(TWO, [BODY[::-1]])
    one, two = place.host.path(ONE), place.host.path(TWO)
    objects = place.host.objects
    objects[one], objects[two] = objects[two], objects[one]

    with store.as_file(ONE, sha256=SHA256) as path:
        assert Path(path).read_bytes() == BODY


def test_when_no_replica_is_right_each_ones_fault_is_told_and_nothing_is_given(
    place: Place,
) -> None:
    store = place.store()
    store.put(ONE, [BODY])
    place.near.delete(ONE)
    place.host.manner = Manner.EMPTY

    with pytest.raises(NotGenuine, match=r"near: .*no object of this id.* far: .*is empty"):
        store.get(ONE, sha256=SHA256)


def test_what_may_come_back_is_not_called_lost(place: Place) -> None:
    store = place.store()
    store.put(ONE, [BODY])
    place.near.delete(ONE)
    place.host.manner = Manner.FAILS

    with pytest.raises(Unavailable, match="far: "):
        store.get(ONE, sha256=SHA256)
    with pytest.raises(NotFound):
        place.near.get(ONE)


def test_a_write_that_too_few_take_is_no_write(place: Place) -> None:
    place.host.manner = Manner.FAILS

    with pytest.raises(Unavailable, match="far: "):
        place.store().put(ONE, [BODY])
    assert list(place.near.list_objects()) == []


def test_what_a_replica_lacks_after_a_write_is_a_debt(place: Place) -> None:
    store = place.store(needed=1)
    place.host.manner = Manner.FORBIDS
    store.put(ONE, [BODY])

    assert store.take_debts() == {"far": {ONE}}
    assert store.take_debts() == {}
    assert b"".join(store.get(ONE, sha256=SHA256)) == BODY


def test_a_host_that_did_not_answer_is_left_in_peace(place: Place) -> None:
    store = place.store(needed=1)
    place.host.manner = Manner.FAILS
    store.put(ONE, [BODY])
    asked = len(place.host.asked)
    store.put(TWO, [BODY])

    assert len(place.host.asked) == asked
    assert store.take_debts() == {"far": {ONE, TWO}}


def test_writing_the_same_bytes_again_completes_a_write_that_was_cut_short(place: Place) -> None:
    """Of a delivery that is taken in again, one replica had the object already."""
    place.near.put(ONE, [BODY])

    with pytest.raises(IdTaken):
        place.store().put(ONE, [BODY])
    assert b"".join(place.far.get(ONE, sha256=SHA256)) == BODY


def test_other_bytes_under_a_taken_id_reach_no_replica(place: Place) -> None:
    place.far.put(ONE, [BODY])

    with pytest.raises(IdTaken):
        place.store().put(ONE, [b"other"])
    assert list(place.near.list_objects()) == []
    assert b"".join(place.far.get(ONE)) == BODY


def test_a_list_that_may_miss_something_is_refused(place: Place) -> None:
    place.store().put(ONE, [BODY])
    place.host.manner = Manner.FAILS

    assert list(place.store(needed=2).list_objects()) == [ONE]
    with pytest.raises(Unavailable, match="Too few"):
        list(place.store(needed=1).list_objects())


def test_what_could_not_be_removed_everywhere_is_told(place: Place) -> None:
    store = place.store()
    store.put(ONE, [BODY])
    place.host.manner = Manner.FAILS

    with pytest.raises(Unavailable, match="removed everywhere"):
        store.delete(ONE)


def test_what_was_never_sent_is_swept(place: Place) -> None:
    (place.outgoing / ONE).write_bytes(b"left by a process that died")

    place.store().sweep(frozenset(), older_than=datetime.now(UTC) + timedelta(days=1))

    assert list(place.outgoing.iterdir()) == []


@pytest.mark.parametrize("needed", [0, 3])
def test_more_copies_than_stores_cannot_be_asked_for(place: Place, needed: int) -> None:
    with pytest.raises(ValueError, match="between one and all"):
        place.store(needed=needed)


def test_a_batch_is_sent_when_it_ends_in_an_order_that_says_nothing(place: Place) -> None:
    store = place.store()
    with store.batch():
        for name in (TWO, ONE):
            store.put(name, [BODY])
        before = list(place.near.list_objects())

    sent = [asked.rpartition("/")[2] for asked in place.host.asked if "PUT" in asked]
    assert before == []
    assert list(dict.fromkeys(name for name in sent if len(name) == 32)) == [ONE, TWO]
    assert list(place.outgoing.iterdir()) == []


def test_a_batch_that_fails_sends_nothing(place: Place) -> None:
    store = place.store()

    def cut_short() -> None:
        with store.batch():
            store.put(ONE, [BODY])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_short()
    assert list(store.list_objects()) == []
    assert list(place.outgoing.iterdir()) == []
    store.put(ONE, [BODY])


def test_a_batch_too_large_to_hold_back_is_sent_in_parts(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("havre.adapters.objects.replicated._MOST_WAITING_BYTES", len(BODY))
    store = place.store()

    with store.batch():
        store.put(TWO, [BODY])
        store.put(ONE, [BODY])
        assert list(place.near.list_objects()) == [ONE, TWO]
