"""A deployment: operators, laws, messages, and the facts that are stated of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from havre.domain.exposure.facts import (
    WHOLE,
    Arguable,
    Fact,
    Function,
    Holds,
    Oracle,
    Owns,
    Public,
    Push,
    Subject,
    System,
    Threshold,
    Unstated,
)
from havre.domain.exposure.ownership import decides
from havre.domain.exposure.terms import parse_term
from havre.errors import InvalidInput
from havre.values import parse_name

# Letters of a state as in ISO 3166-1, and after a hyphen one law of it: US, US-FISA.
_LAW = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,12})?")
EUROPEAN_UNION = frozenset(
    # Twenty-seven, in the order of their letters.
    re.findall("..", "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK")
)
_MOST_FACTS = 2_000


class MessageKind(StrEnum):
    """What sort of thing a message is: how it is judged and shown."""

    BASE = "base"
    WORKING_SET = "working-set"
    SECRET = "secret"
    METADATA = "metadata"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Message:
    """Something whose secrecy is asked about: a term with a kind and a title for people."""

    name: str
    kind: MessageKind
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Who is there and what is stated.

    operators: short name to what people call it; a parent that holds nothing is one too.
    laws: those asked about, in order; a law that reaches nobody can be asked about.
    """

    name: str
    title: str
    operators: Mapping[str, str]
    laws: tuple[str, ...]
    messages: tuple[Message, ...]
    facts: tuple[Fact, ...]

    def of(self, kind: type[Fact]) -> list[tuple[int, Fact]]:
        """List the facts of one kind, each with its place among all facts."""
        return [(at, fact) for at, fact in enumerate(self.facts) if isinstance(fact, kind)]

    def with_facts(self, more: Iterable[Fact]) -> Deployment:
        """Add facts, such as those of a what-if; a law that they name is asked about too."""
        added = tuple(more)
        laws = [each.law for each in added if isinstance(each, Subject | Arguable)]
        fresh = dict.fromkeys(law for law in laws if law not in self.laws)
        return replace(self, facts=(*self.facts, *added), laws=(*self.laws, *fresh))

    def without_gates(self) -> Deployment:
        """Let every maker push alone: what the gates are worth is the difference."""
        facts = (replace(each, gates=()) if isinstance(each, Push) else each for each in self.facts)
        return replace(self, facts=tuple(facts))


def is_european(law: str) -> bool:
    """Say whether a law is one of a member state of the European Union.

    >>> is_european("FR"), is_european("US-FISA")
    (True, False)
    """
    return law[:2] in EUROPEAN_UNION


def parse_law(text: str) -> str:
    """Read a law's name.

    Raises:
        InvalidInput: it is spelled otherwise.
    """
    if not _LAW.fullmatch(text):
        raise InvalidInput("A law is not spelled like FR, US or US-FISA.")
    return text


def check_deployment(deployment: Deployment) -> None:
    """Refuse a deployment that contradicts itself or names what is not there.

    Raises:
        InvalidInput: every fault is named, not the first.
    """
    faults = list(_faults(deployment))
    if faults:
        raise InvalidInput(
            f"The facts of {deployment.name} do not fit together: {'; '.join(faults)}.",
            hint="Each operator, system and share must be stated where it is used.",
        )


def _faults(deployment: Deployment) -> Iterator[str]:
    yield from _faults_of_names(deployment)
    if len(deployment.facts) > _MOST_FACTS:
        yield f"there are more than {_MOST_FACTS} facts"
    systems = {fact.name for fact in deployment.facts if isinstance(fact, System)}
    for fact in deployment.facts:
        yield from _faults_of(fact, deployment=deployment, systems=systems)
    placed = {each.operator for each in deployment.facts if isinstance(each, Subject | Unstated)}
    for operator in deployment.operators:
        if operator not in placed:
            yield f"nothing says under which law {operator} stands, nor that nobody knows"
    holdings = [each for each in deployment.facts if isinstance(each, Owns)]
    for owns in holdings:
        if decides(owns, holdings) and not owns.control:
            yield f"the share of {owns.parent} in {owns.child} decides, and is said not to"
    yield from _circles(holdings)


