"""Why a verdict is what it is: its derivation step by step, or what is missing for one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from havre.domain.exposure.clauses import Mode, Rule
from havre.domain.exposure.closure import Step, derivation_of
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Owns
from havre.domain.exposure.reach import ReachRule, ReachStep, Reading
from havre.domain.exposure.telling import MODE_WORDS, Answer, Verdict, answer, away
from havre.domain.exposure.terms import opening_of
from havre.domain.exposure.verdicts import Analysis
from havre.errors import InvalidInput, NotFound


def parse_question(text: str, analysis: Analysis) -> tuple[str, str, Mode]:
    """Read which cell is to be explained, such as `base:US:active`.

    Raises:
        InvalidInput: it is spelled otherwise.
        NotFound: there is no such message, law or mode here.
    """
    parts = text.split(":")
    if len(parts) != 3:
        raise InvalidInput(
            "What to explain is not spelled like base:US:active.",
            hint="Write message, law and mode with colons between them.",
        )
    message, law, mode = parts
    modes = {each.value: each for each in Mode} | {"hardware": Mode.BROKEN}
    names = [each.name for each in analysis.deployment.messages]
    laws = analysis.deployment.laws
    if message not in names or law not in laws or mode not in modes:
        raise NotFound(
            "There is no such cell in this matrix.",
            hint=f"Messages: {', '.join(names)}. Laws: {', '.join(laws)}. Modes: {', '.join(modes)}.",
        )
    return message, law, modes[mode]


def explain(analysis: Analysis, *, message: str, law: str, mode: Mode) -> Iterator[str]:
    """Say, step by step, why a message is derivable, or what is missing."""
    found = answer(analysis, message=message, law=law, mode=mode)
    yield (
        f"{_title(analysis, message)}, under {law} law, {MODE_WORDS[mode]}:"
        f" {_verdict_words(found)} (weakest fact {found.grade.name})."
    )
    reading = Reading.CERTAIN if found.verdict is Verdict.DERIVABLE else Reading.WIDEST
    steps = analysis.closures[law, reading, mode]
    if message in steps:
        yield from _derivation(analysis, analysis.reaches[law, reading], steps, message)
        return
    reached = analysis.reached(law, Reading.WIDEST)
    yield (
        f"{law} law reaches {_list(sorted(reached))}. Together they obtain "
        f"{_list(sorted(steps))}; nothing more follows."
    )
    margin = analysis.margin(message, mode=mode, reached=reached)
    if margin.takeovers is None:
        yield "No fact says that anybody could have it: not even all operators together obtain it."
        return
    yield f"It would follow if these were taken over too: {_list(margin.takeovers)}. Then:"
    side = reached.union(*(analysis.following[name] for name in margin.takeovers))
    beyond = analysis.closing.close(dict.fromkeys(side, Grade.E4), mode=mode)
    yield from _numbered(_step_words(analysis, each) for each in derivation_of(message, beyond))


def _verdict_words(found: Answer) -> str:
    if found.verdict is Verdict.NOT_EXCLUDED:
        return "not derivable for certain; derivable if what is argued or unstated is so"
    if found.verdict is Verdict.NOT_DERIVABLE:
        return f"not derivable under the stated facts, {away(found.margin)}"
    return "derivable under the stated facts"


def _derivation(
    analysis: Analysis, reach: Sequence[ReachStep], steps: Mapping[str, Step], message: str
) -> Iterator[str]:
    derivation = derivation_of(message, steps)
    people = {name for step in derivation for name in step.operators}
    ways = {step.operator: step for step in reach}
    waiting = list(people)
    while waiting:
        through = ways[waiting.pop()].through
        if through is not None and through not in people:
            people.add(through)
            waiting.append(through)
    told = [_reach_words(analysis, step) for step in reach if step.operator in people]
    yield from _numbered([*told, *(_step_words(analysis, step) for step in derivation)])


def _numbered(told: Iterable[str]) -> Iterator[str]:
    for number, each in enumerate(told, 1):
        yield f"{number:>3}. {each}"


def _reach_words(analysis: Analysis, step: ReachStep) -> str:
    who = step.operator
    fact = analysis.deployment.facts[step.fact]
    if step.rule is ReachRule.CONTROLLED and isinstance(fact, Owns):
        share = f"{fact.share / 100:g} %" if fact.share else "no stated share"
        words = f"{step.through} controls {who} ({share})"
    else:
        words = {
            ReachRule.SUBJECT: f"{who} stands under the law",
            ReachRule.ARGUABLE: f"it is argued that the law reaches {who}",
            ReachRule.UNSTATED: f"nobody has stated under which law {who} stands",
        }[step.rule]
    return f"{words}. {_evidence(analysis, [step.fact])}"


def _step_words(analysis: Analysis, step: Step) -> str:
    who, term = _list(step.operators), step.term
    words = {
        Rule.PUBLIC: f"everybody has {term}",
        Rule.HELD: f"{who} has {term}",
        Rule.KEY: f"{step.terms[1] if len(step.terms) > 1 else ''} opens {_box(step)}: {term}",
        Rule.ORACLE: f"{who} can have the key of {_box(step)} used: {term}",
        Rule.THRESHOLD: f"{_list(step.terms)} are shares enough: {term}",
        Rule.HOST: f"{who} hosts a system in which {term} is in clear",
        Rule.PUSH: f"{who} can change what runs where {term} is in clear",
    }[step.rule]
    return f"{words}. {_evidence(analysis, step.facts)}".rstrip()


def _box(step: Step) -> str:
    """Name what is opened; the layers inside are not spelled out again."""
    opened = opening_of(step.terms[0]) if step.terms else None
    return f"what is encrypted under {opened[0]}" if opened else ""


def _evidence(analysis: Analysis, places: Iterable[int]) -> str:
    found = [analysis.deployment.facts[at].evidence for at in places]
    return " ".join(f"[{each.grade.name}, {each.date}: {each.source}]" for each in found)


def _list(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody and nothing"


def _title(analysis: Analysis, message: str) -> str:
    (found,) = (each for each in analysis.deployment.messages if each.name == message)
    return found.title
