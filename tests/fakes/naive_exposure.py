"""The rules of exposure as they are written down, tried on every set of operators there is.

Slow and plain on purpose: it shares nothing with the engine but the facts, and
its core is the loop of the published model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.facts import (
    Arguable,
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


def naive_closure(d: Deployment, coalition: Iterable[str], mode: str) -> set[str]:
    """Everything a coalition obtains."""
    side = set(coalition)
    known = {f.term for f in d.facts if isinstance(f, Holds) and f.operator in side}
    known |= {f.term for f in d.facts if isinstance(f, Public)}

    def usable(key: str) -> bool:
        oracles = [f for f in d.facts if isinstance(f, Oracle)]
        return key in known or any(f.operator in side and f.key == key for f in oracles)

    while True:
        new = {t[4:-1].partition(",")[2] for t in known if t[:4] == "enc(" and usable(_key_of(t))}
        thresholds = [f for f in d.facts if isinstance(f, Threshold)]
        new |= {f.key for f in thresholds if sum(s in known for s in f.shares) >= f.needs}
        new |= _seen_running(d, side, mode)
        if new <= known:
            return known
        known |= new


def _key_of(term: str) -> str:
    return term[4:-1].partition(",")[0]


def _seen_running(d: Deployment, side: set[str], mode: str) -> set[str]:
    seen: set[str] = set()
    for f in d.facts:
        if isinstance(f, System):
            hosted = bool(set(f.hosts) & side) and (not f.tee or mode == "broken-hardware")
            if hosted or (mode != "passive" and _pushed(d, f.name, side)):
                seen |= set(f.clear)
    return seen


def _pushed(d: Deployment, system: str, side: set[str]) -> bool:
    pushes = [f for f in d.facts if isinstance(f, Push) and f.system == system]
    return any(len(set(p.by) & side) >= p.signatures and set(p.gates) <= side for p in pushes)


def naive_reach(d: Deployment, law: str, reading: str) -> set[str]:
    """Everybody a law reaches."""
    found = {f.operator for f in d.facts if isinstance(f, Subject) and f.law == law}
    if reading == "widest":
        found |= {f.operator for f in d.facts if isinstance(f, Arguable) and f.law == law}
        found |= {f.operator for f in d.facts if isinstance(f, Unstated)}
    return naive_followers(d, found)


def naive_followers(d: Deployment, names: Iterable[str]) -> set[str]:
    """These and everybody they control."""
    found = set(names)
    while True:
        more = {f.child for f in d.facts if isinstance(f, Owns) and f.control and f.parent in found}
        if more <= found:
            return found
        found |= more


def subsets(names: Iterable[str]) -> Iterator[frozenset[str]]:
    """Every set of some names, the small ones first."""
    listed = sorted(names)
    for size in range(len(listed) + 1):
        yield from map(frozenset, combinations(listed, size))


def naive_least(d: Deployment, message: str, mode: str) -> set[frozenset[str]]:
    """The sets that obtain a message, and of which no part does."""
    least: list[frozenset[str]] = []
    for names in subsets(d.operators):
        if message in naive_closure(d, names, mode) and not any(each < names for each in least):
            least.append(names)
    return set(least)


def naive_safe(d: Deployment, message: str, mode: str, among: Iterable[str]) -> set[frozenset[str]]:
    """The sets that do not obtain a message, and to which nobody of `among` can be added."""
    without = [s for s in subsets(among) if message not in naive_closure(d, s, mode)]
    return {s for s in without if not any(s < other for other in without)}


def naive_margin(d: Deployment, message: str, mode: str, reached: Iterable[str]) -> int | None:
    """How few takeovers suffice."""
    for names in subsets(d.operators):
        if message in naive_closure(d, set(reached) | naive_followers(d, names), mode):
            return len(names)
    return None


def naive_kill_sets(d: Deployment) -> set[frozenset[str]]:
    """The sets whose withdrawal stops some function, and of which no part does."""
    functions = [f for f in d.facts if isinstance(f, Function)]
    stop: list[frozenset[str]] = []
    for names in subsets(d.operators):
        stopped = any(all(names & set(q) for q in f.quorums) for f in functions)
        if stopped and not any(each < names for each in stop):
            stop.append(names)
    return set(stop)
