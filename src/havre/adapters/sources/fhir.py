"""FHIR resources, one a line (NDJSON), as rows of flat tables: `ports.sources.SplitRows`.

DuckDB reads the JSON of many lines at once, in memory, with nothing but the places of
`models.fhir_places`. A line that is no JSON, another resource, has no id or no reference
to a patient, or has a list or an object where a value should be, is set aside as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from havre.adapters.sources.delimited import MAX_LINE_BYTES, Lines, Shape
from havre.adapters.sources.headless import HeadlessRows, whole_lines
from havre.domain.delivery import FileUnreadable
from havre.models.fhir_places import RESOURCES, Place, ResourceTable, Take

_ID = "[A-Za-z0-9.-]{1,64}"
_UUID = "urn:uuid:[0-9a-fA-F-]{36}"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}(T.*)?"
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

    def __init__(
        self, opened: Callable[[], BinaryIO], shape: Shape, *, resource: ResourceTable
    ) -> None:
        """Read a file.

        resource: of which kind every line is; its columns are the shape's header, in order.
        """
        super().__init__(opened, shape)
        places = dict(zip(shape.header, resource.columns.items(), strict=True))
        self._asked = _query(resource, {name: places[name] for name in shape.kept})
        self._engine: Any = None

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with _engine() as self._engine:
            yield from super()._batches()

    def _split(self, lines: Lines) -> tuple[pa.Table, dict[int, str]]:
        too_long = np.flatnonzero(lines.lengths > MAX_LINE_BYTES)
        reasons = dict.fromkeys(map(int, too_long), "line too long") | lines.not_text()
        places = np.setdiff1d(np.arange(len(lines.starts)), list(reasons))
        column = whole_lines(lines.without(reasons))
        self._engine.register("lines", pa.table({"line": column}))
        read = self._engine.execute(self._asked).to_arrow_table()
        why = read["_why"]
        faulty = np.flatnonzero(pc.is_valid(why).to_numpy(zero_copy_only=False))
        named = why.drop_null().to_pylist()
        reasons |= {int(places[at]): reason for at, reason in zip(faulty, named, strict=True)}
        rows = read.filter(pc.is_null(why)).drop_columns("_why")
        return rows.cast(pa.schema([(name, pa.string()) for name in rows.column_names])), reasons


def _engine() -> Any:
    """A database in memory that reads no file, spills nowhere and loads nothing."""
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={
            "temp_directory": "",
            "threads": 1,
            "memory_limit": "1GiB",
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
        ("v[1] = 'Bundle'", "a bundle: resources are read one a line"),
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
