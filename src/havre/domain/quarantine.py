"""Rows that were set aside at the hub: where they are, by the records alone, and what became of them.

A check report says of each file how many rows were set aside and why, and of each table
where they were sealed. A replay looks at them again; its own record says which objects are
done with it, and where the rows are that are still set aside. What is so now is the sum of
all: no key is needed for it, and no row is replayed twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical
from havre.values import Digest, ObjectId, parse_digest, parse_name, parse_object_id

REPLAY_FORMAT = "havre/v1/replay"
_MAX_BYTES = 64 * 1024 * 1024
FileName = tuple[str, str]


@dataclass(frozen=True, slots=True)
class FileLayout:
    """How the rows of a delivered file become cells again.

    columns: in the order of its lines, under the names of the table.
    delimiter: what parted the cells of a line.
    constants: columns that stood in no line, with the announcement's value.
    """

    columns: tuple[str, ...]
    delimiter: str
    constants: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AsideObject:
    """One sealed object of rows of a table; they may be of several deliveries."""

    object_id: ObjectId
    partition_id: str
    sha256: Digest
    table: str
    rows: int


@dataclass(frozen=True, slots=True)
class AsideFile:
    """A delivered file of which rows are set aside at the hub.

    reasons: to rows. layout: null where it was not written down: such rows cannot be replayed.
    """

    delivery: str
    path: str
    table: str
    reasons: Mapping[str, int]
    layout: FileLayout | None = None

    @property
    def name(self) -> FileName:
        """Delivery and path."""
        return self.delivery, self.path

    @property
    def rows(self) -> int:
        """How many are set aside."""
        return sum(self.reasons.values())


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one replay came to.

    done: objects whose rows were looked at again; nobody looks at them once more.
    files: the files whose rows were in these, with what is still set aside.
    objects: where that is.
    """

    dataset: str
    done: tuple[ObjectId, ...]
    files: tuple[AsideFile, ...]
    objects: tuple[AsideObject, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """What is set aside now."""

    objects: tuple[AsideObject, ...]
    files: tuple[AsideFile, ...]

    def layout_of(self, name: FileName) -> FileLayout | None:
        """How a file's rows become cells again, if that is known."""
        return next((each.layout for each in self.files if each.name == name), None)

    @property
    def rows(self) -> int:
        """How many rows are set aside."""
        return sum(each.rows for each in self.objects)


def fold_quarantine(
    objects: Iterable[AsideObject], files: Iterable[AsideFile], replays: Iterable[Replayed]
) -> Quarantine:
    """Say what is set aside after every replay.

    objects, files: of the check reports; one object may come several times.
    replays: in the order of the log.
    """
    now = {each.object_id: each for each in objects}
    of_files = {each.name: each for each in files if each.rows}
    for replay in replays:
        for done in replay.done:
            now.pop(done, None)
        now |= {each.object_id: each for each in replay.objects}
        for each in replay.files:
            before = of_files.get(each.name)
            layout = before.layout if before else None
            of_files[each.name] = replace(each, layout=layout)
    left = tuple(each for _, each in sorted(of_files.items()) if each.rows)
    return Quarantine(tuple(sorted(now.values(), key=lambda each: each.object_id)), left)


def read_report(document: bytes) -> tuple[str, list[AsideObject], list[AsideFile]]:
    """Read of a check report what was set aside at the hub.

    Returns the delivery, the objects of its tables, and its files.

    Raises:
        InvalidInput: it is no check report.
    """
    body: Any = parse_canonical(document, limit_bytes=_MAX_BYTES)
    try:
        delivery = parse_name(body["delivery"])
        files = [
            AsideFile(
                delivery,
                str(file["path"]),
                str(file["table"]),
                _counts(file["set_aside_at_the_hub"]),
                _layout(file.get("layout")),
            )
            for file in body["files"]
        ]
        objects = [
            _object(str(table), each)
            for table, where in body["quarantine"].items()
            for each in (where if isinstance(where, list) else [where])
        ]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput("A check report is not of the form that it should be.") from None
    return delivery, objects, files


def layout_json(layout: FileLayout) -> Json:
    """Spell a layout as a check report has it."""
    return {
        "columns": [*layout.columns],
        "constants": dict(layout.constants),
        "delimiter": layout.delimiter,
    }


def encode_replay(replayed: Replayed) -> bytes:
    """Write the record of a replay."""
    return encode_canonical(
        {
            "dataset": replayed.dataset,
            "done": [*sorted(replayed.done)],
            "files": [
                {
                    "delivery": each.delivery,
                    "path": each.path,
                    "set_aside": dict(each.reasons),
                    "table": each.table,
                }
                for each in sorted(replayed.files, key=lambda each: each.name)
            ],
            "format": REPLAY_FORMAT,
            "objects": [
                {**_object_json(each), "table": each.table}
                for each in sorted(replayed.objects, key=lambda each: each.object_id)
            ],
        }
    )


def parse_replay(document: bytes) -> Replayed:
    """Read the record of a replay strictly.

    Raises:
        InvalidInput: another form.
    """
    body: Any = parse_canonical(document, limit_bytes=_MAX_BYTES)
    try:
        replayed = Replayed(
            parse_name(body["dataset"]),
            tuple(parse_object_id(each) for each in body["done"]),
            tuple(
                AsideFile(
                    parse_name(each["delivery"]),
                    str(each["path"]),
                    str(each["table"]),
                    _counts(each["set_aside"]),
                )
                for each in body["files"]
            ),
            tuple(_object(str(each["table"]), each) for each in body["objects"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InvalidInput(f"A record is not of the form {REPLAY_FORMAT}.") from None
    if encode_replay(replayed) != document:
        raise InvalidInput(f"A record is not of the form {REPLAY_FORMAT}.")
    return replayed


def _object_json(each: AsideObject) -> dict[str, Json]:
    return {
        "object_id": each.object_id,
        "partition": each.partition_id,
        "rows": each.rows,
        "sha256": each.sha256,
    }


def _object(table: str, body: Any) -> AsideObject:
    return AsideObject(
        parse_object_id(body["object_id"]),
        parse_object_id(body["partition"]),
        parse_digest(body["sha256"]),
        table,
        int(body["rows"]),
    )


def _layout(body: Any) -> FileLayout | None:
    if body is None:
        return None
    constants = {str(name): str(value) for name, value in body["constants"].items()}
    return FileLayout(tuple(map(str, body["columns"])), str(body["delimiter"]), constants)


def _counts(body: Any) -> dict[str, int]:
    return {str(reason): int(rows) for reason, rows in body.items()}
