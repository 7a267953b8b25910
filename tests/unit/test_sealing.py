"""What was sealed opens for its key, in its context, whole and unaltered, or not at all."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.crypto.sealing import (
    CHUNK_BYTES,
    FileKey,
    PartitionKey,
    open_stream,
    seal_key,
    seal_stream,
)
from havre.errors import NotGenuine

KEY = PartitionKey.from_seed(bytes(range(32)))
RAW = bytes(range(32))


def sealed_of(content: bytes, *, step: int = 700_000) -> bytes:
    chunks = (content[at : at + step] for at in range(0, len(content), step))
    return b"".join(seal_stream(chunks, key=FileKey(RAW), object_id="object"))


def opened_of(
    sealed: bytes, *, key: bytes = RAW, object_id: str = "object", step: int = 333_333
) -> bytes:
    chunks = (sealed[at : at + step] for at in range(0, len(sealed), step))
    return b"".join(open_stream(chunks, key=key, object_id=object_id))


def test_the_same_seed_makes_the_same_public_key_for_ever() -> None:
    """Pins the derivation: a library that changed it would lose every partition."""
    digest = hashlib.sha256(KEY.public).hexdigest()

    assert digest == "a267fb5bf138f9519f6f4355e3284ed1340fdfc04fafa5ab0c1cfb3835a7039f"


def test_a_key_opens_in_its_context_only() -> None:
    sealed = seal_key(b"k" * 32, to=KEY.public, info=b"this")

    assert KEY.open_key(sealed, info=b"this") == b"k" * 32
    with pytest.raises(NotGenuine):
        KEY.open_key(sealed, info=b"that")
    with pytest.raises(NotGenuine):
        PartitionKey.generate().open_key(sealed, info=b"this")


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_sealed_key_with_one_bit_changed_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(seal_key(b"k" * 32, to=KEY.public, info=b""))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(NotGenuine):
        KEY.open_key(bytes(sealed), info=b"")


@pytest.mark.parametrize("noise", [b"", b"x", bytes(1120), bytes(5000)])
def test_what_is_no_sealed_key_does_not_open(noise: bytes) -> None:
    with pytest.raises(NotGenuine):
        KEY.open_key(noise, info=b"")


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3_000_000]
)
def test_a_stream_of_any_length_reads_back(size: int) -> None:
    content = (b"0123456789abcdef" * (size // 16 + 1))[:size]

    assert opened_of(sealed_of(content)) == content


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=100), st.data())
def test_a_stream_with_one_bit_changed_does_not_open(content: bytes, data: st.DataObject) -> None:
    sealed = bytearray(sealed_of(content))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= 1 << data.draw(st.integers(0, 7))

    with pytest.raises(NotGenuine):
        opened_of(bytes(sealed))


def test_a_stream_that_is_cut_off_or_longer_does_not_open() -> None:
    sealed = sealed_of(bytes(2 * CHUNK_BYTES + 5))
    piece = CHUNK_BYTES + 16
    parts = [sealed[:piece], sealed[piece : 2 * piece], sealed[2 * piece :]]
    wrong = [
        sealed[: 2 * piece],
        sealed[:piece],
        sealed[:-1],
        sealed + b"\0",
        b"".join((parts[1], parts[0], parts[2])),
        b"".join((parts[0], parts[2])),
        b"",
    ]

    for each in wrong:
        with pytest.raises(NotGenuine):
            opened_of(each)


def test_a_stream_does_not_open_under_another_name_or_key() -> None:
    sealed = sealed_of(b"content")

    for key, object_id in itertools.product((RAW, bytes(32)), ("object", "other")):
        if (key, object_id) != (RAW, "object"):
            with pytest.raises(NotGenuine):
                opened_of(sealed, key=key, object_id=object_id)


def test_a_file_key_is_taken_once() -> None:
    key = FileKey.draw()
    key.take()

    with pytest.raises(ValueError, match="one write"):
        key.take()
