"""An analysis in words: sentences for people, and the way to each verdict, step by step.

The words are "derivable" and "not derivable", under the stated facts; never that
something is lawful or safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from havre.domain.exposure.clauses import MODES, Mode
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.reach import Reading
from havre.domain.exposure.verdicts import Analysis

MODE_WORDS = {
    Mode.PASSIVE: "by a warrant",
    Mode.ACTIVE: "with active help",
    Mode.BROKEN: "with broken hardware",
}


class Verdict(StrEnum):
    """What can be said of one message, under one law, in one mode."""

    DERIVABLE = "derivable"
    NOT_EXCLUDED = "not excluded"
    NOT_DERIVABLE = "not derivable"


@dataclass(frozen=True, slots=True)
class Answer:
    """One cell of the matrix.

    margin: takeovers that are missing; null when all operators together obtain nothing.
    grade: the weakest fact it rests on.
    """

    message: str
    law: str
    mode: Mode
    verdict: Verdict
    margin: int | None
    grade: Grade


def answer(analysis: Analysis, *, message: str, law: str, mode: Mode) -> Answer:
    """Answer one question: derivable, derivable only if what is argued or unstated is so, or not."""
    certain = analysis.cell(message, law=law, mode=mode)
    widest = analysis.cell(message, law=law, mode=mode, reading=Reading.WIDEST)
    if certain.derivable:
        verdict, cell = Verdict.DERIVABLE, certain
    elif widest.derivable:
        verdict, cell = Verdict.NOT_EXCLUDED, widest
    else:
        # The lesser of both margins: what is argued or unstated may be so.
        verdict, cell = Verdict.NOT_DERIVABLE, widest
    return Answer(message, law, mode, verdict, cell.margin.size, cell.grade)


def alone(analysis: Analysis, message: str, *, mode: Mode = Mode.ACTIVE) -> list[str]:
    """Name the operators who obtain a message alone: if one is broken into, it is out."""
    found = analysis.coalitions(message, mode=mode).least
    return sorted(name for each in found if len(each) == 1 for name in each)


@dataclass(frozen=True, slots=True)
class LawSummary:
    """What one law obtains; the log and whatever else is public is left out.

    derivable: messages, each with the mildest mode in which it is. not_excluded: those
    derivable if what is argued or unstated is so. not_derivable: each with the takeovers
    that are missing in the gravest mode, null when all operators together are too few.
    """

    law: str
    derivable: tuple[tuple[str, Mode], ...]
    not_excluded: tuple[str, ...]
    not_derivable: tuple[tuple[str, int | None], ...]


def summarise(analysis: Analysis, law: str) -> LawSummary:
    """Sort the messages by what a law obtains."""
    derivable, maybe, never = [], [], []
    for message in analysis.deployment.messages:
        if is_public(analysis, message.name):
            continue
        found = [answer(analysis, message=message.name, law=law, mode=mode) for mode in MODES]
        said = [each.verdict for each in found]
        if Verdict.DERIVABLE in said:
            derivable.append((message.name, found[said.index(Verdict.DERIVABLE)].mode))
        elif Verdict.NOT_EXCLUDED in said:
            maybe.append(message.name)
        else:
            never.append((message.name, found[-1].margin))
    return LawSummary(law, tuple(derivable), tuple(maybe), tuple(never))


def sentences(analysis: Analysis) -> list[str]:
    """Say the main things, each in a sentence, the gravest first."""
    told = [_law_words(summarise(analysis, law)) for law in analysis.foreign_laws]
    return [*told, _single_operator(analysis), single_withdrawal(analysis)]


def _law_words(found: LawSummary) -> str:
    yields = [f"{name} {MODE_WORDS[mode]}" for name, mode in found.derivable]
    never = [f"{name} ({away(margin)})" for name, margin in found.not_derivable]
    maybe = ", ".join(found.not_excluded)
    parts = [
        f"derivable: {', '.join(yields)}" if yields else "",
        f"not excluded, because something is argued or unstated: {maybe}" if maybe else "",
        f"not derivable: {', '.join(never)}" if never else "",
    ]
    return f"Under {found.law} law, " + "; ".join(filter(None, parts)) + "."


def away(margin: int | None) -> str:
    """Say how far off something is.

    >>> away(1), away(None)
    ('1 takeover away', 'by nobody, not even by all together')
    """
    if margin is None:
        return "by nobody, not even by all together"
    return f"{margin} takeover{'' if margin == 1 else 's'} away"


def is_public(analysis: Analysis, message: str) -> bool:
    """Tell whether everybody has a message, as they have the log."""
    return analysis.coalitions(message, mode=Mode.PASSIVE).smallest == 0


def readers_alone(analysis: Analysis) -> dict[str, list[str]]:
    """Tell for each operator what it obtains alone, with active help; those who obtain nothing are left out."""
    readers: dict[str, list[str]] = {}
    for message in analysis.deployment.messages:
        for name in alone(analysis, message.name):
            readers.setdefault(name, []).append(message.name)
    return dict(sorted(readers.items()))


def _single_operator(analysis: Analysis) -> str:
    readers = readers_alone(analysis)
    if not readers:
        return "No single operator obtains anything alone."
    told = [f"{name} obtains {', '.join(found)}" for name, found in readers.items()]
    return f"Alone, or broken into: {'; '.join(told)}."


def single_withdrawal(analysis: Analysis) -> str:
    """Say whether the service goes on when one operator withdraws."""
    margin = analysis.stopping.kill_margin
    if margin is None:
        return "Nothing is stated of what the service needs in order to run."
    if margin == 0:
        names = [
            name for each in analysis.stopping.coalitions.least if len(each) == 1 for name in each
        ]
        return f"The service stops as soon as one of these withdraws: {', '.join(sorted(names))}."
    return (
        f"If any {'one operator withdraws' if margin == 1 else f'{margin} operators withdraw'},"
        " the service goes on."
    )
