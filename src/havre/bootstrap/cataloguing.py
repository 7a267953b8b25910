"""The catalogue of a hub, put together: for the pages, for other formats, for commands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from havre.application.describe import Descriptions
from havre.bootstrap.catalogue_words import read_cards
from havre.bootstrap.hub import OpenHub
from havre.domain.catalogue_view import CatalogueView, DatasetView, SampleFile, view_dataset
from havre.domain.dataset_card import missing_words
from havre.domain.description_text import encode_description
from havre.domain.quality import Element, QualityLabel, compare_labels
from havre.domain.quality_text import encode_label
from havre.errors import InvalidInput, NotFound
from havre.ports.pages import ShownCatalogue

if TYPE_CHECKING:
    from havre.formats.health_dcat import DcatCatalogue, DcatTexts

# Inside the site; each dataset has a folder of its own.
SAMPLES = "samples"
Row = dict[str, Any]


def view_catalogue(hub: OpenHub) -> CatalogueView:
    """Put together what everybody may know of every dataset."""
    card = read_cards(hub.place.folder)
    known = hub.catalogue.known().catalogue
    descriptions = Descriptions(hub.records, log=hub.log)
    return CatalogueView(
        card,
        tuple(
            view_dataset(
                card.dataset(name),
                known,
                descriptions.versions(name),
                sample=list(_sample(hub.place.site, name)),
            )
            for name in sorted({table.dataset for table in known.tables})
        ),
    )


def view_one(hub: OpenHub, dataset: str) -> DatasetView:
    """Put together what everybody may know of one dataset.

    Raises:
        NotFound: the hub knows no such dataset.
    """
    found = view_catalogue(hub).dataset(dataset)
    if found is None:
        raise NotFound(
            "The catalogue knows no dataset of this name.", hint="See `havre catalogue show`."
        )
    return found


def _sample(site: Path, dataset: str) -> Iterator[SampleFile]:
    for path in sorted((site / SAMPLES / dataset).glob("*.csv")):
        content = path.read_bytes()
        yield SampleFile(
            path.stem,
            path.relative_to(site).as_posix(),
            len(content),
            hashlib.sha256(content).hexdigest(),
        )


def show_catalogue(hub: OpenHub) -> ShownCatalogue:
    """The catalogue for the pages, with everything that stands beside them."""
    view = view_catalogue(hub)
    return ShownCatalogue(view, dict(_exports(view)))


def _exports(view: CatalogueView) -> Iterator[tuple[str, bytes]]:
    from havre.domain.catalogue_export import croissant_of, dcat_of
    from havre.formats.croissant import encode_croissant

    if not view.datasets:
        return
    catalogue = dcat_of(view)
    written = _dcat_texts(_Spelled(repr(catalogue), catalogue))
    yield "catalogue/catalogue.ttl", written.turtle
    yield "catalogue/catalogue.jsonld", written.json_ld
    for dataset in view.datasets:
        folder = f"catalogue/{dataset.name}"
        for version in dataset.versions:
            if version.description:
                yield f"{folder}/{version.index}.json", encode_description(version.description)
            if version.label:
                yield f"{folder}/{version.index}-quality.json", encode_label(version.label)
        if dataset.sample:
            croissant = croissant_of(dataset, view.card)
            yield f"{folder}/croissant.json", encode_croissant(croissant)


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A catalogue, told from others by all that it says: it holds mappings, which have no hash."""

    text: str
    catalogue: DcatCatalogue = field(compare=False)


# Ten thousand statements take most of a second, which is most of a site's writing. A process that
# writes the site again and again, as a drill does, hardly ever has another catalogue to write.
@lru_cache(maxsize=2)
def _dcat_texts(spelled: _Spelled) -> DcatTexts:
    from havre.formats.health_dcat import encode_dcat

    return encode_dcat(spelled.catalogue)


def export_catalogue(hub: OpenHub, out: Path, *, form: str) -> Row:
    """Write the catalogue in another format, into a folder.

    form: `dcat`, `croissant` or `html`.

    Raises:
        InvalidInput: another word.
        NotFound: there is nothing to write in that format.
    """
    if form == "html":
        return _export_pages(hub, out)
    endings = {"dcat": (".ttl", ".jsonld"), "croissant": ("croissant.json",)}.get(form)
    if endings is None:
        raise InvalidInput("A catalogue is written as dcat, croissant or html.")
    chosen = [
        (path, content) for path, content in _exports(view_catalogue(hub)) if path.endswith(endings)
    ]
    if not chosen:
        raise NotFound(
            "There is nothing to write in this format yet.",
            hint="Croissant describes samples: make them with `havre catalogue sample`."
            if form == "croissant"
            else "Import tables first: `havre catalogue import`.",
        )
    for path, content in chosen:
        _write(out / path.removeprefix("catalogue/"), content)
    return {"format": form, "files": len(chosen), "folder": str(out)}


def _export_pages(hub: OpenHub, out: Path) -> Row:
    """Write the whole site anew, and copy of it what is of the catalogue."""
    hub.publication.publish()
    site, copied = hub.place.site, 0
    wanted = ("style.css", "catalogue.js", "catalogue/**/*", f"{SAMPLES}/**/*")
    for pattern in (*wanted, "*/catalogue.html", "*/dataset-*.html", "*/table-*.html"):
        for path in sorted(site.glob(pattern)):
            if path.is_file():
                _write(out / path.relative_to(site), path.read_bytes())
                copied += 1
    return {"format": "html", "files": copied, "folder": str(out)}


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def check_catalogue(hub: OpenHub) -> Row:
    """Say what a European catalogue asks for and is not there yet."""
    view = view_catalogue(hub)
    names = tuple(each.name for each in view.datasets)
    samples = [f"a sample of {each.name}" for each in view.datasets if not each.sample]
    lacking = [*missing_words(view.card, names), *samples]
    return {"datasets": list(names), "lacking": lacking, "complete": not lacking}


def quality_rows(hub: OpenHub, dataset: str, *, against: int | None) -> list[Row]:
    """One row for each element of the newest label; compared with another version's.

    against: index of that version's entry on the log, or null for no comparison.

    Raises:
        NotFound: there is no such dataset, or no label of that version.
    """
    versions = view_one(hub, dataset).versions
    now = _label(versions[-1].label if versions else None)
    if against is None:
        return [_judged(now, element) for element in Element]
    before = _label(next((each.label for each in versions if each.index == against), None))
    return [
        {**_judged(now, change.element), "before": change.before, "change": change.word}
        for change in compare_labels(now, before)
    ]


def _label(label: QualityLabel | None) -> QualityLabel:
    if label is None:
        raise NotFound(
            "There is no quality label of this version.",
            hint="Versions and their entries are on the dataset's page of the public site.",
        )
    return label


def _judged(label: QualityLabel, element: Element) -> Row:
    from havre.domain.catalogue_export import say_judgement

    judged = label.judgement(element)
    said = say_judgement(judged).partition(": ")[2]
    return {"element": element.value, "level": judged.level, "evidence": said}
