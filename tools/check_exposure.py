"""Check a certificate of exposure offline: one file, which imports nothing of Havre.

    python check_exposure.py CERTIFICATE [--facts FILE] [--json]

CERTIFICATE says, for a deployment's facts, who can obtain which message: under
each law, in each mode, alone or together, and how many takeovers are missing.
Every step is checked, and what is said not to be derivable is worked out anew.

With `--facts`, the facts are compared with those that you have from elsewhere.
Whether they are true no program can tell: read them, and their grades.

What takes linear time in the size of the facts: each law's derivations and its
closed set; that one coalition is enough and that it is not without one of its
members; that one coalition is not enough; that so many takeovers suffice. What
takes longer: that no fewer takeovers suffice (each smaller choice is compared
with the coalitions that are not enough), and that no coalition was left out
(both lists are worked out from one another).

It needs Python 3.11 and nothing else. Exit codes: 0 it follows from the facts,
4 it does not, 2 the command or a file of yours was wrong.

Source: `docs/exposure.md`, which states the rules.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

MAX_BYTES = 64 * 1024 * 1024
MOST_CHOICES = 2_000_000
MOST_COALITIONS = 200_000
EXIT_DOES_NOT_FOLLOW = 4
FACTS_FORMAT = "havre/v1/exposure-facts"
CERTIFICATE_FORMAT = "havre/v1/exposure-certificate"

PASSIVE, ACTIVE, BROKEN = "passive", "active", "broken-hardware"
MODES = (PASSIVE, ACTIVE, BROKEN)
READINGS = ("certain", "widest")
GRADES = ("E0", "E1", "E2", "E3", "E4")
KINDS = ("base", "working-set", "secret", "metadata", "log")
WHOLE = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_ATOM = r"[a-z0-9][a-z0-9./-]{0,79}"
_TERM = re.compile(rf"(?:enc\({_ATOM},){{0,5}}{_ATOM}\){{0,5}}")
_SEALED = re.compile(rf"enc\((?P<key>{_ATOM}),(?P<inner>.+)\)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")

# Every kind of fact, and the shape of each of its fields.
TEXT, WORDS, LISTS, NUMBER, FLAG = "text", "words", "lists", "number", "flag"
FIELDS: dict[str, dict[str, str]] = {
    "subject": {"operator": TEXT, "law": TEXT},
    "arguable": {"operator": TEXT, "law": TEXT},
    "unstated": {"operator": TEXT},
    "owns": {"parent": TEXT, "child": TEXT, "share": NUMBER, "control": FLAG},
    "holds": {"operator": TEXT, "term": TEXT},
    "public": {"term": TEXT},
    "oracle": {"operator": TEXT, "key": TEXT},
    "system": {"name": TEXT, "clear": WORDS, "hosts": WORDS, "tee": FLAG},
    "push": {"system": TEXT, "by": WORDS, "signatures": NUMBER, "gates": WORDS},
    "threshold": {"key": TEXT, "needs": NUMBER, "shares": WORDS},
    "function": {"name": TEXT, "quorums": LISTS},
}
EVIDENCE = {"fact": TEXT, "grade": TEXT, "date": TEXT, "source": TEXT}

Body = dict[str, Any]


class Fault(Exception):
    """Something does not follow; one sentence that names the place."""


class WrongFile(Exception):
    """A file that the reader brought cannot be used."""


# ---------------------------------------------------------------- reading


def _refuse_fraction(_text: str) -> None:
    raise ValueError


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        # RFC 8785 orders by UTF-16 code units, which is not Python's order.
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: _ordered(value[name]) for name in names}
    if isinstance(value, list):
        return [_ordered(inner) for inner in value]
    if isinstance(value, int) and abs(value) > 2**53 - 1:
        raise ValueError
    return value


def _canonical(value: Any) -> bytes:
    return json.dumps(_ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def _parse(document: bytes, *, what: str) -> Body:
    """Read a JSON object and refuse every spelling but the canonical one."""
    try:
        value = json.loads(document, parse_float=_refuse_fraction, parse_constant=_refuse_fraction)
        same = _canonical(value) == document
    except (ValueError, RecursionError):
        raise Fault(f"{what} is not canonical JSON.") from None
    if not same or not isinstance(value, dict):
        raise Fault(f"{what} is not canonical JSON.")
    return value


def _read(path: Path, *, what: str) -> bytes:
    try:
        with path.open("rb") as file:
            document = file.read(MAX_BYTES + 1)
    except OSError:
        raise WrongFile(f"{what} cannot be read.") from None
    if len(document) > MAX_BYTES:
        raise WrongFile(f"{what} is longer than {MAX_BYTES} bytes.")
    return document


def _check_fields(body: Any, names: Iterable[str], *, what: str) -> Body:
    if not isinstance(body, dict) or set(body) != set(names):
        raise Fault(f"{what} has other fields than it should.")
    return body


def _has_shape(value: Any, shape: str) -> bool:
    if shape == TEXT:
        return isinstance(value, str) and value != ""
    if shape == NUMBER:
        return type(value) is int
    if shape == FLAG:
        return type(value) is bool
    inner = TEXT if shape == WORDS else WORDS
    return isinstance(value, list) and all(_has_shape(each, inner) for each in value)


# ---------------------------------------------------------------- facts


@dataclass
class Facts:
    """What is stated, and what can be looked up in it."""

    name: str
    operators: dict[str, str]
    laws: list[str]
    messages: list[str]
    facts: list[Body]
    weakest: str = "E4"
    acting: list[str] = field(default_factory=list)
    following: dict[str, frozenset[str]] = field(default_factory=dict)
    universe: set[str] = field(default_factory=set)
    systems: dict[str, list[int]] = field(default_factory=dict)

    def of(self, kind: str) -> Iterator[tuple[int, Body]]:
        """List the facts of a kind, with their places."""
        return ((at, fact) for at, fact in enumerate(self.facts) if fact["fact"] == kind)

    def grade(self, at: int) -> int:
        """How well a fact is known, from 0 to 4."""
        return GRADES.index(self.facts[at]["grade"])


def _operators_of(fact: Body) -> list[str]:
    named = [fact[name] for name in ("operator", "parent", "child") if name in fact]
    named += [each for name in ("hosts", "by", "gates") for each in fact.get(name, ())]
    return named + [each for quorum in fact.get("quorums", ()) for each in quorum]


def _terms_of(fact: Body) -> list[str]:
    named = [fact[name] for name in ("term", "key") if name in fact]
    return named + [each for name in ("clear", "shares") for each in fact.get(name, ())]


def _opening(term: str) -> tuple[str, str] | None:
    match = _SEALED.fullmatch(term)
    return (match["key"], match["inner"]) if match else None


def _is_term(text: str) -> bool:
    return bool(_TERM.fullmatch(text)) and text.count("enc(") == text.count(")")


def _subterms(term: str) -> Iterator[str]:
    yield term
    opened = _opening(term)
    if opened:
        yield opened[0]
        yield from _subterms(opened[1])


def _read_facts(body: Any) -> Facts:
    """Read the facts strictly, and see that they name only what is there.

    Raises:
        Fault: naming the fact.
    """
    names = ("facts", "format", "laws", "messages", "name", "operators", "title")
    _check_fields(body, names, what="The facts")
    if body["format"] != FACTS_FORMAT:
        raise Fault(f"The facts are not of the form {FACTS_FORMAT}.")
    messages = [_read_message(each) for each in body["messages"]]
    operators, laws = body["operators"], body["laws"]
    if not _has_shape(laws, WORDS) or len(set(laws)) != len(laws):
        raise Fault("The laws are no list of different names.")
    if not isinstance(operators, dict) or not all(map(_NAME.fullmatch, operators)):
        raise Fault("The operators are not named as they should be.")
    if not messages or len(set(messages)) != len(messages):
        raise Fault("The messages are none, or one stands twice.")
    facts = Facts(str(body["name"]), operators, laws, messages, list(body["facts"]))
    for at, fact in enumerate(facts.facts):
        _check_fact(fact, facts, what=f"Fact {at}")
    _check_ownership(facts)
    _look_up(facts)
    return facts


def _read_message(body: Any) -> str:
    _check_fields(body, ("kind", "name", "title"), what="A message")
    if body["kind"] not in KINDS or not _is_term(str(body["name"])):
        raise Fault("A message has a kind or a name that no message has.")
    return str(body["name"])


def _check_fact(fact: Any, facts: Facts, *, what: str) -> None:
    kind = fact.get("fact") if isinstance(fact, dict) else None
    if kind not in FIELDS:
        raise Fault(f"{what} is of a kind that nobody knows.")
    shapes = {**FIELDS[kind], **EVIDENCE}
    _check_fields(fact, shapes, what=what)
    if not all(_has_shape(fact[name], shape) for name, shape in shapes.items()):
        raise Fault(f"{what} has a field of another type than it should.")
    if fact["grade"] not in GRADES or not _DATE.fullmatch(fact["date"]):
        raise Fault(f"{what} has a grade or a date that there is not.")
    if not set(_operators_of(fact)) <= set(facts.operators):
        raise Fault(f"{what} names somebody who is not among the operators.")
    if not all(map(_is_term, _terms_of(fact))):
        raise Fault(f"{what} has a term that is not spelled as one.")
    if "law" in fact and fact["law"] not in facts.laws:
        raise Fault(f"{what} names a law that is not asked about.")
    if not _counts_fit(fact):
        raise Fault(f"{what} asks for more than it lists, or for nothing.")


def _counts_fit(fact: Body) -> bool:
    if fact["fact"] == "push":
        return 1 <= int(fact["signatures"]) <= len(fact["by"]) == len(set(fact["by"]))
    if fact["fact"] == "threshold":
        return 1 <= int(fact["needs"]) <= len(fact["shares"]) == len(set(fact["shares"]))
    if fact["fact"] == "owns":
        return 0 <= int(fact["share"]) <= WHOLE
    return fact["fact"] != "function" or bool(fact["quorums"] and all(fact["quorums"]))


def _check_ownership(facts: Facts) -> None:
    """See that whoever must be taken to control is said to: more than half, or presumed."""
    for at, fact in facts.of("owns"):
        others = [
            int(other["share"])
            for _, other in facts.of("owns")
            if other["child"] == fact["child"] and other["parent"] != fact["parent"]
        ]
        share = int(fact["share"])
        presumed = share > 40 * WHOLE // 100 and share > max(others, default=0)
        if (share > WHOLE // 2 or presumed) and not fact["control"]:
            raise Fault(f"Fact {at} gives a share that decides, and says that it does not.")


def _look_up(facts: Facts) -> None:
    facts.weakest = min((fact["grade"] for fact in facts.facts), default="E0")
    acting = ("holds", "oracle", "system", "push")
    facts.acting = sorted(
        {name for fact in facts.facts if fact["fact"] in acting for name in _operators_of(fact)}
    )
    facts.following = _following(facts)
    named = [term for fact in facts.facts for term in _terms_of(fact)] + facts.messages
    facts.universe = {inner for term in named for inner in _subterms(term)}
    for at, fact in facts.of("system"):
        facts.systems.setdefault(fact["name"], []).append(at)


def _following(facts: Facts) -> dict[str, frozenset[str]]:
    """Tell who comes along with each operator that is taken over: itself, and all it controls."""
    children: dict[str, set[str]] = {name: set() for name in facts.operators}
    for _, fact in facts.of("owns"):
        if fact["control"]:
            children[fact["parent"]].add(fact["child"])
    following = {}
    for name in facts.operators:
        found, waiting = {name}, [name]
        while waiting:
            fresh = children[waiting.pop()] - found
            found |= fresh
            waiting += fresh
        following[name] = frozenset(found)
    return following


# ---------------------------------------------------------------- closing a coalition


class Closing:
    """Finds what a coalition obtains in time linear in the facts: each term is met once."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts
        self._oracles: dict[str, list[str]] = {}
        for _, fact in facts.of("oracle"):
            self._oracles.setdefault(fact["key"], []).append(fact["operator"])
        self._parts: dict[str, list[int]] = {}
        for at, fact in facts.of("threshold"):
            for share in fact["shares"]:
                self._parts.setdefault(share, []).append(at)

    def close(self, coalition: frozenset[str], mode: str) -> set[str]:
        """List every term that a coalition obtains."""
        known: set[str] = set()
        waiting = list(self._first(coalition, mode))
        locked: dict[str, list[str]] = {}
        counts: dict[int, int] = {}
        while waiting:
            term = waiting.pop()
            if term in known:
                continue
            known.add(term)
            opened = _opening(term)
            if opened:
                if opened[0] in known or set(self._oracles.get(opened[0], ())) & coalition:
                    waiting.append(opened[1])
                else:
                    locked.setdefault(opened[0], []).append(opened[1])
            waiting += locked.pop(term, [])
            for at in self._parts.get(term, ()):
                counts[at] = counts.get(at, 0) + 1
                if counts[at] == self._facts.facts[at]["needs"]:
                    waiting.append(self._facts.facts[at]["key"])
        return known

    def _first(self, coalition: frozenset[str], mode: str) -> Iterator[str]:
        """List what needs no other term: what is held, public, or seen on a running system."""
        for fact in self._facts.facts:
            kind = fact["fact"]
            if kind == "public" or (kind == "holds" and fact["operator"] in coalition):
                yield fact["term"]
            elif kind == "system" and _hosted(fact, coalition, mode):
                yield from fact["clear"]
            elif kind == "push" and _pushed(fact, coalition, mode):
                for at in self._facts.systems.get(fact["system"], ()):
                    yield from self._facts.facts[at]["clear"]


