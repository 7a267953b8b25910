"""The public site as static files: `ports.pages.SitePages`, with Jinja2.

No script, no font or picture from elsewhere: a page can be read offline, printed,
and kept for fifty years.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined

from havre.adapters.pages.words import LANGUAGES, word
from havre.domain.events import Event, KeysRequested
from havre.ports.pages import SiteFacts

_TEMPLATES = ("index", "permits", "releases", "log", "verify")
_SHOWN_ENTRIES = 500


class StaticSite:
    """Pages in a directory, beside the log and the released files."""

    def __init__(self, folder: Path, *, verifier: bytes) -> None:
        """Write into `folder`; `verifier` is the one file that a stranger runs."""
        self._folder = folder
        self._verifier = verifier
        self._templates = Environment(
            loader=FunctionLoader(_template),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def write(self, facts: SiteFacts) -> list[str]:
        """Write every page."""
        written = []
        for path, content in self._pages(facts):
            target = self._folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.with_name(f".{target.name}.part")
            draft.write_bytes(content)
            os.replace(draft, target)  # noqa: PTH105 - says that it is one step
            written.append(path)
        return written

    def _pages(self, facts: SiteFacts) -> Iterator[tuple[str, bytes]]:
        yield "style.css", _resource("style.css").encode()
        yield "trust.json", facts.trust
        yield "verify_log.py", self._verifier
        for name, envelopes in facts.signed.items():
            for index, envelope in envelopes.items():
                yield f"register/permits/{name}/{index}.json", envelope
        for language in LANGUAGES:
            for page in _TEMPLATES:
                yield f"{language}/{page}.html", self._page(page, language, facts)
            for name in facts.permits:
                yield (
                    f"{language}/permit-{name}.html",
                    self._page("permit", language, facts, permit=name),
                )
        yield "index.html", self._templates.get_template("home.html").render().encode()

    def _page(
        self, page: str, language: str, facts: SiteFacts, *, permit: str | None = None
    ) -> bytes:
        (other,) = [each for each in LANGUAGES if each != language]
        name = f"permit-{permit}" if permit else page
        register = facts.register
        text = self._templates.get_template(f"{page}.html").render(
            t=partial(_say, language),
            language=language,
            other=f"../{other}/{name}.html",
            page=page,
            facts=facts,
            register=register,
            line=register.permits.get(permit) if permit else None,
            text=facts.permits.get(permit) if permit else None,
            timeline=list(reversed(register.timeline))[:_SHOWN_ENTRIES],
            at=_at,
            number=partial(_number, language),
            about=_about,
        )
        return text.encode()


def _say(language: str, key: str, *values: object) -> str:
    return word(key, language, *values)


def _template(name: str) -> str:
    return _resource(f"templates/{name}")


def _resource(name: str) -> str:
    return resources.files("havre.adapters.pages").joinpath(name).read_text("utf-8")


def _at(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M") if moment else ""


def _number(language: str, value: int) -> str:
    return f"{value:,}".replace(",", "\u202f" if language == "fr" else ",")


def _about(event: Event) -> str:
    """The one word that says what an entry is about; never more than the log says."""
    if isinstance(event, KeysRequested):
        return event.purpose
    for name in ("delivery", "permit", "request", "job", "dataset", "drill", "departure"):
        value: Any = getattr(event, name, None)
        if isinstance(value, str):
            return value
    return ""
