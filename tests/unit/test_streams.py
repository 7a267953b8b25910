"""A refusal inside an Arrow stream reaches whoever reads the stream as what it was."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow as pa
import pytest

from havre.adapters.pseudonymiser.polars import PolarsPseudonymiser
from havre.adapters.tables.parquet import ParquetTables
from havre.errors import Refused
from havre.streams import kept
from havre.values import TableStream

KEY = bytes(32)
SCHEMA = pa.schema([("n", pa.int64())])
ROWS = pa.table({"n": [1, 2, 3]})


class Offered:
    """A stream that gives some rows and then fails; `kept` or not."""

    def __init__(self, error: Exception, *, keeping: bool = True) -> None:
        self._error = error
        self._keeping = keeping

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        batches = kept(self._batches()) if self._keeping else self._batches()
        rows = pa.RecordBatchReader.from_batches(SCHEMA, batches)
        return rows.__arrow_c_stream__(requested_schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        yield ROWS.to_batches()[0]
        raise self._error


def refused() -> Refused:
    return Refused("A column is missing.", hint="Deliver it.")


def written(stream: TableStream) -> bytes:
    return b"".join(ParquetTables().write(stream, key=KEY))


def passed_on(stream: TableStream) -> TableStream:
    """One more tool between the two, as in every way through the hub."""
    pseudonymiser = PolarsPseudonymiser()
    return pseudonymiser.hash_columns(stream, columns=[], plain={"n"}, secret=KEY)


@pytest.mark.parametrize("tools", [0, 1, 2])
def test_a_refusal_is_heard_with_its_hint_through_any_number_of_tools(tools: int) -> None:
    stream: TableStream = Offered(refused())
    for _ in range(tools):
        stream = passed_on(stream)

    with pytest.raises(Refused) as heard:
        written(stream)

    assert (heard.value.message, heard.value.hint) == ("A column is missing.", "Deliver it.")


def test_a_refusal_is_heard_through_parts_and_years() -> None:
    parts = ParquetTables().split_by_year(Offered(refused()), year_column=None)
    with pytest.raises(Refused):
        [written(part) for _, part in parts]

    years = ParquetTables().split_by_year(Offered(refused()), year_column="n")
    with pytest.raises(Refused):
        list(years)


def test_rows_that_are_shuffled_hear_it_too() -> None:
    with pytest.raises(Refused):
        PolarsPseudonymiser().shuffle_rows(Offered(refused()), secret=KEY)


def test_another_error_stays_what_it_is_and_is_not_taken_for_an_earlier_refusal() -> None:
    with pytest.raises(Refused):
        written(Offered(refused()))

    with pytest.raises((ValueError, pa.ArrowException), match="a mistake of ours"):
        written(Offered(ValueError("a mistake of ours")))


def test_without_keeping_it_the_refusal_is_lost() -> None:
    """The reason for all this: an Arrow stream carries a text."""
    with pytest.raises(pa.ArrowException):
        pa.table(Offered(refused(), keeping=False))


def test_an_altered_file_is_refused_while_it_is_read() -> None:
    sealed = bytearray(written(pa.table({"n": range(500_000)})))
    sealed[len(sealed) // 4] ^= 1
    rows = ParquetTables().read(io.BytesIO(bytes(sealed)), key=KEY)

    with pytest.raises(Exception, match="bytes were changed") as heard:
        written(rows)

    assert type(heard.value).__name__ == "NotGenuine"
