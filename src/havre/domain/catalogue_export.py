"""The catalogue in other people's formats: which of our words is which property there."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from havre.domain.catalogue_view import CatalogueView, DatasetView, SampleFile
from havre.domain.dataset_card import Body, CatalogueCard
from havre.domain.description import TableDescription, VariableDescription
from havre.domain.quality import Element, Judgement
from havre.formats.croissant import CroissantDataset, CroissantField, CroissantTable
from havre.formats.health_dcat import (
    DcatAgent,
    DcatCatalogue,
    DcatColumn,
    DcatDataset,
    DcatFile,
    DcatTable,
)
from havre.snds.code_systems import find_code_system
from havre.snds.titles import find_title

# Code systems that have a URI of their own; the others are named in the pages alone.
CODING_SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        "ICD-10": "http://hl7.org/fhir/sid/icd-10",
        "ATC": "http://www.whocc.no/atc",
        "LOINC": "http://loinc.org",
        "SNOMED CT": "http://snomed.info/sct",
    }
)
# Our types as CSV on the Web and as schema.org have them; a month or a code is text.
_TYPES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "integer": ("integer", "sc:Integer"),
        "decimal": ("decimal", "sc:Float"),
        "date": ("date", "sc:Date"),
        "datetime": ("dateTime", "sc:DateTime"),
        "year": ("gYear", "sc:Integer"),
    }
)
_TEXT = ("string", "sc:Text")
# What a cell takes on average, for the order of size that a catalogue asks for.
_CELL_BYTES = 8


def dcat_of(view: CatalogueView) -> DcatCatalogue:
    """Write the catalogue in the words of HealthDCAT-AP."""
    card = view.card
    return DcatCatalogue(
        uri=f"{card.address}catalogue/catalogue.ttl#catalogue",
        title=card.title,
        description=card.description,
        publisher=_agent(card.publisher),
        datasets=tuple(_dataset(each, card) for each in view.datasets),
    )


def _dataset(view: DatasetView, card: CatalogueCard) -> DcatDataset:
    said = view.card
    page = f"{card.address}en/dataset-{view.name}.html"
    cells = sum(each.rows * len(each.variables) for each in view.tables)
    return DcatDataset(
        uri=f"{page}#dataset",
        identifier=page,
        page=page,
        title=said.title,
        description=said.description,
        keywords=said.keywords,
        publisher=_agent(card.publisher),
        contact=_contact(card),
        hdab=_agent(card.access_body),
        provenance=said.provenance,
        purposes=said.purposes,
        categories=said.categories,
        themes=said.themes,
        legislation=said.legislation,
        legal_bases=said.legal_bases,
        personal_data=said.personal_data,
        coding_systems=_coding_systems(view.tables),
        spatial=said.spatial,
        coverage=said.coverage,
        distributions=(_behind_a_permit(card, size_bytes=cells * _CELL_BYTES),),
        samples=tuple(_sample(each, card) for each in view.sample),
        tables=tuple(_table(each, card) for each in view.tables),
        rows=view.rows,
        people=view.people,
        ages=said.ages,
        period=_days(view.period),
        retention=said.retention,
        frequency=said.frequency,
        quality=_quality(view),
        modified=view.versions[-1].at.date().isoformat() if view.versions else "",
    )


def _agent(body: Body) -> DcatAgent:
    return DcatAgent(
        name=body.name,
        homepage=body.homepage,
        email=body.email,
        kind=body.kind,
        note=body.note,
        trusted=body.trusted,
    )


def _contact(card: CatalogueCard) -> DcatAgent:
    """Whom to write to; the publisher's page and address where nothing else was said."""
    said, publisher = card.contact, card.publisher
    return DcatAgent(
        name=said.name or publisher.name,
        homepage=said.homepage or publisher.homepage,
        email=said.email or publisher.email,
    )


def _behind_a_permit(card: CatalogueCard, *, size_bytes: int) -> DcatFile:
    """The rows themselves: never a file to fetch, only an extract under a permit."""
    return DcatFile(
        url=f"{card.address}en/permits.html",
        title={
            "en": "In the secure processing environment, under a permit",
            "fr": "Dans l'environnement de traitement sécurisé, sous permis",
        },
        format="PARQUET",
        size_bytes=size_bytes,
        rights=f"{card.address}en/permits.html",
    )


