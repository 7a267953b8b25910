"""What every printed page shares: one style sheet, both languages, nothing from elsewhere."""

from __future__ import annotations

from functools import partial
from importlib import resources

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from havre.adapters.paper.words import word

# Characters in a line of the text form.
WIDTH = 78


def render(template: str, *, language: str, **values: object) -> str:
    """Fill a template; it has `t` for the words of its language."""
    environment = Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        t=partial(word, language=language),
        language=language,
        style=Markup(_resource("page.css")),  # noqa: S704 - our own file
        grouped=grouped,
        coded=_coded,
        **values,
    )


def grouped(digest: str) -> str:
    """Cut hexadecimal digits into groups of eight, which the eye can compare.

    >>> grouped("0123456789abcdef")
    '01234567 89abcdef'
    """
    return " ".join(digest[at : at + 8] for at in range(0, len(digest), 8))


def titled(title: str, under: str) -> str:
    """Underline a title in the text form.

    >>> titled("The act", "-")
    'The act\\n-------'
    """
    return f"{title}\n{under * max(map(len, title.splitlines()))}"


def _coded(text: str) -> Markup:
    """Set what stands between backquotes as code."""
    parts = [escape(part) for part in text.split("`")]
    parts[1::2] = [Markup("<code>{}</code>").format(part) for part in parts[1::2]]
    return Markup("").join(parts)


def _resource(name: str) -> str:
    return resources.files("havre.adapters.paper").joinpath(f"templates/{name}").read_text("utf-8")
