"""FHIR resources, one a line (NDJSON), as rows of flat tables: `ports.sources.SplitRows`.

DuckDB reads the JSON of many lines at once, in memory, with nothing but the places of
`models.fhir_places`. A line that is no JSON, another resource, has no id or no reference
to a patient, or has a list or an object where a value should be, is set aside as it is.

A line that is a bundle becomes a row for each resource of the file's kind in it, and counts
as so many lines; numbers of lines are numbers of resources then. Where one of them is no
row, the bundle is set aside whole, and counts as one line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from havre.adapters.sources.bundles import IS_BUNDLE, TOO_MUCH, Unpacked, unpack_bundles
from havre.adapters.sources.delimited import Shape
from havre.adapters.sources.headless import HeadlessRows, whole_lines
from havre.adapters.sources.lines import Lines
from havre.domain.delivery import FileUnreadable
from havre.models.fhir_places import RESOURCES, Place, ResourceTable, Take
from havre.ports.sources import SetAsideLine

_ID = "[A-Za-z0-9.-]{1,64}"
_UUID = "urn:uuid:[0-9a-fA-F-]{36}"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?"
_MOST_MEMORY = "1GiB"
_CODINGS = '[{"system": "VARCHAR", "code": "VARCHAR"}]'


def find_resource(table: str, *, path: str) -> ResourceTable:
    """Find the kind of resource of which a table is.

    Raises:
        FileUnreadable: its table is none of FHIR.
    """
    for name, resource in RESOURCES.items():
        if name.casefold() == table.casefold():
            return resource
    raise FileUnreadable(
        path,
        "its table is none of FHIR",
        hint=f"Resources become rows of {', '.join(sorted(RESOURCES))}.",
    )


class FhirRows(HeadlessRows):
    """`ports.sources.SplitRows`: works while it is read."""

    # A bundle of all that a hospital knows of one patient is some megabytes.
    _most_bytes = 16 * 1024 * 1024

    def __init__(
        self,
        opened: Callable[[], BinaryIO],
        shape: Shape,
        *,
        aside: Callable[[Iterable[SetAsideLine]], None],
        resource: ResourceTable,
    ) -> None:
        """Read a file.

        aside: as in `DelimitedRows`.
        resource: of which kind every line is; its columns are the shape's header, in order.
        """
        super().__init__(opened, shape, aside=aside)
        places = dict(zip(shape.header, resource.columns.items(), strict=True))
        self._asked = _query(resource, {name: places[name] for name in shape.kept})
        self._resource = resource
        self._engine: Any = None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with _engine() as self._engine:
            yield from super()._batches()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unusual."""
        seen = self._seen
        said = f"bundles that were unpacked: {seen['bundles']}, into lines: {seen['unpacked']}"
        left = f"resources of another kind in bundles, which stay at the holder: {seen['others']}"
        return (
            *super().notes,
            *([said] if seen["bundles"] else []),
            *([left] if seen["others"] else []),
        )

    def _sorted_out(self, lines: Lines, offset: int) -> pa.Table:
        too_long = np.flatnonzero(lines.lengths > self._most_bytes)
        reasons = dict.fromkeys(map(int, too_long), "line too long") | lines.not_text()
        places = np.setdiff1d(np.arange(len(lines.starts)), list(reasons))
        column = whole_lines(lines.without(reasons))
        table, why = self._read(column)
        bundles = np.array([at for at, reason in why.items() if reason == IS_BUNDLE], dtype=np.intp)
        rows = np.ones(len(column), dtype=np.intp)
        rows[list(why)] = 0
        if len(bundles):
            single = np.flatnonzero(rows)
            held, at, faults = self._unpacked(column.take(pa.array(bundles)), bundles)
            rows += np.bincount(at, minlength=len(rows))
            order = np.argsort(np.concatenate([single, at]), kind="stable")
            table = pa.concat_tables([table, held]).take(pa.array(order))
            why = {place: why[place] for place in set(why) - set(bundles.tolist())} | faults
        reasons |= {int(places[at]): reason for at, reason in why.items()}
        every = np.zeros(len(lines.starts), dtype=np.intp)
        every[places] = rows
        return self._placed(table, lines, reasons, rows=every, offset=offset)

    def _unpacked(self, column: Any, places: Any) -> tuple[pa.Table, Any, dict[int, str]]:
        """Read the resources of bundles.

        places: of each bundle in its block.

        Returns rows, the place of each one's bundle, and why the bundles that have none are broken.
        """
        found = self._taken_out(column)
        table, why = self._read(found.line)
        faults = dict(found.faults)
        for row, reason in why.items():
            faults.setdefault(int(found.at[row]), reason)
        read = np.delete(found.at, list(why))
        whole = ~np.isin(read, list(faults))
        broken = np.isin(np.arange(len(places)), list(faults))
        self._seen["bundles"] += int((~broken).sum())
        self._seen["unpacked"] += int(whole.sum())
        self._seen["others"] += int(found.others[~broken].sum())
        named = {int(places[at]): f"in a bundle: {reason}" for at, reason in faults.items()}
        return table.filter(pa.array(whole)), places[read[whole]], named

    def _taken_out(self, column: Any) -> Unpacked:
        """Take resources out of bundles; where memory is too small, of half of them at a time."""
        import duckdb

        try:
            return unpack_bundles(self._engine, column, kind=self._resource.resource)
        except duckdb.OutOfMemoryException:
            if len(column) == 1:
                return Unpacked.nothing(TOO_MUCH)
            middle = len(column) // 2
            first = self._taken_out(column.slice(0, middle))
            return first.and_then(self._taken_out(column.slice(middle)))

    def _read(self, column: Any) -> tuple[pa.Table, dict[int, str]]:
        """Read resources, one a cell: the rows that they are, and of the others why they are none.

        Where they take more memory than there is, they are read in halves; one that does is none.
        """
        import duckdb

        self._engine.register("lines", pa.table({"line": column}))
        try:
            read = self._engine.execute(self._asked).to_arrow_table()
        except duckdb.OutOfMemoryException:
            if len(column) == 1:
                return self._read(column.slice(1))[0], {0: TOO_MUCH}
            middle = len(column) // 2
            first, before = self._read(column.slice(0, middle))
            second, behind = self._read(column.slice(middle))
            why = before | {middle + at: reason for at, reason in behind.items()}
            return pa.concat_tables([first, second]), why
        return self._rows_and_faults(read)

    @staticmethod
    def _rows_and_faults(read: pa.Table) -> tuple[pa.Table, dict[int, str]]:
        why = read["_why"]
        faulty = np.flatnonzero(pc.is_valid(why).to_numpy(zero_copy_only=False))
        rows = read.filter(pc.is_null(why)).drop_columns("_why")
        rows = rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names]))
        return rows, dict(zip(map(int, faulty), why.drop_null().to_pylist(), strict=True))


