"""What a search of seized bytes takes for an alarm, and what chance puts into ciphertext."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable

import pytest

from havre.domain.seizure import Grave, Needles

CANARY = "CANARI-0123456789"
CLEAR = b"BEN_NIR_PSA;EXE_SOI_DTD;PRS_NAT_REF\n" * 40
EVEN = hashlib.shake_256(b"ciphertext").digest(40_000)


def stored(body: bytes) -> bytes:
    """A zlib stream of one block that is stored as it is, cut off at the end of a file."""
    return zlib.compress(body, 0)[:-4]


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress])
def test_packed_clear_bytes_are_an_alarm_wherever_they_stand(
    pack: Callable[[bytes], bytes],
) -> None:
    seen = list(Needles([CANARY]).find(EVEN + pack(CLEAR) + EVEN, file="a"))

    assert [each.what for each in seen] == ["packed clear bytes"]


def test_ciphertext_in_which_a_stored_block_begins_by_chance_is_no_alarm() -> None:
    assert stored(EVEN)[:3] in {b"\x78\x01\x00", b"\x78\x01\x01"}

    assert list(Needles([CANARY]).find(EVEN + stored(EVEN), file="a")) == []


def test_a_canary_in_a_stored_block_is_found() -> None:
    seen = list(Needles([CANARY]).find(stored(EVEN[:500] + CANARY.encode()), file="a"))

    assert {each.grave for each in seen} == {Grave.CANARY}
