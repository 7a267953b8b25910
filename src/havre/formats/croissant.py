"""A dataset's sample as Croissant: what machine-learning tools read to load tables.

What is described are the sample's files, which hold made-up people; the real rows are
behind a permit, in tables of the same names and columns.

Source: MLCommons Croissant Format Specification 1.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from havre.formats.canonical import Json, encode_canonical

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
# What stands before names in a Croissant file, as the specification gives it.
_CONTEXT: dict[str, Json] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


@dataclass(frozen=True, slots=True)
class CroissantField:
    """One column. kind: a type of schema.org, such as `sc:Integer`."""

    name: str
    description: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CroissantTable:
    """One table and its file of made-up rows, delimited by commas."""

    name: str
    description: str
    url: str
    sha256: str
    fields: Sequence[CroissantField]


@dataclass(frozen=True, slots=True, kw_only=True)
class CroissantDataset:
    """A dataset. published: a day, as AAAA-MM-DD; version: three numbers with dots."""

    name: str
    description: str
    url: str
    publisher: str
    license: str
    published: str
    version: str
    tables: Sequence[CroissantTable]


def encode_croissant(dataset: CroissantDataset) -> bytes:
    """Write a dataset; the same dataset gives the same bytes."""
    return encode_canonical(
        {
            "@context": _CONTEXT,
            "@type": "sc:Dataset",
            "conformsTo": CONFORMS_TO,
            "creator": {"@type": "Organization", "name": dataset.publisher},
            "datePublished": dataset.published,
            "description": dataset.description,
            "distribution": [_file(table) for table in dataset.tables],
            "isLiveDataset": True,
            "license": dataset.license,
            "name": dataset.name,
            "recordSet": [_records(table) for table in dataset.tables],
            "url": dataset.url,
            "version": dataset.version,
        }
    )


def _file(table: CroissantTable) -> Json:
    return {
        "@id": f"{table.name}.csv",
        "@type": "cr:FileObject",
        "contentUrl": table.url,
        "encodingFormat": "text/csv",
        "name": f"{table.name}.csv",
        "sha256": table.sha256,
    }


def _records(table: CroissantTable) -> Json:
    return {
        "@id": table.name,
        "@type": "cr:RecordSet",
        "description": table.description,
        "field": [_field(table.name, field) for field in table.fields],
        "name": table.name,
    }


def _field(table: str, field: CroissantField) -> Json:
    return {
        "@id": f"{table}/{field.name}",
        "@type": "cr:Field",
        "dataType": field.kind,
        "description": field.description,
        "name": field.name,
        "source": {"extract": {"column": field.name}, "fileObject": {"@id": f"{table}.csv"}},
    }