def _engine() -> Any:
    """A database in memory that reads no file, spills nowhere and loads nothing."""
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={
            "temp_directory": "",
            "threads": 1,
            "memory_limit": _MOST_MEMORY,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )


def _query(resource: ResourceTable, wanted: dict[str, tuple[str, Place]]) -> str:
    """Ask for columns of every line, and for why a line is no row.

    wanted: by the name to be used, the column of the resource and its place.
    """
    paths = ["resourceType", "id", "subject.reference"]
    paths += [path for _, place in wanted.values() for path in place.paths]
    at = {path: number for number, path in enumerate(dict.fromkeys(paths), 1)}
    listed = ", ".join(_quoted(f"$.{path}") for path in at)
    cells = ", ".join(f"{_cell(place, at)} AS {_name(name)}" for name, (_, place) in wanted.items())
    faults = _faults(resource, {name: place for name, (_, place) in wanted.items()}, at)
    whens = " ".join(f"WHEN {fault} THEN {_quoted(reason)}" for fault, reason in faults)
    # Every word of it is a place, a name of a column or a reason of ours, quoted.
    return (
        "WITH valid AS (SELECT CASE WHEN json_valid(line) THEN line END AS json FROM lines), "  # noqa: S608
        f"read AS (SELECT json, json_extract_string(json, [{listed}]) AS v FROM valid) "
        f"SELECT {cells}{', ' if cells else ''}CASE {whens} END AS _why FROM read"
    )


def _faults(
    resource: ResourceTable, wanted: dict[str, Place], at: dict[str, int]
) -> list[tuple[str, str]]:
    """List what makes a line no row, the graver first, each with its reason."""
    faults = [
        ("json IS NULL", "no JSON"),
        ("v[1] = 'Bundle'", IS_BUNDLE),
        (f"v[1] IS DISTINCT FROM {_quoted(resource.resource)}", "another resource"),
        (f"{_cell(Place(('id',), Take.ID), at)} IS NULL", "no id"),
    ]
    if resource.resource != "Patient":
        subject = Place(("subject.reference",), Take.ID, "Patient")
        faults.append((f"{_cell(subject, at)} IS NULL", "no reference to a patient"))
    for name, place in wanted.items():
        if place.take is not Take.CODINGS:
            nested = " OR ".join(_is_nested(path, at) for path in place.paths)
            faults.append((nested, f"no single value in {name}"))
    return faults


def _cell(place: Place, at: dict[str, int]) -> str:
    spelled = (_spelled(path, place, at) for path in place.paths)
    return f"coalesce({', '.join(spelled)})"


def _spelled(path: str, place: Place, at: dict[str, int]) -> str:
    value = f"v[{at[path]}]"
    if place.take is Take.DAY:
        return f"CASE WHEN regexp_full_match({value}, '{_DAY}') THEN left({value}, 10) END"
    if place.take is Take.CODINGS:
        extracted = f"json_extract(json, {_quoted(f'$.{path}')})"
        return f"to_json(json_transform({extracted}, {_quoted(_CODINGS)}))::VARCHAR"
    if place.take is Take.TEXT:
        return value
    if path == "id":
        return f"CASE WHEN regexp_full_match({value}, '{_ID}') THEN {value} END"
    kind = place.kind or "[A-Za-z]+"
    form = f"(?:.*/)?{kind}/({_ID})(?:/_history/{_ID})?"
    return (
        f"CASE WHEN regexp_full_match({value}, '{form}') THEN regexp_extract({value}, '^{form}$', 1) "
        f"WHEN regexp_full_match({value}, '{_UUID}') THEN {value} END"
    )


def _is_nested(path: str, at: dict[str, int]) -> str:
    """A list or an object comes out as its JSON: a value must not begin like one and be one."""
    first = f"left(v[{at[path]}], 1) IN ('{{', '[')"
    kind = f"json_type(json, {_quoted(f'$.{path}')}) IN ('OBJECT', 'ARRAY')"
    return f"({first} AND {kind})"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
