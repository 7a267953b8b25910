"""Reading folders of Table Schemas: our own, which come with the package, and anybody's."""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from havre.domain.catalogue import BuiltTable, Layer, build_table
from havre.errors import InvalidInput, NotFound
from havre.formats.table_schema import parse_table_schema
from havre.snds.corrections import CORRECTIONS, TREATMENTS
from havre.snds.filing import FILINGS

SNDS_LAYER = Layer(CORRECTIONS, TREATMENTS, FILINGS)
# Our own tables are right as they stand; only that columns come and go is said in one place.
_CORE_LAYER = Layer(tuple(each for each in CORRECTIONS if each.by_year))


# Models whose tables come with the package, for hubs that ask for them.
MODELS = ("fhir", "omop")


def core_tables() -> list[BuiltTable]:
    """The tables of the SNDS that the package describes itself; they need no correction."""
    return _own_tables(resources.files("havre.snds").joinpath("tables"))


def model_tables(model: str) -> list[BuiltTable]:
    """The tables of another model that the package describes: `fhir` or `omop`.

    Raises:
        NotFound: it describes no such model.
    """
    if model not in MODELS:
        raise NotFound(
            "No tables of this model come with Havre.", hint=f"There are: {', '.join(MODELS)}."
        )
    return _own_tables(resources.files("havre.models").joinpath(model))


def _own_tables(folder: Traversable) -> list[BuiltTable]:
    documents = sorted(folder.iterdir(), key=lambda each: each.name)
    return [
        build_table(parse_table_schema(json.loads(each.read_text("utf-8"))), layer=_CORE_LAYER)
        for each in documents
        if each.name.endswith(".json")
    ]


def read_schemas(folder: Path, *, layer: Layer, dataset: str | None = None) -> list[BuiltTable]:
    """Read every Table Schema under a folder, in order of path.

    Lists of codes may lie in it too, as beside the public schema: they are no tables, and
    are left out (`adapters.codes`).

    dataset: where all tables belong; null takes what each description says.

    Returns none where there are lists alone.

    Raises:
        NotFound: there is no description at all.
        InvalidInput: one cannot be read; it is named.
    """
    paths = sorted(folder.rglob("*.json"))
    if not paths:
        raise NotFound("There is no Table Schema (*.json) in this folder.")
    built = []
    for path in paths:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if _is_code_list(document):
                continue
            descriptor = parse_table_schema(document, name=path.stem)
        except ValueError:
            raise InvalidInput(f"{path.name} is not JSON.") from None
        built.append(build_table(descriptor, layer=layer, dataset=dataset))
    return built


def _is_code_list(document: Any) -> bool:
    fields = document.get("fields") if isinstance(document, dict) else None
    return isinstance(fields, list) and any(
        isinstance(each, dict) and each.get("role") == "code" for each in fields
    )
