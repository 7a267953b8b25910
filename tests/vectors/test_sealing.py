"""What was sealed once opens for ever: bytes of the first version, opened by this one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from havre.crypto.sealing import (
    MLKEM768_X25519_HKDF_SHA256_AES_256_GCM,
    FileKey,
    PartitionKey,
    UnknownAlgorithm,
    open_stream,
    seal_key,
    seal_stream,
)

VECTOR = json.loads((Path(__file__).parent / "sealing.json").read_text("utf-8"))
KEY = PartitionKey.from_seed(bytes.fromhex(VECTOR["seed"]))
SEALED = bytes.fromhex(VECTOR["sealed"])
INFO = VECTOR["info"].encode()


def test_a_seed_makes_the_vectors_public_key() -> None:
    assert hashlib.sha256(KEY.public).hexdigest() == VECTOR["public_sha256"]


def test_the_vectors_sealed_key_opens() -> None:
    assert KEY.open_key(SEALED, info=INFO).hex() == VECTOR["secret"]


def test_what_is_sealed_today_has_the_vectors_form() -> None:
    fresh = seal_key(bytes(32), to=KEY.public, info=INFO)

    assert fresh[0] == SEALED[0] == MLKEM768_X25519_HKDF_SHA256_AES_256_GCM == 1
    assert len(fresh) == len(SEALED) == 1169


@pytest.mark.parametrize("number", [0, *range(2, 256)])
def test_an_algorithm_that_is_not_known_is_refused_by_name(number: int) -> None:
    with pytest.raises(UnknownAlgorithm, match=f"names algorithm {number},"):
        KEY.open_key(bytes([number]) + SEALED[1:], info=INFO)


def test_what_names_no_algorithm_is_refused() -> None:
    with pytest.raises(UnknownAlgorithm, match="no algorithm"):
        KEY.open_key(b"", info=INFO)


def test_a_stream_is_always_the_vectors_bytes() -> None:
    stream = VECTOR["stream"]
    raw, name, clear = bytes.fromhex(stream["key"]), stream["object_id"], stream["clear"].encode()
    sealed = b"".join(seal_stream([clear], key=FileKey(raw), object_id=name))

    assert sealed.hex() == stream["sealed"]
    assert b"".join(open_stream([sealed], key=raw, object_id=name)) == clear