def _sample(file: SampleFile, card: CatalogueCard) -> DcatFile:
    return DcatFile(
        url=f"{card.address}{file.path}",
        title={
            "en": f"{file.table}, made-up rows",
            "fr": f"{file.table}, lignes fictives",
        },
        format="CSV",
        size_bytes=file.size_bytes,
        rights="http://publications.europa.eu/resource/authority/access-right/PUBLIC",
    )


def _table(table: TableDescription, card: CatalogueCard) -> DcatTable:
    return DcatTable(
        url=f"{card.address}en/table-{table.name}.html",
        title=table.title or table.name,
        columns=tuple(
            DcatColumn(
                name=each.name,
                title=each.title or find_title(each.name, "en"),
                description=describe_variable(each),
                kind=_TYPES.get(each.type, _TEXT)[0],
            )
            for each in table.variables
        ),
    )


def describe_variable(variable: VariableDescription) -> str:
    """Say in a line what a variable is.

    >>> day = VariableDescription(name="D", title="Day", type="date", missing=0, low="2023-01",
    ...     high="2023-12")
    >>> describe_variable(day)
    'Day; from 2023-01 to 2023-12'
    """
    parts = [variable.title or find_title(variable.name, "en") or variable.name]
    if variable.code_system:
        parts.append(f"codes of {variable.code_system}")
    if variable.unit:
        parts.append(f"in {variable.unit}")
    if variable.low is not None:
        parts.append(f"from {variable.low} to {variable.high}")
    return "; ".join(parts)


def _coding_systems(tables: Sequence[TableDescription]) -> tuple[str, ...]:
    named = {
        system
        for table in tables
        for each in table.variables
        # A description names a table of codes of its own; the SNDS's names say which codes.
        for system in (each.code_system, find_code_system(each.name))
    }
    return tuple(CODING_SYSTEMS[name] for name in sorted(named & CODING_SYSTEMS.keys()))


def _days(period: tuple[str, str] | None) -> tuple[str, str] | None:
    """The first day of the first month, or year, and the last of the last."""
    if period is None:
        return None
    first, last = period
    year, _, month = last.partition("-")
    day = calendar.monthrange(int(year), int(month or 12))[1]
    start = first if "-" in first else f"{first}-01"
    return f"{start}-01", f"{year}-{int(month or 12):02d}-{day:02d}"


def _quality(view: DatasetView) -> dict[str, str]:
    if view.label is None:
        return {}
    return {each.element.value: say_judgement(each) for each in view.label.judgements}


# What the share of an element is of, where it is not of rows: the worse one's of two shares.
_COUNTED_IN = {Element.COMPLETENESS: "cells", Element.VALIDITY: "rows or codes"}


def say_judgement(judgement: Judgement) -> str:
    """Say a judgement and its evidence in a sentence.

    >>> say_judgement(Judgement(Element.VALIDITY, 3, 99_500, 20_000, 100))
    'validity: level 3 of 4 (99.50 % of about 20000 rows or codes)'
    """
    name = judgement.element.value
    if judgement.level is None or judgement.measured is None:
        return f"{name}: not measured"
    if judgement.element is Element.TIMELINESS:
        return f"{name}: level {judgement.level} of 4 ({judgement.measured} days)"
    share = judgement.measured / 1000
    of = _COUNTED_IN.get(judgement.element, "rows")
    return f"{name}: level {judgement.level} of 4 ({share:.2f} % of about {judgement.lines} {of})"


def croissant_of(view: DatasetView, card: CatalogueCard) -> CroissantDataset:
    """Write a dataset's sample in the words of Croissant."""
    tables = {each.name: each for each in view.tables}
    return CroissantDataset(
        name=view.name,
        description=view.card.words(view.card.description, "en") or view.name,
        url=f"{card.address}en/dataset-{view.name}.html",
        publisher=card.publisher.name or "unknown",
        license=f"{card.address}en/permits.html",
        published=view.versions[-1].at.date().isoformat() if view.versions else "1970-01-01",
        version=f"{len(view.versions)}.0.0",
        tables=tuple(
            CroissantTable(
                name=file.table,
                description=tables[file.table].title or file.table,
                url=f"{card.address}{file.path}",
                sha256=file.sha256,
                fields=tuple(
                    CroissantField(
                        each.name, describe_variable(each), _TYPES.get(each.type, _TEXT)[1]
                    )
                    for each in tables[file.table].variables
                ),
            )
            for file in view.sample
            if file.table in tables
        ),
    )
