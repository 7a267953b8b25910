"""A description of one version as canonical JSON: what the hub keeps of its content, and publishes.

It holds nothing that `domain.description` did not let through: it may be shown to anybody.
"""

from __future__ import annotations

from typing import Any

from havre.domain.content import Grain
from havre.domain.description import (
    CodeRows,
    DatasetDescription,
    TableDescription,
    VariableDescription,
    Withheld,
)
from havre.errors import InvalidInput
from havre.formats.canonical import Json, encode_canonical, parse_canonical

FORMAT = "havre/v1/description"
# The kind of the document that the records keep, under the id of the version's event.
KIND_DESCRIPTION = "description"
MAX_DESCRIPTION_BYTES = 16 * 1024 * 1024


def encode_description(description: DatasetDescription) -> bytes:
    """Write a description."""
    return encode_canonical(
        {
            "dataset": description.dataset,
            "format": FORMAT,
            "tables": [_table_json(each) for each in description.tables],
            "version": description.version,
        }
    )


def parse_description(document: bytes) -> DatasetDescription:
    """Read a description strictly.

    Raises:
        InvalidInput: it is none, or misses something.
    """
    body: Any = parse_canonical(document, limit_bytes=MAX_DESCRIPTION_BYTES)
    try:
        if body["format"] != FORMAT:
            raise InvalidInput("This is no description of a dataset.")
        return DatasetDescription(
            body["dataset"], body["version"], tuple(_table(each) for each in body["tables"])
        )
    except (KeyError, TypeError, ValueError) as fault:
        raise InvalidInput("A description misses something, or spells it otherwise.") from fault


def _table_json(table: TableDescription) -> Json:
    return {
        "grain": table.grain.value,
        "links_found": table.links_found,
        "name": table.name,
        "people": table.people,
        "people_are": table.people_are,
        "rows": table.rows,
        "title": table.title,
        "variables": [_variable_json(each) for each in table.variables],
        "withdrawn": table.withdrawn,
    }


def _variable_json(variable: VariableDescription) -> Json:
    return {
        "code_system": variable.code_system,
        "codes": [[each.code, each.rows] for each in variable.codes],
        "high": variable.high,
        "low": variable.low,
        "missing": variable.missing,
        "name": variable.name,
        "required": variable.required,
        "title": variable.title,
        "type": variable.type,
        "unit": variable.unit,
        "withheld": variable.withheld.value if variable.withheld else None,
    }


def _table(body: Any) -> TableDescription:
    return TableDescription(
        name=body["name"],
        title=body["title"],
        grain=Grain(body["grain"]),
        rows=body["rows"],
        people=body["people"],
        variables=tuple(_variable(each) for each in body["variables"]),
        people_are=body["people_are"],
        links_found=body["links_found"],
        withdrawn=body["withdrawn"],
    )


def _variable(body: Any) -> VariableDescription:
    withheld = body["withheld"]
    return VariableDescription(
        name=body["name"],
        title=body["title"],
        type=body["type"],
        missing=body["missing"],
        unit=body["unit"],
        code_system=body["code_system"],
        required=body["required"],
        low=body["low"],
        high=body["high"],
        codes=tuple(CodeRows(code, rows) for code, rows in body["codes"]),
        withheld=None if withheld is None else Withheld(withheld),
    )
