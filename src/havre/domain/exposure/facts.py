"""What can be said of a deployment: one frozen class for each kind of fact.

A fact says one thing and carries its own evidence. What follows from facts is
`domain.exposure.clauses` and `domain.exposure.reach`. Operators, laws and
messages are named; what the names stand for is `domain.exposure.deployment`.
"""

from __future__ import annotations

from dataclasses import dataclass

from havre.domain.exposure.evidence import Evidence

# Shares are in hundredths of a percent, so that no rounding decides a threshold.
WHOLE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What every fact has."""

    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject(Fact):
    """An operator stands under a law: by its seat, or because a site of its is there."""

    operator: str
    law: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguable(Fact):
    """Somebody argues that a law reaches an operator: reported apart from what is certain."""

    operator: str
    law: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unstated(Fact):
    """Nobody has said under which laws an operator stands: any law may reach it."""

    operator: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Owns(Fact):
    """A parent has a share of a child, in hundredths of a percent; or controls it otherwise.

    control: the parent decides: more than half, or as `domain.exposure.ownership` says.
    """

    parent: str
    child: str
    share: int
    control: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds(Fact):
    """An operator has a term, and can hand it over."""

    operator: str
    term: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Public(Fact):
    """Everybody has a term."""

    term: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Oracle(Fact):
    """An operator can have a key used without holding it: a key service's interface."""

    operator: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class System(Fact):
    """A running system in which terms are in clear, and who hosts it.

    clear: terms. hosts: any one of them can look. tee: in a CPU mode that hides
    memory from the host, until the hardware is broken.
    """

    name: str
    clear: tuple[str, ...]
    hosts: tuple[str, ...]
    tee: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Push(Fact):
    """Who can change code or firmware of a system, and so read what is in clear there.

    signatures: how many of `by` are needed. gates: all of these are needed too.
    """

    system: str
    by: tuple[str, ...]
    signatures: int = 1
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold(Fact):
    """A key is made again from any `needs` of its shares."""

    key: str
    needs: int
    shares: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function(Fact):
    """What the service needs in order to run: one whole quorum of operators."""

    name: str
    quorums: tuple[tuple[str, ...], ...]
