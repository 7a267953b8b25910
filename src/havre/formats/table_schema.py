"""Frictionless Table Schema: what a published description of a table says, and nothing more.

The public SNDS schema is a folder of such documents with a few keys of its own
(`produit`, `length`, `nomenclature`, a year of creation and of deletion); ours
carry one more, `havre`, which says what becomes of a column and how a table is
filed. What the words mean for a hub is `domain.catalogue`.

Source: Frictionless Table Schema 1.0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from havre.errors import InvalidInput
from havre.formats.canonical import Json

TYPES = frozenset(
    {"string", "integer", "number", "boolean", "date", "datetime", "year", "yearmonth"}
)


@dataclass(frozen=True, slots=True)
class FieldDescriptor:
    """One column as it is published.

    length: as published: `17`, or `9,2` for a number; empty when unsaid.
    created, deleted: first year with the column and first year without it, or null.
    absent: years between them without it.
    enum: the only values, or empty.
    extra: our own key `havre`, or empty.
    """

    name: str
    type: str
    format: str = "default"
    length: str = ""
    title: str = ""
    code_list: str = ""
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    required: bool = False
    created: int | None = None
    deleted: int | None = None
    absent: tuple[int, ...] = ()
    extra: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """What a table is said to refer to; as published, whatever the other table holds.

    own, theirs: columns here and there, pair by pair.
    """

    own: tuple[str, ...]
    table: str
    theirs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableDescriptor:
    """One table as it is published.

    product: the dataset's published name (`produit`), or empty.
    created, deleted: first year with the table and first year without it (`history`), or null.
    extra: our own key `havre`, or empty.
    """

    name: str
    title: str
    product: str
    fields: tuple[FieldDescriptor, ...]
    primary_key: tuple[str, ...]
    missing: tuple[str, ...]
    extra: Mapping[str, Json]
    foreign_keys: tuple[ForeignKey, ...] = ()
    created: int | None = None
    deleted: int | None = None

    @property
    def first_year(self) -> int | None:
        """The first year that is published for the table or a column of it, or null."""
        years = (self.created, *(each.created for each in self.fields))
        return min((year for year in years if year), default=None)


def parse_table_schema(document: Any, *, name: str = "") -> TableDescriptor:
    """Read one Table Schema, already parsed from JSON.

    name: of the table when the document does not say it, such as the file's.

    Raises:
        InvalidInput: no fields, a field without a name, a name twice, an unknown
            type, or a column of a key that is not there; the table is named.

    >>> parse_table_schema({"name": "T", "fields": [{"name": "A", "type": "year"}]}).fields[0].type
    'year'
    """
    table = _mapping(document)
    title = str(table.get("name") or name)
    fields = table.get("fields")
    if not isinstance(fields, list) or not fields:
        raise InvalidInput(f"The schema of table {title} lists no fields.")
    read = tuple(_field(_mapping(each), table=title) for each in fields)
    names = [each.name for each in read]
    if len(set(names)) != len(names):
        raise InvalidInput(f"The schema of table {title} names a column twice.")
    key = _words(table.get("primaryKey"))
    if lost := sorted(set(key) - set(names)):
        raise InvalidInput(f"The key of table {title} has unknown columns: {', '.join(lost)}.")
    history = _mapping(table.get("history") or {})
    return TableDescriptor(
        name=title,
        title=str(table.get("title") or ""),
        product=str(table.get("produit") or ""),
        fields=read,
        primary_key=key,
        missing=_words(table.get("missingValues")) or ("",),
        extra=_mapping(table.get("havre") or {}),
        foreign_keys=_foreign_keys(table.get("foreignKeys"), table=title, names=names),
        created=_year(history.get("dateCreated")),
        deleted=_year(history.get("dateDeleted")),
    )


def _foreign_keys(document: Any, *, table: str, names: Sequence[str]) -> tuple[ForeignKey, ...]:
    listed = document if isinstance(document, list) else [document] if document else []
    keys = []
    for each in map(_mapping, listed):
        to = _mapping(each.get("reference"))
        key = ForeignKey(
            _words(each.get("fields")), str(to.get("resource")), _words(to.get("fields"))
        )
        if not key.own or len(key.own) != len(key.theirs) or not set(key.own) <= set(names):
            raise InvalidInput(f"A foreign key of table {table} has unknown or uneven columns.")
        keys.append(key)
    return tuple(keys)


def _field(document: Mapping[str, Any], *, table: str) -> FieldDescriptor:
    name = document.get("name")
    kind = document.get("type", "string")
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"The schema of table {table} has a field without a name.")
    if kind not in TYPES:
        raise InvalidInput(f"The schema of table {table} has a type nobody knows, at {name}.")
    limits = _mapping(document.get("constraints") or {})
    pattern = limits.get("pattern")
    if pattern is not None and not isinstance(pattern, str):
        raise InvalidInput(f"The schema of table {table} has a pattern that is no text, at {name}.")
    return FieldDescriptor(
        name=name,
        type=str(kind),
        format=str(document.get("format") or "default"),
        length=str(document.get("length") or ""),
        title=str(document.get("title") or document.get("description") or ""),
        code_list=str(document.get("nomenclature") or "").strip("-"),
        enum=_words(limits.get("enum")),
        pattern=pattern,
        required=limits.get("required") is True,
        created=_year(document.get("dateCreated")),
        deleted=_year(document.get("dateDeleted")),
        absent=tuple(int(each) for each in _words(document.get("dateMissing")) if each.isdigit()),
        extra=_mapping(document.get("havre") or {}),
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("A table schema is not a JSON object where it should be one.")
    return value


def _words(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return tuple(str(each) for each in value) if isinstance(value, list) else (str(value),)


def _year(value: Any) -> int | None:
    text = str(value or "")
    return int(text) if text.isdigit() else None