def _hosted(system: Body, coalition: frozenset[str], mode: str) -> bool:
    open_to_host = not system["tee"] or mode == BROKEN
    return open_to_host and not coalition.isdisjoint(system["hosts"])


def _pushed(push: Body, coalition: frozenset[str], mode: str) -> bool:
    enough = len(coalition & set(push["by"])) >= push["signatures"]
    return mode != PASSIVE and enough and coalition >= set(push["gates"])


# ---------------------------------------------------------------- whom a law reaches


def _check_reach(facts: Facts, body: Body, *, what: str) -> dict[str, int]:
    """Check every step by which a law reaches somebody, and that nobody is left out.

    Returns the grade of each operator reached, by name.
    """
    law, reading = body["law"], body["reading"]
    grades: dict[str, int] = {}
    for step in body["steps"]:
        _check_fields(step, ("fact", "operator", "rule", "through"), what=f"A step of {what}")
        fact = _fact_at(facts, step["fact"], what=what)
        grade = facts.grade(step["fact"])
        operator, through = step["operator"], step["through"]
        if step["rule"] == "controlled":
            fits = fact["fact"] == "owns" and fact["control"] and through in grades
            fits = fits and (fact["parent"], fact["child"]) == (through, operator)
            grade = min(grade, grades.get(through, 0))
        else:
            fits = fact["fact"] == step["rule"] and fact.get("operator") == operator
            fits = fits and through is None and _counts_for(fact, law, reading)
        if not fits or operator in grades:
            raise Fault(f"{what}: the step to {operator} does not follow.")
        grades[operator] = grade
    missing = _reached(facts, law, reading) - set(grades)
    if missing:
        raise Fault(f"{what} leaves out {min(missing)}, whom the law reaches.")
    return grades


