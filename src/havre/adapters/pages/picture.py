"""The picture of an exposure: who holds what in rows, what can be read in columns.

One column a message. Its dots are a smallest coalition that obtains it: one dot
alone is enough, several joined by a line must act together. A ring is an operator
who can take the place of another. Drawn as SVG by this module, twice: for a wide
page, and for a telephone. Shape and number say it too, not colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from html import escape

from havre.adapters.pages.words import word
from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.deployment import is_european
from havre.domain.exposure.facts import Arguable, Holds, Push, Subject, System, Threshold, Unstated
from havre.domain.exposure.hub import THIS_HOUSE_TITLE, UNSTATED_MAKERS_TITLE
from havre.domain.exposure.terms import opening_of
from havre.domain.exposure.verdicts import Analysis, Coalitions


class Had(StrEnum):
    """What sort of thing an operator has; the words are `had-…` of the table of words."""

    CLEAR = "clear"
    SEALED = "sealed"
    SHARES = "shares"
    KEYS = "keys"
    SECRET = "secret"
    TRACES = "traces"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Shape:
    """The measures of one drawing, in pixels.

    left, right: kept free of columns; the last column's name leans over the right edge.
    chars: how many signs of a name fit in a line.
    """

    name: str
    width: int
    left: int
    right: int
    head: int
    size: int
    chars: int


WIDE = Shape("wide-picture", 960, 430, 20, 104, 15, 48)
NARROW = Shape("narrow-picture", 358, 146, 32, 100, 13, 17)
_DOT, _LINE = 9, 18
_COLOURS = {0: "#51606e", 1: "#a32222", 2: "#b06f00"}
_ENOUGH = "#1d6b45"


def draw(analysis: Analysis, *, language: str, shape: Shape) -> str:
    """Draw an analysis; returns one SVG element, to stand inside a page."""
    return "".join(_Drawing(analysis, language=language, shape=shape).pieces())


def list_rows(analysis: Analysis) -> list[str]:
    """List the operators who have something, those with most in clear first."""
    order = list(Had)
    had = {name: had_by(analysis, name) for name in analysis.tables.operators}
    return sorted(
        (name for name in had if had[name]),
        key=lambda name: ([order.index(each) for each in had[name]], name),
    )


def had_by(analysis: Analysis, name: str) -> list[Had]:
    """Sort what an operator has, from the gravest to the least."""
    facts = analysis.deployment.facts
    shares = {share for each in facts if isinstance(each, Threshold) for share in each.shares}
    whole = {each.key for each in facts if isinstance(each, Threshold)}
    found = set()
    for fact in facts:
        if isinstance(fact, System) and name in fact.hosts and not fact.tee:
            found.add(Had.CLEAR)
        elif isinstance(fact, Push) and name in fact.by:
            found.add(Had.PUSH)
        elif isinstance(fact, Holds) and fact.operator == name:
            found.add(_sort(fact.term, shares=shares, whole=whole, analysis=analysis))
    return [each for each in Had if each in found]


def _sort(term: str, *, shares: set[str], whole: set[str], analysis: Analysis) -> Had:
    if opening_of(term):
        return Had.SEALED
    if term in shares:
        return Had.SHARES
    if term in whole:
        return Had.KEYS
    named = {message.name: message.kind.value for message in analysis.deployment.messages}
    return Had.TRACES if named.get(term) == "metadata" else Had.SECRET


def laws_of(analysis: Analysis, name: str) -> tuple[list[str], bool]:
    """List the laws under which an operator stands, and whether some are argued or unstated."""
    facts = analysis.deployment.facts
    laws = {each.law for each in facts if isinstance(each, Subject) and each.operator == name}
    open_ = any(isinstance(f, Arguable | Unstated) and f.operator == name for f in facts)
    return sorted(laws, key=lambda law: (is_european(law), law)), open_


def title_of(analysis: Analysis, name: str, language: str) -> str:
    """Name an operator; those that no sheet names have words of ours."""
    ours = {THIS_HOUSE_TITLE: "this_house", UNSTATED_MAKERS_TITLE: "unstated_makers"}
    title = analysis.deployment.operators[name]
    return word(ours[title], language) if title in ours else title


class _Card:
    """One operator's row: name, laws, what it has."""

    def __init__(self, analysis: Analysis, name: str, language: str, shape: Shape) -> None:
        self._shape = shape
        self._name = _broken(title_of(analysis, name, language), shape.chars)
        self._laws, self._open = laws_of(analysis, name)
        said = ", ".join(word(f"had-{each}", language) for each in had_by(analysis, name))
        self._had = _broken(said, round(shape.chars * 1.12))
        self.height = 26 + _LINE * len(self._name) + (_LINE - 3) * len(self._had) + _LINE

    def draw(self, top: float) -> Iterator[str]:
        """Draw it from a height down."""
        shape, y = self._shape, top + 24
        yield (
            f'<rect x="1" y="{top + 4:g}" width="{shape.width - 2}" height="{self.height - 6}"'
            ' rx="8" fill="#fff" stroke="#dfe5ea"/>'
        )
        for line in self._name:
            yield _text(line, 12, y, size=shape.size, weight="600")
            y += _LINE
        yield from self._badges(y)
        y += _LINE
        for line in self._had:
            yield _text(line, 12, y, size=shape.size - 2, fill="#51606e")
            y += _LINE - 3

    def _badges(self, y: float) -> Iterator[str]:
        x = 12.0
        for law in [*self._laws, *(["?"] if self._open else [])]:
            grave = law == "?" or not is_european(law)
            fill, ink = ("#f8dddd", "#a32222") if grave else ("#dcefe4", "#1d6b45")
            if law == "?":
                fill, ink = "#fff4d6", "#7a5200"
            width = 14 + 8 * len(law)
            yield (
                f'<rect x="{x:g}" y="{y - 13:g}" width="{width}" height="17" rx="8.5" fill="{fill}"/>'
            )
            yield _text(law, x + width / 2, y, size=12, fill=ink, anchor="middle", weight="600")
            x += width + 6


