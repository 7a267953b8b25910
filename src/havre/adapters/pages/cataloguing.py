"""What a page says of a dataset, a table, a variable: the view of the catalogue, in words."""

from __future__ import annotations

from collections.abc import Iterable

from havre.adapters.pages.words import typeset, word
from havre.domain.catalogue_view import CatalogueView, DatasetView, VersionView
from havre.domain.description import TableDescription, VariableDescription
from havre.domain.quality import Element, Judgement, compare_labels
from havre.formats.canonical import Json, encode_canonical
from havre.snds.titles import find_title


class CatalogueTeller:
    """Says things of the catalogue in one language."""

    def __init__(self, view: CatalogueView, language: str) -> None:
        self.view = view
        self._language = language

    def say(self, key: str, *values: object) -> str:
        """Say one sentence of `words`."""
        return word(key, self._language, *values)

    def number(self, value: int) -> str:
        """Write a count with the language's own thousands."""
        return f"{value:,}".replace(",", "\u202f" if self._language == "fr" else ",")

    def title(self, dataset: DatasetView) -> str:
        """Name a dataset."""
        said = dataset.card.words(dataset.card.title, self._language)
        return typeset(said, self._language) or dataset.name

    def text(self, dataset: DatasetView, word_of_card: str) -> str:
        """Say one of the texts of a dataset's card, such as `description`."""
        said = dataset.card.words(getattr(dataset.card, word_of_card), self._language)
        return typeset(said, self._language)

    def keywords(self, dataset: DatasetView) -> str:
        """List a dataset's keywords."""
        return typeset(", ".join(dataset.card.keywords.get(self._language, ())), self._language)

    def name(self, variable: VariableDescription) -> str:
        """Say what a variable holds, in a few words: as it was declared, or as the SNDS is known."""
        return variable.title or typeset(find_title(variable.name, self._language), self._language)

    def rows(self, rows: int) -> str:
        """Write a rounded number of rows."""
        return self.number(rows) if rows else self.say("fewer_than_fifty")

    def people(self, people: int | None, how: str) -> str:
        """Write a rounded number of people. how: `counted` or `at-least`."""
        if people is None:
            return self.say("not_told")
        if not people:
            return self.say("fewer_than_fifty")
        return (
            self.say("at_least", self.number(people)) if how == "at-least" else self.number(people)
        )

    def people_of(self, dataset: DatasetView) -> str:
        """Write how many people a dataset names: at least as many as its largest table."""
        return self.people(dataset.people, "at-least")

    def period(self, dataset: DatasetView) -> str:
        """Say which period a dataset covers; nothing when it is not known."""
        return self.say("from_to", *dataset.period) if dataset.period else ""

    def missing(self, variable: VariableDescription, table: TableDescription) -> str:
        """Say which part of a table's rows lacks a cell, of rounded numbers; nothing where it is not told."""
        if not table.rows or variable.missing is None:
            return ""
        share = min(100, round(100 * variable.missing / table.rows))
        return f"{share}\u00a0%" if self._language == "fr" else f"{share}%"

    def measured(self, judgement: Judgement) -> str:
        """Say what a level rests on."""
        if judgement.measured is None:
            return ""
        if judgement.element is Element.TIMELINESS:
            return self.say("measured_days", self.number(judgement.measured))
        share = f"{judgement.measured / 1000:.2f}"
        share = share.replace(".", ",") if self._language == "fr" else share
        return self.say("measured_share", share, self.number(judgement.lines))

    def levels(self, dataset: DatasetView) -> list[tuple[str, int | None]]:
        """The newest label, as names of elements and levels."""
        if dataset.label is None:
            return []
        return [
            (self.say(f"quality-{each.element.value}"), each.level)
            for each in dataset.label.judgements
        ]

    def changes(self, version: VersionView, versions: tuple[VersionView, ...]) -> str:
        """Say how a version's label stands against the one before."""
        at = versions.index(version)
        before = versions[at - 1].label if at else None
        if version.label is None or before is None:
            return ""
        changed = compare_labels(version.label, before)
        told = [
            self.say(
                f"change-{how}",
                self._elements(each.element for each in changed if each.word == how),
            )
            for how in ("better", "worse")
            if any(each.word == how for each in changed)
        ]
        return " · ".join(told) or self.say("change-same")

    def _elements(self, elements: Iterable[Element]) -> str:
        return ", ".join(self.say(f"quality-{each.value}").lower() for each in elements)


def search_index(view: CatalogueView) -> bytes:
    """Write what can be searched: each table and variable, with its title, in order."""
    lines: list[Json] = []
    for dataset in view.datasets:
        for table in dataset.tables:
            lines.append([dataset.name, table.name, "", table.title])
            lines += [
                [dataset.name, table.name, each.name, _both_titles(each)]
                for each in table.variables
            ]
    return encode_canonical({"format": "havre/v1/search", "lines": lines})


def _both_titles(variable: VariableDescription) -> str:
    """What is searched of a variable: its own title, or ours in both languages."""
    ours = [find_title(variable.name, language) for language in ("fr", "en")]
    return variable.title or " / ".join(dict.fromkeys(filter(None, ours)))