def _counts_for(fact: Body, law: str, reading: str) -> bool:
    kinds = {"subject"} if reading == "certain" else {"subject", "arguable", "unstated"}
    return fact["fact"] in kinds and fact.get("law", law) == law


def _reached(facts: Facts, law: str, reading: str) -> frozenset[str]:
    first = [f["operator"] for f in facts.facts if "operator" in f and _counts_for(f, law, reading)]
    return frozenset().union(*(facts.following[name] for name in first))


def _fact_at(facts: Facts, at: Any, *, what: str) -> Body:
    if type(at) is not int or not 0 <= at < len(facts.facts):
        raise Fault(f"{what} rests on a fact that is not there.")
    return facts.facts[at]


# ---------------------------------------------------------------- derivations


@dataclass
class Derived:
    """A closed set with its derivation: by term, its step; and who takes part."""

    steps: dict[str, Body]
    reached: dict[str, int]

    def grade(self, term: str, facts: Facts) -> str:
        """The weakest of all that one term rests on."""
        needed, grade = {term}, 4
        for name in reversed(self.steps):
            if name in needed:
                step = self.steps[name]
                needed.update(step["terms"])
                grades = [facts.grade(at) for at in step["facts"]]
                grades += [self.reached[each] for each in step["operators"]]
                grade = min([grade, *grades])
        return GRADES[grade]


