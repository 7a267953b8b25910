"""A secret on paper comes back from what a person types, or it is said what was misread."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.crypto.paper import WORDS, Misread, secret_of, words_of

SECRET = bytes(range(32))


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_any_secret_comes_back(secret: bytes) -> None:
    assert secret_of(" ".join(words_of(secret))) == secret


def test_capitals_numbers_lines_and_whatever_follows_four_letters_do_not_matter() -> None:
    typed = "\n".join(f"{n}. {word[:4].upper()}" for n, word in enumerate(words_of(SECRET), 1))

    assert secret_of(typed) == SECRET


def test_a_word_that_is_none_is_named_by_its_place() -> None:
    words = [*words_of(SECRET)]
    words[2] = words[30] = "zebrazebra"

    with pytest.raises(Misread, match=r"stand at: 3, 31\.$"):
        secret_of(" ".join(words))


@pytest.mark.parametrize("place", range(WORDS))
def test_any_word_that_was_misread_is_noticed(place: int) -> None:
    words = [*words_of(SECRET)]
    words[place] = "acid" if words[place] != "acid" else "acne"

    with pytest.raises(Misread, match="do not fit together"):
        secret_of(" ".join(words))


def test_two_words_in_each_others_place_are_noticed() -> None:
    words = [*words_of(SECRET)]
    words[4], words[9] = words[9], words[4]
    assert words != [*words_of(SECRET)]

    with pytest.raises(Misread):
        secret_of(" ".join(words))


@pytest.mark.parametrize("few", [0, 1, 20, 32])
def test_words_that_are_missing_are_counted(few: int) -> None:
    with pytest.raises(Misread, match=f"33 words; {few} were given"):
        secret_of(" ".join(words_of(SECRET)[:few]))


def test_a_word_too_many_is_counted() -> None:
    with pytest.raises(Misread, match="34 were given"):
        secret_of(" ".join([*words_of(SECRET), "acid"]))


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(typed: str) -> None:
    with pytest.raises(Misread):
        secret_of(typed)


def test_nothing_that_was_typed_is_in_what_is_said() -> None:
    words = [*words_of(SECRET)]
    words[5] = "password"
    with pytest.raises(Misread) as said:
        secret_of(" ".join(words))

    assert not any(word in str(said.value).split() for word in words)


def test_a_secret_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        words_of(b"short")
