"""Parquet files with Modular Encryption, in the layout that every engine reads.

AES_GCM_V1 with a 256-bit key, encrypted footer, no AAD prefix, data pages of
version 1, one page per column chunk, Zstandard. Each choice is there because one
of PyArrow, Polars, Spark and DuckDB reads nothing else; the measurements are in
the decision record on the lake's format. One random key per file is what makes
it safe without an AAD prefix: there is no second file to take a page from.

Source: Apache Parquet, "Parquet Modular Encryption", format 2.12.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe

from havre.adapters.tables.cells import (
    BLOCK_ROWS,
    BoundsCounter,
    decoded,
    plain_schema,
    read_ahead,
    read_blocks,
    whole_block,
)
from havre.adapters.tables.content import ContentHash
from havre.errors import NotGenuine
from havre.formats.padding import padded_size
from havre.ports.tables import FILE_KEY_BYTES, MAX_FILE_ROWS, TableFacts
from havre.streams import kept
from havre.values import Digest, TableStream

# A dictionary pays when values repeat. It is judged on the first rows; a wrong
# guess costs size, never a second page, because nothing limits the dictionary.
_JUDGED_ROWS = 16_384
_MAX_DICTIONARY_VALUES = 4096
_NO_LIMIT = 2**30

# How long memory that nobody uses is kept for whoever needs some next.
_KEPT_MEMORY_MS = 30_000

# The SNDS writes "unknown" as 1582 or 1600; such rows are kept with the undated.
_FIRST_YEAR, _LAST_YEAR = 1900, 2199


class ParquetTables:
    """`ports.tables.TableFiles` with PyArrow."""

    def __init__(self) -> None:
        """Work with the memory pool that such writing costs least in."""
        _choose_pool()

    def write(self, stream: TableStream, *, key: bytes, described: bool = True) -> SealedWrite:
        """Write a sealed file."""
        if len(key) != FILE_KEY_BYTES:
            raise ValueError("a file key is 32 bytes")
        encryption = pe.create_encryption_properties(key)
        return SealedWrite(stream, encryption=encryption, described=described)

    def texts(self, columns: Mapping[str, Sequence[str]]) -> TableStream:
        """Make a table of texts."""
        table: TableStream = pa.table(
            {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
        )
        return table

    def write_clear(self, stream: TableStream) -> SealedWrite:
        """Write the same layout without a key."""
        return SealedWrite(stream, encryption=None, described=True)

    def read(
        self,
        file: BinaryIO,
        *,
        key: bytes,
        encoded: bool = False,
        columns: Collection[str] | None = None,
    ) -> TableStream:
        """Read a sealed file batch by batch; a file in clear is refused."""
        if len(key) != FILE_KEY_BYTES:
            raise ValueError("a file key is 32 bytes")
        try:
            sealed = _opened(file, key=key)
            if encoded and (texts := _encoded_texts(sealed)):
                sealed = _opened(file, key=key, read_dictionary=texts)
        except (OSError, pa.ArrowException):
            raise _altered() from None
        schema = sealed.schema_arrow
        if columns is not None:
            schema = pa.schema([field for field in schema if field.name in columns])
        rows: TableStream = pa.RecordBatchReader.from_batches(
            schema, kept(_batches(sealed, schema.names))
        )
        return rows

    def split_by_year(
        self, stream: TableStream, *, year_column: str | None
    ) -> Iterator[tuple[int, TableStream]]:
        """Part each run of `MAX_FILE_ROWS` rows by year, in order of year."""
        if year_column is None:
            yield from ((0, part) for part in _parts(stream))
            return
        _, blocks = read_blocks(stream, rows=MAX_FILE_ROWS)
        for block in blocks:
            years = _years(block[year_column])
            there = sorted(pc.unique(years).to_pylist())
            for year in there:
                yield year, block if len(there) == 1 else block.filter(pc.equal(years, year))

    def content_hash(self, stream: TableStream) -> Digest:
        """Hash the cells; see `content.ContentHash`."""
        schema, blocks = read_blocks(stream)
        content = ContentHash(schema)
        for block in blocks:
            content.add(whole_block(block))
        return content.digest()


def _choose_pool() -> None:
    """Take jemalloc for Arrow's memory, in the whole process, where PyArrow has it.

    Column chunks grow and go by the thousand. PyArrow's own choice gives each back to the
    system at once, which takes up to a third of the time of a write on a busy machine. The
    C library's gives back so little that half as much again is held.
    """
    if "jemalloc" in pa.supported_memory_backends():
        pa.set_memory_pool(pa.jemalloc_memory_pool())
        pa.jemalloc_set_decay_ms(_KEPT_MEMORY_MS)


class SealedWrite:
    """`ports.tables.TableWrite`: the file's bytes as they become ready."""

    def __init__(self, stream: TableStream, *, encryption: Any, described: bool) -> None:
        self._schema, self._blocks = read_blocks(stream)
        self._encryption = encryption
        self._bounds = BoundsCounter(self._schema if described else pa.schema([]))
        self._content = ContentHash(self._schema) if described else None
        self._facts: TableFacts | None = None

    @property
    def facts(self) -> TableFacts:
        """What was counted, once the chunks were read to the end."""
        if self._facts is None:
            raise ValueError("the chunks of this file were not read to the end")
        return self._facts

    def __iter__(self) -> Iterator[bytes]:
        """Yield row group after row group, then the padding and the footer."""
        outbox = _Outbox()
        blocks = read_ahead(self._encoded())
        first = next(blocks, None)
        writer = self._writer(outbox, first)
        with ThreadPoolExecutor(max_workers=1) as beside:
            while first is not None:
                counted = beside.submit(self._count, first)
                writer.write_table(_writable(first, writer.schema), row_group_size=BLOCK_ROWS)
                counted.result()
                yield from outbox.take()
                first = next(blocks, None)
        writer.close()
        yield from _padded(b"".join(outbox.take()), written=outbox.written)
        content_sha256 = self._content.digest() if self._content else None
        self._facts = TableFacts(self._bounds.rows, self._bounds.bounds(), content_sha256)

    def _encoded(self) -> Iterator[pa.RecordBatch]:
        """Make one array of each column; a text that repeats becomes a dictionary, if it is none."""
        repeating: Collection[str] | None = None
        for block in map(whole_block, self._blocks):
            if repeating is None:
                repeating = _repeating(block)
            yield pa.RecordBatch.from_arrays(
                [
                    cells.dictionary_encode()
                    if name in repeating and pa.types.is_string(cells.type)
                    else cells
                    for name, cells in zip(block.schema.names, block.columns, strict=True)
                ],
                names=block.schema.names,
            )

    def _count(self, block: pa.RecordBatch) -> None:
        self._bounds.add(block)
        if self._content is not None:
            self._content.add(block)

    def _writer(self, outbox: _Outbox, first: pa.RecordBatch | None) -> pq.ParquetWriter:
        return pq.ParquetWriter(
            pa.PythonFile(outbox, mode="w"),
            _written_schema(self._schema if first is None else first.schema),
            compression="zstd",
            use_dictionary=[] if first is None else _repeating(first),
            dictionary_pagesize_limit=_NO_LIMIT,
            data_page_size=_NO_LIMIT,
            max_rows_per_page=_NO_LIMIT,
            data_page_version="1.0",
            # The manifest keeps the bounds; in the footer they would only add size.
            write_statistics=False,
            # It stands in the schema's own metadata: see `_written_schema`.
            store_schema=False,
            encryption_properties=self._encryption,
        )