def _check_closure(
    facts: Facts, closing: Closing, body: Body, *, reached: dict[str, int], what: str
) -> Derived:
    """Check every step of a derivation, and that nothing more follows."""
    mode, coalition = body["mode"], frozenset(reached)
    found = Derived({}, reached)
    for step in body["steps"]:
        names = ("facts", "operators", "rule", "term", "terms")
        _check_fields(step, names, what=f"A step of {what}")
        term = step["term"]
        cited = [_fact_at(facts, at, what=what) for at in step["facts"]]
        held = set(step["operators"]) <= coalition and set(step["terms"]) <= set(found.steps)
        held = held and len(set(step["operators"])) == len(step["operators"])
        rule = RULES.get(step["rule"])
        if not held or term in found.steps or rule is None or not rule(step, cited, mode):
            raise Fault(f"{what}: the step to {term} does not follow.")
        found.steps[term] = step
    missing = closing.close(coalition, mode) - set(found.steps)
    if missing:
        raise Fault(f"{what} is not closed: {min(missing)} follows and is not in it.")
    return found


def _kinds(cited: list[Body], *kinds: str) -> bool:
    return [fact["fact"] for fact in cited] == list(kinds)


def _by_public(step: Body, cited: list[Body], _mode: str) -> bool:
    alone = not step["terms"] and not step["operators"]
    return _kinds(cited, "public") and cited[0]["term"] == step["term"] and alone


def _by_held(step: Body, cited: list[Body], _mode: str) -> bool:
    if not _kinds(cited, "holds") or step["terms"]:
        return False
    return (cited[0]["term"], [cited[0]["operator"]]) == (step["term"], step["operators"])


