"""A catalogue as HealthDCAT-AP: what European portals read, in Turtle and JSON-LD.

The properties are those that release 5 of the profile asks of datasets that are not
public, and those that it recommends. The shapes beside this file, `health_dcat.ttl`, are
ours: each says one property that must be there. Values of controlled vocabularies are
URIs, given by the caller; the vocabularies of health categories and themes are not final.

Source: HealthDCAT-AP release 5 (DCAT-AP 3.0.0); W3C CSV on the Web for variables; W3C DQV
for the quality label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import rdflib
from rdflib import Graph
from rdflib.term import Node

EHDS = "http://data.europa.eu/eli/reg/2025/327/oj"
GDPR = "http://data.europa.eu/eli/reg/2016/679/oj"
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
_PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "csvw": "http://www.w3.org/ns/csvw#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "dqv": "http://www.w3.org/ns/dqv#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "healthdcatap": "http://healthdataportal.eu/ns/health#",
    "oa": "http://www.w3.org/ns/oa#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

# By language, of two letters.
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatAgent:
    """Who publishes, or decides on access.

    kind: URI of the sort of publisher. trusted: a trusted data holder of the EHDS
    (article 72). Whatever is empty is left out, and the shapes will miss it.
    """

    name: str = ""
    homepage: str = ""
    email: str = ""
    kind: str = ""
    note: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatFile:
    """A distribution or a sample: where it is, and what.

    format: of the European file types, such as `CSV`. rights: URL of the terms of access.
    """

    url: str
    title: Texts
    format: str
    size_bytes: int
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatColumn:
    """One variable. kind: a datatype of CSV on the Web."""

    name: str
    title: str
    description: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatTable:
    """One table, at its own page."""

    url: str
    title: str
    columns: Sequence[DcatColumn]


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatDataset:
    """One dataset.

    uri: under which it stands in the graph. identifier: its lasting name, a URI.
    categories, themes, purposes, legal_bases, personal_data, coding_systems,
        legislation: URIs. spatial: URI of a place.
    rows, people: rounded; null when not known. ages: least and greatest, or null.
    period: first and last day of care, or null; retention: the same, of keeping.
    frequency: of the European frequencies, such as `MONTHLY`, or empty.
    quality: what the label says, by element, as sentences.
    modified: the day of the newest version, or empty.
    """

    uri: str
    identifier: str
    page: str
    title: Texts
    description: Texts
    keywords: Mapping[str, Sequence[str]]
    publisher: DcatAgent
    contact: DcatAgent
    hdab: DcatAgent
    provenance: Texts
    purposes: Sequence[str] = ()
    categories: Sequence[str] = ()
    themes: Sequence[str] = ()
    legislation: Sequence[str] = ()
    legal_bases: Sequence[str] = ()
    personal_data: Sequence[str] = ()
    coding_systems: Sequence[str] = ()
    spatial: str = ""
    coverage: Texts = field(default_factory=dict)
    distributions: Sequence[DcatFile] = ()
    samples: Sequence[DcatFile] = ()
    tables: Sequence[DcatTable] = ()
    rows: int | None = None
    people: int | None = None
    ages: tuple[int, int] | None = None
    period: tuple[str, str] | None = None
    retention: tuple[str, str] | None = None
    frequency: str = ""
    quality: Mapping[str, str] = field(default_factory=dict)
    modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DcatCatalogue:
    """The catalogue itself."""

    uri: str
    title: Texts
    description: Texts
    publisher: DcatAgent
    datasets: Sequence[DcatDataset]
    legislation: Sequence[str] = (EHDS, GDPR)


@dataclass(frozen=True, slots=True)
class DcatTexts:
    """One catalogue in both spellings."""

    turtle: bytes
    json_ld: bytes


def encode_dcat(catalogue: DcatCatalogue) -> DcatTexts:
    """Write a catalogue as Turtle and as JSON-LD, from one graph."""
    writer = _Writer()
    writer.catalogue(catalogue)
    return DcatTexts(
        turtle=bytes(writer.graph.serialize(format="turtle", encoding="utf-8")),
        json_ld=writer.graph.serialize(format="json-ld", indent=1, context=_PREFIXES).encode(),
    )


class _Writer:
    """Puts values into one graph."""

    def __init__(self) -> None:
        self.graph = Graph()
        for prefix, uri in _PREFIXES.items():
            self.graph.bind(prefix, uri)

    def catalogue(self, catalogue: DcatCatalogue) -> None:
        """Put the catalogue and all its datasets."""
        node = self._uri(catalogue.uri)
        self._typed(node, "dcat:Catalog")
        self._texts(node, "dct:title", catalogue.title)
        self._texts(node, "dct:description", catalogue.description)
        self._link(node, "dct:publisher", self._agent(catalogue.publisher, catalogue.uri, "p"))
        self._uris(node, "dcatap:applicableLegislation", catalogue.legislation)
        for dataset in catalogue.datasets:
            self._link(node, "dcat:dataset", self._uri(dataset.uri))
            self._dataset(dataset)

    def _dataset(self, dataset: DcatDataset) -> None:
        node = self._uri(dataset.uri)
        self._typed(node, "dcat:Dataset")
        self._value(node, "dct:identifier", dataset.identifier, "anyURI")
        self._texts(node, "dct:title", dataset.title)
        self._texts(node, "dct:description", dataset.description)
        for language, words in sorted(dataset.keywords.items()):
            for each in words:
                self._texts(node, "dcat:keyword", {language: each})
        self._uris(node, "dcat:theme", [f"{_AUTHORITY}data-theme/HEAL"])
        self._uris(node, "dct:type", [f"{_AUTHORITY}dataset-type/PERSONAL_DATA"])
        self._uris(node, "dct:accessRights", [f"{_AUTHORITY}access-right/NON_PUBLIC"])
        self._uris(node, "dcat:landingPage", [dataset.page])
        self._people(node, dataset)
        self._law(node, dataset)
        self._measures(node, dataset)
        for n, file in enumerate(dataset.distributions, 1):
            self._link(node, "dcat:distribution", self._file(dataset.uri, f"file-{n}", file))
        for n, file in enumerate(dataset.samples, 1):
            self._link(node, "adms:sample", self._file(dataset.uri, f"sample-{n}", file))
        for table in dataset.tables:
            self._link(node, "dct:hasPart", self._table(table))

    def _people(self, node: Node, dataset: DcatDataset) -> None:
        uri = dataset.uri
        self._link(node, "dct:publisher", self._agent(dataset.publisher, uri, "publisher"))
        self._link(node, "healthdcatap:hdab", self._agent(dataset.hdab, uri, "hdab"))
        self._link(node, "dcat:contactPoint", self._contact(dataset.contact, uri, "contact"))

    def _law(self, node: Node, dataset: DcatDataset) -> None:
        self._uris(node, "dcatap:applicableLegislation", dataset.legislation)
        self._uris(node, "dpv:hasPurpose", dataset.purposes)
        self._uris(node, "dpv:hasLegalBasis", dataset.legal_bases)
        self._uris(node, "dpv:hasPersonalData", dataset.personal_data)
        self._uris(node, "healthdcatap:healthCategory", dataset.categories)
        self._uris(node, "healthdcatap:healthTheme", dataset.themes)
        self._uris(node, "healthdcatap:hasCodingSystem", dataset.coding_systems)
        if any(dataset.provenance.values()):
            origin = self._part(dataset.uri, "provenance", "dct:ProvenanceStatement")
            self._texts(origin, "rdfs:label", dataset.provenance)
            self._link(node, "dct:provenance", origin)
        if dataset.retention:
            span = self._period(dataset.uri, "retention", dataset.retention)
            self._link(node, "healthdcatap:retentionPeriod", span)

    def _measures(self, node: Node, dataset: DcatDataset) -> None:
        self._uris(node, "dct:spatial", [dataset.spatial])
        self._texts(node, "healthdcatap:populationCoverage", dataset.coverage)
        least, greatest = dataset.ages or (None, None)
        for name, number in (
            ("numberOfRecords", dataset.rows),
            ("numberOfUniqueIndividuals", dataset.people),
            ("minTypicalAge", least),
            ("maxTypicalAge", greatest),
        ):
            if number is not None:
                self._value(node, f"healthdcatap:{name}", number, "nonNegativeInteger")
        if dataset.period:
            span = self._period(dataset.uri, "period", dataset.period)
            self._link(node, "dct:temporal", span)
        if dataset.frequency:
            self._uris(
                node, "dct:accrualPeriodicity", [f"{_AUTHORITY}frequency/{dataset.frequency}"]
            )
        if dataset.modified:
            self._value(node, "dct:modified", dataset.modified, "date")
        for element, sentence in dataset.quality.items():
            self._quality(node, dataset.uri, element, sentence)

    def _quality(self, node: Node, uri: str, element: str, sentence: str) -> None:
        note = self._part(uri, f"quality-{element}", "dqv:QualityAnnotation")
        body = self._part(uri, f"quality-{element}-text", "oa:TextualBody")
        self._link(note, "oa:hasTarget", node)
        self._link(note, "oa:motivatedBy", self._term("dqv:qualityAssessment"))
        self._link(note, "oa:hasBody", body)
        self._texts(body, "rdfs:value", {"en": sentence})
        self._link(node, "dqv:hasQualityAnnotation", note)

    def _file(self, uri: str, name: str, file: DcatFile) -> Node:
        node = self._part(uri, name, "dcat:Distribution")
        self._texts(node, "dct:title", file.title)
        self._uris(node, "dcat:accessURL", [file.url])
        self._uris(node, "dct:format", [f"{_AUTHORITY}file-type/{file.format}"])
        self._uris(node, "dct:rights", [file.rights])
        self._value(node, "dcat:byteSize", file.size_bytes, "nonNegativeInteger")
        self._uris(node, "dcatap:applicableLegislation", [EHDS])
        return node

    def _table(self, table: DcatTable) -> Node:
        node = self._uri(f"{table.url}#table")
        self._typed(node, "csvw:Table")
        self._uris(node, "csvw:url", [table.url])
        self._texts(node, "dct:title", {"": table.title})
        for column in table.columns:
            part = self._part(f"{table.url}#table", column.name, "csvw:Column")
            self._texts(part, "csvw:name", {"": column.name})
            self._texts(part, "csvw:titles", {"": column.title or column.name})
            self._texts(part, "dct:description", {"": column.description})
            self._texts(part, "csvw:datatype", {"": column.kind})
            self._link(node, "csvw:column", part)
        return node

    def _agent(self, agent: DcatAgent, uri: str, name: str) -> Node | None:
        if not agent.name:
            return None
        node = self._part(uri, name, "foaf:Agent")
        self._texts(node, "foaf:name", {"": agent.name})
        self._uris(node, "foaf:homepage", [agent.homepage])
        if agent.email:
            self._uris(node, "foaf:mbox", [f"mailto:{agent.email}"])
        self._uris(node, "dct:type", [agent.kind])
        self._uris(node, "healthdcatap:publisherType", [agent.kind])
        self._texts(node, "healthdcatap:publisherNote", {"": agent.note})
        self._texts(node, "dct:description", {"": agent.note})
        self._value(node, "healthdcatap:trustedDataHolder", agent.trusted, "boolean")
        self._link(node, "dcat:contactPoint", self._contact(agent, uri, f"{name}-contact"))
        return node

    def _contact(self, agent: DcatAgent, uri: str, name: str) -> Node | None:
        if not (agent.email or agent.homepage):
            return None
        node = self._part(uri, name, "vcard:Kind")
        self._texts(node, "vcard:fn", {"": agent.name})
        if agent.email:
            self._uris(node, "vcard:hasEmail", [f"mailto:{agent.email}"])
        self._uris(node, "vcard:hasURL", [agent.homepage])
        return node

    def _period(self, uri: str, name: str, days: tuple[str, str]) -> Node:
        node = self._part(uri, name, "dct:PeriodOfTime")
        self._value(node, "dcat:startDate", days[0], "date")
        self._value(node, "dcat:endDate", days[1], "date")
        return node

    def _part(self, uri: str, name: str, kind: str) -> Node:
        """Name a thing under another: a name of its own says the same every time."""
        node = self._uri(f"{uri}-{name}" if "#" in uri else f"{uri}#{name}")
        self._typed(node, kind)
        return node

    def _uri(self, uri: str) -> Node:
        return rdflib.URIRef(uri)

    def _term(self, short: str) -> Node:
        prefix, _, name = short.partition(":")
        return rdflib.URIRef(_PREFIXES[prefix] + name)

    def _typed(self, node: Node, kind: str) -> None:
        self._link(node, "rdf:type", self._term(kind))

    def _link(self, node: Node, name: str, to: Node | None) -> None:
        predicate = rdflib.RDF.type if name == "rdf:type" else self._term(name)
        if to is not None:
            self.graph.add((node, predicate, to))

    def _uris(self, node: Node, name: str, uris: Sequence[str]) -> None:
        for uri in uris:
            if uri:
                self._link(node, name, self._uri(uri))

    def _texts(self, node: Node, name: str, texts: Texts) -> None:
        for language, text in sorted(texts.items()):
            if text:
                self._link(node, name, rdflib.Literal(text, lang=language or None))

    def _value(self, node: Node, name: str, value: Any, kind: str) -> None:
        if value != "":
            typed = rdflib.Literal(value, datatype=rdflib.XSD[kind])
            self._link(node, name, typed)
