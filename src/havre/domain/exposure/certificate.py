"""The analysis as a document that a stranger can check without this program.

Canonical JSON: the facts, and everything that was concluded from them with its
reasons. `tools/check_exposure.py` verifies it; what of it takes linear time and
what does not is said in `docs/exposure.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from havre.domain.exposure.clauses import MODES
from havre.domain.exposure.closure import Step
from havre.domain.exposure.coalitions import Margin
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.facts import Fact
from havre.domain.exposure.reach import ReachStep, Reading
from havre.domain.exposure.verdicts import Analysis, Cell, Coalitions
from havre.formats.canonical import Json, encode_canonical

FACTS_FORMAT = "havre/v1/exposure-facts"
CERTIFICATE_FORMAT = "havre/v1/exposure-certificate"


def encode_facts(deployment: Deployment) -> bytes:
    """Write a deployment's facts, as a stranger compares them with a certificate's."""
    return encode_canonical(_facts(deployment))


def encode_certificate(analysis: Analysis) -> bytes:
    """Write down everything that follows from a deployment's facts, and why."""
    return encode_canonical(certificate(analysis))


def certificate(analysis: Analysis) -> dict[str, Json]:
    """Make the same as a JSON object."""
    return {
        "cells": [_cell(each) for each in analysis.cells],
        "closures": [
            {
                "law": law,
                "mode": mode.value,
                "reading": reading.value,
                "steps": [_step(each) for each in steps.values()],
            }
            for (law, reading, mode), steps in analysis.closures.items()
        ],
        "coalitions": [
            {
                "message": message.name,
                "mode": mode.value,
                **_coalitions(analysis.coalitions(message.name, mode=mode)),
            }
            for message in analysis.deployment.messages
            for mode in MODES
        ],
        "facts": _facts(analysis.deployment),
        "format": CERTIFICATE_FORMAT,
        "reaches": [
            {"law": law, "reading": reading.value, "steps": [_reach_step(each) for each in steps]}
            for (law, reading), steps in analysis.reaches.items()
        ],
        "stopping": _stopping(analysis),
    }


def _facts(deployment: Deployment) -> dict[str, Json]:
    return {
        "facts": [_fact(each) for each in deployment.facts],
        "format": FACTS_FORMAT,
        "laws": list(deployment.laws),
        "messages": [
            {"kind": each.kind.value, "name": each.name, "title": each.title}
            for each in deployment.messages
        ],
        "name": deployment.name,
        "operators": dict(deployment.operators),
        "title": deployment.title,
    }


def _fact(fact: Fact) -> Json:
    said: dict[str, Json] = {
        field.name: _plain(getattr(fact, field.name))
        for field in fields(fact)
        if field.name != "evidence"
    }
    evidence = fact.evidence
    return {
        **said,
        "date": evidence.date.isoformat(),
        "fact": type(fact).__name__.lower(),
        "grade": evidence.grade.name,
        "source": evidence.source,
    }


def _plain(value: Any) -> Json:
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _reach_step(step: ReachStep) -> Json:
    return {
        "fact": step.fact,
        "operator": step.operator,
        "rule": step.rule.value,
        "through": step.through,
    }


def _step(step: Step) -> Json:
    return {
        "facts": list(step.facts),
        "operators": list(step.operators),
        "rule": step.rule.value,
        "term": step.term,
        "terms": list(step.terms),
    }


def _cell(cell: Cell) -> Json:
    return {
        "derivable": cell.derivable,
        "grade": cell.grade.name,
        "law": cell.law,
        "message": cell.message,
        "mode": cell.mode.value,
        "reading": cell.reading.value,
        **_margin(cell.margin),
    }


def _margin(margin: Margin) -> dict[str, Json]:
    takeovers: Json = None if margin.takeovers is None else list(margin.takeovers)
    return {"margin": margin.size, "takeovers": takeovers}


def _coalitions(found: Coalitions) -> dict[str, Json]:
    return {"least": _sets(found.least), "safe": _sets(found.safe)}


def _sets(sets: Iterable[frozenset[str]]) -> Json:
    return [_plain(tuple(sorted(each))) for each in sets]


def _stopping(analysis: Analysis) -> Json:
    return {
        **_coalitions(analysis.stopping.coalitions),
        "laws": [
            {
                "law": law,
                "reading": reading.value,
                **_margin(analysis.stopping.margin(analysis.reached(law, reading))),
            }
            for law in analysis.deployment.laws
            for reading in Reading
        ],
    }
