"""Typed columns as text, exactly: what is read back from the text is the value that was there.

A column's own form of date is used where it can say the whole value; a moment that has
more in it than its column's form can say is spelled in full, and the hub sets it aside.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

_DATE, _TIME = "%Y-%m-%d", "%H:%M:%S"
_MOMENT = "%Y-%m-%dT%H:%M:%S"
_IN_FULL = "%Y-%m-%dT%H:%M:%S%.f"

# Up to here every whole number of a float is itself and no neighbour of it.
_WHOLE = {"float32": 2.0**24, "float64": 2.0**53}

# Between these a float of either width is spelled without an exponent.
_EXPONENT_FROM, _EXPONENT_BELOW = 1e12, 1e-3

# Of a date or a moment that is spelled as one, days from 1970 at most: some 98,000 years.
_MOST_DAYS = 36_000_000
_STEPS_A_DAY = {unit: 86_400 * 1000**n for n, unit in enumerate(("s", "ms", "us", "ns"))}

# Cells that are looked at before all are.
_SAMPLED = 4000


def text_fault(kind: pa.DataType) -> str:
    """Say why values of a type have no exact text; nothing where they have one."""
    if kinds.is_dictionary(kind):
        return text_fault(kind.value_type)
    if kinds.is_timestamp(kind):
        return "" if kind.tz is None else "is of moments with a time zone, which text cannot say"
    if kinds.is_decimal(kind):
        fits = kind.bit_width <= 128 and kind.scale >= 0
        return "" if fits else "is of decimals that are too wide"
    plain = (
        kinds.is_null(kind)
        or kinds.is_boolean(kind)
        or kinds.is_integer(kind)
        or kinds.is_float32(kind)
        or kinds.is_float64(kind)
        or kinds.is_date(kind)
        or kinds.is_time(kind)
        or kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_string_view(kind)
    )
    return "" if plain else "is of a type that has no text form"


def once_each(column: Any, spell: Callable[[Any], Any]) -> Any:
    """Spell each value once where values repeat, which takes twenty times as long as finding it again."""
    if not _repeats(column):
        return spell(column)
    encoded = column.dictionary_encode()
    texts = spell(encoded.dictionary)
    return pa.DictionaryArray.from_arrays(encoded.indices, texts).dictionary_decode()


def as_text(column: Any, *, form: str = "") -> Any:
    """Spell a column, whose type has no fault, as text; what is null stays null.

    form: `strptime` form of its dates, or empty for ISO 8601.

    >>> as_text(pa.array([1.5, 2.0, None])).to_pylist()
    ['1.5', '2', None]
    """
    if kinds.is_dictionary(column.type):
        column = column.dictionary_decode()
    return once_each(column, partial(_spelled, form=form))


def _repeats(column: Any) -> bool:
    """Guess from a few cells, taken evenly, whether a column has far fewer values than cells."""
    if len(column) < _SAMPLED:
        return False
    sample = column.take(np.linspace(0, len(column) - 1, _SAMPLED, dtype=np.int64))
    return bool(pc.count_distinct(sample).as_py() < _SAMPLED // 2)


def _spelled(column: Any, form: str) -> Any:
    kind = column.type
    if kinds.is_null(kind) or kinds.is_boolean(kind) or kinds.is_integer(kind):
        return column.cast(pa.string())
    if kinds.is_decimal(kind):
        column = column.cast(pa.decimal128(38, kind.scale))
    if kinds.is_floating(kind):
        return _numbers(column)
    if kinds.is_date(kind):
        return _dates(column, form or _DATE)
    if kinds.is_timestamp(kind):
        return _moments(column, form or _MOMENT)
    values = pl.Series("cells", column)
    if kinds.is_time(kind):
        values = values.dt.strftime(_TIME)
    return values.cast(pl.String).to_arrow().cast(pa.string())


def _numbers(column: Any) -> Any:
    """Spell floats with as few digits as say them, whole ones without a point, none with an exponent."""
    numbers = column.to_numpy(zero_copy_only=False)
    sizes = np.abs(numbers)
    whole = (sizes < _WHOLE[numbers.dtype.name]) & (numbers == np.floor(numbers))
    integers = pa.array(np.where(whole, numbers, 0).astype(np.int64), mask=~whole).cast(pa.string())
    if int(whole.sum()) == len(column) - column.null_count:
        return integers
    values = pl.Series("cells", column)
    text = values.cast(pl.String)
    if (((sizes >= _EXPONENT_FROM) | (sizes < _EXPONENT_BELOW)) & ~whole).any():
        # Rare: each distinct spelling is written out once.
        distinct = text.filter(text.str.contains("[0-9]e")).drop_nulls().unique()
        plain = [format(Decimal(each), "f") for each in distinct]
        text = text.replace(distinct, pl.Series(plain, dtype=pl.String))
    return pc.coalesce(integers, text.to_arrow().cast(pa.string()))


def _dates(column: Any, form: str) -> Any:
    counts = column.cast(pa.timestamp("ms")).cast(pa.int64())
    counts, beyond = _with_a_year(counts, unit="ms")
    spelled = (
        pl.Series("cells", counts.cast(pa.timestamp("ms")))
        .dt.strftime(form)
        .to_arrow()
        .cast(pa.string())
    )
    return pc.coalesce(spelled, beyond)


def _with_a_year(counts: Any, *, unit: str) -> tuple[Any, Any]:
    """Part counts since 1970 into those that a calendar has, and the others as text.

    What writes dates ends the whole command over a year of six digits.
    """
    days = pc.divide(counts, _STEPS_A_DAY[unit])
    fits = pc.and_(pc.greater(days, -_MOST_DAYS), pc.less(days, _MOST_DAYS))
    nothing = pa.nulls(len(counts), pa.int64())
    if pc.all(fits).as_py() in (True, None):
        return counts, nothing.cast(pa.string())
    # The words keep a number from being read as a date of eight digits.
    said = pc.binary_join_element_wise(
        pc.if_else(fits, nothing, counts).cast(pa.string()), f"{unit} from 1970-01-01", " "
    )
    return pc.if_else(fits, counts, nothing), said


def _moments(column: Any, form: str) -> Any:
    """Spell moments in a form, and in full those of which the form would leave something out."""
    counts, beyond = _with_a_year(column.cast(pa.int64()), unit=column.type.unit)
    values = pl.Series("cells", counts.cast(column.type))
    said = values.dt.truncate(_grain(form)) == values
    spelled = values.dt.strftime(form)
    if not said.all():
        spelled = spelled.zip_with(said.fill_null(value=True), values.dt.strftime(_IN_FULL))
    return pc.coalesce(spelled.cast(pl.String).to_arrow().cast(pa.string()), beyond)


def _grain(form: str) -> str:
    """The least step of time that a form says."""
    for mark, grain in (("f", "1ns"), ("%S", "1s"), ("%T", "1s"), ("%M", "1m"), ("%H", "1h")):
        if mark in form:
            return grain
    return "1d"
