"""The public site as static files: `ports.pages.SitePages`, with Jinja2.

Nothing comes from elsewhere: a page can be read offline, printed, and kept for fifty years.
One page has a script, for searching; it is whole without it, and no page may run another.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from havre.adapters.pages.cataloguing import CatalogueTeller, search_index
from havre.adapters.pages.drills import list_drills
from havre.adapters.pages.exposing import ExposureTeller
from havre.adapters.pages.telling import Teller, number_columns, show_moment
from havre.adapters.pages.words import LANGUAGES, describe_dataset, word
from havre.domain.trust import Role
from havre.ports.pages import SiteFacts

FILE_LIST = "files.txt"
# The head that the pages show; the log beside them may grow before they are written anew.
CHECKPOINT = "checkpoint"
SHOWN_ENTRIES = 500
_TEMPLATES = ("index", "catalogue", "permits", "releases", "exposure", "drills", "log", "verify")
# Pages that are under another one of the menu.
_UNDER = {"permit": "permits", "dataset": "catalogue", "table": "catalogue"}


class StaticSite:
    """Pages in a directory, beside the log and the released files."""

    def __init__(self, folder: Path, *, verifier: bytes, checker: bytes) -> None:
        """Write into a folder.

        verifier, checker: the two programs that a stranger runs, each one file.
        """
        self._folder = folder
        self._verifier = verifier
        self._checker = checker
        self._templates = _templates()

    def write(self, facts: SiteFacts) -> list[str]:
        """Write every page, and last the list of all files."""
        written = []
        for path, content in self._pages(facts):
            self._put(path, content)
            written.append(path)
        self._put(FILE_LIST, "".join(f"{path}\n" for path in self._published()).encode())
        return [*written, FILE_LIST]

    def _put(self, path: str, content: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.part")
        draft.write_bytes(content)
        os.replace(draft, target)  # noqa: PTH105 - says that it is one step

    def _published(self) -> list[str]:
        """Every file of the site, in order; what is hidden is being written, and the list not in it."""
        paths = (
            path.relative_to(self._folder) for path in self._folder.rglob("*") if path.is_file()
        )
        return sorted(
            path.as_posix()
            for path in paths
            if not any(part.startswith(".") for part in path.parts) and str(path) != FILE_LIST
        )

    def _pages(self, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
        yield "style.css", _resource("style.css").encode()
        yield "catalogue.js", _resource("catalogue.js").encode()
        yield "catalogue/search.json", search_index(facts.catalogue.view)
        yield from facts.catalogue.exports.items()
        yield "trust.json", facts.trust
        yield "verify_log.py", self._verifier
        yield "check_exposure.py", self._checker
        yield "exposure/certificate.json", facts.exposure.certificate
        yield "exposure/facts.json", facts.exposure.facts
        yield CHECKPOINT, facts.checkpoint
        for name, envelopes in facts.signed.items():
            for index, envelope in envelopes.items():
                yield f"register/permits/{name}/{index}.json", envelope
        for sha256, receipt in facts.receipts.items():
            yield f"drills/{sha256}.json", receipt
        for index, statements in facts.erasures.items():
            for name, envelope in statements.items():
                yield f"register/erasures/{index}/{name}.json", envelope
        for permit, envelope in facts.deletions.items():
            yield f"register/deletions/{permit}.json", envelope
        for language in LANGUAGES:
            for page in _TEMPLATES:
                yield f"{language}/{page}.html", self._page(page, language, facts)
            for path, template, more in _single_pages(facts):
                yield (
                    f"{language}/{path}.html",
                    self._page(template, language, facts, path=path, **more),
                )
        home = self._templates.get_template("home.html")
        yield "index.html", home.render(facts=facts, word=word, languages=LANGUAGES).encode()

    def _page(
        self, page: str, language: str, facts: SiteFacts, *, path: str = "", **more: Any
    ) -> bytes:
        (other,) = [each for each in LANGUAGES if each != language]
        register = facts.register
        teller = Teller(language, register=register, roots=facts.roots)
        text = self._templates.get_template(f"{page}.html").render(
            t=teller.say,
            teller=teller,
            number=teller.number,
            at=show_moment,
            number_columns=number_columns,
            describe=describe_dataset,
            language=language,
            other_language=other,
            other=f"../{other}/{path or page}.html",
            page=page,
            under=_UNDER,
            facts=facts,
            register=register,
            roles=list(Role),
            drills=list_drills(facts),
            witnesses=facts.roots.with_role(Role.WITNESS),
            timeline=list(reversed(register.timeline[-SHOWN_ENTRIES:])),
            verifier_sha256=hashlib.sha256(self._verifier).hexdigest(),
            checker_sha256=hashlib.sha256(self._checker).hexdigest(),
            told=ExposureTeller(facts.exposure, language),
            told_of=CatalogueTeller(facts.catalogue.view, language),
            file_list=FILE_LIST,
            **more,
        )
        return text.encode()


def _single_pages(facts: SiteFacts) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every page about one thing: its path, its template, and what it is about."""
    for name, text in facts.permits.items():
        yield f"permit-{name}", "permit", {"line": facts.register.permits.get(name), "text": text}
    for dataset in facts.catalogue.view.datasets:
        yield f"dataset-{dataset.name}", "dataset", {"dataset": dataset}
        for table in dataset.tables:
            yield f"table-{table.name}", "table", {"dataset": dataset, "table": table}


# Reading a template takes longer than filling it in, and none changes while a program runs.
@cache
def _templates() -> Environment:
    return Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template(name: str) -> str:
    return _resource(f"templates/{name}")


def _resource(name: str) -> str:
    return resources.files("havre.adapters.pages").joinpath(name).read_text("utf-8")
