"""A catalogue as canonical JSON: what the hub publishes, hashes onto the log and holders read.

It holds what each table is and nothing of any delivery.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from havre.domain.catalogue import BuiltTable
from havre.domain.schema import Catalogue, Column, ColumnType, Link, TableSchema, Treatment
from havre.errors import InvalidInput, NotFound
from havre.formats.canonical import Json, encode_canonical, parse_canonical

FORMAT = "havre/v1/catalogue"
MAX_CATALOGUE_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class KnownTables:
    """Every table a hub knows, with the corrections each one rests on, in order of name."""

    tables: tuple[BuiltTable, ...]

    @property
    def catalogue(self) -> Catalogue:
        """The tables alone."""
        return Catalogue(tuple(built.schema for built in self.tables))

    def find(self, name: str) -> BuiltTable | None:
        """Find a table by its name, without case; null when nobody knows it."""
        for built in self.tables:
            if built.schema.name.casefold() == name.casefold():
                return built
        return None

    def left_where_they_are(self, tables: Iterable[BuiltTable]) -> list[BuiltTable]:
        """The same tables, each that is known in the dataset that it is known in.

        What was delivered of it lies there, and so does what permits say of it.
        """
        datasets = {built.schema.name: built.schema.dataset for built in self.tables}
        return [
            replace(
                built,
                schema=replace(
                    built.schema,
                    dataset=datasets.get(built.schema.name, built.schema.dataset),
                ),
            )
            for built in tables
        ]

    def table(self, name: str) -> BuiltTable:
        """Find a table that something here is of.

        Raises:
            NotFound: the catalogue has dropped it.
        """
        built = self.find(name)
        if built is None:
            raise NotFound(f"The catalogue no longer knows table {name}.")
        return built


def merge_tables(known: KnownTables, fresh: Iterable[BuiltTable]) -> KnownTables:
    """Put tables into a catalogue; one that is known is replaced by its new description."""
    tables = {built.schema.name: built for built in known.tables}
    tables |= {built.schema.name: built for built in fresh}
    return KnownTables(tuple(tables[name] for name in sorted(tables)))


def encode_catalogue(known: KnownTables) -> bytes:
    """Write a catalogue."""
    return encode_canonical(
        {"format": FORMAT, "tables": [_table_json(built) for built in known.tables]}
    )


def parse_catalogue(document: bytes) -> KnownTables:
    """Read a catalogue strictly.

    Raises:
        InvalidInput: it is none, or misses something.
    """
    body = parse_canonical(document, limit_bytes=MAX_CATALOGUE_BYTES)
    try:
        if not isinstance(body, dict) or body["format"] != FORMAT:
            raise InvalidInput("This is no catalogue.")
        tables = body["tables"]
        return KnownTables(tuple(_table(each) for each in _list(tables)))
    except (KeyError, TypeError, ValueError) as fault:
        raise InvalidInput("A catalogue misses something, or spells it otherwise.") from fault


def _table_json(built: BuiltTable) -> Json:
    schema = asdict(built.schema)
    return {
        "may_have": dict(built.may_have),
        "may_lack": dict(built.may_lack),
        "schema": _plain(schema),
        "used": list(built.used),
    }


def _plain(value: Any) -> Json:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items() if each not in (None, ())}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return value if isinstance(value, bool | int) else str(value)


def _table(document: Any) -> BuiltTable:
    schema = document["schema"]
    link = schema.get("link")
    return BuiltTable(
        TableSchema(
            name=schema["name"],
            dataset=schema["dataset"],
            columns=tuple(_column(each) for each in _list(schema["columns"])),
            primary_key=tuple(schema.get("primary_key", ())),
            missing=tuple(schema.get("missing", ())),
            person=tuple(schema.get("person", ())),
            year_column=schema.get("year_column"),
            period_column=schema.get("period_column"),
            link=Link(link["table"], tuple(link["columns"])) if link else None,
            timeless=schema.get("timeless", ""),
            title=schema.get("title", ""),
            since=schema.get("since"),
            until=schema.get("until"),
        ),
        tuple(document["used"]),
        dict(document["may_lack"]),
        dict(document["may_have"]),
    )


def _column(document: Any) -> Column:
    return Column(
        name=document["name"],
        type=ColumnType(document["type"]),
        treatment=Treatment(document["treatment"]),
        realm=document["realm"],
        length=document.get("length"),
        scale=document["scale"],
        date_format=document["date_format"],
        values=tuple(document.get("values", ())),
        pattern=document.get("pattern"),
        required=document["required"],
        sentinels=tuple(document.get("sentinels", ())),
        title=document.get("title", ""),
        code_list=document.get("code_list", ""),
        unit=document.get("unit", ""),
        since=document.get("since"),
        until=document.get("until"),
        absent=tuple(document.get("absent", ())),
    )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidInput("A catalogue has something else than a list where one should be.")
    return value
