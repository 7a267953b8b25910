"""What an operator says of its catalogue and of each dataset, and no count can tell.

Who publishes, who decides on access, where the data come from, under which law. It stands in
`catalogue.toml`, in the hub's directory; of the datasets of the SNDS much is known before
(`snds.datasets`), and what the file says goes before it. What a European catalogue asks
for and nobody said is listed by `missing_words`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, TypeVar

from havre.errors import InvalidInput
from havre.snds.datasets import KNOWN_DATASETS

# By language, of two letters.
Texts = Mapping[str, str]
T = TypeVar("T")
_LANGUAGE = re.compile("[a-z]{2}")
_MAX_CHARACTERS = 4000
_URI = re.compile(r"(https?://|urn:)[^\s<>\"{}|\\^`]{1,500}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A house: the publisher, the health data access body, whom to write to.

    kind: URI of the sort of publisher. trusted: it is a trusted data holder.
    """

    name: str = ""
    homepage: str = ""
    email: str = ""
    kind: str = ""
    note: str = ""
    trusted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCard:
    """What is said of one dataset; an empty word was not said.

    purposes, categories, themes, legal_bases, personal_data: URIs.
    ages: the least and the greatest that is usual. retention: first and last day of keeping.
    frequency: of the European frequencies, such as `MONTHLY`.
    holder: who keeps the source.
    """

    name: str
    title: Texts = field(default_factory=dict)
    description: Texts = field(default_factory=dict)
    keywords: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    provenance: Texts = field(default_factory=dict)
    coverage: Texts = field(default_factory=dict)
    holder: str = ""
    purposes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    legal_bases: tuple[str, ...] = ()
    legislation: tuple[str, ...] = ()
    personal_data: tuple[str, ...] = ()
    spatial: str = ""
    frequency: str = ""
    ages: tuple[int, int] | None = None
    retention: tuple[str, str] | None = None

    def words(self, texts: Texts, language: str) -> str:
        """Choose a text's language; another one where this one is lacking."""
        return texts.get(language) or next(iter(texts.values()), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueCard:
    """What is said of the whole catalogue.

    address: where the public site stands, ending with a slash; an URN when nobody said it.
    datasets: by name, those of which the file speaks.
    """

    address: str = "urn:havre:site/"
    title: Texts = field(default_factory=dict)
    description: Texts = field(default_factory=dict)
    publisher: Body = Body()
    access_body: Body = Body()
    contact: Body = Body()
    datasets: Mapping[str, DatasetCard] = field(default_factory=dict)

    def dataset(self, name: str) -> DatasetCard:
        """What is said of a dataset: the file's words, else what is known of the SNDS, else its name."""
        if name in self.datasets:
            return self.datasets[name]
        return known_card(name)


def known_card(name: str) -> DatasetCard:
    """What is known of a dataset before its operator says anything.

    >>> known_card("dcir").frequency, known_card("cohort").title
    ('MONTHLY', {'en': 'cohort', 'fr': 'cohort'})
    """
    facts = KNOWN_DATASETS.get(name)
    if facts is None:
        return DatasetCard(name=name, title={"en": name, "fr": name})
    return _card(name, facts, start=DatasetCard(name=name))


def parse_cards(body: Mapping[str, Any]) -> CatalogueCard:
    """Read what stands in `catalogue.toml`, already parsed from TOML.

    Raises:
        InvalidInput: a word that nobody knows, or one that is spelled otherwise; it is named.
    """
    _check_words(body, {"catalogue", "publisher", "access_body", "contact", "datasets"}, "")
    catalogue = _table(body.get("catalogue", {}), "catalogue")
    _check_words(catalogue, {"address", "title", "description"}, "catalogue.")
    datasets = _table(body.get("datasets", {}), "datasets")
    address = _uri(catalogue.get("address", CatalogueCard().address), "catalogue.address")
    return CatalogueCard(
        address=address if address.endswith("/") else f"{address}/",
        title=_texts(catalogue.get("title", {}), "catalogue.title"),
        description=_texts(catalogue.get("description", {}), "catalogue.description"),
        publisher=_body(body.get("publisher", {}), "publisher"),
        access_body=_body(body.get("access_body", {}), "access_body"),
        contact=_body(body.get("contact", {}), "contact"),
        datasets={
            name: _card(name, _table(said, f"datasets.{name}"), start=known_card(name))
            for name, said in datasets.items()
        },
    )


# What a European catalogue asks for, and where it is said.
_OF_BODIES = {
    "publisher": ("name", "homepage", "email", "kind", "note"),
    "access_body": ("name", "homepage", "email"),
}
_OF_DATASETS = (
    "title", "description", "keywords", "provenance", "purposes", "categories", "themes",
    "legislation", "spatial",
)  # fmt: skip


def missing_words(card: CatalogueCard, datasets: tuple[str, ...]) -> tuple[str, ...]:
    """List what a European catalogue asks for and nobody has said, as the words of the file.

    >>> missing_words(CatalogueCard(), ("dcir",))[:3]
    ('catalogue.address', 'catalogue.title', 'catalogue.description')
    """
    lacking = []
    if card.address == CatalogueCard().address:
        lacking.append("catalogue.address")
    lacking += [f"catalogue.{word}" for word in ("title", "description") if not getattr(card, word)]
    for body, words in _OF_BODIES.items():
        said = getattr(card, body)
        lacking += [f"{body}.{word}" for word in words if not getattr(said, word)]
    for name in datasets:
        said = card.dataset(name)
        lacking += [f"datasets.{name}.{word}" for word in _OF_DATASETS if not getattr(said, word)]
    return tuple(lacking)


def _body(said: Any, where: str) -> Body:
    table = _table(said, where)
    _check_words(table, {each.name for each in fields(Body)}, f"{where}.")
    trusted = table.get("trusted", False)
    if not isinstance(trusted, bool):
        raise _misspelled(f"{where}.trusted")
    texts = {
        word: _text(table.get(word, ""), f"{where}.{word}") for word in ("name", "email", "note")
    }
    links = {
        word: _uri(table[word], f"{where}.{word}") for word in ("homepage", "kind") if word in table
    }
    return Body(trusted=trusted, **texts, **links)


def _card(name: str, said: Mapping[str, Any], *, start: DatasetCard) -> DatasetCard:
    where = f"datasets.{name}."
    _check_words(said, _READERS.keys(), where)
    read = {word: _READERS[word](value, f"{where}{word}") for word, value in said.items()}
    return replace(start, **read)


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or len(value) > _MAX_CHARACTERS:
        raise _misspelled(where)
    return value.strip()


def _uri(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _URI.fullmatch(value):
        raise _misspelled(where)
    return value


def _texts(value: Any, where: str) -> Texts:
    return _by_language(value, where, _text)


def _keywords(value: Any, where: str) -> Mapping[str, tuple[str, ...]]:
    return _by_language(value, where, lambda each, at: _list(each, at, _text))


def _by_language(value: Any, where: str, read: Callable[[Any, str], T]) -> Mapping[str, T]:
    table = _table(value, where)
    if not all(_LANGUAGE.fullmatch(language) for language in table):
        raise _misspelled(where)
    return {language: read(each, f"{where}.{language}") for language, each in table.items()}


def _list(value: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    if not isinstance(value, list | tuple):
        raise _misspelled(where)
    return tuple(read(each, where) for each in value)


def _uris(value: Any, where: str) -> tuple[str, ...]:
    return _list(value, where, _uri)


def _ages(value: Any, where: str) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    if len(pair) != 2 or not all(type(each) is int and 0 <= each <= 130 for each in pair):
        raise _misspelled(where)
    return pair[0], pair[1]


def _days(value: Any, where: str) -> tuple[str, str]:
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    try:
        first, last = (date.fromisoformat(str(each)) for each in pair)
    except ValueError:
        raise _misspelled(where) from None
    return first.isoformat(), last.isoformat()


_READERS: Mapping[str, Callable[[Any, str], Any]] = {
    "title": _texts,
    "description": _texts,
    "keywords": _keywords,
    "provenance": _texts,
    "coverage": _texts,
    "holder": _text,
    "purposes": _uris,
    "categories": _uris,
    "themes": _uris,
    "legal_bases": _uris,
    "legislation": _uris,
    "personal_data": _uris,
    "spatial": _uri,
    "frequency": _text,
    "ages": _ages,
    "retention": _days,
}


def _table(value: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _misspelled(where)
    return value


def _check_words(table: Mapping[str, Any], known: Any, where: str) -> None:
    if strange := sorted(table.keys() - set(known)):
        raise InvalidInput(
            f"catalogue.toml has words that nobody knows: {', '.join(where + each for each in strange)}.",
            hint="The words are listed in docs/catalogue.md.",
        )


def _misspelled(where: str) -> InvalidInput:
    return InvalidInput(
        f"catalogue.toml spells {where} otherwise than it should.",
        hint="docs/catalogue.md shows each word with an example.",
    )
