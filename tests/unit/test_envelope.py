"""The head of a sealed object and its padding, whatever the pieces they come in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from havre.errors import InvalidInput, NotGenuine
from havre.formats.envelope import encode_header, split_header
from havre.formats.padding import LEAST_BYTES, pad_stream, padded_size, unpad_stream

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


# ----------------------------------------------------------------- padded streams


def padded(*chunks: bytes) -> bytes:
    return b"".join(pad_stream(chunks))


@given(
    st.lists(st.sampled_from([b"", b"x", b"\x80", bytes(3), b"\x80" + bytes(7), b"ab\0\x80"])),
    st.integers(1, 70_000),
)
def test_what_was_padded_comes_back_however_it_is_cut(chunks: list[bytes], cut: int) -> None:
    """Bytes that look like padding are the content's own when something stands behind them."""
    body = padded(*chunks)
    pieces = [body[at : at + cut] for at in range(0, len(body), cut)]

    assert b"".join(unpad_stream(pieces)) == b"".join(chunks)


@pytest.mark.parametrize("size", [LEAST_BYTES - 1, LEAST_BYTES, 1_000_000, 3_333_333])
def test_a_long_stream_comes_back(size: int) -> None:
    body = bytes([7]) * (size - 5) + bytes(5)

    assert b"".join(unpad_stream([padded(body)])) == body


def test_small_streams_have_one_length_and_large_ones_few() -> None:
    small = {len(padded(bytes([1]) * size)) for size in range(0, LEAST_BYTES - 1, 997)}
    large = {len(padded(bytes([1]) * size)) for size in range(1_000_000, 1_200_000, 997)}

    assert small == {LEAST_BYTES}
    assert all(padded_size(size) == size for size in large)
    assert len(large) < 10


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: b"",
        lambda body: body[:-1],
        lambda body: body + bytes(1),
        lambda body: bytes(len(body)),
        lambda body: body[:-1] + b"\x01",
        lambda body: body + bytes(len(body)),
    ],
    ids=["nothing", "cut", "longer", "zeros", "no mark", "doubled"],
)
def test_other_padding_than_there_should_be_is_refused(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(NotGenuine):
        list(unpad_stream([spoil(padded(b"a manifest"))]))
