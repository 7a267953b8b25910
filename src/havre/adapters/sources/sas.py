"""SAS7BDAT, read by pandas in chunks: `ports.sources.SplitRows`.

The file says how its text is encoded, unless the announcement says it; which numbers are
dates, its SAS formats say. A missing value is empty; `.A` to `.Z` and `._`, which may mean
something to whoever wrote them, are empty too and counted in a note.

Source: Shotwell, "SAS7BDAT Database Binary Format" (2011); tags of missing values as
ReadStat reads them (`src/sas/readstat_sas.c`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, redirect_stdout
from functools import partial
from io import StringIO
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pandas.io.sas.sas7bdat import SAS7BDATReader
from pandas.io.sas.sas_constants import sas_date_formats, sas_datetime_formats

from havre.adapters.sources.rungs import SpelledRungs
from havre.adapters.sources.typed import as_text, once_each
from havre.adapters.sources.wanted import Wanted, damage_named
from havre.domain.delivery import FileUnreadable
from havre.domain.layout import ENCODINGS, Layout
from havre.errors import HavreError
from havre.streams import kept

# The reader is fastest where a chunk stays in the processor's cache.
_ROWS = 32_768
_TIMES = frozenset({"TIME", "HHMM", "TOD", "TIMEAMPM", "E8601TM", "B8601TM"})

# Formats of dates that show a part of them only, and the form that shows the same part.
_PARTS = {"YYMMN": "%Y%m", "YEAR": "%Y", "MONTH": "%m"}

# SAS counts from 1960-01-01, Arrow from 1970-01-01.
_DAYS, _DAY_S = 3653, 86_400

# The first days of March 4000 and 8000: SAS has no 29 February in these two years, the
# calendar has. 9999-12-31, which often stands for "no end", would be two days off.
_NO_LEAP_DAYS = (745_154, 2_206_123)
_LAST_DAY = 2_936_547

# The third byte of a missing value, negated: `.` is 1 or a full stop, by two schemes.
_TAGS = np.zeros(256, dtype=bool)
_TAGS[[0, *range(2, 28), *range(ord("A"), ord("Z") + 1), ord("_")]] = True

# What the reader raises where bytes are not what they should be.
_DAMAGES = (
    ValueError,
    LookupError,
    ArithmeticError,
    TypeError,
    AttributeError,
    AssertionError,
    MemoryError,
    struct.error,
)


def read_names(file: BinaryIO, *, path: str, layout: Layout) -> tuple[str, ...]:
    """Name a file's columns.

    Raises:
        FileUnreadable: it is no SAS7BDAT, a damaged one, or in an encoding that is not read.
    """
    with _reading(file, path=path, layout=layout) as reader:
        return tuple(column.name for column in reader.columns)


class SasRows:
    """`ports.sources.SplitRows`: works while it is read."""

    def __init__(
        self, opened: Callable[[], BinaryIO], wanted: Wanted, *, path: str, layout: Layout
    ) -> None:
        """Read a file, whose names were read."""
        self._opened = opened
        self._wanted = wanted
        self._path = path
        self._layout = layout
        self._special: dict[str, int] = {}
        self._rungs: dict[str, tuple[Callable[[Any], Any], SpelledRungs]] = {}
        self.lines = 0
        # Every row is one.
        self.set_aside: Mapping[str, int] = {}

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual."""
        special = [
            f"{count} cells of {name} are missing by a letter of SAS, and empty here"
            for name, count in sorted(self._special.items())
        ]
        return (*special, *(() if self.lines else ("no row",)))

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Offer the rows."""
        rows = pa.RecordBatchReader.from_batches(self._wanted.schema, kept(self._batches()))
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with (
            self._opened() as file,
            _reading(file, path=self._path, layout=self._layout) as reader,
            ThreadPoolExecutor(1) as beside,
        ):
            # While one chunk is spelled, the next is read.
            before: Future[pa.RecordBatch] | None = None
            formats = [_bare(column.format) for column in reader.columns]
            while len(frame := _next(reader)):
                first = self.lines + 1
                self.lines += len(frame)
                now = beside.submit(self._spelled, frame, formats, first=first)
                if before is not None:
                    yield before.result()
                before = now
            if before is not None:
                yield before.result()
            if self.lines != reader.row_count:
                raise FileUnreadable(self._path, "it has other rows than it says")

    def _spelled(self, frame: Any, formats: list[str], *, first: int) -> pa.RecordBatch:
        columns = []
        for name, place in zip(self._wanted.kept, self._wanted.places, strict=True):
            cells = frame.iloc[:, place]
            if cells.dtype.kind != "f":
                columns.append(pa.array(cells).cast(pa.string()))
                continue
            columns.append(self._number_text(name, cells.to_numpy(np.float64), formats[place]))
        return self._wanted.batch(columns, first=first, rows=len(frame))

    def _number_text(self, name: str, numbers: Any, sas_format: str) -> Any:
        if np.isnan(numbers.min()):
            self._note_special(name, numbers[np.isnan(numbers)])
        if name not in self._rungs:
            form = self._wanted.date_forms.get(name, "")
            by_format = partial(_spell, sas_format=sas_format, form=form)
            self._rungs[name] = by_format, SpelledRungs(by_format)
        spell, rungs = self._rungs[name]
        text = rungs.find_text(numbers)
        return once_each(pa.array(numbers, from_pandas=True), spell) if text is None else text

    def _note_special(self, name: str, missing: Any) -> None:
        tags = ~(missing.view(np.uint64) >> np.uint64(40)).astype(np.uint8)
        if count := int(_TAGS[tags].sum()):
            self._special[name] = self._special.get(name, 0) + count


@contextmanager
def _reading(file: BinaryIO, *, path: str, layout: Layout) -> Iterator[Any]:
    with damage_named(path, "SAS7BDAT", *_DAMAGES), redirect_stdout(StringIO()):
        reader = SAS7BDATReader(
            file,
            convert_dates=False,
            blank_missing=False,
            chunksize=_ROWS,
            encoding=layout.encoding or "infer",
            compression=None,
        )
    encoding = layout.encoding or ENCODINGS.get(str(reader.inferred_encoding), "")
    if not encoding:
        raise FileUnreadable(
            path,
            "its encoding is not one that is read",
            hint="If its text is in another, announce that as `encoding`.",
        )
    try:
        with damage_named(path, "SAS7BDAT", *(each for each in _DAMAGES if each is not ValueError)):
            yield reader
    except UnicodeDecodeError:
        raise FileUnreadable(
            path,
            f"a column of text holds bytes that are not {encoding}",
            hint="If its text is in another encoding, announce that as `encoding`.",
        ) from None
    except HavreError:
        raise
    except ValueError:
        raise FileUnreadable(
            path, "it is no whole SAS7BDAT file", hint="Write it anew at its source."
        ) from None


def _next(reader: Any) -> Any:
    """Read a chunk. The reader prints what it thinks of a damaged file; that is not for the screen."""
    with redirect_stdout(StringIO()):
        return reader.read(_ROWS)


def _bare(sas_format: str) -> str:
    """A format's name without its width: `DATE9.` is a DATE."""
    return re.sub(r"[0-9.]+$", "", sas_format.upper())