def _by_key(step: Body, cited: list[Body], _mode: str) -> bool:
    if cited or step["operators"] or len(step["terms"]) != 2:
        return False
    return _opening(step["terms"][0]) == (step["terms"][1], step["term"])


def _by_oracle(step: Body, cited: list[Body], _mode: str) -> bool:
    if not _kinds(cited, "oracle") or len(step["terms"]) != 1:
        return False
    fits = _opening(step["terms"][0]) == (cited[0]["key"], step["term"])
    return fits and step["operators"] == [cited[0]["operator"]]


def _by_threshold(step: Body, cited: list[Body], _mode: str) -> bool:
    if not _kinds(cited, "threshold") or step["operators"]:
        return False
    given = set(step["terms"])
    enough = len(given) == len(step["terms"]) >= cited[0]["needs"]
    return enough and given <= set(cited[0]["shares"]) and cited[0]["key"] == step["term"]


def _by_host(step: Body, cited: list[Body], mode: str) -> bool:
    if not _kinds(cited, "system") or step["terms"] or len(step["operators"]) != 1:
        return False
    return step["term"] in cited[0]["clear"] and _hosted(
        cited[0], frozenset(step["operators"]), mode
    )


def _by_push(step: Body, cited: list[Body], mode: str) -> bool:
    if not _kinds(cited, "system", "push") or step["terms"]:
        return False
    system, push = cited
    named = system["name"] == push["system"] and step["term"] in system["clear"]
    return named and _pushed(push, frozenset(step["operators"]), mode)


RULES: dict[str, Callable[[Body, list[Body], str], bool]] = {
    "public": _by_public,
    "held": _by_held,
    "key": _by_key,
    "oracle": _by_oracle,
    "threshold": _by_threshold,
    "host": _by_host,
    "push": _by_push,
}


# ---------------------------------------------------------------- what a "no" rests on


def _ground(facts: Facts, message: str, mode: str) -> str:
    """Grade a "not derivable": the weakest of all facts that could have a part in it."""
    places, people = _cone(facts, message, mode)
    above = {name for name, below in facts.following.items() if people & below}
    for at, fact in enumerate(facts.facts):
        whose = fact["child"] if fact["fact"] == "owns" else None
        if fact["fact"] in ("subject", "arguable", "unstated"):
            whose = fact["operator"]
        if whose in above:
            places.add(at)
    return GRADES[min((facts.grade(at) for at in places), default=0)]


# One way to a term: the facts it rests on, the terms it needs, who has a part in it.
Way = tuple[list[int], list[str], list[str]]


def _cone(facts: Facts, message: str, mode: str) -> tuple[set[int], set[str]]:
    """List the facts, and the operators, that could have a part in obtaining a message."""
    leading: dict[str, list[Way]] = {}
    for head, way in (*_ways_without_keys(facts, mode), *_ways_through_keys(facts)):
        leading.setdefault(head, []).append(way)
    places: set[int] = set()
    people: set[str] = set()
    seen, waiting = {message}, [message]
    while waiting:
        for found, terms, named in leading.get(waiting.pop(), ()):
            places.update(found)
            people.update(named)
            waiting += set(terms) - seen
            seen.update(terms)
    return places, people


def _ways_without_keys(facts: Facts, mode: str) -> Iterator[tuple[str, Way]]:
    for at, fact in enumerate(facts.facts):
        kind = fact["fact"]
        if kind in ("public", "holds"):
            yield fact["term"], ([at], [], _operators_of(fact))
        elif kind == "threshold":
            yield fact["key"], ([at], fact["shares"], [])
        elif kind == "system" and (not fact["tee"] or mode == BROKEN):
            for term in fact["clear"]:
                yield term, ([at], [], fact["hosts"])
        elif kind == "push" and mode != PASSIVE:
            for place in facts.systems.get(fact["system"], ()):
                for term in facts.facts[place]["clear"]:
                    yield term, ([place, at], [], _operators_of(fact))


def _ways_through_keys(facts: Facts) -> Iterator[tuple[str, Way]]:
    oracles: dict[str, list[tuple[int, Body]]] = {}
    for at, fact in facts.of("oracle"):
        oracles.setdefault(fact["key"], []).append((at, fact))
    for term in facts.universe:
        opened = _opening(term)
        if opened:
            yield opened[1], ([], [term, opened[0]], [])
            for at, fact in oracles.get(opened[0], ()):
                yield opened[1], ([at], [term], [fact["operator"]])


# ---------------------------------------------------------------- coalitions and margins


Obtains = Callable[[frozenset[str]], bool]


@dataclass(frozen=True)
class Sets:
    """Coalitions that are just enough, and the greatest that are not."""

    least: list[frozenset[str]]
    safe: list[frozenset[str]]
    among: frozenset[str]


