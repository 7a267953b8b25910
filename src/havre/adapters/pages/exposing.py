"""What the page on exposure shows: an analysis in rows and sentences of one language."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from havre.adapters.pages.picture import NARROW, WIDE, draw, had_by, laws_of, list_rows, title_of
from havre.adapters.pages.words import word
from havre.domain.exposure.clauses import MODES, Mode
from havre.domain.exposure.deployment import MessageKind, is_european
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Arguable, Subject, Unstated
from havre.domain.exposure.sheet import Standing
from havre.domain.exposure.telling import (
    Verdict,
    alone,
    answer,
    is_public,
    readers_alone,
    summarise,
)
from havre.ports.pages import ShownExposure

_SIGNS = {Verdict.DERIVABLE: "●", Verdict.NOT_EXCLUDED: "◐", Verdict.NOT_DERIVABLE: "○"}
_CLASSES = {
    Verdict.DERIVABLE: "yes",
    Verdict.NOT_EXCLUDED: "maybe",
    Verdict.NOT_DERIVABLE: "no",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One answer in the matrix: a sign with a number, its class, and the same in words."""

    sign: str
    css: str
    words: str


class ExposureTeller:
    """Tells of one exposure in one language."""

    def __init__(self, shown: ShownExposure, language: str) -> None:
        self._shown = shown
        self._analysis = shown.analysis
        self._language = language
        self.laws = shown.analysis.deployment.laws

    def say(self, key: str, *values: object) -> str:
        """Say one sentence of `words`."""
        return word(key, self._language, *values)

    def pictures(self) -> list[str]:
        """Draw the picture for a wide page, and for a telephone."""
        return [
            draw(self._analysis, language=self._language, shape=each) for each in (WIDE, NARROW)
        ]

    def message(self, name: str) -> str:
        """Name a message; one that is not of ours by its title."""
        said = self.say(f"msg-{name}")
        titles = {each.name: each.title for each in self._analysis.deployment.messages}
        return titles[name] if said == f"msg-{name}" else said

    def operator(self, name: str) -> str:
        """Name an operator."""
        return title_of(self._analysis, name, self._language)

    def in_short(self) -> Iterator[tuple[str, list[str], str]]:
        """Say the main things: of whom, what, and a class for good or bad."""
        for law in self._analysis.foreign_laws:
            yield self.say("law_alone", law), *self._law(law)
        readers = readers_alone(self._analysis)
        told = [
            self.say("reads", self.operator(name), self._quoted(found))
            for name, found in readers.items()
        ]
        read = [name for found in readers.values() for name in found]
        yield self.say("one_alone"), told or [self.say("nobody_alone")], self._gravity(read)
        yield self.say("one_less"), [self._withdrawal()], self._withdrawal_class()

    def _law(self, law: str) -> tuple[list[str], str]:
        found = summarise(self._analysis, law)
        by_mode = {
            mode: [name for name, first in found.derivable if first is mode] for mode in MODES
        }
        told = [
            f"{self.say('obtains', self._quoted(names))}, {self.say(f'by_{mode}')}"
            for mode, names in by_mode.items()
            if names
        ]
        if found.not_excluded:
            told.append(self.say("may_obtain", self._quoted(found.not_excluded)))
        for margin in dict.fromkeys(margin for _, margin in found.not_derivable):
            names = [name for name, far in found.not_derivable if far == margin]
            told.append(f"{self.say('obtains_not', self._quoted(names))} ({self._far(margin)})")
        gravity = self._gravity([name for name, _ in found.derivable])
        return told, "maybe" if gravity == "no" and found.not_excluded else gravity

    def _gravity(self, messages: Sequence[str]) -> str:
        """Tell how grave it is that somebody reads these: traces of access are less than rows."""
        kinds = {each.name: each.kind for each in self._analysis.deployment.messages}
        if any(kinds[name] is not MessageKind.METADATA for name in messages):
            return "yes"
        return "maybe" if messages else "no"

    def _far(self, margin: int | None) -> str:
        if margin is None:
            return self.say("never_obtained")
        return self.say("one_takeover") if margin == 1 else self.say("takeovers", margin)

    def _quoted(self, messages: Sequence[str]) -> str:
        return ", ".join(self.say("quoted", self.message(each)) for each in messages)

    def _withdrawal(self) -> str:
        stopping = self._analysis.stopping
        if stopping.kill_margin is None:
            return self.say("nothing_needed")
        if stopping.kill_margin > 0:
            return self.say("goes_on")
        single = [name for each in stopping.coalitions.least if len(each) == 1 for name in each]
        return self.say("stops_with", ", ".join(self.operator(name) for name in sorted(single)))

    def _withdrawal_class(self) -> str:
        return "no" if (self._analysis.stopping.kill_margin or 0) > 0 else "yes"

    def matrix(self) -> Iterator[tuple[str, list[list[Mark]], str, str]]:
        """Give each message's row: name, marks by law, who alone, how many at least."""
        for each in self._analysis.deployment.messages:
            marks = [[self._mark(each.name, law, mode) for mode in MODES] for law in self.laws]
            size = self._analysis.coalitions(each.name, mode=Mode.ACTIVE).smallest
            if is_public(self._analysis, each.name):
                readers, fewest = self.say("everybody_has"), "–"
            else:
                names = [self.operator(name) for name in alone(self._analysis, each.name)]
                readers = ", ".join(names) or self.say("nobody")
                fewest = self.say("nobody") if size is None else str(size)
            yield self.message(each.name), marks, readers, fewest

    def _mark(self, message: str, law: str, mode: Mode) -> Mark:
        found = answer(self._analysis, message=message, law=law, mode=mode)
        words = self.say("reads", self.say(f"by_{mode}"), self.say(f"verdict-{found.verdict}"))
        if is_public(self._analysis, message):
            return Mark("●", "open", words)
        number = ""
        if found.verdict is Verdict.NOT_DERIVABLE:
            number = "–" if found.margin is None else str(found.margin)
            far = (
                self.say("takeovers", found.margin) if found.margin else self.say("never_obtained")
            )
            words = f"{words}, {far}"
        # A court of the Union reaches custodians of the Union: that is meant, and no alarm.
        meant = found.verdict is Verdict.DERIVABLE and is_european(law)
        css = "open" if meant else _CLASSES[found.verdict]
        return Mark(_SIGNS[found.verdict] + number, css, words)

    def operators(self) -> Iterator[tuple[str, str, str, list[tuple[str, str]], str]]:
        """Give each operator's row: name, laws, what it has, qualifications, weakest grade."""
        for name in list_rows(self._analysis):
            laws, is_open = laws_of(self._analysis, name)
            said = [*laws, *([self.say("unstated")] if is_open else [])]
            had = ", ".join(self.say(f"had-{each}") for each in had_by(self._analysis, name))
            yield self.operator(name), ", ".join(said), had, self._attested(name), self._grade(name)

    def _attested(self, name: str) -> list[tuple[str, str]]:
        title = self._analysis.deployment.operators[name]
        told = []
        for sheet in self._shown.sheets:
            for each in sheet.qualifications if sheet.title == title else ():
                standing = each.standing(self._shown.on)
                css = "no" if standing is Standing.IN_FORCE else "maybe"
                words = self.say(
                    "until", each.name, each.scope, each.ends_on, self.say(f"standing-{standing}")
                )
                told.append((words, css))
        return told

    def _grade(self, name: str) -> str:
        """The weakest fact of where it stands."""
        kinds = Subject | Arguable | Unstated
        facts = [each for each in self._analysis.deployment.facts if isinstance(each, kinds)]
        grades = [each.evidence.grade for each in facts if each.operator == name]
        return min(grades, default=Grade.E0).name

    def unstated(self) -> str:
        """Name those of whom there is no fact sheet; nothing when there is none."""
        names = [self.operator(name) for name in self._shown.unstated]
        return self.say("no_sheet", ", ".join(names)) if names else ""
