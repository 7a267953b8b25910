"""Parquet files keep the port's promises, and every engine we name reads them.

These are the canaries of the lake's format: each stands for something that
another version of a reader could break, or mend.
"""

from __future__ import annotations

import base64
import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest

from contract.suite_tables import *  # noqa: F403
from contract.suite_tables import KEY, OTHER_KEY, care, long_texts, written
from havre.adapters.tables.cells import BLOCK_ROWS
from havre.adapters.tables.parquet import ParquetTables
from havre.errors import NotGenuine
from havre.formats.padding import padded_size


@pytest.fixture
def tables() -> ParquetTables:
    return ParquetTables()


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return written(ParquetTables(), care())


def by_pyarrow(file: bytes, key: bytes) -> Any:
    keys = pe.create_decryption_properties(key)
    return pq.read_table(io.BytesIO(file), decryption_properties=keys)


def by_polars(file: bytes, key: bytes) -> Any:
    keys = pl.ParquetDecryptionProperties(footer_key=key)
    return pl.read_parquet(io.BytesIO(file), decryption=keys)


def by_duckdb(path: Path, key: bytes, *, query: str = "SELECT * FROM sealed") -> list[Any]:
    binary = files("duckdb_extension_httpfs") / f"extensions/v{duckdb.__version__}"
    with duckdb.connect() as connection:
        connection.execute(f"LOAD '{binary}/httpfs.duckdb_extension'")
        connection.execute("SET disabled_optimizers='filter_pushdown,join_filter_pushdown,top_n'")
        connection.execute(f"PRAGMA add_parquet_key('k', '{base64.b64encode(key).decode()}')")
        connection.execute(
            f"CREATE VIEW sealed AS FROM read_parquet('{path}', encryption_config={{footer_key: 'k'}})"
        )
        rows: list[Any] = connection.execute(query).fetchall()
        return rows


def test_pyarrow_and_polars_read_a_file_given_its_key(sealed: bytes) -> None:
    assert by_pyarrow(sealed, KEY).equals(care())
    assert by_polars(sealed, KEY).equals(pl.from_arrow(care()))


@pytest.mark.parametrize("reader", [by_pyarrow, by_polars])
def test_no_reader_opens_a_file_without_its_key(sealed: bytes, reader: Any) -> None:
    with pytest.raises((OSError, pl.exceptions.PolarsError)):
        reader(sealed, OTHER_KEY)
    with pytest.raises((OSError, pl.exceptions.PolarsError)):
        pq.read_table(io.BytesIO(sealed)) if reader is by_pyarrow else pl.read_parquet(
            io.BytesIO(sealed)
        )


def padding_of(file: bytes) -> range:
    footer_at = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    zeros = len(file[:footer_at]) - len(file[:footer_at].rstrip(b"\0"))
    return range(footer_at - zeros, footer_at)


def flipped(file: bytes, *, at: int) -> bytes:
    altered = bytearray(file)
    altered[at] ^= 0x01
    return bytes(altered)


def test_pyarrow_refuses_a_flipped_byte_wherever_it_is(sealed: bytes) -> None:
    """Padding apart, which the SHA-256 in the manifest covers."""
    padding = padding_of(sealed)

    # Every position of the format's own bytes, and a sample of the rest.
    for at in {*range(4, len(sealed), 37), *range(4, 80), *range(len(sealed) - 40, len(sealed))}:
        if at not in padding:
            with pytest.raises((OSError, pa.ArrowException)):
                by_pyarrow(flipped(sealed, at=at), KEY)


def test_polars_refuses_a_flipped_byte_or_reads_the_same_cells(sealed: bytes) -> None:
    """Polars does not look at a page's own length of four bytes, nor at padding."""
    expected = pl.from_arrow(care())
    refused = 0
    places = range(4, len(sealed), 37)

    for at in places:
        try:
            cells = by_polars(flipped(sealed, at=at), KEY)
        except pl.exceptions.ComputeError:
            refused += 1
        else:
            assert cells.equals(expected)
    assert refused > 0.95 * len(places)


