"""The head of a sealed object, whatever the pieces it comes in."""

from __future__ import annotations

import pytest

from havre.errors import InvalidInput
from havre.formats.envelope import encode_header, split_header
from havre.formats.padding import padded_size

OBJECT = encode_header(b"sealed key") + b"body"


@pytest.mark.parametrize("size", [1, 2, 7, 18, 100])
def test_a_head_is_read_from_pieces_of_any_size(size: int) -> None:
    pieces = [OBJECT[at : at + size] for at in range(0, len(OBJECT), size)]

    sealed, rest = split_header(pieces)

    assert (sealed, b"".join(rest)) == (b"sealed key", b"body")


@pytest.mark.parametrize("cut", range(len(OBJECT) - 4))
def test_a_cut_head_is_refused(cut: int) -> None:
    with pytest.raises(InvalidInput):
        split_header([OBJECT[:cut]])


@pytest.mark.parametrize(
    "document",
    [b"PAR1" * 20, b"havre/v1/sealed\n\0\0", b"havre/v1/sealed\n\xff\xff" + bytes(70_000)],
)
def test_what_is_no_sealed_object_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidInput):
        split_header([document])


def test_a_key_of_an_impossible_length_is_a_mistake_of_the_caller() -> None:
    for sealed in (b"", bytes(8193)):
        with pytest.raises(ValueError, match="8192"):
            encode_header(sealed)


def test_padding_grows_little_and_never_shrinks() -> None:
    for size in [*range(5000), *(10**power + 7 for power in range(4, 13))]:
        padded = padded_size(size)
        assert size <= padded <= size * 1.12 + 1
        assert padded_size(padded) == padded


def test_a_negative_size_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="negative"):
        padded_size(-1)