class _Drawing:
    """One drawing: a card for each operator from the top down, and a column for each message."""

    def __init__(self, analysis: Analysis, *, language: str, shape: Shape) -> None:
        self._analysis = analysis
        self._language = language
        self._shape = shape
        self._cards: list[tuple[_Card, float]] = []
        self._middles: dict[str, float] = {}
        self._bottom: float = shape.head
        for name in list_rows(analysis):
            card = _Card(analysis, name, language, shape)
            self._cards.append((card, self._bottom))
            self._middles[name] = self._bottom + card.height / 2
            self._bottom += card.height

    def pieces(self) -> Iterator[str]:
        """Draw everything, one tag after the other."""
        shape, language = self._shape, self._language
        yield (
            f'<svg class="{shape.name}" role="img" viewBox="0 0 {shape.width} {self._bottom + 44:g}"'
            f' width="{shape.width}" font-family="system-ui, sans-serif">'
        )
        yield f"<title>{escape(word('picture', language))}</title>"
        yield f"<desc>{escape(word('picture_says', language))}</desc>"
        for card, top in self._cards:
            yield from card.draw(top)
        messages = self._analysis.deployment.messages
        step = (shape.width - shape.left - shape.right) / max(1, len(messages))
        for at, message in enumerate(messages):
            yield from self._column(message.name, shape.left + step * (at + 0.5))
        yield "</svg>"

    def _column(self, message: str, x: float) -> Iterator[str]:
        """Draw one message: its name, a smallest coalition, who can stand in, and how many."""
        shape, found = self._shape, self._analysis.coalitions(message, mode=Mode.ACTIVE)
        size = found.smallest
        colour = _ENOUGH if size is None else _COLOURS.get(size, _ENOUGH)
        label = word(f"short-{message}", self._language).removeprefix("short-")
        yield (
            f'<g transform="translate({x:g} {shape.head - 10}) rotate(-58)">'
            f"{_text(label, 0, 0, size=shape.size - 1, fill=colour, weight='600')}</g>"
        )
        yield _rule(x, shape.head, self._bottom, colour="#eef1f4", width=1)
        yield from self._dots(x, found, colour)
        y = self._bottom + 28
        if size == 0:
            # A word, where the others have a number: set small, and clear of its neighbour.
            all_of_them = word("short-everybody", self._language)
            yield _text(all_of_them, x - 6, y, size=11, fill=colour, weight="700")
            return
        shown = "–" if size is None else str(size)
        yield _text(shown, x, y, size=shape.size + 4, fill=colour, anchor="middle", weight="700")

    def _dots(self, x: float, found: Coalitions, colour: str) -> Iterator[str]:
        first = sorted(found.least[0], key=self._middles.__getitem__) if found.least else []
        # Who could stand in: a larger coalition is no easier, and would only confuse the eye.
        as_small = [each for each in found.least if len(each) == found.smallest]
        if len(first) > 1:
            ends = self._middles[first[0]], self._middles[first[-1]]
            yield _rule(x, *ends, colour=colour, width=3)
        for name in sorted({name for each in as_small for name in each} - set(first)):
            yield (
                f'<circle cx="{x:g}" cy="{self._middles[name]:g}" r="{_DOT - 3}" fill="#fff"'
                f' stroke="{colour}" stroke-width="2"/>'
            )
        for name in first:
            yield f'<circle cx="{x:g}" cy="{self._middles[name]:g}" r="{_DOT}" fill="{colour}"/>'


def _rule(x: float, top: float, bottom: float, *, colour: str, width: int) -> str:
    return (
        f'<line x1="{x:g}" y1="{top:g}" x2="{x:g}" y2="{bottom:g}" stroke="{colour}"'
        f' stroke-width="{width}"/>'
    )


def _text(
    said: str,
    x: float,
    y: float,
    *,
    size: int,
    fill: str = "#16202a",
    anchor: str = "start",
    weight: str = "400",
) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" text-anchor="{anchor}"'
        f' font-weight="{weight}">{escape(said)}</text>'
    )


def _broken(text: str, chars: int) -> list[str]:
    """Break a text at blanks into lines that fit; a word that is too long stays whole."""
    lines: list[str] = [""]
    for each in text.split(" "):
        longer = f"{lines[-1]} {each}".strip()
        if len(longer) <= chars or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(each)
    return lines