def _check_sets(body: Body, obtains: Obtains, *, among: Iterable[str], what: str) -> Sets:
    """Check that each listed coalition is just enough, or just not, and that none is missing."""
    everybody = frozenset(among)
    least, safe = (_read_sets(body[name], everybody, what) for name in ("least", "safe"))
    sets = Sets(least, safe, among=everybody)
    for enough in sets.least:
        _check_just_enough(enough, obtains, what=what)
    for found in sets.safe:
        if obtains(found):
            raise Fault(f"{what}: {_spell(found)} is enough.")
        if any(found < other for other in sets.safe):
            raise Fault(f"{what}: {_spell(found)} is part of a greater one that is not enough.")
    if set(_hitting([everybody - safe for safe in sets.safe])) != set(sets.least):
        raise Fault(f"{what}: a coalition is missing, or one too many.")
    return sets


def _check_just_enough(least: frozenset[str], obtains: Obtains, *, what: str) -> None:
    if not obtains(least):
        raise Fault(f"{what}: {_spell(least)} is not enough.")
    for name in sorted(least):
        if obtains(least - {name}):
            raise Fault(f"{what}: {_spell(least)} is enough without {name}.")


def _read_sets(listed: Any, everybody: frozenset[str], what: str) -> list[frozenset[str]]:
    if not _has_shape(listed, LISTS):
        raise Fault(f"{what} has no lists of coalitions.")
    sets = [frozenset(each) for each in listed]
    if any(len(one) != len(each) for one, each in zip(sets, listed, strict=True)):
        raise Fault(f"{what} names somebody twice in one coalition.")
    if len(set(sets)) != len(sets) or not all(each <= everybody for each in sets):
        raise Fault(f"{what} lists a coalition twice, or somebody who has no part.")
    return sets


def _hitting(cuts: list[frozenset[str]]) -> list[frozenset[str]]:
    """List the least sets that have somebody in every cut: who is outside each safe coalition.

    A coalition is enough if it is inside no safe one, which is to have somebody
    outside each. So these are the least coalitions, if the safe ones are all there.
    """
    found: list[frozenset[str]] = [frozenset()]
    for cut in sorted(cuts, key=len):
        kept = [each for each in found if each & cut]
        grown = {each | {name} for each in found if not each & cut for name in cut}
        for each in sorted(grown, key=len):
            if not any(other <= each for other in kept):
                kept.append(each)
        found = kept
        if len(found) > MOST_COALITIONS:
            raise Fault("There are more coalitions than can be gone through.")
    return found


def _check_margin(
    facts: Facts, body: Body, obtains: Obtains, *, reached: frozenset[str], sets: Sets, what: str
) -> None:
    """Check that the takeovers named suffice, and that no fewer do."""
    takeovers, margin = body["takeovers"], body["margin"]
    if takeovers is None or margin is None:
        if takeovers is not margin or obtains(frozenset(facts.operators)):
            raise Fault(f"{what}: all operators together obtain it, and no margin is given.")
        return
    if not _has_shape(takeovers, WORDS) or type(margin) is not int:
        raise Fault(f"{what}: the margin is not a number with its takeovers.")
    names = set(takeovers)
    if not names <= set(facts.operators) or not len(names) == len(takeovers) == margin:
        raise Fault(f"{what}: the margin is not the number of its takeovers.")
    if not obtains(reached.union(*(facts.following[name] for name in names))):
        raise Fault(f"{what}: the takeovers named do not suffice.")
    if margin:
        _check_no_fewer(facts, margin - 1, reached=reached, sets=sets, what=what)


def _check_no_fewer(
    facts: Facts, fewer: int, *, reached: frozenset[str], sets: Sets, what: str
) -> None:
    """Check that no choice of one takeover less suffices.

    Taking over a parent brings its firms along, so only those whom nobody controls
    need to be tried; and whoever is too few with one more is too few without.
    """
    below = {each for name, found in facts.following.items() for each in found if each != name}
    heads = [name for name in facts.operators if name not in below]
    for number, chosen in enumerate(combinations(heads, min(fewer, len(heads)))):
        if number > MOST_CHOICES:
            raise Fault(f"{what}: there are more choices than can be gone through.")
        side = reached.union(*(facts.following[name] for name in chosen)) & sets.among
        if not any(side <= safe for safe in sets.safe):
            raise Fault(f"{what}: fewer takeovers suffice.")


def _spell(names: Iterable[str]) -> str:
    return "{" + ", ".join(sorted(names)) + "}"


# ---------------------------------------------------------------- the whole