def _faults_of_names(deployment: Deployment) -> Iterator[str]:
    spelled: list[tuple[str, Callable[[str], str]]] = [
        *((name, parse_name) for name in (deployment.name, *deployment.operators)),
        *((law, parse_law) for law in deployment.laws),
        *((message.name, parse_term) for message in deployment.messages),
    ]
    for text, parse in spelled:
        yield from _spelling(text, parse)
    messages = [message.name for message in deployment.messages]
    if not messages:
        yield "there is no message whose secrecy could be asked about"
    for listed in (messages, list(deployment.laws)):
        for name in sorted({each for each in listed if listed.count(each) > 1}):
            yield f"{name} stands twice"


def _faults_of(fact: Fact, *, deployment: Deployment, systems: set[str]) -> Iterator[str]:
    kind = type(fact).__name__.lower()
    for operator in dict.fromkeys(operators_of(fact)):
        if operator not in deployment.operators:
            yield f"{kind} names {operator}, who is not among the operators"
    for term in terms_of(fact):
        yield from _spelling(term, parse_term)
    if isinstance(fact, Subject | Arguable) and fact.law not in deployment.laws:
        yield f"{kind} names the law {fact.law}, which is not among the laws"
    elif isinstance(fact, Owns) and not 0 <= fact.share <= WHOLE:
        yield f"{fact.parent} has a share of {fact.child} that is not between 0 and 100 %"
    elif isinstance(fact, Push):
        yield from _faults_of_push(fact, systems=systems)
    elif isinstance(fact, Threshold) and not (
        1 <= fact.needs <= len(fact.shares) == len(set(fact.shares))
    ):
        yield f"{fact.key} needs more shares than it has, none, or has one twice"
    elif isinstance(fact, Function) and not (fact.quorums and all(fact.quorums)):
        yield f"{fact.name} has no quorum, or an empty one"


def _faults_of_push(fact: Push, *, systems: set[str]) -> Iterator[str]:
    if fact.system not in systems:
        yield f"push names the system {fact.system}, which is not stated"
    if not 1 <= fact.signatures <= len(fact.by) == len(set(fact.by)):
        yield f"push to {fact.system} needs more signatures than it has signers, or none"


def _circles(holdings: Iterable[Owns]) -> Iterator[str]:
    """Name a chain of ownership that comes back to where it began."""
    parents: dict[str, list[str]] = {}
    for owns in holdings:
        parents.setdefault(owns.child, []).append(owns.parent)
    for start, first in parents.items():
        seen, waiting = set(), list(first)
        while waiting:
            above = waiting.pop()
            if above == start:
                yield f"{start} owns itself through others"
                break
            if above not in seen:
                seen.add(above)
                waiting += parents.get(above, [])


def _spelling(text: str, parse: Callable[[str], str]) -> Iterator[str]:
    try:
        parse(text)
    except InvalidInput as fault:
        yield f"{fault.message.rstrip('.')}: {text!r:.40}"


def operators_of(fact: Fact) -> tuple[str, ...]:
    """List the operators that a fact names."""
    if isinstance(fact, Subject | Arguable | Unstated | Holds | Oracle):
        return (fact.operator,)
    if isinstance(fact, Owns):
        return (fact.parent, fact.child)
    if isinstance(fact, System):
        return fact.hosts
    if isinstance(fact, Push):
        return (*fact.by, *fact.gates)
    if isinstance(fact, Function):
        return tuple(name for quorum in fact.quorums for name in quorum)
    return ()


def terms_of(fact: Fact) -> tuple[str, ...]:
    """List the terms that a fact names."""
    if isinstance(fact, Holds | Public):
        return (fact.term,)
    if isinstance(fact, Oracle):
        return (fact.key,)
    if isinstance(fact, System):
        return fact.clear
    if isinstance(fact, Threshold):
        return (fact.key, *fact.shares)
    return ()