def test_our_reader_says_that_bytes_were_changed(sealed: bytes) -> None:
    altered = flipped(sealed, at=len(sealed) // 3)

    with pytest.raises((NotGenuine, pa.ArrowException), match="bytes were changed"):
        pa.table(ParquetTables().read(io.BytesIO(altered), key=KEY))


def test_duckdb_reads_a_padded_file_of_several_row_groups(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array(range(2 * BLOCK_ROWS + 5), pa.int64()),
            "text": [f"value {n}" for n in range(2 * BLOCK_ROWS + 5)],
        }
    )
    path = tmp_path / "sealed"
    path.write_bytes(written(ParquetTables(), table))

    query = "SELECT count(*), sum(n), count(DISTINCT text) FROM sealed WHERE n % 2 = 1"
    odd = BLOCK_ROWS + 2

    assert by_duckdb(path, KEY, query=query) == [(odd, odd * odd, odd)]
    assert by_polars(path.read_bytes(), KEY)["n"].sum() == sum(range(2 * BLOCK_ROWS + 5))


def test_duckdb_reads_every_kind_of_cell(tmp_path: Path, sealed: bytes) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(sealed)

    assert by_duckdb(path, KEY) == [tuple(row.values()) for row in care().to_pylist()]


def test_duckdb_reads_a_file_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(written(ParquetTables(), care(0)))

    assert by_duckdb(path, KEY) == []


def test_duckdb_refuses_a_flipped_byte(tmp_path: Path, sealed: bytes) -> None:
    path = tmp_path / "sealed"
    altered = bytearray(sealed)
    altered[200] ^= 0x01
    path.write_bytes(altered)

    with pytest.raises(duckdb.Error):
        by_duckdb(path, KEY)


def test_duckdb_still_fails_on_a_pushed_filter(tmp_path: Path, sealed: bytes) -> None:
    """When this test fails, DuckDB was mended: three optimizer rules may come back."""
    path = tmp_path / "sealed"
    path.write_bytes(sealed)

    with pytest.raises(duckdb.Error, match="AES tag"):
        by_duckdb(
            path, KEY, query="SET disabled_optimizers=''; SELECT * FROM sealed WHERE number = 4"
        )


def test_duckdb_still_fails_on_a_second_page(tmp_path: Path) -> None:
    """When this test fails, DuckDB was mended: a column chunk may have several pages."""
    path = tmp_path / "sealed"
    pq.write_table(
        pa.table({"n": range(100_000)}),
        path,
        use_dictionary=False,
        data_page_size=4096,
        encryption_properties=pe.create_encryption_properties(KEY),
    )

    assert by_pyarrow(path.read_bytes(), KEY).num_rows == 100_000
    with pytest.raises(duckdb.Error):
        by_duckdb(path, KEY)


def test_every_column_chunk_has_one_data_page_and_row_groups_are_bounded() -> None:
    table = pa.table({"n": range(BLOCK_ROWS + 1), "t": [str(n) for n in range(BLOCK_ROWS + 1)]})
    file = pq.ParquetFile(
        io.BytesIO(written(ParquetTables(), table)),
        decryption_properties=pe.create_decryption_properties(KEY),
    )

    assert file.metadata.num_row_groups == 2
    assert file.metadata.row_group(0).num_rows == BLOCK_ROWS
    assert file.metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_row_group_of_long_texts_is_small_enough_to_be_held() -> None:
    sealed = written(ParquetTables(), long_texts())
    file = pq.ParquetFile(
        io.BytesIO(sealed), decryption_properties=pe.create_decryption_properties(KEY)
    )
    rows = ParquetTables().read(io.BytesIO(sealed), key=KEY)
    batches = list(pa.RecordBatchReader.from_stream(rows))

    assert [file.metadata.row_group(n).num_rows for n in range(3)] == [96, 96, 8]
    assert max(batch.num_rows for batch in batches) == 96


def test_sizes_are_padded() -> None:
    sizes = {len(written(ParquetTables(), care(rows))) for rows in range(200, 232)}

    assert all(padded_size(size) == size for size in sizes)
    assert len(sizes) < 16


def test_tools_that_spell_text_otherwise_give_the_same_hash() -> None:
    frame = pl.from_arrow(care().drop_columns(["moment", "share"]))
    assert isinstance(frame, pl.DataFrame)
    arrow = care().drop_columns(["moment", "share"])

    assert ParquetTables().content_hash(frame) == ParquetTables().content_hash(arrow)