def _written_schema(schema: pa.Schema) -> pa.Schema:
    """What the writer is given: text may come as dictionaries, which it then need not make.

    A reader must not see that, so the schema that it finds beside the file's own is the
    plain one, in the form that PyArrow keeps it in.
    """
    plain = plain_schema(schema)
    spelled = base64.b64encode(plain.serialize().to_pybytes())
    fields = [
        given if pa.types.is_string(kept.type) else kept
        for given, kept in zip(schema, plain, strict=True)
    ]
    return pa.schema(fields, metadata={b"ARROW:schema": spelled})


def _writable(block: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    columns = [
        cells if cells.type.equals(field.type) else decoded(cells)
        for cells, field in zip(block.columns, schema, strict=True)
    ]
    return pa.table(columns, schema=schema)


class _Outbox:
    """A file for PyArrow to write into, emptied as it fills."""

    closed = False

    def __init__(self) -> None:
        self.written = 0
        self._chunks: list[bytes] = []

    def write(self, chunk: Any) -> int:
        self._chunks.append(bytes(chunk))
        self.written += len(self._chunks[-1])
        return len(self._chunks[-1])

    def tell(self) -> int:
        return self.written

    def flush(self) -> None:
        return

    def close(self) -> None:
        self.closed = True

    def take(self) -> list[bytes]:
        chunks, self._chunks = self._chunks, []
        return chunks


def _padded(tail: bytes, *, written: int) -> Iterator[bytes]:
    """Put zeros in front of the footer, so that the file's size says little.

    Readers find the footer from the end and every column from the start, so
    what lies between is never looked at; zeros after the footer they refuse.
    """
    (footer_bytes,) = struct.unpack("<I", tail[-8:-4])
    footer_at = len(tail) - 8 - footer_bytes
    yield tail[:footer_at]
    yield bytes(padded_size(written) - written)
    yield tail[footer_at:]


def _parts(stream: TableStream) -> Iterator[TableStream]:
    """Cut a stream into streams of at most `MAX_FILE_ROWS` rows; each is read before the next."""
    schema, blocks = read_blocks(stream)
    first = next(blocks, schema.empty_table())
    while first is not None:
        taken = chain([first], islice(blocks, MAX_FILE_ROWS // BLOCK_ROWS - 1))
        batches = chain.from_iterable(block.to_batches() for block in taken)
        yield pa.RecordBatchReader.from_batches(schema, kept(batches))
        first = next(blocks, None)


def _repeating(block: pa.RecordBatch) -> list[str]:
    """The columns for which a dictionary pays: those that came with one, and by a sample."""
    judged = block.slice(0, _JUDGED_ROWS)
    limit = min(_MAX_DICTIONARY_VALUES, max(1, judged.num_rows // 4))
    return [
        name
        for name in judged.schema.names
        if not pa.types.is_boolean(judged[name].type)
        and len(_stored(judged[name]).unique()) <= limit
    ]


def _stored(cells: pa.Array) -> pa.Array:
    return cells.indices if pa.types.is_dictionary(cells.type) else cells


def _opened(
    file: BinaryIO, *, key: bytes, read_dictionary: list[str] | None = None
) -> pq.ParquetFile:
    opener = pe.create_decryption_properties(key)
    return pq.ParquetFile(file, read_dictionary=read_dictionary, decryption_properties=opener)


def _encoded_texts(sealed: pq.ParquetFile) -> list[str]:
    """List the columns of text that every row group keeps as a dictionary."""
    groups = [sealed.metadata.row_group(n) for n in range(sealed.metadata.num_row_groups)]
    return [
        field.name
        for n, field in enumerate(sealed.schema_arrow)
        if pa.types.is_string(field.type)
        and all(group.column(n).has_dictionary_page for group in groups)
    ]


def _batches(sealed: pq.ParquetFile, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        # One row group after the other: each is small enough to be held, where texts are long too.
        batches = (
            sealed.iter_batches(batch_size=BLOCK_ROWS, columns=columns, row_groups=[group])
            for group in range(sealed.num_row_groups)
        )
        yield from read_ahead(chain.from_iterable(batches))
    except (OSError, pa.ArrowException):
        raise _altered() from None


def _altered() -> NotGenuine:
    return NotGenuine(
        "A table file does not open: its bytes were changed, or the key is another file's.",
        hint="Compare the store with its manifests; restore the object from a replica.",
    )


def _years(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The year of each row, of each distinct value once where the column is encoded."""
    if not pa.types.is_dictionary(column.type):
        return _years_of(column)
    chunks = [
        _years_of(pa.chunked_array([chunk.dictionary])).combine_chunks().take(chunk.indices)
        for chunk in column.chunks
    ]
    return pc.fill_null(pa.chunked_array(chunks, pa.int64()), 0)


def _years_of(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        years = pc.year(column)
    else:
        # A year, a month AAAAMM, or a text that begins with the year.
        text = pc.utf8_slice_codeunits(column.cast(pa.string()), 0, 4)
        dated = pc.match_substring_regex(text, "^[0-9]{4}$")
        years = pc.if_else(pc.fill_null(dated, fill_value=False), text, "0").cast(pa.int64())
    years = pc.fill_null(years.cast(pa.int64()), 0)
    known = pc.and_(pc.greater_equal(years, _FIRST_YEAR), pc.less_equal(years, _LAST_YEAR))
    return pc.if_else(known, years, 0)