def _spell(plain: Any, *, sas_format: str, form: str) -> Any:
    """Spell numbers as their format says; a number that cannot be a date is spelled as one."""
    numbers = plain.to_numpy(zero_copy_only=False)
    if sas_format in _TIMES:
        moments, fits = _times(numbers)
    elif sas_format in sas_datetime_formats:
        moments, fits = _moments(numbers)
    elif sas_format in sas_date_formats:
        moments, fits = _dates(numbers)
        form = form or _PARTS.get(sas_format, "")
    else:
        return as_text(plain)
    spelled = as_text(moments, form=form)
    if np.all(fits | np.isnan(numbers)):
        return spelled
    return pc.if_else(pa.array(fits), spelled, as_text(plain))


def _dates(numbers: Any) -> tuple[Any, Any]:
    fits = (np.abs(numbers) <= _LAST_DAY) & (numbers == np.floor(numbers))
    days = np.where(fits, numbers, 0)
    days = days + sum((days >= first).astype(np.int64) for first in _NO_LEAP_DAYS) - _DAYS
    return pa.array(days.astype(np.int32), mask=~fits).cast(pa.date32()), fits


def _moments(numbers: Any) -> tuple[Any, Any]:
    fits = np.abs(numbers) < (_LAST_DAY + 1) * float(_DAY_S)
    seconds = np.where(fits, numbers, 0)
    leaps = sum((seconds >= first * _DAY_S).astype(np.int64) for first in _NO_LEAP_DAYS)
    shifted = (leaps - _DAYS) * _DAY_S
    whole = np.floor(seconds)
    micros = (whole.astype(np.int64) + shifted) * 1_000_000
    micros = micros + np.round((seconds - whole) * 1e6).astype(np.int64)
    return pa.array(micros, pa.timestamp("us"), mask=~fits), fits


def _times(numbers: Any) -> tuple[Any, Any]:
    fits = (numbers >= 0) & (numbers < _DAY_S) & (numbers == np.floor(numbers))
    micros = np.where(fits, numbers, 0).astype(np.int64) * 1_000_000
    return pa.array(micros, pa.time64("us"), mask=~fits), fits