@dataclass
class Report:
    """What was checked, and what was not, in sentences; and what the certificate concludes."""

    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    concluded: list[str] = field(default_factory=list)


Place = tuple[str, ...]


def _in_order(listed: Any, names: Place, expected: Iterable[Place], *, what: str) -> list[Body]:
    """See that a list has one object for each of these, in their order."""
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Fault(f"{what} are no list of objects.")
    if [tuple(each.get(name) for name in names) for each in listed] != list(expected):
        raise Fault(f"{what} are not one for each {', '.join(names)}, in order.")
    return listed


def check(certificate: bytes, report: Report, *, facts_apart: bytes | None) -> None:
    """Check a certificate, and report it.

    facts_apart: the facts that the reader has from elsewhere.

    Raises:
        Fault: the first thing that does not follow.
    """
    body = _parse(certificate, what="The certificate")
    names = ("cells", "closures", "coalitions", "facts", "format", "reaches", "stopping")
    _check_fields(body, names, what="The certificate")
    if body["format"] != CERTIFICATE_FORMAT:
        raise Fault(f"The certificate is not of the form {CERTIFICATE_FORMAT}.")
    if facts_apart is not None and facts_apart != _canonical(body["facts"]):
        raise Fault("The certificate is of other facts than those you have.")
    facts = _read_facts(body["facts"])
    closing = Closing(facts)
    reaches = _check_reaches(facts, body["reaches"])
    derived = _check_closures(facts, closing, body["closures"], reaches=reaches)
    coalitions = _check_coalitions(facts, closing, body["coalitions"])
    _check_cells(facts, closing, body["cells"], derived=derived, coalitions=coalitions)
    _check_stopping(facts, body["stopping"], reaches=reaches)
    _conclude(facts, body, report)
    digest = hashlib.sha256(_canonical(body["facts"])).hexdigest()
    report.checked += [
        f"{len(facts.facts)} facts, SHA-256 {digest}",
        f"{len(derived)} derivations: each step follows, and nothing more does",
        f"{len(coalitions)} lists of coalitions: enough, none to spare, none missing",
        f"{len(body['cells'])} verdicts with their grades and margins",
        "whose withdrawal stops the service",
    ]
    if facts_apart is None:
        report.not_checked.append("the facts are the certificate's own: give --facts FILE")
    report.not_checked.append(f"whether the facts are true; the weakest has grade {facts.weakest}")


def _check_reaches(facts: Facts, listed: Any) -> dict[Place, dict[str, int]]:
    expected = [(law, reading) for law in facts.laws for reading in READINGS]
    bodies = _in_order(listed, ("law", "reading"), expected, what="The reaches")
    found: dict[Place, dict[str, int]] = {}
    for place, body in zip(expected, bodies, strict=True):
        what = f"The reach of {' '.join(place)}"
        _check_fields(body, ("law", "reading", "steps"), what=what)
        found[place] = _check_reach(facts, body, what=what)
    return found


def _check_closures(
    facts: Facts, closing: Closing, listed: Any, *, reaches: dict[Place, dict[str, int]]
) -> dict[Place, Derived]:
    expected = [(*place, mode) for place in reaches for mode in MODES]
    bodies = _in_order(listed, ("law", "reading", "mode"), expected, what="The closed sets")
    found = {}
    for place, body in zip(expected, bodies, strict=True):
        what = f"The closed set of {' '.join(place)}"
        _check_fields(body, ("law", "mode", "reading", "steps"), what=what)
        reached = reaches[place[0], place[1]]
        found[place] = _check_closure(facts, closing, body, reached=reached, what=what)
    return found


def _obtains(closing: Closing, message: str, mode: str) -> Obtains:
    return lambda coalition: message in closing.close(coalition, mode)


def _check_coalitions(facts: Facts, closing: Closing, listed: Any) -> dict[Place, Sets]:
    expected = [(message, mode) for message in facts.messages for mode in MODES]
    bodies = _in_order(listed, ("message", "mode"), expected, what="The coalitions")
    found: dict[Place, Sets] = {}
    for place, body in zip(expected, bodies, strict=True):
        what = f"The coalitions for {' '.join(place)}"
        _check_fields(body, ("least", "message", "mode", "safe"), what=what)
        obtains = _obtains(closing, *place)
        found[place] = _check_sets(body, obtains, among=facts.acting, what=what)
    return found


