"""Deployments that people write: what is read, and everything that is refused."""

from __future__ import annotations

import pytest

from havre.domain.exposure.coalitions import MOST_ACTING
from havre.domain.exposure.deployment import Deployment
from havre.domain.exposure.evidence import Grade
from havre.domain.exposure.facts import Arguable, Owns, Subject, Unstated
from havre.domain.exposure.reading import parse_deployment
from havre.domain.exposure.terms import parse_term
from havre.domain.exposure.verdicts import Analysis
from havre.errors import InvalidInput

TEXT = """
format = "havre/v1/deployment"
name = "small"
title = "Small"
laws = ["US"]

[evidence]
grade = "E1"
date = 2026-11-15
source = "stated"

[[operators]]
name = "store"
laws = ["FR", "US"]

[[operators]]
name = "holding"
laws = ["US"]
arguable = ["CN"]
grade = "E2"
date = 2026-10-01
source = "register"

[[operators]]
name = "nobody-knows"

[[owns]]
parent = "holding"
child = "store"
share = 50.01

[[holds]]
operator = "store"
terms = ["enc(seed,base)"]

[[thresholds]]
key = "seed"
needs = 2
shares = ["seed/1", "seed/2"]

[[systems]]
name = "machine"
clear = ["base"]
hosts = ["store"]

[[pushes]]
system = "machine"
by = ["holding", "store"]
signatures = 2

[[functions]]
name = "storing"
quorums = [["store"]]

[[messages]]
name = "base"
kind = "base"
title = "The base"
"""


def read(*changes: tuple[str, str]) -> Deployment:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_deployment(text.encode())


def test_facts_have_their_own_evidence_or_that_of_the_file() -> None:
    deployment = read()

    grades = {
        (f.operator, f.law): f.evidence.grade for f in deployment.facts if isinstance(f, Subject)
    }
    assert grades == {
        ("store", "FR"): Grade.E1,
        ("store", "US"): Grade.E1,
        ("holding", "US"): Grade.E2,
    }
    assert [f.law for f in deployment.facts if isinstance(f, Arguable)] == ["CN"]
    assert [f.operator for f in deployment.facts if isinstance(f, Unstated)] == ["nobody-knows"]
    assert [f.control for f in deployment.facts if isinstance(f, Owns)] == [True]
    assert deployment.laws == ("US", "FR", "CN")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('operator = "store"', 'operator = "stroe"', "holds names stroe, who is not among"),
        ('hosts = ["store"]', 'hosts = ["stroe"]', "system names stroe, who is not among"),
        ('child = "store"', 'child = "stroe"', "owns names stroe, who is not among"),
        ('quorums = [["store"]]', 'quorums = [["stroe"]]', "function names stroe"),
        ('system = "machine"', 'system = "mach"', "push names the system mach"),
        ("signatures = 2", "signatures = 3", "needs more signatures than it has signers"),
        ("needs = 2", "needs = 3", "seed needs more shares than it has"),
        ('"seed/2"]', '"seed/1"]', "has one twice"),
        ("share = 50.01", "share = 150", "share is not a percentage"),
        ("share = 50.01", 'share = "half"', "share is not a percentage"),
        ('name = "holding"', 'name = "store"', "store stands twice"),
        ('laws = ["FR", "US"]', 'laws = ["fr"]', "A law is not spelled like"),
        ('["enc(seed,base)"]', '["enc(seed base)"]', "A term is not spelled like"),
        ('kind = "base"', 'kind = "treasure"', "kind is none of base"),
        ('quorums = [["store"]]', "quorums = []", "storing has no quorum"),
        ("needs = 2", "needs = true", "needs is not a whole number"),
        ('clear = ["base"]', 'clear = "base"', "clear is not a list of texts"),
        ("[evidence]\ngrade", "[witness]\ngrade", "nobody knows, 'witness'"),
        ('format = "havre/v1/deployment"', 'format = "x"', "its format is not"),
    ],
)
def test_what_is_wrong_in_a_deployment_is_told(old: str, new: str, said: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read((old, new))

    assert said in refused.value.message
    assert refused.value.hint


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(('operator = "store"', 'operator = "stroe"'), ("needs = 2", "needs = 9"))

    assert "holds names stroe" in refused.value.message
    assert "seed needs more shares" in refused.value.message


def test_a_circle_of_owners_is_refused() -> None:
    circle = '[[owns]]\nparent = "store"\nchild = "holding"\nshare = 10\n\n[[holds]]'

    with pytest.raises(InvalidInput, match="owns itself through others"):
        read(("[[holds]]", circle))


def test_a_file_without_a_message_asks_nothing_and_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no message whose secrecy"):
        parse_deployment(TEXT[: TEXT.index("[[messages]]")].encode())


def test_more_operators_than_can_be_tabulated_are_refused_and_idle_ones_do_not_count() -> None:
    def many(count: int, *, holding: bool) -> str:
        rows = []
        for number in range(count):
            rows.append(f'[[operators]]\nname = "more-{number}"\nlaws = ["FR"]\n')
            if holding:
                rows.append(f'[[holds]]\noperator = "more-{number}"\nterms = ["base"]\n')
        return "\n".join([*rows, "[[messages]]"])

    idle = read(("[[messages]]", many(40, holding=False)))
    assert len(Analysis(idle).tables.operators) == 2
    with pytest.raises(InvalidInput, match="operators hold or decide something; at most 20"):
        Analysis(read(("[[messages]]", many(MOST_ACTING, holding=True))))


@pytest.mark.parametrize(
    "text", ["", "Base", "enc(base)", "enc(k,base", "enc(k,base))", "enc(,base)", "a b", "enc(" * 9]
)
def test_a_term_has_one_spelling(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_term(text)
