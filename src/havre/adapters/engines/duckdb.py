"""DuckDB, embedded: one plan at a time, compiled by Ibis, over sealed files.

DuckDB 1.5.5 with the OpenSSL of its httpfs extension, which is loaded from the
installed package, never fetched. Three optimizer rules are off: with them a
filter that is pushed into a file of the standard encryption fails (it fails
loudly; `tests/contract/test_tables_parquet.py` tells when this is mended).
Files are chosen from the manifests' bounds instead, before they come here.

No key and no cell rests on a disk: the database is in memory, its temporary
directory is a memory file system or nothing, profiling and caches are off.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Any

from havre.domain.plan import Condition, Follow, OneOf, Oppositions, Plan, TablePlan, Tie
from havre.errors import InvalidInput, NotGenuine, Unavailable, Unprotected
from havre.ports.engine import SourceFile
from havre.streams import kept
from havre.values import TableStream

_MEBIBYTE = 1024 * 1024
_BATCH_ROWS = 65_536
_OBJECTING = "numbers of people who object"
_RULES_OFF = "filter_pushdown,join_filter_pushdown,top_n"


@dataclass(frozen=True, slots=True)
class DuckDbLimits:
    """What one run may use.

    spill_directory: on a memory file system, for what does not fit into
        `memory_bytes`, at most `spill_bytes`; null means that the run fails instead.
    """

    memory_bytes: int = 1024 * _MEBIBYTE
    threads: int = 2
    spill_directory: Path | None = None
    spill_bytes: int = 1024 * _MEBIBYTE


class DuckDbEngine:
    """`ports.engine.Engine` with DuckDB."""

    def __init__(self, limits: DuckDbLimits | None = None) -> None:
        """Use these limits.

        Raises:
            Unprotected: the spill directory is not on a memory file system.
        """
        self._limits = limits or DuckDbLimits()
        if self._limits.spill_directory is not None:
            check_memory_file_system(self._limits.spill_directory)

    def run(
        self, plan: Plan, *, sources: Mapping[str, Sequence[SourceFile]]
    ) -> Mapping[str, TableStream]:
        """Work out who follows whom now, and each table's rows when its stream is read."""
        with _failures_named():
            return _Run(_connected(self._limits), plan, sources).streams()


def check_memory_file_system(path: Path) -> None:
    """Refuse a directory that is on a disk.

    Raises:
        Unprotected: it is not on a tmpfs or ramfs, as `/proc/self/mounts` has it.
    """
    resolved = PurePosixPath(path.resolve())
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    under = [mount for mount in mounts if resolved.is_relative_to(mount[1])]
    if max(under, key=lambda mount: len(mount[1]))[2] not in {"tmpfs", "ramfs"}:
        raise Unprotected(
            "The directory for temporary data is on a disk.",
            hint="Name a directory below /dev/shm, or mount a tmpfs of bounded size.",
        )


class _Run:
    """One plan on one database in memory, which goes when the last stream does."""

    def __init__(
        self, connection: Any, plan: Plan, sources: Mapping[str, Sequence[SourceFile]]
    ) -> None:
        self._connection = connection
        self._plan = plan
        self._kept: dict[str, Any] = {}
        self._key_tables = 0
        for table in sorted(plan.tables_read):
            if sources[table]:
                self._add_files(table, sources[table])
        if plan.oppositions is not None:
            self._find_objecting(plan.oppositions, sources)
        for part in plan.tables:
            if sources[part.table]:
                self._kept[part.table] = self._rows_kept(part)

    def streams(self) -> dict[str, TableStream]:
        return {
            part.table: _Rows(self, self._sql(self._kept[part.table].select(*part.columns)))
            for part in self._plan.tables
            if part.columns and part.table in self._kept
        }

    def batches(self, sql: str) -> Any:
        """Start a query on a cursor of its own."""
        return self._connection.cursor().execute(sql).to_arrow_reader(_BATCH_ROWS)

    def _add_files(self, table: str, sources: Sequence[SourceFile]) -> None:
        scans = []
        for number, source in enumerate(sources):
            name = f"{table}/{number}"
            key = base64.b64encode(source.key).decode()
            self._connection.execute(f"PRAGMA add_parquet_key({_quoted(name)}, {_quoted(key)})")
            scans.append(
                f"FROM read_parquet({_quoted(source.path)},"  # quoted
                f" encryption_config={{footer_key: {_quoted(name)}}})"
            )
        view = table.replace('"', '""')
        union = " UNION ALL BY NAME ".join(scans)
        self._connection.execute(f'CREATE VIEW "{view}" AS {union}')

    def _rows_kept(self, part: TablePlan) -> Any:
        table = self._table(part.table)
        if missing := sorted(self._plan.columns_read(part.table) - set(table.columns)):
            raise InvalidInput(f"No file of {part.table} has: {', '.join(missing)}.")
        for condition in part.conditions:
            table = table.filter(_passes(table[condition.column], condition))
        for follow in part.follows:
            table = self._following(table, follow)
        for name in set(part.names) & set(table.columns):
            # A view each time: one table joined twice would leave open which one is meant.
            table = table.anti_join(self._table(_OBJECTING).view(), [(name, "number")])
        return table

    def _find_objecting(
        self, oppositions: Oppositions, sources: Mapping[str, Sequence[SourceFile]]
    ) -> None:
        """List every number of everybody who objects, round after round, until none is new."""
        self._connection.execute(f'CREATE TABLE "{_OBJECTING}" (number BLOB)')
        if sources[oppositions.register]:
            listed = self._table(oppositions.register)
            self._add_objecting(listed.select(number=listed[oppositions.column]))
        tables = {tie: self._table(tie.table) for tie in oppositions.ties if sources[tie.table]}
        grown = bool(tables)
        while grown:
            grown = sum(self._add_tied(tie, table) for tie, table in tables.items()) > 0

    def _add_tied(self, tie: Tie, table: Any) -> int:
        """Add the numbers that stand in a row with one that is listed; returns how many are new."""
        objecting = self._table(_OBJECTING)
        present = [name for name in tie.columns if name in table.columns]
        named = [
            table.semi_join(objecting, table[name] == objecting["number"]).select(
                number=table[other]
            )
            for name in present
            for other in present
            if other != name
        ]
        return sum(self._add_objecting(each) for each in named)

    def _add_objecting(self, numbers: Any) -> int:
        known = self._table(_OBJECTING)
        numbers = numbers.filter(numbers["number"].notnull()).distinct()
        fresh = numbers.anti_join(known.view(), ["number"])
        added = self._connection.execute(
            f'INSERT INTO "{_OBJECTING}" {self._sql(fresh)}'
        ).fetchone()
        return int(added[0])

    def _following(self, table: Any, follow: Follow) -> Any:
        import ibis

        if follow.table not in self._kept:
            return table.filter(ibis.literal(value=False))
        # The keys are worked out once, into memory, however many tables follow:
        # one file scan instead of one for each.
        self._key_tables += 1
        name = f"followed keys {self._key_tables}"
        keys = self._kept[follow.table].select(*follow.theirs).distinct()
        self._connection.execute(f'CREATE TABLE "{name}" AS {self._sql(keys)}')
        pairs = zip(follow.own, follow.theirs, strict=True)
        keys = self._table(name)
        return table.semi_join(keys, [table[own] == keys[theirs] for own, theirs in pairs])

    def _sql(self, expression: Any) -> str:
        import ibis

        return str(ibis.to_sql(expression, dialect="duckdb"))

    def _table(self, name: str) -> Any:
        import ibis

        quoted = name.replace('"', '""')
        described = self._connection.execute(f'DESCRIBE "{quoted}"').fetchall()
        return ibis.table({row[0]: _ibis_type(*row[:2]) for row in described}, name=name)


