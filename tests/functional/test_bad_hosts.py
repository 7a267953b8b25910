"""A store's host that lies, loses, stalls or refuses: each is named, and nothing is taken for true."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract.suite_objects import ONE, TWO
from fakes.s3_host import Manner, S3Host, running_s3_host
from havre.adapters.objects.s3 import AccessKey, Patience, S3Objects
from havre.errors import NotFound, NotGenuine, Refused, Unavailable
from havre.ports.objects import IdTaken

BODY = hashlib.shake_256(b"a sealed object").digest(100_000)
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture
def host() -> Iterator[S3Host]:
    with running_s3_host() as running:
        yield running


@pytest.fixture
def store(host: S3Host, tmp_path: Path) -> S3Objects:
    """A store with one object in it."""
    prepared = host.store(tmp_path)
    prepared.prepare()
    prepared.put(ONE, [BODY])
    return prepared


@pytest.mark.parametrize(
    ("manner", "refusal", "words"),
    [
        (Manner.EMPTY, NotGenuine, "is empty"),
        (Manner.TRUNCATED, NotGenuine, "not the one that was written"),
        (Manner.BREAKS_OFF, Unavailable, "broke off"),
        (Manner.SLOW, Unavailable, "did not answer in time"),
        (Manner.FAILS, Unavailable, "cannot be reached, broke off"),
        (Manner.FORBIDS, Unavailable, "refuses our access key"),
        (Manner.FORGETS, NotFound, "no object of this id"),
        (Manner.NO_BUCKET, Unavailable, "bucket is gone"),
        (Manner.NONSENSE, Unavailable, "an answer that is none"),
    ],
)
def test_what_a_bad_host_does_when_asked_is_named(
    store: S3Objects, host: S3Host, manner: Manner, refusal: type[Exception], words: str
) -> None:
    host.manner = manner

    with pytest.raises(refusal, match=words), store.open(ONE, sha256=SHA256):
        pass
    with pytest.raises(refusal, match=words):
        store.get(ONE, sha256=SHA256)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        (Manner.SLOW, "did not answer in time"),
        (Manner.FAILS, "cannot be reached, broke off"),
        (Manner.FORBIDS, "refuses our access key"),
        (Manner.NO_BUCKET, "bucket is gone"),
    ],
)
def test_a_host_that_takes_nothing_is_named_and_the_write_did_not_happen(
    store: S3Objects, host: S3Host, manner: Manner, words: str
) -> None:
    host.manner = manner
    with pytest.raises(Unavailable, match=words):
        store.put(TWO, [BODY])

    host.manner = Manner.GOOD

    assert list(store.list_objects()) == [ONE]


def test_a_host_that_says_200_and_keeps_less_is_not_believed(
    store: S3Objects, host: S3Host
) -> None:
    host.manner = Manner.TRUNCATED

    with pytest.raises(Unavailable, match="another number of bytes"):
        store.put(TWO, [BODY])
    assert host.path(TWO) not in host.objects


def test_swapped_objects_are_refused(store: S3Objects, host: S3Host) -> None:
    store.put(TWO, [BODY[::-1]])
    one, two = host.path(ONE), host.path(TWO)
    host.objects[one], host.objects[two] = host.objects[two], host.objects[one]

    with pytest.raises(NotGenuine):
        store.get(ONE, sha256=SHA256)


@pytest.mark.parametrize("lost", [1, 2])
def test_an_answer_that_got_lost_is_no_second_writer(
    store: S3Objects, host: S3Host, lost: int
) -> None:
    """The claim, or the claim and the object, were written although nobody heard so."""
    host.lost_answers = lost

    stored = store.put(TWO, [BODY])

    assert stored.sha256 == SHA256
    assert b"".join(store.get(TWO, sha256=SHA256)) == BODY


def test_two_writers_of_one_id_do_not_both_write(store: S3Objects, host: S3Host) -> None:
    host.objects["/bucket/lake/partial/" + TWO] = b"somebody else's"

    with pytest.raises(IdTaken):
        store.put(TWO, [BODY])
    assert host.objects["/bucket/lake/partial/" + TWO] == b"somebody else's"


def test_no_claim_is_left_behind(store: S3Objects, host: S3Host) -> None:
    assert set(host.objects) == {"/bucket/lake/havre-store", host.path(ONE)}


def test_a_bucket_that_was_made_anew_is_not_taken_for_an_empty_store(
    store: S3Objects, host: S3Host
) -> None:
    host.objects.clear()

    with pytest.raises(Unavailable, match="bucket is gone"):
        list(store.list_objects())
    with pytest.raises(Unavailable, match="bucket is gone"):
        store.get(ONE)
    with pytest.raises(Unavailable, match="bucket is gone"):
        host.store(Path()).put(TWO, [BODY])
    assert host.objects == {}


def test_a_host_that_writes_over_what_is_there_is_refused_before_it_gets_anything(
    host: S3Host, tmp_path: Path
) -> None:
    host.writes_over = True

    with pytest.raises(Refused, match="writes over"):
        host.store(tmp_path).prepare()


def test_a_host_that_is_not_there_is_named_within_its_time(tmp_path: Path) -> None:
    with running_s3_host() as host:
        patience = Patience(answer_s=1.0, connect_s=0.5, retries=1, retry_s=1.0)
        store = host.store(tmp_path, patience=patience)

    with pytest.raises(Unavailable, match="cannot be reached"):
        store.put(ONE, [BODY])


def test_no_room_for_a_copy_is_named(store: S3Objects, host: S3Host, tmp_path: Path) -> None:
    """The folder for copies is on a device that is always full."""
    full = host.store(Path("/dev/shm/no/such/folder"))

    with pytest.raises(Unavailable, match="no room"), full.open(ONE):
        pass


def test_what_a_host_writes_into_its_errors_is_not_repeated(store: S3Objects, host: S3Host) -> None:
    host.manner = Manner.NONSENSE

    with pytest.raises(Unavailable) as told:
        store.get(ONE, sha256=SHA256)
    assert "Welcome" not in str(told.value)
    assert host.endpoint not in str(told.value)


def test_an_access_key_is_in_no_representation() -> None:
    assert "secret" not in repr(AccessKey("id", "secret"))
