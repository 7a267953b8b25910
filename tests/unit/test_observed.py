"""What was obtained is closed by the model's own rules before it is held against the model."""

from __future__ import annotations

from datetime import date

import pytest

from havre.bootstrap.exposing import read_reference
from havre.domain.exposure.facts import Threshold
from havre.domain.exposure.observed import Prediction, close_observed

ON = date(2026, 11, 25)
B1 = read_reference("b1")


def predicted_for(*coalition: str) -> Prediction:
    return Prediction(B1, coalition, key_terms={}, sealed=frozenset(), on=ON)


def shares() -> tuple[str, ...]:
    (threshold,) = [
        each for each in B1.facts if isinstance(each, Threshold) and each.key == "key-of-keys"
    ]
    return threshold.shares


def test_enough_shares_are_the_key_and_open_what_lies_beside_them() -> None:
    one, two, *_ = shares()
    store = {term for term in predicted_for("store-a").predicted if term.startswith("enc(")}

    assert "base" not in close_observed(B1, {one, *store}, on=ON)
    assert "base" in close_observed(B1, {one, two, *store}, on=ON)


def test_what_a_coalition_can_know_is_no_surprise() -> None:
    store = predicted_for("store-a")

    assert store.unpredicted(store.predicted) == ()


@pytest.mark.parametrize("term", ["base", "something-nobody-ever-stated"])
def test_what_it_cannot_know_is_named(term: str) -> None:
    assert term in predicted_for("store-a").unpredicted({term})
