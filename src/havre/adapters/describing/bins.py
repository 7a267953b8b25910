"""From cells to the values that are counted: codes as they are, months of days, numbers cut short.

A number is cut to its first two digits that count: 1 249.90 and 1 200 are one value, and
what stands at the end of a shown range is nobody's own amount.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.int64]

# The place that a cell has which is no value: an empty one, or a date that means "unknown".
NOWHERE = np.iinfo(np.int64).min
_FIRST_YEAR, _LAST_YEAR = 1900, 2199
# Numbers of 10^-12 to 10^40 keep their order; what is smaller counts as 0.
_LOWEST, _STEPS = -12, 90
_ALMOST = 1 + 1e-9


def places_of_months(cells: Any) -> Places:
    """Give each date or moment the number of its month; those without a real year have none."""
    years = pc.year(cells)
    months = pc.add(pc.multiply(years, 12), pc.subtract(pc.month(cells), 1))
    return _within(months, _FIRST_YEAR * 12, _LAST_YEAR * 12 + 11)


def spell_month(place: int) -> str:
    """Spell a month.

    >>> spell_month(2023 * 12 + 3)
    '2023-04'
    """
    return f"{place // 12:04d}-{place % 12 + 1:02d}"


def places_of_years(cells: Any) -> Places:
    """Give each year its own number."""
    return _within(cells.cast(pa.int64()), _FIRST_YEAR, _LAST_YEAR)


def places_of_yearmonths(cells: Any) -> Places:
    """Give each text AAAAMM the number of its month."""
    texts = cells.cast(pa.string())
    years = pc.utf8_slice_codeunits(texts, 0, 4).cast(pa.int64())
    months = pc.utf8_slice_codeunits(texts, 4, 6).cast(pa.int64())
    return _within(
        pc.add(pc.multiply(years, 12), pc.subtract(months, 1)),
        _FIRST_YEAR * 12,
        _LAST_YEAR * 12 + 11,
    )


def _within(numbers: Any, low: int, high: int) -> Places:
    read = np.asarray(pc.fill_null(numbers.cast(pa.int64()), NOWHERE))
    return np.where((read >= low) & (read <= high), read, NOWHERE)


def places_of_numbers(cells: Any) -> Places:
    """Give each number the place of its first two digits, in the order of numbers."""
    numbers = np.asarray(pc.fill_null(cells.cast(pa.float64()), np.nan))
    sizes = np.abs(numbers)
    counts = sizes >= 10.0**_LOWEST
    logs = np.log10(sizes, where=counts, out=np.zeros_like(sizes))
    decades = np.floor(logs * (1 + 1e-15))
    digits = np.floor(sizes / 10.0 ** (decades - 1) * _ALMOST)
    over = digits >= 100
    decades, digits = decades + over, np.where(over, 10, np.maximum(digits, 10))
    places = (decades - _LOWEST) * _STEPS + digits - 9
    signed = np.where(counts, np.sign(numbers) * places, 0)
    return np.where(np.isnan(numbers), NOWHERE, np.nan_to_num(signed)).astype(np.int64)


def spell_number(place: int) -> str:
    """Spell the number of a place.

    >>> places = places_of_numbers(pa.array([0.0, 7.0, 1249.9, -35.5, 0.25]))
    >>> [spell_number(int(each)) for each in places]
    ['0', '7', '1200', '-35', '0.25']
    """
    if not place:
        return "0"
    decade, digit = divmod(abs(place) - 1, _STEPS)
    exponent, digits = decade + _LOWEST - 1, digit + 10
    sign = "-" if place < 0 else ""
    if exponent >= 0:
        return f"{sign}{digits * 10**exponent}"
    return sign + f"{digits / 10**-exponent:.{-exponent}f}".rstrip("0").rstrip(".")


Reading = Callable[[Any], Places]
Spelling = Callable[[int], str]
