"""One spelling for each value, whoever writes it; nothing else is read."""

from __future__ import annotations

import json
from enum import StrEnum

import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    [
        "\\",
        '"',
        "\\u0041",
        "\x00",
        "\x1f",
        "\b\t\n\f\r",
        "\x7f",
        "é",
        "\ue000",
        "😀",
        "</",
        "\u2028",
    ]
)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


class Word(StrEnum):
    ONE = "one"


@given(VALUES)
# By UTF-16 the last of these two keys comes first.
@example({"\ue000": 1, "😀": 2})
@example({"b": 1, "a": [True, None, -(2**53) + 1, 2**53 - 1], "": {}})
def test_a_value_is_written_as_the_reference_writes_it(value: Json) -> None:
    written = encode_canonical(value)

    assert written == rfc8785.dumps(value)
    assert parse_canonical(written) == value


@pytest.mark.parametrize(
    "value",
    [2**53, -(2**53), [2**53], {"a": -(2**53)}, "\ud800", {"\ud800": 1}, {1: "a"}, {None: 1}],
)
def test_a_value_that_has_no_canonical_spelling_is_not_written(value: Json) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode_canonical(value)


def test_a_fraction_is_spelled_as_the_reference_does_and_not_read() -> None:
    assert encode_canonical([1e21, 1.0]) == rfc8785.dumps([1e21, 1.0])  # type: ignore[list-item]
    with pytest.raises(InvalidInput):
        parse_canonical(b"[1.5]")


def test_a_word_of_a_list_of_words_is_written_as_its_text() -> None:
    assert encode_canonical({"word": Word.ONE}) == b'{"word":"one"}'
    assert encode_canonical([("a", "b")]) == b'[["a","b"]]'  # type: ignore[list-item]


@pytest.mark.parametrize(
    "spelled",
    [
        b'{"b":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"a": 1}',
        b"[-0]",
        b"[1e2]",
        b"[01]",
        b"[NaN]",
        b'["\\u0041"]',
        b'["\\/"]',
        b'["\xc3"]',
        b"[9007199254740992]",
        b"",
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":1}\n',
    ],
)
def test_another_spelling_of_a_value_is_not_read(spelled: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_canonical(spelled)


def test_what_is_nested_too_deep_is_refused_as_input() -> None:
    with pytest.raises(InvalidInput):
        parse_canonical(b"[" * 100_000 + b"]" * 100_000)


def test_a_value_that_holds_itself_is_not_written() -> None:
    inside: list[Json] = []
    inside.append(inside)

    with pytest.raises((ValueError, RecursionError)):
        encode_canonical(inside)


def test_the_reference_is_asked_where_the_standard_library_spells_otherwise() -> None:
    """The two differ here, so that the way round is known to be taken."""
    value = {"\ue000": 1, "😀": 2}
    ours = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    assert encode_canonical({**value}) != ours
