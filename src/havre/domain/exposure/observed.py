"""What was found with somebody, held against what the model says can be found with him.

A drill brings terms that it really obtained. They are closed by the model's own
rules, because whoever has two shares also has the key; what then follows and is
not predicted shows that the model is wrong: it lacks a fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from havre.domain.exposure.clauses import Mode
from havre.domain.exposure.closure import Closing
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Evidence, Grade
from havre.domain.exposure.facts import Holds, Public, Threshold

_SEIZER = "whoever-seizes"


@dataclass(frozen=True, slots=True)
class Prediction:
    """A deployment, whose machines are seized, and how what is found there is spelled in its terms.

    coalition: operators; everything of theirs is seized. key_terms: for the SHA-256 of
        each public key of the hub, the term that its seed is. sealed: what lies sealed
        with them. on: the day. assumed: what was put in for the drill, in sentences.
    """

    deployment: Deployment
    coalition: tuple[str, ...]
    key_terms: Mapping[str, str]
    sealed: frozenset[str]
    on: date
    assumed: tuple[str, ...] = ()

    @property
    def predicted(self) -> frozenset[str]:
        """Every term that the coalition has or can work out, as the model has it."""
        return Closing(self.deployment).obtain(self.coalition, mode=Mode.PASSIVE)

    def unpredicted(self, observed: Iterable[str]) -> tuple[str, ...]:
        """Name what was obtained, or follows from it, and cannot be known as the model has it."""
        return tuple(sorted(close_observed(self.deployment, observed, on=self.on) - self.predicted))


def close_observed(deployment: Deployment, observed: Iterable[str], *, on: date) -> frozenset[str]:
    """Find everything that follows from terms that were obtained.

    observed: terms, spelled as in the deployment; others may be among them.
    on: the day on which they were obtained.
    """
    evidence = Evidence(Grade.E3, on, "Obtained in a drill")
    rules = [fact for fact in deployment.facts if isinstance(fact, Public | Threshold)]
    found = [
        Holds(evidence=evidence, operator=_SEIZER, term=term) for term in sorted(set(observed))
    ]
    seen = replace(
        deployment,
        operators={**deployment.operators, _SEIZER: "Whoever seizes"},
        facts=(*rules, *found),
    )
    return Closing(seen).obtain([_SEIZER], mode=Mode.PASSIVE)
