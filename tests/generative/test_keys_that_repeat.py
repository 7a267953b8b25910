"""Keys that stand twice, whatever the files, the batches and the hashes: as a naive count says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from havre.adapters.sources import keys
from havre.adapters.sources.keys import Hashes, KeysThatRepeat, hashes_of
from havre.adapters.sources.rules import Cells

Key: TypeAlias = tuple[int | None, str | None]
KEYS = st.tuples(st.none() | st.integers(0, 5), st.none() | st.sampled_from(["", "a", "b"]))
BATCHES = st.lists(st.lists(KEYS, max_size=8), max_size=8)


def typed(batch: Sequence[Key]) -> dict[str, Cells]:
    """One column cell by cell, the other by distinct values and their places."""
    numbers = pl.Series([number for number, _ in batch], dtype=pl.Int64)
    texts = [text for _, text in batch]
    distinct = sorted(set(texts), key=str)
    places = np.array([distinct.index(text) for text in texts], np.int32)
    return {
        "n": Cells(numbers, None),
        "t": Cells(pl.Series(distinct, dtype=pl.String), places),
    }


def found(batches: Sequence[Sequence[Key]]) -> list[list[bool]]:
    pieces = [typed(batch) for batch in batches]

    def read() -> Iterator[Mapping[str, Cells]]:
        return iter(pieces)

    repeated = KeysThatRepeat(["n", "t"], read, rows=sum(map(len, batches)))
    flags = [repeated.rows_of(cells) for cells in pieces]
    return [
        [False] * len(batch) if flag is None else flag.tolist()
        for batch, flag in zip(batches, flags, strict=True)
    ]


def naive(batches: Sequence[Sequence[Key]]) -> list[list[bool]]:
    count = Counter(key for batch in batches for key in batch)
    return [[count[key] > 1 for key in batch] for batch in batches]


def clashing(columns: Sequence[Cells]) -> Hashes:
    """A bad hash: many keys share one."""
    return hashes_of(columns) % np.uint64(3)


@pytest.mark.parametrize("hashed", [hashes_of, clashing])
@pytest.mark.parametrize(("held", "compared"), [(1000, 1000), (3, 2)])
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=BATCHES)
def test_the_rows_of_keys_that_repeat_are_found_and_no_others(
    batches: list[list[Key]],
    held: int,
    compared: int,
    hashed: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keys, "HELD_HASHES", held)
    monkeypatch.setattr(keys, "COMPARED_HASHES", compared)
    monkeypatch.setattr(keys, "hashes_of", hashed)

    assert found(batches) == naive(batches)


def test_a_buffer_that_is_too_small_grows_and_loses_nothing() -> None:
    seen = keys._Seen(4)
    for start in range(0, 40, 5):
        seen.add(np.arange(start, start + 6, dtype=np.uint64))

    assert seen.repeated().tolist() == list(range(5, 40, 5))