def _check_cells(
    facts: Facts,
    closing: Closing,
    listed: Any,
    *,
    derived: dict[Place, Derived],
    coalitions: dict[Place, Sets],
) -> None:
    names = ("message", "law", "mode", "reading")
    expected = [
        (message, law, mode, reading)
        for message in facts.messages
        for law in facts.laws
        for mode in MODES
        for reading in READINGS
    ]
    for place, body in zip(
        expected, _in_order(listed, names, expected, what="The verdicts"), strict=True
    ):
        message, law, mode, reading = place
        what = f"The verdict on {' '.join(place)}"
        _check_fields(body, (*names, "derivable", "grade", "margin", "takeovers"), what=what)
        found = derived[law, reading, mode]
        known = message in found.steps
        if body["derivable"] is not known or (body["margin"] == 0) is not known:
            raise Fault(f"{what} is not that of the closed set.")
        grade = found.grade(message, facts) if known else _ground(facts, message, mode)
        if body["grade"] != grade:
            raise Fault(f"{what} has grade {grade}, and not the one it gives.")
        _check_margin(
            facts,
            body,
            _obtains(closing, message, mode),
            reached=frozenset(found.reached),
            sets=coalitions[message, mode],
            what=what,
        )


def _check_stopping(facts: Facts, body: Any, *, reaches: dict[Place, dict[str, int]]) -> None:
    what = "What stops the service"
    _check_fields(body, ("laws", "least", "safe"), what=what)
    functions = [fact["quorums"] for _, fact in facts.of("function")]

    def stops(gone: frozenset[str]) -> bool:
        return any(all(not gone.isdisjoint(quorum) for quorum in quorums) for quorums in functions)

    needed = {name for quorums in functions for quorum in quorums for name in quorum}
    sets = _check_sets(body, stops, among=needed, what=what)
    bodies = _in_order(body["laws"], ("law", "reading"), reaches, what="The laws that stop it")
    for place, each in zip(reaches, bodies, strict=True):
        here = f"{what}, {' '.join(place)}"
        _check_fields(each, ("law", "margin", "reading", "takeovers"), what=here)
        _check_margin(facts, each, stops, reached=frozenset(reaches[place]), sets=sets, what=here)


def _conclude(facts: Facts, body: Body, report: Report) -> None:
    for law in facts.laws:
        for mode in MODES:
            cells = [c for c in body["cells"] if (c["law"], c["mode"]) == (law, mode)]
            said = {(c["message"], c["reading"]): c for c in cells}
            words = [
                f"{name} {_verdict(said[name, 'certain'], said[name, 'widest'])}"
                for name in facts.messages
            ]
            report.concluded.append(f"{law}, {mode}: {'; '.join(words)}")


def _verdict(certain: Body, widest: Body) -> str:
    if certain["derivable"]:
        return "derivable"
    if widest["derivable"]:
        return "not derivable, unless what is argued or unstated is so"
    left = certain["margin"]
    return "not derivable by anybody" if left is None else f"not derivable ({left} takeovers away)"


def judge(certificate: bytes, *, facts_apart: bytes | None) -> tuple[Report, str | None]:
    """Check, and answer with what is wrong, whatever the file holds; of a fault nothing else."""
    report = Report()
    try:
        check(certificate, report, facts_apart=facts_apart)
    except Fault as fault:
        return Report(), str(fault)
    except Exception as fault:  # noqa: BLE001 - whatever a hostile file holds, it does not follow
        return Report(), f"It cannot be read to the end ({type(fault).__name__})."
    return report, None


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="check_exposure.py", description="Check a certificate of exposure offline."
    )
    parser.add_argument("certificate", type=Path, metavar="CERTIFICATE")
    parser.add_argument("--facts", type=Path, metavar="FILE", help="the facts, from elsewhere")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _printable(text: str) -> str:
    """Keep a name out of the certificate from writing a line of its own, or to the terminal."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)


def _print(report: Report, fault: str | None, *, as_json: bool) -> None:
    verdict = "does not follow from its facts" if fault else "follows from its facts"
    if as_json:
        print(json.dumps({"verdict": verdict, "fault": fault, **vars(report)}, sort_keys=True))
        return
    for word, lines in (
        ("concluded", report.concluded),
        ("checked", report.checked),
        ("NOT CHECKED", report.not_checked),
    ):
        for line in lines:
            print(f"{word:<12} {_printable(line)}")
    print(f"{verdict.upper()}: {_printable(fault)}" if fault else verdict.upper())


def main() -> int:
    parser = _arguments()
    options = parser.parse_args()
    try:
        certificate = _read(options.certificate, what="CERTIFICATE")
        apart = _read(options.facts, what="The file of facts") if options.facts else None
    except WrongFile as wrong:
        parser.error(str(wrong))
    report, fault = judge(certificate, facts_apart=apart)
    _print(report, fault, as_json=options.json)
    return EXIT_DOES_NOT_FOLLOW if fault else 0


if __name__ == "__main__":
    sys.exit(main())
