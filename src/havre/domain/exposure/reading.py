"""A deployment as a person writes it down: TOML, read strictly, every fault told.

The form is shown in `docs/exposure.md`; the reference deployments that come with
Havre are written in it too.
"""

from __future__ import annotations

from collections.abc import Iterator

from havre.domain.exposure.deployment import (
    Deployment,
    Message,
    MessageKind,
    check_deployment,
    parse_law,
)
from havre.domain.exposure.evidence import Evidence
from havre.domain.exposure.facts import (
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
from havre.domain.exposure.fields import Faults, Fields, read_toml
from havre.domain.exposure.ownership import settle_control
from havre.domain.exposure.terms import parse_term
from havre.values import parse_name

FORMAT = "havre/v1/deployment"
HINT = "Compare with the example in docs/exposure.md."


def parse_deployment(document: bytes) -> Deployment:
    """Read a deployment.

    Raises:
        InvalidInput: everything that is wrong in it is named.
    """
    what = "the deployment file"
    faults = Faults(what)
    top = Fields(read_toml(document, what=what.capitalize()), place="the file", faults=faults)
    if top.text("format") != FORMAT:
        faults.add(f"its format is not {FORMAT}")
    name, title = top.parsed("name", parse_name), top.text("title")
    told = top.table("evidence")
    default = told.evidence() if told else None
    if told:
        told.end()
    asked = top.texts("laws", parse_law, needed=False)
    operators: dict[str, str] = {}
    facts = [*_operators(top, operators, default), *_ownership(top, default)]
    facts += [*_having(top, default), *_running(top, default)]
    messages = tuple(_message(each) for each in top.tables("messages"))
    top.end()
    faults.raise_if_any(hint=HINT)
    named = [each.law for each in facts if isinstance(each, Subject | Arguable)]
    laws = tuple(dict.fromkeys((*asked, *named)))
    deployment = Deployment(
        name=name,
        title=title,
        operators=operators,
        laws=laws,
        messages=messages,
        facts=tuple(facts),
    )
    check_deployment(deployment)
    return deployment


def _operators(top: Fields, named: dict[str, str], default: Evidence | None) -> Iterator[Fact]:
    for row in top.tables("operators"):
        name = row.parsed("name", parse_name)
        if name in named:
            row.faults.add(f"{row.place}: {name} stands twice")
        named[name] = row.text("title", name)
        evidence = row.evidence(default)
        laws = row.texts("laws", parse_law, needed=False)
        for law in laws:
            yield Subject(evidence=evidence, operator=name, law=law)
        for law in row.texts("arguable", parse_law, needed=False):
            yield Arguable(evidence=evidence, operator=name, law=law)
        if not laws:
            yield Unstated(evidence=evidence, operator=name)
        row.end()


def _ownership(top: Fields, default: Evidence | None) -> list[Owns]:
    holdings = []
    for row in top.tables("owns"):
        holdings.append(
            Owns(
                evidence=row.evidence(default),
                parent=row.parsed("parent", parse_name),
                child=row.parsed("child", parse_name),
                share=row.share("share"),
                control=row.flag("control", default=False),
            )
        )
        row.end()
    return settle_control(holdings)


def _having(top: Fields, default: Evidence | None) -> Iterator[Fact]:
    for row in top.tables("holds"):
        evidence, operator = row.evidence(default), row.parsed("operator", parse_name)
        for term in row.texts("terms", parse_term, needed=True):
            yield Holds(evidence=evidence, operator=operator, term=term)
        row.end()
    for row in top.tables("public"):
        evidence = row.evidence(default)
        for term in row.texts("terms", parse_term, needed=True):
            yield Public(evidence=evidence, term=term)
        row.end()
    for row in top.tables("oracles"):
        evidence, operator = row.evidence(default), row.parsed("operator", parse_name)
        for key in row.texts("keys", parse_term, needed=True):
            yield Oracle(evidence=evidence, operator=operator, key=key)
        row.end()
    for row in top.tables("thresholds"):
        yield Threshold(
            evidence=row.evidence(default),
            key=row.parsed("key", parse_term),
            needs=row.whole("needs"),
            shares=row.texts("shares", parse_term, needed=True),
        )
        row.end()


def _running(top: Fields, default: Evidence | None) -> Iterator[Fact]:
    for row in top.tables("systems"):
        yield System(
            evidence=row.evidence(default),
            name=row.parsed("name", parse_name),
            clear=row.texts("clear", parse_term, needed=True),
            hosts=row.texts("hosts", parse_name, needed=True),
            tee=row.flag("tee", default=False),
        )
        row.end()
    for row in top.tables("pushes"):
        yield Push(
            evidence=row.evidence(default),
            system=row.parsed("system", parse_name),
            by=row.texts("by", parse_name, needed=True),
            signatures=row.whole("signatures", 1),
            gates=row.texts("gates", parse_name, needed=False),
        )
        row.end()
    for row in top.tables("functions"):
        yield Function(
            evidence=row.evidence(default),
            name=row.text("name"),
            quorums=row.lists("quorums"),
        )
        row.end()


def _message(row: Fields) -> Message:
    name = row.parsed("name", parse_term)
    kind = row.choice("kind", [each.value for each in MessageKind])
    known = kind in [each.value for each in MessageKind]
    message = Message(name, MessageKind(kind) if known else MessageKind.BASE, row.text("title"))
    row.end()
    return message
