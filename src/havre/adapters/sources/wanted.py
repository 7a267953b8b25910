"""What of a file that is no text comes out of it, and how a fault of its reader is told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from havre.domain.delivery import LINE_COLUMN, FileUnreadable
from havre.errors import HavreError


@dataclass(frozen=True, slots=True)
class Wanted:
    """Columns of one file.

    header: all it has, under the names to be used. kept: those that come out.
    constants, date_forms: as `ports.sources.DeliveryFolder.split`.
    """

    header: tuple[str, ...]
    kept: tuple[str, ...]
    constants: Mapping[str, str]
    date_forms: Mapping[str, str]

    @property
    def places(self) -> tuple[int, ...]:
        """Where the kept columns stand in the file, from 0."""
        return tuple(self.header.index(name) for name in self.kept)

    @property
    def schema(self) -> pa.Schema:
        """What comes out: the row's number, then text."""
        names = (*self.kept, *self.constants)
        return pa.schema([(LINE_COLUMN, pa.int64()), *((name, pa.string()) for name in names)])

    def batch(self, columns: Sequence[Any], *, first: int, rows: int) -> pa.RecordBatch:
        """Put rows together.

        columns: the kept ones, as text. first: the number of the first row.
        """
        numbers = pa.array(np.arange(first, first + rows, dtype=np.int64))
        constants = [
            pa.repeat(pa.scalar(value, pa.string()), rows) for value in self.constants.values()
        ]
        return pa.record_batch([numbers, *columns, *constants], schema=self.schema)


@contextmanager
def damage_named(path: str, kind: str, *others: type[Exception]) -> Iterator[None]:
    """Tell what a reader says of a damaged file in words that repeat nothing of it.

    others: what a reader raises besides PyArrow's errors.
    """
    try:
        yield
    except HavreError:
        raise
    except (OSError, EOFError, pa.ArrowException, *others) as fault:
        if getattr(fault, "errno", None) is not None:
            raise
        raise FileUnreadable(
            path, f"it is no whole {kind} file", hint="Write it anew at its source."
        ) from None
