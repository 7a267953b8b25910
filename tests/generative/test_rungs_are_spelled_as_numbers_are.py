"""Chunks of numbers, spelled by their rung on a ladder, read like each number spelled alone."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from havre.adapters.sources import rungs
from havre.adapters.sources.rungs import SpelledRungs
from havre.adapters.sources.typed import as_text

WHOLE = st.integers(-60, 60).map(float)
NUMBERS = st.one_of(
    WHOLE,
    WHOLE.map(lambda number: number / 10),
    WHOLE.map(lambda number: number / 100),
    st.just(float("nan")),
    st.sampled_from([-0.0, 0.005, 2.0**50, 2.0**53, 1e300, float("inf"), -float("inf")]),
)
CHUNKS = st.lists(
    st.one_of(
        st.lists(st.sampled_from([0.5, 1.0, 1.25, 2.0]), min_size=1, max_size=30),
        st.lists(WHOLE | st.just(float("nan")), min_size=1, max_size=30),
        st.lists(NUMBERS, min_size=1, max_size=12),
    ),
    max_size=6,
)


@settings(max_examples=300, deadline=None)
@given(chunks=CHUNKS, most=st.sampled_from([20, 100, 100_000]))
def test_a_rung_is_spelled_as_the_number_is(chunks: list[list[float]], most: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rungs, "_FEWEST_CELLS", 1)
        patch.setattr(rungs, "_MOST_RUNGS", most)
        ladder = SpelledRungs(as_text)
        for chunk in chunks:
            numbers = np.array(chunk)
            text = ladder.find_text(numbers)

            if text is not None:
                alone = [as_text(pa.array([each], from_pandas=True))[0].as_py() for each in chunk]
                assert text.to_pylist() == alone
            assert len(ladder) <= most


def test_days_and_amounts_are_found_on_their_ladders_and_others_are_not() -> None:
    many = np.arange(2000.0)
    ladder = SpelledRungs(as_text)

    assert [
        ladder.find_text(numbers) is not None
        for numbers in (many % 700, many % 90 / 10, many % 900 / 100, many % 7 / 3, many * 2)
    ] == [True, True, True, False, False]