class _Rows:
    """A stream whose query starts when somebody reads it."""

    def __init__(self, run: _Run, sql: str) -> None:
        self._run = run
        self._sql = sql

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        import pyarrow as pa

        with _failures_named():
            reader = self._run.batches(self._sql)
        named = pa.RecordBatchReader.from_batches(reader.schema, kept(self._batches(reader)))
        return named.__arrow_c_stream__(requested_schema)

    def _batches(self, reader: Any) -> Iterator[Any]:
        with _failures_named():
            yield from reader


def _passes(cell: Any, condition: Condition) -> Any:
    import ibis

    _check_type(cell.type(), condition)
    if isinstance(condition, OneOf):
        return cell.isin(list(condition.values))
    if cell.type().is_timestamp():
        cell = cell.date()
    return cell.between(ibis.literal(condition.low), ibis.literal(condition.high))


def _check_type(kind: Any, condition: Condition) -> None:
    """DuckDB would cast a text to a number to compare them; a plan must not."""
    cell = condition.values[0] if isinstance(condition, OneOf) else condition.low
    fits = {
        str: kind.is_string(),
        int: kind.is_integer(),
        date: kind.is_date() or kind.is_timestamp(),
    }
    if not fits[type(cell)]:
        raise InvalidInput(f"The condition on {condition.column} has another type than the column.")


# DuckDB's names of the types that the lake holds, and Ibis's.
_IBIS_TYPES = {
    "BIGINT": "int64",
    "BLOB": "binary",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "DOUBLE": "float64",
    "INTEGER": "int32",
    "SMALLINT": "int16",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp('UTC')",
    "TINYINT": "int8",
    "UBIGINT": "uint64",
    "UINTEGER": "uint32",
    "USMALLINT": "uint16",
    "UTINYINT": "uint8",
    "VARCHAR": "string",
}


def _ibis_type(column: str, duckdb_type: str) -> str:
    if duckdb_type.startswith("DECIMAL("):
        return duckdb_type.lower()
    try:
        return _IBIS_TYPES[duckdb_type]
    except KeyError:
        raise InvalidInput(f"The engine does not know the type of column {column}.") from None


def _connected(limits: DuckDbLimits) -> Any:
    import duckdb

    spill = "" if limits.spill_directory is None else str(limits.spill_directory)
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{limits.memory_bytes // _MEBIBYTE}MiB",
            "threads": limits.threads,
            "temp_directory": spill,
            "max_temp_directory_size": f"{limits.spill_bytes // _MEBIBYTE}MiB",
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_persistent_secrets": False,
            "enable_external_file_cache": False,
        },
    )
    folder = files("duckdb_extension_httpfs") / f"extensions/v{duckdb.__version__}"
    connection.execute(f"LOAD {_quoted(str(folder / 'httpfs.duckdb_extension'))}")
    connection.execute(f"SET disabled_optimizers={_quoted(_RULES_OFF)}")
    connection.execute("SET enable_progress_bar=false")
    return connection


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn DuckDB's errors into ours; its sentences may hold a cell or a key."""
    import duckdb
    from ibis.common.exceptions import IbisError

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise Unavailable(
            "A plan needs more memory than the engine may use.",
            hint="Give the engine more memory, or make the plan smaller.",
        ) from None
    except (duckdb.BinderException, duckdb.ConversionException, IbisError):
        raise InvalidInput(
            "A condition or a follow of the plan has another type than its column.",
            hint="Compare the plan with `havre catalogue show`.",
        ) from None
    except duckdb.Error:
        raise NotGenuine(
            "A table file does not open: its bytes were changed, or the key is another file's.",
            hint="Compare the store with its manifests; restore the object from a replica.",
        ) from None


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
