"""Deployments for the exposure tests: those that come with Havre, and drawn ones."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import resources

from hypothesis import strategies as st

from havre.domain.exposure.certificate import encode_certificate, encode_facts
from havre.domain.exposure.deployment import Deployment, Message, MessageKind
from havre.domain.exposure.evidence import Evidence, Grade
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
from havre.domain.exposure.ownership import settle_control
from havre.domain.exposure.reading import parse_deployment
from havre.domain.exposure.terms import seal
from havre.domain.exposure.verdicts import Analysis
from havre.ports.pages import ShownExposure

REFERENCES = ("a0", "a1", "a2", "b0", "b1", "b2", "b3")
OPERATORS = ("a", "b", "c", "d", "e")
MESSAGES = ("base", "extract")
KEYS = ("k1", "k2", "k3")
SHARES = ("s1", "s2", "s3")
LAWS = ("US", "FR")
SYSTEMS = ("machine", "enclave")
ON = date(2026, 11, 1)


def reference(name: str) -> Deployment:
    """One of the deployments that come with the package."""
    folder = resources.files("havre.domain.exposure").joinpath("references")
    return parse_deployment(folder.joinpath(f"{name}.toml").read_bytes())


def shown_exposure(deployment: Deployment, *, unstated: Sequence[str] = ()) -> ShownExposure:
    """What the public site shows of a deployment."""
    analysis = Analysis(deployment)
    return ShownExposure(
        analysis=analysis,
        unstated=unstated,
        sheets=(),
        on=ON,
        certificate=encode_certificate(analysis),
        facts=encode_facts(deployment),
    )


_evidence = st.sampled_from(Grade).map(lambda grade: Evidence(grade, ON, "drawn"))
_operator = st.sampled_from(OPERATORS)
_law = st.sampled_from(LAWS)
_key = st.sampled_from(KEYS)
_plain = st.sampled_from((*MESSAGES, *KEYS, *SHARES))
_sealed = st.builds(seal, _key, st.sampled_from((*MESSAGES, *KEYS)))
_twice = st.builds(seal, _key, _sealed)
_term = st.one_of(_plain, _sealed, _sealed, _twice)
_some = st.lists(_operator, min_size=1, max_size=3, unique=True).map(tuple)


@st.composite
def _push(draw: st.DrawFn) -> Push:
    by = draw(_some)
    return Push(
        evidence=draw(_evidence),
        system=draw(st.sampled_from(SYSTEMS)),
        by=by,
        signatures=draw(st.integers(1, len(by))),
        gates=draw(st.one_of(st.just(()), _some)),
    )


_anything = st.one_of(
    st.builds(Arguable, evidence=_evidence, operator=_operator, law=_law),
    st.builds(Holds, evidence=_evidence, operator=_operator, term=_term),
    st.builds(Holds, evidence=_evidence, operator=_operator, term=_term),
    st.builds(Holds, evidence=_evidence, operator=_operator, term=_term),
    st.builds(Public, evidence=_evidence, term=_term),
    st.builds(Oracle, evidence=_evidence, operator=_operator, key=_key),
    st.builds(
        Threshold,
        evidence=_evidence,
        key=_key,
        needs=st.integers(1, 3),
        shares=st.just(SHARES),
    ),
    _push(),
    st.builds(
        Function,
        evidence=_evidence,
        name=st.just("service"),
        quorums=st.lists(_some, min_size=1, max_size=3).map(tuple),
    ),
)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Five operators, two laws, and facts at random; who owns whom has no circle."""
    facts: list[Fact] = []
    for name in OPERATORS:
        evidence = draw(_evidence)
        law = draw(st.one_of(_law, _law, st.none()))
        if law:
            facts.append(Subject(evidence=evidence, operator=name, law=law))
        else:
            facts.append(Unstated(evidence=evidence, operator=name))
    holdings: list[Owns] = []
    for at, parent in enumerate(OPERATORS):
        for child in OPERATORS[at + 1 :]:
            if draw(st.integers(0, 6)) == 0:
                share, control = draw(st.integers(0, 10_000)), draw(st.booleans())
                holdings.append(
                    Owns(
                        evidence=draw(_evidence),
                        parent=parent,
                        child=child,
                        share=share,
                        control=control,
                    )
                )
    facts += settle_control(holdings)
    for name, tee in zip(SYSTEMS, (False, True), strict=True):
        clear = draw(st.lists(st.sampled_from((*MESSAGES, *KEYS)), max_size=2, unique=True))
        hosts = draw(_some)
        evidence = draw(_evidence)
        facts.append(System(evidence=evidence, name=name, clear=tuple(clear), hosts=hosts, tee=tee))
    facts += draw(st.lists(_anything, max_size=14))
    return Deployment(
        name="drawn",
        title="Drawn",
        operators=dict.fromkeys(OPERATORS, "somebody"),
        laws=LAWS,
        messages=tuple(Message(name, MessageKind.BASE, name) for name in MESSAGES),
        facts=tuple(facts),
    )
